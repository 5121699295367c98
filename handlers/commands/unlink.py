"""/unlink: let issues wait for one another no longer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.dependencies import Edge
from bot.desk import Graphs, Links, Rights
from bot.linking import may_write, named, refusal, right_at
from bot.models import IssueRef, Report, Source
from bot.render import code
from bot.sayings import LinkKind


class Desk(Office, Graphs, Links, Rights, Protocol):
    """What this needs."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The edges of an issue: those people added and took away, and all that are shown."""

    said: dict[Edge, LinkKind]
    shown: dict[Edge, frozenset[Source]]


@dataclass(slots=True)
class _Plan:
    """What is to be done, once all of it is known to be right."""

    unlink: list[Edge] = field(default_factory=list)
    ignore: list[Edge] = field(default_factory=list)
    ignored: list[IssueRef] = field(default_factory=list)


@command(
    "unlink REF…",
    does="Let this and other issues wait for one another no longer.",
    who=Right.WRITE,
    examples=["/unlink #12", "/unlink #12, #15 and acme/rocket#7"],
)
async def unlink(call: Call, desk: Desk) -> Outcome:
    refs = named(call, desk)
    report = await coordinated(call, desk)
    known = await _known(report, desk)
    plan = _Plan()
    for ref in refs:
        await _consider(call, ref, known, plan, desk)
    for waits, on in plan.unlink:
        await desk.unlink(waits, on)
    for waits, on in plan.ignore:
        await desk.ignore(waits, on, by=call.sender)
    look = (call.issue, *refs)
    if not plan.ignored:
        return Outcome.reconsider(*look)
    return Outcome(template="replies/unlink", values={"refs": tuple(plan.ignored)}, look=look)


async def _known(report: Report, desk: Desk) -> _Known:
    issue = report.issue
    shown = {edge: frozenset[Source]() for edge in await desk.edges(issue) if issue in edge}
    shown |= {(issue, one.ref): frozenset(one.sources) for one in report.blockers}
    shown |= {(one.ref, issue): frozenset(one.sources) for one in report.waiting}
    return _Known({(one.waits, one.on): one.kind for one in await desk.links(issue)}, shown)


async def _consider(call: Call, ref: IssueRef, known: _Known, plan: _Plan, desk: Desk) -> None:
    """Enter into the plan what is to be done about one issue.

    An edge that is not shown here is told from none only to those who can read its other end.
    """
    edges = ((call.issue, ref), (ref, call.issue))
    right = await right_at(call, ref, desk)
    found = [
        edge
        for edge in edges
        if known.said.get(edge) is not LinkKind.IGNORED
        and (edge in known.shown or (right is not None and edge in known.said))
    ]
    if not found:
        what = code(ref.seen_from(call.issue))
        raise refusal(call, ref, f"{what} and this issue do not wait for one another")
    for edge in found:
        if edge[0] == ref:
            may_write(call, ref, right)
        sources = known.shown.get(edge, frozenset())
        if known.said.get(edge) is LinkKind.ADDED and sources <= {Source.COMMAND}:
            plan.unlink.append(edge)
        else:
            plan.ignore.append(edge)
            plan.ignored.append(ref)
