"""Who may see what: what a text names of a repository that not everybody can read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.errors import Forbidden, NotFound, Retryable
from bot.models import IssueRef, RefState, Source
from bot.store.queries import Known
from bot.surroundings import Surroundings
from tests.unit.around import ME, OPEN, SECRET, World, everything, issue, ref

Scene = Callable[[World], None]
ANOTHER = IssueRef("acme", "vault", 10)


@pytest.fixture
def world() -> World:
    return World()


# ---- whoever may not read it learns nothing: no repository, no issue, an issue, all alike ----


def no_repository(world: World) -> None:
    world.private.clear()
    world.absent.add("acme/vault")


def no_issue(world: World) -> None:
    """The repository is private, and there is nothing of that number."""


def an_open_issue(world: World) -> None:
    world.there[SECRET] = issue(SECRET)


def a_closed_one(world: World) -> None:
    world.there[SECRET] = issue(SECRET, "closed")


def a_pull_request(world: World) -> None:
    world.there[SECRET] = issue(SECRET, "closed", merged=True)


def a_remembered_one(world: World) -> None:
    world.there[SECRET] = issue(SECRET, "closed")
    world.known[SECRET] = Known(SECRET, coordinated=True, state="closed", title="Title of it")


def a_deleted_one(world: World) -> None:
    world.known[SECRET] = Known(SECRET, state="gone")


def one_that_waits_for_this(world: World) -> None:
    world.there[SECRET] = issue(SECRET)
    world.edge(SECRET, ME, SECRET)
    world.edge(SECRET, ME, ME, source=Source.GITEA)


def no_administrator(world: World) -> None:
    world.there[SECRET] = issue(SECRET)
    world.refusal = Forbidden("only administrators may ask")


def nobody_of_that_name(world: World) -> None:
    world.there[SECRET] = issue(SECRET)
    world.refusal = NotFound("user does not exist [name: mallory]")


SCENES = [
    no_issue,
    an_open_issue,
    a_closed_one,
    a_pull_request,
    a_remembered_one,
    a_deleted_one,
    one_that_waits_for_this,
    no_administrator,
    nobody_of_that_name,
]


async def surroundings(scene: Scene, kind: str) -> Surroundings:
    """What mallory's report has around it, who names the secret issue in one way or another."""
    world = World()
    scene(world)
    if kind in ("declared", "accepted"):
        source = Source.DECLARED if kind == "declared" else Source.AI
        world.edge(ME, SECRET, source=source)
    native = [issue(SECRET)] if scene is one_that_waits_for_this else []
    found = await world.survey(
        native=native,
        named=[] if kind in ("proposed", "accepted") else [SECRET],
        proposed=[SECRET] if kind == "proposed" else [],
        authors=["mallory"],
    )
    assert SECRET not in world.asked, "it is not even asked for"
    return found


@pytest.mark.parametrize("kind", ["declared", "accepted", "blocks", "proposed"])
@pytest.mark.parametrize("scene", SCENES)
async def test_what_the_author_may_not_read_is_as_if_there_were_no_such_repository(
    scene: Scene, kind: str
) -> None:
    assert await surroundings(no_repository, kind) == await surroundings(scene, kind)


async def test_what_the_author_may_not_read_cannot_be_seen_and_blocks(world: World) -> None:
    a_closed_one(world)
    world.edge(ME, SECRET)
    [one] = (await world.survey(named=[SECRET], authors=["mallory"])).blockers
    assert (SECRET, RefState.UNSEEN, None, True) == (one.ref, one.state, one.title, one.private)


async def test_nobody_knows_who_wrote_it(world: World) -> None:
    """As with an issue that the bot opened itself: its own eyes lend nobody any."""
    an_open_issue(world)
    world.edge(ME, SECRET)
    [one] = (await world.survey(named=[SECRET], authors=[])).blockers
    assert RefState.UNSEEN is one.state


