"""Repositories as a whole in the store: on SQLite, and on PostgreSQL where one is at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.models import IssueRef, RefState, Source
from bot.sayings import Field, LinkKind
from bot.store import tables as t
from bot.store.database import as_it_is
from bot.store.queries import Edge, Known, Store
from bot.store.sayings import SayingsStore

NOW = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
OLD, NEW = "Acme/Rocket", "Space/Missile"


@dataclass
class Kept:
    """All that is kept, and the engine beneath."""

    store: Store
    sayings: SayingsStore
    engine: AsyncEngine

    async def put(self, table: sa.Table, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(sa.insert(table).values(values))

    async def rows(self, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
        """What stands in some columns, sorted."""
        async with self.engine.connect() as connection:
            found = await connection.execute(sa.select(*(table.c[name] for name in columns)))
            return sorted(tuple(row) for row in found)

    async def text(self) -> str:
        """Everything that is kept, to be searched."""
        tables = [table for table in t.metadata.sorted_tables if table not in (t.names, t.changes)]
        return repr([await self.rows(table, *table.c.keys()) for table in tables]).lower()


@pytest.fixture
async def kept(migrated_url: str) -> AsyncIterator[Kept]:
    async with as_it_is(migrated_url) as engine:
        yield Kept(Store(engine, now=lambda: NOW), SayingsStore(engine, now=lambda: NOW), engine)


def old(number: int) -> IssueRef:
    return IssueRef.parse(f"{OLD}#{number}")


def new(number: int) -> IssueRef:
    return IssueRef.parse(f"{NEW}#{number}")


FAR = IssueRef("far", "away", 7)


# ---- another name ----


async def test_everything_is_found_under_the_new_name_and_nothing_under_the_old(kept: Kept) -> None:
    known = Known(
        old(1),
        coordinated=True,
        comment_id=5,
        title="First",
        state="open",
        cycle=(old(1), FAR, old(1)),
        owed=(old(2), FAR),
        stood=((old(2), RefState.OPEN), (FAR, RefState.CLOSED)),
    )
    edges = [
        Edge(old(1), old(2), old(1), Source.DECLARED),
        Edge(old(1), FAR, old(1), Source.GITEA),
    ]
    await kept.store.save(known, edges)
    back = Edge(FAR, old(1), FAR, Source.DECLARED)
    await kept.store.save(Known(FAR, stood=((old(1), RefState.OPEN),)), [back])
    await kept.sayings.override(old(1), Field.HOLD, "yes", by="alice", reason="why")
    await kept.sayings.link(old(1), FAR, by="alice", at=old(1))
    await kept.sayings.ignore(FAR, old(1), by="bob")
    await kept.sayings.pause(OLD, by="carol")
    await kept.put(
        t.natives,
        repository=OLD.lower(),
        number=1,
        for_repository=OLD.lower(),
        for_number=2,
        shown=OLD,
        for_shown=OLD,
        state="made",
    )
    await kept.store.wrote(old(1), "Bob")
    await kept.put(t.watches, repository=OLD.lower(), shown=OLD, since=NOW, asked_at=NOW)

    await kept.store.rename_repository(OLD, NEW)

    assert OLD.lower() not in await kept.text()
    moved = await kept.store.issue(new(1))
    assert moved == replace(
        known,
        ref=new(1),
        cycle=(new(1), FAR, new(1)),
        owed=(new(2), FAR),
        stood=((new(2), RefState.OPEN), (FAR, RefState.CLOSED)),
    )
    assert {
        Edge(new(1), new(2), new(1), Source.DECLARED),
        Edge(new(1), FAR, new(1), Source.GITEA),
    } == await kept.store.said_by(new(1))
    assert {Edge(FAR, new(1), FAR, Source.DECLARED)} == await kept.store.said_by(FAR)
    far = await kept.store.issue(FAR)
    assert far is not None
    assert ((new(1), RefState.OPEN),) == far.stood
    heard = await kept.sayings.heard(new(1))
    assert ("why", "carol") == (heard.overrides.all[0].reason, heard.pause and heard.pause.by)
    assert {(new(1), FAR, LinkKind.ADDED), (FAR, new(1), LinkKind.IGNORED)} == {
        (one.waits, one.on, one.kind) for one in heard.links
    }
    assert {new(1), FAR} == heard.linked_in(NEW)
    assert [(NEW.lower(), 1, NEW.lower(), 2, NEW, NEW)] == await kept.rows(
        t.natives, "repository", "number", "for_repository", "for_number", "shown", "for_shown"
    )
    assert [(NEW.lower(), NEW)] == await kept.rows(t.watches, "repository", "shown")
    assert ["bob"] == await kept.store.writers(new(1))
    assert NEW == moved.ref.repository
    assert {NEW} == {e.waits.repository for e in await kept.store.blockers([new(1)])}


async def test_what_is_there_under_the_new_name_stays(kept: Kept) -> None:
    for ref, title in ((old(1), "Old"), (new(1), "New"), (old(2), "Only old")):
        await kept.store.save(Known(ref, title=title), [Edge(ref, FAR, ref, Source.DECLARED)])
        await kept.sayings.override(ref, Field.HOLD, "yes", by=title)
        await kept.sayings.link(ref, FAR, by=title)
        await kept.sayings.pause(ref.repository, by=title)
        stood = ((old(1), RefState.OPEN), (new(1), RefState.CLOSED))
        await kept.store.save(Known(FAR, stood=stood))
    await kept.store.rename_repository(OLD, NEW)
    titles = {r: k.title for r, k in (await kept.store.issues([new(1), new(2)])).items()}
    assert {new(1): "New", new(2): "Only old"} == titles
    heard = await kept.sayings.heard(new(1))
    assert heard.pause is not None
    assert ("New", "New", "New") == (heard.overrides.all[0].by, heard.links[0].by, heard.pause.by)
    assert 2 == len(await kept.store.waiting([FAR]))
    far = await kept.store.issue(FAR)
    assert far is not None
    assert {new(1): RefState.CLOSED} == dict(far.stood)
    assert OLD.lower() not in await kept.text()


@pytest.mark.parametrize("other", ["acme/rocket2", "acme/rocke", "cme/rocket", "acme_rocket/x"])
async def test_a_repository_of_a_similar_name_is_left_alone(kept: Kept, other: str) -> None:
    ref = IssueRef.parse(f"{other}#1")
    known = Known(ref, coordinated=True, cycle=(ref,), stood=((ref, RefState.OPEN),))
    await kept.store.save(known, [Edge(ref, FAR, ref, Source.DECLARED)])
    await kept.store.rename_repository("acme/rocket", NEW)
    assert known == await kept.store.issue(ref)
    assert 1 == len(await kept.store.said_by(ref))


async def test_another_spelling_is_taken_over(kept: Kept) -> None:
    await kept.store.save(Known(old(1), title="First"), [Edge(old(1), FAR, old(1), Source.AI)])
    await kept.store.rename_repository(OLD, OLD)
    await kept.store.rename_repository(OLD, OLD.upper())
    found = await kept.store.issue(old(1))
    assert found is not None
    assert (OLD.upper(), "First") == (found.ref.repository, found.title)
    assert 1 == len(await kept.store.said_by(old(1)))


async def test_a_large_repository_moves_as_a_whole(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, of which the last is not full."""
    monkeypatch.setattr("bot.store.repositories.BATCH", 20)
    numbers = range(1, 50)
    async with kept.engine.begin() as connection:
        await connection.execute(
            sa.insert(t.issues),
            [{"repository": OLD.lower(), "number": n, "shown": OLD} for n in numbers],
        )
    await kept.store.rename_repository(OLD, NEW)
    assert {(NEW.lower(), NEW)} == set(await kept.rows(t.issues, "repository", "shown"))
    assert len(numbers) == len(await kept.rows(t.issues, "number"))


