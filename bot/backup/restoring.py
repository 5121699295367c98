"""Putting a backup back, where no bot is at work. What was there before stays beside it.

Two files are exchanged, and one of the old ones with one of the new would lose work. So a mark
stands there meanwhile: where that is broken off, the bot does not start until it was done again.
"""

from __future__ import annotations

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
from bot.backup.making import schema_of
from bot.backup.whole import sync_folder
from bot.errors import UserError
from bot.store.alone import alone, half_restored
from bot.store.database import queue_path, revisions, sqlite_path

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
    with (
        alone(database_url, restoring=True),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".mosaic-restore-") as folder,
    ):
        contents, *new = archive.unpack(file, Path(folder))
        _check(file, new)
        both = (path, queue_path(path))
        for one, there in zip(new, both, strict=True):
            _belong(one, there)
        before = _exchange(new, both, f"before-restore-{now:%Y%m%dT%H%M%SZ}")
    return Restored(contents.taken_at, before)


def _check(file: Path, new: Sequence[Path]) -> None:
    """Raise UserError or StoreError where the bot could not work with it."""
    for one in new:
        with telling(file), closing(sqlite3.connect(one)) as connection:
            check(connection)
    if (schema := schema_of(new[0])) not in revisions():
        raise UserError(
            f"{file} is of a later version of the bot than this program (schema {schema}); install "
            "that version, then put it back"
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
    mark.touch()
    sync_folder(folder)
    before = [moved for path in there for moved in _put_aside(path, suffix)]
    for one, path in zip(new, there, strict=True):
        one.replace(path)
    sync_folder(folder)
    mark.unlink()
    sync_folder(folder)
    return tuple(before)


def _put_aside(path: Path, suffix: str) -> list[Path]:
    """Rename a database with its log, which holds a part of it; where it is now."""
    aside = path.with_name(f"{path.name}.{suffix}")
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)  # is made anew
    with suppress(FileNotFoundError):
        path.with_name(f"{path.name}-wal").rename(f"{aside}-wal")
    with suppress(FileNotFoundError):
        path.rename(aside)
        return [aside]
    return []
