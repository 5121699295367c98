"""Whether the bot is made for that version of Gitea or Forgejo."""

from __future__ import annotations

from collections.abc import Sequence

from bot.check.finding import Finding, Grade
from bot.gitea.versions import OLDEST_SAID, is_known, is_old, name_of


def of_version(version: str) -> Sequence[Finding]:
    """What there is to say; nothing of one that was not told."""
    if is_old(version):
        return [
            Finding(
                "version.old",
                Grade.NOTE,
                f"{name_of(version)} is older than what the bot was tried with.",
                "It may answer in ways that the bot does not know.",
                f"Update it: {OLDEST_SAID}",
            )
        ]
    if version and not is_known(version):
        return [
            Finding(
                "version.unknown",
                Grade.NOTE,
                f"Version {version[:60]} is neither Gitea's nor Forgejo's.",
                "The bot was tried with those only.",
                "Where something does not work, try it with one of them.",
            )
        ]
    return []
