"""Deleting what is of no use any more, a batch at a time, so that nobody waits long for it.

Every method deletes at most `most` rows that are older than `before`, and says how many it were:
fewer than `most` means that no more are left. All of it raises StoreError.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.config import CLOCKS_DIFFER
from bot.store import tables as t
from bot.store.access import Access, among, whole
from bot.store.journal import OVER

_ISSUE, _EDGE = t.issues.c, t.edges.c


class Forgetting(Access):
    """Deletes rows by their age."""

    async def commands(self, before: datetime, most: int) -> int:
        """Notes of commands that were done."""
        return await self._some(t.done_commands, t.done_commands.c.at < before, most)

    async def readings(self, before: datetime, most: int) -> int:
        """Answers of Claude's that were not used since."""
        return await self._some(t.readings, t.readings.c.read_at < before, most)

    async def failures(self, before: datetime, most: int) -> int:
        """Work that was given up."""
        return await self._some(t.failures, t.failures.c.failed_at < before, most)

    async def spending(self, before: datetime, most: int) -> int:
        """What Claude took on days that are long over."""
        return await self._some(t.spending, t.spending.c.day < before.date(), most)

    async def locks(self, before: datetime, most: int) -> int:
        """Locks that ended by themselves, for who held them died."""
        return await self._some(t.locks, t.locks.c.until < before, most)

    @whole
    async def issues(self, before: datetime, most: int) -> int:
        """Issues that are over and were last looked at before that, with all that is kept of them.

        Not those that a younger one names, nor those that name one that is still open: what these
        show must stay true.
        """
        async with self._writing() as connection:
            await self._begin_to_age(connection)
            ids = sa.select(_ISSUE.repository, _ISSUE.number).where(_is_old(before)).limit(most)
            old = sa.tuple_(_ISSUE.repository, _ISSUE.number).in_(ids)
            gone = sa.delete(t.issues).where(_is_idle(), old)
            rows = await connection.execute(gone.returning(_ISSUE.repository, _ISSUE.number))
            keys = [(row.repository, row.number) for row in rows]
            if keys:
                await _forget_about(connection, keys)
            return len(keys)

    async def _begin_to_age(self, connection: AsyncConnection) -> None:
        """What is over, and of unknown age, counts from now on.

        It was never looked at as a whole, or the clock that told when was set back. By Gitea's
        clock `now` may be later than what changes next, and that must be looked at.
        """
        values = {"seen_at": self._now() - CLOCKS_DIFFER}
        unknown = sa.update(t.issues).where(_is_over(), _ISSUE.seen_at.is_(None))
        await connection.execute(unknown.values(values))

    @whole
    async def _some(self, table: sa.Table, old: sa.ColumnElement[bool], most: int) -> int:
        (key,) = table.primary_key
        ids = sa.select(key).where(old).limit(most)
        async with self._writing() as connection:
            return (await connection.execute(sa.delete(table).where(key.in_(ids)))).rowcount


def _is_over() -> sa.ColumnElement[bool]:
    """Whether an issue is closed or gone, or out of sight and nobody's."""
    return _ISSUE.state.in_(OVER) | ((_ISSUE.state == "unseen") & ~_ISSUE.coordinated)


def _is_idle() -> sa.ColumnElement[bool]:
    """Whether an issue is over, and nothing is left to be done because of it."""
    return _is_over() & (_ISSUE.owed == "[]") & (_ISSUE.notice == "")


def _is_old(before: datetime) -> sa.ColumnElement[bool]:
    """Whether it is over, long since, and so are all that name it; and it names none that is open.

    Who names it must be old, not gone: else of a chain that goes on for ever nothing would go.
    """
    sayer, other = t.issues.alias("sayer"), t.issues.alias("other")
    here = _ISSUE.repository, _ISSUE.number
    ends = (_EDGE.repository, _EDGE.number), (_EDGE.for_repository, _EDGE.for_number)
    said_at = _EDGE.said_repository, _EDGE.said_number
    lives = sayer.c.state.not_in(OVER) | sayer.c.seen_at.is_(None) | (sayer.c.seen_at >= before)
    is_sayer = _same((sayer.c.repository, sayer.c.number), said_at)
    others = (other.c.repository, other.c.number)
    is_open = other.c.coordinated & other.c.state.not_in(OVER)
    held = [
        *(sa.exists().where(_same(e, here), ~_same(said_at, here), is_sayer, lives) for e in ends),
        *(sa.exists().where(_same(said_at, here), _same(e, others), is_open) for e in ends),
    ]
    return sa.and_(_is_idle(), _ISSUE.seen_at < before, *(~one for one in held))


_End: TypeAlias = tuple[sa.ColumnElement[str], sa.ColumnElement[int]]


def _same(one: _End, other: _End) -> sa.ColumnElement[bool]:
    return (one[0] == other[0]) & (one[1] == other[1])


async def _forget_about(connection: AsyncConnection, keys: Sequence[tuple[str, int]]) -> None:
    """Delete what else is kept of them, except what is said of another that is still known."""
    for table in (t.writers, t.overrides):
        here = among(table.c.repository, table.c.number, keys)
        await connection.execute(sa.delete(table).where(here))
    said = among(_EDGE.said_repository, _EDGE.said_number, keys)
    await connection.execute(sa.delete(t.edges).where(said))
    for pairs in (t.links, t.natives):
        c = pairs.c
        ends = ((c.repository, c.number), (c.for_repository, c.for_number))
        known = [
            sa.exists().where(_ISSUE.repository == name, _ISSUE.number == number)
            for name, number in ends
        ]
        touched = sa.or_(*(among(*end, keys) for end in ends))
        await connection.execute(sa.delete(pairs).where(touched, *(~one for one in known)))
