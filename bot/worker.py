"""From a recorded delivery to the issues that are looked at because of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.changes import Found, Hear
from bot.commander import Commander
from bot.coordinator import Coordinator
from bot.errors import Retryable, StoreError
from bot.freshness import Freshness, recorded_at, timed
from bot.gitea.events import Event
from bot.gitea.models import User
from bot.jobs import Job, failed_how
from bot.latest import Latest
from bot.models import IssueRef
from bot.repositories import Repositories
from bot.requests import Done
from bot.routing import Router
from bot.store.queries import Failure, Known, Store
from bot.turns import said_before
from bot.watched import Record

log = structlog.get_logger(__name__)

DELIVERY, LOOK, RECHECK, HEAR = "delivery", "look", "recheck", "hear"
START = "start"  # payload of the recheck at start; others carry their tick
BREATH = 0.05, 0.2  # seconds; see `_breath`
BREATHS_MOST = 1000  # issues of which it is remembered until when they are left alone
PACE = 0.05  # seconds from look to look of a catching up, so that new deliveries find a place


class Queue(Protocol):
    """The durable queue, as far as work is put into it."""

    async def submit(self, job: Job, *, delay: float = 0.0) -> None:
        """Record a job."""

    async def put_off(self, partition: str) -> Sequence[Job]:
        """The jobs of a partition that failed, and wait to be tried again, or may be by now."""


class Naming(Protocol):
    """What repositories are called, by their ids."""

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        """A webhook says that a repository is called so; the issues elsewhere that concerns."""

    async def deleted(self, forge_id: int, name: str) -> set[IssueRef]:
        """A webhook says that a repository was deleted; the issues elsewhere that concerns."""


class Policies(Protocol):
    """What repositories change for themselves."""

    async def missed(self, repository: str) -> list[IssueRef]:
        """The issues to be looked at because that has changed."""


class Finder(Protocol):
    """Finds what was missed."""

    async def run(self, record: Record, *, start: bool = False) -> None:
        """Find what changed since the last time, and have it recorded."""


class Observer(Protocol):
    """What the metrics want to know of deliveries."""

    def delivered(self, seconds: float) -> None:
        """Called when all that a delivery asked for is done, or given up."""


class Core(Protocol):
    """What can only be had once Gitea has said who the bot is."""

    @property
    def bot(self) -> User:
        """The bot's user."""

    @property
    def coordinator(self) -> Coordinator:
        """Keeps the reports true."""

    @property
    def commander(self) -> Commander:
        """Does what people ask for in comments."""

    @property
    def recheck(self) -> Finder:
        """Finds what was missed."""

    def forge_time(self) -> datetime:
        """Gitea's time."""


