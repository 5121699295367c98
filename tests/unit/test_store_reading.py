"""Reading a SQLite file in threads that are there as long as the file is open."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

from bot.models import IssueRef
from bot.store.database import opened
from bot.store.queries import Known, Store
from tests.databases import sqlite_url

__all__ = ["sqlite_url"]

ISSUE = IssueRef("acme", "rocket", 1)


def readers() -> set[threading.Thread]:
    """The threads that read for somebody."""
    return {one for one in threading.enumerate() if one.name.startswith("reader")}


async def test_no_thread_is_left_when_the_file_is_closed(sqlite_url: str) -> None:
    before = readers()
    async with opened(sqlite_url) as engine:
        store = Store(engine, now=lambda: datetime.now(UTC))
        await store.save(Known(ISSUE))
        assert await store.issue(ISSUE) == Known(ISSUE)
        mine = readers() - before
        assert mine
    for one in mine:
        await asyncio.to_thread(one.join, 20)
    assert not any(one.is_alive() for one in mine)


async def test_after_it_was_closed_it_can_be_read_again(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        store = Store(engine, now=lambda: datetime.now(UTC))
        await store.save(Known(ISSUE))
        assert await store.issue(ISSUE)
        await engine.dispose()
        assert await store.issue(ISSUE)
