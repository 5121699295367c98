"""Jobs written to the queue's database, durably, many in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer
from dbos import error as dbos_error

from bot.errors import StoreError
from bot.job_tables import QUEUE, JobTables, queue_engine, table
from bot.jobs import Job
from bot.rows import Entry, Rows, learned

NAME = "mosaic"
WORKFLOW = "work"
VERSION = "1"  # of the jobs' format, not of the bot: see docs/decisions/0004-queue.md
BATCH = 100  # jobs recorded in one transaction


def client_of(engine: sa.Engine) -> DBOSClient:
    """What dbos lets others do with a queue's database."""
    return DBOSClient(
        system_database_engine=engine,
        serializer=DBOSPortableJSONSerializer(),
        application_name=NAME,
        use_listen_notify=False,
    )


def newest_tables() -> int | None:
    """The number of the last migration of a queue's file that this program knows.

    None where a later dbos does not tell it as this one does.
    """
    try:
        return len(importlib.import_module("dbos._migration").sqlite_migrations)
    except (ImportError, AttributeError):
        return None


class Recorder:
    """Writes jobs to the queue's database; those that come together share a transaction.

    Used by the engine, and alone by a command line that hands a job to a running bot.
    """

    def __init__(self, database_url: str) -> None:
        self._engine = queue_engine(database_url)
        self._client = client_of(self._engine)
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
        return await asyncio.to_thread(JobTables(self._engine).left, prefix)

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
        jobs = table(connection, "workflow_status", "workflow_uuid", "created_at")
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
