"""From a recorded delivery to the issues that are looked at."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.changes import Found, Hear
from bot.errors import NotFound, Retryable, StoreError
from bot.freshness import Freshness
from bot.gitea.events import Event
from bot.gitea.models import User
from bot.jobs import Job, again
from bot.models import IssueRef
from bot.repositories import Repositories
from bot.requests import Done
from bot.routing import Desk, Router
from bot.store.database import as_it_is
from bot.store.queries import Known, Store
from bot.watched import Record
from bot.worker import DELIVERY, HEAR, LOOK, PACE, RECHECK, Worker, hear, look, partition, retried

WHEN = datetime(2026, 11, 22, 15, tzinfo=UTC)
FORGE_TIME = WHEN - timedelta(minutes=3)  # its clock is another one
CATCH_UP = timedelta(days=7)
ONE, TWO, THREE = (IssueRef("Acme", "Rocket", number) for number in (1, 2, 3))
Later = Callable[[Collection[IssueRef]], Awaitable[None]]


class Queue:
    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.delays: list[float] = []
        self.waiting: list[Job] = []
        self.full = False

    async def submit(self, job: Job, *, delay: float = 0.0) -> None:
        if self.full:
            raise StoreError("disk full")
        self.jobs.append(job)
        self.delays.append(delay)

    async def put_off(self, partition: str) -> list[Job]:
        return [job for job in self.waiting if job.partition == partition]


@dataclass
class Finds:
    """A recheck that finds what it is told to."""

    finds: list[Found] = field(default_factory=list)
    starts: list[bool] = field(default_factory=list)
    trouble: Exception | None = None

    async def run(self, record: Record, *, start: bool = False) -> None:
        self.starts.append(start)
        if self.trouble:
            raise self.trouble
        for found in self.finds:
            await record(found)


@dataclass
class Core:
    """Gitea and the coordinator, as far as the worker sees them."""

    looked: list[IssueRef] = field(default_factory=list)
    act: Callable[[IssueRef, Later], Awaitable[None]] | None = None
    recheck: Finds = field(default_factory=Finds)
    asked: Done = field(default_factory=Done)
    read_afresh: list[IssueRef] = field(default_factory=list)
    heard: list[Any] = field(default_factory=list)
    done: list[str] = field(default_factory=list)  # deliveries of which the commands were done
    refuse: dict[str, Exception] = field(default_factory=dict)  # by delivery
    closed: list[tuple[Done, list[IssueRef]]] = field(default_factory=list)
    bot: User = field(default_factory=lambda: User(id=9, login="coordinator"))
    in_hand: set[int] = field(default_factory=set)

    @property
    def coordinator(self) -> Any:
        return self

    @property
    def commander(self) -> Any:
        return self

    def forge_time(self) -> datetime:
        return FORGE_TIME

    async def run(self, event: Event, written_at: str, in_hand: Collection[int]) -> Done:
        self.heard.append(written_at)
        self.in_hand = set(in_hand)
        if event.delivery in self.refuse:
            raise self.refuse[event.delivery]
        self.done.append(event.delivery)
        return replace(self.asked, names=[event.delivery])

    async def hear(self, ref: IssueRef, comments: Sequence[int], **more: Any) -> Done:
        self.heard.append((ref, comments, more))
        return self.asked

    async def close(self, done: Done) -> None:
        self.closed.append((done, list(self.looked)))

    async def reconcile(self, ref: IssueRef, later: Later, *, afresh: bool = False) -> None:
        self.looked.append(ref)
        if afresh:
            self.read_afresh.append(ref)
        if self.act:
            await self.act(ref, later)


@dataclass
class Names:
    """What repositories are called; `moved` are the issues that a new name concerns."""

    told: list[str] = field(default_factory=list)
    moved: set[IssueRef] = field(default_factory=set)

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        self.told.append(f"{forge_id} is {name}")
        return self.moved

    async def deleted(self, forge_id: int, name: str) -> set[IssueRef]:
        self.told.append(f"{forge_id} was {name}")
        return self.moved

    async def missed(self, repository: str) -> list[IssueRef]:
        return []


@dataclass
class Observer:
    """What the metrics are told, at a time that is set by hand."""

    now: datetime = WHEN
    lags: list[float] = field(default_factory=list)

    def delivered(self, seconds: float) -> None:
        self.lags.append(seconds)


@dataclass
class Bench:
    worker: Worker
    queue: Queue
    core: Core
    store: Store
    freshness: Freshness
    forgotten: list[str]
    names: Names
    observer: Observer
    login: str | None = "coordinator"

    def record(self, number: int, action: str = "edited", **more: Any) -> Job:
        return Job(
            f"d{number}{action}",
            DELIVERY,
            partition(IssueRef("Acme", "Rocket", number)),
            event(number, action, **more).dump(),
            self.freshness.stamp(),
        )


def event(number: int | None, action: str = "edited", sender: str = "alice") -> Event:
    data: dict[str, Any] = {
        "action": action,
        "repository": {"full_name": "Acme/Rocket"},
        "sender": {"login": sender},
    }
    if number is not None:
        data["issue"] = {"number": number}
    return Event(f"d{number}{action}", "issues", "issues", "repository", data)


router = Router()


@router.on("issues", "edited")
async def _edited(event: Event, desk: Desk) -> Collection[IssueRef]:
    return (event.issue,) if event.issue else ()


@router.on("issues", "closed")
async def _closed(event: Event, desk: Desk) -> Collection[IssueRef]:
    return (TWO, ONE, THREE)


@router.on("issues", "deleted")
async def _deleted(event: Event, desk: Desk) -> Collection[IssueRef]:
    assert event.issue is not None
    assert desk.login == "coordinator"
    assert not await desk.concerns(event.issue)
    await desk.gone(event.issue)
    assert await desk.concerns(event.issue)
    return (event.issue,)


@router.on("repository", "deleted")
async def _gone(event: Event, desk: Desk) -> Collection[IssueRef]:
    return await desk.deleted(5, "acme/rocket")


@router.on("issues", "pushed")
async def _pushed(event: Event, desk: Desk) -> Collection[IssueRef]:
    await desk.changed("acme/rocket")
    return ()


@pytest.fixture
async def bench(migrated_sqlite_url: str) -> AsyncIterator[Bench]:
    queue, core, freshness = Queue(), Core(), Freshness("one", "boot")
    forgotten: list[str] = []
    names = Names()

    class Kept(Repositories):
        def forget(self, repository: str) -> None:
            forgotten.append(repository)

    async def give() -> Any:
        return core

    async with as_it_is(migrated_sqlite_url) as engine:
        store = Store(engine, now=lambda: WHEN)
        made: Bench

        def login() -> str | None:
            return made.login

        observer = Observer()
        worker = Worker(
            queue=queue,
            core=give,
            login=login,
            router=router,
            store=store,
            repositories=Kept(None),  # type: ignore[arg-type]
            policies=names,
            naming=names,
            freshness=freshness,
            observer=observer,
            catch_up=CATCH_UP,
            now=lambda: observer.now,
        )
        made = Bench(worker, queue, core, store, freshness, forgotten, names, observer)
        yield made


# ---- accepting ----


async def test_an_event_is_recorded_under_its_delivery_and_issue(bench: Bench) -> None:
    assert "recorded" == await bench.worker.accept(event(7))
    [job] = bench.queue.jobs
    assert ("d7edited", DELIVERY, "acme/rocket#7") == (job.id, job.kind, job.partition)
    assert event(7) == Event.load(job.payload)


async def test_how_long_a_delivery_took_is_told_when_its_work_is_over(bench: Bench) -> None:
    """However often it is tried; not of work that somebody put back, for it waited for that."""
    await bench.worker.accept(event(7))
    [job] = bench.queue.jobs
    bench.observer.now += timedelta(seconds=90)
    await bench.worker.work(again(job))
    assert [90] == bench.observer.lags
    bench.observer.now += timedelta(seconds=30)
    await bench.worker.give_up(job, NotFound("archived"))
    assert [90, 120] == bench.observer.lags
    [failure] = await bench.store.failures()
    await bench.worker.work(retried(failure, WHEN))
    assert 2 == len(bench.observer.lags)


async def test_what_failed_is_not_over(bench: Bench) -> None:
    await bench.worker.accept(event(7))
    [job] = bench.queue.jobs

    async def fails(_ref: IssueRef, _later: Later) -> None:
        raise Retryable("down")

    bench.core.act = fails
    with pytest.raises(Retryable):
        await bench.worker.work(replace(job, payload=event(7).dump()))
    assert [] == bench.observer.lags


async def test_an_event_of_no_issue_is_recorded_under_its_repository(bench: Bench) -> None:
    await bench.worker.accept(event(None))
    assert ["repo:acme/rocket"] == [job.partition for job in bench.queue.jobs]


@pytest.mark.parametrize(
    ("expected", "sender", "login", "action"),
    [
        ("own", "Coordinator", "coordinator", "edited"),
        ("recorded", "coordinator", None, "edited"),
        ("recorded", "coordinator2", "coordinator", "edited"),
        ("ignored", "alice", "coordinator", "pinned"),
    ],
    ids=["the bot's own", "not known yet who it is", "another", "nobody cares"],
)
async def test_what_needs_no_work_is_not_recorded(
    bench: Bench, expected: str, sender: str, login: str | None, action: str
) -> None:
    bench.login = login
    assert expected == await bench.worker.accept(event(7, action, sender))
    assert ("recorded" == expected) is bool(bench.queue.jobs)


async def test_what_cannot_be_recorded_is_not_accepted(bench: Bench) -> None:
    bench.queue.full = True
    with pytest.raises(StoreError):
        await bench.worker.accept(event(7))


# ---- working ----


async def test_the_issue_itself_is_looked_at_here_and_others_in_jobs_of_their_own(
    bench: Bench,
) -> None:
    await bench.worker.work(bench.record(1, "closed"))
    assert [ONE] == bench.core.looked
    assert [("acme/rocket#2", str(TWO)), ("acme/rocket#3", str(THREE))] == [
        (job.partition, job.payload) for job in bench.queue.jobs
    ]
    assert {LOOK} == {job.kind for job in bench.queue.jobs}
    for job in bench.queue.jobs:
        await bench.worker.work(job)
    assert [ONE, TWO, THREE] == bench.core.looked


async def test_the_bot_s_own_event_changes_nothing_also_when_it_was_recorded(bench: Bench) -> None:
    await bench.worker.work(bench.record(1, sender="COORDINATOR"))
    assert [] == bench.core.looked


async def test_an_event_recorded_before_the_last_reading_does_no_work(bench: Bench) -> None:
    jobs = [bench.record(1) for _ in range(10)]
    for job in jobs:
        await bench.worker.work(job)
    assert [ONE] == bench.core.looked


async def test_an_event_recorded_while_the_issue_was_read_is_worked_on(bench: Bench) -> None:
    late: list[Job] = []

    async def act(ref: IssueRef, later: Later) -> None:
        if not late:
            late.append(bench.record(1))

    bench.core.act = act
    await bench.worker.work(bench.record(1))
    await bench.worker.work(late[0])
    assert [ONE, ONE] == bench.core.looked


async def test_a_reading_that_failed_covers_nothing(bench: Bench) -> None:
    first, second = bench.record(1), bench.record(1)

    async def act(ref: IssueRef, later: Later) -> None:
        raise Retryable("down")

    bench.core.act = act
    with pytest.raises(Retryable):
        await bench.worker.work(first)
    bench.core.act = None
    await bench.worker.work(second)
    assert [ONE, ONE] == bench.core.looked


async def test_a_deletion_is_looked_at_even_if_the_issue_was_found_missing_before(
    bench: Bench,
) -> None:
    edited, deleted = bench.record(1), bench.record(1, "deleted")
    await bench.worker.work(edited)
    await bench.worker.work(deleted)
    assert [ONE, ONE] == bench.core.looked
    known = await bench.store.issue(ONE)
    assert known is not None
    assert "gone" == known.state


async def test_a_job_done_again_has_others_looked_at_again(bench: Bench) -> None:
    """They may have looked before it was done, and found what stood there then."""

    async def act(ref: IssueRef, later: Later) -> None:
        await later([TWO])
        raise StoreError("disk full")

    bench.core.act = act
    job = bench.record(1)
    for _ in range(2):
        with pytest.raises(StoreError):
            await bench.worker.work(job)
    first, second = bench.queue.jobs
    assert first.id != second.id
    assert first.partition == second.partition


async def test_names_of_looks_do_not_grow_along_a_chain(bench: Bench) -> None:
    async def act(ref: IssueRef, later: Later) -> None:
        await later([ref.sibling(ref.number + 1)])

    bench.core.act = act
    await bench.worker.work(bench.record(1))
    for _ in range(50):
        await bench.worker.work(bench.queue.jobs[-1])
    assert max(len(job.id) for job in bench.queue.jobs) < 40
    assert 51 == len({job.id for job in bench.queue.jobs})


async def test_a_change_to_a_repository_is_passed_on(bench: Bench) -> None:
    await bench.worker.work(bench.record(1, "pushed"))
    assert ["acme/rocket"] == bench.forgotten
    assert [] == bench.core.looked


# ---- the recheck ----

MISSED = Hear(ONE, (3, 8), opening=True, digest="abc")


async def test_what_the_recheck_finds_is_heard_and_looked_at(bench: Bench) -> None:
    """What is to be heard is recorded first: it may change what the look finds."""
    bench.core.recheck.finds = [Found((TWO,), (MISSED,)), Found((THREE,))]
    await bench.worker.recheck("12:00")
    [job] = bench.queue.jobs
    assert ("recheck:12:00", "recheck") == (job.id, job.partition)
    await bench.worker.work(job)
    assert [False] == bench.core.recheck.starts
    heard, *looks = bench.queue.jobs[1:]
    assert ("hear:abc", HEAR, "acme/rocket#1") == (heard.id, heard.kind, heard.partition)
    assert {"issue": str(ONE), "comments": [3, 8], "opening": True} == json.loads(heard.payload)
    assert [str(TWO), str(THREE)] == [one.payload for one in looks]
    assert [0.0] * 4 == bench.queue.delays


async def test_the_recheck_at_start_leaves_new_deliveries_a_place(bench: Bench) -> None:
    bench.core.recheck.finds = [Found((TWO, ONE)), Found((THREE,))]
    await bench.worker.catch_up("start-1")
    await bench.worker.work(bench.queue.jobs[0])
    assert [True] == bench.core.recheck.starts
    assert [str(TWO), str(ONE), str(THREE)] == [job.payload for job in bench.queue.jobs[1:]]
    assert [0.0, PACE, 2 * PACE] == bench.queue.delays[1:]


async def test_rechecks_that_wait_for_the_same_thing_are_done_once(bench: Bench) -> None:
    """As after Gitea was down: all that were due meanwhile come at once."""
    for tick in ("12:00", "12:05"):
        await bench.worker.recheck(tick)
    await bench.worker.catch_up("start-1")
    jobs = list(bench.queue.jobs)
    for job in jobs:
        await bench.worker.work(job)
    await bench.worker.recheck("12:10")
    await bench.worker.work(bench.queue.jobs[-1])
    assert [False, True, False] == bench.core.recheck.starts


async def test_a_recheck_that_failed_is_done_again(bench: Bench) -> None:
    await bench.worker.recheck("12:00")
    bench.core.recheck.trouble = Retryable("down")
    with pytest.raises(Retryable):
        await bench.worker.work(bench.queue.jobs[0])
    bench.core.recheck.trouble = None
    await bench.worker.work(bench.queue.jobs[0])
    assert [False, False] == bench.core.recheck.starts


# ---- setting aside ----


@pytest.mark.parametrize(
    ("expected", "job"),
    [
        ("acme/rocket#7", Job("d", DELIVERY, "acme/rocket#7", "{}", attempt=3)),
        ("Acme/Rocket#7", Job("d", LOOK, "acme/rocket#7", "Acme/Rocket#7", attempt=3)),
    ],
)
async def test_work_given_up_is_kept_and_can_be_put_back(
    bench: Bench, expected: str, job: Job
) -> None:
    await bench.worker.give_up(job, NotFound("gone", status=404))
    [failure] = await bench.store.failures()
    assert (expected, "404 gone", 3, WHEN) == (
        failure.about,
        failure.error,
        failure.attempts,
        failure.failed_at,
    )
    again = retried(failure, WHEN)
    assert ("d@20261122T150000000000", 1, "") == (again.id, again.attempt, again.stamp)
    assert job.payload == again.payload


async def test_looks_that_fail_at_each_recheck_are_listed_once_per_issue(bench: Bench) -> None:
    for number, ref in enumerate((ONE, ONE, TWO, ONE)):
        await bench.worker.give_up(look(ref, stamp=f"one/boot/{number}"), NotFound("archived"))
    failures = await bench.store.failures()
    assert {"look:acme/rocket#1", "look:acme/rocket#2"} == {one.id for one in failures}
    latest = next(one for one in failures if one.id == "look:acme/rocket#1")
    assert "one/boot/3" in latest.job


async def test_a_look_that_succeeds_takes_its_issue_off_the_list(bench: Bench) -> None:
    await bench.worker.give_up(look(ONE, stamp="one/boot/1"), NotFound("archived"))
    await bench.worker.give_up(look(TWO, stamp="one/boot/2"), NotFound("archived"))
    await bench.worker.work(look(ONE, stamp=bench.freshness.stamp()))
    assert [str(TWO)] == [failure.about for failure in await bench.store.failures()]


async def test_rechecks_that_fail_are_listed_once_and_each_delivery(bench: Bench) -> None:
    for tick in ("15:00", "15:05"):
        await bench.worker.give_up(Job(f"recheck:{tick}", RECHECK, "recheck", tick), NotFound("no"))
        await bench.worker.give_up(Job(tick, DELIVERY, partition(ONE), "{}"), NotFound("no"))
    ids = {one.id for one in await bench.store.failures()}
    assert {"recheck", "15:00", "15:05"} == ids


async def test_a_recheck_that_succeeds_takes_those_that_failed_off_the_list(bench: Bench) -> None:
    await bench.worker.give_up(Job("recheck:15:00", RECHECK, "recheck", "15:00"), NotFound("no"))
    await bench.worker.recheck("15:05")
    await bench.worker.work(bench.queue.jobs[0])
    assert [] == await bench.store.failures()


async def test_work_put_back_is_done_however_fresh_the_issue_is(bench: Bench) -> None:
    await bench.worker.work(bench.record(1))
    await bench.worker.work(look(ONE, stamp=""))
    assert [ONE, ONE] == bench.core.looked


async def test_what_a_command_asks_for_is_looked_at_and_read_afresh_where_it_says_so(
    bench: Bench,
) -> None:
    bench.core.asked = Done(looks={ONE, TWO}, afresh={ONE})
    await bench.worker.work(bench.record(1))
    assert ([ONE], [ONE]) == (bench.core.looked, bench.core.read_afresh)
    assert [str(TWO)] == [job.payload for job in bench.queue.jobs]


# ---- what was missed ----


def words(number: int, *, at: int, sender: str = "alice") -> Event:
    """A comment, written at such a second."""
    comment = {"id": 100 + number, "body": "", "updated_at": f"2026-11-22T15:00:{at:02}Z"}
    data = {**event(7, "created", sender).data, "comment": comment}
    return Event(f"c{number}", "issue_comment", "issue_comment", "repository", data)


def said(event: Event, attempt: int = 1) -> Job:
    return Job(event.delivery, DELIVERY, "acme/rocket#7", event.dump(), attempt=attempt)


async def test_what_a_person_said_before_and_failed_is_done_first(bench: Bench) -> None:
    others = [words(3, at=3), words(1, at=1), words(2, at=1), words(4, at=0, sender="bob")]
    bench.queue.waiting = [said(one, attempt=2) for one in others]
    bench.queue.waiting.append(look(IssueRef("acme", "rocket", 7), stamp="x"))
    await bench.worker.work(said(words(9, at=2)))
    assert ["c1", "c2", "c9"] == bench.core.done
    assert {101, 102, 103, 104} == bench.core.in_hand
    [(over, _)] = bench.core.closed
    assert ["c1", "c2", "c9"] == over.names


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ([], Retryable("later")),
        ([], StoreError("disk full")),
        (["c9"], NotFound("gone", status=404)),
        (["c9"], AttributeError("a mistake of ours")),
    ],
    ids=["what may pass", "so may that", "what will not", "nor that"],
)
async def test_what_still_fails_lets_only_what_will_not_pass_be_overtaken(
    bench: Bench, expected: list[str], error: Exception
) -> None:
    bench.queue.waiting = [said(words(1, at=1), attempt=2)]
    bench.core.refuse = {"c1": error}
    with suppress(Retryable, StoreError):
        await bench.worker.work(said(words(9, at=2)))
    assert expected == bench.core.done


async def test_of_looks_for_the_same_time_one_is_enough_for_all_replicas(bench: Bench) -> None:
    async def again(ref: IssueRef, later: Later) -> None:
        await later([ref], after=300.0)  # type: ignore[call-arg]

    bench.core.act = again
    for _ in range(2):
        await bench.worker.work(look(ONE, stamp=bench.freshness.stamp()))
    first, second = bench.queue.jobs
    assert (300.0, 300.0) == tuple(bench.queue.delays)
    assert first.id == second.id
    assert first.stamp != second.stamp


async def test_what_was_missed_is_heard_then_looked_at_then_over(bench: Bench) -> None:
    await bench.store.save(Known(ONE, coordinated=True, comment_at="2026-11-22T14:00:00+00:00"))
    bench.core.asked = Done(looks={ONE, TWO}, afresh={ONE}, names=["a"])
    job = hear(ONE, [4, 5], opening=True, stamp=bench.freshness.stamp())
    await bench.worker.work(job)
    more = {
        "opening": True,
        "oldest": FORGE_TIME - CATCH_UP,
        "written_at": "2026-11-22T14:00:00+00:00",
    }
    assert [(ONE, [4, 5], more)] == bench.core.heard
    assert ([ONE], [ONE]) == (bench.core.looked, bench.core.read_afresh)
    assert [str(TWO)] == [one.payload for one in bench.queue.jobs]
    assert [(bench.core.asked, [ONE])] == bench.core.closed


async def test_nothing_is_looked_at_where_nothing_was_missed(bench: Bench) -> None:
    await bench.worker.work(hear(ONE, [4], stamp=bench.freshness.stamp()))
    [(_, _, more)] = bench.core.heard
    assert (False, "") == (more["opening"], more["written_at"])
    assert ([], []) == (bench.core.looked, bench.queue.jobs)


async def test_what_was_missed_is_looked_at_however_fresh_the_issue_is(bench: Bench) -> None:
    job = hear(ONE, [4], stamp=bench.freshness.stamp())
    await bench.worker.work(bench.record(1))
    bench.core.asked = Done(looks={ONE}, names=["a"])
    await bench.worker.work(job)
    assert [ONE, ONE] == bench.core.looked


def test_a_job_that_hears_is_one_of_its_issue_and_named_by_who_submits_it() -> None:
    job = hear(ONE, (4,), stamp="one/boot/1", name="digest")
    assert ("hear:digest", HEAR, "acme/rocket#1", "one/boot/1") == (
        job.id,
        job.kind,
        job.partition,
        job.stamp,
    )
    assert '{"issue": "Acme/Rocket#1", "comments": [4], "opening": false}' == job.payload
    assert "hear:one/boot/1" == hear(ONE, [4], stamp="one/boot/1").id


@pytest.mark.parametrize(
    ("expected", "known", "comment"),
    [
        ("then", Known(ONE, comment_at="then"), {"id": 5}),
        ("", None, {"id": 5}),
        ("", Known(ONE, comment_at="then"), None),
    ],
    ids=["a comment", "nothing is known", "no comment"],
)
async def test_of_comments_it_is_said_when_the_bot_last_wrote_its_own(
    bench: Bench, expected: str, known: Known | None, comment: dict[str, Any] | None
) -> None:
    if known:
        await bench.store.save(known)
    happened = event(1)
    if comment:
        happened.data["comment"] = comment
    await bench.worker.work(Job("d", DELIVERY, partition(ONE), happened.dump()))
    assert [expected] == bench.core.heard


# ---- repositories ----


async def test_what_a_repository_is_called_is_heard_before_anything_is_looked_up(
    bench: Bench,
) -> None:
    job = bench.record(1)
    data = Event.load(job.payload).data
    data["repository"] = {"id": 5, "full_name": "Acme/Rocket"}
    named = Event("d", "issues", "issues", "repository", data)
    bench.names.moved = {IssueRef("far", "away", 7)}
    await bench.worker.work(replace(job, payload=named.dump()))
    assert ["5 is Acme/Rocket"] == bench.names.told
    assert [ONE] == bench.core.looked
    assert ["far/away#7"] == [one.payload for one in bench.queue.jobs if one.kind == LOOK]


async def test_of_an_event_without_the_repositorys_id_nothing_is_heard(bench: Bench) -> None:
    await bench.worker.work(bench.record(1))
    assert [] == bench.names.told


async def test_who_waits_for_a_deleted_repository_is_looked_at(bench: Bench) -> None:
    data: Any = {"action": "deleted", "repository": {"full_name": "Acme/Rocket"}}
    gone = Event("d", "repository", "repository", "organization", data)
    bench.names.moved = {TWO}
    await bench.worker.work(Job("d", DELIVERY, "repo:acme/rocket", gone.dump(), "1"))
    assert ["5 was acme/rocket"] == bench.names.told
    assert [str(TWO)] == [one.payload for one in bench.queue.jobs if one.kind == LOOK]


# ---- at what pace ----


@pytest.mark.parametrize(
    ("expected", "took"), [(0.05, 0.0), (0.05, 0.02), (0.125, 0.125), (0.2, 3.0)]
)
async def test_an_issue_is_left_alone_for_as_long_as_a_look_takes_within_bounds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, expected: float, took: float
) -> None:
    now, slept = [1000.0], list[float]()

    async def takes_time(_ref: IssueRef, _later: Later) -> None:
        now[0] += took

    async def sleep(seconds: float) -> None:
        slept.append(max(0.0, seconds))
        now[0] += slept[-1]

    bench.core.act = takes_time
    monkeypatch.setattr("bot.worker.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("bot.worker.asyncio.sleep", sleep)
    for ref in (ONE, TWO, ONE):
        await bench.worker.work(look(ref, stamp=bench.freshness.stamp()))
        now[0] += 0.01 if ref == ONE else -took  # as if both had been looked at side by side
    await bench.worker.work(look(ONE, stamp=bench.freshness.stamp()))
    assert [0, 0, expected - 0.01, expected - 0.01] == pytest.approx(slept)
    now[0] += 10
    await bench.worker.work(look(ONE, stamp=bench.freshness.stamp()))
    assert 0 == slept[-1]
