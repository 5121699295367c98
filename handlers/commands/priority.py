"""/priority: say how soon an issue should be taken."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated, one_of
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.sayings import NO_PRIORITY, Field

PRIORITIES = ("p0", "p1", "p2", "p3")


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "priority p0|p1|p2|p3|none",
    does="Set the place in the queue, p0 first; `none` takes it away.",
    who=Right.WRITE,
    examples=["/priority p1", "/priority none"],
)
async def priority(call: Call, desk: Desk) -> Outcome:
    word = one_of(call, [*PRIORITIES, NO_PRIORITY])
    await coordinated(call, desk)
    if word != NO_PRIORITY or (await desk.overrides(call.issue)).get(Field.PRIORITY):
        # Also "none" is kept: that a priority was set tells that its label is the bot's to remove.
        await desk.override(call.issue, Field.PRIORITY, word, by=call.sender)
    return Outcome.reconsider(call.issue)
