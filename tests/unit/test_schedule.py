"""Work by the clock: ticks that all replicas name alike, and nothing that stops them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import EPOCH, SETTLED, Schedule, tick

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

    async def recheck(self, moment: str) -> None:
        await self._note(self.ticks.append, moment)
        if len(self.ticks) <= self._failing:
            raise OSError("the disk is full")

    async def tidy(self) -> None:
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
        now=lambda: NOON,
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
