"""/pause: write nothing in a repository for now."""

from __future__ import annotations

from bot.checks import reason
from bot.commands import Call, Outcome, Right, command
from bot.desk import Pauses


@command(
    "pause [REASON]",
    does="Go on reading this repository, but write nothing in it.",
    who=Right.ADMIN,
    examples=["/pause", "/pause we are moving the labels"],
)
async def pause(call: Call, desk: Pauses) -> Outcome:
    repository, why = call.issue.repository, reason(call)
    await desk.pause(repository, by=call.sender, reason=why)
    return Outcome(template="replies/pause", values={"repository": repository}, look=(call.issue,))
