"""/priority: the place in the queue."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.sayings import Field
from tests.handlers.changes import Desk, do, looks, note, refused


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ("priority p0 by alice", "p0"),
        ("priority p3 by alice", "P3"),
        ("priority none by alice", "none"),
    ],
)
async def test_it_is_set_or_taken_away(expected: str, word: str) -> None:
    desk = Desk(set={Field.PRIORITY: "p2"})
    outcome = await do(f"/priority {word}", desk)
    assert ([expected], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


async def test_none_says_nothing_where_no_command_had_set_one() -> None:
    """A label set by hand is not the bot's."""
    desk = Desk()
    outcome = await do("/priority none", desk)
    assert ([], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("say `p0`, `p1`, `p2`, `p3` or `none`") == await refused("/priority", Desk())
    assert snapshot("say `p0`, `p1`, `p2`, `p3` or `none`") == await refused(
        "/priority p1 p2", Desk()
    )
    assert snapshot(
        "`high` is none of them; say `p0`, `p1`, `p2`, `p3` or `none`"
    ) == await refused("/priority high", Desk())
