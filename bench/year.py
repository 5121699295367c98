"""A year of a busy team, tidied daily: how large both SQLite files are, month by month.

Run `.venv/bin/python bench/year.py [DAYS]` (365 unless said). Each day brings, at a clock that is
passed in: 500 deliveries as Gitea sends them (from the recorded ones), 700 looks, 288 rechecks, 60
commands, 150 answers of Claude's, 40 new issues with edges and what people set on them, of which as
many are closed after some weeks. On day 150 come 10,000 deliveries at once. Rows are written as the
bot and dbos write them, in bulk; what deletes them is the bot's own housekeeping.

It prints for each month the size of both files and of what is free in them; the factor by which
they would be larger had nothing been deleted (from what the first week, in which nothing is old
yet, came to); and how long somebody else who writes had to wait while it was tidied, beside how
long they wait when it is not.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock_step import ClockStep
from bot.config import load
from bot.engine import Engine
from bot.housekeeping import Housekeeping
from bot.job_tables import JobTables, queue_engine
from bot.jobs import Job, RetryPolicy
from bot.metrics import Metrics
from bot.models import IssueRef
from bot.store import files, journal
from bot.store import tables as t
from bot.store.database import durable_sqlite, opened, queue_path
from bot.store.forgetting import Forgetting
from bot.store.queries import Store
from bot.store.watching import Watching

START = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)
DELIVERIES, LOOKS, RECHECKS, COMMANDS, READINGS, OPENED = 500, 700, 288, 60, 150, 40
BURST, BURST_DAY = 10_000, 150
CLOSED_AFTER = 25  # days
RECORDED = Path(__file__).resolve().parents[1] / "tests/data/gitea/webhooks"
MIB = 1024**2


class Nobody:
    """Counts nothing."""

    def job(self, kind: str, outcome: str, seconds: float) -> None: ...


class Queue:
    """The queue's file, with work that was done as dbos leaves it."""

    executor = "bench"

    def __init__(self, path: Path, payloads: list[str]) -> None:
        self.path = path
        self._engine = queue_engine(f"sqlite:///{path}")
        self._payloads = payloads
        self._number = 0

    async def make(self) -> None:
        """The tables, as a start of the bot makes them."""
        made = Engine(
            f"sqlite:///{self.path}",
            executor=self.executor,
            workers=1,
            poll=timedelta(seconds=1),
            policy=RetryPolicy(1, timedelta(seconds=1), timedelta(seconds=1)),
            observer=Nobody(),
            step=ClockStep(lambda: datetime.now(UTC)),
        )
        await made.start(_nothing, _nothing)
        await made.stop(timedelta(seconds=1))

    def work(self, now: datetime, deliveries: int) -> None:
        """A day's work, done."""
        kinds = [("delivery", deliveries), ("look", LOOKS), ("recheck", RECHECKS)]
        jobs = [self._job(kind) for kind, count in kinds for _ in range(count)]
        at = int(now.timestamp() * 1000)
        with self._engine.begin() as connection:
            for statement, rows in _rows_of(jobs, at):
                connection.exec_driver_sql(statement, rows)

    def _job(self, kind: str) -> Job:
        self._number += 1
        payload = self._payloads[self._number % len(self._payloads)] if kind == "delivery" else "x"
        where = f"acme/rocket#{self._number % 1000}"
        return Job(f"{kind}:{self._number:032x}", kind, where, payload, "bench/boot/1")

    async def forget(self, before: datetime, most: int) -> int:
        """As the engine does."""
        at = int(before.timestamp() * 1000)
        return await asyncio.to_thread(JobTables(self._engine).forget, at, most)


DONE = (
    "INSERT INTO workflow_status (workflow_uuid, status, name, executor_id, created_at, "
    "updated_at, application_version, recovery_attempts, queue_name, started_at_epoch_ms, "
    "priority, queue_partition_key, serialization, was_forked_from, rate_limited, completed_at, "
    "attributes, is_debounced, application_name, creator_xid) VALUES (?, 'SUCCESS', 'work', "
    "'bench', ?, ?, '1', 1, 'work', ?, 0, ?, 'portable_json', 0, 0, ?, 'null', 0, 'mosaic', "
    "'cdfc217a-b8dd-4895-9200-746fde7d3b9a')"
)


