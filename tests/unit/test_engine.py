"""The durable queue on real DBOS: on SQLite, and on PostgreSQL where one is at hand."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot import engine as engine_module
from bot.clock_step import ClockStep
from bot.engine import Engine
from bot.errors import NotFound, Retryable, StoreError, UserError
from bot.freshness import Freshness, recorded_at, timed
from bot.job_tables import BEGUN_MOST, queue_engine
from bot.jobs import Job, RetryPolicy, again, failed_how
from bot.recorder import BATCH, Recorder

QUICK = RetryPolicy(3, timedelta(milliseconds=1), timedelta(milliseconds=4))
LIMIT = 20  # seconds until a test is given up


@dataclass
class Desk:
    """Work that is told what to do by a test, and what became of it."""

    url: str
    engine: Engine
    ran: list[Job] = field(default_factory=list)
    given_up: list[tuple[Job, Exception]] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    act: Callable[[Job], Awaitable[None]] | None = None
    keep: Callable[[], None] = lambda: None
    clock: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.step = ClockStep(lambda: self.clock, steady=lambda: 0.0)

    async def work(self, job: Job) -> None:
        self.ran.append(job)
        if self.act:
            await self.act(job)

    async def give_up(self, job: Job, error: Exception) -> None:
        self.keep()
        self.given_up.append((job, error))

    def job(self, kind: str, outcome: str, seconds: float) -> None:
        self.outcomes.append((kind, outcome))

    async def done(self, count: int) -> None:
        """Return when so many attempts have ended, and the queue is empty."""
        async with asyncio.timeout(LIMIT):
            while len(self.outcomes) < count or any((await self.engine.counts()).values()):
                await asyncio.sleep(0.005)


Opened = Callable[..., AbstractAsyncContextManager[Desk]]


@asynccontextmanager
async def at_work(
    url: str,
    *,
    executor: str = "one",
    workers: int = 8,
    policy: RetryPolicy = QUICK,
    act: Callable[[Job], Awaitable[None]] | None = None,
    stop: float = 5.0,
    keep: Callable[[], None] = lambda: None,
) -> AsyncIterator[Desk]:
    desk = Desk(url, None, act=act, keep=keep)  # type: ignore[arg-type]
    desk.engine = Engine(
        url,
        executor=executor,
        workers=workers,
        poll=timedelta(milliseconds=10),
        policy=policy,
        observer=desk,
        step=desk.step,
    )
    await desk.engine.start(desk.work, desk.give_up)
    try:
        yield desk
    finally:
        await desk.engine.stop(timedelta(seconds=stop))


def job(name: str, partition: str = "acme/rocket#1", payload: str = "", **more: Any) -> Job:
    return Job(name, "look", partition, payload, **more)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What stands in the queue's database."""
    engine = queue_engine(url)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET search_path TO dbos"))
        found = [tuple(row) for row in connection.execute(sa.text(statement))]
    engine.dispose()
    return found


def change(url: str, statement: str) -> None:
    """Change what stands in the queue's database."""
    engine = queue_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET search_path TO dbos"))
        connection.execute(sa.text(statement))
    engine.dispose()


# ---- a job ----


def test_a_job_survives_being_written_down() -> None:
    kept = Job("id", "look", "a/b#1", 'héllo "\n\u2028', stamp="x/y/1", attempt=3)
    assert kept == Job.load(kept.dump())
    assert kept.dump().isascii()


@pytest.mark.parametrize(
    ("expected", "name", "attempt"),
    [
        ("d~2", "d", 1),
        ("d~3", "d~2", 2),
        ("d~2@again~2", "d~2@again", 1),
        ("d~2@again~3", "d~2@again~2", 2),
    ],
    ids=["first", "second", "put back", "put back, second"],
)
def test_the_next_attempt_is_a_job_of_its_own(expected: str, name: str, attempt: int) -> None:
    found = again(job(name, attempt=attempt, stamp="s"))
    assert (expected, attempt + 1, "s") == (found.id, found.attempt, found.stamp)


