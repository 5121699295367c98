"""Work by the clock: ticks that all replicas name alike, and nothing that stops them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock_step import ClockStep
from bot.schedule import AGAIN, EPOCH, SETTLED, Schedule, tick

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WAIT = 5.0  # seconds until what does not come is given up


@pytest.mark.parametrize(
    ("now", "every", "expected"),
    [
        (NOON, timedelta(minutes=5), "2026-11-22T12:00:00Z"),
        (NOON + timedelta(minutes=4, seconds=59), timedelta(minutes=5), "2026-11-22T12:00:00Z"),
        (NOON + timedelta(minutes=5), timedelta(minutes=5), "2026-11-22T12:05:00Z"),
        (NOON + timedelta(milliseconds=900), timedelta(milliseconds=50), "2026-11-22T12:00:00Z"),
        (NOON + timedelta(hours=3), timedelta(days=1), "2026-11-22T00:00:00Z"),
    ],
    ids=["on it", "just before the next", "the next", "less than a second", "a day"],
)
def test_a_tick_is_named_by_its_moment(now, every, expected):
    """The latest one that has come."""
    assert expected == tick(now, every)


@given(
    st.datetimes(datetime(2020, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 86400),
    st.floats(0, 0.999),
)
def test_replicas_name_one_tick_alike(now, seconds, part):
    """Whenever within it they look, so its work is done once."""
    every = timedelta(seconds=seconds)
    begun = datetime.fromisoformat(tick(now, every))
    assert timedelta(0) <= now - begun < every
    assert tick(now, every) == tick(begun + every * part, every)
    assert tick(now, every) != tick(begun + every, every)


class Seen:
    """What a schedule called, and what it was told of."""

    def __init__(self, *, failing: int = 0) -> None:
        self.ticks: list[str] = []
        self.tidied = 0
        self.errors: list[BaseException] = []
        self.changed = asyncio.Condition()
        self._failing = failing
        self.clock = NOON
        self.steady = 0.0
        self.set_backs = 0
        self.step = ClockStep(self.now, steady=lambda: self.steady)

    def now(self) -> datetime:
        return self.clock

    async def set_back(self) -> None:
        self.set_backs += 1

    async def recheck(self, moment: str) -> None:
        await self._note(self.ticks.append, moment)
        if len(self.ticks) <= self._failing:
            raise OSError("the disk is full")

    async def tidy(self) -> bool:
        self.tidied += 1
        raise ValueError("nothing to tidy")

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)

    async def _note(self, note, what) -> None:
        async with self.changed:
            note(what)
            self.changed.notify_all()

    async def ticked(self, times: int) -> None:
        """Return after so many ticks."""
        async with asyncio.timeout(WAIT), self.changed:
            await self.changed.wait_for(lambda: len(self.ticks) >= times)


@asynccontextmanager
async def ticking(seen: Seen, every: float = 0.01) -> AsyncIterator[Schedule]:
    schedule = Schedule(
        every=timedelta(seconds=every),
        recheck=seen.recheck,
        tidy=seen.tidy,
        failed=seen.failed,
        now=seen.now,
        set_back=seen.set_back,
        step=seen.step,
    )
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()
        await asyncio.sleep(0)  # it stops in the loop's next turn


async def test_it_rechecks_again_and_again():
    """By the moment of the clock that was handed in."""
    seen = Seen()
    async with ticking(seen):
        await seen.ticked(3)
    assert {"2026-11-22T12:00:00Z"} == set(seen.ticks)


async def test_a_recheck_that_fails_is_told_and_stops_nothing():
    """The next one comes."""
    seen = Seen(failing=2)
    async with ticking(seen):
        await seen.ticked(4)
    assert ["the disk is full"] * 2 == [str(error) for error in seen.errors]


async def test_all_replicas_tick_at_the_same_moments():
    """Whenever each was started: multiples counted from a fixed one."""
    async with ticking(Seen(), every=300) as schedule:
        recheck, tidy = map(schedule._scheduler.get_job, ("recheck", "tidy"))
        assert timedelta(0) == (recheck.next_run_time - EPOCH) % timedelta(minutes=5)
        daily = tidy.trigger.get_next_fire_time(None, NOON)
        assert datetime(2026, 11, 23, 3, 17, tzinfo=UTC) == daily


async def test_what_never_runs_at_that_hour_tidies_at_its_start():
    """A while after it: a start has enough to do."""
    before = datetime.now(UTC)
    async with ticking(Seen(), every=300) as schedule:
        tidy = schedule._scheduler.get_job("tidy")
        assert before + SETTLED <= tidy.next_run_time <= datetime.now(UTC) + SETTLED


async def test_tidying_is_done_when_it_is_due_and_told_when_it_fails():
    """It is brought forward here; that it comes daily is held above."""
    seen = Seen()
    async with ticking(seen, every=300) as schedule:
        tidy = schedule._scheduler.get_job("tidy")
        tidy.modify(next_run_time=datetime.now(UTC))
        async with asyncio.timeout(WAIT):
            while not seen.errors:
                await asyncio.sleep(0)
    assert (1, "nothing to tidy") == (seen.tidied, str(seen.errors[0]))


@pytest.mark.parametrize("done", [True, False])
async def test_what_could_not_be_tidied_yet_is_tried_again_soon(done):
    """What was, a day later."""
    seen, tidied = Seen(), asyncio.Event()

    async def tidy() -> bool:
        tidied.set()
        return done

    seen.tidy = tidy
    async with ticking(seen, every=300) as schedule:
        tidy_job = schedule._scheduler.get_job("tidy")
        daily = tidy_job.trigger.get_next_fire_time(None, datetime.now(UTC))
        tidy_job.modify(next_run_time=datetime.now(UTC))
        await asyncio.wait_for(tidied.wait(), WAIT)
        await asyncio.sleep(0)
        due = tidy_job.next_run_time
    soon = datetime.now(UTC) + AGAIN
    assert due == daily if done else soon - timedelta(seconds=WAIT) < due <= soon


async def test_a_busy_loop_loses_no_tidying():
    """However late it is: else a day of finished work would stay."""
    seen = Seen()
    async with ticking(seen, every=300) as schedule:
        tidy = schedule._scheduler.get_job("tidy")
        tidy.modify(next_run_time=datetime.now(UTC) - timedelta(minutes=10))
        async with asyncio.timeout(WAIT):
            while not seen.tidied:
                await asyncio.sleep(0)
    assert 1 == seen.tidied


async def test_once_stopped_it_ticks_no_more():
    """Nor does it keep the program from ending."""
    seen = Seen()
    async with ticking(seen) as schedule:
        await seen.ticked(1)
    assert not schedule._scheduler.running
    assert {asyncio.current_task()} == asyncio.all_tasks()


@pytest.mark.parametrize("what", ["recheck", "tidy"])
async def test_what_is_broken_off_at_the_end_is_no_error(what, caplog):
    """Whoever stops it reads of none."""
    seen, begun = Seen(), asyncio.Event()

    async def lasts(*_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    setattr(seen, what, lasts)
    async with ticking(seen, every=300) as schedule:
        schedule._scheduler.get_job(what).modify(next_run_time=datetime.now(UTC))
        await asyncio.wait_for(begun.wait(), WAIT)
    for _ in range(3):
        await asyncio.sleep(0)
    assert ([], []) == (seen.errors, caplog.records)


@pytest.mark.parametrize(
    ("passed", "shown", "expected"),
    [
        (5, timedelta(seconds=5), 0),
        (5, timedelta(hours=1), 0),
        (5, timedelta(seconds=3.5), 0),
        (5, timedelta(seconds=-5), 1),
        (5, timedelta(hours=-1), 1),
        (86400, timedelta(seconds=5), 1),
    ],
    ids=["as it was", "set forward", "put right by a bit", "some seconds", "an hour", "a day"],
)
async def test_a_clock_that_is_set_back_is_noticed_once(passed, shown, expected):
    """By what has passed meanwhile on one that nobody sets."""
    seen = Seen()
    async with ticking(seen, every=300) as schedule:
        seen.steady += passed
        seen.clock += shown
        await schedule.look()
        await schedule.look()
    assert expected == seen.set_backs


async def test_a_clock_that_is_set_forward_and_back_between_two_looks_is_noticed():
    """What came due meanwhile waits for the hour that was shown then."""
    seen = Seen()
    async with ticking(seen, every=300) as schedule:
        await schedule.look()
        seen.clock += timedelta(hours=1)
        await schedule._tick()
        seen.clock -= timedelta(hours=1)
        await schedule.look()
        await schedule.look()
    assert 1 == seen.set_backs


async def test_a_clock_that_is_set_back_stops_no_tick():
    """What was due in an hour, as the clock was, is due as it is now."""
    seen = Seen()
    async with ticking(seen, every=300) as schedule:
        jobs = schedule._scheduler.get_jobs()
        for job in jobs:
            job.modify(next_run_time=datetime.now(UTC) + timedelta(days=9))
        seen.clock -= timedelta(hours=1)
        await schedule.look()
        now = datetime.now(UTC)
        due = {job.id: job.next_run_time - now for job in jobs}
    assert due["recheck"] <= timedelta(minutes=5)
    assert due["tidy"] <= timedelta(days=1)


async def test_a_clock_that_is_set_back_and_forward_between_two_looks_stops_no_tick():
    """What slept meanwhile until the next tick, as far away as the clock was behind."""
    seen = Seen()
    async with ticking(seen) as schedule:
        await seen.ticked(1)
        schedule._scheduler._start_timer(86400)
        ticked = len(seen.ticks)
        await schedule.look()
        await seen.ticked(ticked + 1)
    assert 0 == seen.set_backs


async def test_what_fails_when_the_clock_is_set_back_is_told(monkeypatch):
    """And it is tried again, for it is set back as long as nothing followed from that."""
    monkeypatch.setattr("bot.schedule.LOOK_SECONDS", 0.001)
    seen = Seen()

    async def refuse() -> None:
        raise OSError("the disk is full")

    seen.set_back = refuse
    async with ticking(seen, every=300):
        seen.clock -= timedelta(hours=1)
        async with asyncio.timeout(WAIT):
            while len(seen.errors) < 2:
                await asyncio.sleep(0.001)
    assert "the disk is full" == str(seen.errors[0])
