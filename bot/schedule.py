"""Work that is due by the clock. The only file that imports apscheduler.

It only submits work, named by its moment: of several replicas that submit the same moment's, one
piece of work results. Nothing is kept on disk; what a stopped bot missed is rechecked at start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
SETTLED = timedelta(minutes=1)  # after the start, which has enough to do


class Schedule:
    """Calls `recheck(tick)` every so often, and `tidy()` at the start and once a day."""

    def __init__(
        self,
        *,
        every: timedelta,
        recheck: Callable[[str], Awaitable[None]],
        tidy: Callable[[], Awaitable[None]],
        failed: Callable[[BaseException], None],
        now: Callable[[], datetime],
    ) -> None:
        self._every = every
        self._recheck = recheck
        self._now = now
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
            tidy,
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

    def stop(self) -> None:
        """Tick no more."""
        self._scheduler.shutdown(wait=False)

    async def _tick(self) -> None:
        await self._recheck(tick(self._now(), self._every))

    def _on_error(self, event: JobExecutionEvent) -> None:
        self._failed(event.exception)


def tick(now: datetime, every: timedelta) -> str:
    """The name of the latest moment that is a multiple of `every`: `2026-11-22T15:05:00Z`."""
    passed = (now - EPOCH) // every
    return f"{EPOCH + passed * every:%Y-%m-%dT%H:%M:%SZ}"
