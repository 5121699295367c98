"""In which order the issues of a repository should be taken.

By priority, p0 first and unset last; then what the most others wait for; then the older number.
Pure, and the same whatever order the issues come in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.dependencies import Graph, all_waiting_on
from bot.desk import Standing
from bot.models import IssueRef, RefState, Status

PRIORITIES = ("p0", "p1", "p2", "p3")


@dataclass(frozen=True, slots=True)
class Place:
    """An issue in the queue: how many others wait for it, and what it waits for itself.

    `unblocks` counts issues of the repository, those that wait through others too.
    """

    standing: Standing
    unblocks: int = 0
    waits_for: tuple[IssueRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """A repository's issues: those to be taken, those that wait, and how many are set aside."""

    ready: tuple[Place, ...] = ()
    blocked: tuple[Place, ...] = ()
    held: int = 0
    begun: int = 0
    too_big: int = 0


def arrange(
    standings: Iterable[Standing], blockers: Mapping[IssueRef, Sequence[IssueRef]]
) -> Queue:
    """Put issues in order. `blockers` are the open ones that each waits for, as far as known.

    An issue that is closed, or not coordinated, has no place. One on hold is counted as such
    whatever else it is.
    """
    there = {one.issue: one for one in standings if one.state is RefState.OPEN}
    waiting = ((waits, on) for waits, found in blockers.items() if waits in there for on in found)
    graph = Graph(waiting)
    groups: dict[str, list[Place]] = {status.value: [] for status in Status}
    for one in there.values():
        status = Status.HOLD.value if one.held else one.status
        groups.get(status, []).append(_place(one, graph, blockers.get(one.issue, ())))
    return Queue(
        ready=tuple(sorted(groups[Status.READY], key=_order)),
        blocked=tuple(sorted(groups[Status.BLOCKED], key=_order)),
        held=len(groups[Status.HOLD]),
        begun=len(groups[Status.IN_PROGRESS]),
        too_big=len(groups[Status.TOO_BIG]),
    )


def _place(one: Standing, graph: Graph, waits_for: Collection[IssueRef]) -> Place:
    return Place(one, len(all_waiting_on(one.issue, graph)), tuple(sorted(set(waits_for))))


def _order(place: Place) -> tuple[int, int, int]:
    priority = place.standing.priority
    urgency = PRIORITIES.index(priority) if priority in PRIORITIES else len(PRIORITIES)
    return urgency, -place.unblocks, place.standing.issue.number
