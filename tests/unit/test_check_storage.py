"""Whether the bot can keep what it has to; looking changes nothing."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.check import storage
from bot.check.finding import Grade
from bot.check.storage import look
from bot.store.database import opened, queue_path, revisions
from tests.databases import fresh_database

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """However full this machine's disk is."""
    free(monkeypatch, 10**10)


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, size))


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database as the bot leaves it, and one for the queue."""
    path = tmp_path / "bot #1.db"
    async with opened(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(queue_path(path))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return path


def ids(path: Path) -> list[tuple[Grade, str]]:
    found = look(f"sqlite:///{path}").findings
    assert all(one.why and one.do for one in found if one.grade is not Grade.GOOD)
    return [(one.grade, one.id) for one in found]


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE mosaic_version SET version_num = ?", (version,))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()


class TestFile:
    def test_one_that_can_be_written_is_good_and_stays_as_it_is(self, path: Path) -> None:
        before = path.read_bytes()
        assert look(f"sqlite:///{path}").current
        assert [(Grade.GOOD, "storage.writable")] == ids(path)
        assert before == path.read_bytes()

    def test_none_is_made_where_there_is_none(self, tmp_path: Path) -> None:
        assert [(Grade.NOTE, "storage.new")] == ids(tmp_path / "deep" / "bot.db")
        assert [] == [*tmp_path.iterdir()]

    def test_an_empty_one_is_filled_at_the_start(self, tmp_path: Path) -> None:
        (tmp_path / "bot.db").touch()
        assert [(Grade.NOTE, "storage.empty")] == ids(tmp_path / "bot.db")

    def test_one_migration_behind_is_brought_up_to_date_at_the_start(self, path: Path) -> None:
        set_version(path, revisions()[1])
        assert [(Grade.NOTE, "storage.behind")] == ids(path)
        assert not look(f"sqlite:///{path}").current

    def test_one_of_a_later_program_is_told(self, path: Path) -> None:
        set_version(path, "9999")
        assert [(Grade.WRONG, "storage.newer")] == ids(path)

    @pytest.mark.parametrize("which", [lambda path: path, queue_path], ids=["store", "queue"])
    def test_a_locked_one_is_told(self, path: Path, which, monkeypatch) -> None:
        monkeypatch.setattr(storage, "PATIENCE", 0.01)
        with locked(which(path)):
            assert [(Grade.WRONG, "storage.locked")] == ids(path)

    def test_what_is_no_database_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "bot.db").write_bytes(b"what is this? " * 1000)
        (tmp_path / "folder").mkdir()
        assert [(Grade.WRONG, "storage.no-database")] == ids(tmp_path / "bot.db")
        assert [(Grade.WRONG, "storage.no-database")] == ids(tmp_path / "folder")

    def test_a_damaged_one_is_told(self, path: Path) -> None:
        """Its first page is whole, so it is taken for a database."""
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 8192)
        assert [(Grade.WRONG, "storage.no-database")] == ids(path)

    @pytest.mark.parametrize(
        ("expected", "code"),
        [
            ("storage.full", sqlite3.SQLITE_FULL),
            ("storage.unwritable", sqlite3.SQLITE_READONLY),
            ("storage.unwritable", sqlite3.SQLITE_IOERR_WRITE),
        ],
    )
    def test_what_sqlite_refuses_is_told_by_its_code(self, expected: str, code: int) -> None:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        assert expected == storage._unusable(Path("/x/bot.db"), error).id


class TestFolder:
    def test_one_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert [(Grade.WRONG, "storage.folder")] == ids(tmp_path / "file" / "bot.db")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
    def test_one_that_is_read_only_is_told(self, path: Path) -> None:
        path.parent.chmod(0o500)
        try:
            assert [(Grade.WRONG, "storage.folder")] == ids(path)
        finally:
            path.parent.chmod(0o700)

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_disk_is_told_and_nothing_else(
        self, path: Path, number: int, monkeypatch
    ) -> None:
        def refuse(**_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(storage.tempfile, "NamedTemporaryFile", refuse)
        assert [(Grade.WRONG, "storage.full")] == ids(path)

    def test_little_room_is_a_note(self, path: Path, monkeypatch) -> None:
        free(monkeypatch, 199 * 1024**2)
        assert [(Grade.GOOD, "storage.writable"), (Grade.NOTE, "storage.space")] == ids(path)
        assert "199 MiB left" in look(f"sqlite:///{path}").findings[1].what

    def test_room_that_cannot_be_told_is_not(self, path: Path, monkeypatch) -> None:
        def refuse(_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(shutil, "disk_usage", refuse)
        assert [(Grade.GOOD, "storage.writable")] == ids(path)


@pytest.fixture
def server_url(postgres: str) -> Iterator[str]:
    """A PostgreSQL database that is empty."""
    with fresh_database(postgres) as url:
        yield url


class TestServer:
    def test_one_that_is_not_reached_is_told_without_the_password(self) -> None:
        found = look("postgresql://bot:geheim@127.0.0.1:9/coordinator").findings
        assert ["storage.unreachable"] == [one.id for one in found]
        assert "Connection refused" in found[0].what
        assert "geheim" not in repr(found)

    async def test_a_new_one_is_filled_at_the_start_and_then_good(self, server_url: str) -> None:
        """Nothing stays of what was tried."""
        assert ["storage.empty"] == [one.id for one in look(server_url).findings]
        async with opened(server_url):
            pass
        assert ["storage.writable"] == [one.id for one in look(server_url).findings]
        with psycopg.connect(server_url) as connection:
            there = connection.execute("SELECT to_regclass('mosaic_check')").fetchone()
        assert (None,) == there

    def test_one_that_refuses_is_told(self, server_url: str) -> None:
        refusing = f"{server_url}?options=-c%20default_transaction_read_only%3Don"
        found = look(refusing).findings
        assert {"storage.refused"} == {one.id for one in found}
        assert "read-only transaction" in found[0].what
