"""How things stand, for whoever asks for the metrics: the queue, the issues, the database."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.assigned import progress_in
from bot.backup.noting import backed_up_at
from bot.errors import StoreError
from bot.housekeeping import files_of, tidied_at
from bot.metrics import Standing
from bot.store import files


class Queue(Protocol):
    """The queue, as far as it is counted."""

    async def counts(self) -> Mapping[str, int]:
        """How many jobs are in each state."""

    async def ages(self) -> Mapping[str, float]:
        """How old the oldest of them is, in seconds."""


class Store(Protocol):
    """The store, as far as it is counted."""

    async def statuses(self) -> Mapping[str, int]:
        """How many issues have each status."""

    async def failures_count(self) -> int:
        """How much work was given up."""

    async def tokens_used(self, day: date) -> int:
        """How many tokens Claude took on that day."""


class Notes(Protocol):
    """Single values by name."""

    async def note(self, name: str) -> str:
        """What was noted; empty where nothing was."""

    async def keep_note(self, name: str, value: str) -> None:
        """Note something."""


AskServer = Callable[[], Awaitable[int | None]]
"""How many bytes a database on a server has; None where it is none."""


class Onlooker:
    """Asks the parts of a bot how they stand. Raises StoreError where one does not answer."""

    def __init__(
        self,
        database_url: str,
        *,
        queue: Queue,
        store: Store,
        notes: Notes,
        ask_server: AskServer,
        now: Callable[[], datetime],
    ) -> None:
        self._files = dict(zip(("store", "queue"), files_of(database_url), strict=False))
        self._queue = queue
        self._store = store
        self._notes = notes
        self._ask_server = ask_server
        self._now = now

    async def look(self) -> Standing:
        """How things stand now."""
        sizes, free = await self._sizes()
        return Standing(
            queue=await self._queue.counts(),
            ages=await self._queue.ages(),
            issues=await self._store.statuses(),
            set_aside=await self._store.failures_count(),
            unseen=await self._unseen(),
            tidied_at=_seconds(await tidied_at(self._notes)),
            saved_at=_seconds(await backed_up_at(self._notes)),
            tokens=await self._store.tokens_used(self._now().date()),
            sizes=sizes,
            free=free,
            disk=next((_left(path) for path in self._files.values()), math.nan),
        )

    async def _unseen(self) -> float:
        """Seconds since which changes were not looked for; NaN before the first recheck."""
        progress = await progress_in(self._notes)
        return (self._now() - progress.mark.asked_at).total_seconds() if progress else math.nan

    async def _sizes(self) -> tuple[dict[str, int], dict[str, int]]:
        """How large each part of the database is, and what in it is free, in bytes."""
        server = await self._ask_server()
        if server is not None:
            return {"server": server}, {}
        return await asyncio.to_thread(_sizes_of, self._files)


def _sizes_of(paths: Mapping[str, Path]) -> tuple[dict[str, int], dict[str, int]]:
    found = {name: size for name, path in paths.items() if (size := files.size(path))}
    sizes = {name: size.file for name, size in found.items()}
    logs = {f"{name}-log": size.log for name, size in found.items()}
    return sizes | logs, {name: size.free for name, size in found.items()}


def _seconds(when: datetime | None) -> float:
    return when.timestamp() if when else 0.0


def _left(path: Path) -> float:
    try:
        return float(shutil.disk_usage(path.parent).free)
    except OSError:
        return math.nan


def server_size(engine: AsyncEngine) -> AskServer:
    """Asks PostgreSQL for the size of the database. Raises StoreError."""

    async def ask() -> int | None:
        if engine.dialect.name != "postgresql":
            return None
        try:
            async with engine.connect() as connection:
                size = sa.select(sa.func.pg_database_size(sa.func.current_database()))
                return int((await connection.execute(size)).scalar_one())
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"the database does not answer: {error}") from None

    return ask
