"""The first step: which Gitea that is, who is signed in, and whether they may do what follows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from bot.errors import Forbidden, Permanent
from bot.gitea.admin import Account, AdminAPI
from bot.gitea.api import GiteaAPI
from bot.gitea.scopes import covers, scopes_of
from bot.gitea.versions import OLDEST_SAID, is_old, name_of
from bot.setup.course import Course, Stop
from bot.setup.places import Kind, Place


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sets the bot up; `scopes` is None where they may do all they have a right to."""

    account: Account
    scopes: frozenset[str] | None


async def reach(course: Course, api: AdminAPI, secret: SecretStr) -> SignedIn:
    """Say which Gitea answers, and as whom. Raises a GiteaError or Stop."""
    course.step = "Gitea"
    try:
        version = await _version(api)
        account = await api.me()
    except Forbidden as error:
        raise _not_known(error) from None
    except Permanent as error:
        raise _not_there(error) from None
    scopes = await scopes_of(api, account.login, secret)
    course.same(f"{name_of(version)} answers; signed in as {account.login}{_role(account)}.")
    if is_old(version):
        course.note(
            f"{name_of(version)} is older than what the bot was tried with.",
            OLDEST_SAID,
        )
    return SignedIn(account, scopes)


async def _version(api: AdminAPI) -> str:
    """Which it is; empty where the token may not ask."""
    gitea = GiteaAPI(api.client)
    try:
        version = await gitea.version()
        await gitea.settle()
    except Forbidden as error:
        if "required scope" in error.message:
            return ""
        raise
    return version


def _role(account: Account) -> str:
    return ", an administrator of the site" if account.is_admin else ""


def needed(places: Collection[Place], *, adding: bool, makes_user: bool) -> Iterator[str]:
    """The scopes without which a token cannot set the bot up there."""
    kinds = {place.kind for place in places}
    if makes_user or Kind.SYSTEM in kinds:
        yield "write:admin"
    yield "read:user" if adding else "write:user"
    if kinds:  # the test delivery of an organisation, too, goes through a repository's webhook
        yield "write:repository"
    if Kind.ORGANIZATION in kinds:
        yield "write:organization"
    if kinds - {Kind.SYSTEM}:
        yield "write:issue"


def demand_scopes(signed_in: SignedIn, wanted: Collection[str]) -> None:
    """Raise Stop for a token that will not do, before anything is made."""
    has = signed_in.scopes
    lacking = [] if has is None else [scope for scope in wanted if not covers(has, scope)]
    if lacking:
        raise Stop(
            f"{signed_in.account.login}'s token lacks the scope {', '.join(lacking)}.",
            "Make one that has " + ", ".join(wanted) + ": Settings ▸ Applications ▸ Generate New "
            "Token. It is needed for this only; delete it afterwards.",
        )


def _not_there(error: Permanent) -> Stop:
    return Stop(
        f"That is no Gitea: {error}",
        "Give the address as people open it, such as https://git.example.org",
    )


def _not_known(error: Forbidden) -> Stop:
    if "required scope" in error.message:
        return Stop(
            "The token lacks the scope read:user.",
            "Make one that has it: Settings ▸ Applications ▸ Generate New Token.",
        )
    return Stop(
        f"Gitea does not accept the token, or the name and the password: {error.message}.",
        "Check it. Who signs in with two factors needs a token: Settings ▸ Applications.",
    )
