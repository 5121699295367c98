"""Under which names repositories were known: a name may pass from one to another."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store import tables as t
from bot.store.access import Access, whole


@dataclass(frozen=True, slots=True)
class Name:
    """A repository (Gitea's id of it) is or was called so; `name` is in lower case.

    `current`: so it was called last, and what is kept under that name is its own.
    """

    name: str
    forge_id: int
    current: bool


class NameStore(Access):
    """The names. Raises StoreError."""

    async def names(self, names: Collection[str], ids: Collection[int] = ()) -> list[Name]:
        """All that is known of these names, and of the repositories of these ids."""
        c = t.names.c
        called = c.name.in_(sorted({name.lower() for name in names}))
        rows = await self._read(
            sa.select(t.names)
            .where(sa.or_(called, c.forge_id.in_(sorted(set(ids)))))
            .order_by(c.name, c.forge_id)
        )
        return [Name(row.name, row.forge_id, row.current) for row in rows]

    @whole
    async def call(self, forge_id: int, name: str) -> None:
        """A repository is called so from now on, and no other one is."""
        c, name = t.names.c, name.lower()
        others = sa.or_(c.forge_id == forge_id, c.name == name)
        async with self._writing() as connection:
            await connection.execute(sa.update(t.names).where(others).values(current=False))
            row = {"name": name, "forge_id": forge_id, "current": True}
            await self._upsert(connection, t.names, row)

    @whole
    async def recall(self, forge_id: int, name: str) -> None:
        """A repository was called so before."""
        row = {"name": name.lower(), "forge_id": forge_id, "current": False}
        async with self._writing() as connection:
            await connection.execute(self._insert(t.names).values(row).on_conflict_do_nothing())
