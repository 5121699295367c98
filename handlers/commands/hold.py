"""/hold: keep an issue out of the queue until somebody says otherwise."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated, reason
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.sayings import Field


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "hold [REASON]",
    does="Keep this issue out of the queue until further notice.",
    who=Right.WRITE,
    examples=["/hold", "/hold waiting for the design review"],
)
async def hold(call: Call, desk: Desk) -> Outcome:
    why = reason(call)
    await coordinated(call, desk)
    await desk.override(call.issue, Field.HOLD, "yes", by=call.sender, reason=why)
    return Outcome.reconsider(call.issue)
