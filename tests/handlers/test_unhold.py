"""/unhold: put an issue back into the queue."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot.sayings import Field
from tests.handlers.changes import Desk, do, looks, note, refused


async def test_a_held_issue_is_let_go() -> None:
    desk = Desk(set={Field.HOLD: "yes"})
    outcome = await do("/unhold", desk)
    assert ({}, ["#3"], "") == (desk.set, looks(outcome), note(outcome))


async def test_one_that_was_not_held_is_said_so() -> None:
    outcome = await do("/unhold", Desk())
    assert snapshot("it was not on hold") == note(outcome)


async def test_words_are_too_many() -> None:
    assert snapshot("nothing may follow on that line") == await refused("/unhold it", Desk())
