"""Housekeeping: once a day what is of no use any more is deleted, so that nothing grows for ever.

It is deleted in small batches with a rest after each, so that neither the queue nor the store is
locked for long. A note in the store says when all of it was done last: of several replicas one does
it, and a bot that never runs at that hour does it at its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from bot.config import CLOCKS_DIFFER, Settings
from bot.errors import GiteaError, StoreError
from bot.gitea.models import User
from bot.store import files
from bot.store.database import queue_path, sqlite_path

log = structlog.get_logger(__name__)

NOTE = "tidied"  # the note on when it was done last
LOCK = "housekeeping"
HELD = timedelta(hours=1)  # so long a replica may take; then another one may begin
DUE = timedelta(hours=12)  # since the last time
BATCH = 200  # rows deleted in one transaction
REST = 0.05  # seconds after it, for whoever waits to write
STALE = timedelta(days=1)  # a lock that ended so long ago is nobody's


class Queue(Protocol):
    """The queue, as far as old work in it is deleted."""

    @property
    def executor(self) -> str:
        """The name of this process."""

    async def forget(self, before: datetime, most: int) -> int:
        """Delete finished work of before then, `most` of it; how much it was."""


class Memory(Protocol):
    """The store, as far as old rows in it are deleted: all as `Queue.forget`."""

    async def commands(self, before: datetime, most: int) -> int:
        """Notes of commands that were done."""

    async def readings(self, before: datetime, most: int) -> int:
        """What Claude answered."""

    async def failures(self, before: datetime, most: int) -> int:
        """Work that was given up."""

    async def spending(self, before: datetime, most: int) -> int:
        """What Claude took on a day."""

    async def locks(self, before: datetime, most: int) -> int:
        """Locks that ended by themselves."""

    async def issues(self, before: datetime, most: int) -> int:
        """Issues that are over."""


class Forge(Protocol):
    """Gitea, as far as it tells the time."""

    def time(self, ours: datetime) -> datetime | None:
        """What Gitea's clock shows when ours shows that; None where it has not said."""

    async def me(self) -> User:
        """Who the bot is; asked for the sake of the time of the answer."""


class Locks(Protocol):
    """One at a time, over all processes."""

    async def lock(self, name: str, holder: str, keep: timedelta) -> bool:
        """Take a lock; False while another one holds it."""

    async def unlock(self, name: str, holder: str) -> None:
        """Give it back."""


class Notes(Protocol):
    """Single values by name."""

    async def note(self, name: str) -> str:
        """What was noted; empty where nothing was."""

    async def keep_note(self, name: str, value: str) -> None:
        """Note something."""


class Observer(Protocol):
    """What the metrics want to know of it."""

    def deleted(self, what: str, rows: int) -> None:
        """Called after every batch."""


Delete = Callable[[datetime, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of rows: what they are called, how long they are kept, and how they are deleted."""

    what: str
    kept: timedelta
    delete: Delete


class Housekeeping:
    """Deletes what is old."""

    def __init__(
        self,
        settings: Settings,
        *,
        queue: Queue,
        memory: Memory,
        locks: Locks,
        notes: Notes,
        forge: Forge,
        observer: Observer,
        now: Callable[[], datetime],
        rest: float = REST,
    ) -> None:
        self._files = files_of(settings.database_url)
        self._kinds = tuple(_kinds(settings, queue, memory))
        self._holder = queue.executor
        self._locks = locks
        self._notes = notes
        self._forge = forge
        self._observer = observer
        self._now = now
        self._rest = rest
        self._waits_for = ""

    async def tidy(self) -> bool:
        """Do all of it, unless it was done in the last hours or another replica is at it.

        False where it waits for Gitea to tell the time, or for the clocks to agree: to be tried
        again soon. Raises StoreError when something could not be deleted; all else is, and it is
        due still.
        """
        last = await tidied_at(self._notes)
        if last and timedelta() <= self._now() - last < DUE:
            return True
        now = await self._sure_of_now()
        if now is None:
            return False
        if await self._locks.lock(LOCK, self._holder, HELD):
            try:
                await self._all(now)
                await self._notes.keep_note(NOTE, now.isoformat())
            finally:
                await self._locks.unlock(LOCK, self._holder)
        return True

    async def _sure_of_now(self) -> datetime | None:
        """The time, where Gitea says about the same; else None, and once a line in the log.

        It is asked afresh: how far the clocks were apart before says nothing where ours was set.
        """
        doubt = await self._doubt()
        if doubt and not self._waits_for:
            hint = "nothing is deleted until both clocks agree"
            log.warning("housekeeping.waits", why=doubt, hint=hint)
        self._waits_for = doubt
        return None if doubt else self._now()

    async def _doubt(self) -> str:
        try:
            await self._forge.me()
        except GiteaError as error:
            return f"Gitea does not tell the time: {error}"
        ours = self._now()
        theirs = self._forge.time(ours)
        if theirs is None:
            return "Gitea does not tell the time"
        if abs(theirs - ours) <= CLOCKS_DIFFER:
            return ""
        return f"this machine's clock shows {ours:%Y-%m-%d %H:%M}, Gitea's {theirs:%Y-%m-%d %H:%M}"

    async def _all(self, now: datetime) -> None:
        deleted, failed = dict[str, int](), list[StoreError]()
        for kind in self._kinds:
            try:
                deleted[kind.what] = await self._delete(kind, now - kind.kept)
            except StoreError as error:
                log.warning("housekeeping.failed", what=kind.what, error=str(error))
                failed.append(error)
        freed = sum([await asyncio.to_thread(files.give_back, path) for path in self._files])
        log.info("housekeeping", **deleted, freed=freed)
        if failed:
            raise failed[0]

    async def _delete(self, kind: _Kind, before: datetime) -> int:
        total, rows = 0, BATCH
        while rows >= BATCH:
            rows = await kind.delete(before, BATCH)
            self._observer.deleted(kind.what, rows)
            total += rows
            await asyncio.sleep(self._rest if rows else 0)
        return total


def _kinds(settings: Settings, queue: Queue, memory: Memory) -> Iterator[_Kind]:
    keep = settings.keep
    yield _Kind("jobs", settings.queue.keep, queue.forget)
    yield _Kind("commands", settings.commands_kept, memory.commands)
    yield _Kind("readings", keep.readings, memory.readings)
    yield _Kind("failures", keep.failures, memory.failures)
    yield _Kind("spending", keep.spending, memory.spending)
    yield _Kind("issues", keep.issues, memory.issues)
    yield _Kind("locks", STALE, memory.locks)


KINDS = ("jobs", "commands", "readings", "failures", "spending", "issues", "locks")
"""What is deleted, by the names under which it is counted."""


def files_of(database_url: str) -> tuple[Path, ...]:
    """The SQLite files: the store, then the queue; none with another database."""
    path = sqlite_path(database_url)
    return (path, queue_path(path)) if path else ()


async def tidied_at(notes: Notes) -> datetime | None:
    """When all of it was done last; None before the first time."""
    text = await notes.note(NOTE)
    return datetime.fromisoformat(text) if text else None
