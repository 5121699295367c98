"""By which file of its own each repository is judged, and which report tells of its mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.models import IssueRef
from bot.store import tables as t
from bot.store.access import Access, ref_of, whole


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a repository's file.

    `blob` is Git's name of it, empty where there is none; `told_at` the number of the issue whose
    report tells of the mistakes in it.
    """

    blob: str = ""
    told_at: int | None = None


class PolicyStore(Access):
    """What is kept of the files."""

    async def of(self, repository: str) -> Kept:
        """By which file the issues of a repository are judged."""
        c = t.policies.c
        rows = await self._read(
            sa.select(c.blob, c.told_at).where(c.repository == repository.lower())
        )
        return Kept(*rows[0]) if rows else Kept()

    @whole
    async def keep(self, repository: str, blob: str) -> None:
        """They are judged by this file from now on; nobody has told of mistakes in it yet."""
        row = {"repository": repository.lower(), "blob": blob, "told_at": None}
        async with self._writing() as connection:
            await self._upsert(connection, t.policies, row)

    @whole
    async def claim(self, issue: IssueRef, blob: str) -> None:
        """Let an issue's report be the one that tells of the mistakes, where none does."""
        c = t.policies.c
        free = (c.repository == issue.key[0], c.blob == blob, c.told_at.is_(None))
        async with self._writing() as connection:
            await connection.execute(
                sa.update(t.policies).where(*free).values(told_at=issue.number)
            )

    @whole
    async def release(self, issue: IssueRef) -> None:
        """Let another report tell of them: this one ended."""
        c = t.policies.c
        mine = (c.repository == issue.key[0], c.told_at == issue.number)
        async with self._writing() as connection:
            await connection.execute(sa.update(t.policies).where(*mine).values(told_at=None))

    async def concerns(self, repository: str) -> bool:
        """Whether any issue is judged by it."""
        c = t.issues.c
        mine = (c.coordinated, c.repository == repository.lower())
        return bool(await self._read(sa.select(c.number).where(*mine).limit(1)))

    async def concerned(self, repository: str) -> list[IssueRef]:
        """The issues that are judged by it: all that are coordinated there, closed ones too."""
        c = t.issues.c
        rows = await self._read(
            sa.select(c.shown, c.number)
            .where(c.coordinated, c.repository == repository.lower())
            .order_by(c.number)
        )
        return [ref_of(*row) for row in rows]
