"""The part of the graph on one side of an issue."""

from __future__ import annotations

import pytest

from bot.dependencies import one_way
from bot.models import IssueRef


def edges(*pairs: tuple[int, int]) -> tuple[tuple[IssueRef, IssueRef], ...]:
    return tuple((IssueRef("a", "b", first), IssueRef("a", "b", then)) for first, then in pairs)


KNOWN = edges((5, 4), (4, 3), (3, 2), (3, 1), (6, 2), (8, 9), (8, 8))


@pytest.mark.parametrize(
    ("issue", "up", "expected"),
    [
        pytest.param(4, True, edges((3, 1), (3, 2), (4, 3)), id="all it waits for"),
        pytest.param(4, False, edges((5, 4)), id="all that wait for it"),
        pytest.param(2, False, edges((3, 2), (4, 3), (5, 4), (6, 2)), id="in the order of ends"),
        pytest.param(1, True, (), id="waits for nothing"),
        pytest.param(77, True, (), id="nobody knows it"),
    ],
)
def test_one_side_of_an_issue(issue, up, expected) -> None:
    assert expected == one_way(IssueRef("a", "b", issue), KNOWN, up=up)


@pytest.mark.parametrize("up", [True, False])
def test_a_circle_is_followed_once(up) -> None:
    ring = edges((1, 2), (2, 3), (3, 1))
    assert ring == one_way(IssueRef("a", "b", 1), ring, up=up)
