"""/hold: keep an issue out of the queue."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.checks import MAX_REASON
from tests.handlers.changes import Desk, do, looks, note, refused

LONGEST = "x" * MAX_REASON


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("hold yes by alice", "/hold"),
        ("hold yes by alice: the design review", "/hold the design review"),
        (f"hold yes by alice: {LONGEST}", f"/hold {LONGEST}"),
    ],
    ids=["no reason", "reason", "long"],
)
async def test_it_is_held_with_the_reason(expected: str, line: str) -> None:
    desk = Desk()
    outcome = await do(line, desk)
    assert ([expected], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


async def test_a_reason_without_end_is_refused() -> None:
    assert snapshot("the reason is too long; say it in at most 200 characters") == await refused(
        f"/hold {LONGEST}x", Desk()
    )
