"""Who was heard of, and when: on PostgreSQL, whose clock tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.models import IssueRef
from bot.store.database import opened
from bot.store.queries import Known, Store
from bot.store.replicas import Replicas
from bot.store.sayings import SayingsStore
from tests.databases import fresh_database, postgres, sqlite_url

__all__ = ["postgres", "sqlite_url"]

LONG = timedelta(seconds=15)
ISSUE = IssueRef("acme", "rocket", 1)


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[Replicas]:
    async with opened(url) as engine:
        yield Replicas(engine, now=lambda: datetime.now(UTC))


async def test_each_beat_is_another_moment(replicas: Replicas) -> None:
    for name in ("two", "one", "three"):
        await replicas.beat(name)
    before = await replicas.beats()
    assert {"one", "three", "two"} == before.keys()
    assert before == await replicas.beats()
    await replicas.beat("two")
    after = await replicas.beats()
    assert ["two"] == [name for name in before if before[name] != after[name]]


async def test_who_is_gone_is_forgotten(replicas: Replicas) -> None:
    for name in ("one", "two", "three"):
        await replicas.beat(name)
    await replicas.gone(["one", "three", "nobody"])
    assert ["two"] == list(await replicas.beats())


async def test_what_others_do_by_now_is_not_written_but_what_is_locked_may_be_let_go(
    sqlite_url: str,
) -> None:
    """A process that was away may be in the middle of anything."""
    held = True

    def may_write() -> None:
        if not held:
            raise asyncio.CancelledError

    async with opened(sqlite_url) as engine:
        store = Store(engine, now=lambda: datetime.now(UTC), may_write=may_write)
        sayings = SayingsStore(engine, now=lambda: datetime.now(UTC), may_write=may_write)
        assert await store.lock("a", "me", LONG)
        held = False
        with pytest.raises(asyncio.CancelledError):
            await store.save(Known(ISSUE))
        with pytest.raises(asyncio.CancelledError):
            await sayings.begin_command("key", "alice")
        await store.unlock("a", "me")
        held = True
        assert await store.lock("a", "another", LONG)
        assert await store.issue(ISSUE) is None
        assert 0 == await sayings.commands_since("alice", datetime(2020, 1, 1, tzinfo=UTC))
