"""The SQLite files as files: how large they are, and giving back what they do not need.

What is deleted leaves free pages, which are used again. Those beyond a reserve are given back to
the disk, a few at a time: whoever wants to write meanwhile waits for some milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StoreError

STEP = 512  # pages given back in one transaction
RESERVE = 2048  # free pages that stay, 8 MiB; tomorrow's work needs them
PATIENCE = 2.0  # seconds; whoever else wants to write waits for as long


@dataclass(frozen=True, slots=True)
class Size:
    """How large a file is, in bytes: `file`, `log` (its `-wal`), and of the file what is `free`."""

    file: int
    log: int
    free: int


def size(path: Path) -> Size | None:
    """The size of a SQLite file; None where there is none yet. Raises StoreError."""
    if not path.exists():
        return None
    with _opened(path) as connection:
        free = _pragma(connection, "freelist_count") * _pragma(connection, "page_size")
        log = _length(path.with_name(f"{path.name}-wal"))
    return Size(_length(path), log, free)


def give_back(path: Path) -> int:
    """Make a SQLite file as small as is good for it; how many bytes it gave back.

    Files of before the bot made them so (`auto_vacuum`) keep their size, and use it again. Raises
    StoreError.
    """
    before = _length(path)
    with _opened(path) as connection:
        while (more := _pragma(connection, "freelist_count") - RESERVE) > 0:
            connection.executescript(f"PRAGMA incremental_vacuum({min(STEP, more)});")
            if _pragma(connection, "freelist_count") - RESERVE >= more:
                break  # it is none that gives back
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return before - _length(path)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there; what SQLite raises is a StoreError."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE)) as connection:
            connection.isolation_level = None
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None
