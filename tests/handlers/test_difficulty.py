"""/difficulty: how hard the work is."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from tests.handlers.changes import Desk, do, looks, note, refused


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ("difficulty easy by alice", "easy"),
        ("difficulty medium by alice", "Medium"),
        ("difficulty hard by alice", "HARD"),
        ("difficulty given back", "auto"),
    ],
)
async def test_it_is_set_or_given_back(expected: str, word: str) -> None:
    desk = Desk()
    outcome = await do(f"/difficulty {word}", desk)
    assert ([expected], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("say `easy`, `medium`, `hard` or `auto`") == await refused(
        "/difficulty", Desk()
    )
    assert snapshot("say `easy`, `medium`, `hard` or `auto`") == await refused(
        "/difficulty very hard", Desk()
    )
    assert snapshot("`mediun` is none of them; did you mean `medium`?") == await refused(
        "/difficulty mediun", Desk()
    )
    assert snapshot(
        "\\`x\\` is none of them; say `easy`, `medium`, `hard` or `auto`"
    ) == await refused("/difficulty `x`", Desk())
