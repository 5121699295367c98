"""The durable queue: what was recorded is done, once, one at a time per issue, whatever happens.

A job is recorded on disk before anybody is told that it was. Jobs of one partition (an issue) run
one after another, jobs of different partitions side by side; after a crash what was begun is begun
again, so work must bear being done twice. Work that fails in a way that may pass is recorded anew
with a delay that grows; work that keeps failing is handed to `give_up`.

The only file that imports dbos. Facts it rests on, measured with 3.4: an application version of
its own keeps recovery going over upgrades; a SQLAlchemy engine handed in is used as it is, so the
durability pragmas are ours; many jobs can be recorded in one transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from dbos import error as dbos_error
from sqlalchemy.engine import make_url

from bot.bell import Bell
from bot.errors import CoordinatorError, Retryable, StoreError
from bot.latest import Latest
from bot.rows import Entry, Rows, learned
from bot.store.database import connect_args, durable_sqlite, queue_path, sqlite_path

log = structlog.get_logger(__name__)

NAME = "mosaic"
QUEUE = "work"
WORKFLOW = "work"
VERSION = "1"  # of the jobs' format, not of the bot: see docs/decisions/0004-queue.md
BATCH = 100  # jobs recorded in one transaction
HOUR = 3600.0  # seconds; nothing is told to wait so long
READINGS_MOST = 20_000  # remembered by `Freshness`: about 5 MB
WATCH_SECONDS = 5.0  # from look to look at what this process holds as begun
STUCK_SECONDS = 15.0  # after which what it holds so, and is not at, is begun anew
BEGUN_MOST = 50  # times that a job's process may end before the job does
SETTLED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work. `id` names it for good: a job with a known id is not recorded again.

    `partition` is what only one job at a time may touch; `stamp` says when it was recorded, in the
    order of this process (see `Freshness`); `attempt` counts from 1.
    """

    id: str
    kind: str
    partition: str
    payload: str
    stamp: str = ""
    attempt: int = 1

    def dump(self) -> str:
        """The job as JSON."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, text: str) -> Job:
        """The job that `dump` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which waits, work is tried again."""

    attempts: int
    first_wait: timedelta
    longest_wait: timedelta

    def wait(self, attempt: int, asked: float | None, jitter: float) -> float:
        """Seconds to wait after `attempt` failed.

        Doubles from try to try; `asked` is Gitea's own wish (Retry-After); `jitter`, from 0 to 1,
        spreads jobs that failed together over half a wait.
        """
        longest = self.longest_wait.total_seconds()
        grown: float = min(longest, self.first_wait.total_seconds() * 2.0 ** min(attempt - 1, 30))
        return min(longest, max(asked or 0.0, grown)) * (1 + jitter / 2)


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
    ) -> None:
        self._database_url = database_url
        self._executor = executor
        self._workers = workers
        self._poll = poll
        self._policy = policy
        self._observer = observer
        self._work: Work | None = None
        self._give_up: GiveUp | None = None
        self._recorder: Recorder | None = None
        self._bells: list[Bell] = []
        self._jobs: dict[asyncio.Task[Any], str] = {}  # what runs, and the id of each
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
            self._database = queue_engine(self._database_url, at_once=False)
            await asyncio.to_thread(self._prepare)
            if self._database.dialect.name == "sqlite":  # of a file, this one is the only user
                await self._take_up(None)
            self._launch()
            self._recorder = Recorder(self._database_url)
            self._watching = asyncio.create_task(self._watch())
        except (sa.exc.DBAPIError, dbos_error.DBOSException, StoreError) as error:
            _running = None
            await asyncio.to_thread(self._close)
            why = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise StoreError(f"the queue cannot be opened: {why}") from None

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
        client = DBOSClient(
            system_database_engine=self._database,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            use_listen_notify=False,
        )
        client.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._workers,
            polling_interval_sec=self._poll.total_seconds(),
            on_conflict="always_update",
        )
        client.destroy()
        with self._database.begin() as connection:
            _hurry(connection, beyond=max(HOUR, 2 * self._policy.longest_wait.total_seconds()))

    # -- several replicas -------------------------------------------------------------------

    async def take_over(self, names: Collection[str]) -> int:
        """Put what these executors had begun back into the queue; how many jobs that is.

        Raises StoreError.
        """
        with _answering():
            return await self._take_up(names)

    async def _take_up(self, names: Collection[str] | None) -> int:
        """The same of these or of all; what ended its process again and again is set aside."""
        assert self._give_up is not None
        for job in await asyncio.to_thread(_worn, self._database, names):
            error = CoordinatorError(f"the bot ended {BEGUN_MOST} times while it was at this")
            log.error("job.set_aside", job=job.id, error=str(error))
            await self._give_up(job, error)
            await asyncio.to_thread(_end, self._database, job)

        def put_back() -> int:
            with self._database.begin() as connection:
                return _put_back(connection, names)

        return await asyncio.to_thread(put_back)

    async def orphans(self, known: Collection[str], older: timedelta) -> list[str]:
        """The other executors that have begun a job longer ago than that. Raises StoreError."""
        with _answering():
            return await asyncio.to_thread(_orphans, self._database, known, older)

    def break_off(self) -> None:
        """Break off what runs, and begin nothing, until `rename`: others may do it by now."""
        self._broken_off = True
        for task in self._jobs:
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
            self._database = queue_engine(self._database_url, at_once=False)
            self._broken_off = False
            try:
                self._launch()
            except (sa.exc.DBAPIError, dbos_error.DBOSException) as error:
                self._broken_off = True
                raise StoreError(f"the queue cannot be opened: {error}") from None

    async def hurry(self) -> None:
        """Have all be due now that waits for its time: the clock was set. Raises StoreError."""

        def hurry() -> None:
            with self._database.begin() as connection:
                _hurry(connection, beyond=0)

        with _answering():
            await asyncio.to_thread(hurry)

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
        with _answering():
            begun = await asyncio.to_thread(_begun, self._database, self._executor)
            running, now = set(self._jobs.values()), time.monotonic()
            idle = [one for one in begun if one[0] not in running]
            self._idle = {one: self._idle.get(one, now) for one in idle}
            stuck = [one[0] for one, since in self._idle.items() if now - since >= STUCK_SECONDS]
            if not stuck or self._stopping.is_set():
                return 0
            log.warning("job.end_not_kept", jobs=stuck)
            return await asyncio.to_thread(_again, self._database, self._executor, stuck)

    # -- jobs -------------------------------------------------------------------------------

    async def submit(self, job: Job, *, delay: float = 0.0) -> None:
        """Record a job durably; it runs no sooner than `delay` seconds from now.

        Raises StoreError when it could not be recorded; then nothing was.
        """
        if self._recorder is None:
            raise StoreError("the queue is not open")
        await self._recorder.record(job, delay)
        if not delay:
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
        self._jobs[task] = job.id
        begun = time.monotonic()
        outcome = "left"
        try:
            with structlog.contextvars.bound_contextvars(job=job.id, attempt=job.attempt):
                try:
                    await self._work(job)
                    outcome = "done"
                except Exception as error:  # noqa: BLE001 - the one place that catches all of a job's
                    outcome = await self._failed(job, error)
        finally:
            del self._jobs[task]
            self._observer.job(job.kind, outcome, time.monotonic() - begun)

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
        with _answering():
            return await asyncio.to_thread(_left_of, self._database, prefix)

    async def put_off(self, partition: str) -> list[Job]:
        """The jobs of a partition that failed, and wait to be tried again, or may be by now.

        Raises StoreError.
        """
        with _answering():
            return await asyncio.to_thread(_put_off, self._database, partition)

    async def counts(self) -> dict[str, int]:
        """How many jobs are waiting, delayed and running in the whole queue. Raises StoreError."""
        with _answering():
            return await asyncio.to_thread(self._counts)

    def _counts(self) -> dict[str, int]:
        names = {"ENQUEUED": "waiting", "DELAYED": "delayed", "PENDING": "running"}
        with self._database.connect() as connection:
            jobs = _table(connection, "workflow_status", "status", "queue_name").c
            rows = connection.execute(
                sa.select(jobs.status, sa.func.count())
                .where(jobs.queue_name.is_not(None), jobs.status.in_(names))
                .group_by(jobs.status)
            )
            return dict.fromkeys(names.values(), 0) | {names[row[0]]: row[1] for row in rows}

    async def ages(self) -> dict[str, float]:
        """Seconds since the oldest job began to wait, and to run; 0 where there is none.

        Waiting begins when it could run: delayed jobs do not count. Raises StoreError.
        """
        with _answering():
            return await asyncio.to_thread(_ages, self._database, time.time() * 1000)

    async def forget(self, before: datetime, most: int) -> int:
        """Delete finished jobs that were recorded before that, `most` of them; how many it were.

        Raises StoreError.
        """
        with _answering():
            return await asyncio.to_thread(
                _forget, self._database, int(before.timestamp() * 1000), most
            )

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
        with contextlib.suppress(sa.exc.SQLAlchemyError), self._database.begin() as connection:
            _put_back(connection, [self._executor])
            self.holds_work = False
        self._database.dispose()

    async def _finish(self, seconds: float) -> None:
        """Wait for what runs; what takes longer is broken off, and stays recorded as begun."""
        end = time.monotonic() + seconds
        while self._jobs and (left := end - time.monotonic()) > 0:
            await asyncio.wait(self._jobs, timeout=left)
        tasks = list(self._jobs)
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


def again(job: Job) -> Job:
    """The next attempt at a job, as a job of its own."""
    origin = job.id.rsplit("~", 1)[0] if job.attempt > 1 else job.id
    return replace(job, id=f"{origin}~{job.attempt + 1}", attempt=job.attempt + 1)


class Recorder:
    """Writes jobs to the queue's database; those that come together share a transaction.

    Used by the engine, and alone by a command line that hands a job to a running bot.
    """

    def __init__(self, database_url: str) -> None:
        self._engine = queue_engine(database_url)
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            use_listen_notify=False,
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recorder")
        self._latest = 0  # milliseconds: when the job before was recorded
        self._pending: list[tuple[Job, float, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, job: Job, delay: float = 0.0) -> None:
        """Record a job; returns when it is on disk. Raises StoreError when it is not."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((job, delay, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await future

    async def left(self, prefix: str) -> int:
        """How many jobs whose ids begin so are not done. Raises StoreError."""
        with _answering():
            return await asyncio.to_thread(_left_of, self._engine, prefix)

    async def close(self) -> None:
        """Write what is pending, and let go of the database."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()
        await asyncio.to_thread(self._client.destroy)
        self._engine.dispose()

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
            jobs = [(job, delay) for job, delay, _ in batch]
            error: StoreError | None = None
            try:
                await loop.run_in_executor(self._thread, self._write, jobs)
            except Exception as failed:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                error = StoreError(f"the work could not be recorded: {failed}")
            for *_, future in batch:
                if future.done():
                    continue
                if error:
                    future.set_exception(error)
                else:
                    future.set_result(None)

    def _write(self, jobs: Sequence[tuple[Job, float]]) -> None:
        rows, entries = self._rows, self._entries(jobs)
        quick = [entry for entry, delay in entries if rows and delay <= 0]
        with self._engine.begin() as connection:
            if rows and quick:
                rows.write(connection, quick)
            for entry, delay in entries:
                if rows is None or delay > 0:
                    self._enqueue(connection, entry, delay)

    def _entries(self, jobs: Sequence[tuple[Job, float]]) -> list[tuple[Entry, float]]:
        """What is written of jobs, each a millisecond after the one before: they are done in order.

        Those of a partition are done by the time of their row, which dbos leaves to the database:
        whole seconds in SQLite below Python 3.12, the transaction's beginning in PostgreSQL.
        """
        first = max(self._latest + 1, int(time.time() * 1000))
        self._latest = first + len(jobs) - 1
        return [
            (Entry(job.id, job.partition, job.dump(), first + nth), delay)
            for nth, (job, delay) in enumerate(jobs)
        ]

    @cached_property
    def _rows(self) -> Rows | None:
        """A quicker way than dbos's own to write jobs that are not delayed."""
        sqlite = self._engine.dialect.name == "sqlite"
        return learned(self._engine, self._enqueue) if sqlite else None

    def _enqueue(self, connection: sa.Connection, entry: Entry, delay: float = 0.0) -> None:
        """Have dbos record a job, unless its id is known."""
        jobs = _table(connection, "workflow_status", "workflow_uuid", "created_at")
        with contextlib.suppress(dbos_error.DBOSWorkflowIDInUseError):
            options = _options(entry, delay)
            self._client.enqueue_in_transaction(connection, options, entry.text)
            mine = sa.update(jobs).where(jobs.c.workflow_uuid == entry.id)
            connection.execute(mine.values(created_at=_recorded(connection, entry.at)))


