"""Gitea's own dependencies against what is said: what counts, what is set, and nobody is fought."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bot.models import IssueRef, Source, Unset
from bot.natives import Native, Plan, Sight, State, digest, grouped, plan, surprising

ME = IssueRef("acme", "rocket", 1)
OTHER = ME.sibling(2)
EDGE = (ME, OTHER)
TEXT = digest("Blocked by #2")
DECLARED = frozenset({Source.DECLARED})
COMMAND = frozenset({Source.COMMAND})
OFF = Native(*EDGE, State.OFF, ((ME, TEXT),))


def sight(
    *,
    there: bool = False,
    says: frozenset[Source] = frozenset(),
    elsewhere: bool = False,
    unlinked: bool = False,
    kept: Native | State | None = None,
    unknown: bool = False,
    text: str = TEXT,
) -> Sight:
    one = Native(*EDGE, kept) if isinstance(kept, State) else kept
    edge = frozenset({EDGE})
    return Sight(
        ME,
        there=edge if there else frozenset(),
        said={EDGE: says} if says else {},
        elsewhere=edge if elsewhere else frozenset(),
        unlinked=edge if unlinked else frozenset(),
        kept={EDGE: one} if one else {},
        unknown=edge if unknown else frozenset(),
        text=text,
    )


def found(**parts: object) -> Plan:
    """A plan of which only these parts are not empty."""
    made = Plan()
    for name, value in parts.items():
        setattr(made, name, value)
    return made


IT = {EDGE}


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        pytest.param(found(put=IT), sight(says=DECLARED), id="a text says so: set it"),
        pytest.param(found(put=IT), sight(says=COMMAND), id="a command says so: set it"),
        pytest.param(
            found(), sight(elsewhere=True), id="said elsewhere: that issue's look sets it"
        ),
        pytest.param(
            found(put=IT),
            sight(says=DECLARED, kept=State.SETTING),
            id="the bot died before setting",
        ),
        pytest.param(
            found(keep=[Native(*EDGE, State.SET)]),
            sight(says=DECLARED, kept=State.SETTING, there=True),
            id="the bot died after setting",
        ),
        pytest.param(found(), sight(says=DECLARED, kept=State.SET, there=True), id="in step"),
        pytest.param(
            found(), sight(elsewhere=True, kept=State.SET, there=True), id="in step, said elsewhere"
        ),
        pytest.param(
            found(take=IT), sight(kept=State.SET, there=True), id="nobody says so any longer"
        ),
        pytest.param(found(take=IT), sight(kept=State.TAKING, there=True), id="died before taking"),
        pytest.param(found(forget=IT), sight(kept=State.TAKING), id="died after taking"),
        pytest.param(
            found(keep=[Native(*EDGE, State.SET)]),
            sight(says=DECLARED, kept=State.TAKING, there=True),
            id="said again before it was taken away",
        ),
        pytest.param(found(forget=IT), sight(kept=State.SETTING), id="said no longer before set"),
        pytest.param(found(people=IT), sight(there=True), id="a person set it"),
        pytest.param(
            found(people=IT), sight(there=True, says=DECLARED), id="a person set what a text says"
        ),
    ],
)
def test_what_is_said_is_set_and_what_people_set_counts(expected: Plan, seen: Sight) -> None:
    assert expected == plan(seen)


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        pytest.param(
            found(off=IT, keep=[OFF]), sight(says=DECLARED, kept=State.SET), id="that a text says"
        ),
        pytest.param(
            found(off=IT, keep=[Native(*EDGE, State.OFF)]),
            sight(elsewhere=True, kept=State.SET),
            id="that another text says: its digest is entered by its own look",
        ),
        pytest.param(
            found(taken_back=IT, forget=IT),
            sight(says=COMMAND, kept=State.SET),
            id="that a command said: the command holds no longer",
        ),
        pytest.param(
            found(taken_back=IT, off=IT, keep=[OFF]),
            sight(says=DECLARED | COMMAND, kept=State.SET),
            id="that both said",
        ),
        pytest.param(found(forget=IT), sight(kept=State.SET), id="that nobody says any longer"),
        pytest.param(found(off=IT), sight(says=DECLARED, kept=OFF), id="it stays off"),
        pytest.param(
            found(off=IT), sight(elsewhere=True, kept=OFF), id="it stays off, said elsewhere"
        ),
        pytest.param(
            found(off=IT, keep=[OFF]),
            sight(says=DECLARED, kept=State.OFF),
            id="the look of the issue that says so enters its text",
        ),
        pytest.param(
            found(put=IT),
            sight(says=DECLARED, kept=OFF, text=digest("Blocked by #2, again")),
            id="until the text changes",
        ),
        pytest.param(
            found(put=IT), sight(says=DECLARED | COMMAND, kept=OFF), id="or a command says it anew"
        ),
        pytest.param(found(forget=IT), sight(kept=OFF), id="or nobody says it"),
        pytest.param(
            found(people=IT, forget=IT),
            sight(says=DECLARED, kept=OFF, there=True),
            id="or a person sets it there",
        ),
    ],
)
def test_what_a_person_takes_away_in_gitea_stays_away(expected: Plan, seen: Sight) -> None:
    assert expected == plan(seen)


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        pytest.param(found(take=IT), sight(unlinked=True, there=True), id="a person's own"),
        pytest.param(
            found(take=IT), sight(unlinked=True, there=True, kept=State.SET), id="the bot's"
        ),
        pytest.param(
            found(keep=[Native(*EDGE, State.OFF)]), sight(unlinked=True), id="that never was there"
        ),
        pytest.param(
            found(keep=[Native(*EDGE, State.OFF)]),
            sight(unlinked=True, kept=State.TAKING),
            id="the bot died after taking it away",
        ),
        pytest.param(found(), sight(unlinked=True, kept=State.OFF), id="done"),
        pytest.param(
            found(heeded=IT, people=IT, forget=IT),
            sight(unlinked=True, kept=State.OFF, there=True),
            id="a person set it there afterwards",
        ),
    ],
)
def test_what_is_unlinked_is_taken_away_unless_a_person_sets_it_afterwards(
    expected: Plan, seen: Sight
) -> None:
    assert expected == plan(seen)


@pytest.mark.parametrize("kept", [None, *State])
def test_of_what_cannot_be_told_nothing_is_concluded(kept: State | None) -> None:
    """Dependencies are switched off, or in a repository that the bot may not see."""
    expected = found(off=IT) if kept is State.OFF else found()
    assert expected == plan(sight(says=DECLARED, kept=kept, unknown=True))


@pytest.mark.parametrize(
    ("expected", "kept", "there"),
    [
        (True, State.SET, False),
        (False, State.SET, True),
        (True, State.OFF, True),
        (False, State.OFF, False),
        (False, State.SETTING, True),
        (False, State.TAKING, False),
        (False, None, True),
    ],
)
def test_what_people_seem_to_have_changed_is_worth_a_second_look(
    expected: bool, kept: State | None, there: bool
) -> None:
    assert expected is surprising(sight(kept=kept, there=there))


@pytest.mark.parametrize(
    ("there", "says", "elsewhere", "unlinked", "kept"),
    list(
        product(
            [False, True], [frozenset(), DECLARED, COMMAND], *[[False, True]] * 2, [None, *State]
        )
    ),
)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    there: bool, says: frozenset[Source], elsewhere: bool, unlinked: bool, kept: State | None
) -> None:
    """Whatever was seen: after at most three looks the next one changes nothing."""
    says = frozenset() if unlinked else says
    now = sight(
        there=there, says=says, elsewhere=elsewhere and not unlinked, unlinked=unlinked, kept=kept
    )
    for _ in range(3):
        now = carried_out(now, plan(now))
    last = plan(now)
    assert Plan(people=last.people, off=last.off) == last


def carried_out(seen: Sight, made: Plan) -> Sight:
    """What the next look sees when all of a plan was done."""
    kept = {edge: one for edge, one in seen.kept.items() if edge not in made.forget}
    kept |= {one.edge: one for one in made.keep} | {e: Native(*e, State.SET) for e in made.put}
    for edge in made.take:
        kept.pop(edge, None)
        if edge in seen.unlinked:
            kept[edge] = Native(*edge, State.OFF)
    said = {
        edge: sources - COMMAND if edge in made.taken_back else sources
        for edge, sources in seen.said.items()
    }
    return replace(
        seen,
        there=frozenset(seen.there - made.take | made.put),
        said={edge: sources for edge, sources in said.items() if sources},
        unlinked=frozenset(seen.unlinked - made.heeded),
        kept=kept,
    )


def test_a_text_with_other_line_ends_is_the_same_text() -> None:
    assert digest("a\r\nb\n") == digest("a\nb")
    assert digest("a") != digest("b")


def test_what_could_not_be_set_is_told_by_the_reason_each_issue_once_in_order() -> None:
    three, two = ME.sibling(3), ME.sibling(2)
    assert (
        (Unset.CROSSING, (two,)),
        (Unset.CIRCLE, (two, three)),
    ) == grouped(
        [(Unset.CIRCLE, three), (Unset.CROSSING, two), (Unset.CIRCLE, two), (Unset.CIRCLE, three)]
    )
