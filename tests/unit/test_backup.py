"""A backup: of one moment, as a whole or not at all, and put back only where that does no harm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.backup import archive, cut, restoring, whole
from bot.backup.making import Made, make
from bot.backup.noting import NOTE, backed_up_at, note
from bot.backup.restoring import restore
from bot.errors import ConfigError, StoreError, UserError
from bot.recorder import newest_tables
from bot.store.alone import Taken, alone, half_restored
from bot.store.database import as_it_is, durable_sqlite, opened, queue_path
from bot.store.watching import Watching
from tests.databases import find_postgres, fresh_database

NOW = datetime(2026, 11, 26, 13, 45, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bot's database, with a word in the store and one in the queue."""
    path = tmp_path_factory.mktemp("template") / "bot.db"

    async def make_store() -> None:
        async with opened(f"sqlite:///{path}") as engine:
            await Watching(engine, now=lambda: NOW).keep_note("word", "first")

    asyncio.run(make_store())
    with connected(queue_path(path)) as connection:
        connection.execute("CREATE TABLE words (word)")
        connection.execute("INSERT INTO words VALUES ('first')")
        connection.commit()
    return path


@pytest.fixture
def url(template: Path, path: Path) -> str:
    """A copy of it."""
    path.parent.mkdir()
    for one, here in ((template, path), (queue_path(template), queue_path(path))):
        shutil.copy(one, here)
    return f"sqlite:///{path}"


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        durable_sqlite(connection, None)
        yield connection


def words(path: Path) -> tuple[str, str]:
    """What stands in the store and in the queue."""
    return said(path, queue_path(path))


def said(store: Path, queue: Path) -> tuple[str, str]:
    """What stands in these two files."""
    found = []
    for one, statement in ((store, STORED), (queue, QUEUED)):
        with closing(sqlite3.connect(one)) as connection:
            found.append(connection.execute(statement).fetchone()[0])
    return found[0], found[1]


STORED = "SELECT value FROM notes WHERE name = 'word'"
QUEUED = "SELECT word FROM words"


def say(path: Path, word: str) -> None:
    """Let another word stand in both."""
    for one, statement in (
        (path, "UPDATE notes SET value = ? WHERE name = 'word'"),
        (queue_path(path), "UPDATE words SET word = ?"),
    ):
        with connected(one) as connection:
            connection.execute(statement, (word,))
            connection.commit()


def left_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


# ---- making one ----


def test_both_files_are_of_one_moment(tmp_path: Path) -> None:
    """Somebody writes a number into the queue, then into the store, and so on, all the time."""
    both = [tmp_path / "store.db", tmp_path / "queue.db"]
    for one in both:
        with connected(one) as connection:
            connection.execute("CREATE TABLE numbers (number INTEGER, filling TEXT)")
    done, begun = threading.Event(), threading.Event()

    def write() -> None:
        with connected(both[0]) as store, connected(both[1]) as queue:
            for number in range(10**9):
                for connection in (queue, store):
                    connection.execute("INSERT INTO numbers VALUES (?, ?)", (number, "x" * 5000))
                    connection.commit()
                begun.set()
                if done.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(20)
        cuts = []
        for nth in range(8):
            folder = tmp_path / str(nth)
            folder.mkdir()
            cuts.append([last(one) for one in cut.copies(both, folder)])
    finally:
        done.set()
        writer.join()
    assert all(0 <= queue - store <= 1 for store, queue in cuts), cuts
    assert cuts[0] < cuts[-1], "somebody wrote meanwhile"


