"""Who was heard of, and when: on PostgreSQL, whose clock tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.store import tables as t
from bot.store.database import opened
from bot.store.replicas import Replicas
from tests.databases import fresh_database, postgres

__all__ = ["postgres"]

LONG = timedelta(seconds=15)


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[Replicas]:
    async with opened(url) as engine:
        yield Replicas(engine, now=lambda: datetime.now(UTC))


async def ago(replicas: Replicas, name: str, seconds: int) -> None:
    """As if it had been heard of last so long ago."""
    when = sa.func.clock_timestamp() - sa.cast(timedelta(seconds=seconds), sa.Interval)
    async with replicas._writing() as connection:
        await connection.execute(
            sa.update(t.replicas).where(t.replicas.c.name == name).values(beat_at=when)
        )


async def test_who_is_silent_for_too_long_is_told_until_it_is_heard_again(
    replicas: Replicas,
) -> None:
    for name in ("two", "one", "three"):
        await replicas.beat(name)
    assert ["one", "three", "two"] == await replicas.names()
    assert [] == await replicas.silent(LONG)
    await ago(replicas, "two", 16)
    await ago(replicas, "three", 14)
    assert ["two"] == await replicas.silent(LONG)
    await replicas.beat("two")
    assert [] == await replicas.silent(LONG)


async def test_who_is_gone_is_forgotten(replicas: Replicas) -> None:
    for name in ("one", "two", "three"):
        await replicas.beat(name)
    await replicas.gone(["one", "three", "nobody"])
    assert ["two"] == await replicas.names()