def _recorded(connection: sa.Connection, ours: int) -> Any:  # noqa: ANN401 - SQL, or a number
    """When a job is recorded: where replicas share the database, by its clock, which is one."""
    if connection.dialect.name == "sqlite":
        return ours
    seconds = sa.func.extract("epoch", sa.func.clock_timestamp())
    return sa.cast(seconds * 1000, sa.BigInteger)


def _options(entry: Entry, delay: float) -> Any:  # noqa: ANN401 - a TypedDict of dbos's
    options = {
        "queue_name": QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": entry.id,
        "workflow_id_reuse_policy": "reject",
        "queue_partition_key": entry.partition,
        "app_version": VERSION,
    }
    return options | ({"delay_seconds": delay} if delay > 0 else {})


def newest_tables() -> int | None:
    """The number of the last migration of a queue's file that this program knows.

    None where a later dbos does not tell it as this one does.
    """
    try:
        return len(importlib.import_module("dbos._migration").sqlite_migrations)
    except (ImportError, AttributeError):
        return None


def queue_engine(database_url: str, *, at_once: bool = True) -> sa.Engine:
    """The queue's database: a file beside the bot's own, or the same PostgreSQL.

    Of a file, what is written is on disk at once, or else with what is written so later. What is
    lost of the latter at a power cut is that a job was begun or done: it is begun again.
    """
    path = sqlite_path(database_url)
    if path is None:
        url = make_url(database_url).set(drivername="postgresql+psycopg")
        args = connect_args(database_url)
        return sa.create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=args)
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{queue_path(path)}")
    sa.event.listen(engine, "connect", durable_sqlite)
    if not at_once:
        sa.event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=NORMAL"))
    return engine


