"""The recheck: what changed in Gitea since the last one, however the bot missed it.

For each repository that matters one list of issues and one of comments is asked for, from its
watermark on; of what they hold, only what concerns the bot is looked at. A watermark moves only
when everything that was found is recorded: a crash in between repeats work and loses none. A
repository that cannot be asked holds up no other, and is asked from the same watermark next time.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.assigned import Assigned, Assignments, Number, Seen
from bot.changes import Change, Found
from bot.errors import GiteaError, NotFound
from bot.gitea.models import User
from bot.lists import Listed, Listener, Lists, Memory, RepositoryLists
from bot.models import IssueRef
from bot.side_by_side import all_of
from bot.store.watching import Watch, Watching
from bot.sweep import OpenIssues, not_open
from bot.watermark import HOURLY, Clocks

log = structlog.get_logger(__name__)

AT_ONCE = 4  # repositories asked side by side
GONE = "gone:"  # how notes on repositories that cannot be seen begin; since when
JUDGEMENT = "judgement"  # the note on what every open issue was last judged by

Record = Callable[[Found], Awaitable[None]]
"""Records what is to be done, durably."""


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


class Names(Protocol):
    """What repositories are called, by Gitea's ids of them."""

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        """A repository may be called so; the issues elsewhere that this concerns."""