class Worker:
    """Accepts events, and does the work that the queue hands back."""

    def __init__(
        self,
        *,
        queue: Queue,
        core: Callable[[], Awaitable[Core]],
        login: Callable[[], str | None],
        router: Router,
        store: Store,
        repositories: Repositories,
        policies: Policies,
        naming: Naming,
        freshness: Freshness,
        observer: Observer,
        catch_up: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._queue = queue
        self._core = core
        self._login = login
        self._router = router
        self._store = store
        self._repositories = repositories
        self._policies = policies
        self._naming = naming
        self._freshness = freshness
        self._observer = observer
        self._catch_up = catch_up
        self._now = now
        self._rests: Latest[IssueRef, float] = Latest(BREATHS_MOST)

    # -- from the edge ----------------------------------------------------------------------

    async def accept(self, event: Event) -> str:
        """Record an event: "recorded", or "own" or "ignored" where there is nothing to do."""
        login = self._login()
        if login and event.sender.lower() == login.lower():
            return "own"
        if not self._router.handlers(event):
            return "ignored"
        about = event.issue
        await self._queue.submit(
            Job(
                id=event.delivery,
                kind=DELIVERY,
                partition=partition(about) if about else f"repo:{(event.repository or '').lower()}",
                payload=event.dump(),
                stamp=timed(self._freshness.stamp(), self._now()),
            )
        )
        return "recorded"

    async def recheck(self, tick: str) -> None:
        """Have found what was missed; `tick` names the moment, so that replicas do it once."""
        await self._submit_recheck(tick, tick)

    async def catch_up(self, name: str) -> None:
        """Have found what was missed while the bot was down, and what only a start looks for."""
        await self._submit_recheck(name, START)

    async def _submit_recheck(self, name: str, payload: str) -> None:
        stamp = self._freshness.stamp()
        await self._queue.submit(Job(f"recheck:{name}", RECHECK, "recheck", payload, stamp))

    # -- from the queue ---------------------------------------------------------------------

    async def work(self, job: Job) -> None:
        """Do one job. Raises what made it fail."""
        if job.kind == DELIVERY:
            event = Event.load(job.payload)
            with structlog.contextvars.bound_contextvars(delivery=event.delivery):
                await self._deliver(job, event)
            self._is_over(job)
        elif job.kind == LOOK:
            ref = IssueRef.parse(job.payload)
            await self._look(ref, job)
        elif job.kind == HEAR:
            await self._hear(job)
        else:
            await self._recheck(job)

    async def give_up(self, job: Job, error: Exception) -> None:
        """Keep a job that failed for good, for a person to look at.

        Looks and rechecks come again by themselves under another id, so the latest stands for all.
        """
        about = job.payload if job.kind == LOOK else job.partition
        ids = {RECHECK: RECHECK}
        if job.kind == LOOK:
            ids[LOOK] = _failure_of_look(IssueRef.parse(job.payload))
        await self._store.set_aside(
            Failure(
                id=ids.get(job.kind, job.id),
                job=job.dump(),
                about=about,
                error=failed_how(error),
                attempts=job.attempt,
                failed_at=self._now(),
            )
        )
        self._is_over(job)

    def _is_over(self, job: Job) -> None:
        came = recorded_at(job)
        if came:
            self._observer.delivered((self._now() - came).total_seconds())

    async def _deliver(self, job: Job, event: Event) -> None:
        core = await self._core()
        if event.sender.lower() == core.bot.login.lower():
            return
        desk = Desk(
            core.bot.login,
            store=self._store,
            repositories=self._repositories,
            policies=self._policies,
            naming=self._naming,
            freshness=self._freshness,
        )
        concerned = await self._called(event)
        refs = concerned | await self._router.route(event, desk)
        known = await self._store.issue(event.issue) if event.issue and event.comment else None
        written_at = known.comment_at if known else ""
        waiting = await self._put_off(event, job)
        in_hand = {one.comment.id for one in waiting if one.comment}
        asked = Done()
        for before in said_before(event, waiting):
            asked.add(await self._made_up_for(before, core, written_at, in_hand))
        asked.add(await core.commander.run(event, written_at, in_hand))
        await self._look_after(asked, refs, job)

    async def _put_off(self, event: Event, job: Job) -> list[Event]:
        """What else was said of the issue, where that failed and waits for its turn."""
        if event.comment is None:
            return []
        waiting = await self._queue.put_off(job.partition)
        return [Event.load(one.payload) for one in waiting if one.kind == DELIVERY]

    async def _made_up_for(
        self, before: Event, core: Core, written_at: str, in_hand: Collection[int]
    ) -> Done:
        """Do first what the same person said before; when its turn comes, it is done already.

        Where that fails in a way that may pass, what was said later has to wait, too.
        """
        try:
            return await core.commander.run(before, written_at, in_hand)
        except (Retryable, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 - its own turn comes, which tells of it
            log.warning("command.not_made_up_for", delivery=before.delivery, error=repr(error))
            return Done()

    async def _hear(self, job: Job) -> None:
        """Do what was said while nobody heard it, and see what comes of it."""
        given = json.loads(job.payload)
        ref = IssueRef.parse(given["issue"])
        core = await self._core()
        known = await self._store.issue(ref)
        asked = await core.commander.hear(
            ref,
            given["comments"],
            opening=given["opening"],
            oldest=core.forge_time() - self._catch_up,
            written_at=known.comment_at if known else "",
        )
        await self._look_after(asked, set(), job)

    async def _look_after(self, asked: Done, refs: set[IssueRef], job: Job) -> None:
        """Look at what commands changed, and at further issues; then they are over."""
        for ref in asked.looks:
            self._freshness.forget(ref)  # what was said counts since just now
        refs |= asked.looks
        others = [ref for ref in sorted(refs) if partition(ref) != job.partition]
        await self._later(others)
        if len(others) < len(refs):
            mine = next(ref for ref in refs if partition(ref) == job.partition)
            await self._look(mine, job, afresh=mine in asked.afresh)
        core = await self._core()
        await core.commander.close(asked)

    async def _called(self, event: Event) -> set[IssueRef]:
        """Before anything is looked up by a repository's name: whom a new name concerns."""
        if event.repository is None or not event.repository_id:
            return set()
        return await self._naming.heard(event.repository_id, event.repository)

    async def _look(self, ref: IssueRef, job: Job, *, afresh: bool = False) -> None:
        if self._freshness.covers(ref, job.stamp):
            log.info("issue.fresh", issue=str(ref))
            return
        core = await self._core()
        await asyncio.sleep(self._rests.get(ref, 0.0) - time.monotonic())
        begun, began = self._freshness.begin(), time.monotonic()
        await core.coordinator.reconcile(ref, self._later, afresh=afresh)
        self._freshness.done(ref, begun)
        ended = time.monotonic()
        self._rests[ref] = ended + _breath(ended - began)
        await self._store.forget_failure(_failure_of_look(ref))

    async def _later(self, refs: Collection[IssueRef], *, after: float = 0.0) -> None:
        """Have issues looked at after this job; a look too many finds nothing to do.

        Of looks at an issue that are to be `after` the same while, one is enough for all replicas.
        """
        looks = [look(ref, stamp=self._freshness.stamp()) for ref in refs]
        if after:
            nth = int(self._now().timestamp() // after)
            looks = [replace(one, id=f"look:{one.partition}:{after:g}:{nth}") for one in looks]
        await asyncio.gather(*(self._queue.submit(one, delay=after) for one in looks))

    def _heard(self, missed: Hear) -> Job:
        ref, words, stamp = missed.ref, missed.comments, self._freshness.stamp()
        return hear(ref, words, stamp=stamp, opening=missed.opening, name=missed.digest)

    async def _recheck(self, job: Job) -> None:
        """Find what was missed, unless another recheck did since this one was asked for."""
        about = START if job.payload == START else RECHECK
        if self._freshness.covers(about, job.stamp):
            return
        core = await self._core()
        begun, nth = self._freshness.begin(), itertools.count()

        async def record(found: Found) -> None:
            await asyncio.gather(*(self._queue.submit(self._heard(one)) for one in found.hears))
            looks = [look(ref, stamp=self._freshness.stamp()) for ref in found.looks]
            pace = PACE if about == START else 0.0
            await asyncio.gather(*(self._queue.submit(j, delay=next(nth) * pace) for j in looks))

        await core.recheck.run(record, start=about == START)
        self._freshness.done(about, begun)
        await self._store.forget_failure(RECHECK)


class Desk:
    """What handlers may know and do."""

    def __init__(
        self,
        login: str,
        *,
        store: Store,
        repositories: Repositories,
        policies: Policies,
        naming: Naming,
        freshness: Freshness,
    ) -> None:
        self.login = login
        self._store = store
        self._repositories = repositories
        self._policies = policies
        self._naming = naming
        self._freshness = freshness

    async def concerns(self, ref: IssueRef) -> bool:
        """Whether the bot has anything to do with an issue, as far as is remembered."""
        return await self._store.concerns(ref)

    async def gone(self, ref: IssueRef) -> None:
        """Remember that an issue was deleted."""
        known = await self._store.issue(ref) or Known(ref)
        await self._store.save(replace(known, state="gone"))
        self._freshness.forget(ref)  # an earlier look may have found it gone, but not why

    async def wrote(self, ref: IssueRef, login: str) -> None:
        """Remember that somebody edited an issue's text."""
        await self._store.wrote(ref, login)

    async def deleted(self, forge_id: int, repository: str) -> Collection[IssueRef]:
        """Remember that a repository was deleted; the issues elsewhere that concerns."""
        return await self._naming.deleted(forge_id, repository)

    async def changed(self, repository: str) -> Collection[IssueRef]:
        """Forget what is remembered of a repository; the issues that are judged otherwise now."""
        self._repositories.forget(repository)
        return await self._policies.missed(repository)


def partition(ref: IssueRef) -> str:
    """The key under which jobs about one issue run one after another."""
    repository, number = ref.key
    return f"{repository}#{number}"


def _breath(took: float) -> float:
    """How long an issue is left alone after a look that took so long: what comes is seen by one.

    As long as the look itself, so that half of the time is left to others, within bounds.
    """
    least, most = BREATH
    return min(most, max(least, took))


def _failure_of_look(ref: IssueRef) -> str:
    return f"{LOOK}:{partition(ref)}"


def look(ref: IssueRef, *, stamp: str) -> Job:
    """A job that looks at one issue. Its stamp, which no other job has, names it."""
    return Job(f"look:{stamp}", LOOK, partition(ref), str(ref), stamp)


def hear(
    ref: IssueRef,
    comments: Sequence[int],
    *,
    stamp: str,
    opening: bool = False,
    name: str | None = None,
) -> Job:
    """A job that does what comments of an issue ask for, and with `opening` its text.

    `name` is the same for the same words, whoever finds them; without one the stamp names it.
    """
    payload = json.dumps({"issue": str(ref), "comments": list(comments), "opening": opening})
    return Job(f"hear:{name or stamp}", HEAR, partition(ref), payload, stamp)


def retried(failure: Failure, when: datetime) -> Job:
    """Work that was set aside, as a new job to be done from the start."""
    job = Job(**json.loads(failure.job))
    return replace(job, id=f"{job.id}@{when:%Y%m%dT%H%M%S%f}", attempt=1, stamp="")
