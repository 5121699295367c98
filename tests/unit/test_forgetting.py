"""What of the store is deleted by its age, and what stays: on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import CLOCKS_DIFFER
from bot.models import IssueRef, Source
from bot.sayings import Field
from bot.store import tables as t
from bot.store.database import opened
from bot.store.forgetting import Forgetting
from bot.store.queries import Edge, Failure, Known, Store
from bot.store.sayings import SayingsStore
from bot.store.watching import Watching

NOW = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)
OLD, CLOSED, OPEN, OTHER = (IssueRef("acme", "rocket", n) for n in range(1, 5))


class Home:
    """A store whose clock is set by hand."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.now = NOW
        self.store = Store(engine, now=self.clock)
        self.sayings = SayingsStore(engine, now=self.clock)
        self.old = Forgetting(engine, now=self.clock)

    def clock(self) -> datetime:
        return self.now

    async def knows(self, ref: IssueRef, state: str, *edges: Edge, **more: object) -> None:
        known = Known(ref, coordinated=True, state=state, seen_at=self.now)
        await self.store.save(replace(known, **more), edges)

    async def rows(self, table: sa.Table) -> int:
        async with self.engine.connect() as connection:
            count = sa.select(sa.func.count()).select_from(table)
            return int((await connection.execute(count)).scalar_one())

    async def forgets(self, *, days: int = 30, most: int = 500) -> int:
        """How many issues are forgotten that were looked at more than so many days ago."""
        return await self.old.issues(self.now - days * DAY, most)


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[Home]:
    async with opened(database_url) as engine:
        yield Home(engine)


async def test_notes_of_commands_go_by_their_age(home: Home) -> None:
    await home.sayings.begin_command("old", "alice")
    home.now += DAY
    await home.sayings.begin_command("new", "alice")
    await home.sayings.finish_command("new", "done")
    assert 0 == await home.old.commands(NOW, 500)
    assert 1 == await home.old.commands(NOW + timedelta(seconds=1), 500)
    assert "done" == await home.sayings.result_of("new")
    assert await home.sayings.begin_command("old", "alice"), "it is not known any more"


async def test_no_more_go_at_once_than_is_said(home: Home) -> None:
    for number in range(5):
        await home.sayings.begin_command(f"c{number}", "alice")
    later = NOW + DAY
    assert [2, 2, 1, 0] == [await home.old.commands(later, 2) for _ in range(4)]


async def test_an_answer_that_is_used_is_kept(home: Home) -> None:
    for key in ("used", "unused"):
        await home.store.put(key, "{}", 1, 1)
    home.now += 10 * DAY
    assert "{}" == await home.store.get("used")
    assert 1 == await home.old.readings(NOW + DAY, 500)
    assert ("{}", None) == (await home.store.get("used"), await home.store.get("unused"))


async def test_that_an_answer_is_used_is_written_once_a_day(home: Home) -> None:
    await home.store.put("key", "{}", 1, 1)
    home.now += timedelta(hours=23)
    await home.store.get("key")
    assert 1 == await home.old.readings(NOW + timedelta(seconds=1), 500)


async def test_failures_days_and_dead_locks_go_by_their_age(home: Home) -> None:
    await home.store.set_aside(Failure("f", "{}", "acme/rocket#1", "why", 12, NOW))
    await home.store.spend(NOW.date(), 100)
    await home.store.lock("labels", "dead", timedelta(minutes=1))
    for delete in (home.old.failures, home.old.spending, home.old.locks):
        assert (0, 1) == (await delete(NOW - DAY, 500), await delete(NOW + DAY, 500))
    assert 0 == await home.store.tokens_used(NOW.date())


# ---- issues ----


@pytest.mark.parametrize(
    ("expected", "state", "more"),
    [
        (1, "closed", {}),
        (1, "gone", {}),
        (0, "open", {}),
        (0, "", {}),
        (0, "unseen", {}),
        (1, "unseen", {"coordinated": False}),
        (0, "closed", {"owed": (OPEN,)}),
        (0, "closed", {"notice": "{}"}),
        (0, "closed", {"seen_at": None}),
    ],
    ids=[
        "closed",
        "deleted",
        "open",
        "never looked at",
        "out of sight for now",
        "out of sight, and nobody's",
        "others are to be looked at",
        "something is to be told",
        "of unknown age",
    ],
)
async def test_issues_go_that_are_over(home: Home, expected: int, state: str, more: dict) -> None:
    await home.knows(OLD, state, **more)
    home.now += 40 * DAY
    assert 0 == await home.forgets(days=50)
    assert expected == await home.forgets()
    assert (await home.store.issue(OLD) is None) is bool(expected)


async def test_the_age_of_what_was_never_looked_at_counts_from_then(home: Home) -> None:
    await home.store.save(Known(OLD, state="gone"))
    assert 0 == await home.forgets()
    home.now += 31 * DAY
    assert 1 == await home.forgets()


