"""/parse: read an issue's text again."""

from __future__ import annotations

from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.errors import UserError
from bot.render import code

FORCE = "--force"


@command(
    "parse [--force]",
    does="Read the text again; with `--force` also where it did not change.",
    who=Right.WRITE,
    examples=["/parse", "/parse --force"],
)
async def parse(call: Call, desk: Office) -> Outcome:
    if call.words not in ((), (FORCE,)):
        raise UserError(f"{code(call.rest)} is not known here; only `{FORCE}` may follow")
    await coordinated(call, desk)
    return Outcome.reconsider(call.issue, afresh=bool(call.words))
