"""/status: where this issue stands, why, and what would change it."""

from __future__ import annotations

from typing import Protocol

from bot.commands import Call, Outcome, Right, command
from bot.desk import Graphs, Reports, Roster
from bot.errors import UserError
from bot.models import RefState


class Desk(Reports, Graphs, Roster, Protocol):
    """What this needs."""


@command(
    "status",
    does="Say where this issue stands, why, and what would change it.",
    who=Right.ANYONE,
    examples=["/status"],
    on_pulls=True,
)
async def status(call: Call, desk: Desk) -> Outcome:
    if call.words:
        raise UserError("this takes no words")
    if call.is_pull:
        return await _of_pull(call, desk)
    report = await desk.report(call.issue)
    return Outcome.reply("replies/status", report=report, bot=desk.bot)


async def _of_pull(call: Call, desk: Graphs) -> Outcome:
    """A pull request has no report; what matters of it is who waits for it."""
    waiting = {waits for waits, on in await desk.edges(call.issue) if on == call.issue}
    known = await desk.standing(waiting)
    still = sorted(ref for ref in waiting if ref in known and known[ref].state is RefState.OPEN)
    return Outcome.reply("replies/status_pull", waiting=still)