def last(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT max(number) FROM numbers").fetchone()[0])


def test_it_can_be_put_back(url: str, path: Path, tmp_path: Path) -> None:
    made = make(url, tmp_path / "saved", NOW)
    say(path, "second")
    done = restore(url, tmp_path / "saved", NOW)
    assert (tmp_path / "saved", NOW) == (made.file, done.taken_at)
    assert ("first", "first") == words(path)
    suffix = "before-restore-20261126T134500Z"
    assert {path.with_name(f"{one.name}.{suffix}") for one in (path, queue_path(path))} == {
        *done.before
    }


def test_nobody_else_may_read_it(url: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = make(url, tmp_path / "saved", NOW)
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(made.file.stat().st_mode)
    assert made.size == made.file.stat().st_size


def test_in_a_folder_it_is_named_by_the_moment(url: str, tmp_path: Path) -> None:
    assert tmp_path / "coordinator-20261126T134500Z.backup" == make(url, tmp_path, NOW).file


def test_it_replaces_nothing_unless_told_to(url: str, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "saved"
    make(url, target, NOW)
    before = target.read_bytes()
    say(path, "second")
    with pytest.raises(UserError, match="is there already"):
        make(url, target, NOW)
    assert before == target.read_bytes()
    make(url, target, NOW, replace=True)
    assert before != target.read_bytes()


OWN = ["bot.db", "bot.db-wal", "bot.db-shm", "bot.queue.db", "bot.queue.db-wal", "bot.lock"]


@pytest.mark.parametrize("name", [*OWN, "bot.queue.db-shm", "bot.restoring"])
@pytest.mark.parametrize("replace", [True, False], ids=["--force", "without"])
def test_it_never_replaces_the_bots_own_files(
    url: str, path: Path, name: str, replace: bool
) -> None:
    """Whether they are there at the moment or not."""
    before = left_in(path.parent)
    with pytest.raises(UserError, match=r"is a file of the bot's own database; choose another"):
        make(url, path.parent / name, NOW, replace=replace)
    assert (("first", "first"), before) == (words(path), left_in(path.parent))


@pytest.mark.parametrize("way", ["link", "hard link", "roundabout"])
def test_nor_by_another_name(url: str, path: Path, tmp_path: Path, way: str) -> None:
    target = tmp_path / "other"
    if way == "link":
        target.symlink_to(queue_path(path))
    elif way == "hard link":
        target.hardlink_to(queue_path(path))
    else:
        target = path.parent / ".." / path.parent.name / path.name
    with pytest.raises(UserError, match="the bot's own database"):
        make(url, target, NOW, replace=True)
    assert ("first", "first") == words(path)


@pytest.mark.parametrize("where", ["none/", "none/saved", "none/deep/saved"])
def test_a_folder_that_is_missing_is_named(url: str, tmp_path: Path, where: str) -> None:
    """Nothing is made in its place."""
    folder = os.path.dirname(f"{tmp_path}/{where}")  # noqa: PTH120 - as it was said
    with pytest.raises(UserError, match=f"there is no folder {folder}; make it: mkdir -p {folder}"):
        make(url, f"{tmp_path}/{where}", NOW)
    assert {"data"} == left_in(tmp_path)


@pytest.mark.parametrize("where", ["file/", "file/saved"])
def test_a_file_is_no_folder(url: str, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file is a file, not a folder"):
        make(url, f"{tmp_path}/{where}", NOW)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_may_be_said_with_a_slash_or_without(url: str, tmp_path: Path, slash: str) -> None:
    assert tmp_path == make(url, f"{tmp_path}{slash}", NOW).file.parent


def leave(folder: Path, name: str, age: timedelta) -> Path:
    """What a killed program left, so long before NOW."""
    left = folder / name
    if name.endswith(".part"):
        left.touch()
    else:
        left.mkdir()
        (left / "bot.db").touch()
    moment = (NOW - age).timestamp()
    os.utime(left, (moment, moment))
    return left


@pytest.mark.parametrize("name", [".mosaic-backup-x1", ".mosaic-backup-x1.part"])
def test_what_a_killed_one_left_goes_after_a_day(url: str, tmp_path: Path, name: str) -> None:
    """It holds what people wrote."""
    young = leave(tmp_path, name, timedelta(hours=23))
    old = leave(tmp_path, name.replace("x1", "x2"), timedelta(hours=25))
    make(url, tmp_path / "saved", NOW)
    assert (True, False) == (young.exists(), old.exists())


def test_what_a_link_leads_to_is_no_leftover(url: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    link = tmp_path / ".mosaic-backup-x"
    link.symlink_to(mine)
    moment = (NOW - timedelta(days=9)).timestamp()
    os.utime(link, (moment, moment), follow_symlinks=False)
    make(url, tmp_path / "saved", NOW)
    assert {"data", "mine", "saved"} == left_in(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_others_left_is_theirs(url: str, tmp_path: Path) -> None:
    left = leave(tmp_path, ".mosaic-backup-x.part", timedelta(days=9))
    os.chown(left, 12345, 54321)
    make(url, tmp_path / "saved", NOW)
    assert left.exists()


def test_what_a_killed_restore_left_goes_after_a_day(url: str, path: Path, saved: Path) -> None:
    young = leave(path.parent, ".mosaic-restore-x1", timedelta(hours=23))
    old = leave(path.parent, ".mosaic-restore-x2", timedelta(hours=25))
    restore(url, saved, NOW)
    assert (True, False) == (young.exists(), old.exists())


def test_a_part_of_a_killed_one_with_the_same_number_is_in_nobodys_way(
    url: str, tmp_path: Path
) -> None:
    """In a container every one has the same."""
    (tmp_path / f".saved.{os.getpid()}.part").touch()
    assert make(url, tmp_path / "saved", NOW).size


def test_what_somebody_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "saved"
    with pytest.raises(UserError, match="is there already"), whole.written(target, replace=False):
        target.write_text("mine", encoding="utf-8")
    assert ("mine", {"saved"}) == (target.read_text(encoding="utf-8"), left_in(tmp_path))


@pytest.mark.parametrize("meanwhile", [False, True], ids=["free", "taken"])
def test_where_a_disk_knows_no_links_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(whole._NO_LINKS[0], "no")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    target = tmp_path / "saved"
    try:
        with whole.written(target, replace=False) as file:
            file.write(b"new")
            if meanwhile:
                target.write_bytes(b"mine")
    except UserError:
        assert meanwhile
    assert (b"mine" if meanwhile else b"new") == target.read_bytes()
    assert {"saved"} == left_in(tmp_path)


def test_what_is_broken_off_leaves_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "pack", full)
    with pytest.raises(OSError, match="No space left"):
        make(url, tmp_path / "saved", NOW)
    assert {"data"} == left_in(tmp_path)


def test_a_disk_that_gives_back_something_else_is_noticed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "testzip", lambda _: "store.db")
    with pytest.raises(OSError, match=r"store.db cannot be read back"):
        make(url, tmp_path / "saved", NOW)
    assert {"data"} == left_in(tmp_path)


def test_there_has_to_be_something_to_save(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no .*none\.db; call this in the folder"):
        make(f"sqlite:///{tmp_path}/none.db", tmp_path / "saved", NOW)
    assert set() == left_in(tmp_path)


@pytest.mark.parametrize("what", ["store", "queue"])
def test_what_is_damaged_is_not_saved(url: str, path: Path, tmp_path: Path, what: str) -> None:
    one = path if what == "store" else queue_path(path)
    one.write_bytes(b"x" * 8192)
    with pytest.raises(StoreError, match="not a database"):
        make(url, tmp_path / "saved", NOW)
    assert {"data"} == left_in(tmp_path)


def test_damage_that_sqlite_finds_is_told(tmp_path: Path) -> None:
    class Damaged:
        def execute(self, _: str) -> Damaged:
            return self

        def fetchone(self) -> tuple[str]:
            return ("row 1 missing from index",)

    with pytest.raises(sqlite3.DatabaseError, match="row 1 missing"):
        cut.check(Damaged())  # type: ignore[arg-type]


def test_a_store_that_is_none_is_not_saved(tmp_path: Path) -> None:
    with connected(tmp_path / "bot.db") as connection:
        connection.execute("CREATE TABLE mosaic_version (version_num)")
    (tmp_path / "bot.queue.db").touch()
    with pytest.raises(StoreError, match="it is not the bot's"):
        make(f"sqlite:///{tmp_path}/bot.db", tmp_path / "saved", NOW)


def test_one_that_is_locked_for_long_is_told(
    url: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "PATIENCE", 0.05)
    with connected(path) as connection:
        connection.execute("DELETE FROM notes")
        with pytest.raises(StoreError, match="database is locked"):
            make(url, tmp_path / "saved", NOW)
        connection.rollback()
    make(url, tmp_path / "saved", NOW)


async def test_when_it_was_made_is_noted(url: str, tmp_path: Path) -> None:
    async with as_it_is(url) as engine:
        notes = Watching(engine, now=lambda: NOW)
        assert await backed_up_at(notes) is None
        await note(url, Made(tmp_path / "saved", NOW, 1))
        assert NOW == await backed_up_at(notes)
        assert NOW.isoformat() == await notes.note(NOTE)


async def test_what_cannot_be_noted_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "bot.db").touch()
    with capture_logs() as logs:
        await note(f"sqlite:///{tmp_path}/bot.db", Made(tmp_path / "saved", NOW, 1))
    assert ["backup.not_noted"] == [line["event"] for line in logs]


# ---- putting it back ----


@pytest.fixture
def saved(url: str, path: Path, tmp_path: Path) -> Path:
    """A backup of the first words; the second ones stand there now."""
    saved = make(url, tmp_path / "saved", NOW).file
    say(path, "second")
    return saved


def rewrite(saved: Path, **changed: bytes | None) -> None:
    """The same backup with other members."""
    with zipfile.ZipFile(saved) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members |= {
        f"{name}.db" if name != "backup" else "backup.json": m for name, m in changed.items()
    }
    with zipfile.ZipFile(saved, "w") as new:
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)


def refused(url: str, path: Path, saved: Path, error: type[Exception], match: str) -> None:
    """It is not put back, and everything is as it was."""
    before = left_in(path.parent) | {"bot.lock"}
    with pytest.raises(error, match=match):
        restore(url, saved, NOW)
    assert ("second", "second") == words(path)
    assert before == left_in(path.parent) | {"bot.lock"}


def test_not_while_a_bot_is_at_work(url: str, path: Path, saved: Path) -> None:
    with alone(url):
        refused(url, path, saved, Taken, "another mosaic-coordinator is at work")


def test_not_what_is_no_backup(url: str, path: Path, saved: Path) -> None:
    saved.write_bytes(b"a novel")
    refused(url, path, saved, UserError, "is no backup of the bot, or is damaged")


@pytest.mark.parametrize("name", ["store", "queue", "backup"])
def test_not_one_that_lacks_a_part(url: str, path: Path, saved: Path, name: str) -> None:
    rewrite(saved, **{name: None})
    refused(url, path, saved, UserError, "is no backup of the bot, or is damaged")


@pytest.mark.parametrize("content", [b"", b"x" * 40_000, None], ids=["none", "other", "one bit"])
def test_not_one_that_was_changed(url: str, path: Path, saved: Path, content: bytes | None) -> None:
    if content is None:
        with zipfile.ZipFile(saved) as archive_:
            content = archive_.read("queue.db")
        content = content[:-1] + bytes([content[-1] ^ 1])
    rewrite(saved, queue=content)
    refused(url, path, saved, UserError, r"is damaged: queue.db is not what was saved")


def test_not_one_that_is_cut_off(url: str, path: Path, saved: Path) -> None:
    with saved.open("r+b") as file:
        file.truncate(saved.stat().st_size // 2)
    refused(url, path, saved, UserError, "is no backup of the bot, or is damaged")


def test_not_one_with_a_broken_byte(url: str, path: Path, saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 0xFF
    saved.write_bytes(content)
    refused(url, path, saved, UserError, "damaged")


def test_not_one_of_a_form_that_is_not_known(url: str, path: Path, saved: Path) -> None:
    rewrite(saved, backup=json.dumps({"format": 2}).encode())
    refused(url, path, saved, UserError, "no backup that this version of the bot can read")


def test_not_one_of_a_later_version(
    url: str, path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "revisions", lambda: ("0001",))
    refused(url, path, saved, UserError, "of a later version of the bot than this program")


def with_tables(path: Path, version: int | None) -> None:
    """Let the queue's tables be those of dbos's migration of that number."""
    with connected(queue_path(path)) as connection:
        connection.execute("CREATE TABLE dbos_migrations (version INTEGER)")
        if version is not None:
            connection.execute("INSERT INTO dbos_migrations VALUES (?)", (version,))
        connection.commit()


def test_not_one_with_a_queue_of_a_later_version(url: str, path: Path, tmp_path: Path) -> None:
    """dbos itself would work with it, and never say a word."""
    known = newest_tables()
    assert known
    with_tables(path, known + 1)
    saved = make(url, tmp_path / "saved", NOW).file
    with zipfile.ZipFile(saved) as made:
        assert known + 1 == json.loads(made.read("backup.json"))["queue_schema"]
    say(path, "second")
    refused(url, path, saved, UserError, f"later version .*queue {known + 1}, here {known}")


@pytest.mark.parametrize("version", [None, 1])
def test_one_with_a_queue_of_an_earlier_version_is_put_back(
    url: str, path: Path, tmp_path: Path, version: int | None
) -> None:
    with_tables(path, version)
    restore(url, make(url, tmp_path / "saved", NOW).file, NOW)
    assert ("first", "first") == words(path)


def test_where_dbos_does_not_tell_its_newest_none_is_too_new(
    url: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dbos._migration", None)
    with_tables(path, 9999)
    restore(url, make(url, tmp_path / "saved", NOW).file, NOW)
    assert ("first", "first") == words(path)


def test_not_a_database_that_is_damaged(url: str, path: Path, saved: Path, tmp_path: Path) -> None:
    """It was so when it was saved by another program."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"x" * 8192)
    with zipfile.ZipFile(saved) as old:
        contents = json.loads(old.read("backup.json"))
    contents["queue"] = archive.member(broken).model_dump()
    rewrite(saved, queue=broken.read_bytes(), backup=json.dumps(contents).encode())
    refused(url, path, saved, StoreError, "not a database")


def test_what_stood_in_the_log_of_the_old_one_stays_with_it(
    url: str, path: Path, saved: Path
) -> None:
    """As it is after kill -9."""
    with connected(path) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE notes SET value = 'third' WHERE name = 'word'")
        connection.commit()
        log = path.with_name(f"{path.name}-wal").read_bytes()
    path.with_name(f"{path.name}-wal").write_bytes(log)
    before, _ = restore(url, saved, NOW).before
    assert ("first", "first") == words(path)
    with closing(sqlite3.connect(before)) as connection:
        assert ("third",) == connection.execute("SELECT value FROM notes").fetchone()


def test_what_was_put_aside_is_never_overwritten(url: str, path: Path, saved: Path) -> None:
    """Though two are put back within a second; store and queue stay a pair."""
    found = []
    for word in ("second", "third", "fourth"):
        say(path, word)
        found.append(restore(url, saved, NOW).before)
    suffix = ".before-restore-20261126T134500Z"
    expected = [(f"{path.name}{suffix}{n}", f"bot.queue.db{suffix}{n}") for n in ("", "-2", "-3")]
    assert expected == [tuple(one.name for one in pair) for pair in found]
    assert [("second",) * 2, ("third",) * 2, ("fourth",) * 2] == [said(*pair) for pair in found]


def test_a_journal_of_the_old_one_is_not_left_for_the_new_one(
    url: str, path: Path, saved: Path
) -> None:
    """SQLite would roll the new one back by it."""
    journal = path.with_name(f"{path.name}-journal")
    journal.write_bytes(b"of the old one")
    before, _ = restore(url, saved, NOW).before
    assert not journal.exists()
    assert b"of the old one" == before.with_name(f"{before.name}-journal").read_bytes()
    assert ("first", "first") == words(path)


@pytest.mark.parametrize("end", ["wal", "journal"])
def test_nor_is_a_log_that_lies_there_alone(url: str, path: Path, saved: Path, end: str) -> None:
    log = path.with_name(f"bot.db.before-restore-20261126T134500Z-{end}")
    log.write_bytes(b"mine")
    store, queue = restore(url, saved, NOW).before
    assert b"mine" == log.read_bytes()
    assert ("bot.db", "bot.queue.db") == tuple(
        one.name.removesuffix(".before-restore-20261126T134500Z-2") for one in (store, queue)
    )


def test_where_nothing_is_left_it_is_put_there(url: str, path: Path, saved: Path) -> None:
    for one in path.parent.iterdir():
        one.unlink()
    path.parent.rmdir()
    done = restore(url, saved, NOW)
    assert ((), ("first", "first")) == (done.before, words(path))
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_it_may_be_read_by_whom_the_old_one_was(url: str, path: Path, saved: Path) -> None:
    path.chmod(0o640)
    restore(url, saved, NOW)
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_made_by_root_it_belongs_to_the_bot(url: str, path: Path, saved: Path) -> None:
    os.chown(path, 12345, 54321)
    restore(url, saved, NOW)
    assert (12345, 54321) == (path.stat().st_uid, path.stat().st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_made_by_root_in_an_empty_place_the_bot_can_start(
    url: str, path: Path, saved: Path
) -> None:
    """What is there belongs to whom the place belongs: the lock, too."""
    for one in path.parent.iterdir():
        one.unlink()
    os.chown(path.parent, 12345, 54321)
    restore(url, saved, NOW)
    assert {"bot.db", "bot.queue.db", "bot.lock"} == left_in(path.parent)
    assert {12345} == {one.stat().st_uid for one in path.parent.iterdir()}


@pytest.mark.parametrize("after", range(6))
def test_broken_off_it_keeps_the_bot_from_starting_until_it_is_done_again(
    url: str, path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """At whichever of the six renames; and what was there before stays a pair."""
    renames, real = 0, Path.replace

    def rename(one: Path, target: Path | str) -> Path:
        nonlocal renames
        renames += 1
        if renames > after:
            raise OSError(5, "Input/output error")
        return real(one, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        patched.setattr(Path, "replace", rename)
        with pytest.raises(OSError, match="Input/output error"):
            restore(url, saved, NOW)
        with pytest.raises(ConfigError, match="broken off"), alone(url):
            pytest.fail("it started")
    later = NOW + timedelta(hours=1)
    before = restore(url, saved, later).before
    assert (("first", "first"), ("second", "second")) == (words(path), said(*before))
    assert not half_restored(path).exists()
    with alone(url):
        pass


# ---- PostgreSQL ----


PG_DUMP = """#!/bin/sh
echo "$@" >{folder}/called
echo "$PGPASSWORD" >>{folder}/called
echo dumped
exit {status}
"""


@pytest.fixture
def pg_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A `pg_dump` that ends with this status."""

    def made(status: int) -> Path:
        program = tmp_path / "bin" / "pg_dump"
        program.parent.mkdir()
        program.write_text(PG_DUMP.format(folder=tmp_path, status=status), encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        return tmp_path / "called"

    return made


def test_of_postgresql_it_is_what_pg_dump_writes(tmp_path: Path, pg_dump) -> None:
    """And nobody sees the password in the list of processes."""
    called = pg_dump(0)
    url = "postgresql+psycopg://me:s3cret@db.example.org:5433/bot?sslmode=require"
    made = make(url, tmp_path / "saved", NOW)
    assert b"dumped\n" == made.file.read_bytes()
    arguments, password = called.read_text(encoding="utf-8").splitlines()
    shown = "postgresql://me@db.example.org:5433/bot?sslmode=require"
    assert (f"--format=custom --dbname={shown}", "s3cret") == (arguments, password)


def test_a_dump_that_fails_leaves_nothing(tmp_path: Path, pg_dump) -> None:
    pg_dump(3)
    with pytest.raises(StoreError, match="pg_dump failed: status 3"):
        make("postgresql://h/x", tmp_path / "saved", NOW)
    assert {"bin", "called"} == left_in(tmp_path)


def test_without_pg_dump_it_says_what_to_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match=r'pg_dump --format=custom --file=".*saved" "\$DATABASE_URL"'
    ):
        make("postgresql://me:s3cret@h/x", tmp_path / "saved", NOW)


def test_on_postgresql_it_says_how_to_put_it_back(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="stop every replica, then call: pg_restore --clean"):
        restore("postgresql://me:s3cret@h/x", tmp_path / "saved", NOW)


async def test_a_dump_of_a_real_server_can_be_put_back_as_the_page_says(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = find_postgres()
    assert programs
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with fresh_database(postgres) as url:
        async with opened(url) as engine:
            notes = Watching(engine, now=lambda: NOW)
            await notes.keep_note("word", "first")
            make(url, tmp_path / "saved", NOW)
            await notes.keep_note("word", "second")
        command = restoring.BY_HAND.format(file=tmp_path / "saved")
        environ = {**os.environ, "DATABASE_URL": url}
        put_back = partial(subprocess.run, ["sh", "-ec", command], env=environ, check=True)
        await asyncio.to_thread(put_back)
        async with as_it_is(url) as engine:
            assert "first" == await Watching(engine, now=lambda: NOW).note("word")
    assert 0o600 == stat.S_IMODE((tmp_path / "saved").stat().st_mode)