@pytest.mark.parametrize(
    ("expected", "attempt", "asked", "jitter"),
    [
        (2.0, 1, None, 0.0),
        (4.0, 2, None, 0.0),
        (8.0, 3, None, 0.0),
        (60.0, 6, None, 0.0),
        (60.0, 10_000, None, 0.0),
        (30.0, 1, 30.0, 0.0),
        (60.0, 1, 3600.0, 0.0),
        (4.0, 2, 1.0, 0.0),
        (3.0, 1, None, 1.0),
        (90.0, 6, None, 1.0),
        (2.5, 1, None, 0.5),
    ],
)
def test_waits_double_up_to_a_limit_and_heed_what_gitea_asks(
    expected: float, attempt: int, asked: float | None, jitter: float
) -> None:
    policy = RetryPolicy(12, timedelta(seconds=2), timedelta(seconds=60))
    assert expected == policy.wait(attempt, asked, jitter)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ("GET /user: 404 gone", NotFound("gone", status=404, method="GET", path="/user")),
        ("say it so", UserError("say it so")),
        ("internal error (ZeroDivisionError); the log has the details", ZeroDivisionError("/etc")),
    ],
    ids=["gitea", "ours", "a bug"],
)
def test_what_went_wrong_is_said_in_one_line_without_a_traceback(
    expected: str, error: Exception
) -> None:
    assert expected == failed_how(error)


# ---- freshness ----


def test_a_job_recorded_before_a_reading_began_has_nothing_left_to_do() -> None:
    fresh = Freshness("one", "boot")
    before = fresh.stamp()
    begun = fresh.begin()
    meanwhile = fresh.stamp()
    assert not fresh.covers("a", before)
    fresh.done("a", begun)
    assert fresh.covers("a", before)
    assert not fresh.covers("a", meanwhile)
    assert not fresh.covers("b", before)


def test_a_reading_that_ends_late_takes_nothing_back() -> None:
    fresh = Freshness("one", "boot")
    first = fresh.begin()
    mark = fresh.stamp()
    fresh.done("a", fresh.begin())
    fresh.done("a", first)
    assert fresh.covers("a", mark)


def test_only_the_latest_readings_are_remembered() -> None:
    fresh = Freshness("one", "boot", most=2)
    stamp = fresh.stamp()
    for about in ("first", "second", "first", "third"):
        fresh.done(about, fresh.begin())
    covered = [about for about in ("first", "second", "third") if fresh.covers(about, stamp)]
    assert ["first", "third"] == covered


def test_what_must_be_looked_at_again_is_covered_by_no_reading() -> None:
    """A deletion says more than a reading that found nothing."""
    fresh = Freshness("one", "boot")
    mark = fresh.stamp()
    fresh.done("a", fresh.begin())
    fresh.forget("a")
    fresh.forget("never read")
    assert not fresh.covers("a", mark)


@pytest.mark.parametrize(
    ("expected", "stamp"),
    [
        (True, "one/boot/1"),
        (True, "one/boot/1/1795700455.000"),
        (False, "one/boot/2"),
        (True, "one/earlier/99"),
        (False, "two/boot/1"),
        (False, "two/earlier/1"),
        (False, ""),
        (False, "one"),
        (False, "one/boot"),
        (False, "one/boot/x"),
    ],
    ids=[
        "before",
        "before, timed",
        "after",
        "an earlier start",
        "another replica",
        "another replica, earlier",
        "none",
        "cut",
        "cut twice",
        "no number",
    ],
)
def test_only_stamps_that_can_be_compared_are_covered(*, expected: bool, stamp: str) -> None:
    fresh = Freshness("one", "boot")
    fresh.stamp()
    fresh.done("a", fresh.begin())
    assert expected is fresh.covers("a", stamp)


# ---- running ----


async def test_the_same_id_runs_once(database_url: str) -> None:
    async with at_work(database_url) as desk:
        await desk.engine.submit(job("d1", payload="first"))
        await desk.engine.submit(job("d1", payload="again"))
        await desk.done(1)
        await desk.engine.submit(job("d1", payload="after it was done"))
        await desk.engine.submit(job("d2"))
        await desk.done(2)
        assert ["first", ""] == [one.payload for one in desk.ran]
        assert [("look", "done")] * 2 == desk.outcomes


