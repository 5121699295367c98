"""Whether what the bot keeps is looked after: tidied daily, and saved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.backup.noting import backed_up_at
from bot.check.finding import Finding, Grade
from bot.housekeeping import tidied_at
from bot.store.alone import half_restored
from bot.store.database import sqlite_path

UNTIDIED = timedelta(days=2)
OLD = timedelta(days=8)  # of a weekly backup that has just been missed


class Notes(Protocol):
    """Single values by name."""

    async def note(self, name: str) -> str:
        """What was noted; empty where nothing was."""

    async def keep_note(self, name: str, value: str) -> None:
        """Note something."""


def broken_off(database_url: str) -> list[Finding]:
    """Whether putting a backup back was begun and not ended."""
    path = sqlite_path(database_url)
    if path is None or not half_restored(path).exists():
        return []
    return [
        Finding(
            "storage.half-restored",
            Grade.WRONG,
            f"Putting a backup back beside {path} was broken off.",
            "The store and the queue may not fit each other, so the bot does not start with them.",
            "Call it again: mosaic-coordinator restore FILE",
        )
    ]


async def tidied(notes: Notes, now: datetime, *, running: bool) -> list[Finding]:
    """When what is of no use any more was deleted last."""
    last = await tidied_at(notes)
    if last is None:
        return []
    if not running or now - last <= UNTIDIED:
        when = f"{last:%Y-%m-%d %H:%M} UTC"
        return [Finding("storage.tidied", Grade.GOOD, f"What is old was deleted at {when}.")]
    return [
        Finding(
            "storage.untidied",
            Grade.WRONG,
            f"What is old has not been deleted for {(now - last).days} days; it should be daily.",
            "The database grows, until the disk is full.",
            "Look in the bot's log for housekeeping.waits, housekeeping.failed, schedule.failed.",
        )
    ]


async def saved(notes: Notes, now: datetime) -> list[Finding]:
    """When the last backup was made; nothing where others make it."""
    last = await backed_up_at(notes)
    if last is None:
        return []
    when = f"{last:%Y-%m-%d %H:%M} UTC"
    if now - last <= OLD:
        return [Finding("storage.saved", Grade.GOOD, f"The last backup was made at {when}.")]
    return [
        Finding(
            "storage.backup-old",
            Grade.NOTE,
            f"The last backup was made at {when}, {(now - last).days} days ago.",
            "What people have said by commands since would be lost with the disk, except for the "
            "last days.",
            "Make one daily: mosaic-coordinator backup FILE (docs/backup.md).",
        )
    ]
