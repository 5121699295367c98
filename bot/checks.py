"""What commands check before they change anything; each raises UserError with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.commands import Call, nearest
from bot.desk import Reports, Roster
from bot.errors import UserError
from bot.models import Report
from bot.render import code

MAX_REASON = 200  # characters


class Office(Reports, Roster, Protocol):
    """What it takes to tell whether an issue is coordinated."""


async def coordinated(call: Call, desk: Office) -> Report:
    """The report of the issue; UserError when the bot does not look after it."""
    report = await desk.report(call.issue)
    if report is None:
        raise UserError(f"this issue is not assigned to {code(desk.bot)}; assign it first")
    return report


def no_words(call: Call) -> None:
    """Refuse words after the verb."""
    if call.words:
        raise UserError("nothing may follow on that line")


def one_of(call: Call, choices: Sequence[str]) -> str:
    """The one word of a command, which must be one of these; in lower case."""
    *most, last = (f"`{choice}`" for choice in choices)
    one = f"{', '.join(most)} or {last}"
    if len(call.words) != 1:
        raise UserError(f"say {one}")
    word = call.words[0].lower()
    if word not in choices:
        near = nearest(word, choices)
        hint = f"did you mean `{near}`?" if near else f"say {one}"
        raise UserError(f"{code(call.words[0])} is none of them; {hint}")
    return word


def reason(call: Call, *, needed: bool = False) -> str:
    """The rest of the line as a reason."""
    if needed and not call.rest:
        raise UserError("say why, in a few words")
    if len(call.rest) > MAX_REASON:
        raise UserError(f"the reason is too long; say it in at most {MAX_REASON} characters")
    return call.rest
