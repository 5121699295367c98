"""The queue's database: dbos's tables, as far as the bot reads and changes them by itself.

dbos begins and ends jobs there; what it has no word for is asked here, in SQL. Its names of states:
ENQUEUED waits to be begun, DELAYED for its time, PENDING is begun.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection, Iterator
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.errors import StoreError
from bot.jobs import Job
from bot.store.database import connect_args, durable_sqlite, queue_path, sqlite_path

QUEUE = "work"
BEGUN_MOST = 50  # times that a job's process may end before the job does
SETTLED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


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


def table(connection: sa.Connection, name: str, *columns: str) -> sa.TableClause:
    """A table of dbos's, as far as it is asked."""
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    return sa.table(name, *map(sa.column, columns), schema=schema)


def reason(error: Exception) -> object:
    """What the database itself says is wrong, without the statement that was made."""
    return getattr(error, "orig", None) or error


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Raise StoreError where the database does not do what is asked of it."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"the queue does not answer: {reason(error)}") from None


class JobTables:
    """Asks and changes the jobs of a database. Each call raises StoreError where it is silent.

    To be called in a thread. An *executor* is the name under which a process holds jobs.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # -- what was begun ---------------------------------------------------------------------

    def put_back(
        self, executors: Collection[str] | None = None, ids: Collection[str] | None = None
    ) -> int:
        """Make what these executors, or any, had begun, work that nobody has begun; how many.

        With `ids`, of these only.
        """
        with self._transaction() as connection:
            jobs = table(
                connection,
                "workflow_status",
                *("workflow_uuid", "status", "executor_id", "owner_xid"),
                *("started_at_epoch_ms", "queue_name"),
            )
            begun = sa.update(jobs).where(jobs.c.status == "PENDING", jobs.c.queue_name == QUEUE)
            if executors is not None:
                begun = begun.where(jobs.c.executor_id.in_(executors))
            if ids is not None:
                begun = begun.where(jobs.c.workflow_uuid.in_(ids))
            values = {"status": "ENQUEUED", "owner_xid": None, "started_at_epoch_ms": None}
            return int(connection.execute(begun.values(**values)).rowcount)

    def step_back(self, job: Job) -> bool:
        """Whether another job of its partition is begun, too; then this one waits for it again.

        dbos lets each worker begin a partition's first job where none is begun. Which one is first
        two workers may see differently, where a job becomes visible later than one that was
        recorded after it: then both are begun.
        """
        with self._reading() as connection:
            columns = "workflow_uuid", "status", "queue_name", "queue_partition_key"
            jobs = table(connection, "workflow_status", *columns).c
            others = sa.select(sa.func.count()).where(
                *(jobs.status == "PENDING", jobs.queue_name == QUEUE),
                *(jobs.queue_partition_key == job.partition, jobs.workflow_uuid != job.id),
            )
            if not connection.execute(others).scalar_one():
                return False
        self.put_back(ids=[job.id])
        return True

    def worn(self, executors: Collection[str] | None) -> list[Job]:
        """What these executors, or any, had begun, and was begun too often before."""
        with self._reading() as connection:
            columns = "workflow_uuid", "status", "executor_id", "queue_name", "recovery_attempts"
            jobs = table(connection, "workflow_status", *columns)
            inputs = table(connection, "workflow_input", "workflow_uuid", "inputs")
            begun = (
                sa.select(inputs.c.inputs)
                .join(jobs, jobs.c.workflow_uuid == inputs.c.workflow_uuid)
                .where(jobs.c.status == "PENDING", jobs.c.queue_name == QUEUE)
                .where(jobs.c.recovery_attempts >= BEGUN_MOST)
            )
            if executors is not None:
                begun = begun.where(jobs.c.executor_id.in_(executors))
            return [_job_of(text) for text in connection.execute(begun).scalars()]

    def end(self, job: Job) -> None:
        """What was begun is not to be begun again."""
        with self._transaction() as connection:
            jobs = table(connection, "workflow_status", "workflow_uuid", "status")
            mine = sa.update(jobs).where(jobs.c.workflow_uuid == job.id, jobs.c.status == "PENDING")
            connection.execute(mine.values(status="CANCELLED"))

    def begun(self, executor: str) -> list[tuple[str, int]]:
        """What an executor holds as begun: the ids, and when each was begun, in milliseconds."""
        with self._reading() as connection:
            columns = "workflow_uuid", "status", "queue_name", "executor_id", "started_at_epoch_ms"
            jobs = table(connection, "workflow_status", *columns).c
            mine = jobs.executor_id == executor, jobs.queue_name == QUEUE, jobs.status == "PENDING"
            rows = connection.execute(
                sa.select(jobs.workflow_uuid, jobs.started_at_epoch_ms).where(*mine)
            )
            return [(str(name), int(at or 0)) for name, at in rows]

    def orphans(self, known: Collection[str], older: timedelta) -> list[str]:
        """The executors, other than these, that have begun a job longer ago than that.

        By PostgreSQL's clock, as dbos takes it when a job is begun.
        """
        now_ms = sa.cast(sa.func.extract("epoch", sa.func.now()) * 1000, sa.BigInteger)
        with self._reading() as connection:
            columns = "status", "queue_name", "executor_id", "started_at_epoch_ms"
            jobs = table(connection, "workflow_status", *columns)
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

    # -- what waits -------------------------------------------------------------------------

    def put_off(self, partition: str) -> list[Job]:
        """The jobs of a partition that failed, and wait to be tried again, or may be by now.

        Told by their ids (see `again`), so that the rest of a long queue is not read for it.
        """
        with self._reading() as connection:
            columns = "workflow_uuid", "status", "queue_name", "queue_partition_key"
            jobs = table(connection, "workflow_status", *columns)
            inputs = table(connection, "workflow_input", "workflow_uuid", "inputs")
            found = connection.execute(
                sa.select(inputs.c.inputs)
                .join(jobs, jobs.c.workflow_uuid == inputs.c.workflow_uuid)
                .where(jobs.c.status.in_(("DELAYED", "ENQUEUED")))
                .where(jobs.c.queue_name == QUEUE, jobs.c.queue_partition_key == partition)
                .where(jobs.c.workflow_uuid.contains("~", autoescape=True))
            )
            return [_job_of(text) for text in found.scalars()]

    def hurry(self, *, beyond: float) -> None:
        """What is to wait more than so many seconds is due now: a clock was set back since."""
        now_ms = int(time.time() * 1000)
        with self._transaction() as connection:
            jobs = table(connection, "workflow_status", "status", "delay_until_epoch_ms")
            late = jobs.c.delay_until_epoch_ms > now_ms + int(beyond * 1000)
            waiting = sa.update(jobs).where(jobs.c.status == "DELAYED", late)
            connection.execute(waiting.values(delay_until_epoch_ms=now_ms))

    # -- how much there is ------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many jobs are waiting, delayed and running in the whole queue."""
        names = {"ENQUEUED": "waiting", "DELAYED": "delayed", "PENDING": "running"}
        with self._reading() as connection:
            jobs = table(connection, "workflow_status", "status", "queue_name").c
            rows = connection.execute(
                sa.select(jobs.status, sa.func.count())
                .where(jobs.queue_name.is_not(None), jobs.status.in_(names))
                .group_by(jobs.status)
            )
            return dict.fromkeys(names.values(), 0) | {names[row[0]]: row[1] for row in rows}

    def ages(self, now_ms: float) -> dict[str, float]:
        """Seconds since the oldest job began to wait, and to run; 0 where there is none.

        Waiting begins when it could run: delayed jobs do not count.
        """
        with self._reading() as connection:
            columns = (
                *("status", "queue_name", "created_at"),
                *("delay_until_epoch_ms", "started_at_epoch_ms"),
            )
            jobs = table(connection, "workflow_status", *columns).c
            since = {
                "waiting": (
                    "ENQUEUED",
                    sa.func.coalesce(jobs.delay_until_epoch_ms, jobs.created_at),
                ),
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

    def left(self, prefix: str) -> int:
        """How many jobs whose ids begin so are not done."""
        with self._reading() as connection:
            jobs = table(connection, "workflow_status", "status", "workflow_uuid").c
            counted = sa.select(sa.func.count()).where(
                jobs.workflow_uuid.startswith(prefix, autoescape=True), jobs.status.not_in(SETTLED)
            )
            return int(connection.execute(counted).scalar_one())

    # -- what is over -----------------------------------------------------------------------

    def forget(self, before_ms: int, most: int) -> int:
        """Delete finished jobs that were recorded before that, `most` of them; how many it were.

        Of dbos's tables only these three grow: our jobs have no steps, events or streams.
        """
        with self._transaction() as connection:
            jobs = table(connection, "workflow_status", "workflow_uuid", "status", "created_at").c
            old = (
                sa.select(jobs.workflow_uuid)
                .where(jobs.status.in_(SETTLED), jobs.created_at < before_ms)
                .order_by(jobs.created_at)
                .limit(most)
            )
            ids = [row[0] for row in connection.execute(old)]  # what is settled stays so
            for name in ("workflow_input", "workflow_output", "workflow_status"):
                rows = table(connection, name, "workflow_uuid")  # no foreign key ties them
                connection.execute(sa.delete(rows).where(rows.c.workflow_uuid.in_(ids)))
            return len(ids)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _answering(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with _answering(), self._engine.begin() as connection:
            yield connection


def _job_of(inputs: str) -> Job:
    """From what DBOSPortableJSONSerializer wrote."""
    return Job.load(json.loads(inputs)["positionalArgs"][0])
