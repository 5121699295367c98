"""Names of repositories, kept: on SQLite, and on PostgreSQL where one is at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.store.database import as_it_is
from bot.store.naming import Name, NameStore


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[NameStore]:
    async with as_it_is(migrated_url) as engine:
        yield NameStore(engine, now=lambda: datetime(2026, 11, 22, tzinfo=UTC))


async def test_a_repository_keeps_its_old_names_and_has_one_now(store: NameStore) -> None:
    assert [] == await store.names(["acme/rocket"], [5])
    for name in ("Acme/Rocket", "acme/missile", "acme/missile"):
        await store.call(5, name)
    old, new = Name("acme/rocket", 5, current=False), Name("acme/missile", 5, current=True)
    assert [new, old] == await store.names([], [5])
    assert [old] == await store.names(["ACME/rocket"])
    await store.call(5, "acme/rocket")
    assert [(False, "acme/missile"), (True, "acme/rocket")] == [
        (one.current, one.name) for one in await store.names([], [5])
    ]


async def test_a_name_passes_to_another_repository(store: NameStore) -> None:
    await store.call(5, "acme/rocket")
    await store.call(9, "Acme/Rocket")
    assert [Name("acme/rocket", 5, current=False), Name("acme/rocket", 9, current=True)] == (
        await store.names(["acme/rocket"])
    )


async def test_what_was_not_asked_for_is_not_told(store: NameStore) -> None:
    await store.call(5, "acme/rocket")
    await store.call(6, "acme/valves")
    await store.call(7, "acme/tank")
    assert ["acme/rocket", "acme/tank"] == [
        one.name for one in await store.names(["acme/tank", "no/where"], [5, 99])
    ]
