"""Making a backup: of SQLite both files, of PostgreSQL what `pg_dump` writes."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from bot import __version__
from bot.backup import archive, whole
from bot.backup.cut import copies, telling
from bot.errors import StoreError, UserError
from bot.store.alone import half_restored, lock_path
from bot.store.database import queue_path, sqlite_path

BY_HAND = 'pg_dump --format=custom --file="{target}" "$DATABASE_URL"'


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: where, of what moment, and how many bytes it has."""

    file: Path
    taken_at: datetime
    size: int


def make(database_url: str, where: str | Path, now: datetime, *, replace: bool = False) -> Made:
    """Save all that the bot keeps in one file, which is there as a whole or not at all.

    In a folder, it is named by the moment. Raises UserError, StoreError or OSError.
    """
    target, path = _target(where, now), sqlite_path(database_url)
    if path is not None:
        _refuse_own(path, target)
    whole.refuse_existing(target, replace=replace)
    whole.remove_leftovers(target.parent, now)
    if path is None:
        _dump(database_url, target, replace=replace)
    else:
        _save(path, target, now, replace=replace)
    return Made(target, now, target.stat().st_size)


def _target(where: str | Path, now: datetime) -> Path:
    """The file to write. Raises UserError where there is no folder for it."""
    target = Path(where)
    if str(where).endswith(os.sep) or target.is_dir():
        target /= f"coordinator-{now:%Y%m%dT%H%M%SZ}.backup"
    folder = target.parent
    if not folder.is_dir():
        if folder.exists():
            raise UserError(f"{folder} is a file, not a folder")
        raise UserError(
            f"there is no folder {folder}; make it: mkdir -p {shlex.quote(str(folder))}"
        )
    return target


def _refuse_own(path: Path, target: Path) -> None:
    """Raise UserError where the bot works with the file, or would."""
    beside = ("", "-wal", "-shm", "-journal")
    files = [
        one.with_name(f"{one.name}{more}") for one in (path, queue_path(path)) for more in beside
    ]
    for one in (*files, lock_path(path), half_restored(path)):
        same = target.resolve() == one.resolve()
        if same or (target.exists() and one.exists() and target.samefile(one)):
            raise UserError(f"{target} is a file of the bot's own database; choose another name")


def _save(path: Path, target: Path, now: datetime, *, replace: bool) -> None:
    both = (path, queue_path(path))
    for one in both:
        if not one.exists():
            raise UserError(
                f"there is no {one}; call this in the folder of the bot, and with its settings"
            )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=whole.PREFIX) as folder:
        store, queue = copies(both, Path(folder))
        contents = archive.Contents(
            made_by=__version__,
            taken_at=now,
            schema_=schema_of(store),
            queue_schema=queue_schema_of(queue),
            store=archive.member(store),
            queue=archive.member(queue),
        )
        with whole.written(target, replace=replace) as file:
            archive.pack(file, contents, store, queue)


def schema_of(store: Path) -> str:
    """The version of the schema in a file. Raises StoreError where it is no store of the bot's."""
    with telling(store), closing(sqlite3.connect(store)) as connection:
        row = connection.execute("SELECT version_num FROM mosaic_version").fetchone()
        if row is None:
            raise sqlite3.DatabaseError("it is not the bot's")
        return str(row[0])


def queue_schema_of(queue: Path) -> int:
    """The version of the queue's tables in a file, as dbos counts them; 0 where it has none yet."""
    with telling(queue), closing(sqlite3.connect(queue)) as connection:
        is_table = "SELECT count(*) FROM sqlite_master WHERE name = 'dbos_migrations'"
        if not connection.execute(is_table).fetchone()[0]:
            return 0
        found = connection.execute("SELECT max(version) FROM dbos_migrations").fetchone()
        return int(found[0] or 0)


def _dump(database_url: str, target: Path, *, replace: bool) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise UserError(
            "there is no pg_dump here; where there is one (of PostgreSQL's own version, or later), "
            f"call: {BY_HAND.format(target=target)}"
        )
    url, password = _without_password(database_url)
    with whole.written(target, replace=replace) as file:
        done = subprocess.run(  # noqa: S603 - the program that was found, and no shell
            [program, "--format=custom", f"--dbname={url}"],
            stdout=file,
            stderr=subprocess.PIPE,
            env={**os.environ, **password},
            check=False,
        )
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"
            raise StoreError(f"pg_dump failed: {why}")


def _without_password(database_url: str) -> tuple[str, Mapping[str, str]]:
    """The address as PostgreSQL's programs take it, and apart from it what nobody else may see."""
    url = make_url(database_url)
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    plain = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    )
    return plain.render_as_string(), password
