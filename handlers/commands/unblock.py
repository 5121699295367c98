"""/unblock: treat an issue as ready in spite of what it waits for."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated, reason
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.errors import UserError
from bot.models import Report, Status
from bot.sayings import Field
from bot.unblock import fingerprint


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "unblock REASON",
    does="Treat this as ready though it waits, until its text or what it waits for changes.",
    who=Right.WRITE,
    examples=["/unblock the interface is agreed on"],
)
async def unblock(call: Call, desk: Desk) -> Outcome:
    why = reason(call, needed=True)
    report = await coordinated(call, desk)
    if not _waits(report):
        raise UserError("nothing blocks this issue")
    text = await desk.text(call.issue)
    value = fingerprint(text, [blocker.ref for blocker in report.open_blockers])
    await desk.override(call.issue, Field.UNBLOCK, value, by=call.sender, reason=why)
    return Outcome.reconsider(call.issue)


def _waits(report: Report) -> bool:
    """Whether something blocks, also where the status tells of something else first."""
    blocked = report.status is Status.BLOCKED
    return blocked or bool(report.open_blockers or report.cycle or report.hidden_blockers)
