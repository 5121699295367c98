"""The recheck: what changed in Gitea since the last one, however the bot missed it.

For each repository that matters one list of issues and one of comments is asked for, from its
watermark on; of what they hold, only what concerns the bot is looked at. A repository that cannot
be asked holds up no other. What is assigned elsewhere is asked for beside them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.assigned import Assigned, Assignments, Number, Seen
from bot.changes import Change, Found
from bot.errors import GiteaError
from bot.gitea.models import User
from bot.lists import Listener, Lists, Memory, RepositoryLists
from bot.models import IssueRef
from bot.side_by_side import all_of
from bot.store.watching import Watch, Watching
from bot.sweep import OpenIssues
from bot.watched import GONE, Names, Observer, Policies, Record, Watched, is_due, rests
from bot.watermark import Clocks

log = structlog.get_logger(__name__)

AT_ONCE = 4  # repositories asked side by side
JUDGEMENT = "judgement"  # the note on what every open issue was last judged by


class Forge(RepositoryLists, Assignments, OpenIssues, Protocol):
    """What this needs of Gitea."""

    def time(self, ours: datetime) -> datetime | None:
        """What Gitea's clock shows when ours shows that; None where it has not said."""

    async def me(self) -> User:
        """Who the bot is; asked for the sake of the time of the answer."""


class Remembered(Memory, Protocol):
    """What this needs of the store."""

    async def coordinated(self) -> list[IssueRef]:
        """Every issue that is coordinated and open."""


class Recheck:
    """Finds what was missed. One run at a time, over all processes; the queue sees to that.

    `bot` is the id of the bot's user; `catch_up`: what was said longer ago is not heard any more;
    `judgement` tells by what issues are judged.
    """

    def __init__(
        self,
        *,
        gitea: Forge,
        store: Remembered,
        watching: Watching,
        listener: Listener,
        names: Names,
        policies: Policies,
        observer: Observer,
        bot: int,
        catch_up: timedelta,
        judgement: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._watching = watching
        self._judgement = judgement
        self._now = now
        self._monotonic = monotonic
        self._assigned = Assigned(gitea, store, watching, bot=bot, reach=catch_up)
        self._watched = Watched(
            gitea=gitea,
            store=store,
            watching=watching,
            lists=Lists(gitea, store, listener, bot=bot, clock=lambda: gitea.time(now())),
            names=names,
            policies=policies,
            observer=observer,
            catch_up=catch_up,
        )

    async def run(self, record: Record, *, start: bool = False) -> None:
        """Find what changed, and have it recorded. Raises GiteaError where Gitea is silent.

        At `start`, besides: all that is assigned, all that is gone, and, where another version or
        other settings may judge otherwise than before, every open issue.
        """
        asked = None if start else await self._number_assigned()
        if asked is None:  # any answer tells Gitea's time
            await self._gitea.me()
        ours = self._now()
        clocks = Clocks(ours, self._gitea.time(ours), self._monotonic())
        if start:
            await self._judge_anew(record)
        watches = await self._mattering(clocks, record)
        changes, due = await self._see_all(watches, clocks, record)
        seen = await self._see_assigned(clocks, changes, record, asked)
        if seen:
            await self._see_all(await self._new(seen, watches), clocks, record)
            await self._assigned.keep(seen)
        is_open = seen.open if seen else frozenset()
        swept = (
            self._watched.sweep(watch, clocks, is_open, record)
            for watch in due
            if start or is_due(watch, clocks)
        )
        await all_of(swept, at_once=AT_ONCE)
        log.info("recheck", repositories=len(watches), changed=len(changes), start=start)

    async def _judge_anew(self, record: Record) -> None:
        """Have every open issue looked at, where they may be judged otherwise than before."""
        if await self._watching.note(JUDGEMENT) == self._judgement:
            return
        again = await self._store.coordinated()
        log.info("recheck.everything", issues=len(again))
        await record(Found(tuple(again)))
        await self._watching.keep_note(JUDGEMENT, self._judgement)

    async def _mattering(self, clocks: Clocks, record: Record) -> list[Watch]:
        """The repositories that matter.

        One that is not watched (the store is of an earlier version, or watching ended just when
        it began to matter) is seen as a whole first.
        """
        matter = await self._watching.mattering()
        there = {watch.key for watch in await self._watching.watches()}
        for name in sorted(matter.keys() - there):
            await self._watched.look_at_all_in(name, record)
            await self._watching.keep(Watch(matter[name], clocks.watermark))
        watches = await self._watching.watches()
        await self._watching.drop([watch for watch in watches if watch.key not in matter])
        return [watch for watch in watches if watch.key in matter]

    # -- what changed -----------------------------------------------------------------------

    async def _see_all(
        self, watches: Iterable[Watch], clocks: Clocks, record: Record
    ) -> tuple[list[Change], list[Watch]]:
        """What changed in all of them, and those of which more can be asked."""
        gone = await self._watching.notes(GONE)
        asked = [watch for watch in watches if not rests(watch, gone, clocks)]
        seen = await all_of(
            (self._watched.see(watch, clocks, gone, record) for watch in asked), at_once=AT_ONCE
        )
        changes = [change for found in seen if found for change in found[1].changes]
        there = [found[0] for found in seen if found]
        return changes, [*there, *(watch for watch in watches if watch.archived)]

    # -- what is assigned elsewhere, and what is gone ---------------------------------------

    async def _number_assigned(self) -> Number | None:
        """How many assigned issues changed; None where all are due, or that could not be asked."""
        try:
            return await self._assigned.ask(self._now())
        except GiteaError as error:
            log.warning("recheck.failed", assignments=True, error=str(error))
            return None

    async def _see_assigned(
        self,
        clocks: Clocks,
        changes: Collection[Change],
        record: Record,
        asked: Number | None,
    ) -> Seen | None:
        """Have looked at what is assigned and was missed; None where that could not be asked."""
        try:
            seen = await self._assigned.see(clocks, changes, asked)
        except GiteaError as error:
            log.warning("recheck.failed", assignments=True, error=str(error))
            return None
        await record(Found(tuple(sorted(seen.looks))))
        return seen

    async def _new(self, seen: Seen, watches: Iterable[Watch]) -> list[Watch]:
        """The repositories that matter since, watched from where assignments were seen before.

        So what was said there beside the assignment is heard, too.
        """
        there = {watch.key for watch in watches}
        names = {ref.key[0]: ref.repository for ref in seen.looks if ref.key[0] not in there}
        new = [Watch(name, seen.before) for name in names.values() if seen.before]
        for watch in new:
            await self._watching.keep(watch)
        return new
