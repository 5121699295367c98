"""What is assigned to the bot in repositories that nobody watches yet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.changes import Change, was_missed
from bot.gitea.models import Issue
from bot.models import IssueRef
from bot.store.queries import Known
from bot.watermark import HOURLY, SLACK, Clocks, Watermark

NOTE = "assigned"
AT_ONCE = 500  # issues of a list that are compared with the store in one go


class Assignments(Protocol):
    """What this needs of Gitea."""

    def assigned_issues(self, since: datetime | None = None) -> AsyncIterator[Issue]:
        """What is open and assigned to the bot; with `since`, what changed since then."""

    async def count_assigned(self, since: datetime) -> int | None:
        """How many of those changed since then; None where Gitea does not tell."""


class Memory(Protocol):
    """What this needs of the store."""

    async def issues(self, refs: Collection[IssueRef]) -> dict[IssueRef, Known]:
        """What is known of issues."""


class Notes(Protocol):
    """Where the watermark is kept."""

    async def note(self, name: str) -> str:
        """What was noted under a name; empty where nothing was."""

    async def keep_note(self, name: str, value: str) -> None:
        """Note something."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far assignments were seen; `whole_at`: when all of them were (this machine's time)."""

    mark: Watermark
    whole_at: datetime

    def dump(self) -> str:
        """As JSON."""
        moments = (self.mark.since, self.mark.asked_at, self.whole_at)
        return json.dumps([moment.isoformat() for moment in moments])

    @classmethod
    def load(cls, text: str) -> Progress:
        """What `dump` wrote."""
        since, asked_at, whole_at = map(datetime.fromisoformat, json.loads(text))
        return cls(Watermark(since, asked_at), whole_at)

    def is_due(self, now: datetime) -> bool:
        """Whether all of them are to be seen again."""
        return not timedelta() <= now - self.whole_at < HOURLY


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: what to look at, what is open for sure, how far all was seen, and before."""

    looks: frozenset[IssueRef]
    open: frozenset[IssueRef]
    progress: Progress
    before: Watermark | None


@dataclass(frozen=True, slots=True)
class Number:
    """How many assigned issues changed since then; None where Gitea does not tell."""

    since: datetime
    number: int | None


@dataclass(slots=True)
class _Found:
    """What a list held: all of it, what of that is not coordinated, and when the last changed."""

    open: set[IssueRef] = field(default_factory=set)
    missed: set[IssueRef] = field(default_factory=set)
    newest: datetime | None = None


class Assigned:
    """Asks for assignments: for their number each time, for the list where that is not right."""

    def __init__(
        self, gitea: Assignments, store: Memory, notes: Notes, *, bot: int, reach: timedelta
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._notes = notes
        self._bot = bot
        self._reach = reach

    async def ask(self, now: datetime) -> Number | None:
        """How many there are, asked before all else; None where they are to be listed anyway."""
        before = await progress_in(self._notes)
        if before is None or before.is_due(now):
            return None
        since = before.mark.since.replace(microsecond=0)
        return Number(since, await self._gitea.count_assigned(since))

    async def see(self, clocks: Clocks, listed: Iterable[Change], asked: Number | None) -> Seen:
        """Look for what was missed; `listed` is what changed in watched repositories.

        Where just so many of them were listed as were `asked` about before, and none that changed
        since, no other one was missed. All are listed where nothing was asked, and where a clock
        was set back.
        """
        before = await progress_in(self._notes)
        if asked is None or before is None or before.mark.set_back(clocks, self._reach):
            return await self._see_all(clocks, before.mark if before else None)
        there = {c for c in listed if c.assigned and c.is_open and c.updated_at >= asked.since}
        found = _Found()
        if asked.number != len({c.id for c in there}) or _is_newer(there, clocks):
            found = await self._list(asked.since)
        progress = Progress(before.mark.moved(clocks, found.newest), before.whole_at)
        return Seen(frozenset(found.missed), frozenset(), progress, before.mark)

    async def _see_all(self, clocks: Clocks, before: Watermark | None) -> Seen:
        found = await self._list(None)
        progress = Progress(clocks.watermark.moved(clocks, found.newest), clocks.ours)
        return Seen(frozenset(found.missed), frozenset(found.open), progress, before)

    async def _list(self, since: datetime | None) -> _Found:
        """All there are. It may be a hundred thousand: beside their names only a few are held."""
        found, several = _Found(), list[Change]()
        async for one in self._gitea.assigned_issues(since):
            several.append(Change.of(one, self._bot))
            if len(several) == AT_ONCE:
                await self._judge(several, found)
                several.clear()
        await self._judge(several, found)
        return found

    async def _judge(self, changes: Collection[Change], found: _Found) -> None:
        known = await self._store.issues([change.ref for change in changes])
        for one in changes:
            found.open.add(one.ref)
            found.newest = max(found.newest or one.updated_at, one.updated_at)
            if was_missed(one, known.get(one.ref)):
                found.missed.add(one.ref)

    async def keep(self, seen: Seen) -> None:
        """Note how far all was seen, once what was found is recorded."""
        await self._notes.keep_note(NOTE, seen.progress.dump())


def _is_newer(listed: Iterable[Change], clocks: Clocks) -> bool:
    """Whether one may have changed since they were counted: it would stand for another one."""
    counted = clocks.gitea and clocks.gitea - SLACK
    return any(counted is None or change.updated_at >= counted for change in listed)


async def progress_in(notes: Notes) -> Progress | None:
    """How far assignments were seen; None before the first time."""
    text = await notes.note(NOTE)
    return Progress.load(text) if text else None
