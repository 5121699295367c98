"""What is said is set in Gitea, and what could not be is told; nothing is written twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.dependencies import Edge
from bot.errors import Conflict, Forbidden, GiteaError, NotFound, Permanent, Retryable
from bot.gitea.models import (
    Issue,
    IssueRepository,
    NativeDependencies,
    TimelineEntry,
    User,
)
from bot.mirror import REFUSAL_KEPT, Mirror, Reach
from bot.models import IssueRef, Mode, Source, Unset
from bot.natives import Native, Plan, Sight, State
from bot.snapshot import Neighbours, neighbours

WHEN = datetime(2026, 11, 22, tzinfo=UTC)
ME = IssueRef("acme", "rocket", 1)
TWO, FAR = ME.sibling(2), IssueRef("other", "place", 5)
BOT, ALICE = 9, 1
DECLARED = frozenset({Source.DECLARED})


def issue(ref: IssueRef) -> Issue:
    return Issue(
        id=ref.number,
        number=ref.number,
        created_at=WHEN,
        updated_at=WHEN,
        repository=IssueRepository(id=1, name=ref.repo, owner=ref.owner, full_name=ref.repository),
    )


@dataclass
class World:
    """Gitea, the bot's memory and people's links, and what was asked of them, in order."""

    there: set[Edge] = field(default_factory=set)
    kept: dict[Edge, Native] = field(default_factory=dict)
    fails: GiteaError | None = None
    asked: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    deleted: set[IssueRef] = field(default_factory=set)
    circles: set[Edge] = field(default_factory=set)
    unshown: set[Edge] = field(default_factory=set)
    entries: list[tuple[str, int, IssueRef | None]] = field(default_factory=list)
    time: float = 0.0

    async def issue(self, ref: IssueRef) -> Issue:
        self.asked.append(f"issue {ref.number}")
        if ref in self.deleted:
            raise NotFound("no", status=404)
        return issue(ref)

    async def native_dependencies(self, ref: IssueRef) -> NativeDependencies:
        self.asked.append(f"read {ref.number}")
        return NativeDependencies(tuple(issue(on) for waits, on in self.there if waits == ref))

    async def native_blocking(self, ref: IssueRef) -> NativeDependencies:
        return NativeDependencies(tuple(issue(waits) for waits, on in self.there if on == ref))

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        self.asked.append(f"set {ref.number}>{blocker.number}")
        assert State.SETTING is self.kept[(ref, blocker)].state
        if self.fails:
            raise self.fails
        self.there.add((ref, blocker))

    async def remove_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        self.asked.append(f"take {ref.number}>{blocker.number}")
        assert State.TAKING is self.kept[(ref, blocker)].state
        if self.fails:
            raise self.fails
        self.there.discard((ref, blocker))

    async def of(self, ref: IssueRef) -> dict[Edge, Native]:
        return {edge: one for edge, one in self.kept.items() if ref in edge}

    async def keep(self, natives: list[Native]) -> None:
        self.kept |= {one.edge: one for one in natives}

    async def forget(self, edges: set[Edge]) -> None:
        for edge in edges:
            self.kept.pop(edge, None)

    async def unlink(self, waits: IssueRef, on: IssueRef) -> bool:
        self.asked.append(f"unlink {waits.number}>{on.number}")
        return True

    async def heed(self, waits: IssueRef, on: IssueRef) -> bool:
        self.asked.append(f"heed {waits.number}>{on.number}")
        return True

    async def may_mirror(self, waits: IssueRef, on: IssueRef) -> bool:
        return not {waits.repository, on.repository} & self.hidden

    async def shows_circle(self, waits: IssueRef, on: IssueRef) -> bool:
        return (waits, on) not in self.unshown

    async def timeline(self, _ref: IssueRef) -> AsyncIterator[TimelineEntry]:
        self.asked.append("timeline")
        for kind, who, other in self.entries:
            yield TimelineEntry(
                type=kind, user=User(id=who), dependent_issue=other and issue(other)
            )

    async def closes_circle(self, waits: IssueRef, on: IssueRef) -> bool:
        return (waits, on) in self.circles

    def reach(self, *exist: IssueRef) -> Reach:
        in_circle = bool(self.circles)
        ways = (self.closes_circle, self.shows_circle)
        return Reach(exist or (TWO, FAR), self.may_mirror, *ways, in_circle)

    @property
    def states(self) -> dict[Edge, State]:
        return {edge: one.state for edge, one in self.kept.items()}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def mirror(world: World) -> Mirror:
    return Mirror(gitea=world, memory=world, links=world, bot=BOT, clock=lambda: world.time)


def says(*refs: IssueRef, **more: Any) -> Sight:
    return Sight(ME, said={(ME, ref): DECLARED for ref in refs}, **more)


async def look(
    mirror: Mirror,
    world: World,
    said: Sight,
    natives: Neighbours | None = None,
    *exist: IssueRef,
    mode: Mode = Mode.BOTH,
) -> tuple[Plan, tuple[tuple[Unset, tuple[IssueRef, ...]], ...]]:
    """One look, from reading to writing; what could not be set."""
    if natives is None:
        natives = Neighbours(await world.native_dependencies(ME), await world.native_blocking(ME))
        world.asked.clear()
    sight, found = await mirror.consider(natives, said, mode=mode)
    await mirror.remember(found)
    return found, await mirror.carry_out(sight, found, natives, world.reach(*exist))


async def test_what_is_said_is_set_once_and_taken_away_when_nobody_says_it(
    mirror: Mirror, world: World
) -> None:
    _, unset = await look(mirror, world, says(TWO, FAR))
    assert ["set 1>2", "set 1>5"] == world.asked
    assert () == unset
    assert {(ME, TWO): State.SET, (ME, FAR): State.SET} == world.states
    await look(mirror, world, says(TWO, FAR))
    assert [] == world.asked
    await look(mirror, world, says(FAR))
    assert ["take 1>2"] == world.asked
    assert {(ME, FAR): State.SET} == world.states


async def test_what_a_person_set_is_left_alone_and_counts(mirror: Mirror, world: World) -> None:
    world.there = {(ME, TWO), (FAR, ME)}
    found, _ = await look(mirror, world, says())
    assert {(ME, TWO), (FAR, ME)} == found.people
    assert [] == world.asked
    assert {} == world.kept


async def test_what_seems_to_be_taken_away_is_read_again(mirror: Mirror, world: World) -> None:
    """Between reading Gitea and the memory the look of the other issue may have set it."""
    world.there = {(ME, TWO)}
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET)}
    found, _ = await look(mirror, world, says(TWO), Neighbours())
    assert ["read 1"] == world.asked
    assert set() == found.off
    world.there.clear()
    found, _ = await look(mirror, world, says(TWO))
    assert {(ME, TWO)} == found.off
    assert ["read 1", "issue 2"] == world.asked


async def test_what_goes_with_a_deleted_issue_was_taken_away_by_nobody(
    mirror: Mirror, world: World
) -> None:
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET)}
    world.deleted = {TWO}
    found, _ = await look(mirror, world, says(TWO), None, FAR)
    assert (set(), set(), {}) == (found.off, found.taken_back, world.states)
    assert ["read 1", "issue 2"] == world.asked
    await look(mirror, world, says(TWO), None, FAR)
    assert [] == world.asked


async def test_what_people_changed_there_changes_what_they_said(
    mirror: Mirror, world: World
) -> None:
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET), (ME, FAR): Native(ME, FAR, State.OFF)}
    world.there = {(ME, FAR)}
    said = Sight(
        ME,
        said={(ME, TWO): frozenset({Source.COMMAND})},
        unlinked=frozenset({(ME, FAR)}),
    )
    await look(mirror, world, said)
    assert ["read 1", "issue 2", "unlink 1>2", "heed 1>5"] == world.asked
    assert {} == world.kept


async def test_what_is_unlinked_is_taken_away_and_remembered(mirror: Mirror, world: World) -> None:
    world.there = {(ME, TWO)}
    await look(mirror, world, Sight(ME, unlinked=frozenset({(ME, TWO)})))
    assert ["take 1>2"] == world.asked
    assert {(ME, TWO): State.OFF} == world.states


async def test_what_is_unlinked_stays_so_where_gitea_lets_the_bot_take_nothing_away(
    mirror: Mirror, world: World
) -> None:
    """That it is still there is no person's word; it is tried again every hour."""
    world.there, world.fails = {(ME, TWO)}, Forbidden("no", status=403)
    unlinked = Sight(ME, unlinked=frozenset({(ME, TWO)}))
    await look(mirror, world, unlinked)
    assert ["take 1>2"] == world.asked
    found, _ = await look(mirror, world, unlinked)
    assert [] == world.asked
    assert (set(), set()) == (found.heeded, found.people)
    world.time, world.fails = REFUSAL_KEPT, None
    await look(mirror, world, unlinked)
    assert {(ME, TWO): State.OFF} == world.states


