"""/recheck: look again."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot.commands import Right
from tests.handlers.changes import COMMANDS, Desk, do, looks, note, refused


async def test_the_issue_is_looked_at_again_without_asking_claude_afresh() -> None:
    desk = Desk()
    outcome = await do("/recheck", desk)
    assert (["#3"], False, "", []) == (looks(outcome), outcome.afresh, note(outcome), desk.told)


def test_the_author_and_assignees_may_say_it_too() -> None:
    command = COMMANDS.get("recheck")
    assert command is not None
    assert Right.CONCERNED == command.who


async def test_words_are_too_many() -> None:
    assert snapshot("nothing may follow on that line") == await refused("/recheck now", Desk())