@pytest.mark.parametrize(
    ("expected", "state", "coordinated"),
    [
        (1, "closed", True),
        (1, "closed", False),
        (1, "gone", True),
        (1, "unseen", False),
        (0, "unseen", True),
        (0, "open", True),
        (0, "", True),
    ],
)
async def test_so_does_that_of_what_is_over_and_is_not_trusted_any_more(
    home: Home, expected: int, state: str, coordinated: bool
) -> None:
    """Gitea's clock was set back, so when it was seen was forgotten; nobody may look again."""
    await home.knows(OLD, state, coordinated=coordinated)
    await Watching(home.engine, now=home.clock).distrust("acme/rocket")
    assert 0 == await home.forgets()
    home.now += 31 * DAY
    assert expected == await home.forgets()


async def test_what_changes_after_that_is_looked_at_all_the_same(home: Home) -> None:
    """By Gitea's clock, which may be behind ours."""
    await home.knows(OLD, "closed", seen_at=None)
    await home.forgets()
    known = await home.store.issue(OLD)
    assert known
    assert known.seen_at == NOW - CLOCKS_DIFFER


@pytest.mark.parametrize(
    ("expected", "state", "edge"),
    [
        (0, "open", Edge(OPEN, OLD, OPEN, Source.DECLARED)),
        (0, "open", Edge(OLD, OPEN, OPEN, Source.DECLARED)),
        (0, "closed", Edge(OPEN, OLD, OPEN, Source.DECLARED)),
        (0, "open", Edge(OLD, OPEN, OLD, Source.DECLARED)),
        (0, "open", Edge(OPEN, OLD, OLD, Source.DECLARED)),
        (1, "closed", Edge(OLD, OPEN, OLD, Source.DECLARED)),
    ],
    ids=[
        "another waits for it",
        "another says that it waits",
        "another that is closed",
        "it waits for an open one",
        "it holds up an open one",
        "it waited for one that is closed",
    ],
)
async def test_what_another_issue_shows_is_kept(
    home: Home, expected: int, state: str, edge: Edge
) -> None:
    await home.knows(OLD, "closed", *([edge] if edge.said_by == OLD else []))
    home.now += 40 * DAY
    await home.knows(OPEN, state, *([edge] if edge.said_by == OPEN else []))
    assert expected == await home.forgets()
    assert 1 - expected == await home.rows(t.edges)


async def test_a_chain_that_is_over_goes_though_it_goes_on(home: Home) -> None:
    """Each is named by the next; what is named by a young one stays, and goes in its turn."""
    await home.knows(OLD, "closed")
    await home.knows(CLOSED, "closed", Edge(CLOSED, OLD, CLOSED, Source.DECLARED))
    home.now += 40 * DAY
    await home.knows(OTHER, "closed", Edge(OTHER, CLOSED, OTHER, Source.DECLARED))
    assert [1, 0] == [await home.forgets() for _ in range(2)]
    assert await home.store.issue(OLD) is None
    home.now += 31 * DAY
    await home.knows(OPEN, "open", Edge(OPEN, OTHER, OPEN, Source.DECLARED))
    assert [1, 0] == [await home.forgets() for _ in range(2)]
    assert {OTHER, OPEN} == (await home.store.issues([OLD, CLOSED, OTHER, OPEN])).keys()
    assert 2 == await home.rows(t.edges), "those of the two that are left"


async def test_what_names_it_and_is_itself_unknown_holds_it_not(home: Home) -> None:
    await home.knows(OLD, "closed")
    await home.knows(OPEN, "open", Edge(OPEN, OLD, OPEN, Source.DECLARED))
    home.now += 40 * DAY
    async with home.engine.begin() as connection:
        await connection.execute(sa.delete(t.issues).where(t.issues.c.number == OPEN.number))
    assert 1 == await home.forgets()


async def test_what_people_set_on_it_goes_too_and_what_concerns_another_stays(home: Home) -> None:
    await home.knows(OLD, "closed")
    await home.knows(OPEN, "open")
    await home.sayings.override(OLD, Field.PRIORITY, "p1", by="alice")
    await home.sayings.override(OPEN, Field.PRIORITY, "p2", by="alice")
    await home.store.wrote(OLD, "bob")
    await home.sayings.ignore(OPEN, OLD, by="alice")
    await home.sayings.ignore(OLD, OTHER, by="alice")
    home.now += 40 * DAY
    assert 1 == await home.forgets()
    assert () == (await home.sayings.overrides(OLD)).all
    assert "p2" == (await home.sayings.overrides(OPEN)).priority
    assert [] == await home.store.writers(OLD)
    assert [(OPEN, OLD)] == [(one.waits, one.on) for one in await home.sayings.links(OLD)]
