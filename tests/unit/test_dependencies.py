"""Cycles, everything that waits, and the drawn part of the graph; held against brute force."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dependencies import (
    Edge,
    Graph,
    all_waiting_on,
    cycle_through,
    neighbourhood,
    would_close_cycle,
)
from bot.models import IssueRef, RefState


def ref(number: int, repo: str = "rocket") -> IssueRef:
    return IssueRef("acme", repo, number)


def refs(*numbers: int) -> tuple[IssueRef, ...]:
    return tuple(ref(n) for n in numbers)


def edges(*pairs: tuple[int, int]) -> list[Edge]:
    return [(ref(a), ref(b)) for a, b in pairs]


small_graphs = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=12)

# ---- cycles ----


@pytest.mark.parametrize(
    ("pairs", "path"),
    [
        pytest.param([], (), id="no edges"),
        pytest.param([(1, 2), (2, 3)], (), id="a chain"),
        pytest.param([(1, 2), (2, 1)], (1, 2, 1), id="two"),
        pytest.param([(1, 2), (2, 3), (3, 1)], (1, 2, 3, 1), id="three"),
        pytest.param([(1, 1)], (), id="itself is no edge"),
        pytest.param([(1, 2), (2, 3), (3, 2)], (), id="a cycle further on is not through it"),
        pytest.param([(1, 2), (1, 3), (2, 4), (3, 4)], (), id="a diamond"),
        pytest.param([(1, 2), (2, 3), (3, 1), (3, 4), (2, 1)], (1, 2, 1), id="the shortest"),
        pytest.param(
            [(1, 5), (5, 1), (1, 3), (3, 1)], (1, 3, 1), id="of two as short, the first in order"
        ),
        pytest.param(
            [(1, 9), (1, 5), (9, 2), (5, 3), (2, 1), (3, 1)], (1, 5, 3, 1), id="first along the way"
        ),
        pytest.param([(1, 2), (1, 2), (2, 1), (2, 1)], (1, 2, 1), id="repeated edges"),
    ],
)
def test_the_shortest_cycle_is_named_with_its_path(pairs, path) -> None:
    assert refs(*path) == cycle_through(ref(1), edges(*pairs))
    assert refs(*path) == cycle_through(ref(1), edges(*reversed(pairs))), "order does not count"


def test_a_cycle_goes_over_repositories_and_letters_case() -> None:
    known = [
        (ref(1), ref(1, "engine")),
        (IssueRef("Acme", "Engine", 1), ref(2, "engine")),
        (ref(2, "ENGINE"), IssueRef("ACME", "rocket", 1)),
    ]
    path = cycle_through(ref(1), known)
    assert (ref(1), ref(1, "engine"), ref(2, "engine"), ref(1)) == path


def test_an_issue_without_edges_stands_in_no_cycle() -> None:
    assert () == cycle_through(ref(9), edges((1, 2), (2, 1)))


@pytest.mark.parametrize(
    ("state", "path"),
    [
        (RefState.OPEN, (1, 2, 1)),
        (RefState.UNSEEN, (1, 2, 1)),
        (RefState.UNCHECKED, (1, 2, 1)),
        (RefState.CLOSED, ()),
        (RefState.MERGED, ()),
        (RefState.GONE, ()),
    ],
)
@pytest.mark.parametrize("end", [1, 2])
def test_an_edge_with_an_end_that_is_over_holds_nothing_back(state, path, end) -> None:
    graph = Graph(edges((1, 2), (2, 1)), {ref(end): state})
    assert refs(*path) == cycle_through(ref(1), graph)


def test_a_closed_issue_leaves_the_longer_way_round() -> None:
    graph = Graph(edges((1, 2), (2, 1), (1, 3), (3, 4), (4, 1)), {ref(2): RefState.CLOSED})
    assert refs(1, 3, 4, 1) == cycle_through(ref(1), graph)


def brute_force(pairs: list[tuple[int, int]], start: int) -> tuple[int, ...]:
    """The shortest cycle, first in order, by trying every one."""
    nodes = sorted({n for pair in pairs for n in pair} - {start})
    for length in range(1, len(nodes) + 1):
        for middle in sorted(permutations(nodes, length)):
            if all(step in pairs for step in pairwise((start, *middle, start))):
                return (start, *middle, start)
    return ()


@given(small_graphs, st.integers(1, 5))
def test_the_cycle_is_the_one_that_trying_all_finds(pairs, start) -> None:
    assert refs(*brute_force(pairs, start)) == cycle_through(ref(start), edges(*pairs))


def test_a_chain_of_ten_thousand_does_not_exhaust_the_stack() -> None:
    ring = [(n, n + 1) for n in range(10_000)] + [(10_000, 0)]
    assert 10_002 == len(cycle_through(ref(5), edges(*ring)))


# ---- what a new edge would do ----


@pytest.mark.parametrize(
    ("new", "path"),
    [
        pytest.param((4, 1), (), id="at the start of a chain"),
        pytest.param((1, 3), (), id="a short cut"),
        pytest.param((3, 1), (3, 1, 2, 3), id="closes the chain"),
        pytest.param((2, 1), (2, 1, 2), id="the other way round"),
        pytest.param((7, 7), (7, 7), id="itself"),
        pytest.param((1, 9), (), id="to an issue nobody knows"),
        pytest.param((9, 1), (), id="from an issue nobody knows"),
    ],
)
def test_a_new_edge_that_would_close_a_cycle_is_told_with_the_path(new, path) -> None:
    waits, target = new
    assert refs(*path) == would_close_cycle(edges((1, 2), (2, 3)), (ref(waits), ref(target)))


@given(small_graphs, st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_what_it_would_close_is_what_it_does_close(pairs, new) -> None:
    if new[0] == new[1]:
        return
    before = edges(*pairs)
    path = would_close_cycle(before, (ref(new[0]), ref(new[1])))
    if path:
        assert refs(*new) == path[:2]
        assert all(step in [*before, path[:2]] for step in pairwise(path))
        assert len(set(path)) == len(path) - 1
    without = [edge for edge in before if edge[0] != ref(new[0])]
    assert bool(path) == bool(cycle_through(ref(new[0]), [*without, (ref(new[0]), ref(new[1]))]))


# ---- who waits ----


@pytest.mark.parametrize(
    ("issue", "waiting"),
    [(1, ()), (2, (1,)), (3, (1, 2, 5)), (4, (1, 2, 3, 5)), (8, (9,)), (9, (8,)), (77, ())],
)
def test_everything_that_waits_directly_or_not(issue, waiting) -> None:
    known = edges((1, 2), (2, 3), (5, 3), (3, 4), (8, 9), (9, 8), (6, 6))
    assert refs(*waiting) == all_waiting_on(ref(issue), known)


def test_nobody_waits_through_what_is_over() -> None:
    known = edges((1, 2), (2, 3), (3, 4), (5, 4))
    over = Graph(known, {ref(3): RefState.CLOSED})
    assert refs(5) == all_waiting_on(ref(4), over)
    assert () == all_waiting_on(ref(3), over), "nobody waits for what is over itself"
    assert refs(1) == all_waiting_on(ref(2), over)


# ---- the part that is drawn ----


def test_what_is_over_is_drawn_all_the_same() -> None:
    known = edges((1, 2), (2, 3))
    assert tuple(known) == neighbourhood(ref(1), Graph(known, {ref(2): RefState.CLOSED}), 9)


def test_the_neighbourhood_takes_the_nearest_edges_first() -> None:
    known = edges((3, 4), (2, 3), (1, 2), (5, 1), (6, 5), (8, 9))
    ordered = edges((1, 2), (5, 1), (2, 3), (6, 5), (3, 4))
    for most in range(6):
        assert tuple(ordered[:most]) == neighbourhood(ref(1), known, most)
    assert tuple(ordered) == neighbourhood(ref(1), known, 99), "8 and 9 are not connected"


def test_an_edge_between_two_neighbours_is_drawn_once() -> None:
    known = edges((1, 2), (1, 3), (2, 3), (3, 2))
    assert tuple(known) == neighbourhood(ref(1), known, 99)


def test_an_issue_without_edges_has_no_neighbourhood() -> None:
    assert () == neighbourhood(ref(1), edges((2, 3)), 9)


@given(small_graphs, st.integers(0, 12))
def test_what_is_drawn_is_bounded_connected_and_true(pairs, most) -> None:
    drawn = neighbourhood(ref(1), edges(*pairs), most)
    assert len(drawn) <= most
    assert len(drawn) == len(set(drawn))
    reached = {ref(1)}
    for edge in drawn:
        assert edge in edges(*pairs)
        assert reached & set(edge), "every edge hangs on what is drawn already"
        reached.update(edge)


@given(small_graphs)
def test_answers_do_not_depend_on_the_order_of_edges(pairs) -> None:
    one, other = Graph(edges(*pairs)), Graph(edges(*reversed(pairs)))
    assert neighbourhood(ref(1), one, 4) == neighbourhood(ref(1), other, 4)
    assert cycle_through(ref(1), one) == cycle_through(ref(1), other)
    assert all_waiting_on(ref(1), one) == all_waiting_on(ref(1), other)
