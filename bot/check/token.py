"""Whether the token is accepted, may what the bot needs, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from bot.check.finding import Finding, Grade
from bot.errors import Forbidden
from bot.gitea.models import User
from bot.gitea.scopes import SCOPES, covers

SCOPE = "token.scope"
LACKS = "required scope"
MAKE = "Settings ▸ Applications ▸ Generate New Token"
ANEW = (
    f"Sign in as the bot's user: {MAKE}, with {', '.join(SCOPES)}; set it as GITEA_TOKEN and start "
    "the bot again. Or: mosaic-coordinator setup owner/repo makes one."
)
_REQUIRED = re.compile(r"required scope\(s\)[^\[]{0,20}\[([^\]]{1,200})\]")
_HAS = re.compile(r"token scope=([a-z:,-]{1,500})")
_WHAT = {
    "write:issue": "write comments and labels",
    "read:issue": "read issues",
    "read:repository": "read repositories",
    "read:user": "ask who it is",
}


def refused(error: Forbidden) -> Finding:
    """What it says of the token, or of its user, that Gitea refuses to answer."""
    if "prohibited from signing in" in error.message:
        return _disabled()
    if "must change your password" in error.message:
        return Finding(
            "user.password",
            Grade.WRONG,
            "The bot's user has to change its password first.",
            "Until then Gitea refuses everything it asks for.",
            "Sign in as the bot's user once, and change it.",
        )
    if LACKS in error.message:
        return lacking(required_by(error))
    if error.status == 401:
        return Finding(
            "token.refused",
            Grade.WRONG,
            f"Gitea does not accept the token: {error.message or '401'}.",
            "It was mistyped, or deleted in Gitea. Nothing works without.",
            ANEW,
        )
    return Finding(
        "gitea.forbids",
        Grade.WRONG,
        f"Gitea refuses to answer: {error}",
        "Something in front of it, or a setting of Gitea's, lets the bot not ask.",
        "Look into the log of Gitea, and of the proxy in front of it.",
    )


def _disabled() -> Finding:
    return Finding(
        "user.disabled",
        Grade.WRONG,
        "The bot's user is switched off.",
        "Gitea refuses everything it asks for.",
        "A site administrator can switch it on: Site Administration ▸ User Accounts "
        "▸ the bot's user ▸ Edit User Account: untick Disable Sign-In, and tick User "
        "Account Is Activated.",
    )


def required_by(error: Forbidden) -> Sequence[str]:
    """The scopes one of which a refused request needs, in Gitea's and Forgejo's words."""
    found = _REQUIRED.search(error.message)
    return re.split(r"[ ,]+", found[1].strip()) if found else []


def told_by(error: Forbidden) -> frozenset[str] | None:
    """The scopes of a token, where the refusal tells them, as from Gitea 1.23 on."""
    found = _HAS.search(error.message)
    return frozenset(found[1].split(",")) if found else None


def lacking(scopes: Collection[str]) -> Finding:
    """The token lacks these."""
    named = f"the scope {', '.join(scopes)}" if scopes else "a scope that it needs"
    needed = " and ".join(_WHAT[one] for one in scopes if one in _WHAT)
    return Finding(
        SCOPE,
        Grade.WRONG,
        f"The token lacks {named}.",
        f"The bot cannot {needed}." if needed else "The bot cannot do its work.",
        f"Scopes cannot be added to a token. {ANEW}",
    )


def of_scopes(scopes: frozenset[str] | None) -> Sequence[Finding]:
    """What a token with these scopes lacks, or may beyond what the bot needs."""
    if scopes is None:
        return []
    lacks = [one for one in SCOPES if not covers(scopes, one)]
    more = sorted(scopes - set(SCOPES) - {"read:issue", "public-only"})
    return [
        *([lacking(lacks)] if lacks else []),
        *([_public()] if "public-only" in scopes else []),
        *([_more(more)] if more else []),
    ]


def _public() -> Finding:
    return Finding(
        "token.public",
        Grade.NOTE,
        "The token is for public repositories only.",
        "In private ones the bot sees and does nothing.",
        f"Where it is to work in private ones, too: {ANEW}",
    )


def _more(scopes: Sequence[str]) -> Finding:
    named = "everything" if "all" in scopes else ", ".join(scopes)
    return Finding(
        "token.more",
        Grade.NOTE,
        f"The token may more than it has to: {named}.",
        "Whoever gets hold of it may that, too.",
        f"Make one with {', '.join(SCOPES)} only, set it as GITEA_TOKEN, and delete this one: "
        f"{MAKE}",
    )


def of_user(me: User) -> Sequence[Finding]:
    """What there is to say of whose token it is."""
    if not me.is_admin:
        return []
    return [
        Finding(
            "user.administrator",
            Grade.NOTE,
            f"{me.login} is an administrator of the site.",
            "That is needed only where the bot works in every repository of this Gitea (setup "
            "--system). Its token still may only what its scopes say.",
            f"Otherwise: Site Administration ▸ User Accounts ▸ {me.login} ▸ "
            "Edit User Account: untick Is Administrator, and make it an administrator of its "
            "repositories.",
        )
    ]
