"""The journal: which issues' edges or state changed, in the order in which that was to be seen.

Who keeps the graph in memory reads on from where it was. That works only if no entry ever appears
before one that was read: so whoever writes one lets nobody else do so until it is committed.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import IssueRef
from bot.store import tables as t

KEPT = 10_000  # entries; who is further behind reads everything anew
TRIM_EVERY = 500  # entries
OVER = ("closed", "gone")  # states in which an issue holds nothing back
LOCK = 0x67726170  # "grap": any number that others do not use


def is_over(state: str) -> bool:
    """Whether an issue of that state holds nothing back."""
    return state in OVER


async def record(connection: AsyncConnection, issues: Iterable[IssueRef]) -> None:
    """Enter issues, as the last thing that a transaction does.

    In PostgreSQL others wait from here on until it is committed; SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    for issue in issues:
        version = await _enter(connection, issue)
        if version % TRIM_EVERY == 0:
            await connection.execute(
                sa.delete(t.changes).where(t.changes.c.version <= version - KEPT)
            )


async def _enter(connection: AsyncConnection, issue: IssueRef) -> int:
    repository, number = issue.key
    following = sa.select(
        sa.func.coalesce(sa.func.max(t.changes.c.version), 0) + 1,
        sa.literal(repository),
        sa.literal(number),
    )
    columns = ["version", "repository", "number"]
    statement = sa.insert(t.changes).from_select(columns, following)
    entered = await connection.execute(statement.returning(t.changes.c.version))
    return int(entered.scalar_one())
