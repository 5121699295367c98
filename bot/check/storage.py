"""Whether what the bot remembers can be read and written; nothing is made, nothing stays."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.check.finding import Finding, Grade
from bot.check.server_storage import look_at_server
from bot.store.database import queue_path, revisions, sqlite_path

LEAST_SPACE = 200 * 1024**2  # bytes; a log or a backup fills that in no time
PROBE = 64 * 1024  # bytes that are written to see whether anything can be
PATIENCE = 5.0  # seconds; a bot at work writes for a moment only
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class Stored:
    """What was found; `current`: the database can be read, with the schema of this program."""

    findings: list[Finding] = field(default_factory=list)
    current: bool = False


def look(database_url: str) -> Stored:
    """Look at the database; it takes seconds where that does not answer."""
    path = sqlite_path(database_url)
    if path is None:
        found, version = look_at_server(database_url)
        return _with_version(found, version, "the database")
    path = path.absolute()
    if found := [*_folder(path.parent)]:
        return Stored(found)
    space = [*_space(path.parent)]
    if not path.exists():
        return Stored([_new(path), *space])
    version, wrong = _file(path, "SELECT version_num FROM mosaic_version")
    if queue_path(path).exists():
        wrong += _file(queue_path(path))[1]
    stored = _with_version(wrong, version, str(path))
    return Stored([*stored.findings, *space], stored.current)


def _with_version(found: list[Finding], version: str | None, where: str) -> Stored:
    if any(one.grade is Grade.WRONG for one in found):
        return Stored(found)
    known = revisions()
    if version == known[0]:
        good = Finding("storage.writable", Grade.GOOD, f"{where} can be written.")
        return Stored([*found, good], current=True)
    if version is None:
        return Stored([*found, _empty(where)])
    return Stored([*found, _behind(where) if version in known else _newer(where)])


# -- the folder ---------------------------------------------------------------------------------


def _folder(folder: Path) -> Iterator[Finding]:
    """Whether files can be made there; where it is missing, whether it can be."""
    try:
        there = _nearest(folder)
        with tempfile.NamedTemporaryFile(dir=there, prefix=".mosaic-check-", buffering=0) as file:
            file.write(b"\0" * PROBE)
    except OSError as error:
        yield _full(folder) if error.errno in _FULL else _unwritable(folder, error)


def _nearest(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())


def _space(folder: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return
    if free < LEAST_SPACE:
        yield Finding(
            "storage.space",
            Grade.NOTE,
            f"{folder} has {free // 1024**2} MiB left.",
            "When the disk is full, the bot takes no work: webhooks are answered 503, and what "
            "they said is found later only.",
            f"Make room on that disk ({LEAST_SPACE // 1024**2} MiB or more), or let DATABASE_URL "
            "name a file elsewhere.",
        )


def _full(folder: Path) -> Finding:
    return Finding(
        "storage.full",
        Grade.WRONG,
        f"The disk that holds {folder} is full.",
        "The bot cannot record work: webhooks are answered 503, and nothing goes on.",
        f"Make room there (df -h {folder}); the bot goes on by itself then.",
    )


def _unwritable(folder: Path, error: OSError) -> Finding:
    return Finding(
        "storage.folder",
        Grade.WRONG,
        f"Nothing can be written in {folder}: {error.strerror or error}.",
        "The bot keeps its database there, and files beside it.",
        f"Give {folder} to the user that the bot runs as (chown), or let DATABASE_URL name a file "
        "elsewhere.",
    )


def _new(path: Path) -> Finding:
    return Finding(
        "storage.new",
        Grade.NOTE,
        f"There is no {path} yet.",
        "It is made at the first start of the bot.",
        "Nothing, where the bot did not run yet. Else call this in the folder of the bot, and with "
        "its settings.",
    )


# -- a file -------------------------------------------------------------------------------------


def _file(path: Path, statement: str = "SELECT NULL") -> tuple[str | None, list[Finding]]:
    """What a statement finds in a SQLite file, and what keeps it from being written."""
    if path.is_dir():
        return None, [_no_database(path, "it is a folder")]
    try:
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("CREATE TABLE mosaic_check (id INTEGER)")
                return _first(connection, statement), []
            finally:
                connection.rollback()
    except sqlite3.Error as error:
        return None, [_unusable(path, error)]


def _first(connection: sqlite3.Connection, statement: str) -> str | None:
    try:
        row = connection.execute(statement).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return row[0] if row else None


def _unusable(path: Path, error: sqlite3.Error) -> Finding:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the rest says more than is needed
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _locked(path)
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return _no_database(path, str(error))
        case sqlite3.SQLITE_FULL:
            return _full(path.parent)
    return Finding(
        "storage.unwritable",
        Grade.WRONG,
        f"{path} cannot be written: {error}.",
        "The bot does not start without, and takes no work.",
        f"Give it, and the files beside it, to the user that the bot runs as: ls -l {path.parent}",
    )


def _locked(path: Path) -> Finding:
    return Finding(
        "storage.locked",
        Grade.WRONG,
        f"Another program holds {path} locked, for longer than {PATIENCE:g} s.",
        "Meanwhile the bot can write nothing; after 30 s its work fails, and is tried again.",
        f"End what holds it, such as a sqlite3 shell or a backup: fuser -v {path}",
    )


def _no_database(path: Path, why: str) -> Finding:
    return Finding(
        "storage.no-database",
        Grade.WRONG,
        f"{path} is no usable database: {why}.",
        "The bot does not start with it.",
        "Put a backup back (docs/backup.md). Or move it away: the bot begins anew with what is "
        "in Gitea.",
    )


# -- its version --------------------------------------------------------------------------------


def _empty(where: str) -> Finding:
    return Finding(
        "storage.empty",
        Grade.NOTE,
        f"{where} holds nothing yet.",
        "Its tables are made at the next start of the bot.",
        "Nothing, where the bot did not run yet.",
    )


def _behind(where: str) -> Finding:
    return Finding(
        "storage.behind",
        Grade.NOTE,
        f"{where} is of an earlier version of the bot.",
        "This version brings it up to date when it starts; so it has not been started here yet.",
        "Make a backup (docs/backup.md), then restart the bot.",
    )


def _newer(where: str) -> Finding:
    return Finding(
        "storage.newer",
        Grade.WRONG,
        f"{where} is of a later version of the bot than this program.",
        "This version does not start with it: it does not know what stands there.",
        "Install the later version again, or put a backup from before the upgrade back "
        "(docs/backup.md).",
    )