async def _nothing(*_: object) -> None: ...


def _rows_of(jobs: list[Job], at: int) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    ids = [job.id for job in jobs]
    yield DONE, [(job.id, at, at, at, job.partition, at) for job in jobs]
    inputs = [json.dumps({"namedArgs": {}, "positionalArgs": [job.dump()]}) for job in jobs]
    yield (
        "INSERT INTO workflow_input VALUES (?, ?, ?)",
        [(one, text, at) for one, text in zip(ids, inputs, strict=True)],
    )
    yield "INSERT INTO workflow_output VALUES (?, 'null', NULL, ?)", [(one, at) for one in ids]


class Memory:
    """The store's file, as the bot fills it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._random = random.Random(7)

    async def day(self, day: int, now: datetime) -> None:
        """What a day leaves."""
        async with self._engine.begin() as connection:
            for table, rows in self._rows(day, now):
                await connection.execute(sa.insert(table), rows)
            first = max(0, day - CLOSED_AFTER) * OPENED
            if day >= CLOSED_AFTER:
                closed = t.issues.c.number.between(first + 1, first + OPENED)
                over = {"state": "closed", "seen_at": now}
                await connection.execute(sa.update(t.issues).where(closed).values(over))
            refs = [IssueRef("acme", "rocket", first + n) for n in range(1, OPENED + 1)]
            await journal.record(connection, refs * 3)

    def _rows(self, day: int, now: datetime) -> Iterator[tuple[sa.Table, list[dict[str, object]]]]:
        numbers = range(day * OPENED + 1, (day + 1) * OPENED + 1)
        yield t.issues, [_issue(number, now) for number in numbers]
        yield t.edges, [_edge(n, self._random.randint(max(1, n - 200), n)) for n in numbers]
        at = {"repository": "acme/rocket", "at": now, "by": "alice", "reason": ""}
        yield (
            t.overrides,
            [{**at, "number": n, "field": "priority", "value": "p1"} for n in numbers[::3]],
        )
        yield (
            t.writers,
            [{"repository": "acme/rocket", "number": n, "login": "bob"} for n in numbers[::5]],
        )
        keys = [f"comment:{day * COMMANDS + n}" for n in range(COMMANDS)]
        made = [f"{k}:0:{'a' * 16}" for k in keys], [f"said:{k}" for k in keys]
        noted = [*made[0], *made[1], *(f"over:{k}" for k in keys)]
        yield (
            t.done_commands,
            [{"key": k, "by": "alice", "at": now, "result": RESULT} for k in noted],
        )
        answers = [f"{day:05d}{n:05d}" + "f" * 54 for n in range(READINGS)]
        took = {"answer": ANSWER, "tokens_in": 900, "tokens_out": 90, "read_at": now}
        yield t.readings, [{"key": key, **took} for key in answers]
        yield t.spending, [{"day": now.date(), "tokens": 150_000}]
        failed = {"job": "x" * 9_000, "about": "a/b#1", "error": "why", "attempts": 12}
        yield t.failures, [{"id": f"f{day}", "failed_at": now, **failed}]


RESULT = json.dumps({"text": "hold", "good": True, "note": "x" * 80, "look": ["acme/rocket#1"]})
ANSWER = json.dumps({"asked": ["estimate", "difficulty"], "answer": {"why": "x" * 400}})


def _issue(number: int, now: datetime) -> dict[str, object]:
    return {
        "repository": "acme/rocket",
        "number": number,
        "shown": "acme/rocket",
        "coordinated": True,
        "comment_id": number,
        "title": f"Something that is to be done, number {number}",
        "state": "open",
        "status": "ready",
        "agent": "sonnet",
        "stood": '{"acme/rocket#1": "closed"}',
        "comment_at": now.isoformat(),
        "seen_at": now,
        "labels": '["status/ready", "context/small", "difficulty/easy", "agent/sonnet"]',
    }


def _edge(number: int, on: int) -> dict[str, object]:
    here = {"repository": "acme/rocket", "for_repository": "acme/rocket", "shown": "acme/rocket"}
    said = {"said_repository": "acme/rocket", "said_number": number, "for_shown": "acme/rocket"}
    return {**here, **said, "number": number, "for_number": on, "source": "declared"}


@contextmanager
def writing(path: Path, waits: list[float]) -> Iterator[None]:
    """Somebody else writes to a file all the time; how long each had to wait, in seconds."""
    done = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            durable_sqlite(connection, None)
            connection.isolation_level = None
            while not done.is_set():
                begun = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("COMMIT")
                waits.append(time.perf_counter() - begun)
                time.sleep(0.002)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def said(path: Path) -> tuple[float, float]:
    """The size of a file with its log, and what is free in it, in MiB."""
    found = files.size(path)
    assert found
    return (found.file + found.log) / MIB, found.free / MIB


class SameTime:
    """A Gitea whose clock shows what ours does."""

    def time(self, ours: datetime) -> datetime:
        return ours

    async def me(self) -> None: ...


async def live(days: int, folder: Path) -> None:
    """The year."""
    path = folder / "bot.db"
    settings = load({"DATABASE_URL": f"sqlite:///{path}"}, _empty(folder))
    payloads = [json.dumps(json.loads(one.read_text())) for one in sorted(RECORDED.glob("*.json"))]
    work = Queue(path, payloads)
    now = START
    async with opened(settings.database_url) as engine:
        await work.make()
        memory, store = Memory(engine), Store(engine, now=lambda: now)
        keeping = Housekeeping(
            settings,
            queue=work,
            memory=Forgetting(engine, now=lambda: now),
            locks=store,
            notes=Watching(engine, now=lambda: now),
            forge=SameTime(),
            observer=Metrics(),
            now=lambda: now,
        )
        both = (queue_path(path), path)
        empty, week, took = [said(p)[0] for p in both], [0.0, 0.0], 0.0
        rest: tuple[list[float], list[float]] = ([], [])
        busy: tuple[list[float], list[float]] = ([], [])
        print(f"{'day':>4} {'queue':>9} {'free':>6} {'store':>9} {'free':>6}   MiB")
        for day in range(days):
            now = START + timedelta(days=day)
            work.work(now, BURST if day == BURST_DAY else DELIVERIES)
            await memory.day(day, now)
            if day == 6:
                week = [said(p)[0] - e for p, e in zip(both, empty, strict=True)]
            with writing(both[0], rest[0]), writing(both[1], rest[1]):
                await asyncio.sleep(0.3)
            begun = time.perf_counter()
            with writing(both[0], busy[0]), writing(both[1], busy[1]):
                await keeping.tidy()
            took = max(took, time.perf_counter() - begun)
            if day in (6, BURST_DAY) or (day + 1) % 30 == 0 or day == days - 1:
                row = [*said(both[0]), *said(both[1])]
                print(f"{day + 1:4} {row[0]:9.1f} {row[1]:6.1f} {row[2]:9.1f} {row[3]:6.1f}")
        names = ("queue", "store")
        for name, p, one, idle, waits in zip(names, both, week, rest, busy, strict=True):
            kept = one * days / 7 / said(p)[0]
            print(f"{name}: had nothing been deleted, {kept:.1f} times as large")
            print(f"{name}: whoever writes meanwhile waits {_waits(waits)}")
            print(f"{name}: whoever writes at another time {_waits(idle)}")
        print(f"the longest tidying: {took:.1f} s")


def _waits(waits: list[float]) -> str:
    waits.sort()
    shown = {"half": 0.5, "99 %": 0.99, "the longest": 1.0}
    at = {name: waits[min(len(waits) - 1, int(len(waits) * part))] for name, part in shown.items()}
    return ", ".join(f"{name}: {seconds * 1000:.1f} ms" for name, seconds in at.items())


def _empty(folder: Path) -> Path:
    path = folder / "bot.toml"
    path.write_text("", encoding="utf-8")
    return path


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 365
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(live(wanted, Path(directory)))