class Observer(Protocol):
    """What the metrics want to know."""

    def rechecked(self, *, changed: int, looked: int) -> None:
        """Called for each repository: so many issues changed, so many must be looked at."""


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
        self._names = names
        self._observer = observer
        self._catch_up = catch_up
        self._judgement = judgement
        self._now = now
        self._monotonic = monotonic
        self._lists = Lists(gitea, store, listener, bot=bot, clock=lambda: gitea.time(now()))
        self._assigned = Assigned(gitea, store, watching, bot=bot, reach=catch_up)
        self._asked: dict[str, Clocks] = {}

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
        watches = await self._watched(clocks, record)
        changes, due = await self._see_all(watches, clocks, record)
        seen = await self._see_assigned(clocks, changes, record, asked)
        if seen:
            await self._see_all(await self._new(seen, watches), clocks, record)
            await self._assigned.keep(seen)
        is_open = seen.open if seen else frozenset()
        swept = (
            self._sweep(watch, clocks, is_open, record)
            for watch in due
            if start or _is_due(watch, clocks)
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

    async def _watched(self, clocks: Clocks, record: Record) -> list[Watch]:
        """The repositories that matter.

        One that is not watched (the store is of an earlier version, or watching ended just when
        it began to matter) is seen as a whole first.
        """
        matter = await self._watching.mattering()
        there = {watch.key for watch in await self._watching.watches()}
        for name in sorted(matter.keys() - there):
            await self._look_at_all_in(name, record)
            await self._watching.keep(Watch(matter[name], clocks.watermark))
        watches = await self._watching.watches()
        await self._watching.drop([watch for watch in watches if watch.key not in matter])
        return [watch for watch in watches if watch.key in matter]

    async def _look_at_all_in(self, repository: str, record: Record) -> None:
        await record(Found(tuple(sorted(await self._watching.concerned(repository)))))

    # -- what changed -----------------------------------------------------------------------

    async def _see_all(
        self, watches: Iterable[Watch], clocks: Clocks, record: Record
    ) -> tuple[list[Change], list[Watch]]:
        """What changed in all of them, and those of which more can be asked."""
        gone = await self._watching.notes(GONE)
        asked = [watch for watch in watches if not _rests(watch, gone, clocks)]
        seen = await all_of(
            (self._see(watch, clocks, gone, record) for watch in asked), at_once=AT_ONCE
        )
        changes = [change for found in seen if found for change in found[1].changes]
        there = [found[0] for found in seen if found]
        return changes, [*there, *(watch for watch in watches if watch.archived)]

    async def _see(
        self, watch: Watch, clocks: Clocks, gone: Collection[str], record: Record
    ) -> tuple[Watch, Listed] | None:
        """What changed in one repository, recorded; None where it could not be asked."""
        was_gone = GONE + watch.key in gone
        try:
            watch, listed = await self._list(watch, clocks, record)
        except NotFound:
            await self._vanished(watch, clocks, record, anew=not was_gone)
            return None
        except GiteaError as error:
            log.warning("recheck.failed", repository=watch.repository, error=str(error))
            return None
        if was_gone:
            await self._look_at_all_in(watch.repository, record)
            await self._watching.keep_note(GONE + watch.key, "")
        return watch, listed

    async def _list(self, watch: Watch, clocks: Clocks, record: Record) -> tuple[Watch, Listed]:
        mark = watch.mark.told_by(clocks, self._asked.get(watch.key))
        if mark.set_back(clocks, self._catch_up):
            log.warning("recheck.clock_set_back", repository=watch.repository)
            await self._watching.distrust(watch.repository)
        since = mark.start(clocks, self._catch_up)
        listed = await self._lists.read(watch.repository, since)
        watch = await self._called(watch, listed.repository, listed.forge_id, record)
        found = await self._lists.judge(listed, (clocks.gitea or clocks.ours) - self._catch_up)
        await record(found)
        self._observer.rechecked(changed=len(listed.changes), looked=len(found.looks))
        watch = replace(watch, mark=mark.moved(clocks, listed.newest))
        await self._watching.keep(watch)
        self._asked[watch.key] = clocks
        return watch, listed

    async def _called(
        self, watch: Watch, name: str | None, forge_id: int | None, record: Record
    ) -> Watch:
        """The repository as it is called now. Under another name, or another one: all is looked at.

        What is kept of issues is moved by then, or moves when they are looked at.
        """
        name = name or watch.repository
        is_news = forge_id not in {None, watch.forge_id}
        is_moved, is_another = name.lower() != watch.key, is_news and watch.forge_id is not None
        concerned = set[IssueRef]()
        if forge_id is not None and (is_news or is_moved):
            concerned |= await self._names.heard(forge_id, name)
        if is_moved or is_another:
            log.info("repository.renamed", repository=watch.repository, now=name)
            for either in {watch.repository, name}:
                concerned |= await self._watching.concerned(either)
        await record(Found(tuple(sorted(concerned))))
        watch = replace(watch, forge_id=forge_id or watch.forge_id)
        return await self._watching.rename(watch, name) if name != watch.repository else watch

    async def _vanished(self, watch: Watch, clocks: Clocks, record: Record, *, anew: bool) -> None:
        """It is gone, or may not be seen any longer: its issues are looked at, once."""
        if anew:
            log.info("repository.vanished", repository=watch.repository)
            await self._look_at_all_in(watch.repository, record)
            await self._watching.keep_note(GONE + watch.key, clocks.ours.isoformat())
        await self._watching.keep(replace(watch, swept_at=clocks.ours))

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

    async def _sweep(
        self, watch: Watch, clocks: Clocks, is_open: Collection[IssueRef], record: Record
    ) -> None:
        """Ask for what no list shows; an archived repository is left alone."""
        try:
            owner, _, name = watch.repository.partition("/")
            about = await self._gitea.repository(owner, name)
            watch = await self._called(watch, about.full_name, about.id, record)
            if watch.archived and not about.archived:
                await self._look_at_all_in(watch.repository, record)
            if not about.archived:
                there = await self._watching.thought_open(watch.repository) - set(is_open)
                closed = await not_open(self._gitea, watch.repository, there)
                unknown = closed - (await self._store.issues(closed)).keys()
                waiting = {edge.waits for edge in await self._store.waiting(unknown)}
                await record(Found(tuple(sorted(closed | waiting))))
        except GiteaError as error:
            log.warning("recheck.failed", repository=watch.repository, error=str(error))
        else:
            await self._watching.keep(replace(watch, swept_at=clocks.ours, archived=about.archived))


def _is_due(watch: Watch, clocks: Clocks) -> bool:
    """Whether an hour is over since it was swept; so, too, when our clock was set back."""
    return watch.swept_at is None or not timedelta() <= clocks.ours - watch.swept_at < HOURLY


def _rests(watch: Watch, gone: dict[str, str], clocks: Clocks) -> bool:
    """Whether its lists are not asked for now: archived, or gone for long and asked this hour."""
    since = gone.get(GONE + watch.key)
    if since is None or watch.archived:
        return watch.archived
    long = clocks.ours - datetime.fromisoformat(since) >= HOURLY
    return long and not _is_due(watch, clocks)