async def test_of_several_who_wrote_it_all_have_to_be_able_to_read(world: World) -> None:
    a_closed_one(world)
    world.edge(ME, SECRET)
    for expected, authors in (
        (RefState.CLOSED, ["alice"]),
        (RefState.UNSEEN, ["alice", "mallory"]),
        (RefState.UNSEEN, ["mallory", "alice"]),
    ):
        [one] = (await world.survey(named=[SECRET], authors=authors)).blockers
        assert expected is one.state


async def test_nothing_is_proposed_that_the_author_may_not_read(world: World) -> None:
    an_open_issue(world)
    assert () == (await world.survey(proposed=[SECRET], authors=["mallory"])).proposals
    [one] = (await world.survey(proposed=[SECRET])).proposals
    assert (SECRET, None, True) == (one.ref, one.title, one.private)


async def test_while_gitea_cannot_say_who_may_it_could_not_be_checked(world: World) -> None:
    an_open_issue(world)
    world.edge(ME, SECRET)
    world.refusal = Retryable("down")
    [one] = (await world.survey(named=[SECRET])).blockers
    assert RefState.UNCHECKED is one.state
    assert [] == world.asked


# ---- what people said by a command, and what Gitea says ----


async def test_a_command_said_here_lets_it_count_whoever_wrote_the_text(world: World) -> None:
    """Who said it was looked up then."""
    a_closed_one(world)
    world.edge(ME, SECRET)
    world.edge(ME, SECRET, source=Source.COMMAND)
    found = await world.survey(named=[SECRET], linked=[SECRET], authors=["mallory"])
    [one] = found.blockers
    assert (RefState.CLOSED, (Source.DECLARED, Source.COMMAND)) == (one.state, one.sources)
    assert [] == world.rights_asked


@pytest.mark.parametrize("source", [Source.COMMAND, Source.GITEA])
@pytest.mark.parametrize(("expected", "state"), [(1, "open"), (0, "closed")])
async def test_what_was_said_elsewhere_is_counted_beside_what_the_text_guesses(
    world: World, expected: int, state: str, source: Source
) -> None:
    """Else a text could find out which issue it is that is counted."""
    world.there[SECRET] = issue(SECRET, state)
    world.edge(ME, SECRET)
    world.edge(ME, SECRET, source=source)
    found = await world.survey(named=[SECRET], authors=["mallory"])
    [one] = found.blockers
    assert (RefState.UNSEEN, (Source.DECLARED,)) == (one.state, one.sources)
    assert expected == found.hidden
    guess = await world.survey(named=[ANOTHER], authors=["mallory"])
    assert expected == guess.hidden


async def test_a_blocker_that_a_command_elsewhere_names_is_only_counted(world: World) -> None:
    """In the private repository somebody said `/blocks`: nobody has named it here."""
    an_open_issue(world)
    world.edge(ME, SECRET, source=Source.COMMAND)
    found = await world.survey()
    assert ((), 1) == (found.blockers, found.hidden)
    assert "vault" not in everything(found)


async def test_that_gitea_says_so_too_is_not_told_of_a_private_one(world: World) -> None:
    an_open_issue(world)
    world.edge(ME, SECRET)
    world.edge(ME, SECRET, source=Source.GITEA)
    found = await world.survey(named=[SECRET])
    assert [((Source.DECLARED,), RefState.OPEN)] == [(b.sources, b.state) for b in found.blockers]
    assert 0 == found.hidden


async def test_which_way_round_gitea_says_it_is_not_told_of_a_private_one(world: World) -> None:
    """The text says that this blocks it; in Gitea it is the other way round."""
    an_open_issue(world)
    world.edge(ME, SECRET, source=Source.GITEA)
    found = await world.survey(named=[SECRET])
    assert ((), [SECRET], 1) == (found.blockers, [w.ref for w in found.waiting], found.hidden)


