"""/agent: say who should take the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.agents import match, nearest
from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.desk import Policies, Sayings
from bot.errors import UserError
from bot.models import POLICY_FILE, Agent, Misfit, Report, Verdict, WarningKind
from bot.render import code
from bot.sayings import Field

_AGAINST = (Misfit.TOO_SMALL, Misfit.DIFFICULTY, Misfit.BUSY)


class Desk(Office, Policies, Sayings, Protocol):
    """What this needs."""


@command(
    "agent NAME|auto",
    does="Name the agent that should take this; `auto` chooses again.",
    who=Right.WRITE,
    examples=["/agent sonnet", "/agent auto"],
)
async def agent(call: Call, desk: Desk) -> Outcome:
    auto = call.rest.lower() == "auto"
    chosen = None if auto else await _allowed(call, desk)
    report = await coordinated(call, desk)
    if chosen is None:
        await desk.give_back(call.issue, Field.AGENT)
        return Outcome.reconsider(call.issue)
    await desk.override(call.issue, Field.AGENT, chosen.name, by=call.sender)
    verdict, against = _judged(report, chosen)
    if verdict is None or not against:
        return Outcome.reconsider(call.issue)
    return Outcome(
        template="replies/agent",
        values={"report": report, "verdict": verdict, "misfits": against},
        look=(call.issue,),
    )


async def _allowed(call: Call, desk: Desk) -> Agent:
    """The agent that a command names; UserError for one that may not work here."""
    chosen = named(call, desk.agents)
    policy = await desk.policy(call.issue.repository)
    if chosen in policy.barred:
        raise UserError(
            f"{code(chosen.name)} may not work in this repository, by {code(POLICY_FILE)}; "
            f"{_all(policy.agents)}"
        )
    return chosen


def named(call: Call, agents: Sequence[Agent]) -> Agent:
    """The agent that a command names; several words only where they are just its name."""
    for one in agents:
        if one.name.casefold() == call.rest.casefold():
            return one
    if len(call.words) != 1:
        raise UserError("name one agent, or say `auto`")
    found = match(call.rest, agents)
    if found is None:
        near = nearest(call.rest, agents)
        hint = f"did you mean {code(near)}?" if near else _all(agents)
        raise UserError(f"there is no agent {code(call.rest)}; {hint}")
    return found


def _all(agents: Sequence[Agent]) -> str:
    names = ", ".join(code(one.name) for one in agents[:20])
    return f"there are: {names}" if names else "none is set up"


def _judged(report: Report, chosen: Agent) -> tuple[Verdict | None, tuple[str, ...]]:
    """What was found of the agent, and why it does not fit.

    Nothing speaks against the chosen one in its verdict; when a person or the text chose it, a
    warning does.
    """
    verdict = next((v for v in report.assignment.verdicts if v.agent.name == chosen.name), None)
    against = [misfit for misfit in _AGAINST if verdict and misfit in verdict.misfits]
    for warning in report.warnings:
        if warning.kind is WarningKind.AGENT_MISFIT and warning.texts[0] == chosen.name:
            against += [Misfit(text) for text in warning.texts[1:]]
    return verdict, tuple(dict.fromkeys(against))
