"""The bot's token: the one there is, as long as it will do, or a new one."""

from __future__ import annotations

import re
from functools import partial

from pydantic import SecretStr

from bot.errors import ConfigError, Forbidden
from bot.gitea.admin import AccessToken, Account, AdminAPI
from bot.gitea.scopes import SCOPES, covers, scopes_of
from bot.setup.course import Stop
from bot.setup.means import Means
from bot.setup.reach import SignedIn
from bot.setup.wish import Wish

NAME = "mosaic-coordinator"


class Tokens:
    """Sees to the bot's token."""

    def __init__(self, wish: Wish, means: Means) -> None:
        self._wish = wish
        self._course = means.course
        self._api = means.api
        self._sign_in = means.sign_in
        self._ask = means.ask_token

    async def holder(self) -> Account:
        """Whose token is set. Raises Stop where there is none that will do."""
        token = self._wish.token
        if not token.get_secret_value():
            raise Stop("GITEA_TOKEN is not set.", "Set the bot up first: setup, without --add.")
        async with self._sign_in(token) as client:
            found = await AdminAPI(client).me()
        if lacking := await self._lacking(token, found):
            raise Stop(f"GITEA_TOKEN {lacking}.", "Run setup without --add: it makes another one.")
        self._course.same(f"GITEA_TOKEN is {found.login}'s, and has the scopes it needs.")
        return found

    async def put(self, signed_in: SignedIn, bot: Account | None) -> SecretStr | None:
        """The bot's token, made where there is none that will do; None in a dry run."""
        course, wish = self._course, self._wish
        course.step = "Token"
        lacking = await self._lacking(wish.token, bot)
        if not lacking:
            course.same(f"GITEA_TOKEN is {wish.bot}'s, and has the scopes it needs.")
            return wish.token
        if signed_in.account.is_admin or (bot and signed_in.account.id == bot.id):
            return await self._new(bot)
        return await self._asked(bot, lacking, signed_in)

    async def _lacking(self, token: SecretStr, bot: Account | None) -> str:
        """What is wrong with a token; empty where nothing is."""
        if not token.get_secret_value():
            return "is not set"
        try:
            async with self._sign_in(token) as client:
                own = AdminAPI(client)
                holder = await own.me()
                scopes = await scopes_of(own, holder.login, token)
        except (Forbidden, ConfigError):
            return "is not accepted"
        if bot is None or holder.id != bot.id:
            return f"is {holder.login}'s, not {self._wish.bot}'s"
        lacking = [one for one in SCOPES if scopes is not None and not covers(scopes, one)]
        return f"lacks {', '.join(lacking)}" if lacking else ""

    async def _asked(self, bot: Account | None, lacking: str, signed_in: SignedIn) -> SecretStr:
        wish = self._wish
        found = None if self._course.dry else await self._ask(wish.bot)
        if found:
            lacking = await self._lacking(found, bot)
            if not lacking:
                self._course.same(f"The token is {wish.bot}'s, and has the scopes it needs.")
                return found
        name = "The token" if found else "GITEA_TOKEN"
        raise Stop(
            f"{name} {lacking}, and {signed_in.account.login} may not make one for {wish.bot}.",
            f"Sign in as {wish.bot}: Settings ▸ Applications ▸ Generate New Token, with "
            f"{', '.join(SCOPES)}; and set it as GITEA_TOKEN.",
        )

    async def _new(self, bot: Account | None) -> SecretStr | None:
        """Make one; those that it replaces go in the end."""
        api, login, there = self._api, self._wish.bot, []
        if bot:
            there = await api.tokens(login)
        name = _free(self._wish.host, {one.name for one in there})
        made = await self._course.make(
            f"made a token for {login} with {', '.join(SCOPES)}",
            lambda: api.create_token(login, name, SCOPES),
            (f"deleted the token {name} again", lambda: api.delete_token(login, name)),
        )
        for one in there:
            if is_ours(one, self._wish.host):
                what = f"deleted the token {one.name}, which the new one replaces"
                self._course.later(what, partial(api.delete_token, login, one.name))
        return made.sha1 if made else None


def is_ours(token: AccessToken, host: str) -> bool:
    """Whether a token was made for the bot on this machine."""
    return bool(re.fullmatch(rf"{re.escape(_name(host))}( \d+)?", token.name))


async def our_tokens(api: AdminAPI, wish: Wish) -> list[AccessToken]:
    """The bot's tokens that were made on this machine, and the one it has, wherever it was made.

    A container's name is another one each time; the last characters of a token stay.
    """
    has = wish.token.get_secret_value()
    return [
        one
        for one in await api.tokens(wish.bot)
        if is_ours(one, wish.host) or (one.token_last_eight and has.endswith(one.token_last_eight))
    ]


def _name(host: str) -> str:
    return f"{NAME}@{host}"


def _free(host: str, taken: set[str]) -> str:
    names = [_name(host), *(f"{_name(host)} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
