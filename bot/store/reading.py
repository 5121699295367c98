"""Reading a SQLite file in threads: there and back once, not once for each step of a question.

Of a question asked through aiosqlite most of the time is the way to its thread: for the cursor, the
statement, the rows, the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.database import durable_sqlite

AT_ONCE = 4  # questions; others wait for their turn

_READERS: WeakKeyDictionary[AsyncEngine, Reader] = WeakKeyDictionary()


class Reader:
    """Reads what is committed by now."""

    def __init__(self, path: str) -> None:
        self._engine = sa.create_engine(f"sqlite:///{path}", pool_size=AT_ONCE)
        sa.event.listen(self._engine, "connect", durable_sqlite)
        self._threads: ThreadPoolExecutor | None = None

    async def rows(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[Any]:
        """All that a statement gives. Raises DBAPIError."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reader")
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._rows, statement
        )

    def _rows(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()

    def close(self, *_: object) -> None:
        """Let go of the file and the threads, until something is read again."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None
        self._engine.dispose()


def reader_of(engine: AsyncEngine) -> Reader | None:
    """What reads the file of an engine, and lets go of it with that; None where it has none."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    if engine not in _READERS:
        reader = _READERS[engine] = Reader(path)
        sa.event.listen(engine.sync_engine, "engine_disposed", reader.close)
    return _READERS[engine]
