"""When the last backup was made, noted in the bot's own store: `check` and metrics tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import structlog

from bot.backup.making import Made
from bot.errors import StoreError
from bot.store.database import as_it_is
from bot.store.watching import Watching

log = structlog.get_logger(__name__)

NOTE = "backed-up"


class Notes(Protocol):
    """Single values by name."""

    async def note(self, name: str) -> str:
        """What was noted; empty where nothing was."""


async def note(database_url: str, made: Made) -> None:
    """Note that a backup was made; where that fails, there is one all the same."""
    async with as_it_is(database_url) as engine:
        try:
            notes = Watching(engine, now=lambda: made.taken_at)
            await notes.keep_note(NOTE, made.taken_at.isoformat())
        except StoreError as error:
            log.warning("backup.not_noted", error=str(error))


async def backed_up_at(notes: Notes) -> datetime | None:
    """When the last backup was made; None where none was."""
    text = await notes.note(NOTE)
    return datetime.fromisoformat(text) if text else None