@pytest.mark.parametrize("problem", [Conflict("gone", status=500), Forbidden("no", status=403)])
async def test_what_cannot_be_taken_away_is_a_persons_from_then_on(
    mirror: Mirror, world: World, problem: GiteaError
) -> None:
    world.there, world.fails = {(ME, TWO)}, problem
    before = await neighbours(world, ME)
    if isinstance(problem, Conflict):  # somebody takes it away at the same time
        world.there = set()
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET)}
    await look(mirror, world, says(), before)
    assert {} == world.kept


async def test_a_failure_without_a_word_does_not_pass_for_gone(
    mirror: Mirror, world: World
) -> None:
    """Else it would stay for ever, as if a person had set it."""
    world.there, world.fails = {(ME, TWO)}, Conflict("", status=500)
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET)}
    with pytest.raises(Retryable):
        await look(mirror, world, says())
    assert {(ME, TWO): State.TAKING} == world.states
    world.fails = None
    await look(mirror, world, says())
    assert (set(), {}) == (world.there, world.kept)


@pytest.mark.parametrize(
    ("expected", "prepare", "refs"),
    [
        pytest.param(Unset.PRIVATE, {"hidden": {"other/place"}}, [FAR], id="private"),
        pytest.param(Unset.CIRCLE, {"circles": {(ME, TWO)}}, [TWO], id="a longer circle"),
        pytest.param(Unset.CIRCLE, {"there": {(TWO, ME)}}, [TWO], id="a direct circle"),
        pytest.param(Unset.REFUSED, {"fails": NotFound("no", status=404)}, [TWO], id="refused"),
    ],
)
async def test_what_cannot_be_set_is_told_with_its_reason(
    mirror: Mirror, world: World, expected: Unset, prepare: dict[str, Any], refs: list[IssueRef]
) -> None:
    for name, value in prepare.items():
        setattr(world, name, value)
    _, unset = await look(mirror, world, says(*refs))
    assert ((expected, tuple(refs)),) == unset
    assert {} == world.kept


