"""The shortest way from one node of a directed graph to another, looked for from both ends.

Nodes are numbers; `onward` and `back` hold the neighbours of each, along the edges and against
them. Both searches go on by whole steps, the one with less before it first: a node that lies on no
cycle is done as soon as nothing more is met on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

Neighbours: TypeAlias = Sequence[Collection[int]]
Levels: TypeAlias = list[set[int]]  # the nodes that are met after so many steps
Rank: TypeAlias = Callable[[int], tuple[str, int]]


def shortest(
    onward: Neighbours,
    back: Neighbours,
    ends: tuple[int, int],
    *,
    shut: Collection[int],
    rank: Rank,
) -> list[int]:
    """The shortest way from the first end to the second, both included; empty when there is none.

    It has one edge at least: with twice the same end it is the shortest cycle. Of several, the one
    whose nodes have the lowest rank, the first step counting most. None leads over what is `shut`.
    Each edge is looked at a few times at most: O(nodes + edges).
    """
    if not set(ends).isdisjoint(shut):
        return []
    ahead, behind = _meet(onward, back, ends, shut)
    if not behind:
        return []
    for at in range(len(ahead) - 2, 0, -1):  # leave only what leads on to the end
        if len(ahead[at]) > 1:
            ahead[at] &= _next(back, ahead[at + 1])
    way = [ends[0]]
    for level in (*ahead[1:], *reversed(behind)):
        way.append(_first(level, onward[way[-1]], rank))
    return way


def circles(
    onward: Neighbours, back: Neighbours, node: int, *, shut: Collection[int]
) -> dict[int, int]:
    """How many edges the shortest cycle has that leads through `node` and through another node.

    For each node that lies on one with it, itself among them; it is not `shut`. O(nodes + edges).
    """
    there, again = _steps(onward, node, shut), _steps(back, node, shut)
    found = {n: steps + again[n] for n, steps in there.items() if n in again}
    return found | {node: there[node]} if found else {}


def _meet(
    onward: Neighbours, back: Neighbours, ends: tuple[int, int], shut: Collection[int]
) -> tuple[Levels, Levels]:
    """What is met from either end, until one edge is missing between them; empty when none leads.

    Of the last nodes from the start only those are left that have such an edge.
    """
    start, end = ends
    ahead, behind = [{start}], [{end}]
    passed, passed_back = {start, *shut}, {end, *shut}
    while ahead[-1] and behind[-1]:
        if len(ahead[-1]) <= len(behind[-1]):
            found = _next(onward, ahead[-1])
            if not found.isdisjoint(behind[-1]):
                ahead[-1] &= _next(back, found & behind[-1])
                return ahead, behind
            ahead.append(found - passed)
            passed |= found
        else:
            found = _next(back, behind[-1])
            if not found.isdisjoint(ahead[-1]):
                ahead[-1] &= found
                return ahead, behind
            behind.append(found - passed_back)
            passed_back |= found
    return [], []


def _steps(neighbours: Neighbours, start: int, shut: Collection[int]) -> dict[int, int]:
    """How many steps it is from `start` to each node that can be reached; to itself, at least 1."""
    steps: dict[int, int] = {}
    level, length = {start}, 0
    while level:
        length += 1
        level = _next(neighbours, level).difference(steps, shut)
        steps |= dict.fromkeys(level, length)
    return steps


def _next(neighbours: Neighbours, level: set[int]) -> set[int]:
    if len(level) == 1:  # the usual case in a long chain, which has many levels
        return set(neighbours[next(iter(level))])
    none: set[int] = set()
    return none.union(*map(neighbours.__getitem__, level))


def _first(level: set[int], neighbours: Collection[int], rank: Rank) -> int:
    if len(level) > 1:
        level = level.intersection(neighbours)
    return min(level, key=rank) if len(level) > 1 else next(iter(level))
