"""/estimate: say how many tokens of context the work needs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Protocol

from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.desk import Sayings
from bot.errors import UserError
from bot.models import MAX_TOKENS
from bot.render import code
from bot.sayings import Field

LEAST = 500  # tokens; less is a slip, such as 46 for 46k
_NUMBER = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(\.[0-9]{1,3})?([kKmM]?)")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}


class Desk(Office, Sayings, Protocol):
    """What this needs."""


@command(
    "estimate N[k|M]|auto",
    does="Set how many tokens of context the work needs; `auto` works it out again.",
    who=Right.WRITE,
    examples=["/estimate 46k", "/estimate 0.12M", "/estimate 46,000", "/estimate auto"],
)
async def estimate(call: Call, desk: Desk) -> Outcome:
    auto = call.rest.lower() == "auto"
    number = 0 if auto else tokens(call.rest)
    await coordinated(call, desk)
    if auto:
        await desk.give_back(call.issue, Field.ESTIMATE)
    else:
        await desk.override(call.issue, Field.ESTIMATE, str(number), by=call.sender)
    return Outcome.reconsider(call.issue)


def tokens(text: str) -> int:
    """46000, 46,000, 46k, 0.12M ▸ the number; UserError for anything else.

    Stricter than what is read in texts: there a range, a unit or a guess is worth having; here
    the person can be asked to say it plainly.
    """
    found = _NUMBER.fullmatch(text)
    if not found or (found[2] and not found[3]):
        what = f"{code(text)} is no number of tokens" if text else "say how many tokens"
        raise UserError(f"{what}; write `46000`, `46k` or `0.12M`")
    whole, fraction, unit = found[1].replace(",", ""), found[2] or "", found[3].lower()
    number = int(Decimal(whole + fraction) * _TIMES[unit])
    if not LEAST <= number <= MAX_TOKENS:
        raise UserError(f"{number:,} is out of range; say {LEAST} to {MAX_TOKENS // 1_000_000}M")
    return number
