"""Which replicas are at work: each is heard of every few seconds, by the database's own clock."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

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

    async def names(self) -> list[str]:
        """All that were heard of and did not say good-bye, by name."""
        rows = await self._read(sa.select(t.replicas.c.name).order_by(t.replicas.c.name))
        return [str(row[0]) for row in rows]

    async def silent(self, longer: timedelta) -> list[str]:
        """Those not heard of for longer than that, by name."""
        since = sa.func.clock_timestamp() - sa.cast(longer, sa.Interval)
        rows = await self._read(
            sa.select(t.replicas.c.name)
            .where(t.replicas.c.beat_at < since)
            .order_by(t.replicas.c.name)
        )
        return [str(row[0]) for row in rows]

    @whole
    async def gone(self, names: Collection[str]) -> None:
        """Forget replicas whose work is taken over."""
        async with self._writing() as connection:
            await connection.execute(sa.delete(t.replicas).where(t.replicas.c.name.in_(names)))
