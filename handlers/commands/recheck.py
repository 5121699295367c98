"""/recheck: look at an issue's dependencies again, now."""

from __future__ import annotations

from bot.checks import Office, coordinated, no_words
from bot.commands import Call, Outcome, Right, command


@command(
    "recheck",
    does="Look at what this issue waits for again, now.",
    who=Right.CONCERNED,
    examples=["/recheck"],
)
async def recheck(call: Call, desk: Office) -> Outcome:
    no_words(call)
    await coordinated(call, desk)
    return Outcome.reconsider(call.issue)
