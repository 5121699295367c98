"""The SQLite files as files: what is deleted is given back, but for a reserve."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import files
from bot.store.database import durable_sqlite

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A file as the bot makes it, with a thousand pages that were deleted."""
    with closing(sqlite3.connect(path)) as connection:
        durable_sqlite(connection, None)
        fill(connection)
        yield connection


def fill(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE full (text)")
    connection.executemany("INSERT INTO full VALUES (?)", [("x" * PAGE,)] * 1000)
    connection.commit()
    connection.execute("DELETE FROM full")
    connection.commit()


def test_what_is_free_is_given_back_but_for_a_reserve(
    path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "RESERVE", 100)
    monkeypatch.setattr(files, "STEP", 64)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = files.size(path)
    given = files.give_back(path)
    after = files.size(path)
    assert before is not None
    assert after is not None
    assert (100 * PAGE, before.file - given) == (after.free, after.file)
    assert 900 * PAGE < given
    assert 0 == files.give_back(path)


def test_the_log_is_emptied(path: Path, connection: sqlite3.Connection) -> None:
    before = files.size(path)
    files.give_back(path)
    after = files.size(path)
    assert before is not None
    assert after is not None
    assert (True, 0) == (before.log > 1000 * PAGE, after.log)


def test_a_log_that_is_read_from_is_left(path: Path, connection: sqlite3.Connection) -> None:
    """Whoever reads is not disturbed; the next time it is emptied."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM full").fetchall()
        files.PATIENCE, patience = 0.01, files.PATIENCE
        try:
            connection.execute("INSERT INTO full VALUES ('more')")
            connection.commit()
            files.give_back(path)
        finally:
            files.PATIENCE = patience
        assert 1 == connection.execute("SELECT count(*) FROM full").fetchone()[0]


def test_a_file_of_an_earlier_version_keeps_its_size(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "RESERVE", 100)
    with closing(sqlite3.connect(path)) as connection:
        fill(connection)
        size = path.stat().st_size
        assert (0, size) == (files.give_back(path), path.stat().st_size)


def test_there_may_be_none_yet(path: Path) -> None:
    assert files.size(path) is None
    assert not path.exists()
    with pytest.raises(StoreError, match="unable to open"):
        files.give_back(path)


def test_what_is_no_database_is_said(path: Path) -> None:
    path.write_bytes(b"x" * PAGE)
    for ask in (files.size, files.give_back):
        with pytest.raises(StoreError, match="not a database"):
            ask(path)