async def test_what_is_refused_is_tried_again_after_an_hour(mirror: Mirror, world: World) -> None:
    world.fails = Forbidden("no", status=403)
    for _ in range(3):
        await look(mirror, world, says(TWO))
    assert [] == world.asked
    world.time, world.fails = REFUSAL_KEPT, None
    _, unset = await look(mirror, world, says(TWO))
    assert ["set 1>2"] == world.asked
    assert () == unset


async def test_where_repositories_may_not_be_crossed_that_is_tried_once_for_all(
    mirror: Mirror, world: World
) -> None:
    world.fails = Permanent("CrossRepositoryDependencies not enabled", status=400)
    _, unset = await look(
        mirror,
        world,
        says(FAR, IssueRef("other", "place", 6)),
        None,
        FAR,
        IssueRef("other", "place", 6),
    )
    assert ((Unset.CROSSING, (FAR, IssueRef("other", "place", 6))),) == unset
    assert ["set 1>5"] == world.asked
    world.fails = None
    await look(mirror, world, says(TWO, FAR))
    assert ["set 1>2"] == world.asked


@pytest.mark.parametrize(
    ("expected", "there"), [({(ME, TWO): State.SET}, True), ({}, False)], ids=["set", "circle"]
)
async def test_a_conflict_is_read_for_what_it_means(
    mirror: Mirror, world: World, expected: dict[Edge, State], there: bool
) -> None:
    """Gitea does not say whether it is there already, or would close a circle."""
    world.fails = Conflict("", status=500)
    if there:
        world.there = {(ME, TWO)}
    _, unset = await look(mirror, world, says(TWO), Neighbours())
    assert expected == world.states
    assert (() if there else ((Unset.CIRCLE, (TWO,)),)) == unset


