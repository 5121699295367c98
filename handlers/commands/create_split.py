"""/create-split: open the issues of a proposed split; the box under the proposal stands for it.

Each part is opened once, however often this is asked for: what was opened already is found by the
marker in its text before anything is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.checks import Office, coordinated, no_words
from bot.commands import Call, Outcome, Right, command
from bot.desk import Links, Pauses, Splits, Written
from bot.errors import UserError
from bot.models import IssueRef, Report
from bot.proposal import Proposal, issue_body, issue_title


class Desk(Office, Links, Pauses, Splits, Protocol):
    """What this needs."""


@command(
    "create-split",
    does="Open the issues of the split that was proposed here.",
    who=Right.WRITE,
    examples=["/create-split"],
    hidden=True,
    after="split",
)
async def create_split(call: Call, desk: Desk) -> Outcome:
    no_words(call)
    report = await coordinated(call, desk)
    if await desk.paused(call.issue.repository):
        raise UserError("I write nothing in this repository for now; say `resume` first")
    proposal, since = _proposal(call, await desk.proposals(call.issue))
    there = await desk.parts(call.issue, proposal.digest, since)
    opened = await _open(call, desk, proposal, there, _waited_for(report))
    for part in opened:
        await desk.link(call.issue, part, by=call.sender, at=call.issue)
    return Outcome(
        template="replies/create_split",
        values={
            "created": [ref for ref in opened if ref not in there.values()],
            "there": [ref for ref in opened if ref in there.values()],
            "bot": desk.bot,
        },
        look=(call.issue,),
    )


def _proposal(call: Call, written: Sequence[Written]) -> tuple[Proposal, datetime]:
    """The proposal whose box was ticked, else the last one; and when the first was made."""
    if not written:
        raise UserError("no split is proposed here; say `split` first")
    chosen = next((one for one in written if one.id == call.comment), written[-1])
    proposal = Proposal.found_in(chosen.body)
    if proposal is None or proposal.issue != call.issue.number:
        raise UserError("that proposal was changed and cannot be read; say `split` again")
    return proposal, min(one.at for one in written)


def _waited_for(report: Report) -> list[IssueRef]:
    """What the whole waits for, so that the first parts do, too."""
    return [one.ref for one in report.open_blockers if not one.private]


async def _open(
    call: Call,
    desk: Splits,
    proposal: Proposal,
    there: Mapping[int, IssueRef],
    before: Sequence[IssueRef],
) -> list[IssueRef]:
    """Every part's issue in order, opened unless it is there."""
    opened: list[IssueRef] = []
    for number, part in enumerate(proposal.parts, 1):
        found = there.get(number)
        if found is None:
            waits = [opened[n - 1] for n in part.after]
            waits = waits or [ref for ref in before if ref not in there.values()]
            body = issue_body(proposal, number, call.issue, waits)
            found = await desk.create_issue(call.issue.repository, issue_title(part), body)
        opened.append(found)
    return opened
