"""How the database is asked, whatever is kept in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StoreError
from bot.models import IssueRef
from bot.store.reading import reader_of

P = ParamSpec("P")
R = TypeVar("R")

_UNANSWERED = (sa.exc.DBAPIError, sa.exc.TimeoutError)  # the latter: no connection was free


def whole(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Have it done to its end also when who asked for it is gone.

    A connection that is broken off in a transaction keeps a SQLite file locked until Python
    happens to clear it away. Who is cancelled is so at the end: what they write next comes after.
    """

    @wraps(method)
    async def to_the_end(*args: P.args, **kwargs: P.kwargs) -> R:
        asked = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            await asyncio.wait([asked])
            raise

    return to_the_end


def at_any_time() -> None:
    """Who writes has asked nobody."""


class Access:
    """A database, read and written in whole transactions; raises StoreError when it is silent.

    `may_write` is called before each transaction that writes; it raises where others do by now
    what this process had begun (see `Lease`).
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        may_write: Callable[[], None] = at_any_time,
    ) -> None:
        self._engine = engine
        self._now = now
        self._may_write = may_write
        self._reader = reader_of(engine)
        self._is_postgresql = engine.dialect.name == "postgresql"
        self._insert: Any = postgresql.insert if self._is_postgresql else sqlite.insert

    @whole
    async def _read(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[Any]:
        if self._reader:
            with _answering():
                return await self._reader.rows(statement)
        async with self._reading() as connection:
            rows: Sequence[Any] = (await connection.execute(statement)).all()
            return rows

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from, in a method that is `whole`."""
        with _answering():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self, *, anyhow: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction, in a method that is `whole`; `anyhow`: whoever else may be at this."""
        if not anyhow:
            self._may_write()
        with _answering():
            async with self._engine.begin() as connection:
                yield connection

    async def _upsert(
        self, connection: AsyncConnection, table: sa.Table, row: dict[str, Any]
    ) -> None:
        keys = [column.name for column in table.primary_key]
        statement = self._insert(table).values(row)
        changed = {name: statement.excluded[name] for name in row if name not in keys}
        await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


@contextmanager
def _answering() -> Iterator[None]:
    """What the database does not answer is a StoreError."""
    try:
        yield
    except _UNANSWERED as error:
        raise StoreError(str(getattr(error, "orig", error))) from None


def among(
    repository: sa.ColumnElement[str],
    number: sa.ColumnElement[int],
    keys: Iterable[tuple[str, int]],
) -> sa.ColumnElement[bool]:
    """Whether a row's issue is one of these, of which there are some.

    Each repository is asked for by itself: of `(a, b) IN (…)` SQLite makes a reading of all rows.
    """
    numbers: dict[str, list[int]] = {}
    for name, nth in keys:
        numbers.setdefault(name, []).append(nth)
    return sa.or_(*(sa.and_(repository == name, number.in_(nth)) for name, nth in numbers.items()))


def sound(text: str) -> str:
    """Without what no database holds: NUL, and half a character."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def ref_of(shown: str, number: int) -> IssueRef:
    """The issue of a row: its repository as it is spelled, and its number."""
    owner, _, repo = shown.partition("/")
    return IssueRef(owner, repo, number)