async def test_a_failure_that_may_pass_is_begun_again(mirror: Mirror, world: World) -> None:
    world.fails = Retryable("later", status=502)
    with pytest.raises(Retryable):
        await look(mirror, world, says(TWO))
    assert {(ME, TWO): State.SETTING} == world.states
    world.fails = None
    await look(mirror, world, says(TWO))
    assert {(ME, TWO): State.SET} == world.states


async def test_what_cannot_be_seen_is_not_set_and_told_elsewhere(
    mirror: Mirror, world: World
) -> None:
    _, unset = await look(mirror, world, says(TWO), None, FAR)
    assert () == unset
    assert [] == world.asked


async def test_where_dependencies_are_switched_off_nothing_is_concluded_and_it_is_told(
    mirror: Mirror, world: World
) -> None:
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET)}
    off = Neighbours(NativeDependencies(off=True), NativeDependencies(off=True))
    found, unset = await look(mirror, world, says(TWO, FAR), off)
    assert set() == found.off
    assert ((Unset.SWITCHED_OFF, (TWO, FAR)),) == unset
    assert {(ME, TWO): State.SET} == world.states
    assert not [one for one in world.asked if one.startswith("set")]


@pytest.mark.parametrize(
    ("expected", "unseen"), [(set(), 1), ({(ME, FAR)}, 0)], ids=["may be there", "gone"]
)
async def test_a_dependency_that_is_not_shown_may_be_there_all_the_same(
    mirror: Mirror, world: World, expected: Collection[Edge], unseen: int
) -> None:
    """Gitea counts those in repositories that the bot may not read, and names none."""
    world.kept = {(ME, FAR): Native(ME, FAR, State.SET)}
    natives = Neighbours(NativeDependencies(unseen=unseen))
    if unseen:
        world.native_dependencies = lambda _ref: _given(natives.blockers)  # type: ignore[method-assign]
    found, _ = await look(mirror, world, says(FAR), natives)
    assert expected == found.off


async def _given(value: NativeDependencies) -> NativeDependencies:
    return value


@pytest.mark.parametrize(
    ("expected", "mode"), [({(TWO, ME)}, Mode.READ), (set(), Mode.OFF)], ids=["read", "off"]
)
async def test_set_to_read_or_off_nothing_is_written_and_nothing_remembered(
    world: World, expected: set[Edge], mode: Mode
) -> None:
    world.there = {(TWO, ME), (FAR, ME)}
    mirror = Mirror(gitea=world, memory=world, links=world)
    said = says(TWO, unlinked=frozenset({(FAR, ME)}))
    found, unset = await look(mirror, world, said, mode=mode)
    assert expected == found.people
    assert () == unset
    assert [] == world.asked
    assert {} == world.kept


@pytest.mark.parametrize("mode", [Mode.READ, Mode.OFF])
async def test_set_to_read_or_off_what_was_set_before_is_taken_away(
    mirror: Mirror, world: World, mode: Mode
) -> None:
    """Not what a person took away, and not what an issue of another repository waits for."""
    await look(mirror, world, says(TWO))
    world.asked.clear()
    theirs = Native(FAR, ME, State.SET), Native(ME, FAR, State.OFF)
    world.kept |= {one.edge: one for one in theirs}
    natives = Neighbours(await world.native_dependencies(ME))
    world.asked.clear()
    found, _ = await look(mirror, world, says(TWO), natives, mode=mode)
    assert set() == found.people
    assert ["take 1>2"] == world.asked
    assert {(FAR, ME): State.SET, (ME, FAR): State.OFF} == world.states


