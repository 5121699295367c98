"""/resume: write again, and catch up."""

from __future__ import annotations

from inline_snapshot import snapshot

from tests.handlers.changes import Desk, do, looks, note, refused


async def test_all_issues_that_wait_are_looked_at() -> None:
    desk = Desk(is_paused=True, waiting=["#7", "#3", "#9"])
    outcome = await do("/resume", desk)
    assert (["acme/rocket resumed"], ["#3", "#7", "#9"]) == (desk.told, looks(outcome))
    assert snapshot("I write in `acme/rocket` again, and catch up with what changed") == note(
        outcome
    )


async def test_a_repository_that_was_not_paused_is_said_so_and_looked_at_too() -> None:
    """A crash may have come between the end of the pause and catching up."""
    outcome = await do("/resume", Desk(waiting=["#7"]))
    assert ["#3", "#7"] == looks(outcome)
    assert snapshot("`acme/rocket` was not paused") == note(outcome)


async def test_words_are_too_many() -> None:
    assert snapshot("nothing may follow on that line") == await refused("/resume now", Desk())
