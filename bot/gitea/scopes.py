"""What a token may: the scopes the bot needs, and those that a token has."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import SecretStr

from bot.errors import GiteaError
from bot.gitea.admin import AdminAPI

SCOPES = ("write:issue", "read:repository", "read:user")
"""What the bot's token may: the least with which everything works."""


async def scopes_of(api: AdminAPI, login: str, secret: SecretStr) -> frozenset[str] | None:
    """The scopes of a token, by its last characters; None where it is none, or is not told.

    Whose client is signed in with a name may ask, whatever the name, with the token itself.
    """
    try:
        tokens = await api.tokens(login)
    except GiteaError:
        return None
    last = secret.get_secret_value().strip()[-8:]
    return next((frozenset(one.scopes) for one in tokens if one.token_last_eight == last), None)


def covers(scopes: Collection[str], wanted: str) -> bool:
    """Whether a token with these scopes may do that."""
    level, _, category = wanted.partition(":")
    enough = {"all", wanted, *([f"write:{category}"] if level == "read" else [])}
    return not enough.isdisjoint(scopes)
