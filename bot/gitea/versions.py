"""Which forge answers, by the version it tells, and which are too old for the bot."""

from __future__ import annotations

import re

OLDEST = {"Gitea": (1, 22), "Forgejo": (8, 0)}
OLDEST_SAID = "Gitea 1.22 and Forgejo 8 are the oldest it is made for."
_FORGEJO = re.compile(r"^(\d+)\.(\d+).*\+gitea-", re.IGNORECASE)
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)")


def name_of(version: str) -> str:
    """`1.26.3` is Gitea 1.26.3, and `8.0.2+gitea-1.22.0` is Forgejo 8.0.2; empty is Gitea."""
    forgejo = _FORGEJO.match(version)
    return f"Forgejo {version.partition('+')[0]}" if forgejo else f"Gitea {version}".strip()


def is_old(version: str) -> bool:
    """Whether the bot is made for later ones only."""
    found = _NUMBERS.match(version)
    oldest = OLDEST[name_of(version).partition(" ")[0]]
    return found is not None and (int(found[1]), int(found[2])) < oldest


def is_known(version: str) -> bool:
    """Whether that looks like a version of one of them; also of one that was built from source."""
    return _NUMBERS.match(version) is not None or "dev" in version