async def test_what_a_private_text_declares_is_not_told(world: World) -> None:
    an_open_issue(world)
    world.edge(SECRET, ME, SECRET)
    [one] = (await world.survey(named=[SECRET])).waiting
    assert ((Source.DECLARED,), None) == (one.sources, one.declared_in)


# ---- names ----


async def test_a_private_one_is_called_as_it_was_typed_and_a_public_one_as_it_is_called_now(
    world: World,
) -> None:
    typed_secret, typed_open = IssueRef("acme", "attic", 9), IssueRef("other", "shut", 5)
    typed = {SECRET: typed_secret, OPEN: typed_open}
    for one in (SECRET, OPEN):
        world.there[one] = issue(one)
        world.edge(ME, one)
    found = await world.survey(named=[SECRET, OPEN], typed=typed)
    assert {typed_secret, OPEN} == {one.ref for one in found.blockers} == set(found.states)
    assert "vault" not in everything(found)
    assert {SECRET, OPEN} == set(found.stood)
    assert {SECRET: typed_secret, OPEN: OPEN} == found.names


# ---- what is asked ----


async def test_of_the_same_repository_and_of_public_ones_no_right_is_asked(world: World) -> None:
    for one in (ref(2), OPEN):
        world.there[one] = issue(one)
        world.edge(ME, one)
    await world.survey(named=[ref(2), OPEN], authors=["mallory"])
    assert ([], 1) == (world.rights_asked, world.repositories_asked)


async def test_a_hidden_repository_and_the_right_in_it_are_asked_for_once(world: World) -> None:
    """However many issues of it a text names, and again within a minute not at all."""
    refs = [IssueRef("acme", "vault", number) for number in range(1, 21)]
    for one in refs:
        world.there[one] = issue(one)
        world.edge(ME, one)
    surveyor = world.surveyor
    for _ in range(3):
        await surveyor.survey(
            ME, native=(), named=refs, proposed=(), most=50, authors=["alice", "bob"]
        )
    assert 1 == world.repositories_asked
    assert ["alice in acme/vault", "bob in acme/vault"] == world.rights_asked
    assert [] == world.asked, "bob may not read it"


# ---- what is remembered of it, and what is told elsewhere ----


async def test_how_its_blockers_stand_is_remembered_of_the_hidden_ones_too(world: World) -> None:
    world.edge(ME, ref(2))
    world.edge(ME, SECRET, source=Source.GITEA)
    world.edge(ME, ANOTHER)
    world.there[ref(2)] = issue(ref(2), "closed", merged=True)
    found = await world.survey(native=[issue(SECRET)], named=[ref(2), ANOTHER], authors=["mallory"])
    expected = {ref(2): RefState.MERGED, SECRET: RefState.OPEN, ANOTHER: RefState.UNSEEN}
    assert expected == found.stood


@pytest.mark.parametrize(
    ("expected", "stood", "at"),
    [
        (0, {}, ME),
        (0, {OPEN: RefState.OPEN, ref(3): RefState.UNSEEN}, ME),
        (0, {SECRET: RefState.CLOSED, ANOTHER: RefState.GONE}, ME),
        (1, {SECRET: RefState.OPEN, OPEN: RefState.OPEN}, ME),
        (2, {SECRET: RefState.UNSEEN, ANOTHER: RefState.UNCHECKED}, ME),
        (1, {SECRET: RefState.UNSEEN}, SECRET),
        (0, {SECRET: RefState.OPEN}, SECRET),
    ],
    ids=[
        "nothing", "shown ones only", "over", "one of two", "not seen", "it cannot see this one",
        "seen from there",
    ],
)  # fmt: skip
async def test_what_holds_others_back_and_may_not_be_shown_is_counted(
    world: World, expected: int, stood: dict[IssueRef, RefState], at: IssueRef
) -> None:
    world.known[ref(2)] = Known(ref(2), stood=tuple(stood.items()))
    found = await world.surveyor.unshown([ref(2), ref(4)], at)
    assert ({ref(2): expected} if expected else {}) == found
