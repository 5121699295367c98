"""Work that goes from one executor to another: taken over, left at the end, under another name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import Retryable, StoreError
from bot.job_tables import BEGUN_MOST, JobTables, queue_engine
from bot.jobs import Job, RetryPolicy
from tests.databases import database_url, fresh_database, postgres, sqlite_url
from tests.unit.test_engine import LIMIT, at_work, change, job, rows

__all__ = ["database_url", "postgres", "sqlite_url"]

HOUR = timedelta(hours=1)


def standing(url: str) -> list[tuple[str, str]]:
    """Every job's state, by its id."""
    return rows(url, "SELECT workflow_uuid, status FROM workflow_status ORDER BY 1")


def begun_by(url: str, executor: str, *, minutes: int = 0) -> None:
    """As if another process had begun all there is to do, so long ago."""
    engine = queue_engine(url)
    since = f"CAST(EXTRACT(epoch FROM now()) * 1000 AS BIGINT) - {minutes * 60_000}"
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = :name, "
                f"owner_xid = 'theirs', started_at_epoch_ms = {since} WHERE status = 'DELAYED'"
            ),
            {"name": executor},
        )
    engine.dispose()


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    """`DATABASE_URL` of an empty PostgreSQL database."""
    with fresh_database(postgres) as url:
        yield url


