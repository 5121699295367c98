"""A graph that is changed in place answers as one that is built anew, whatever happened before."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dependencies import (
    Edge,
    Graph,
    all_waiting_on,
    cycle_through,
    cycles_with,
    neighbourhood,
    would_close_cycle,
)
from bot.models import IssueRef, RefState

ISSUES = range(1, 9)


def ref(number: int, repo: str = "rocket") -> IssueRef:
    return IssueRef("acme", repo, number)


def refs(*numbers: int) -> tuple[IssueRef, ...]:
    return tuple(ref(n) for n in numbers)


def edges(*pairs: tuple[int, int]) -> list[Edge]:
    return [(ref(a), ref(b)) for a, b in pairs]


pairs_of = st.tuples(st.sampled_from(ISSUES), st.sampled_from(ISSUES))
graphs = st.lists(pairs_of, max_size=20)
changes = st.lists(
    st.tuples(
        st.sampled_from(ISSUES),
        st.sets(st.sampled_from(ISSUES), max_size=3),
        st.sets(st.sampled_from(ISSUES), max_size=3),
    ),
    max_size=12,
)


def answers(graph: Graph) -> list[object]:
    """All that is asked of a graph, for every issue."""
    return [
        (
            cycle_through(ref(n), graph),
            cycles_with(ref(n), graph),
            all_waiting_on(ref(n), graph),
            neighbourhood(ref(n), graph, 5),
            [would_close_cycle(graph, (ref(n), ref(m))) for m in ISSUES],
        )
        for n in ISSUES
    ]


@given(graphs, changes)
def test_after_any_changes_it_answers_as_one_that_is_built_anew(first, changed) -> None:
    graph, left = Graph(edges(*first)), set(first)
    for issue, waits_for, waited_by in changed:
        mine = {(issue, on) for on in waits_for} | {(waits, issue) for waits in waited_by}
        left = {edge for edge in left if issue not in edge} | mine
        graph.replace(ref(issue), edges(*mine))
    assert answers(Graph(edges(*sorted(left)))) == answers(graph)


@given(graphs, graphs)
def test_edges_added_are_as_if_they_had_been_there(first, more) -> None:
    graph = Graph(edges(*first))
    graph.add(edges(*more))
    assert answers(Graph(edges(*more, *first))) == answers(graph)


@given(graphs, graphs, graphs)
def test_what_is_supposed_holds_for_the_time_of_a_question(first, added, removed) -> None:
    """Of an edge both added and taken away, that it was there decides."""
    graph = Graph(edges(*first))
    before = answers(graph)
    with graph.supposing(added=edges(*added), removed=edges(*removed)):
        left = [pair for pair in first if pair not in removed]
        left += [pair for pair in added if pair not in first]
        assert answers(Graph(edges(*left))) == answers(graph)
    assert before == answers(graph)


def test_what_is_supposed_is_forgotten_when_the_question_fails() -> None:
    graph = Graph(edges((1, 2)))
    with pytest.raises(KeyError), graph.supposing(added=edges((2, 1)), removed=edges((1, 2))):
        raise KeyError
    assert (True, False) == (graph.holds(ref(1), ref(2)), graph.holds(ref(2), ref(1)))


def test_an_issue_that_no_edge_touches_takes_no_room() -> None:
    graph = Graph()
    for n in range(100):
        graph.replace(ref(n), edges((n, n + 1), (n + 2, n)))
        graph.replace(ref(n), ())
    assert 3 == len(graph.refs)
    assert [None] * 102 == [graph.find(ref(n)) for n in range(102)]


def test_what_is_over_stays_so_when_its_edges_change() -> None:
    graph = Graph((), {ref(2): RefState.CLOSED})
    graph.replace(ref(2), edges((1, 2), (2, 1)))
    assert () == cycle_through(ref(1), graph)
    graph.replace(ref(2), ())
    graph.add(edges((1, 2), (2, 1), (1, 3), (3, 1)))
    assert refs(1, 3, 1) == cycle_through(ref(1), graph)
    assert {ref(1): 2, ref(3): 2} == cycles_with(ref(1), graph)


def test_issues_are_told_by_their_repositories() -> None:
    graph = Graph([(ref(1), ref(2, "Engine")), (ref(2, "engine"), ref(3, "wing"))])
    engine = graph.find(ref(2, "ENGINE"))
    assert {engine} == graph.among({"acme/engine", "acme/nothing"})


# ---- the shortest one, held against looking at every step ----


def steps(pairs: list[tuple[int, int]], start: int, end: int) -> int:
    """How many edges lead from one to the other, at least one; 0 when none do."""
    waiting, far = deque([start]), {start: 0}
    while waiting:
        at = waiting.popleft()
        for to in sorted(b for a, b in pairs if a == at and a != b):
            if to == end:
                return far[at] + 1
            if to not in far:
                far[to] = far[at] + 1
                waiting.append(to)
    return 0


larger = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=45)


@given(larger, st.integers(0, 14), st.sets(st.integers(0, 14), max_size=4))
def test_the_cycle_is_a_real_one_and_none_is_shorter(pairs, start, closed) -> None:
    graph = Graph(edges(*pairs), {ref(n): RefState.CLOSED for n in closed})
    cycle = cycle_through(ref(start), graph)
    left = [(a, b) for a, b in pairs if not {a, b} & closed]
    assert steps(left, start, start) == max(0, len(cycle) - 1)
    assert all(step in edges(*left) for step in pairwise(cycle))
    assert cycle == cycle_through(ref(start), Graph(edges(*reversed(left))))


@given(larger, st.sets(st.integers(0, 14), max_size=4))
def test_what_is_shut_is_gone_round(pairs, shut) -> None:
    graph = Graph(edges(*pairs))
    numbers = {n for one in shut if (n := graph.find(ref(one))) is not None}
    left = Graph(edges(*(p for p in pairs if not set(p) & shut)))
    for n in range(15):
        assert cycle_through(ref(n), left) == cycle_through(ref(n), graph, numbers)
        assert would_close_cycle(left, (ref(n), ref(0))) == would_close_cycle(
            graph, (ref(n), ref(0)), numbers
        )


@given(larger, st.integers(0, 14))
def test_all_that_stand_in_a_cycle_with_it_are_named_with_its_length(pairs, start) -> None:
    def through(other: int) -> int:
        there = steps(pairs, start, other)
        again = steps(pairs, other, start)
        return there and again and (there if other == start else there + again)

    expected = {ref(n): length for n in range(15) if (length := through(n))}
    assert expected == cycles_with(ref(start), Graph(edges(*pairs)))


@pytest.mark.parametrize(
    ("pairs", "path"),
    [
        pytest.param([(n, (n + 1) % 900) for n in range(900)], [*range(900), 0], id="a long ring"),
        pytest.param(
            [(a, b % 600) for n in range(0, 600, 2) for a in (n, n + 1) for b in (n + 2, n + 3)],
            [*range(0, 600, 2), 0],
            id="many ways equally long",
        ),
        pytest.param(
            [(0, 5), (5, 6), (0, 4), (4, 7), (7, 8), (6, 9), (9, 0)],
            [0, 5, 6, 9, 0],
            id="a dead end that stands first in order",
        ),
    ],
)
def test_the_first_of_the_shortest_is_taken(pairs, path) -> None:
    assert refs(*path) == cycle_through(ref(0), edges(*pairs))
