"""A SQLite database is for one process at a time: two would take each other's work."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bot.errors import ConfigError
from bot.store.database import sqlite_path


class Taken(ConfigError):  # noqa: N818 - says what is so
    """Another process holds the database."""


@contextmanager
def alone(database_url: str, *, restoring: bool = False) -> Iterator[None]:
    """Hold a SQLite database for this process alone; of others there may be many.

    Raises Taken where another one holds it, and ConfigError, unless it is `restoring`, where
    a backup was being put back and that was broken off.
    """
    path = sqlite_path(database_url)
    if path is None:
        yield
        return
    with _lock_file(path) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Taken(
                f"another mosaic-coordinator is at work on {path}; for several of them use "
                "PostgreSQL (DATABASE_URL=postgresql://…)"
            ) from None
        if not restoring and half_restored(path).exists():
            raise ConfigError(
                f"putting a backup back was broken off, so {path} may not fit the queue beside it; "
                "call again: mosaic-coordinator restore FILE"
            )
        yield


def half_restored(path: Path) -> Path:
    """The mark that is there while a backup is being put back."""
    return path.with_name(f"{path.stem}.restoring")


def lock_path(path: Path) -> Path:
    """The file that whoever holds the database has locked."""
    return path.with_name(f"{path.stem}.lock")


def _lock_file(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return lock_path(path).open("w", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"database_url: {path} cannot be used: {error}") from None
