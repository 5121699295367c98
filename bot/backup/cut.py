"""Copies of both SQLite files as they were at one moment, made while a bot works with them.

Copied one after the other they would not fit: work that the queue's copy calls done, and of which
the store's copy knows nothing, would be lost; so would what came in between, where the store
remembers that it was looked for. So both are locked for the moment it takes to begin to read both;
what is read stays as it was then, and others go on writing. The copies are what a power cut at that
moment would have left behind, and the bot bears power cuts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.errors import StoreError

PATIENCE = 10.0  # seconds; a bot at work writes for a moment only


def copies(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Copy the files into a folder, under their names; they are checked and as small as can be.

    Raises StoreError where one cannot be read, or is damaged.
    """
    made = [folder / path.name for path in paths]
    with _as_of_now(paths) as readers:
        for path, reader, copy in zip(paths, readers, made, strict=True):
            with telling(path):
                _copy(reader, copy)
    return made


@contextmanager
def _as_of_now(paths: Sequence[Path]) -> Iterator[list[sqlite3.Connection]]:
    """Connections to all of them that show the same moment, for as long as they are open."""
    with ExitStack() as open_:
        readers = [open_.enter_context(_opened(path)) for path in paths]
        with ExitStack() as locks:
            for path in paths:
                writer = locks.enter_context(_opened(path))
                with telling(path):
                    writer.execute("BEGIN IMMEDIATE")
            for path, reader in zip(paths, readers, strict=True):
                with telling(path):
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield readers


def _copy(reader: sqlite3.Connection, copy: Path) -> None:
    """What one connection shows, as a file without anything beside it."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        reader.backup(connection)
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")
        check(connection)


def check(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError where a database is damaged."""
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {found}")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with telling(path):
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
    with closing(connection):
        yield connection


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """What SQLite raises is a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None
