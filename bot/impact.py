"""What closing an issue would do for those that wait for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.dependencies import Edge, Graph
from bot.models import IssueRef, RefState


@dataclass(frozen=True, slots=True)
class Impact:
    """What closing one issue would make ready.

    `directly` at once; `later` as those made ready are closed in their turn, the nearest first.
    `held` would wait for nothing more, but are on hold, so that nothing comes of them. `still`
    are those waiting for the issue itself that would go on waiting, with what for: nothing where
    that may not be shown.
    """

    directly: tuple[IssueRef, ...] = ()
    later: tuple[IssueRef, ...] = ()
    held: tuple[IssueRef, ...] = ()
    still: tuple[tuple[IssueRef, tuple[IssueRef, ...]], ...] = ()


def impact(
    issue: IssueRef,
    edges: Iterable[Edge],
    states: Mapping[IssueRef, RefState],
    held: Collection[IssueRef] = (),
    unshown: Collection[IssueRef] = (),
) -> Impact:
    """What closing an issue would make ready; nothing when it is over already.

    An edge is `(waits, for)`; `unshown` are held back by something else, too. Only issues known to
    be open can be made ready; one whose state is not known holds others back. Each edge is looked
    at once or twice: O(issues + edges).
    """
    if not _blocks(issue, states):
        return Impact()
    graph = Graph(edge for edge in edges if _blocks(edge[1], states))
    left = {ref: len(graph.waits_for[n]) + (ref in unshown) for n, ref in enumerate(graph.refs)}
    rounds: list[list[IssueRef]] = []
    stuck: list[IssueRef] = []
    closed = [issue]
    while closed:
        freed = _freed(closed, graph, left, states, besides=issue)
        stuck += [ref for ref in freed if ref in held]
        closed = [ref for ref in freed if ref not in held]
        rounds.append(closed)
    directly, *later = rounds
    done = {issue, *(ref for some in rounds for ref in some)}
    waiting = (ref for ref in _waiting_for(issue, graph) if states.get(ref) is RefState.OPEN)
    return Impact(
        directly=tuple(directly),
        later=tuple(ref for some in later for ref in some),
        held=tuple(sorted(stuck)),
        still=tuple(
            (ref, tuple(on for on in _waits_for(ref, graph) if on not in done))
            for ref in waiting
            if ref not in done and left[ref]
        ),
    )


def _blocks(ref: IssueRef, states: Mapping[IssueRef, RefState]) -> bool:
    return states.get(ref, RefState.UNCHECKED).blocks


def _freed(
    closed: Iterable[IssueRef],
    graph: Graph,
    left: dict[IssueRef, int],
    states: Mapping[IssueRef, RefState],
    *,
    besides: IssueRef,
) -> list[IssueRef]:
    """The open issues of which the last blockers are closed now, in order; counts down `left`."""
    gone = Counter(waits for ref in closed for waits in _waiting_for(ref, graph))
    for ref, number in gone.items():
        left[ref] -= number
    return sorted(
        ref for ref in gone if not left[ref] and ref != besides and states.get(ref) is RefState.OPEN
    )


def _waiting_for(ref: IssueRef, graph: Graph) -> list[IssueRef]:
    node = graph.find(ref)
    return [] if node is None else sorted(graph.refs[n] for n in graph.waited_by[node])


def _waits_for(ref: IssueRef, graph: Graph) -> list[IssueRef]:
    node = graph.find(ref)
    return [] if node is None else sorted(graph.refs[n] for n in graph.waits_for[node])
