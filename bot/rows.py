"""Jobs as the queue's library writes them to SQLite, at a fraction of what it costs there.

On PostgreSQL it compiles its INSERTs once; on SQLite anew for each job, which takes longer than all
else that is done for a delivery. So this reads what the library wrote for two jobs, writes a third
by itself, and only where all three are alike, but for what is a job's own, does it write the others
so too. Another version of the library, that writes something else, is left to do it in its way.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa
import structlog
from pydantic_core import to_json

log = structlog.get_logger(__name__)

TABLES = ("workflow_status", "workflow_input")
TIMES = frozenset({"updated_at", "retention_timestamp"})  # set by the database itself
ODD = '"\\ä\n'  # in a payload; whoever writes it otherwise than JSON does is found out

Row: TypeAlias = dict[str, Any]


class Entry(NamedTuple):
    """A job, as far as its rows differ from those of others.

    `text` is all of it; `at` is when it was recorded, in milliseconds since 1970.
    """

    id: str
    partition: str
    text: str
    at: int


Enqueue: TypeAlias = Callable[[sa.Connection, Entry], object]
"""Has the library write a job's rows within our transaction."""


class Rows:
    """Writes the two rows of each job, as they were written for an example."""

    def __init__(self, job: Row, given: Row, example: Entry) -> None:
        own = ("workflow_uuid", "queue_partition_key", "creator_xid", "created_at")
        self._around = given["inputs"].split(_quoted(example.text))
        self._job = _Table(TABLES[0], job, own)
        self._given = _Table(TABLES[1], given, ("workflow_uuid", "inputs"))

    def write(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        """Enqueue jobs within a transaction; one whose id is known stays as it is."""
        before, after = self._around
        jobs = [(one.id, one.partition, str(uuid.uuid4()), one.at) for one in entries]
        given = [(one.id, f"{before}{_quoted(one.text)}{after}") for one in entries]
        self._job.insert(connection, jobs)
        self._given.insert(connection, given)


class _Table:
    """An INSERT of rows that are the same but for some columns."""

    def __init__(self, name: str, example: Row, own: Sequence[str]) -> None:
        same = [column for column in example if column not in own]
        columns = ", ".join((*own, *same))
        marks = ", ".join("?" * (len(own) + len(same)))
        self._same = tuple(example[column] for column in same)
        self._statement = (
            f"INSERT INTO {name} ({columns}) VALUES ({marks}) "  # noqa: S608 - names of columns
            "ON CONFLICT (workflow_uuid) DO NOTHING"
        )

    def insert(self, connection: sa.Connection, rows: Sequence[tuple[str | int, ...]]) -> None:
        connection.exec_driver_sql(self._statement, [row + self._same for row in rows])


def learned(engine: sa.Engine, enqueue: Enqueue) -> Rows | None:
    """How the library writes jobs; None where that cannot be told. Leaves nothing behind.

    Raises sqlalchemy's OperationalError where the database is locked, or the disk is full: that
    tells nothing of the library.
    """
    try:
        with engine.connect() as connection:  # rolled back at the end
            found = _learned(connection, enqueue)
    except sa.exc.OperationalError as error:
        if not str(error.orig).startswith(("no such", "table ")):
            raise
        found = None
    except (sa.exc.SQLAlchemyError, LookupError, ValueError):
        found = None
    if found is None:
        log.info("queue.slow", why="this version of dbos writes jobs in a way that is not known")
    return found


def _learned(connection: sa.Connection, enqueue: Enqueue) -> Rows | None:
    one, two, ours = (Entry(str(uuid.uuid4()), f"p{n}", f"{ODD}{n}", n) for n in range(3))
    enqueue(connection, one)
    enqueue(connection, two)
    job, given = _read(connection, one)
    rows = Rows(job, given, one)
    rows.write(connection, [ours])
    first, second, third = (_common(*_read(connection, entry), entry) for entry in (one, two, ours))
    return rows if first == second == third else None


def _read(connection: sa.Connection, entry: Entry) -> tuple[Row, Row]:
    """An entry's row in each table, but for its times."""
    rows = []
    for table in TABLES:
        statement = f"SELECT * FROM {table} WHERE workflow_uuid = ?"  # noqa: S608 - one of ours
        found = connection.exec_driver_sql(statement, (entry.id,)).mappings().one()
        rows.append({name: value for name, value in found.items() if name not in TIMES})
    return rows[0], rows[1]


def _common(job: Row, given: Row, entry: Entry) -> list[Row]:
    """What is left of an entry's rows where that is its own which should be."""
    mine = {
        "workflow_uuid": job["workflow_uuid"] == entry.id,
        "queue_partition_key": job["queue_partition_key"] == entry.partition,
        "creator_xid": isinstance(job["creator_xid"], str),
        "created_at": job["created_at"] == entry.at,
    }
    its = {
        "workflow_uuid": given["workflow_uuid"] == entry.id,
        "inputs": given["inputs"].split(_quoted(entry.text)),
    }
    return [job | mine, given | its]


def _quoted(text: str) -> str:
    return to_json(text).decode()
