"""Jobs written to SQLite more quickly than the queue's library does it, and just the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS
from structlog.testing import capture_logs

from bot.job_tables import queue_engine
from bot.jobs import Job
from bot.recorder import Recorder
from bot.rows import TABLES, TIMES, Entry, Rows, learned

PAYLOAD = json.dumps({"title": 'a "title" with \\ and \n and ä 🚀', "n": 1e300})
nth = itertools.count()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with the tables of the queue."""
    made = f"sqlite:///{tmp_path_factory.mktemp('rows')}/x.db"
    engine = queue_engine(made)
    DBOS.migrate(engine.url.render_as_string(hide_password=False))
    engine.dispose()
    return made


@pytest.fixture
async def recorder(url: str) -> AsyncIterator[Recorder]:
    made = Recorder(url)
    yield made
    await made.close()


def job() -> Job:
    return Job(f"job-{next(nth)}", "delivery", "acme/rocket#1", PAYLOAD, "one/boot/1")


def read(recorder: Recorder, job: Job) -> list[dict[str, Any]]:
    """A job's rows."""
    with recorder._engine.connect() as connection:
        return [
            dict(row)
            for table in TABLES
            for row in connection.execute(
                sa.text(f"SELECT * FROM {table} WHERE workflow_uuid = :id"), {"id": job.id}
            ).mappings()
        ]


def count(recorder: Recorder) -> list[int]:
    with recorder._engine.connect() as connection:
        return [
            connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in TABLES
        ]


def alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what is each one's own."""
    own = TIMES | {"workflow_uuid", "creator_xid", "created_at"}
    return [{k: v for k, v in row.items() if k not in own} for row in rows]


async def slowly(recorder: Recorder, job: Job) -> None:
    """Record a job as the library does it."""
    recorder.__dict__["_rows"] = None
    await recorder.record(job)
    del recorder.__dict__["_rows"]


async def test_the_rows_are_those_of_the_library(recorder: Recorder) -> None:
    one, two = job(), Job(f"job-{next(nth)}", "delivery", "acme/rocket#1", PAYLOAD, "one/boot/1")
    await slowly(recorder, one)
    await recorder.record(two)
    assert recorder._rows is not None
    theirs, ours = read(recorder, one), read(recorder, two)
    assert alike(theirs[:1]) == alike(ours[:1])
    assert two == Job.load(json.loads(ours[1]["inputs"])["positionalArgs"][0])
    assert theirs[1]["inputs"].replace(one.id, two.id) == ours[1]["inputs"]
    assert {len(theirs[0]["creator_xid"])} == {len(ours[0]["creator_xid"])}
    for row, other in zip(theirs, ours, strict=True):
        assert all(abs(row[time] - other[time]) < 60_000 for time in TIMES & row.keys())
    assert theirs[0]["created_at"] < ours[0]["created_at"]


async def test_a_job_that_is_known_stays_as_it_is(recorder: Recorder) -> None:
    first = job()
    await recorder.record(first)
    before = read(recorder, first)
    await recorder.record(Job(first.id, "look", "acme/rocket#2", "another"))
    assert before == read(recorder, first)


async def test_to_learn_how_leaves_nothing_behind(recorder: Recorder) -> None:
    before = count(recorder)
    assert learned(recorder._engine, recorder._enqueue) is not None
    assert before == count(recorder)


async def test_a_job_for_later_is_written_by_the_library(recorder: Recorder) -> None:
    later = job()
    await recorder.record(later, 60.0)
    assert ["DELAYED"] == [row["status"] for row in read(recorder, later)[:1]]


def nothing(_connection: sa.Connection, _entry: Entry) -> None: ...


def twice_differently(recorder: Recorder) -> Any:
    """Writes what no example can foretell."""

    def enqueue(connection: sa.Connection, entry: Entry) -> None:
        recorder._enqueue(connection, entry)
        statement = "UPDATE workflow_status SET name = :name WHERE workflow_uuid = :id"
        connection.execute(sa.text(statement), {"name": entry.id, "id": entry.id})

    return enqueue


def under_another_id(recorder: Recorder) -> Any:
    def enqueue(connection: sa.Connection, entry: Entry) -> None:
        recorder._enqueue(connection, entry._replace(partition="elsewhere"))

    return enqueue


@pytest.mark.parametrize(
    "enqueue",
    [lambda _: nothing, twice_differently, under_another_id],
    ids=["nothing", "what differs", "what is not as it was told"],
)
async def test_what_cannot_be_learned_is_left_to_the_library(
    recorder: Recorder, enqueue: Any
) -> None:
    before = count(recorder)
    with capture_logs() as logs:
        found = learned(recorder._engine, enqueue(recorder))
    assert (None, ["queue.slow"]) == (found, [line["event"] for line in logs])
    assert before == count(recorder)


async def test_a_locked_database_tells_nothing_of_the_library(recorder: Recorder) -> None:
    """It is learned the next time."""

    def locked(_connection: sa.Connection, _entry: Entry) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("database is locked"))

    with pytest.raises(sa.exc.OperationalError):
        learned(recorder._engine, locked)
    assert recorder._rows is not None


async def test_a_table_with_other_columns_is_left_to_the_library(recorder: Recorder) -> None:
    def other(_connection: sa.Connection, _entry: Entry) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("table x has no column named y"))

    assert learned(recorder._engine, other) is None


async def test_several_are_written_at_once(recorder: Recorder) -> None:
    found = learned(recorder._engine, recorder._enqueue)
    assert isinstance(found, Rows)
    jobs = [job() for _ in range(3)]
    with recorder._engine.begin() as connection:
        found.write(
            connection, [entry for entry, _ in recorder._entries([(one, 0.0) for one in jobs])]
        )
    assert [2, 2, 2] == [len(read(recorder, one)) for one in jobs]
