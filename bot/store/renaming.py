"""A repository has another name: all that is remembered under the old one goes to the new one.

Names stand in many tables, as keys and inside lists of references. All of it happens in the
transaction of who calls; where something is there under the new name already, that stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import IssueRef
from bot.store import tables as t
from bot.store.access import ref_of

Insert: TypeAlias = Callable[[sa.Table], Any]
"""The dialect's INSERT, which can pass over what is there."""

BATCH = 500  # rows written at once


@dataclass(frozen=True, slots=True)
class _Place:
    """Columns of a table that name a repository: in lower case and, where it is kept, as shown."""

    table: sa.Table
    key: str
    shown: str = ""


_PLACES = (
    _Place(t.issues, "repository", "shown"),
    _Place(t.edges, "repository", "shown"),
    _Place(t.edges, "for_repository", "for_shown"),
    _Place(t.edges, "said_repository"),
    _Place(t.natives, "repository", "shown"),
    _Place(t.natives, "for_repository", "for_shown"),
    _Place(t.watches, "repository", "shown"),
    _Place(t.overrides, "repository"),
    _Place(t.links, "repository", "shown"),
    _Place(t.links, "for_repository", "for_shown"),
    _Place(t.links, "said_repository"),
    _Place(t.pauses, "repository"),
)
_LISTS = ("cycle", "owed", "stood")  # columns of issues, JSON, that hold references


async def rename(connection: AsyncConnection, insert: Insert, old: str, new: str) -> None:
    """Let everything that is kept of the repository `old` (`owner/name`) be kept of `new`."""
    for place in _PLACES:
        await _move(connection, insert, place, old, new)
    for column in _LISTS:
        await _rewrite(connection, t.issues.c[column], old, new)


async def _move(
    connection: AsyncConnection, insert: Insert, place: _Place, old: str, new: str
) -> None:
    here = place.table.c[place.key] == old.lower()
    changed = {place.key: new.lower()} | ({place.shown: new} if place.shown else {})
    if not place.table.c[place.key].primary_key:
        await connection.execute(sa.update(place.table).where(here).values(changed))
        return
    found = (await connection.execute(sa.select(place.table).where(here))).mappings().all()
    await connection.execute(sa.delete(place.table).where(here))
    rows = [{**row, **changed} for row in found]
    for start in range(0, len(rows), BATCH):
        statement = insert(place.table).on_conflict_do_nothing()
        await connection.execute(statement, rows[start : start + BATCH])


async def _rewrite(connection: AsyncConnection, column: sa.Column[Any], old: str, new: str) -> None:
    """Rewrite the references inside a column of JSON, in whatever case they were written."""
    c = t.issues.c
    holds = sa.func.lower(column).contains(f'"{old.lower()}#', autoescape=True)
    found = await connection.execute(sa.select(c.repository, c.number, column).where(holds))
    for repository, number, text in found.all():
        at = sa.and_(c.repository == repository, c.number == number)
        value = json.dumps(_renamed(json.loads(text), old, new))
        await connection.execute(sa.update(t.issues).where(at).values({column.name: value}))


def _renamed(found: dict[str, str] | list[str], old: str, new: str) -> dict[str, str] | list[str]:
    if isinstance(found, list):
        return [_called(ref, old, new) for ref in found]
    renamed = {_called(ref, old, new): value for ref, value in found.items()}
    return renamed | {ref: value for ref, value in found.items() if ref in renamed}


def _called(text: str, old: str, new: str) -> str:
    ref = IssueRef.parse(text)
    return str(ref_of(new, ref.number)) if ref.key[0] == old.lower() else text
