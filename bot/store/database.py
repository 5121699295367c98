"""Opening the database: SQLite by default, PostgreSQL by `DATABASE_URL`; migrated at start-up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import ConfigError, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
PRAGMAS = (
    "journal_mode=WAL",
    "journal_size_limit=16777216",  # bytes that the log may keep on disk once it is written back
    "synchronous=FULL",
    "foreign_keys=ON",
)
GIVES_UP = {  # a database server that is gone is noticed within ten seconds, not minutes
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
MIGRATION_LOCK = 0x6D6F7361  # "mosa": any number that others do not use


def async_url(database_url: str) -> URL:
    """`DATABASE_URL` with the async driver that this store uses."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    return url.set(drivername="postgresql+psycopg")


def connect_args(database_url: str) -> dict[str, int]:
    """How to connect to PostgreSQL, where `DATABASE_URL` itself does not say."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return {}
    return {name: value for name, value in GIVES_UP.items() if name not in url.query}


def sqlite_path(database_url: str) -> Path | None:
    """The SQLite file, or None for another database."""
    url = make_url(database_url)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def queue_path(path: Path) -> Path:
    """The file of the queue, beside the one of the store."""
    return path.with_name(f"{path.stem}.queue{path.suffix}")


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a migrated database, closed at the end.

    Raises ConfigError where the file cannot be made in that place, and StoreError where the file
    or the server cannot be opened, or belongs to a later version of the bot.
    """
    path = sqlite_path(database_url)
    if path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"database_url: {path.parent} cannot be made: {error}") from None
        if path.is_dir():
            raise ConfigError(f"database_url: {path} is a directory; name a file in it")
        await asyncio.to_thread(_try_file, path)
    async with as_it_is(database_url) as engine:
        await _migrate(engine)
        yield engine


@asynccontextmanager
async def as_it_is(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database that is there, which is neither made nor migrated."""
    path = sqlite_path(database_url)
    engine = create_async_engine(
        async_url(database_url),
        pool_pre_ping=path is None,
        connect_args=connect_args(database_url),
    )
    if path:
        sa.event.listen(engine.sync_engine, "connect", durable_sqlite)
    try:
        yield engine
    finally:
        await engine.dispose()


def _try_file(path: Path) -> None:
    """Read the file once. Raises StoreError.

    aiosqlite would tell as well, but it does not wait for the thread of a connection that was not
    made: where the loop ends meanwhile, that thread dies of it, with a traceback on the terminal.
    """
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise StoreError(f"the database cannot be opened: {error}") from None


def durable_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    """Make a new SQLite connection durable and patient: what is committed survives a power cut.

    A transaction takes the write lock with its first change, so two writers wait for each other
    instead of failing half-way.
    """
    connection.isolation_level = "IMMEDIATE"
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA page_count")
        if cursor.fetchone()[0] == 0:  # a new file; else this waits for who writes
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")  # see `files`
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
    except Exception:
        connection.close()  # nobody else does, and its thread would go on
        raise
    cursor.close()


async def _migrate(engine: AsyncEngine) -> None:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except sa.exc.DBAPIError as error:
        raise StoreError(f"the database cannot be opened: {error.orig}") from None
    except CommandError as error:
        raise StoreError(f"the database is of a later version of the bot: {error}") from None


def _upgrade(connection: sa.Connection) -> None:
    """Bring the schema up to date; with several processes, the first one does it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    else:
        connection.execute(sa.text("BEGIN IMMEDIATE"))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revisions() -> tuple[str, ...]:
    """Every version of the schema that this program knows, the newest first."""
    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(one.revision for one in known)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
