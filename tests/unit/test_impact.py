"""What closing an issue would make ready; held against closing them in every order."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.impact import Impact, impact
from bot.models import IssueRef, RefState

OPEN, CLOSED = RefState.OPEN, RefState.CLOSED


def ref(number: int) -> IssueRef:
    return IssueRef("acme", "rocket", number)


def refs(*numbers: int) -> tuple[IssueRef, ...]:
    return tuple(ref(n) for n in numbers)


def of(pairs, states=None, held=(), issue=1) -> Impact:
    everyone = {n: OPEN for pair in [*pairs, (issue, issue)] for n in pair}
    known = {ref(n): s for n, s in {**everyone, **(states or {})}.items() if s is not None}
    return impact(ref(issue), [(ref(a), ref(b)) for a, b in pairs], known, set(refs(*held)))


@pytest.mark.parametrize(
    ("unshown", "expected"),
    [
        ((), Impact(refs(2), refs(3))),
        ((2,), Impact(still=((ref(2), ()),))),
        ((3,), Impact(refs(2))),
        ((9,), Impact(refs(2), refs(3))),
    ],
    ids=["nothing", "what waits for it", "what waits for that", "another one"],
)
def test_what_may_not_be_shown_holds_back_like_everything_else(unshown, expected) -> None:
    pairs = [(ref(2), ref(1)), (ref(3), ref(2))]
    states = dict.fromkeys(refs(1, 2, 3), OPEN)
    assert expected == impact(ref(1), pairs, states, unshown=refs(*unshown))


@pytest.mark.parametrize(
    ("pairs", "states", "held", "expected"),
    [
        pytest.param([], {}, (), Impact(), id="nobody waits"),
        pytest.param([(1, 2)], {}, (), Impact(), id="what it waits for is not concerned"),
        pytest.param([(3, 1), (2, 1)], {}, (), Impact(refs(2, 3)), id="two at once"),
        pytest.param([(2, 1), (3, 2), (4, 3)], {}, (), Impact(refs(2), refs(3, 4)), id="a chain"),
        pytest.param(
            [(2, 1), (3, 1), (4, 2), (4, 3)], {}, (), Impact(refs(2, 3), refs(4)), id="a diamond"
        ),
        pytest.param(
            [(2, 1), (3, 1), (3, 2)], {}, (), Impact(refs(2), refs(3)), id="one waits for both"
        ),
        pytest.param(
            [(2, 1), (2, 9)], {}, (), Impact(still=((ref(2), refs(9)),)), id="still waits"
        ),
        pytest.param([(2, 1), (2, 9)], {9: CLOSED}, (), Impact(refs(2)), id="the other is closed"),
        pytest.param(
            [(2, 1), (2, 9)],
            {9: RefState.UNSEEN},
            (),
            Impact(still=((ref(2), refs(9)),)),
            id="the other cannot be seen",
        ),
        pytest.param(
            [(2, 1), (2, 9)],
            {9: None},
            (),
            Impact(still=((ref(2), refs(9)),)),
            id="the other is not known",
        ),
        pytest.param([(2, 1), (3, 2)], {2: CLOSED}, (), Impact(), id="one that is closed already"),
        pytest.param([(2, 1)], {2: None}, (), Impact(), id="one of which nothing is known"),
        pytest.param(
            [(2, 1), (3, 2)], {}, (2,), Impact(held=refs(2)), id="on hold goes no further"
        ),
        pytest.param(
            [(2, 1), (3, 1), (3, 2)],
            {},
            (2,),
            Impact(held=refs(2), still=((ref(3), refs(2)),)),
            id="waits for one on hold",
        ),
        pytest.param([(2, 1), (1, 2)], {}, (), Impact(refs(2)), id="a circle through it opens"),
        pytest.param(
            [(2, 1), (2, 3), (3, 2)],
            {},
            (),
            Impact(still=((ref(2), refs(3)),)),
            id="a circle beside it does not",
        ),
        pytest.param([(2, 1), (2, 2)], {}, (), Impact(refs(2)), id="itself is no edge"),
        pytest.param([(2, 1), (2, 1)], {}, (), Impact(refs(2)), id="repeated edges"),
        pytest.param([(2, 1)], {1: CLOSED}, (), Impact(), id="it is over already"),
    ],
)
def test_what_closing_it_makes_ready(pairs, states, held, expected) -> None:
    assert expected == of(pairs, states, held)
    assert expected == of(list(reversed(pairs)), states, held), "order does not count"


def ready_now(number, pairs, states, over) -> bool:
    waits_for = {b for a, b in pairs if a == number and b != number}
    return all(b in over or not states[b].blocks for b in waits_for)


def brute_force(pairs, states, held) -> tuple[set[int], set[int]]:
    """What is ready at once, and at any time, when issues are closed in every order there is."""
    others = range(2, 6)
    waiting = {n for n in others if states[n] is OPEN and not ready_now(n, pairs, states, set())}
    free = waiting - held
    at_once = {n for n in free if ready_now(n, pairs, states, {1})}
    ever: set[int] = set()
    for order in permutations(others):
        over = {1}
        for number in order:
            if number in free and ready_now(number, pairs, states, over):
                over.add(number)
        ever |= over - {1}
    return at_once, ever


numbers = st.integers(1, 5)


@given(
    st.lists(st.tuples(numbers, numbers), max_size=12),
    st.fixed_dictionaries({n: st.sampled_from([OPEN, OPEN, OPEN, *RefState]) for n in range(2, 6)}),
    st.sets(st.integers(2, 5), max_size=2),
)
def test_it_is_what_closing_them_in_every_order_finds(pairs, states, held) -> None:
    states = {1: OPEN, **states}
    found = of(pairs, states, held)
    at_once, ever = brute_force(pairs, states, held)
    assert set(refs(*at_once)) == set(found.directly)
    assert set(refs(*ever)) == {*found.directly, *found.later}
    assert len({*found.directly, *found.later}) == len(found.directly) + len(found.later)
    for one, others in found.still:
        assert others, f"{one} waits for something"


def test_a_chain_of_ten_thousand_does_not_exhaust_the_stack() -> None:
    found = of([(n + 1, n) for n in range(1, 10_001)])
    assert (1, 9_999) == (len(found.directly), len(found.later))