def _put_back(
    connection: sa.Connection,
    names: Collection[str] | None = None,
    ids: Collection[str] | None = None,
) -> int:
    """Make what was begun, by these executors or by any, work that nobody has begun."""
    jobs = _table(
        connection,
        "workflow_status",
        *("workflow_uuid", "status", "executor_id", "owner_xid"),
        *("started_at_epoch_ms", "queue_name"),
    )
    begun = sa.update(jobs).where(jobs.c.status == "PENDING", jobs.c.queue_name == QUEUE)
    if names is not None:
        begun = begun.where(jobs.c.executor_id.in_(names))
    if ids is not None:
        begun = begun.where(jobs.c.workflow_uuid.in_(ids))
    values = {"status": "ENQUEUED", "owner_xid": None, "started_at_epoch_ms": None}
    return int(connection.execute(begun.values(**values)).rowcount)


def _job_of(inputs: str) -> Job:
    """From what DBOSPortableJSONSerializer wrote."""
    return Job.load(json.loads(inputs)["positionalArgs"][0])


def _put_off(engine: sa.Engine, partition: str) -> list[Job]:
    """Told by their ids (see `again`), so that the rest of a long queue is not read for it."""
    with engine.connect() as connection:
        columns = "workflow_uuid", "status", "queue_name", "queue_partition_key"
        jobs = _table(connection, "workflow_status", *columns)
        inputs = _table(connection, "workflow_input", "workflow_uuid", "inputs")
        found = connection.execute(
            sa.select(inputs.c.inputs)
            .join(jobs, jobs.c.workflow_uuid == inputs.c.workflow_uuid)
            .where(jobs.c.status.in_(("DELAYED", "ENQUEUED")))
            .where(jobs.c.queue_name == QUEUE, jobs.c.queue_partition_key == partition)
            .where(jobs.c.workflow_uuid.contains("~", autoescape=True))
        )
        return [_job_of(text) for text in found.scalars()]


