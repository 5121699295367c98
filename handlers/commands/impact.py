"""/impact: what closing this issue would make ready."""

from __future__ import annotations

from bot.commands import Call, Outcome, Right, command
from bot.desk import Graphs
from bot.errors import UserError
from bot.impact import impact
from bot.models import RefState, Status

GOING = (Status.READY, Status.IN_PROGRESS)  # it makes no difference to these


@command(
    "impact",
    does="Say what closing this issue would make ready, directly and in the end.",
    who=Right.ANYONE,
    examples=["/impact"],
)
async def weigh(call: Call, desk: Graphs) -> Outcome:
    if call.words:
        raise UserError("this takes no words")
    edges = await desk.edges(call.issue)
    known = await desk.standing({call.issue, *(ref for edge in edges for ref in edge)})
    states = {ref: one.state for ref, one in known.items()}
    states.setdefault(call.issue, RefState.OPEN)
    unshown = await desk.unshown(known, call.issue)
    on_hold = {ref for ref, one in known.items() if one.held}
    found = impact(call.issue, edges, states, on_hold, unshown)
    here = {ref: one for ref, one in known.items() if ref.key[0] == call.issue.key[0]}
    going = {ref for ref, one in here.items() if one.status in GOING}
    return Outcome.reply(
        "replies/impact",
        over=not states[call.issue].blocks,
        directly=[ref for ref in found.directly if ref not in going],
        later=[ref for ref in found.later if ref not in going],
        held=[ref for ref in found.held if ref in here],
        still=found.still,
        unshown=unshown,
        known=here,
    )
