"""What the bot did about Gitea's own dependencies, kept."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from bot.dependencies import Edge
from bot.models import IssueRef
from bot.natives import Native, State
from bot.store import tables as t
from bot.store.access import Access, ref_of, whole


class NativesStore(Access):
    """Which of Gitea's dependencies the bot set, or keeps off. Raises StoreError."""

    async def of(self, issue: IssueRef) -> dict[Edge, Native]:
        """Those that touch an issue."""
        repository, number = issue.key
        c = t.natives.c
        rows = await self._read(
            sa.select(t.natives).where(
                sa.or_(
                    sa.and_(c.repository == repository, c.number == number),
                    sa.and_(c.for_repository == repository, c.for_number == number),
                )
            )
        )
        return {one.edge: one for one in map(_native, rows)}

    @whole
    async def keep(self, natives: list[Native]) -> None:
        """Remember these; replaces what was remembered of the same dependencies."""
        async with self._writing() as connection:
            for one in natives:
                await self._upsert(connection, t.natives, _row(one))

    @whole
    async def forget(self, edges: set[Edge]) -> None:
        """Remember these no longer."""
        async with self._writing() as connection:
            for edge in edges:
                await connection.execute(sa.delete(t.natives).where(*_at(edge)))


def _at(edge: Edge) -> tuple[sa.ColumnElement[bool], ...]:
    (repository, number), (for_repository, for_number) = edge[0].key, edge[1].key
    c = t.natives.c
    return (
        c.repository == repository,
        c.number == number,
        c.for_repository == for_repository,
        c.for_number == for_number,
    )


def _native(row: sa.Row[Any]) -> Native:
    texts = json.loads(row.text) if row.text else {}
    return Native(
        ref_of(row.shown, row.number),
        ref_of(row.for_shown, row.for_number),
        State(row.state),
        tuple((IssueRef.parse(ref), digest) for ref, digest in texts.items()),
    )


def _row(one: Native) -> dict[str, Any]:
    (repository, number), (for_repository, for_number) = one.waits.key, one.on.key
    return {
        "repository": repository,
        "number": number,
        "for_repository": for_repository,
        "for_number": for_number,
        "shown": one.waits.repository,
        "for_shown": one.on.repository,
        "state": one.state.value,
        "text": json.dumps({str(ref): text for ref, text in one.texts}) if one.texts else "",
    }
