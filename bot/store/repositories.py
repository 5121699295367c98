"""What happens to a repository as a whole: it has another name, or is gone with all its issues.

Names stand in many tables, as keys and inside lists of references. Everything here happens in the
transaction of who calls.
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
    _Place(t.writers, "repository"),
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
    _Place(t.policies, "repository"),
)
_LISTS = ("cycle", "owed", "stood")  # columns of issues, JSON, that hold references
_OWN = (
    t.issues,
    t.writers,
    t.overrides,
    t.natives,
    t.links,
    t.watches,
    t.pauses,
    t.policies,
)  # by `repository`
_LEFT = {
    "coordinated": False,
    "comment_id": None,
    "comment_at": "",
    "status": "",
    "agent": "",
    "cycle": "[]",
    "owed": "[]",
    "stood": "{}",
    "notice": "",
    "labels": "",
}  # what an issue is when it is nobody's concern any more


async def rename(connection: AsyncConnection, insert: Insert, old: str, new: str) -> None:
    """Let everything that is kept of the repository `old` (`owner/name`) be kept of `new`.

    Where something is kept of that already, it stays.
    """
    for place in _PLACES:
        await _move(connection, insert, place, old, new)
    for column in _LISTS:
        await _rewrite(connection, t.issues.c[column], old, new)


async def bury(connection: AsyncConnection, insert: Insert, repository: str) -> None:
    """Let all its issues be gone, also those that only others name."""
    name = repository.lower()
    c, issue = t.edges.c, t.issues.c
    named = sa.select(c.for_number, c.for_shown).where(c.for_repository == name).distinct()
    here = issue.repository == name
    await connection.execute(sa.update(t.issues).where(here).values(**_LEFT, state="gone"))
    rows = [
        {"repository": name, "number": number, "shown": shown, "state": "gone"}
        for number, shown in (await connection.execute(named)).all()
    ]
    await _fill(connection, insert, t.issues, rows)
    await connection.execute(sa.delete(t.edges).where(c.said_repository == name))


async def drop(connection: AsyncConnection, repository: str) -> None:
    """Forget all that is its own; what others say of it stays."""
    name = repository.lower()
    for table in _OWN:
        await connection.execute(sa.delete(table).where(table.c.repository == name))
    await connection.execute(sa.delete(t.edges).where(t.edges.c.said_repository == name))


async def touched(connection: AsyncConnection, repository: str) -> set[IssueRef]:
    """All that the graph in memory holds of it: its issues, and those at the ends of its edges."""
    name, c, issue = repository.lower(), t.edges.c, t.issues.c
    ends = (
        sa.select(issue.shown, issue.number).where(issue.repository == name),
        sa.select(c.shown, c.number).where(sa.or_(c.repository == name, c.for_repository == name)),
        sa.select(c.for_shown, c.for_number).where(
            sa.or_(c.repository == name, c.for_repository == name)
        ),
    )
    return {ref_of(*row) for row in (await connection.execute(sa.union(*ends))).all()}


def across(repository: str) -> sa.Select[Any]:
    """The issues of other repositories that wait for its own, or are waited for by them."""
    name, c = repository.lower(), t.edges.c
    into = sa.select(c.repository, c.number).where(c.for_repository == name, c.repository != name)
    out = sa.select(c.for_repository, c.for_number).where(
        c.repository == name, c.for_repository != name
    )
    return sa.select(t.issues).where(
        t.issues.c.coordinated,
        sa.tuple_(t.issues.c.repository, t.issues.c.number).in_(into.union(out)),
    )


async def _fill(
    connection: AsyncConnection, insert: Insert, table: sa.Table, rows: list[dict[str, Any]]
) -> None:
    """Put rows into a table, except where something is there already."""
    for start in range(0, len(rows), BATCH):
        statement = insert(table).on_conflict_do_nothing()
        await connection.execute(statement, rows[start : start + BATCH])


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
    await _fill(connection, insert, place.table, [{**row, **changed} for row in found])


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