def _worn(engine: sa.Engine, names: Collection[str] | None) -> list[Job]:
    """What these executors, or any, had begun, and was begun too often before."""
    with engine.connect() as connection:
        columns = "workflow_uuid", "status", "executor_id", "queue_name", "recovery_attempts"
        jobs = _table(connection, "workflow_status", *columns)
        inputs = _table(connection, "workflow_input", "workflow_uuid", "inputs")
        begun = (
            sa.select(inputs.c.inputs)
            .join(jobs, jobs.c.workflow_uuid == inputs.c.workflow_uuid)
            .where(jobs.c.status == "PENDING", jobs.c.queue_name == QUEUE)
            .where(jobs.c.recovery_attempts >= BEGUN_MOST)
        )
        if names is not None:
            begun = begun.where(jobs.c.executor_id.in_(names))
        return [_job_of(text) for text in connection.execute(begun).scalars()]


def _end(engine: sa.Engine, job: Job) -> None:
    """It is not to be begun again."""
    with engine.begin() as connection:
        jobs = _table(connection, "workflow_status", "workflow_uuid", "status")
        mine = sa.update(jobs).where(jobs.c.workflow_uuid == job.id, jobs.c.status == "PENDING")
        connection.execute(mine.values(status="CANCELLED"))


def _begun(engine: sa.Engine, executor: str) -> list[tuple[str, int]]:
    """What an executor holds as begun: the ids, and when each was begun, in milliseconds."""
    with engine.connect() as connection:
        columns = "workflow_uuid", "status", "queue_name", "executor_id", "started_at_epoch_ms"
        jobs = _table(connection, "workflow_status", *columns).c
        mine = (jobs.executor_id == executor, jobs.queue_name == QUEUE, jobs.status == "PENDING")
        rows = connection.execute(
            sa.select(jobs.workflow_uuid, jobs.started_at_epoch_ms).where(*mine)
        )
        return [(str(name), int(at or 0)) for name, at in rows]


