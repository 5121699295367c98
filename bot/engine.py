"""The durable queue: what was recorded is done, once, one at a time per issue, whatever happens.

A job is recorded on disk before anybody is told that it was. Jobs of one partition (an issue) run
one after another, jobs of different partitions side by side; after a crash what was begun is begun
again, so work must bear being done twice. Work that fails in a way that may pass is recorded anew
with a delay that grows; work that keeps failing is handed to `give_up`.

Only this file and `recorder.py` import dbos. Facts they rest on, measured with 3.4: an application
version of its own keeps recovery going over upgrades; a SQLAlchemy engine handed in is used as it
is, so the durability pragmas are ours; many jobs can be recorded in one transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from dbos import error as dbos_error

from bot.bell import Bell
from bot.clock_step import ClockStep
from bot.errors import CoordinatorError, Retryable, StoreError
from bot.job_tables import BEGUN_MOST, QUEUE, JobTables, queue_engine, reason
from bot.jobs import Job, RetryPolicy, again
from bot.recorder import NAME, VERSION, WORKFLOW, Recorder, client_of

log = structlog.get_logger(__name__)

HOUR = 3600.0  # seconds; nothing is told to wait so long
WATCH_SECONDS = 5.0  # from look to look at what this process holds as begun
STUCK_SECONDS = 15.0  # after which what it holds so, and is not at, is begun anew


class Observer(Protocol):
    """What the metrics want to know of work."""

    def job(self, kind: str, outcome: str, seconds: float) -> None:
        """Called at the end of every attempt: done, retried, set-aside, or left (see `stop`)."""


Work = Callable[[Job], Awaitable[None]]
GiveUp = Callable[[Job, Exception], Awaitable[None]]

_running: Engine | None = None  # dbos is one per process, and so is this


class Engine:
    """The queue of this process. At most one may be started at a time."""

    def __init__(
        self,
        database_url: str,
        *,
        executor: str,
        workers: int,
        poll: timedelta,
        policy: RetryPolicy,
        observer: Observer,
        step: ClockStep,
    ) -> None:
        self._database_url = database_url
        self._executor = executor
        self._workers = workers
        self._poll = poll
        self._policy = policy
        self._observer = observer
        self._step = step
        self._work: Work | None = None
        self._give_up: GiveUp | None = None
        self._recorder: Recorder | None = None
        self._bells: list[Bell] = []
        self._running: dict[asyncio.Task[Any], str] = {}  # what runs, and the id of each
        self._idle: dict[tuple[str, int], float] = {}  # begun, and not running: since when
        self._watching: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._broken_off = False
        self._renaming = asyncio.Lock()
        self.holds_work = False  # once it has ended: what was begun could not be put back

    @property
    def executor(self) -> str:
        """The name under which this process holds work."""
        return self._executor

    async def start(self, work: Work, give_up: GiveUp) -> None:
        """Open the queue and take up what was left; `work` does a job, `give_up` keeps a lost one.

        Raises StoreError when the queue's database cannot be opened.
        """
        global _running  # noqa: PLW0603 - dbos holds one instance per process
        self._work, self._give_up = work, give_up
        _running = self
        logging.getLogger("dbos").setLevel(_loudness())
        logging.getLogger("dbos").addFilter(_matters)
        try:
            self._open()
            await asyncio.to_thread(self._prepare)
            if self._database.dialect.name == "sqlite":  # of a file, this one is the only user
                await self.take_over(None)
            self._launch()
            self._recorder = Recorder(self._database_url)
            self._watching = asyncio.create_task(self._watch())
        except (sa.exc.DBAPIError, dbos_error.DBOSException, StoreError) as error:
            _running = None
            await asyncio.to_thread(self._close)
            raise StoreError(f"the queue cannot be opened: {reason(error)}") from None

    def _open(self) -> None:
        self._database = queue_engine(self._database_url, at_once=False)
        self._jobs = JobTables(self._database)

    def _launch(self) -> None:
        self._dbos = DBOS(config=self._config(self._database))
        DBOS.launch()  # not in a thread: jobs run on the loop that launches
        events = self._dbos.background_thread_stop_events
        self._bells = [Bell.hang(event, f"queue-worker-{QUEUE}") for event in events]

    def _config(self, engine: sa.Engine) -> DBOSConfig:
        return {
            "name": NAME,
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "application_version": VERSION,
            "executor_id": self._executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": logging.getLevelName(_loudness()),
            "use_listen_notify": False,
            "scheduler_polling_interval_sec": 3600.0,
            "notification_listener_polling_interval_sec": 0.2,  # it delays stopping by so much
        }

    def _prepare(self) -> None:
        """Make the tables and the queue first: launched after it, dbos polls it at once."""
        self._database.connect().close()  # a new file is made as we open it, not as dbos does
        DBOS.migrate(self._database.url.render_as_string(hide_password=False))
        client = client_of(self._database)
        client.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._workers,
            polling_interval_sec=self._poll.total_seconds(),
            on_conflict="always_update",
        )
        client.destroy()
        longest = self._policy.longest_wait.total_seconds()
        self._jobs.hurry(beyond=max(HOUR, 2 * longest))

    # -- several replicas -------------------------------------------------------------------

    async def take_over(self, names: Collection[str] | None) -> int:
        """Put what these executors, or any, had begun back into the queue; how many jobs that is.

        What ended its process again and again is set aside. Raises StoreError.
        """
        assert self._give_up is not None
        for job in await asyncio.to_thread(self._jobs.worn, names):
            error = CoordinatorError(f"the bot ended {BEGUN_MOST} times while it was at this")
            log.error("job.set_aside", job=job.id, error=str(error))
            await self._give_up(job, error)
            await asyncio.to_thread(self._jobs.end, job)
        return await asyncio.to_thread(self._jobs.put_back, names)

    async def orphans(self, known: Collection[str], older: timedelta) -> list[str]:
        """The other executors that have begun a job longer ago than that. Raises StoreError."""
        return await asyncio.to_thread(self._jobs.orphans, known, older)

    def break_off(self) -> None:
        """Break off what runs, and begin nothing, until `rename`: others may do it by now."""
        self._broken_off = True
        for task in self._running:
            task.cancel()

    async def rename(self, executor: str) -> None:
        """Go on under another name, with nothing begun; what comes in is recorded meanwhile.

        Nothing once it stops. Raises StoreError.
        """
        self.break_off()
        async with self._renaming:
            if self._stopping.is_set():
                return
            await self._finish(0)
            await asyncio.to_thread(self._close)
            self._executor = executor
            self._open()
            self._broken_off = False
            try:
                self._launch()
            except (sa.exc.DBAPIError, dbos_error.DBOSException) as error:
                self._broken_off = True
                raise StoreError(f"the queue cannot be opened: {reason(error)}") from None

    async def hurry(self) -> None:
        """Have all be due now that waits for its time: the clock was set. Raises StoreError."""
        await asyncio.to_thread(self._jobs.hurry, beyond=0)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.free()
            except StoreError as error:
                log.warning("queue.silent", error=str(error))
            except Exception:
                log.exception("queue.silent")

    async def free(self) -> int:
        """Put back what is begun and does not run; how many jobs that is. Raises StoreError.

        A job may be done and its end not written down, because the disk was full: nobody else
        would begin another one of its partition before the next start.
        """
        begun = await asyncio.to_thread(self._jobs.begun, self._executor)
        running, now = set(self._running.values()), time.monotonic()
        idle = [one for one in begun if one[0] not in running]
        self._idle = {one: self._idle.get(one, now) for one in idle}
        stuck = [one[0] for one, since in self._idle.items() if now - since >= STUCK_SECONDS]
        if not stuck or self._stopping.is_set():
            return 0
        log.warning("job.end_not_kept", jobs=stuck)
        return await asyncio.to_thread(self._jobs.put_back, [self._executor], stuck)

    # -- jobs -------------------------------------------------------------------------------

    async def submit(self, job: Job, *, delay: float = 0.0) -> None:
        """Record a job durably; it runs no sooner than `delay` seconds from now.

        Raises StoreError when it could not be recorded; then nothing was.
        """
        if self._recorder is None:
            raise StoreError("the queue is not open")
        if delay:
            self._step.note()
        await self._recorder.record(job, delay)
        if not delay:  # first, whoever waits for this is answered
            asyncio.get_running_loop().call_soon(self._ring)

    def _ended(self, _task: object) -> None:
        """Its end is written down, and the next one of its partition may begin."""
        self._ring()

    def _ring(self) -> None:
        for bell in self._bells:
            bell.ring()

    async def run(self, text: str) -> None:
        """One attempt at a recorded job; never raises what another attempt could mend."""
        assert self._work is not None
        if self._stopping.is_set() or self._broken_off:
            raise _left()
        task = asyncio.current_task()
        assert task is not None
        job = Job.load(text)
        self._running[task] = job.id
        task.add_done_callback(self._ended)
        begun = time.monotonic()
        outcome = "left"
        try:
            await self._alone(job)
            with structlog.contextvars.bound_contextvars(job=job.id, attempt=job.attempt):
                try:
                    await self._work(job)
                    outcome = "done"
                except Exception as error:  # noqa: BLE001 - the one place that catches all of a job's
                    outcome = await self._failed(job, error)
        finally:
            del self._running[task]
            self._observer.job(job.kind, outcome, time.monotonic() - begun)

    async def _alone(self, job: Job) -> None:
        """Leave a job where another replica is at one of its partition; see `step_back`."""
        if self._database.dialect.name == "sqlite":  # of a file, this one is the only user
            return
        try:
            if not await asyncio.to_thread(self._jobs.step_back, job):
                return
        except StoreError as error:  # begun as it is, it is put back before long; see `free`
            log.warning("queue.silent", error=str(error))
        else:
            log.info("job.stepped_back", job=job.id)
        raise _left()

    async def _failed(self, job: Job, error: Exception) -> str:
        passing = isinstance(error, Retryable | StoreError)
        if passing and job.attempt < self._policy.attempts:
            asked = error.retry_after if isinstance(error, Retryable) else None
            wait = self._policy.wait(job.attempt, asked, random.random())  # noqa: S311
            log.warning("job.retry", error=str(error), wait=round(wait, 1))
            await self._keep(lambda: self.submit(again(job), delay=wait))
            return "retried"
        known = isinstance(error, CoordinatorError)
        log.error("job.set_aside", error=str(error), exc_info=None if known else error)
        give_up = self._give_up
        assert give_up is not None
        await self._keep(lambda: give_up(job, error))
        return "set-aside"

    async def _keep(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write down what became of a job, however long the disk is full; else it would be lost."""
        for attempt in itertools.count(1):
            try:
                return await write()
            except StoreError as error:
                wait = self._policy.wait(attempt, None, random.random())  # noqa: S311
                log.error("job.not_kept", error=str(error), wait=round(wait, 1))  # noqa: TRY400
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            if self._stopping.is_set():
                raise _left()
        raise AssertionError  # pragma: no cover

    async def left(self, prefix: str) -> int:
        """How many jobs whose ids begin so are not done. Raises StoreError."""
        return await asyncio.to_thread(self._jobs.left, prefix)

    async def put_off(self, partition: str) -> list[Job]:
        """The jobs of a partition that failed, and wait to be tried again, or may be by now.

        Raises StoreError.
        """
        return await asyncio.to_thread(self._jobs.put_off, partition)

    async def counts(self) -> dict[str, int]:
        """How many jobs are waiting, delayed and running in the whole queue. Raises StoreError."""
        return await asyncio.to_thread(self._jobs.counts)

    async def ages(self) -> dict[str, float]:
        """Seconds since the oldest job began to wait, and to run; 0 where there is none.

        Waiting begins when it could run: delayed jobs do not count. Raises StoreError.
        """
        return await asyncio.to_thread(self._jobs.ages, time.time() * 1000)

    async def forget(self, before: datetime, most: int) -> int:
        """Delete finished jobs that were recorded before that, `most` of them; how many it were.

        Raises StoreError.
        """
        return await asyncio.to_thread(self._jobs.forget, int(before.timestamp() * 1000), most)

    async def rest(self, limit: timedelta) -> None:
        """Begin nothing more; what runs may finish within `limit`. What comes is still recorded."""
        self._stopping.set()
        if self._watching is not None:
            self._watching.cancel()
        for event in self._dbos.background_thread_stop_events:
            event.set()
        await self._finish(limit.total_seconds())

    async def stop(self, limit: timedelta) -> None:
        """Take no new work; what runs may finish within `limit`, the rest is for the next start."""
        global _running  # noqa: PLW0603
        await self.rest(limit)
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            await recorder.close()
        async with self._renaming:
            await asyncio.to_thread(self._close)
        if _running is self:
            _running = None

    def _close(self) -> None:
        """What did not get done is for whoever is there first, another replica or the next start.

        Where that cannot be written, they find it as that of a dead one.
        """
        DBOS.destroy(workflow_completion_timeout_sec=0)
        self.holds_work = True
        with contextlib.suppress(StoreError):
            self._jobs.put_back([self._executor])
            self.holds_work = False
        self._database.dispose()

    async def _finish(self, seconds: float) -> None:
        """Wait for what runs; what takes longer is broken off, and stays recorded as begun."""
        end = time.monotonic() + seconds
        while self._running and (left := end - time.monotonic()) > 0:
            await asyncio.wait(self._running, timeout=left)
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)  # see BEGUN_MOST: dbos tells nobody
async def _workflow(job: str) -> None:
    if _running is None:  # pragma: no cover - dbos itself is gone before this can be
        raise _left()
    await _running.run(job)


def _left() -> asyncio.CancelledError:
    """What ends a job without a result, so that the next start takes it up again.

    dbos notes any other exception as the job's end.
    """
    return asyncio.CancelledError("left for the next start")


def _matters(record: logging.LogRecord) -> bool:
    """That a job was broken off is no trouble: it is left for the next start."""
    return not record.getMessage().startswith("Asyncio task cancelled")


def _loudness() -> int:
    """Of its own log lines only those that matter, and fewer where fewer of ours are wanted."""
    return max(logging.WARNING, logging.getLogger().level)
