"""What waits for what: cycles, everything that waits, and the part of the graph worth drawing.

An edge is `(waits, for)`: the first issue waits for the second one, over repositories. The answers
depend on which edges there are, not on their order, so that no report changes by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from bot.models import IssueRef, RefState
from bot.shortest import circles, shortest

Edge: TypeAlias = tuple[IssueRef, IssueRef]
Neighbours: TypeAlias = list[dict[int, None]]  # per issue, in the order they were met


class Graph:
    """Edges made ready for questions: issues are numbered, and their neighbours known both ways.

    Building it costs more than asking (bench/cycles.py), so one who asks often keeps it, and
    changes it in place. An issue that is over (closed, merged, deleted: `states`) is drawn, but
    holds nothing back: no path leads over it. One of unknown state counts. An issue waiting for
    itself is no edge.
    """

    def __init__(
        self, edges: Iterable[Edge] = (), states: Mapping[IssueRef, RefState] | None = None
    ) -> None:
        self.refs: list[IssueRef] = []
        self.waits_for: Neighbours = []
        self.waited_by: Neighbours = []
        self._ids: dict[tuple[str, int], int] = {}
        self._free: list[int] = []  # numbers of issues that no edge touches any longer
        numbers: dict[tuple[str, str, int], int] = {}  # by spelling: cheaper than by reference
        for edge in edges:
            first, second = edge
            spelt = first.owner, first.repo, first.number
            if (waits := numbers.get(spelt)) is None:
                waits = numbers[spelt] = self._enter(first)
            spelt = second.owner, second.repo, second.number
            if (target := numbers.get(spelt)) is None:
                target = numbers[spelt] = self._enter(second)
            self._join(waits, target)
        over = (ref for ref, state in (states or {}).items() if not state.blocks)
        self._over = frozenset(map(self._enter, over))

    # -- changing it ------------------------------------------------------------------------

    def add(self, edges: Iterable[Edge]) -> None:
        """Add edges; those that are there already change nothing."""
        for waits, on in edges:
            if waits.key != on.key:
                self._join(self._enter(waits), self._enter(on))

    def replace(self, issue: IssueRef, edges: Iterable[Edge]) -> None:
        """Let an issue have just these edges, which all lead from it or to it.

        O(its edges, before and after).
        """
        node = self._enter(issue)
        wanted = {(self._enter(waits), self._enter(on)) for waits, on in edges}
        there = {(node, on) for on in self.waits_for[node]}
        there |= {(waits, node) for waits in self.waited_by[node]}
        for waits, on in there - wanted:
            self._part(waits, on)
        for waits, on in wanted - there:
            self._join(waits, on)
        self._forget({node, *(end for edge in there | wanted for end in edge)})

    @contextmanager
    def supposing(
        self, *, added: Iterable[Edge] = (), removed: Iterable[Edge] = ()
    ) -> Iterator[None]:
        """Let some edges be there, or not, for the time of a question."""
        gone = [self._numbers(edge) for edge in dict.fromkeys(removed) if self.holds(*edge)]
        new = [e for e in dict.fromkeys(added) if e[0] != e[1] and not self.holds(*e)]
        self.add(new)
        fresh = [self._numbers(edge) for edge in new]
        for edge in gone:
            self._part(*edge)
        try:
            yield
        finally:
            for edge in gone:
                self._join(*edge)
            for edge in fresh:
                self._part(*edge)
            self._forget({end for edge in fresh for end in edge})

    def _numbers(self, edge: Edge) -> tuple[int, int]:
        return self._ids[edge[0].key], self._ids[edge[1].key]

    def _enter(self, ref: IssueRef) -> int:
        number = self._ids.get(ref.key)
        if number is not None:
            return number
        if self._free:
            number = self._free.pop()
            self.refs[number] = ref
        else:
            number = len(self.refs)
            self.refs.append(ref)
            self.waits_for.append({})
            self.waited_by.append({})
        self._ids[ref.key] = number
        return number

    def _join(self, waits: int, on: int) -> None:
        if waits != on:
            self.waits_for[waits][on] = None
            self.waited_by[on][waits] = None

    def _part(self, waits: int, on: int) -> None:
        self.waits_for[waits].pop(on, None)
        self.waited_by[on].pop(waits, None)

    def _forget(self, nodes: Iterable[int]) -> None:
        for node in nodes:
            if not (self.waits_for[node] or self.waited_by[node] or node in self._over):
                del self._ids[self.refs[node].key]
                self._free.append(node)

    # -- asking it --------------------------------------------------------------------------

    def find(self, issue: IssueRef) -> int | None:
        """The number of an issue; None when no edge touches it."""
        return self._ids.get(issue.key)

    def holds(self, waits: IssueRef, on: IssueRef) -> bool:
        """Whether there is such an edge."""
        node = self.find(waits)
        return node is not None and self.find(on) in self.waits_for[node]

    def among(self, repositories: Collection[str]) -> set[int]:
        """The numbers of all issues of some repositories (`owner/repo` in lower case)."""
        if not repositories:
            return set()
        return {n for (repository, _), n in self._ids.items() if repository in repositories}

    def besides(self, repositories: Collection[str]) -> set[int]:
        """The numbers of all issues of other repositories."""
        return {n for (repository, _), n in self._ids.items() if repository not in repositories}

    def path(self, start: int, end: int, shut: Collection[int] = ()) -> list[int]:
        """The shortest way along the edges, both ends included; empty when there is none.

        With `start` = `end` that is the shortest cycle. Of several, the one whose issues stand
        first in order. It leads over nothing that is `shut`. O(issues + edges).
        """
        return shortest(
            self.waits_for,
            self.waited_by,
            (start, end),
            shut=self._over.union(shut),
            rank=lambda node: self.refs[node].key,
        )

    def circles(self, node: int) -> dict[int, int]:
        """How long the shortest cycle is that leads through a node and through another one.

        For each one that stands in a cycle with it, itself among them. O(issues + edges).
        """
        return circles(self.waits_for, self.waited_by, node, shut=self._over)

    def waiting_on(self, node: int) -> set[int]:
        """Every issue that waits for one, directly or through others that are not over."""
        found, level = set(self._over), [node]
        while level and node not in self._over:
            level = list({n for at in level for n in self.waited_by[at]} - found)
            found.update(level)
        return found - self._over - {node}


def cycle_through(
    issue: IssueRef, edges: Graph | Iterable[Edge], shut: Collection[int] = ()
) -> tuple[IssueRef, ...]:
    """The shortest cycle an issue stands in, as (#3, #7, #3); empty when there is none.

    `shut` are numbers of a graph's issues over which it must not lead.
    """
    graph = _graph(edges)
    node = graph.find(issue)
    return () if node is None else tuple(graph.refs[n] for n in graph.path(node, node, shut))


def would_close_cycle(
    edges: Graph | Iterable[Edge], new_edge: Edge, shut: Collection[int] = ()
) -> tuple[IssueRef, ...]:
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
    way = graph.path(start, end, shut)
    return (waits, *(graph.refs[n] for n in way)) if way else ()


def cycles_with(issue: IssueRef, graph: Graph) -> dict[IssueRef, int]:
    """Every issue that stands in a cycle together with this one, and how long the shortest is."""
    node = graph.find(issue)
    if node is None or not graph.path(node, node):
        return {}
    return {graph.refs[n]: length for n, length in graph.circles(node).items()}


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