async def test_what_a_dead_executor_had_begun_is_done_once(url: str) -> None:
    async with at_work(url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
        begun_by(url, "dead")
        assert 0 == await desk.engine.take_over(["nobody"])
        assert [("d", "PENDING")] == standing(url)
        assert 1 == await desk.engine.take_over(["dead", "nobody"])
        assert 0 == await desk.engine.take_over(["dead"])
        await desk.done(1)
    assert ["d"] == [one.id for one in desk.ran]


async def test_what_ends_one_replica_after_the_other_is_set_aside(url: str) -> None:
    async with at_work(url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
        await desk.engine.submit(job("e"), delay=3600)
        begun_by(url, "dead")
        change(url, f"UPDATE workflow_status SET recovery_attempts = {BEGUN_MOST}")
        change(url, "UPDATE workflow_status SET recovery_attempts = 1 WHERE workflow_uuid = 'e'")
        assert 0 == await desk.engine.take_over(["nobody"])
        assert 1 == await desk.engine.take_over(["dead"])
        await desk.done(1)
        assert ["d"] == [one.id for one, _ in desk.given_up]
    assert ["e"] == [one.id for one in desk.ran]
    assert [("d", "CANCELLED"), ("e", "SUCCESS")] == standing(url)


@pytest.mark.parametrize(
    ("expected", "known", "minutes"),
    [(["dead"], ["one"], 11), ([], ["one", "dead"], 11), ([], ["one"], 9)],
    ids=["unknown", "known", "begun just now"],
)
async def test_who_never_beat_is_found_by_what_it_has_begun(
    url: str, expected: list[str], known: list[str], minutes: int
) -> None:
    async with at_work(url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
        begun_by(url, "dead", minutes=minutes)
        assert expected == await desk.engine.orphans(known, timedelta(minutes=10))


async def test_what_is_broken_off_at_the_end_is_for_whoever_is_there_first(
    database_url: str,
) -> None:
    running = asyncio.Event()

    async def act(_job: Job) -> None:
        running.set()
        await asyncio.sleep(LIMIT)

    async with at_work(database_url, act=act, stop=0.0) as desk:
        await desk.engine.submit(job("d"))
        await asyncio.wait_for(running.wait(), LIMIT)
    assert [("d", "ENQUEUED")] == standing(database_url)


async def test_under_another_name_all_is_begun_again_and_nothing_is_lost_meanwhile(
    database_url: str,
) -> None:
    times: dict[str, int] = {}
    running = asyncio.Event()

    async def act(one: Job) -> None:
        times[one.id] = times.get(one.id, 0) + 1
        if one.id == "d" and times["d"] == 1:
            running.set()
            await asyncio.sleep(LIMIT)

    async with at_work(database_url, act=act) as desk:
        await desk.engine.submit(job("d"))
        await asyncio.wait_for(running.wait(), LIMIT)
        renaming = asyncio.create_task(desk.engine.rename("two"))
        await desk.engine.submit(job("e"))
        await renaming
        await desk.engine.submit(job("f"))
        await desk.done(4)
        assert "two" == desk.engine.executor
    assert {"d": 2, "e": 1, "f": 1} == times
    assert ["left"] == [outcome for _, outcome in desk.outcomes if outcome != "done"]


async def test_what_could_not_be_put_back_at_the_end_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise StoreError("the server is gone")

    async with at_work(url) as desk:
        assert not desk.engine.holds_work
        monkeypatch.setattr(JobTables, "put_back", fails)
    assert desk.engine.holds_work
    monkeypatch.undo()
    async with at_work(url) as desk:
        pass
    assert not desk.engine.holds_work


async def test_who_is_stopping_takes_no_other_name(database_url: str) -> None:
    async with at_work(database_url) as desk:
        await desk.engine.rest(timedelta(0))
        await desk.engine.rename("new")
        assert "one" == desk.engine.executor


async def test_of_another_queue_in_the_same_schema_nothing_is_taken(url: str) -> None:
    async with at_work(url) as desk:
        await desk.engine.submit(job("d"), delay=3600)
        begun_by(url, "theirs", minutes=11)
        change(url, "UPDATE workflow_status SET queue_name = 'theirs'")
        assert [] == await desk.engine.orphans(["one"], timedelta(minutes=10))


async def test_what_is_broken_off_begins_nothing(database_url: str) -> None:
    async with at_work(database_url, stop=0.0) as desk:
        desk.engine.break_off()
        await desk.engine.submit(job("d"))
        async with asyncio.timeout(LIMIT):
            while 1 != (await desk.engine.counts())["running"]:
                await asyncio.sleep(0.005)
    assert ([], []) == (desk.ran, desk.outcomes)
    assert [("d", "ENQUEUED")] == standing(database_url)


async def test_after_the_clock_was_set_back_what_waits_is_due(database_url: str) -> None:
    async def act(one: Job) -> None:
        if one.attempt == 1:
            raise Retryable("down")

    slow = RetryPolicy(2, timedelta(minutes=30), timedelta(minutes=30))
    async with at_work(database_url, act=act, policy=slow) as desk:
        await desk.engine.submit(job("d"))
        async with asyncio.timeout(LIMIT):
            while 1 != (await desk.engine.counts())["delayed"]:
                await asyncio.sleep(0.005)
        await desk.engine.hurry()
        await desk.done(2)
    assert ["d", "d~2"] == [one.id for one in desk.ran]


@pytest.mark.parametrize(
    ("expected", "delay"), [(["d"], HOUR * 2.5), ([], HOUR / 2)], ids=["impossible", "as told"]
)
async def test_what_was_set_back_while_nobody_was_there_is_due_at_the_start(
    database_url: str, expected: list[str], delay: timedelta
) -> None:
    async with at_work(database_url) as desk:
        await desk.engine.submit(job("d"), delay=delay.total_seconds())
    async with at_work(database_url) as desk:
        if expected:
            await desk.done(1)
    assert expected == [one.id for one in desk.ran]


async def test_who_finds_another_one_at_the_same_steps_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers may both begin a job of one partition; dbos sees to it most of the time."""
    step_back, answers = JobTables.step_back, list[bool]()

    def meets(tables: JobTables, mine: Job) -> bool:
        if not answers:
            begun_by(url, "other")
        answers.append(step_back(tables, mine))
        if answers == [True]:
            change(url, "UPDATE workflow_status SET status = 'SUCCESS' WHERE workflow_uuid = 'e'")
        return answers[-1]

    monkeypatch.setattr(JobTables, "step_back", meets)
    async with at_work(url) as desk:
        await desk.engine.submit(job("e"), delay=3600)
        await desk.engine.submit(job("d"))
        await desk.done(2)
    assert ([True, False], ["d"]) == (answers, [one.id for one in desk.ran])
    assert ["left", "done"] == [outcome for _, outcome in desk.outcomes]
    assert [("d", "SUCCESS"), ("e", "SUCCESS")] == standing(url)


async def test_where_it_cannot_be_told_who_else_is_at_it_a_job_is_left(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise StoreError("no answer")

    async with at_work(url, stop=0.0) as desk:
        with monkeypatch.context() as patched:
            patched.setattr(JobTables, "step_back", fails)
            await desk.engine.submit(job("d"))
            async with asyncio.timeout(LIMIT):
                while not desk.outcomes:
                    await asyncio.sleep(0.005)
        assert ["left"] == [outcome for _, outcome in desk.outcomes]
        assert [("d", "PENDING")] == standing(url)
    assert [("d", "ENQUEUED")] == standing(url)
