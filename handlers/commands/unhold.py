"""/unhold: put an issue back into the queue."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated, no_words
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.sayings import Field


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "unhold",
    does="Put this issue back into the queue.",
    who=Right.WRITE,
    examples=["/unhold"],
)
async def unhold(call: Call, desk: Desk) -> Outcome:
    no_words(call)
    await coordinated(call, desk)
    if await desk.give_back(call.issue, Field.HOLD):
        return Outcome.reconsider(call.issue)
    return Outcome(template="replies/not_held", look=(call.issue,))
