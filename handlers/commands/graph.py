"""/graph: the dependencies around this issue, drawn."""

from __future__ import annotations

from collections.abc import Mapping

from bot.commands import Call, Outcome, Right, command, nearest
from bot.dependencies import neighbourhood, one_way
from bot.desk import Graphs, Standing
from bot.errors import UserError
from bot.models import IssueRef, RefState
from bot.render import Diagram, code

WAYS = ("up", "down", "all")


@command(
    "graph [up|down|all]",
    does="Draw what this waits for (up), what waits for it (down), or everything around it.",
    who=Right.ANYONE,
    examples=["/graph", "/graph up"],
    on_pulls=True,
)
async def graph(call: Call, desk: Graphs) -> Outcome:
    way = _way(call)
    edges = tuple(await desk.edges(call.issue))
    if way != "all":
        edges = one_way(call.issue, edges, up=way == "up")
    edges = neighbourhood(call.issue, edges, len(edges))
    refs = {call.issue, *(ref for edge in edges for ref in edge)}
    standings = await desk.standing(refs)
    here = {r: s for r, s in standings.items() if r.key[0] == call.issue.key[0]}
    diagram = Diagram.drawn(
        call.issue,
        edges,
        states={ref: one.state for ref, one in standings.items()},
        titles={ref: one.title for ref, one in here.items()},
        statuses={ref: _state(ref, standings, here) for ref in refs},
    )
    return Outcome.reply("replies/graph", diagram=diagram, way=way)


def _way(call: Call) -> str:
    word = call.rest.lower() or "all"
    if word in WAYS:
        return word
    near = nearest(word, WAYS)
    hint = f"did you mean `{near}`?" if near else "say `up`, `down` or `all`, or nothing"
    raise UserError(f"{code(call.rest)} is no direction; {hint}")


def _state(
    ref: IssueRef, standings: Mapping[IssueRef, Standing], here: Mapping[IssueRef, Standing]
) -> str:
    """Where an issue stands; of another repository's, only whether it is open."""
    if ref not in standings:
        return RefState.UNCHECKED
    one = standings[ref]
    if one.state is not RefState.OPEN or ref not in here:
        return one.state
    return "hold" if one.held else one.status or one.state
