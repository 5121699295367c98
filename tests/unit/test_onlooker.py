"""How things stand, as it is asked for the metrics: of a real store, on SQLite and PostgreSQL."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from bot.assigned import NOTE, Progress
from bot.backup.noting import NOTE as SAVED
from bot.errors import StoreError
from bot.housekeeping import NOTE as TIDIED
from bot.onlooker import Onlooker, server_size
from bot.store.database import async_url, opened, queue_path, sqlite_path
from bot.store.queries import Store
from bot.store.watching import Watching
from bot.watermark import Watermark

NOW = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
AGO = NOW - timedelta(minutes=2)


class Queue:
    async def counts(self) -> dict[str, int]:
        return {"waiting": 3}

    async def ages(self) -> dict[str, float]:
        return {"waiting": 12.5}


class Home:
    """An onlooker of a store that is there."""

    def __init__(self, url: str, engine) -> None:
        self.store = Store(engine, now=lambda: NOW)
        self.notes = Watching(engine, now=lambda: NOW)
        self.path = sqlite_path(url)
        self.onlooker = Onlooker(
            url,
            queue=Queue(),
            store=self.store,
            notes=self.notes,
            ask_server=server_size(engine),
            now=lambda: NOW,
        )


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[Home]:
    async with opened(database_url) as engine:
        yield Home(database_url, engine)


async def test_at_first_nothing_was_done(home: Home) -> None:
    found = await home.onlooker.look()
    assert (0, 0, 0, 0) == (found.tidied_at, found.saved_at, found.tokens, found.set_aside)
    assert math.isnan(found.unseen)
    assert {"waiting": 3} == found.queue
    assert {"waiting": 12.5} == found.ages


async def test_it_tells_when_what_was_done(home: Home) -> None:
    await home.store.spend(NOW.date(), 700)
    for name in (TIDIED, SAVED):
        await home.notes.keep_note(name, AGO.isoformat())
    await home.notes.keep_note(NOTE, Progress(Watermark(AGO, AGO), AGO).dump())
    found = await home.onlooker.look()
    assert (AGO.timestamp(), AGO.timestamp(), 700) == (
        found.tidied_at,
        found.saved_at,
        found.tokens,
    )
    assert 120 == found.unseen


async def test_it_tells_how_large_the_database_is(home: Home) -> None:
    """By file, where there are files."""
    found = await home.onlooker.look()
    if home.path is None:
        assert {"server"} == found.sizes.keys()
        assert 2**20 < found.sizes["server"]
        assert ({}, True) == (found.free, math.isnan(found.disk))
        return
    assert {"store", "store-log"} == found.sizes.keys(), "there is no queue yet"
    queue_path(home.path).touch()
    found = await home.onlooker.look()
    assert {"store", "store-log", "queue", "queue-log"} == found.sizes.keys()
    assert {"store", "queue"} == found.free.keys()
    assert home.path.stat().st_size == found.sizes["store"]
    assert 0 < found.disk


async def test_a_folder_that_is_gone_has_no_space(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "bot.db"
    async with opened(f"sqlite:///{tmp_path}/bot.db") as engine:
        home = Home(f"sqlite:///{path}", engine)
        assert math.isnan((await home.onlooker.look()).disk)


async def test_a_server_that_does_not_answer_is_told(database_url: str) -> None:
    if sqlite_path(database_url):
        pytest.skip("a file has no server")
    nobody = async_url("postgresql://nobody@127.0.0.1:1/x")
    engine = create_async_engine(nobody)
    with pytest.raises(StoreError, match="does not answer"):
        await server_size(engine)()
    await engine.dispose()


async def test_a_damaged_file_is_told(sqlite_url: str) -> None:
    path = sqlite_path(sqlite_url)
    assert path
    async with opened(sqlite_url) as engine:
        queue_path(path).write_bytes(b"x" * 4096)
        with pytest.raises(StoreError, match="not a database"):
            await Home(sqlite_url, engine).onlooker.look()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT 1 FROM notes")
