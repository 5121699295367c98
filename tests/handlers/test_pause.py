"""/pause: read, and write nothing."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.checks import MAX_REASON
from bot.commands import Right
from tests.handlers.changes import COMMANDS, Desk, do, looks, note, refused


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("acme/rocket paused by alice", "/pause"),
        ("acme/rocket paused by alice: moving the labels", "/pause moving the labels"),
    ],
)
async def test_the_repository_is_paused(expected: str, line: str) -> None:
    desk = Desk()
    outcome = await do(line, desk)
    assert ([expected], ["#3"]) == (desk.told, looks(outcome))
    assert snapshot(
        "from now on I only read `acme/rocket`, and write nothing there until an administrator says `/resume`"
    ) == note(outcome)


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_only_an_administrator_may(verb: str) -> None:
    command = COMMANDS.get(verb)
    assert command is not None
    assert Right.ADMIN == command.who


async def test_a_reason_without_end_is_refused() -> None:
    assert snapshot("the reason is too long; say it in at most 200 characters") == await refused(
        "/pause " + "x" * (MAX_REASON + 1), Desk()
    )
