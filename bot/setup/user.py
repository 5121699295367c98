"""The bot's user, and its token."""

from __future__ import annotations

import re
import secrets
from functools import partial

from pydantic import SecretStr

from bot.errors import Forbidden, GiteaError
from bot.gitea.admin import AccessToken, Account, AdminAPI
from bot.setup.course import Course, Stop
from bot.setup.reach import SignedIn, covers, scopes_of
from bot.setup.wish import SCOPES, Wish

TOKEN = "mosaic-coordinator"  # noqa: S105 - what the token is called


async def find_user(course: Course, api: AdminAPI, wish: Wish) -> Account | None:
    """The bot's user, if there is one that will do. Raises Stop for one that will not."""
    course.step = "User"
    if await api.is_organization(wish.bot):
        raise Stop(
            f"{wish.bot} is an organisation, so no user can be called that.",
            "Give the bot another name with --bot.",
        )
    found = await api.user(wish.bot)
    if found and (found.prohibit_login or not found.active):
        raise Stop(
            f"{found.login} may not sign in: an administrator has switched the user off.",
            f"Site Administration ▸ User Accounts ▸ {found.login}: clear Disable Sign-In and "
            "activate it. Or give the bot another name with --bot.",
        )
    return found


async def make_user(
    course: Course, api: AdminAPI, wish: Wish, signed_in: SignedIn, found: Account | None
) -> Account | None:
    """The bot's user, made where there is none; None in a dry run that would make it."""
    if found:
        course.same(f"{found.login} is there.")
        return found
    if not signed_in.account.is_admin:
        raise Stop(
            f"There is no user {wish.bot}, and {signed_in.account.login} may not make one.",
            "Let an administrator of the site run this once, or make the user: Site "
            "Administration ▸ User Accounts. Or name one that exists with --bot.",
        )
    password = SecretStr(f"{secrets.token_urlsafe(32)}-aA1")  # no one needs to know it
    return await course.make(
        f"made the user {wish.bot}",
        lambda: api.create_user(wish.bot, wish.email, password),
        (f"removed the user {wish.bot} again", lambda: api.delete_user(wish.bot)),
    )


async def make_token(
    course: Course,
    api: AdminAPI,
    wish: Wish,
    *,
    own: AdminAPI | None,
    signed_in: SignedIn,
    bot: Account | None,
) -> SecretStr | None:
    """The bot's token: the one it has, if that will do, else a new one; None in a dry run.

    `own` is signed in with the token the bot has.
    """
    course.step = "Token"
    lacking = await _lacking(own, wish, bot) if own and bot else "there is none yet"
    if not lacking:
        course.same(f"GITEA_TOKEN is {wish.bot}'s, and has the scopes it needs.")
        return wish.token
    if not signed_in.account.is_admin and (bot is None or signed_in.account.id != bot.id):
        raise Stop(
            f"A token of {wish.bot} is needed ({lacking}), and {signed_in.account.login} may not "
            "make it.",
            f"Sign in as {wish.bot}: Settings ▸ Applications ▸ Generate New Token, with "
            f"{', '.join(SCOPES)}; and set it as GITEA_TOKEN.",
        )
    return await _new_token(course, api, wish, bot)


async def _lacking(own: AdminAPI, wish: Wish, bot: Account) -> str:
    """What is wrong with the token there is; empty where nothing is."""
    try:
        holder = await own.me()
    except Forbidden:
        return "GITEA_TOKEN is not accepted"
    if holder.id != bot.id:
        return f"GITEA_TOKEN is {holder.login}'s"
    scopes = await scopes_of(own, holder.login, wish.token)
    lacking = [one for one in SCOPES if scopes is not None and not covers(scopes, one)]
    return f"GITEA_TOKEN lacks {', '.join(lacking)}" if lacking else ""


async def _new_token(
    course: Course, api: AdminAPI, wish: Wish, bot: Account | None
) -> SecretStr | None:
    old = await our_tokens(api, wish) if bot else []
    name = _free_name(wish, {one.name for one in await api.tokens(wish.bot)} if bot else set())
    made = await course.make(
        f"made a token for {wish.bot} with {', '.join(SCOPES)}",
        lambda: api.create_token(wish.bot, name, SCOPES),
        (f"deleted the token {name} again", lambda: api.delete_token(wish.bot, name)),
    )
    for one in old:
        what = f"deleted the token {one.name}, which this one replaces"
        course.later(what, partial(api.delete_token, wish.bot, one.name))
    return made.sha1 if made else None


async def our_tokens(api: AdminAPI, wish: Wish) -> list[AccessToken]:
    """The bot's tokens that were made on this machine."""
    ours = re.compile(rf"{re.escape(_name(wish))}( \d+)?")
    return [one for one in await api.tokens(wish.bot) if ours.fullmatch(one.name)]


def _name(wish: Wish) -> str:
    return f"{TOKEN}@{wish.host}"


def _free_name(wish: Wish, taken: set[str]) -> str:
    names = [_name(wish), *(f"{_name(wish)} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


async def holder_of(own: AdminAPI) -> Account:
    """Whose token that is. Raises Stop."""
    try:
        return await own.me()
    except GiteaError as error:
        raise Stop(
            f"GITEA_TOKEN will not do: {error}", "Set the bot up first: setup, without --add."
        ) from None
