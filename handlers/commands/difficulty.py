"""/difficulty: say how hard the work is."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated, one_of
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.models import Difficulty
from bot.sayings import Field


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "difficulty easy|medium|hard|auto",
    does="Set how hard the work is; `auto` works it out again.",
    who=Right.WRITE,
    examples=["/difficulty hard", "/difficulty auto"],
)
async def difficulty(call: Call, desk: Desk) -> Outcome:
    word = one_of(call, [*(level.value for level in Difficulty), "auto"])
    await coordinated(call, desk)
    if word == "auto":
        await desk.give_back(call.issue, Field.DIFFICULTY)
    else:
        await desk.override(call.issue, Field.DIFFICULTY, word, by=call.sender)
    return Outcome.reconsider(call.issue)
