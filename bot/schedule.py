"""Work that is due by the clock. The only file that imports apscheduler.

It only submits work, named by its moment: of several replicas that submit the same moment's, one
piece of work results. Nothing is kept on disk; what a stopped bot missed is rechecked at start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock_step import ClockStep

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
LOOK_SECONDS = 5.0  # from look to look at whether the clock was set
SETTLED = timedelta(minutes=1)  # after the start, which has enough to do
AGAIN = timedelta(minutes=10)  # until what could not be tidied is tried once more


class Schedule:
    """Calls `recheck(tick)` every so often, and `tidy()` at the start and once a day.

    Where `tidy` says that it could not yet, it is called again soon.

    A clock that is set back would leave it waiting until that time comes again: then all is due
    by the clock as it is, and `set_back` is called.
    """

    def __init__(
        self,
        *,
        every: timedelta,
        recheck: Callable[[str], Awaitable[None]],
        tidy: Callable[[], Awaitable[bool]],
        failed: Callable[[BaseException], None],
        now: Callable[[], datetime],
        set_back: Callable[[], Awaitable[None]],
        step: ClockStep,
    ) -> None:
        self._every = every
        self._recheck = recheck
        self._now = now
        self._set_back = set_back
        self._step = step
        self._looking: asyncio.Task[None] | None = None
        self._tidy = tidy
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        # Counted from a fixed moment, so that all replicas tick at the same ones.
        self._scheduler.add_job(
            self._tick,
            id="recheck",
            trigger=IntervalTrigger(seconds=every.total_seconds(), start_date=EPOCH, timezone=UTC),
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self._tidied,
            id="tidy",
            trigger=CronTrigger(hour=3, minute=17, timezone=UTC),
            next_run_time=datetime.now(UTC) + SETTLED,  # a bot may never run at that hour
            coalesce=True,
            misfire_grace_time=None,
        )
        self._failed = failed
        self._scheduler.add_listener(self._on_error, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Begin ticking, on the running event loop."""
        self._scheduler.start()
        self._looking = asyncio.create_task(self._look_on())

    def stop(self) -> None:
        """Tick no more; what is under way is broken off."""
        if self._looking is not None:
            self._looking.cancel()
        self._scheduler.shutdown(wait=False)

    async def _tick(self) -> None:
        self._step.note()  # when the next one is due was reckoned just now
        with suppress(asyncio.CancelledError):  # at the end: no error that anybody should read of
            await self._recheck(tick(self._now(), self._every))

    async def _tidied(self) -> None:
        with suppress(asyncio.CancelledError):
            if not await self._tidy():
                self._scheduler.modify_job("tidy", next_run_time=datetime.now(UTC) + AGAIN)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - told like all that is due and fails
                self._failed(error)

    async def look(self) -> None:
        """See whether the clock was set back since the last look."""
        self._scheduler.wakeup()  # it sleeps as long as its last look at the clock told
        if not self._step.back:
            self._step.note()
            return
        for job in self._scheduler.get_jobs():
            job.reschedule(job.trigger)
        await self._set_back()  # where that fails, the next look sees it again
        self._step.mended()

    def _on_error(self, event: JobExecutionEvent) -> None:
        self._failed(event.exception)


def tick(now: datetime, every: timedelta) -> str:
    """The name of the latest moment that is a multiple of `every`: `2026-11-22T15:05:00Z`."""
    passed = (now - EPOCH) // every
    return f"{EPOCH + passed * every:%Y-%m-%dT%H:%M:%SZ}"