@pytest.mark.parametrize("together", [True, False], ids=["at once", "one after another"])
async def test_jobs_of_a_partition_are_done_in_the_order_of_recording(
    sqlite_url: str, *, together: bool
) -> None:
    """Whatever their ids are: those of deliveries say nothing."""
    names = [f"{9 - nth}" for nth in range(8)]
    recorder = Recorder(sqlite_url)
    async with at_work(sqlite_url):  # it makes the tables
        pass
    if together:
        await asyncio.gather(*(recorder.record(job(name)) for name in names))
    else:
        for name in names:
            await recorder.record(job(name))
    await recorder.record(job(names[0]))  # a repeat changes nothing
    await recorder.close()
    async with at_work(sqlite_url) as desk:
        await desk.done(len(names))
        assert names == [one.id for one in desk.ran]


async def test_one_at_a_time_per_partition_and_side_by_side_over_partitions(
    database_url: str,
) -> None:
    """Three partitions are in work together, never two jobs of one."""
    inside: set[str] = set()
    overlaps: list[str] = []
    together = asyncio.Event()

    async def act(one: Job) -> None:
        if one.partition in inside:
            overlaps.append(one.partition)
        inside.add(one.partition)
        if len(inside) == 3:
            together.set()
        async with asyncio.timeout(LIMIT):
            await together.wait()
        inside.discard(one.partition)

    async with at_work(database_url, act=act) as desk:
        jobs = [job(f"d{n}", partition=f"a/b#{n % 3}") for n in range(9)]
        await asyncio.gather(*map(desk.engine.submit, jobs))
        await desk.done(9)
    assert [] == overlaps
    assert sorted(one.id for one in jobs) == sorted(one.id for one in desk.ran)