async def test_nothing_moves_when_it_fails_in_the_middle(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.store.save(Known(old(1), cycle=(old(1),)), [Edge(old(1), FAR, old(1), Source.AI)])
    before = await kept.text()

    def broken(*_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("bot.store.repositories._called", broken)
    with pytest.raises(RuntimeError):
        await kept.store.rename_repository(OLD, NEW)
    assert before == await kept.text()


# ---- deleted, or its name passed on ----


async def test_all_issues_of_a_deleted_repository_are_gone_also_those_only_others_name(
    kept: Kept,
) -> None:
    known = Known(old(1), True, 5, "First", "open", "blocked", "glm", (old(1),), (FAR,), notice="x")
    await kept.store.save(known, [Edge(old(1), old(2), old(1), Source.DECLARED)])
    back = Edge(FAR, old(3), FAR, Source.DECLARED)
    far = Known(FAR, coordinated=True, state="open")
    await kept.store.save(far, [back])
    await kept.store.bury_repository(OLD.upper())
    gone = await kept.store.issues([old(1), old(2), old(3)])
    assert {"gone"} == {one.state for one in gone.values()}
    assert Known(old(1), title="First", state="gone") == gone[old(1)]
    assert {old(1), old(2), old(3)} == gone.keys()
    assert set() == await kept.store.said_by(old(1))
    assert (far, {back}) == (await kept.store.issue(FAR), await kept.store.said_by(FAR))


async def test_of_a_repository_whose_name_is_anothers_only_what_others_say_stays(
    kept: Kept,
) -> None:
    await kept.store.save(Known(old(1)), [Edge(old(1), FAR, old(1), Source.DECLARED)])
    await kept.store.save(Known(FAR), [Edge(FAR, old(1), FAR, Source.DECLARED)])
    await kept.sayings.override(old(1), Field.HOLD, "yes", by="alice")
    await kept.sayings.link(old(1), FAR, by="alice")
    await kept.sayings.link(FAR, old(2), by="alice")
    await kept.sayings.pause(OLD, by="alice")
    await kept.store.wrote(old(1), "bob")
    await kept.store.drop_repository(OLD.upper())
    assert ({}, []) == (await kept.store.issues([old(1)]), await kept.store.writers(old(1)))
    heard = await kept.sayings.heard(old(1))
    assert ((), (), None) == (heard.overrides.all, heard.links, heard.pause)
    assert [(FAR, old(1))] == [(e.waits, e.on) for e in await kept.store.waiting([old(1), FAR])]
    assert [old(2)] == [one.on for one in await kept.sayings.links(FAR)]


async def test_who_is_concerned_elsewhere_is_known(kept: Kept) -> None:
    """Both ways, coordinated ones only, and nobody of the repository itself."""
    waits, waited_for, left, stranger = (IssueRef("far", "away", number) for number in range(1, 5))
    said = Source.DECLARED
    for ref in (waits, waited_for, old(1), old(2)):
        await kept.store.save(Known(ref, coordinated=True))
    await kept.store.save(Known(left), [Edge(left, old(1), left, said)])
    edges = [
        Edge(old(1), waited_for, old(1), said),
        Edge(waits, old(2), old(1), said),
        Edge(old(1), stranger, old(1), said),
        Edge(old(1), old(2), old(1), said),
    ]
    await kept.store.save(Known(old(1), coordinated=True), edges)
    assert [waits, waited_for] == sorted(await kept.store.across(OLD))
    assert [] == await kept.store.across("no/where")


# ---- who wrote a text ----


async def test_who_wrote_a_text_is_known_once_each_in_any_case(kept: Kept) -> None:
    for login in ("Carol", "bob", "carol"):
        await kept.store.wrote(old(1), login)
    await kept.store.wrote(old(2), "dave")
    assert ["bob", "carol"] == await kept.store.writers(IssueRef.parse(f"{OLD.lower()}#1"))
