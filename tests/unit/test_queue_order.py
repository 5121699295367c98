"""In which order issues should be taken."""

from __future__ import annotations

from itertools import permutations

import pytest

from bot.desk import Standing
from bot.models import IssueRef, RefState
from bot.queue_order import Queue, arrange


def ref(number: int, repo: str = "rocket") -> IssueRef:
    return IssueRef("acme", repo, number)


def issue(
    number: int,
    status: str = "ready",
    priority: str | None = None,
    *,
    held: bool = False,
    state: RefState = RefState.OPEN,
) -> Standing:
    return Standing(ref(number), f"Issue {number}", state, status, "", priority, held)


def waits(**on: tuple[int, ...]) -> dict[IssueRef, list[IssueRef]]:
    return {ref(int(name[1:])): [ref(n) for n in numbers] for name, numbers in on.items()}


@pytest.mark.parametrize(
    ("issues", "blockers", "order"),
    [
        pytest.param([], {}, [], id="nothing"),
        pytest.param([issue(3), issue(1), issue(2)], {}, [1, 2, 3], id="the smaller number"),
        pytest.param(
            [issue(1), issue(2, priority="p3"), issue(3, priority="p0"), issue(4, priority="p1")],
            {},
            [3, 4, 2, 1],
            id="priority, unset last",
        ),
        pytest.param(
            [issue(1), issue(2), issue(8, "blocked")],
            waits(n8=(2,)),
            [2, 1],
            id="what another waits for",
        ),
        pytest.param(
            [issue(1), issue(2), issue(7, "blocked"), issue(8, "blocked"), issue(9, "blocked")],
            waits(n7=(2,), n8=(7,), n9=(1,)),
            [2, 1],
            id="what others wait for through others counts",
        ),
        pytest.param(
            [issue(1, priority="p1"), issue(2), issue(8, "blocked")],
            waits(n8=(2,)),
            [1, 2],
            id="priority beats what waits",
        ),
        pytest.param([issue(1, priority="high"), issue(2, priority="p3")], {}, [2, 1], id="odd"),
        pytest.param(
            [issue(1), issue(2), issue(8, "blocked", state=RefState.CLOSED)],
            waits(n8=(2,)),
            [1, 2],
            id="a closed one waits for nothing",
        ),
    ],
)
def test_the_ready_ones_stand_in_order(issues, blockers, order) -> None:
    for shuffled in permutations(issues):
        assert order == [p.standing.issue.number for p in arrange(shuffled, blockers).ready]


def test_the_blocked_stand_in_the_same_order_with_what_they_wait_for() -> None:
    found = arrange(
        [issue(1), issue(5, "blocked"), issue(6, "blocked", "p2"), issue(7, "blocked")],
        {**waits(n5=(1,), n6=(9, 1, 1), n7=(5,))},
    )
    assert [(6, (ref(1), ref(9)), 0), (5, (ref(1),), 1), (7, (ref(5),), 0)] == [
        (p.standing.issue.number, p.waits_for, p.unblocks) for p in found.blocked
    ]


def test_what_is_set_aside_is_counted_only() -> None:
    found = arrange(
        [
            issue(1, held=True),
            issue(2, "hold"),
            issue(3, "in-progress"),
            issue(4, "too-big"),
            issue(5, ""),
            issue(6, "closed"),
            issue(7, state=RefState.CLOSED),
        ],
        {},
    )
    assert Queue(held=2, begun=1, too_big=1) == found
