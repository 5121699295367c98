"""The graph in memory: it follows the store, and says what stands in a circle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dependencies import Graph, cycle_through
from bot.errors import StoreError
from bot.models import IssueRef, RefState, Source
from bot.store import graph as resident
from bot.store import journal
from bot.store.database import as_it_is
from bot.store.graph import ResidentGraph
from bot.store.queries import Edge, Known, Store
from bot.store.tables import changes, metadata

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ONE = IssueRef("acme", "rocket", 1)
SECRET = IssueRef("acme", "vault", 9)
STATES = {"open": RefState.OPEN, "closed": RefState.CLOSED, "gone": RefState.GONE}


def now() -> datetime:
    return NOW


def ref(number: int) -> IssueRef:
    return ONE.sibling(number)


def refs(*numbers: int) -> tuple[IssueRef, ...]:
    return tuple(map(ref, numbers))


def said(by: IssueRef, waits_for: Iterable[IssueRef] = (), blocks: Iterable[IssueRef] = ()):
    """The edges that an issue's text says."""
    edges = [Edge(by, on, by, Source.DECLARED) for on in waits_for]
    return [*edges, *(Edge(waits, by, by, Source.DECLARED) for waits in blocks)]


class World:
    """A store, and a graph that follows it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.store = Store(engine, now=now)
        self.graph = ResidentGraph(engine, now=now)

    async def say(self, by: IssueRef, *waits_for: IssueRef, state: str = "open") -> None:
        """Let an issue wait for these and no others."""
        await self.store.save(Known(by, coordinated=True, state=state), said(by, waits_for))

    async def ring(self, *issues: IssueRef) -> None:
        for waits, on in zip(issues, (*issues[1:], issues[0]), strict=True):
            await self.say(waits, on)

    async def told(self, *issues: IssueRef, coordinated: bool = True) -> None:
        """Let each remember the cycle that it stands in."""
        for one in issues:
            cycle = await self.graph.cycle(one)
            known = await self.store.issue(one) or Known(one)
            await self.store.save(
                Known(one, coordinated=coordinated, state=known.state, cycle=cycle)
            )

    async def entries(self) -> list[tuple[int, str, int]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(sa.select(changes).order_by(changes.c.version))
            return [tuple(row) for row in rows]


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    async with as_it_is(migrated_url) as engine:
        yield World(engine)


@pytest.fixture
async def small(migrated_sqlite_url: str) -> AsyncIterator[World]:
    """What does not depend on the database is tried on one."""
    async with as_it_is(migrated_sqlite_url) as engine:
        yield World(engine)


class Curtain:
    """Says what is hidden; keeps what it was asked."""

    def __init__(self, *repositories: str) -> None:
        self.repositories = repositories
        self.asked: list[set[str]] = []

    async def __call__(self, some: Collection[IssueRef]) -> set[IssueRef]:
        self.asked.append({one.repository for one in some})
        return {one for one in some if one.repository in self.repositories}


# ---- it follows what is saved ----


async def test_a_cycle_comes_and_goes_with_the_texts(world: World) -> None:
    await world.say(ref(1), ref(2))
    assert () == await world.graph.cycle(ref(1))
    await world.say(ref(2), ref(3))
    await world.say(ref(3), ref(1))
    assert refs(1, 2, 3, 1) == await world.graph.cycle(ref(1))
    assert refs(3, 1, 2, 3) == await world.graph.cycle(ref(3))
    await world.say(ref(2), ref(1))
    assert refs(1, 2, 1) == await world.graph.cycle(ref(1))
    assert () == await world.graph.cycle(ref(3))
    await world.say(ref(1))
    assert () == await world.graph.cycle(ref(1))


async def test_edges_are_there_that_were_before_the_journal(world: World) -> None:
    """As after an upgrade."""
    await world.ring(*refs(1, 2, 3))
    async with world.engine.begin() as connection:
        await connection.execute(sa.delete(changes))
    assert refs(1, 2, 3, 1) == await world.graph.cycle(ref(1))
    await world.say(ref(2))
    assert () == await world.graph.cycle(ref(1))


@pytest.mark.parametrize("state", ["closed", "gone"])
async def test_what_is_over_stands_in_no_cycle_until_it_is_open_again(
    world: World, state: str
) -> None:
    await world.ring(*refs(1, 2, 3))
    assert refs(1, 2, 3, 1) == await world.graph.cycle(ref(1))
    await world.store.save(Known(ref(2), state=state))
    assert () == await world.graph.cycle(ref(1))
    await world.say(ref(1), ref(2), ref(3))
    assert refs(1, 3, 1) == await world.graph.cycle(ref(1))
    await world.say(ref(1), ref(2))
    await world.store.save(Known(ref(2), state="open"))
    assert refs(1, 2, 3, 1) == await world.graph.cycle(ref(1))


@pytest.mark.parametrize("state", ["", "open", "unseen"])
async def test_what_may_be_open_holds_back(small: World, state: str) -> None:
    await small.ring(*refs(1, 2))
    await small.store.save(Known(ref(2), state=state))
    assert refs(1, 2, 1) == await small.graph.cycle(ref(1))


async def test_an_edge_that_is_said_several_times_goes_with_the_last(small: World) -> None:
    """By both ends, and by one of them in two ways."""
    await small.say(ref(2), ref(1))
    twice = [
        Edge(ref(1), ref(2), ref(1), Source.DECLARED),
        Edge(ref(1), ref(2), ref(1), Source.COMMAND),
    ]
    other = [*said(ref(2), [ref(1)]), Edge(ref(1), ref(2), ref(2), Source.GITEA)]
    await small.store.save(Known(ref(1)), twice)
    await small.store.save(Known(ref(2)), other)
    for edges in (twice[1:], []):
        await small.store.save(Known(ref(1)), edges)
        assert refs(1, 2, 1) == await small.graph.cycle(ref(1))
    await small.store.save(Known(ref(2)), said(ref(2), [ref(1)]))
    assert () == await small.graph.cycle(ref(1))


async def test_a_repository_that_is_renamed_takes_its_part_of_the_graph_along(
    world: World,
) -> None:
    await world.ring(*refs(1, 2))
    assert refs(1, 2, 1) == await world.graph.cycle(ref(1))
    await world.store.rename_repository("acme/rocket", "acme/missile")
    one, two = IssueRef("acme", "missile", 1), IssueRef("acme", "missile", 2)
    assert () == await world.graph.cycle(ref(1))
    assert (one, two, one) == await world.graph.cycle(one)


@pytest.mark.parametrize("what", ["bury_repository", "drop_repository"])
async def test_a_repository_that_is_gone_leaves_no_circle(world: World, what: str) -> None:
    far = IssueRef("acme", "missile", 2)
    await world.say(ref(1), far)
    await world.say(far, ref(1))
    assert (ref(1), far, ref(1)) == await world.graph.cycle(ref(1))
    await getattr(world.store, what)("acme/missile")
    assert () == await world.graph.cycle(ref(1))


async def test_issues_are_spelled_as_gitea_does_not_as_somebody_typed(world: World) -> None:
    await world.store.save(Known(IssueRef("Acme", "Engine", 2)))
    await world.say(ref(1), IssueRef("acme", "engine", 2))
    await world.say(IssueRef("Acme", "Engine", 2), IssueRef("ACME", "Rocket", 1))
    path = await world.graph.cycle(ref(1))
    assert ["acme/rocket#1", "Acme/Engine#2", "acme/rocket#1"] == [str(one) for one in path]


async def test_two_graphs_of_one_database_say_the_same(world: World) -> None:
    other = ResidentGraph(world.engine, now=now)
    assert () == await other.cycle(ref(1))
    await world.ring(*refs(1, 2))
    assert refs(1, 2, 1) == await other.cycle(ref(1)) == await world.graph.cycle(ref(1))
    await world.say(ref(2))
    assert () == await other.cycle(ref(1)) == await world.graph.cycle(ref(1))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_after_any_changes_it_is_what_the_store_says(small: World, seed: int) -> None:
    """Held against a graph that is built of all that the store knows, over states too."""
    rng = random.Random(seed)
    issues = [ref(n) for n in range(1, 7)] + [SECRET.sibling(n) for n in range(1, 4)]
    for _ in range(40):
        one = rng.choice(issues)
        edges = said(one, rng.sample(issues, rng.randrange(3)), rng.sample(issues, 1))
        known = Known(one, state=rng.choice(["open", "open", "closed", "gone"]))
        await small.store.save(known, rng.choice([None, [e for e in edges if e.waits != e.on]]))
        if rng.random() < 0.5:
            found = await small.store.blockers(issues)
            states = {r: STATES[k.state] for r, k in (await small.store.issues(issues)).items()}
            expected = Graph([(e.waits, e.on) for e in found], states)
            for at in issues:
                assert cycle_through(at, expected) == await small.graph.cycle(at)


async def test_many_questions_at_once_find_all_that_was_saved_before(world: World) -> None:
    async def closed_ring(first: int) -> tuple[IssueRef, ...]:
        await world.ring(*refs(first, first + 1, first + 2))
        return await world.graph.cycle(ref(first))

    starts = range(10, 90, 10)
    found = await asyncio.gather(*map(closed_ring, starts))
    assert [refs(n, n + 1, n + 2, n) for n in starts] == found


async def test_who_leaves_in_the_middle_of_a_question_leaves_all_in_order(small: World) -> None:
    await small.ring(*refs(1, 2))
    for rounds in range(40):
        await small.say(ref(3), ref(4 + rounds))
        task = asyncio.create_task(small.graph.cycle(ref(1)))
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(10):
        assert refs(1, 2, 1) == await small.graph.cycle(ref(1))


async def test_others_have_their_turn_while_everything_is_read(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "SLICE", 2)
    await small.ring(*refs(*range(1, 21)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert 21 == len(await small.graph.cycle(ref(1)))
    counting.cancel()
    assert turns > 10


async def test_a_database_that_does_not_answer_is_a_store_error(world: World) -> None:
    await world.graph.cycle(ref(1))
    async with world.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    for graph in (world.graph, ResidentGraph(world.engine, now=now)):
        with pytest.raises(StoreError):
            await graph.cycle(ref(1))


# ---- the journal ----


async def test_only_what_changes_the_graph_is_entered(world: World) -> None:
    """A look that finds nothing new costs nobody anything."""
    for known, edges, entered in (
        (Known(ref(1)), None, 0),
        (Known(ref(1), state="open", title="Title"), [], 0),
        (Known(ref(1), state="open"), said(ref(1), [ref(2)]), 1),
        (Known(ref(1), state="open", status="blocked"), said(ref(1), [ref(2)]), 0),
        (Known(ref(1), state="open", status="blocked"), None, 0),
        (Known(ref(1), state="unseen"), None, 0),
        (Known(ref(1), state="closed"), said(ref(1), [ref(2)]), 1),
        (Known(ref(1), state="gone"), None, 0),
        (Known(ref(1), state="open"), said(ref(1), [ref(3)]), 1),
        (Known(ref(1), state="open"), [], 1),
        (Known(ref(2), state="closed"), None, 1),
    ):
        before = len(await world.entries())
        await world.store.save(known, edges)
        assert entered == len(await world.entries()) - before, (known, edges)


async def test_entries_are_numbered_without_a_gap_whoever_writes_at_once(world: World) -> None:
    stores = [Store(world.engine, now=now) for _ in range(3)]
    await asyncio.gather(
        *(
            stores[n % 3].save(Known(ref(n)), said(ref(n), [ref(n + 1), ref(n + 7)]))
            for n in range(1, 40)
        )
    )
    await world.store.save(Known(ref(1)), [])
    versions = [version for version, _, _ in await world.entries()]
    assert list(range(1, 41)) == versions


async def test_no_entry_appears_before_one_that_is_older(world: World) -> None:
    """Who writes one holds all others back until it is committed."""
    async with world.engine.begin() as connection:
        await journal.record(connection, [ref(1)])
        later = asyncio.create_task(world.say(ref(2), ref(3)))
        done, _ = await asyncio.wait([later], timeout=0.2)
        assert not done
    await later
    assert [(1, "acme/rocket", 1), (2, "acme/rocket", 2)] == await world.entries()


async def test_old_entries_go_and_who_is_further_behind_reads_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT", 4)
    monkeypatch.setattr(journal, "TRIM_EVERY", 2)
    late = ResidentGraph(world.engine, now=now)
    assert () == await late.cycle(ref(1))
    await world.say(ref(5), ref(6))
    assert () == await world.graph.cycle(ref(1))
    for n in range(10):
        await world.say(ref(1), ref(n + 2))
    await world.say(ref(2), ref(11))
    await world.say(ref(11), ref(1))
    assert list(range(9, 14)) == [version for version, _, _ in await world.entries()]
    assert refs(1, 11, 1) == await world.graph.cycle(ref(1)) == await late.cycle(ref(1))


async def test_who_is_far_behind_reads_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "FAR_BEHIND", 4)
    await world.say(ref(5), ref(6))
    assert () == await world.graph.cycle(ref(1))
    await world.ring(*refs(1, 2, 3, 4))
    assert refs(1, 2, 3, 4, 1) == await world.graph.cycle(ref(1))


@pytest.mark.parametrize("after", [0, 1, 5], ids=["at once", "as far", "further"])
async def test_a_database_that_was_brought_back_is_read_anew(world: World, after: int) -> None:
    """Its entries are others, also where there are as many by now."""
    await world.ring(*refs(1, 2))
    assert refs(1, 2, 1) == await world.graph.cycle(ref(1))
    async with world.engine.begin() as connection:
        for table in (metadata.tables["edges"], metadata.tables["issues"], changes):
            await connection.execute(sa.delete(table))
    await world.say(ref(3), ref(1))
    for n in range(after):
        await world.say(ref(10 + n), ref(3))
    assert () == await world.graph.cycle(ref(1))
    await world.say(ref(1), ref(3))
    assert refs(1, 3, 1) == await world.graph.cycle(ref(1))


# ---- what the asker knows better ----


async def test_what_the_asker_knows_to_be_over_is_gone_round(small: World) -> None:
    await small.ring(*refs(1, 2))
    await small.say(ref(1), ref(2), ref(3))
    await small.say(ref(3), ref(4))
    await small.say(ref(4), ref(1))
    assert refs(1, 3, 4, 1) == await small.graph.cycle(ref(1), over=refs(2, 77))
    assert () == await small.graph.cycle(ref(1), over=refs(2, 4))
    assert refs(1, 2, 1) == await small.graph.cycle(ref(1))


async def test_edges_that_people_took_away_do_not_count(small: World) -> None:
    await small.ring(*refs(1, 2))
    ignored = [(ref(2), ref(1)), (ref(8), ref(9))]
    assert () == await small.graph.cycle(ref(1), ignored=ignored)
    assert refs(1, 2, 1) == await small.graph.cycle(ref(1))


# ---- what may be shown ----


async def test_of_a_cycle_over_a_hidden_repository_nothing_is_told(small: World) -> None:
    curtain = Curtain("acme/vault")
    await small.ring(ref(1), SECRET, ref(2))
    assert () == await small.graph.cycle(ref(1), hidden=curtain)
    assert (ref(1), SECRET, ref(2), ref(1)) == await small.graph.cycle(ref(1))
    inside = await small.graph.cycle(SECRET, hidden=Curtain())
    assert (SECRET, ref(2), ref(1), SECRET) == inside


async def test_the_way_round_what_is_hidden_is_told(small: World) -> None:
    far = IssueRef("far", "away", 5)
    await small.say(ref(1), SECRET, far, IssueRef("not", "asked", 1))
    await small.say(SECRET, ref(1))
    await small.say(far, far.sibling(6))
    await small.say(far.sibling(6), ref(1))
    curtain = Curtain("acme/vault")
    path = await small.graph.cycle(ref(1), hidden=curtain)
    assert (ref(1), far, far.sibling(6), ref(1)) == path
    assert [{"acme/vault"}, {"far/away"}] == curtain.asked


async def test_nobody_is_asked_where_no_other_repository_is_on_the_way(small: World) -> None:
    curtain = Curtain()
    await small.ring(*refs(1, 2))
    await small.say(ref(1), ref(2), SECRET)
    assert refs(1, 2, 1) == await small.graph.cycle(ref(1), hidden=curtain)
    assert () == await small.graph.cycle(SECRET, hidden=curtain)
    assert [] == curtain.asked


async def test_ways_over_many_hidden_repositories_are_looked_for_a_few_times_only(
    small: World,
) -> None:
    """Then only what is known to be shown is looked at."""
    many = [IssueRef("hidden", f"r{n:02}", 1) for n in range(30)]
    for one in many:
        await small.say(one, ref(1))
    await small.say(ref(2), ref(3))
    await small.say(ref(3), ref(4))
    await small.say(ref(4), ref(1))
    await small.say(ref(1), ref(2), *many)
    curtain = Curtain(*(one.repository for one in many))
    assert refs(1, 2, 3, 4, 1) == await small.graph.cycle(ref(1), hidden=curtain)
    assert resident.ROUNDS == len(curtain.asked)


# ---- before an edge is written ----


async def test_an_edge_that_would_close_a_cycle_is_told_with_the_path(world: World) -> None:
    await world.say(ref(1), ref(2))
    await world.say(ref(2), SECRET)
    assert (SECRET, ref(1), ref(2), SECRET) == await world.graph.would_close(SECRET, ref(1))
    assert () == await world.graph.would_close(ref(1), SECRET)
    assert () == await world.graph.would_close(ref(7), ref(8))
    assert refs(5, 5) == await world.graph.would_close(ref(5), ref(5))


async def test_an_edge_is_no_less_closing_for_being_there(small: World) -> None:
    await small.ring(*refs(1, 2))
    assert refs(1, 2, 1) == await small.graph.would_close(ref(1), ref(2))


async def test_edges_that_are_to_be_added_before_count(small: World) -> None:
    await small.say(ref(1), ref(2))
    also = [(ref(2), ref(3))]
    assert refs(3, 1, 2, 3) == await small.graph.would_close(ref(3), ref(1), also=also)
    assert () == await small.graph.would_close(ref(3), ref(1))


async def test_a_cycle_that_may_not_be_shown_is_not_refused_either(small: World) -> None:
    """Else it would tell of an edge in a repository that not everybody here can read."""
    await small.say(SECRET, ref(1))
    curtain = Curtain("acme/vault")
    assert () == await small.graph.would_close(ref(1), SECRET, hidden=curtain)
    inside = await small.graph.would_close(ref(1), SECRET, at=SECRET, hidden=Curtain())
    assert (ref(1), SECRET, ref(1)) == inside


# ---- whom a change concerns ----


async def test_a_cycle_holds_while_every_step_is_an_edge(small: World) -> None:
    await small.ring(*refs(1, 2, 3))
    assert await small.graph.holds(refs(2, 3, 1, 2))
    assert await small.graph.holds(())
    await small.say(ref(1), ref(3))
    assert not await small.graph.holds(refs(2, 3, 1, 2))


async def test_a_new_cycle_concerns_all_on_it_that_are_coordinated(world: World) -> None:
    await world.ring(*refs(1, 2, 3, 4))
    await world.store.save(Known(ref(3), state="open"))
    await world.say(ref(5), ref(1))
    assert set(refs(2, 4)) == await world.graph.concerned(ref(1))
    assert set() == await world.graph.concerned(ref(5))


async def test_who_was_told_already_is_not_concerned_again(world: World) -> None:
    """Else a circle of n issues would be looked at n times n times."""
    await world.ring(*refs(1, 2, 3, 4))
    await world.told(*refs(1, 2, 3))
    assert set(refs(4)) == await world.graph.concerned(ref(1))
    await world.told(*refs(4))
    await world.say(ref(1), ref(2), ref(9))
    assert set() == await world.graph.concerned(ref(1))
    assert set(refs(2, 3, 4)) == await world.graph.on_cycles_with(ref(1))


async def test_a_shorter_way_concerns_those_for_whom_it_is_shorter(small: World) -> None:
    await small.ring(*refs(1, 2, 3, 4, 5))
    await small.told(*refs(1, 2, 3, 4, 5))
    await small.say(ref(2), ref(3), ref(5))
    assert set(refs(1, 5)) == await small.graph.concerned(ref(2))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"state": "closed"}, id="closed"),
        pytest.param({"state": "gone", "edges": []}, id="deleted"),
        pytest.param({"state": "open", "edges": []}, id="an edge goes"),
    ],
)
async def test_a_cycle_that_is_broken_concerns_all_that_were_told(
    world: World, change: dict[str, object]
) -> None:
    await world.ring(*refs(1, 2, 3))
    await world.ring(*refs(5, 6))
    await world.told(*refs(1, 2, 3, 5, 6))
    await world.store.save(Known(ref(1), state=str(change["state"])), change.get("edges"))  # type: ignore[arg-type]
    assert set(refs(2, 3)) == await world.graph.concerned(ref(1))


async def test_an_issue_whose_number_begins_like_another_one_s_is_not_concerned(
    small: World,
) -> None:
    await small.ring(*refs(1, 2))
    await small.told(*refs(1, 2))
    for stranger in (ref(11), IssueRef("acme", "rocket_1", 1), IssueRef("me", "rocket", 1)):
        assert set() == await small.graph.on_cycles_with(stranger)
    spelled = IssueRef("ACME", "Rocket", 1)
    assert set(refs(2)) == await small.graph.on_cycles_with(spelled)
    await small.say(ref(1))
    assert set(refs(2)) == await small.graph.concerned(spelled)


async def test_thousands_on_one_cycle_are_found(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "CHUNK", 3)
    await small.ring(*refs(*range(1, 12)))
    assert set(refs(*range(2, 12))) == await small.graph.concerned(ref(1))
