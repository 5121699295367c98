"""What waits for what: cycles, everything that waits, and the part of the graph worth drawing.

An edge is `(waits, for)`: the first issue waits for the second one, over repositories. The answers
depend on which edges there are, not on their order, so that no report changes by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from bot.models import IssueRef, RefState

Edge: TypeAlias = tuple[IssueRef, IssueRef]
Neighbours: TypeAlias = list[dict[int, None]]  # per issue, in the order they were met


class Graph:
    """Edges made ready for questions: issues are numbered, and their neighbours known both ways.

    Building it costs more than asking (bench/cycles.py), so one who asks often builds it once.
    An issue that is over (closed, merged, deleted: `states`) is drawn, but holds nothing back: no
    path leads over it. One of unknown state counts. An issue waiting for itself is no edge.
    """

    def __init__(
        self, edges: Iterable[Edge], states: Mapping[IssueRef, RefState] | None = None
    ) -> None:
        self.refs: list[IssueRef] = []
        self.waits_for: Neighbours = []
        self.waited_by: Neighbours = []
        self._ids: dict[tuple[str, int], int] = {}
        numbers: dict[tuple[str, str, int], int] = {}  # by spelling: cheaper than by reference
        for edge in edges:
            first, second = edge
            spelt = first.owner, first.repo, first.number
            if (waits := numbers.get(spelt)) is None:
                waits = numbers[spelt] = self._enter(first)
            spelt = second.owner, second.repo, second.number
            if (target := numbers.get(spelt)) is None:
                target = numbers[spelt] = self._enter(second)
            if waits != target:
                self.waits_for[waits][target] = None
                self.waited_by[target][waits] = None
        self._over = self._numbers(ref for ref, s in (states or {}).items() if not s.blocks)

    def _enter(self, ref: IssueRef) -> int:
        number = self._ids.setdefault(ref.key, len(self.refs))
        if number == len(self.refs):
            self.refs.append(ref)
            self.waits_for.append({})
            self.waited_by.append({})
        return number

    def _numbers(self, refs: Iterable[IssueRef]) -> frozenset[int]:
        return frozenset(n for ref in refs if (n := self.find(ref)) is not None)

    def find(self, issue: IssueRef) -> int | None:
        """The number of an issue; None when no edge touches it."""
        return self._ids.get(issue.key)

    def path(self, start: int, end: int) -> list[int]:
        """The shortest way along the edges, both ends included; empty when there is none.

        With `start` = `end` that is the shortest cycle. Of several, the one whose issues stand
        first in order. Each edge is looked at once or twice: O(issues + edges).
        """
        steps, length = self._steps_to(start, end)
        way = [start]
        for left in reversed(range(length)):
            on_the_way = (n for n in self.waits_for[way[-1]] if steps.get(n) == left)
            way.append(min(on_the_way, key=lambda n: self.refs[n].key))
        return way if length else []

    def waiting_on(self, node: int) -> set[int]:
        """Every issue that waits for one, directly or through others that are not over."""
        found, level = set(self._over), [node]
        while level and node not in self._over:
            level = list({n for at in level for n in self.waited_by[at]} - found)
            found.update(level)
        return found - self._over - {node}

    def _steps_to(self, start: int, end: int) -> tuple[dict[int, int], int]:
        """How far from `end` each issue is that is no farther than `start`; how far that is.

        The distance of `start` is at least 1; 0 when there is no way.
        """
        steps, level, length = dict.fromkeys(self._over, -1), [end], 0
        if start in steps or end in steps:
            return {}, 0
        steps[end] = 0
        while level:
            length += 1
            before = [n for node in level for n in self.waited_by[node]]
            if start in before:
                return steps, length
            level = [n for n in dict.fromkeys(before) if n not in steps]
            steps |= dict.fromkeys(level, length)
        return steps, 0


def cycle_through(issue: IssueRef, edges: Graph | Iterable[Edge]) -> tuple[IssueRef, ...]:
    """The shortest cycle an issue stands in, as (#3, #7, #3); empty when there is none."""
    graph = _graph(edges)
    node = graph.find(issue)
    return () if node is None else tuple(graph.refs[n] for n in graph.path(node, node))


def would_close_cycle(edges: Graph | Iterable[Edge], new_edge: Edge) -> tuple[IssueRef, ...]:
    """The shortest cycle that a new edge would close, from its first end on; empty when none.

    For an issue that would wait for itself that is (#3, #3).
    """
    waits, target = new_edge
    if waits == target:
        return (waits, target)
    graph = _graph(edges)
    start, end = graph.find(target), graph.find(waits)
    if start is None or end is None:
        return ()
    way = graph.path(start, end)
    return (waits, *(graph.refs[n] for n in way)) if way else ()


def all_waiting_on(issue: IssueRef, edges: Graph | Iterable[Edge]) -> tuple[IssueRef, ...]:
    """Every issue that waits for this one, directly or through others, in order, without itself."""
    graph = _graph(edges)
    node = graph.find(issue)
    return () if node is None else tuple(sorted(graph.refs[n] for n in graph.waiting_on(node)))


def neighbourhood(issue: IssueRef, edges: Graph | Iterable[Edge], most: int) -> tuple[Edge, ...]:
    """At most `most` edges around an issue, nearest first, followed in both directions.

    They are connected with the issue. Edges equally near stand in the order of their ends.
    """
    graph = _graph(edges)
    start = graph.find(issue)
    if start is None:
        return ()
    drawn: list[tuple[int, int]] = []
    seen, level = {start}, [start]
    while level and len(drawn) < most:
        # An edge is met from the nearer end; one between two of this level, from both.
        around = {edge for node in level for edge in _touching(graph, node)}
        fresh = around.difference(drawn)
        drawn += heapq.nsmallest(most - len(drawn), fresh, key=lambda e: _keys(graph, e))
        level = list({node for edge in fresh for node in edge} - seen)
        seen.update(level)
    return tuple((graph.refs[a], graph.refs[b]) for a, b in drawn)


def one_way(issue: IssueRef, edges: Graph | Iterable[Edge], *, up: bool) -> tuple[Edge, ...]:
    """The edges from an issue up to all it waits for, or down to all that wait for it.

    Through others too, also those that are over; in the order of their ends.
    """
    graph = _graph(edges)
    start = graph.find(issue)
    if start is None:
        return ()
    neighbours = graph.waits_for if up else graph.waited_by
    found, level = {start}, [start]
    while level:
        level = list({n for at in level for n in neighbours[at]} - found)
        found.update(level)
    pairs = ((at, n) for at in found for n in neighbours[at])
    ordered = sorted((pair if up else pair[::-1] for pair in pairs), key=lambda e: _keys(graph, e))
    return tuple((graph.refs[a], graph.refs[b]) for a, b in ordered)


def _graph(edges: Graph | Iterable[Edge]) -> Graph:
    return edges if isinstance(edges, Graph) else Graph(edges)


def _touching(graph: Graph, node: int) -> Iterator[tuple[int, int]]:
    yield from ((node, other) for other in graph.waits_for[node])
    yield from ((other, node) for other in graph.waited_by[node])


def _keys(graph: Graph, edge: tuple[int, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    first, second = edge
    return graph.refs[first].key, graph.refs[second].key
