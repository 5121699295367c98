"""Putting a backup back, where no bot is at work. What was there before stays beside it.

Two files are exchanged, and one of the old ones with one of the new would lose work. So a mark
stands there meanwhile: where that is broken off, the bot does not start until it was done again.
The mark says under which names the old ones are put aside, so that doing it again parts no pair.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.backup import archive
from bot.backup.cut import check, telling
from bot.backup.making import queue_schema_of, schema_of
from bot.backup.whole import remove_leftovers, sync_folder
from bot.errors import UserError
from bot.recorder import newest_tables
from bot.store.alone import alone, half_restored, lock_path
from bot.store.database import queue_path, revisions, sqlite_path

LOGS = "-wal", "-journal"  # beside a SQLite file, they may hold a part of it
PREFIX = ".mosaic-restore-"  # of what is there only meanwhile
BY_HAND = 'pg_restore --clean --if-exists --single-transaction --dbname="$DATABASE_URL" "{file}"'


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: of which moment, and where what was there before is now."""

    taken_at: datetime
    before: tuple[Path, ...]


def restore(database_url: str, file: Path, now: datetime) -> Restored:
    """Put a backup back.

    Raises UserError where it is none, is damaged, or is of a later version of the bot; ConfigError
    where a bot is at work; StoreError or OSError. Then all is as it was.
    """
    path = sqlite_path(database_url)
    if path is None:
        raise UserError(
            "on PostgreSQL, stop every replica, then call: " + BY_HAND.format(file=file)
        )
    with alone(database_url, restoring=True):
        remove_leftovers(path.parent, now, PREFIX)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=PREFIX) as folder:
            contents, *new = archive.unpack(file, Path(folder))
            _check(file, new)
            both = (path, queue_path(path))
            for one, there in zip(new, both, strict=True):
                _belong(one, there)
            _belong(lock_path(path), path)  # it may have been made just now, by root
            before = _exchange(new, both, f"before-restore-{now:%Y%m%dT%H%M%SZ}")
    return Restored(contents.taken_at, before)


def _check(file: Path, new: Sequence[Path]) -> None:
    """Raise UserError or StoreError where the bot could not work with it."""
    for one in new:
        with telling(file), closing(sqlite3.connect(one)) as connection:
            check(connection)
    store, queue = new
    if (schema := schema_of(store)) not in revisions():
        raise _later(file, f"schema {schema}")
    known = newest_tables()
    if known is not None and (tables := queue_schema_of(queue)) > known:
        raise _later(file, f"tables of the queue {tables}, here {known}")


def _later(file: Path, what: str) -> UserError:
    return UserError(
        f"{file} is of a later version of the bot than this program ({what}); install that "
        "version, then put it back"
    )


def _belong(new: Path, old: Path) -> None:
    """Let a file belong to whom the old one, or the folder, belongs, and be on disk."""
    old = old if old.exists() else old.parent
    found = old.stat()
    if os.geteuid() == 0:
        os.chown(new, found.st_uid, found.st_gid)
    new.chmod(0o600 if old.is_dir() else found.st_mode & 0o777)
    with new.open("rb") as file:
        os.fsync(file.fileno())


def _exchange(new: Sequence[Path], there: Sequence[Path], suffix: str) -> tuple[Path, ...]:
    mark, folder = half_restored(there[0]), there[0].parent
    if unfinished := _read(mark):
        suffix = unfinished
    else:
        suffix = _free(there, suffix)
        _write(mark, suffix)
    before = [moved for path in there for moved in _put_aside(path, suffix)]
    for one, path in zip(new, there, strict=True):
        one.replace(path)
    sync_folder(folder)
    mark.unlink()
    sync_folder(folder)
    return tuple(before)


def _read(mark: Path) -> str:
    """What was put aside before it was broken off is called so; empty where nothing was."""
    with suppress(FileNotFoundError):
        return mark.read_text("utf-8")
    return ""


def _write(mark: Path, suffix: str) -> None:
    """Set the mark, and have it on disk before anything else changes."""
    with mark.open("w", encoding="utf-8") as file:
        file.write(suffix)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(mark.parent)


def _free(there: Sequence[Path], suffix: str) -> str:
    """The suffix, numbered where something is called so already: it may be all that is left."""
    numbered = (f"{suffix}-{n}" if n > 1 else suffix for n in itertools.count(1))
    return next(one for one in numbered if not any(_taken(path, one) for path in there))


def _taken(path: Path, suffix: str) -> bool:
    aside = _aside(path, suffix)
    return any(aside.with_name(f"{aside.name}{end}").exists() for end in ("", *LOGS))


def _aside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _put_aside(path: Path, suffix: str) -> list[Path]:
    """Rename a database with its logs, which hold a part of it; where it is now.

    Where it was put aside before that was broken off, it stays there: what is in its place now is
    of the backup, and gives way.
    """
    aside = _aside(path, suffix)
    logs = {end: path.with_name(f"{path.name}{end}") for end in LOGS}
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)  # is made anew
    if aside.exists():
        for log in logs.values():
            log.unlink(missing_ok=True)
        return [aside]
    for end, log in logs.items():
        with suppress(FileNotFoundError):
            log.rename(f"{aside}{end}")
    with suppress(FileNotFoundError):
        path.rename(aside)
        return [aside]
    return []
