"""The bot's user."""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from bot.errors import Forbidden
from bot.gitea.admin import Account, AdminAPI
from bot.setup.course import Course, Stop
from bot.setup.reach import SignedIn
from bot.setup.wish import Wish


async def find_user(
    course: Course, api: AdminAPI, wish: Wish, signed_in: SignedIn
) -> Account | None:
    """The bot's user, if there is one that will do. Raises Stop for one that will not.

    Whether a user is switched off, Gitea tells administrators of the site only.
    """
    course.step = "User"
    found = await api.user(wish.bot)
    if found and await _is_organization(api, wish.bot):
        raise Stop(
            f"{wish.bot} is an organisation, so no user can be called that.",
            "Give the bot another name with --bot.",
        )
    off = found and (found.prohibit_login or not found.active)
    if found and off and signed_in.account.is_admin:
        raise Stop(
            f"{found.login} may not sign in: an administrator has switched the user off.",
            f"Site Administration ▸ User Accounts ▸ {found.login}: clear Disable Sign-In and "
            "activate it. Or give the bot another name with --bot.",
        )
    return found


async def _is_organization(api: AdminAPI, name: str) -> bool:
    """Whether that is an organisation; a token may not be allowed to ask."""
    try:
        return await api.is_organization(name)
    except Forbidden:
        return False


async def make_user(
    course: Course, api: AdminAPI, wish: Wish, signed_in: SignedIn, found: Account | None
) -> Account | None:
    """The bot's user, made where there is none; None in a dry run that would make it."""
    if found:
        course.same(f"The user {found.login} is there.")
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
