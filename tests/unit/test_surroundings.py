"""What stands around an issue, how much of it is asked, and what of it may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decide import GRAPH_MOST
from bot.errors import Conflict, Forbidden, NotFound, Retryable
from bot.gitea.models import Issue, Repository
from bot.models import IssueRef, RefState, Source
from bot.sight import REPOSITORIES
from bot.store.queries import Known
from bot.surroundings import HOPS, Surroundings
from tests.unit.around import ME, OPEN, SECRET, World, everything, issue, ref


@pytest.fixture
def world() -> World:
    return World()


# ---- states ----


@pytest.mark.parametrize(
    ("expected", "answer", "known"),
    [
        (RefState.OPEN, issue(ref(2)), ""),
        (RefState.CLOSED, issue(ref(2), "closed"), "open"),
        (RefState.MERGED, issue(ref(2), "closed", merged=True), ""),
        (RefState.OPEN, issue(ref(2), merged=False), ""),
        (RefState.CLOSED, issue(ref(2), "closed", merged=False), ""),
        (RefState.UNSEEN, NotFound("no"), ""),
        (RefState.UNSEEN, NotFound("no"), "closed"),
        (RefState.GONE, NotFound("no"), "gone"),
        (RefState.OPEN, issue(ref(2)), "gone"),
        (RefState.UNSEEN, Forbidden("no"), ""),
        (RefState.UNSEEN, Conflict("no"), ""),
        (RefState.UNCHECKED, Retryable("down"), "closed"),
    ],
)
async def test_a_blocker_is_as_gitea_says_now(
    world: World, expected: RefState, answer: Issue | Exception, known: str
) -> None:
    world.there[ref(2)] = answer
    if known:
        world.known[ref(2)] = Known(ref(2), state=known)
    world.edge(ME, ref(2))
    [found] = (await world.survey(named=[ref(2)])).blockers
    assert expected is found.state
    assert (isinstance(answer, Issue) and answer.is_pull) is found.is_pull


@pytest.mark.parametrize("seen", [RefState.OPEN, RefState.CLOSED, RefState.MERGED, RefState.GONE])
async def test_one_that_was_there_and_is_not_found_any_more_was_deleted(
    world: World, seen: RefState
) -> None:
    """Also when nobody told of it."""
    world.edge(ME, ref(2))
    [found] = (await world.survey(named=[ref(2)], stood={ref(2): seen})).blockers
    assert RefState.GONE is found.state


@pytest.mark.parametrize(
    ("stood", "about"),
    [
        ({}, {}),
        ({ref(3): RefState.OPEN}, {}),
        ({ref(2): RefState.UNSEEN}, {}),
        ({ref(2): RefState.UNCHECKED}, {}),
        ({ref(2): RefState.OPEN}, {"has_issues": False}),
        ({ref(2): RefState.OPEN}, {"has_pull_requests": False}),
        ({ref(2): RefState.OPEN}, {"internal": True, "permissions": {"push": True}}),
        ({ref(2): RefState.OPEN}, None),
    ],
    ids=[
        "never seen", "another one was", "not seen the last time", "not checked the last time",
        "issues switched off", "pull requests switched off", "no administrator of a hidden one",
        "no such repository",
    ],
)  # fmt: skip
async def test_one_that_is_not_found_and_may_only_be_kept_from_the_bot_still_blocks(
    world: World, stood: dict[IssueRef, RefState], about: dict[str, Any] | None
) -> None:
    if about is None:
        world.absent.add(ME.repository)
    else:
        world.about[ME.repository] = about
    world.edge(ME, ref(2))
    [found] = (await world.survey(named=[ref(2)], stood=stood)).blockers
    assert RefState.UNSEEN is found.state


async def test_that_the_repository_is_there_is_asked_when_it_matters(world: World) -> None:
    """A moment ago it was: it is deleted with all its issues, or kept from the bot by now."""
    world.edge(ME, OPEN)
    world.there[OPEN] = issue(OPEN)
    surveyor = world.surveyor
    given: dict[str, Any] = {"native": (), "named": [OPEN], "proposed": (), "most": 50}
    before = await surveyor.survey(ME, **given)
    world.absent.add(OPEN.repository)
    del world.there[OPEN]
    [found] = (await surveyor.survey(ME, **given, stood=before.stood)).blockers
    assert RefState.UNSEEN is found.state


async def test_an_administrator_finds_everything_in_a_hidden_repository(world: World) -> None:
    world.edge(ME, SECRET)
    [found] = (await world.survey(named=[SECRET], stood={SECRET: RefState.OPEN})).blockers
    assert RefState.GONE is found.state


@pytest.mark.parametrize(
    ("expected", "state", "stood", "there"),
    [
        (RefState.GONE, "gone", {SECRET: RefState.CLOSED}, False),
        (RefState.UNSEEN, "unseen", {SECRET: RefState.CLOSED}, False),
        (RefState.UNSEEN, "gone", {}, False),
        (RefState.UNSEEN, "gone", {SECRET: RefState.CLOSED}, True),
    ],
    ids=["all of it", "nobody said so", "it never showed here", "only the issue"],
)
async def test_one_that_showed_here_is_deleted_with_its_whole_repository(
    world: World,
    expected: RefState,
    state: str,
    stood: dict[IssueRef, RefState],
    there: bool,
) -> None:
    """Of a repository that is no more nobody can say whether the author might read it."""
    if not there:
        world.absent.add(SECRET.repository)
    world.readers = ()
    world.known[SECRET] = Known(SECRET, state=state)
    world.edge(ME, SECRET)
    [found] = (await world.survey(named=[SECRET], stood=stood)).blockers
    assert expected is found.state


async def test_a_repository_that_cannot_be_asked_about_is_not_known_to_be_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(owner: str, repo: str) -> Repository:
        raise Retryable("down")

    monkeypatch.setattr(world, "repository", down)
    world.readers = ()
    world.known[SECRET] = Known(SECRET, state="gone")
    world.edge(ME, SECRET)
    [found] = (await world.survey(named=[SECRET], stood={SECRET: RefState.OPEN})).blockers
    assert RefState.UNSEEN is found.state


@pytest.mark.parametrize(
    ("expected", "state", "asked"),
    [
        (RefState.OPEN, "open", 0),
        (RefState.CLOSED, "closed", 0),
        (RefState.GONE, "gone", 0),
        (RefState.OPEN, "", 1),
        (RefState.OPEN, "unseen", 1),
    ],
)
async def test_what_waits_is_asked_for_only_when_it_is_not_remembered(
    world: World, expected: RefState, state: str, asked: int
) -> None:
    world.there[ref(2)] = issue(ref(2))
    world.known[ref(2)] = Known(ref(2), state=state, title="Remembered")
    world.edge(ref(2), ME)
    [found] = (await world.survey()).waiting
    assert (expected, asked) == (found.state, len(world.asked))


async def test_what_gitea_just_told_is_not_asked_again(world: World) -> None:
    world.edge(ME, ref(2), source=Source.GITEA)
    world.edge(ref(3), ME, ME, source=Source.GITEA)
    found = await world.survey(native=[issue(ref(2), "closed"), issue(ref(3))])
    assert [] == world.asked
    assert [RefState.CLOSED] == [one.state for one in found.blockers]
    assert ["Title of acme/rocket#3"] == [one.title for one in found.waiting]


async def test_a_dependency_says_who_asserts_it(world: World) -> None:
    world.edge(ME, ref(2))
    world.edge(ME, ref(2), source=Source.GITEA)
    world.edge(ME, ref(3), ref(3))
    world.edge(ref(4), ME)
    found = await world.survey(named=[ref(2)])
    two, three = found.blockers
    assert ((Source.DECLARED, Source.GITEA), None) == (two.sources, two.declared_in)
    assert ((Source.DECLARED,), ref(3)) == (three.sources, three.declared_in)
    assert ref(4) == found.waiting[0].declared_in


# ---- how much is asked ----


async def test_no_more_blockers_than_allowed_are_asked_for(world: World) -> None:
    for number in range(2, 102):
        world.edge(ME, ref(number))
        world.there[ref(number)] = issue(ref(number))
    found = await world.survey(named=[ref(n) for n in range(2, 102)], most=10)
    assert 10 == len(world.asked) == len(found.blockers) == found.followed
    assert 100 == found.found


async def test_no_more_of_what_waits_than_allowed_is_asked_for(world: World) -> None:
    for number in range(2, 102):
        world.edge(ref(number), ME)
    found = await world.survey(most=10)
    assert 10 == len(world.asked) == len(found.waiting)


async def test_a_chain_is_followed_for_a_bounded_number_of_steps(world: World) -> None:
    for number in range(1, 3 * HOPS):
        world.edge(ref(number), ref(number + 1))
    found = await world.surveyor.edges(ME)
    assert 2 * HOPS + 2 >= world.queries
    assert HOPS <= len(found) <= HOPS + 1


async def test_a_dense_graph_is_followed_for_a_bounded_number_of_edges(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.surroundings.EDGES", 50)
    for start in range(1, 40):
        for end in range(start + 1, min(start + 6, 41)):
            world.edge(ref(start), ref(end))
    found = await world.surveyor.edges(ME)
    assert 50 <= len(found) < 120
    assert world.queries < 20


async def test_for_a_report_only_what_may_be_drawn_is_followed(world: World) -> None:
    """A cycle is asked for by itself, however long it is."""
    for number in range(1, 3 * GRAPH_MOST):
        world.edge(ref(number), ref(number + 1))
    found = await world.survey()
    assert GRAPH_MOST == len(found.edges)
    assert (ME, ref(77), ME) == found.cycle


async def test_a_cycle_is_asked_for_with_what_gitea_just_told(world: World) -> None:
    """Not over repositories that somebody may be unable to read, nor over what people ignore."""
    world.edge(ME, ref(2))
    world.edge(ME, ref(3))
    world.edge(ME, ref(4))
    world.there = {ref(2): issue(ref(2), "closed"), ref(3): issue(ref(3))}
    ignored = {(ME, ref(4))}
    found = await world.survey(named=[ref(2), ref(3)], ignored=ignored)
    assert [ref(2), ref(3)] == [one.ref for one in found.blockers]
    assert ({ref(2)}, ignored) == (world.over, world.ignored)
    assert world.hidden is not None
    assert {SECRET} == await world.hidden([SECRET, OPEN])


async def test_a_circle_is_looked_for_as_it_may_be_shown_at_an_issue(world: World) -> None:
    at_me = await world.surveyor.circle(ref(2), ref(3), at=ME)
    assert (ref(2), ref(3), SECRET, ME) == at_me
    inside = await world.surveyor.circle(ref(2), ref(3), at=SECRET)
    assert (ref(2), ref(3), SECRET) == inside


async def test_whom_a_change_concerns_is_the_graphs_to_say(world: World) -> None:
    assert {ref(78)} == await world.surveyor.concerned(ME)
    assert await world.surveyor.holds((ME, ref(2), ME))


async def test_a_cycle_far_away_is_all_there(world: World) -> None:
    ring = [1, 2, 3, 4, 5]
    for number in ring:
        world.edge(ref(number), ref(number % 5 + 1))
    found = await world.survey()
    assert {(ref(n), ref(n % 5 + 1)) for n in ring} == set(found.edges)


async def test_states_and_titles_of_the_graph_beyond_are_the_remembered_ones(
    world: World,
) -> None:
    world.edge(ME, ref(2))
    world.edge(ref(2), ref(3))
    world.edge(ref(3), ref(4))
    world.there[ref(2)] = issue(ref(2))
    world.known[ref(3)] = Known(ref(3), state="closed", title="Three")
    found = await world.survey(named=[ref(2)])
    assert {ref(2): RefState.OPEN, ref(3): RefState.CLOSED} == found.states
    assert {ref(2): "Title of acme/rocket#2", ref(3): "Three"} == found.titles
    assert [ref(2)] == world.asked


# ---- what may be shown ----


async def test_a_private_blocker_in_the_text_is_shown_without_its_title(world: World) -> None:
    world.there[SECRET] = issue(SECRET, "closed", merged=True)
    world.edge(ME, SECRET)
    found = await world.survey(named=[SECRET])
    [one] = found.blockers
    assert (SECRET, None, True, False) == (one.ref, one.title, one.private, one.is_pull)
    assert "title of" not in everything(found)
    assert 0 == found.hidden


async def test_of_a_private_one_it_is_not_told_that_it_is_a_pull_request(world: World) -> None:
    """Only whether it still blocks: merged is closed to those who may not read it."""
    world.there[SECRET] = issue(SECRET, "closed", merged=True)
    world.edge(ME, SECRET)
    found = await world.survey(named=[SECRET])
    assert RefState.CLOSED is found.blockers[0].state
    assert {SECRET: RefState.CLOSED} == found.states


async def test_a_bounded_number_of_repositories_is_asked_about(world: World) -> None:
    """A text may name a thousand; those not asked about count as private, always the same."""
    names = [IssueRef(f"o{number:03}", "r", 1) for number in range(3 * REPOSITORIES)]
    for one in names:
        world.edge(ME, one)
        world.there[one] = issue(one)
    found = await world.survey(named=names, most=500)
    assert REPOSITORIES == world.repositories_asked
    private = [one.ref.owner for one in found.blockers if one.private]
    assert [one.owner for one in names[REPOSITORIES:]] == private


@pytest.mark.parametrize(("expected", "state"), [(1, "open"), (0, "closed")])
async def test_a_private_blocker_that_the_text_does_not_name_is_counted_while_open(
    world: World, expected: int, state: str
) -> None:
    world.edge(ME, SECRET, source=Source.GITEA)
    world.known[SECRET] = Known(SECRET, title="Title of all secrets", state="open")
    found = await world.survey(native=[issue(SECRET, state)])
    assert expected == found.hidden
    assert "vault" not in everything(found)
    assert "title of" not in everything(found)


async def test_of_a_private_issue_that_waits_nothing_is_shown(world: World) -> None:
    world.edge(SECRET, ME, source=Source.GITEA)
    world.edge(SECRET, ref(2), SECRET)
    found = await world.survey(native=[issue(SECRET)])
    assert Surroundings(cycle=found.cycle) == found


async def test_a_private_issue_that_the_text_says_waits_is_shown_as_typed(world: World) -> None:
    world.there[SECRET] = issue(SECRET)
    found = await world.survey(named=[SECRET])
    assert [(SECRET, None, True)] == [(w.ref, w.title, w.private) for w in found.waiting]
    assert [] == list(found.blockers)


async def test_nothing_behind_a_private_issue_is_followed(world: World) -> None:
    """A reader could learn of one private issue from another, or from a cycle through it."""
    world.edge(ME, SECRET)
    world.edge(SECRET, ref(7), SECRET)
    world.edge(ref(7), ME)
    world.edge(ref(7), IssueRef("acme", "vault", 10))
    for one in (SECRET, ref(7), IssueRef("acme", "vault", 10)):
        world.there[one] = issue(one)
        world.known[one] = Known(one, title=f"Title of {one}", state="open")
    found = await world.survey(named=[SECRET])
    assert {(ref(7), ME)} == set(found.edges)
    assert "#10" not in everything(found)
    assert {ref(7)} == set(found.titles)


async def test_a_private_issue_is_not_met_again_round_a_corner(world: World) -> None:
    """Two public issues that a private one waits for, of which one waits for the other."""
    world.edge(SECRET, ME, ME, source=Source.GITEA)
    world.edge(SECRET, ref(2), ref(2), source=Source.GITEA)
    world.edge(ME, ref(2))
    world.there[ref(2)] = issue(ref(2))
    found = await world.survey(native=[issue(SECRET)], named=[ref(2)])
    assert {(ME, ref(2))} == set(found.edges)
    assert "vault" not in everything(found)


async def test_a_repository_that_cannot_be_asked_about_counts_as_private(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(owner: str, repo: str) -> Repository:
        raise Retryable("down")

    monkeypatch.setattr(world, "repository", down)
    world.there[OPEN] = issue(OPEN)
    world.edge(ME, OPEN)
    [one] = (await world.survey(named=[OPEN])).blockers
    assert (None, True) == (one.title, one.private)


async def test_a_public_repository_elsewhere_is_shown_and_followed(world: World) -> None:
    world.there[OPEN] = issue(OPEN)
    world.edge(ME, OPEN)
    world.edge(OPEN, OPEN.sibling(6))
    found = await world.survey(named=[OPEN])
    assert ["Title of other/open#5"] == [one.title for one in found.blockers]
    assert {(ME, OPEN), (OPEN, OPEN.sibling(6))} == set(found.edges)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (1, issue(ref(2))),
        (1, issue(ref(2), "closed")),
        (0, NotFound("no")),
        (0, Retryable("down")),
    ],
)
async def test_only_proposals_that_exist_are_made(
    world: World, expected: int, answer: Issue | Exception
) -> None:
    world.there[ref(2)] = answer
    found = await world.survey(proposed=[ref(2)])
    assert expected == len(found.proposals)
    assert all((Source.AI,) == one.sources for one in found.proposals)


async def test_whether_a_circle_may_be_shown_is_asked_where_the_issue_waits(world: World) -> None:
    assert await world.surveyor.closes_circle(ME, ref(2))
    assert await world.surveyor.shows_circle(ME, ref(2))
