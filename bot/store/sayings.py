"""What people said by commands, kept: no cache, for Gitea does not know it.

Also which commands were done, so that what is delivered again is not done again. Everything here
raises StoreError when the database does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.models import IssueRef
from bot.sayings import Field, Heard, Link, LinkKind, Override, Overrides, Pause
from bot.store import tables as t
from bot.store.access import Access, among, ref_of, sound, whole

CHUNK = 200  # refs asked for in one statement, which names each twice
MAX_TEXT = 2_000  # characters of a reason that are kept


class SayingsStore(Access):
    """Overrides, links, pauses, and the commands that were done."""

    # -- overrides --------------------------------------------------------------------------

    async def overrides(self, issue: IssueRef) -> Overrides:
        """All that is set on an issue."""
        rows = await self._read(
            sa.select(t.overrides).where(*_at(t.overrides, issue)).order_by(t.overrides.c.field)
        )
        return Overrides(tuple(map(_override, rows)))

    async def override(
        self, issue: IssueRef, field: Field, value: str, *, by: str, reason: str = ""
    ) -> None:
        """Set one thing; replaces what was set there."""
        repository, number = issue.key
        await self._keep(
            t.overrides,
            {
                "repository": repository,
                "number": number,
                "field": field.value,
                "value": value,
                "reason": _kept(reason),
                "by": by,
                "at": self._now(),
            },
        )

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Take back what was set; whether anything was."""
        where = (*_at(t.overrides, issue), t.overrides.c.field == field.value)
        return await self._delete(t.overrides, *where)

    # -- links ------------------------------------------------------------------------------

    async def link(
        self, waits: IssueRef, on: IssueRef, *, by: str, at: IssueRef | None = None
    ) -> None:
        """Add an edge, by a command at an issue; also ends that it is ignored."""
        await self._say(waits, on, LinkKind.ADDED, by, at.key[0] if at else "")

    async def ignore(self, waits: IssueRef, on: IssueRef, *, by: str) -> None:
        """Let a declared or native edge count no longer; one that was added as well goes, too."""
        await self._say(waits, on, LinkKind.IGNORED, by)

    async def unlink(self, waits: IssueRef, on: IssueRef) -> bool:
        """Take an added edge away; whether there was one."""
        ends = (*_at(t.links, waits), *_for(on))
        return await self._delete(t.links, *ends, t.links.c.kind == LinkKind.ADDED.value)

    async def heed(self, waits: IssueRef, on: IssueRef) -> bool:
        """Let an edge count again that was taken away; whether one was."""
        ends = (*_at(t.links, waits), *_for(on))
        return await self._delete(t.links, *ends, t.links.c.kind == LinkKind.IGNORED.value)

    async def links(self, issue: IssueRef) -> Sequence[Link]:
        """Everything people said of edges from and to an issue."""
        return await self.links_of([issue])

    async def links_of(self, issues: Collection[IssueRef]) -> list[Link]:
        """Everything people said of edges from and to any of these issues, each once, in order."""
        keys = sorted({issue.key for issue in issues})
        c = t.links.c
        found: dict[tuple[IssueRef, IssueRef], Link] = {}
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            ends = (c.repository, c.number), (c.for_repository, c.for_number)
            touching = sa.or_(*(among(*end, chunk) for end in ends))
            rows = await self._read(sa.select(t.links).where(touching))
            found |= {(link.waits, link.on): link for link in map(_link, rows)}
        return [found[ends] for ends in sorted(found)]

    async def _say(
        self, waits: IssueRef, on: IssueRef, kind: LinkKind, by: str, said_in: str = ""
    ) -> None:
        repository, number = waits.key
        for_repository, for_number = on.key
        await self._keep(
            t.links,
            {
                "repository": repository,
                "number": number,
                "for_repository": for_repository,
                "for_number": for_number,
                "shown": waits.repository,
                "for_shown": on.repository,
                "kind": kind.value,
                "said_repository": said_in,
                "by": by,
                "at": self._now(),
            },
        )

    # -- pauses -----------------------------------------------------------------------------

    async def pause(self, repository: str, *, by: str, reason: str = "") -> None:
        """Write nothing there from now on."""
        row = {"repository": repository.lower(), "reason": _kept(reason)}
        await self._keep(t.pauses, {**row, "by": by, "at": self._now()})

    async def resume(self, repository: str) -> bool:
        """Write there again; whether it was paused."""
        return await self._delete(t.pauses, t.pauses.c.repository == repository.lower())

    async def paused(self, repository: str) -> Pause | None:
        """The pause in force, or None."""
        where = t.pauses.c.repository == repository.lower()
        rows = await self._read(sa.select(t.pauses).where(where))
        return next((Pause(repository, row.by, row.at, row.reason) for row in rows), None)

    # -- all that was said of an issue ------------------------------------------------------

    async def heard(self, issue: IssueRef) -> Heard:
        """Overrides, links and the pause that bear on an issue."""
        return Heard(
            overrides=await self.overrides(issue),
            links=tuple(await self.links(issue)),
            pause=await self.paused(issue.repository),
        )

    # -- commands that were done ------------------------------------------------------------

    @whole
    async def begin_command(self, key: str, by: str) -> bool:
        """Note that a command is begun; False when it was before, whoever asks at the same time."""
        row = {"key": key, "by": by.lower(), "at": self._now(), "result": ""}
        statement = self._insert(t.done_commands).values(row)
        statement = statement.on_conflict_do_nothing().returning(t.done_commands.c.key)
        async with self._writing() as connection:
            return (await connection.execute(statement)).first() is not None

    @whole
    async def finish_command(self, key: str, result: str) -> None:
        """Note what came of a command that was begun; `result` is not empty."""
        done = t.done_commands
        async with self._writing() as connection:
            await connection.execute(
                sa.update(done).where(done.c.key == key).values(result=sound(result))
            )

    async def result_of(self, key: str) -> str | None:
        """What came of a command; None while it is not finished, and when it was never begun."""
        done = t.done_commands
        rows = await self._read(sa.select(done.c.result).where(done.c.key == key))
        return rows[0][0] or None if rows else None

    async def finished(self, prefix: str) -> dict[str, str]:
        """What came of every finished command whose key begins so, by key."""
        done = t.done_commands
        key = done.c.key.collate("C") if self._is_postgresql else done.c.key  # by bytes in both
        beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = await self._read(
            sa.select(done.c.key, done.c.result).where(
                key >= prefix, key < beyond, done.c.result != ""
            )
        )
        return {row.key: row.result for row in rows}

    async def commands_since(self, by: str, since: datetime) -> int:
        """How many commands somebody gave since then."""
        done = t.done_commands
        rows = await self._read(
            sa.select(sa.func.count())
            .select_from(done)
            .where(done.c.by == by.lower(), done.c.at >= since.astimezone(UTC))
        )
        return int(rows[0][0])

    # -- how it is done ---------------------------------------------------------------------

    @whole
    async def _keep(self, table: sa.Table, row: dict[str, Any]) -> None:
        async with self._writing() as connection:
            await self._upsert(connection, table, row)

    @whole
    async def _delete(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> bool:
        async with self._writing() as connection:
            return (await connection.execute(sa.delete(table).where(*where))).rowcount > 0


def _at(table: sa.Table, issue: IssueRef) -> tuple[sa.ColumnElement[bool], ...]:
    repository, number = issue.key
    return table.c.repository == repository, table.c.number == number


def _for(issue: IssueRef) -> tuple[sa.ColumnElement[bool], ...]:
    repository, number = issue.key
    return t.links.c.for_repository == repository, t.links.c.for_number == number


def _kept(text: str) -> str:
    return sound(text)[:MAX_TEXT]


def _override(row: sa.Row[Any]) -> Override:
    return Override(Field(row.field), row.value, row.by, row.at, row.reason)


def _link(row: sa.Row[Any]) -> Link:
    waits, on = ref_of(row.shown, row.number), ref_of(row.for_shown, row.for_number)
    return Link(waits, on, LinkKind(row.kind), row.by, row.at, row.said_repository)