def _again(engine: sa.Engine, executor: str, ids: Collection[str]) -> int:
    with engine.begin() as connection:
        return _put_back(connection, [executor], ids)


def _orphans(engine: sa.Engine, known: Collection[str], older: timedelta) -> list[str]:
    """Of PostgreSQL's clock, as dbos takes it when a job is begun."""
    now_ms = sa.cast(sa.func.extract("epoch", sa.func.now()) * 1000, sa.BigInteger)
    with engine.connect() as connection:
        columns = "status", "queue_name", "executor_id", "started_at_epoch_ms"
        jobs = _table(connection, "workflow_status", *columns)
        statement = (
            sa.select(jobs.c.executor_id)
            .distinct()
            .where(
                jobs.c.status == "PENDING",
                jobs.c.queue_name == QUEUE,
                jobs.c.executor_id.not_in(known),
                jobs.c.started_at_epoch_ms < now_ms - int(older.total_seconds() * 1000),
            )
        )
        return sorted(str(row[0]) for row in connection.execute(statement))


def _hurry(connection: sa.Connection, *, beyond: float) -> None:
    """What is to wait more than so many seconds is due now: a clock was set back since."""
    now_ms = int(time.time() * 1000)
    jobs = _table(connection, "workflow_status", "status", "delay_until_epoch_ms")
    late = jobs.c.delay_until_epoch_ms > now_ms + int(beyond * 1000)
    waiting = sa.update(jobs).where(jobs.c.status == "DELAYED", late)
    connection.execute(waiting.values(delay_until_epoch_ms=now_ms))


def _ages(engine: sa.Engine, now_ms: float) -> dict[str, float]:
    with engine.connect() as connection:
        columns = (
            "status",
            "queue_name",
            "created_at",
            "delay_until_epoch_ms",
            "started_at_epoch_ms",
        )
        jobs = _table(connection, "workflow_status", *columns).c
        since = {
            "waiting": ("ENQUEUED", sa.func.coalesce(jobs.delay_until_epoch_ms, jobs.created_at)),
            "running": ("PENDING", jobs.started_at_epoch_ms),
        }
        found = {
            name: connection.execute(
                sa.select(sa.func.min(begun)).where(
                    jobs.status == status, jobs.queue_name.is_not(None)
                )
            ).scalar()
            for name, (status, begun) in since.items()
        }
    return {name: max(0.0, now_ms - at) / 1000 if at else 0.0 for name, at in found.items()}