async def test_what_may_pass_is_tried_again_as_often_as_the_policy_says(database_url: str) -> None:
    async def act(one: Job) -> None:
        raise Retryable("down", status=502) if one.attempt < 3 else StoreError("still")

    async with at_work(database_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        await desk.done(3)
    assert ["d", "d~2", "d~3"] == [one.id for one in desk.ran]
    assert ["retried", "retried", "set-aside"] == [outcome for _, outcome in desk.outcomes]
    [(lost, error)] = desk.given_up
    assert ("d~3", 3, "still") == (lost.id, lost.attempt, str(error))


async def test_a_later_attempt_may_succeed(sqlite_url: str) -> None:
    async def act(one: Job) -> None:
        if one.attempt == 1:
            raise Retryable("busy", status=429, retry_after=0.002)

    async with at_work(sqlite_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        await desk.done(2)
    assert [("look", "retried"), ("look", "done")] == desk.outcomes
    assert [] == desk.given_up


@pytest.mark.parametrize(
    "error", [NotFound("no", status=404), ZeroDivisionError()], ids=["permanent", "a bug"]
)
async def test_what_will_not_pass_is_set_aside_at_once(sqlite_url: str, error: Exception) -> None:
    async def act(_job: Job) -> None:
        raise error

    async with at_work(sqlite_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        await desk.done(1)
    assert ["d"] == [one.id for one in desk.ran]
    assert [("d", error)] == [(one.id, why) for one, why in desk.given_up]


async def test_what_waits_to_be_tried_again_is_told_by_partition(database_url: str) -> None:
    async def fail(_job: Job) -> None:
        raise Retryable("later")

    patient = RetryPolicy(2, timedelta(hours=1), timedelta(hours=1))
    async with at_work(database_url, policy=patient, act=fail) as desk:
        await desk.engine.submit(job("failed", payload="a word"))
        await desk.engine.submit(job("failed elsewhere", "acme/rocket#2"))
        await desk.engine.submit(job("for later"), delay=3600.0)
        async with asyncio.timeout(LIMIT):
            while len(desk.outcomes) < 2:
                await asyncio.sleep(0.005)
        [waiting] = await desk.engine.put_off("acme/rocket#1")
        assert ("failed~2", "a word") == (waiting.id, waiting.payload)
        assert [] == await desk.engine.put_off("acme/rocket#3")


async def test_what_failed_is_still_told_when_its_time_has_come(database_url: str) -> None:
    """For what was recorded before it failed has its turn first."""
    asked: dict[str, list[str]] = {}
    failed, go_on = asyncio.Event(), asyncio.Event()

    async def act(one: Job) -> None:
        if one.id == "first":
            raise Retryable("Gitea is away")
        if one.id == "elsewhere":
            failed.set()
            await go_on.wait()
            return
        asked[one.id] = [waiting.id for waiting in await desk.engine.put_off(one.partition)]

    policy = RetryPolicy(2, timedelta(milliseconds=1), timedelta(milliseconds=1))
    async with at_work(database_url, workers=1, policy=policy, act=act) as desk:
        for name, part in (("first", "a#1"), ("elsewhere", "b#1"), ("later", "a#1")):
            await desk.engine.submit(job(name, part))
        await asyncio.wait_for(failed.wait(), LIMIT)
        async with asyncio.timeout(LIMIT):
            while (await desk.engine.counts())["delayed"]:
                await asyncio.sleep(0.005)
        go_on.set()
        await desk.done(4)
    assert {"later": ["first~2"], "first~2": []} == asked


async def test_a_failed_job_does_not_hold_up_its_partition(sqlite_url: str) -> None:
    async def act(one: Job) -> None:
        if one.id.startswith("bad"):
            raise Retryable("down")

    slow = RetryPolicy(2, timedelta(hours=1), timedelta(hours=1))
    async with at_work(sqlite_url, act=act, policy=slow) as desk:
        await desk.engine.submit(job("bad"))
        await desk.engine.submit(job("good"))
        async with asyncio.timeout(LIMIT):
            while {"waiting": 0, "delayed": 1, "running": 0} != await desk.engine.counts():
                await asyncio.sleep(0.005)
    assert [("look", "done"), ("look", "retried")] == sorted(desk.outcomes)


async def test_jobs_that_come_together_are_recorded_in_few_transactions(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    write = Recorder._write

    def counted(recorder: Recorder, jobs: Any) -> None:
        batches.append(len(jobs))
        write(recorder, jobs)

    monkeypatch.setattr(Recorder, "_write", counted)
    async with at_work(sqlite_url) as desk:
        jobs = [job(f"d{n}", partition=f"a/b#{n}") for n in range(BATCH + 20)]
        await asyncio.gather(*map(desk.engine.submit, jobs))
        assert [BATCH, 20] == batches
        await desk.done(BATCH + 20)


async def test_a_recorder_alone_hands_a_job_to_the_one_who_runs(sqlite_url: str) -> None:
    """As `failures retry` does."""
    async with at_work(sqlite_url) as desk:
        recorder = Recorder(sqlite_url)
        await recorder.record(job("d"))
        await recorder.close()
        await desk.done(1)
        assert ["d"] == [one.id for one in desk.ran]


async def test_who_no_longer_waits_for_the_disk_disturbs_nobody(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that hangs up in the middle: its delivery is recorded all the same."""
    async with at_work(sqlite_url) as desk:
        leaver = asyncio.create_task(desk.engine.submit(job("left")))
        stayer = asyncio.create_task(desk.engine.submit(job("stayed", partition="a/b#2")))
        await asyncio.sleep(0)
        leaver.cancel()
        await stayer
        await desk.done(2)
    assert ["left", "stayed"] == sorted(one.id for one in desk.ran)


# ---- a disk that is full ----


@pytest.mark.parametrize(
    "problem",
    [
        sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
        RuntimeError("anything"),
    ],
    ids=["disk", "anything else"],
)
async def test_what_cannot_be_recorded_is_said_and_is_not_recorded(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def full(*_: object) -> None:
        raise problem

    async with at_work(sqlite_url) as desk:
        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "_write", full)
            with pytest.raises(StoreError, match="could not be recorded"):
                await desk.engine.submit(job("d"))
        assert 0 == sum((await desk.engine.counts()).values())
        await desk.engine.submit(job("d"))
        await desk.done(1)
        assert ["d"] == [one.id for one in desk.ran]


async def test_a_queue_on_a_read_only_file_records_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with at_work(url) as desk:
        recorder = Recorder(url)
        sa.event.listen(recorder._engine, "connect", _read_only)
        recorder._engine.dispose()
        with pytest.raises(StoreError, match="readonly"):
            await recorder.record(job("d"))
        await recorder.close()
        assert 0 == sum((await desk.engine.counts()).values())


def _read_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


@pytest.mark.parametrize("passing", [True, False], ids=["to be retried", "to be set aside"])
async def test_a_job_whose_fate_cannot_be_written_down_is_not_lost(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, *, passing: bool
) -> None:
    """While the disk is full neither the next attempt nor the failure can be recorded."""
    failures = iter([True, True, False])

    async def act(one: Job) -> None:
        if one.attempt == 1:
            raise Retryable("down") if passing else NotFound("no")

    def full() -> None:
        if next(failures):
            raise StoreError("disk full")

    async with at_work(sqlite_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        desk.keep = full
        if passing:
            submit = desk.engine.submit

            async def failing(one: Job, *, delay: float = 0.0) -> None:
                full()
                await submit(one, delay=delay)

            monkeypatch.setattr(desk.engine, "submit", failing)
        await desk.done(2 if passing else 1)
    assert [("look", "retried"), ("look", "done")] == desk.outcomes or not passing
    assert [] == [one.id for one, _ in desk.given_up] or not passing
    assert ["d"] == [one.id for one, _ in desk.given_up] or passing


async def test_a_job_whose_fate_cannot_be_written_down_before_the_end_is_left_for_the_next_start(
    sqlite_url: str,
) -> None:
    tried = asyncio.Event()

    async def fail(_job: Job) -> None:
        raise NotFound("no")

    def full() -> None:
        tried.set()
        raise StoreError("disk full")

    slow = RetryPolicy(2, timedelta(hours=1), timedelta(hours=1))
    async with at_work(sqlite_url, act=fail, policy=slow) as desk:
        desk.keep = full
        await desk.engine.submit(job("d"))
        await asyncio.wait_for(tried.wait(), LIMIT)
    assert [("look", "left")] == desk.outcomes
    async with at_work(sqlite_url) as desk:
        await desk.done(1)
        assert [("look", "done")] == desk.outcomes


async def test_a_job_of_which_the_end_could_not_be_written_down_does_not_stop_its_partition(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done once more, which it has to bear."""
    monkeypatch.setattr(engine_module, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(engine_module, "STUCK_SECONDS", 0.2)
    async with at_work(database_url) as desk:
        database = desk.engine._dbos._sys_db
        write, failed = database.update_workflow_outcome, list[str]()

        def full(name: str, *args: Any, **more: Any) -> bool:
            if len(failed) < 2:  # its success, and its failure
                failed.append(name)
                raise sa.exc.OperationalError("UPDATE", {}, sqlite3.OperationalError("disk full"))
            return bool(write(name, *args, **more))

        monkeypatch.setattr(database, "update_workflow_outcome", full)
        await desk.engine.submit(job("d"))
        await desk.engine.submit(job("e"))
        await desk.done(3)
    assert ["d", "d"] == failed
    first, *again, last = [one.id for one in desk.ran]
    assert ("d", {"d"}, "e") == (first, {*again}, last)


async def test_what_runs_for_long_is_left_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "STUCK_SECONDS", 0.0)
    go_on = asyncio.Event()

    async def act(_job: Job) -> None:
        await go_on.wait()

    async with at_work(database_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        async with asyncio.timeout(LIMIT):
            while not desk.ran:
                await asyncio.sleep(0.005)
        assert [0, 0] == [await desk.engine.free() for _ in range(2)]
        go_on.set()
        await desk.done(1)


async def test_a_queue_that_is_silent_is_told_and_watched_on(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "WATCH_SECONDS", 0.001)
    troubles: list[Exception] = [StoreError("locked"), ValueError("odd")]
    with capture_logs() as logs:
        async with at_work(sqlite_url) as desk:

            async def free() -> int:
                if troubles:
                    raise troubles.pop(0)
                watched.set()
                return 0

            watched = asyncio.Event()
            monkeypatch.setattr(desk.engine, "free", free)
            await asyncio.wait_for(watched.wait(), LIMIT)
    assert ["warning", "error"] == [line["log_level"] for line in logs]


@pytest.mark.parametrize(
    ("expected", "ours"),
    [(logging.WARNING, logging.INFO), (logging.ERROR, logging.ERROR)],
    ids=["only what matters", "no more than is wanted of ours"],
)
async def test_the_library_s_own_log_lines_are_few(
    sqlite_url: str, expected: int, ours: int
) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(ours)
    try:
        async with at_work(sqlite_url):
            assert expected == logging.getLogger("dbos").level
    finally:
        root.setLevel(before)


# ---- going down, and coming back ----


async def test_stopping_lets_work_finish(sqlite_url: str) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def act(_job: Job) -> None:
        begun.set()
        await may_end.wait()

    async with at_work(sqlite_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        await asyncio.wait_for(begun.wait(), LIMIT)
        stopping = asyncio.create_task(desk.engine.stop(timedelta(seconds=LIMIT)))
        await asyncio.sleep(0)
        assert not stopping.done()
        may_end.set()
        await stopping
        assert [("look", "done")] == desk.outcomes
    assert [("d", "SUCCESS")] == rows(
        sqlite_url, "SELECT workflow_uuid, status FROM workflow_status"
    )


async def test_work_that_does_not_finish_is_broken_off_and_done_after_the_next_start(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def act(_job: Job) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("broken off")

    async with at_work(database_url, act=act, stop=0.01) as desk:
        await desk.engine.submit(job("d"))
        await desk.engine.submit(job("e"))  # of the same partition: waits
        await asyncio.wait_for(begun.wait(), LIMIT)
    assert ["broken off"] == ended
    assert [] == caplog.records
    assert [("look", "left")] == desk.outcomes
    async with at_work(database_url) as desk:
        await desk.done(2)
        assert ["d", "e"] == sorted(one.id for one in desk.ran)


async def test_a_file_s_work_is_taken_up_under_another_name_too(tmp_path: Path) -> None:
    """A container made anew has another host name; nobody else can use the file meanwhile."""
    url = f"sqlite:///{tmp_path}/bot.db"
    begun = asyncio.Event()

    async def act(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with at_work(url, executor="old", act=act, stop=0.01) as desk:
        await desk.engine.submit(job("d"))
        await asyncio.wait_for(begun.wait(), LIMIT)
    async with at_work(url, executor="new") as desk:
        assert "new" == desk.engine.executor
        await desk.done(1)
        assert ["d"] == [one.id for one in desk.ran]


def begun_often(url: str, times: int) -> None:
    """As if all there is to do had been begun so often, and its process was killed each time."""
    change(url, f"UPDATE workflow_status SET status = 'PENDING', recovery_attempts = {times}")


@pytest.mark.parametrize(("given_up", "times"), [(["d"], BEGUN_MOST), ([], BEGUN_MOST - 1)])
async def test_what_ends_the_bot_again_and_again_is_set_aside_at_the_next_start(
    sqlite_url: str, given_up: list[str], times: int
) -> None:
    async with at_work(sqlite_url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
    begun_often(sqlite_url, times)
    async with at_work(sqlite_url) as desk:
        await desk.done(0 if given_up else 1)
        assert given_up == [one.id for one, _ in desk.given_up]
        assert all("50 times" in str(error) for _, error in desk.given_up)
    async with at_work(sqlite_url) as desk:
        assert [] == desk.given_up


async def test_where_what_is_set_aside_cannot_be_kept_nothing_is_lost(sqlite_url: str) -> None:
    def keep() -> None:
        raise StoreError("the disk is full")

    async with at_work(sqlite_url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
    begun_often(sqlite_url, BEGUN_MOST)
    with pytest.raises(StoreError, match="the disk is full"):
        async with at_work(sqlite_url, keep=keep):
            pass
    async with at_work(sqlite_url) as desk:
        assert ["d"] == [one.id for one, _ in desk.given_up]


async def test_no_work_is_begun_after_stopping_began(sqlite_url: str) -> None:
    async with at_work(sqlite_url) as desk:
        await desk.engine.stop(timedelta(seconds=1))
        with pytest.raises(asyncio.CancelledError):
            await desk.engine.run(job("late").dump())
        assert [] == desk.ran


async def test_a_queue_that_is_not_open_records_nothing(tmp_path: Path) -> None:
    desk = Desk("", None)  # type: ignore[arg-type]
    engine = Engine(
        f"sqlite:///{tmp_path}/bot.db",
        executor="one",
        workers=1,
        poll=timedelta(milliseconds=10),
        policy=QUICK,
        observer=desk,
        step=desk.step,
    )
    with pytest.raises(StoreError, match="not open"):
        await engine.submit(job("d"))


async def test_a_queue_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "bot.queue.db").write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        async with at_work(f"sqlite:///{tmp_path}/bot.db"):
            pass
    assert engine_module._running is None


# ---- keeping house ----


async def test_the_queue_is_counted(database_url: str) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def act(_job: Job) -> None:
        begun.set()
        await may_end.wait()

    async with at_work(database_url, act=act) as desk:
        for n in range(3):
            await desk.engine.submit(job(f"d{n}"))
        await desk.engine.submit(job("later"), delay=3600)
        await asyncio.wait_for(begun.wait(), LIMIT)
        async with asyncio.timeout(LIMIT):
            while (await desk.engine.counts())["running"] == 0:
                await asyncio.sleep(0.005)
        assert {"waiting": 2, "delayed": 1, "running": 1} == await desk.engine.counts()
        may_end.set()
        async with asyncio.timeout(LIMIT):
            while (await desk.engine.counts())["running"] + len(desk.outcomes) < 3:
                await asyncio.sleep(0.005)


async def test_only_finished_old_work_is_forgotten_with_all_that_belongs_to_it(
    database_url: str,
) -> None:
    async with at_work(database_url) as desk:
        await desk.engine.submit(job("done", payload="large"))
        await desk.done(1)
        await desk.engine.submit(job("later"), delay=3600)
        now = datetime.now(UTC)
        assert 0 == await desk.engine.forget(now - timedelta(hours=1), 9)
        assert 1 == await desk.engine.forget(now + timedelta(hours=1), 9)
        assert {"waiting": 0, "delayed": 1, "running": 0} == await desk.engine.counts()
    for table in ("workflow_status", "workflow_input"):
        assert [("later",)] == rows(database_url, f"SELECT workflow_uuid FROM {table}")
    assert [] == rows(database_url, "SELECT workflow_uuid FROM workflow_output")


async def test_the_age_of_the_oldest_work_is_told(database_url: str) -> None:
    """Of what waits and of what runs; what is to wait by itself does not count."""
    may_end = asyncio.Event()

    async def work(_: Job) -> None:
        await may_end.wait()

    async with at_work(database_url, act=work) as desk:
        assert {"waiting": 0.0, "running": 0.0} == await desk.engine.ages()
        await desk.engine.submit(job("later"), delay=3600)
        await desk.engine.submit(job("running"))
        await desk.engine.submit(job("waiting"))
        async with asyncio.timeout(LIMIT):
            while (await desk.engine.counts())["running"] == 0:
                await asyncio.sleep(0.005)
        change(database_url, "UPDATE workflow_status SET created_at = created_at - 90000")
        change(database_url, "UPDATE workflow_status SET started_at_epoch_ms = 1000")
        ages = await desk.engine.ages()
        may_end.set()
        async with asyncio.timeout(LIMIT):
            while len(desk.outcomes) < 2:
                await asyncio.sleep(0.005)
    assert 89 < ages["waiting"] < 90 + LIMIT
    assert 1e9 < ages["running"]


@pytest.mark.parametrize(
    ("expected", "stamp"),
    [
        (datetime(2026, 11, 22, 15, 4, 5, 250_000, tzinfo=UTC), None),
        (None, "one/boot/1"),
        (None, ""),
        (None, "one/boot/1/soon"),
        (None, "one/boot/1/1e99"),
    ],
    ids=["timed", "untimed", "none", "nonsense", "past the end of time"],
)
def test_a_stamp_may_tell_when_a_job_was_recorded(expected: datetime | None, stamp: str) -> None:
    at = datetime(2026, 11, 22, 15, 4, 5, 250_000, tzinfo=UTC)
    stamp = timed("one/boot/1", at) if stamp is None else stamp
    assert expected == recorded_at(replace(job("j"), stamp=stamp))
    assert expected == recorded_at(again(again(replace(job("j"), stamp=stamp))))


async def test_old_work_is_forgotten_a_portion_at_a_time(database_url: str) -> None:
    async with at_work(database_url) as desk:
        for number in range(5):
            await desk.engine.submit(job(f"j{number}"))
        await desk.done(5)
        before = datetime.now(UTC) + timedelta(hours=1)
        assert [2, 2, 1, 0] == [await desk.engine.forget(before, 2) for _ in range(4)]


async def test_no_other_table_of_the_queue_grows(database_url: str) -> None:
    """Housekeeping knows of those that do; should dbos come to fill another, this fails."""
    async with at_work(database_url) as desk:
        await desk.engine.submit(job("one"))
        await desk.engine.submit(job("two"), delay=0.01)
        await desk.done(2)
    found = {name: rows(database_url, f"SELECT count(*) FROM {name}")[0][0] for name in GROWING}
    assert dict.fromkeys(GROWING, 0) == found


async def test_a_queue_that_does_not_answer_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with at_work(url) as desk:
        pass
    with closing(sqlite3.connect(tmp_path / "bot.queue.db")) as connection:
        connection.execute("ALTER TABLE workflow_status RENAME TO elsewhere")
    with pytest.raises(StoreError, match="does not answer"):
        await desk.engine.counts()
    with pytest.raises(StoreError, match="does not answer"):
        await desk.engine.forget(datetime.now(UTC), 9)


GROWING = (
    "operation_outputs",
    "notifications",
    "streams",
    "workflow_events",
    "workflow_events_history",
    "workflow_schedules",
)


@pytest.fixture(autouse=True)
def _one_engine_at_a_time() -> Iterator[None]:
    yield
    assert engine_module._running is None


async def test_what_is_recorded_and_what_may_begin_since_is_found_without_a_poll(
    database_url: str,
) -> None:
    """One job at a time in a partition: the second begins because the first has ended."""
    async with at_work(database_url) as desk:
        change(database_url, "UPDATE queues SET polling_interval_sec = 3600")
        await desk.engine.submit(job("until then it polled"))
        await desk.done(1)
        for name in ("a", "b", "c"):
            await desk.engine.submit(job(name))
        await desk.done(4)
    assert ["a", "b", "c"] == [one.id for one in desk.ran[1:]]


async def test_why_it_cannot_be_opened_is_told_without_the_statement(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("UPDATE …", {}, Exception("database or disk is full"))

    monkeypatch.setattr(sa.Connection, "execute", fails)
    with pytest.raises(StoreError) as caught:
        async with at_work(sqlite_url):
            pass
    assert "database or disk is full" in str(caught.value)
    assert "UPDATE" not in str(caught.value)


@pytest.mark.parametrize(("delay", "expected"), [(0.0, False), (3600.0, True)])
async def test_what_is_to_wait_by_a_clock_that_is_ahead_is_noted(
    sqlite_url: str, delay: float, expected: bool
) -> None:
    """It would wait until that time comes again, though the clock was set right at once."""
    async with at_work(sqlite_url) as desk:
        desk.clock += timedelta(hours=1)
        await desk.engine.submit(job("d"), delay=delay)
        desk.clock -= timedelta(hours=1)
        assert expected is desk.step.back
        desk.step.mended()
        assert not desk.step.back
