"""/split: propose the parts into which an issue that is too big could be split."""

from __future__ import annotations

from typing import Protocol

from bot.boxes import SPLIT_MARKER
from bot.checks import Office, coordinated, no_words
from bot.commands import Call, Outcome, Right, command
from bot.desk import Splits
from bot.errors import AIError, UserError
from bot.models import Report, WarningKind
from bot.proposal import Proposal
from bot.render import long_number
from bot.splitting import Part, propose


class Desk(Office, Splits, Protocol):
    """What this needs."""


@command(
    "split",
    does="Propose parts that fit, with what waits for what, when this is too big.",
    who=Right.WRITE,
    examples=["/split"],
)
async def split(call: Call, desk: Desk) -> Outcome:
    no_words(call)
    report = await coordinated(call, desk)
    room = most_room(report)
    parts, failure = await _read(call, desk, report, room)
    by_claude = bool(parts)
    if not parts:
        title, _, body = (await desk.text(call.issue)).partition("\n\n")
        parts = propose(
            title,
            body,
            room,
            issue=call.issue,
            tokens=report.estimate.tokens,
            files=report.estimate.files,
        )
    proposal = Proposal.of(call.issue, parts)
    return Outcome.reply(
        "replies/split",
        marker=SPLIT_MARKER,
        hidden=proposal.hidden,
        parts=proposal.parts,
        room=room,
        by_claude=by_claude,
        failure=failure,
    )


def most_room(report: Report) -> int:
    """The tokens that the largest agent may be given; UserError when the issue fits it."""
    for warning in report.warnings:
        if warning.kind is WarningKind.TOO_BIG:
            return warning.numbers[1]
    rooms = [verdict.room for verdict in report.assignment.verdicts]
    needs = f"it needs {long_number(report.estimate.tokens)} tokens of context"
    if rooms:
        needs += f", and an agent may be given {long_number(max(rooms))}"
    raise UserError(f"this issue is not too big: {needs}")


async def _read(
    call: Call, desk: Splits, report: Report, room: int
) -> tuple[tuple[Part, ...], str]:
    """What Claude proposes, or why it could not be asked; neither where there is no key."""
    try:
        found = await desk.divided(call.issue, room, report.estimate.tokens)
    except AIError as error:
        return (), str(error)
    return found or (), ""