def _forget(engine: sa.Engine, before_ms: int, most: int) -> int:
    """Of dbos's tables only these three grow: our jobs have no steps, events or streams."""
    with engine.begin() as connection:
        jobs = _table(connection, "workflow_status", "workflow_uuid", "status", "created_at").c
        old = (
            sa.select(jobs.workflow_uuid)
            .where(jobs.status.in_(SETTLED), jobs.created_at < before_ms)
            .order_by(jobs.created_at)
            .limit(most)
        )
        ids = [row[0] for row in connection.execute(old)]  # what is settled stays so
        for name in ("workflow_input", "workflow_output", "workflow_status"):
            rows = _table(connection, name, "workflow_uuid")  # no foreign key ties them
            connection.execute(sa.delete(rows).where(rows.c.workflow_uuid.in_(ids)))
        return len(ids)


def _left_of(engine: sa.Engine, prefix: str) -> int:
    with engine.connect() as connection:
        jobs = _table(connection, "workflow_status", "status", "workflow_uuid").c
        counted = sa.select(sa.func.count()).where(
            jobs.workflow_uuid.startswith(prefix, autoescape=True), jobs.status.not_in(SETTLED)
        )
        return int(connection.execute(counted).scalar_one())


def _table(connection: sa.Connection, name: str, *columns: str) -> sa.TableClause:
    """A table of dbos's, as far as it is asked here."""
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    return sa.table(name, *map(sa.column, columns), schema=schema)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"the queue does not answer: {error}") from None


def _matters(record: logging.LogRecord) -> bool:
    """That a job was broken off is no trouble: it is left for the next start."""
    return not record.getMessage().startswith("Asyncio task cancelled")


def _loudness() -> int:
    """Of its own log lines only those that matter, and fewer where fewer of ours are wanted."""
    return max(logging.WARNING, logging.getLogger().level)


class Freshness:
    """Tells whether a job was recorded before its issue was last read.

    No clock is asked: jobs get a number when they are recorded, a reading the number at its
    beginning. Jobs recorded before this process began are older than any reading in it; jobs of
    other replicas cannot be compared, and are never skipped. Of readings the latest `most` are
    remembered: an issue whose reading is forgotten is looked at once too often.
    """

    def __init__(self, executor: str, boot: str, *, most: int = READINGS_MOST) -> None:
        self._executor = executor
        self._boot = boot
        self._number = 0
        self._read: Latest[object, int] = Latest(most)

    def stamp(self) -> str:
        """The mark of a job recorded now."""
        self._number += 1
        return f"{self._executor}/{self._boot}/{self._number}"

    def begin(self) -> int:
        """Called before an issue is read; hand it to `done` when the work is complete."""
        return self._number

    def done(self, about: object, begun: int) -> None:
        """Everything recorded up to `begun` is covered by a reading that is complete."""
        self._read[about] = max(begun, self._read.get(about, 0))

    def forget(self, about: object) -> None:
        """No reading covers it any longer: more is known than a reading could find."""
        self._read.pop(about, None)

    def covers(self, about: object, stamp: str) -> bool:
        """Whether a job of that stamp has nothing left to do."""
        executor, _, rest = stamp.partition("/")
        boot, _, rest = rest.partition("/")
        number, _, _ = rest.partition("/")  # behind it may stand when it came
        if about not in self._read or executor != self._executor or not number.isdigit():
            return False
        return boot != self._boot or int(number) <= self._read[about]


def timed(stamp: str, now: datetime) -> str:
    """A stamp that also tells when its job was recorded; earlier versions take it for unknown."""
    return f"{stamp}/{now.timestamp():.3f}"


def recorded_at(job: Job) -> datetime | None:
    """When a job with a `timed` stamp was recorded first, however often it was tried since."""
    told = job.stamp.split("/")[3:]
    try:
        return datetime.fromtimestamp(float(told[0]), UTC) if told else None
    except (ValueError, OverflowError, OSError):
        return None


def failed_how(error: Exception) -> str:
    """One line on what went wrong, for the list of work set aside; never a traceback."""
    if isinstance(error, CoordinatorError):
        return str(error)
    return f"internal error ({type(error).__name__}); the log has the details"
