"""Which replicas are at work: each is heard of every few seconds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.store import tables as t
from bot.store.access import Access, whole


class Replicas(Access):
    """The replicas that share a PostgreSQL database; all of it raises StoreError."""

    @whole
    async def beat(self, name: str) -> None:
        """Say that a replica is at work."""
        async with self._writing() as connection:
            row = {"name": name, "beat_at": sa.func.clock_timestamp()}
            await self._upsert(connection, t.replicas, row)

    async def beats(self) -> dict[str, datetime]:
        """When each was heard of last that did not say good-bye, by the database's clock.

        That clock may be set, or another server may go on with another one: what tells is whether
        the time has changed since it was read last.
        """
        rows = await self._read(sa.select(t.replicas.c.name, t.replicas.c.beat_at))
        return {str(name): at for name, at in rows}

    @whole
    async def gone(self, names: Collection[str]) -> None:
        """Forget replicas whose work is taken over."""
        async with self._writing() as connection:
            await connection.execute(sa.delete(t.replicas).where(t.replicas.c.name.in_(names)))
