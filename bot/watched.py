"""One watched repository: what changed in it, what it is called by now, what in it is gone.

Its watermark moves only when everything that was found is recorded: a crash in between repeats work
and loses none. One that cannot be asked is asked from the same watermark next time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.changes import Found
from bot.errors import GiteaError, NotFound
from bot.lists import Listed, Lists, Memory
from bot.models import IssueRef
from bot.store.watching import Watch, Watching
from bot.sweep import OpenIssues, not_open
from bot.watermark import HOURLY, Clocks

log = structlog.get_logger(__name__)

GONE = "gone:"  # how notes on repositories that cannot be seen begin; since when

Record = Callable[[Found], Awaitable[None]]
"""Records what is to be done, durably."""


class Names(Protocol):
    """What repositories are called, by Gitea's ids of them."""

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        """A repository may be called so; the issues elsewhere that this concerns."""


class Policies(Protocol):
    """What repositories change for themselves."""

    async def missed(self, repository: str) -> list[IssueRef]:
        """The issues to be looked at because that has changed."""


class Observer(Protocol):
    """What the metrics want to know."""

    def rechecked(self, *, changed: int, looked: int) -> None:
        """Called for each repository: so many issues changed, so many must be looked at."""


class Watched:
    """Sees and sweeps repositories, each by itself; `catch_up` as for the recheck."""

    def __init__(
        self,
        *,
        gitea: OpenIssues,
        store: Memory,
        watching: Watching,
        lists: Lists,
        names: Names,
        policies: Policies,
        observer: Observer,
        catch_up: timedelta,
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._watching = watching
        self._lists = lists
        self._names = names
        self._policies = policies
        self._observer = observer
        self._catch_up = catch_up
        self._asked: dict[str, Clocks] = {}

    async def look_at_all_in(self, repository: str, record: Record) -> None:
        """Have looked at everything that a repository concerns."""
        await record(Found(tuple(sorted(await self._watching.concerned(repository)))))

    async def see(
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
            await self.look_at_all_in(watch.repository, record)
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
        judged = await self._policies.missed(watch.repository)
        await record(replace(found, looks=tuple(sorted({*found.looks, *judged}))))
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
            await self.look_at_all_in(watch.repository, record)
            await self._watching.keep_note(GONE + watch.key, clocks.ours.isoformat())
        await self._watching.keep(replace(watch, swept_at=clocks.ours))

    async def sweep(
        self, watch: Watch, clocks: Clocks, is_open: Collection[IssueRef], record: Record
    ) -> None:
        """Ask for what no list shows; an archived repository is left alone."""
        try:
            owner, _, name = watch.repository.partition("/")
            about = await self._gitea.repository(owner, name)
            watch = await self._called(watch, about.full_name, about.id, record)
            if watch.archived and not about.archived:
                await self.look_at_all_in(watch.repository, record)
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


def is_due(watch: Watch, clocks: Clocks) -> bool:
    """Whether an hour is over since it was swept; so, too, when our clock was set back."""
    return watch.swept_at is None or not timedelta() <= clocks.ours - watch.swept_at < HOURLY


def rests(watch: Watch, gone: dict[str, str], clocks: Clocks) -> bool:
    """Whether its lists are not asked for now: archived, or gone for long and asked this hour."""
    since = gone.get(GONE + watch.key)
    if since is None or watch.archived:
        return watch.archived
    long = clocks.ours - datetime.fromisoformat(since) >= HOURLY
    return long and not is_due(watch, clocks)
