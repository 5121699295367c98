"""/why: the numbers behind the agent that was chosen, or behind one that was not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.commands import Call, Outcome, Right, command, nearest
from bot.desk import Reports, Roster
from bot.errors import UserError
from bot.models import Report, Verdict
from bot.render import code

MOST_NAMED = 10


class Desk(Reports, Roster, Protocol):
    """What this needs."""


@command(
    "why [AGENT]",
    does="Say why this agent and no other, or why none, with the numbers.",
    who=Right.ANYONE,
    examples=["/why", "/why opus"],
)
async def why(call: Call, desk: Desk) -> Outcome:
    if len(call.words) > 1:
        raise UserError("name one agent, or none")
    name = _named(call.rest, [agent.name for agent in desk.agents]) if call.words else None
    report = await desk.report(call.issue)
    if report is None:
        raise UserError(
            f"nothing was decided here, for {code(desk.bot)} is not assigned; assign it first"
        )
    if name is None:
        return Outcome.reply("replies/why", report=report)
    return Outcome.reply("replies/why_agent", report=report, verdict=_verdict(report, name))


def _named(name: str, agents: Sequence[str]) -> str:
    """The agent of that name, in whatever case; raises UserError, with the nearest one."""
    wanted = name.removeprefix("@").lower()
    found = next((agent for agent in agents if agent.lower() == wanted), None)
    if found is not None:
        return found
    near = nearest(wanted, agents)
    if near:
        hint = f"did you mean {code(near)}?"
    elif agents:
        hint = f"there are {', '.join(map(code, agents[:MOST_NAMED]))}"
    else:
        hint = "none is set up"
    raise UserError(f"there is no agent {code(name)}; {hint}")


def _verdict(report: Report, name: str) -> Verdict:
    return next(v for v in report.assignment.verdicts if v.agent.name == name)