async def test_of_an_issue_that_is_gone_nothing_is_remembered(mirror: Mirror, world: World) -> None:
    world.kept = {(ME, TWO): Native(ME, TWO, State.SET), (FAR, TWO): Native(FAR, TWO, State.SET)}
    await mirror.forget(ME)
    assert {(FAR, TWO): State.SET} == world.states
    await mirror.forget(ME)


# ---- after the memory was lost ----


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        pytest.param({(ME, TWO): State.SET}, [("add_dependency", BOT, TWO)], id="the bot's"),
        pytest.param({}, [("add_dependency", ALICE, TWO)], id="a person's"),
        pytest.param({}, [("comment", BOT, None), ("add_dependency", BOT, None)], id="not told"),
        pytest.param(
            {},
            [
                ("add_dependency", BOT, TWO),
                ("remove_dependency", ALICE, TWO),
                ("add_dependency", ALICE, TWO),
            ],
            id="a person's in the end",
        ),
    ],
)
async def test_whose_a_dependency_is_can_be_told_by_the_timeline(
    mirror: Mirror,
    world: World,
    expected: dict[Edge, State],
    entries: list[tuple[str, int, IssueRef | None]],
) -> None:
    world.there, world.entries = {(ME, TWO)}, entries
    natives = Neighbours(await world.native_dependencies(ME), await world.native_blocking(ME))
    _, found = await mirror.consider(natives, says(TWO), lost=True)
    await mirror.remember(found)
    assert expected == world.states
    assert ({(ME, TWO)} if not expected else set()) == found.people


async def test_what_a_person_took_away_before_stays_off(mirror: Mirror, world: World) -> None:
    world.entries = [("add_dependency", BOT, TWO), ("remove_dependency", ALICE, TWO)]
    _, found = await mirror.consider(Neighbours(), says(TWO), lost=True)
    await mirror.remember(found)
    assert {(ME, TWO)} == found.off
    assert {(ME, TWO): State.OFF} == world.states
    found, _ = await look(mirror, world, says(TWO))
    assert {(ME, TWO)} == found.off


async def test_what_another_issue_may_say_is_left_to_that_one(mirror: Mirror, world: World) -> None:
    """Its text may not have been read again yet."""
    world.there, world.entries = {(TWO, ME)}, [("add_dependency", BOT, TWO)]
    natives = Neighbours(await world.native_dependencies(ME), await world.native_blocking(ME))
    _, found = await mirror.consider(natives, says(FAR), lost=True)
    assert set() == found.take
    assert {(TWO, ME)} == found.people


async def test_what_the_bot_took_away_itself_is_set_again(mirror: Mirror, world: World) -> None:
    world.entries = [("add_dependency", BOT, TWO), ("remove_dependency", BOT, TWO)]
    _, found = await mirror.consider(Neighbours(), says(TWO), lost=True)
    assert {(ME, TWO)} == found.put


async def test_the_timeline_is_not_read_where_there_is_nothing_to_tell(
    mirror: Mirror, world: World
) -> None:
    await mirror.consider(Neighbours(), says(), lost=True)
    assert [] == world.asked


# ---- circles that were not known of ----


async def test_what_became_part_of_a_circle_is_taken_away(mirror: Mirror, world: World) -> None:
    await look(mirror, world, says(TWO, FAR))
    world.circles = {(ME, TWO)}
    _, unset = await look(mirror, world, says(TWO, FAR))
    assert ["take 1>2"] == world.asked
    assert ((Unset.CIRCLE, (TWO,)),) == unset
    assert {(ME, FAR): State.SET} == world.states


async def test_of_a_circle_that_may_not_be_shown_nothing_is_told(
    mirror: Mirror, world: World
) -> None:
    await look(mirror, world, says(TWO))
    world.circles = world.unshown = {(ME, TWO), (ME, FAR)}
    _, unset = await look(mirror, world, says(TWO, FAR))
    assert ["take 1>2"] == world.asked
    assert () == unset
