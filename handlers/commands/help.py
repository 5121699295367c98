"""/help: every command there is, or one of them in full."""

from __future__ import annotations

from typing import Protocol

from bot.commands import Call, Outcome, Right, command
from bot.desk import Policies, Roster
from bot.errors import UserError
from bot.render import code


class Desk(Roster, Policies, Protocol):
    """What this needs."""


@command(
    "help [VERB]",
    does="Say what commands there are, or explain one of them.",
    who=Right.ANYONE,
    examples=["/help", "/help estimate"],
    on_pulls=True,
)
async def explain(call: Call, desk: Desk) -> Outcome:
    off = (await desk.policy(call.issue.repository)).off
    if not call.words:
        shown = [one for one in desk.commands.shown if one.verb not in off]
        return Outcome.reply("replies/help", commands=shown, off=sorted(off), bot=desk.bot)
    if len(call.words) > 1:
        raise UserError("name one command, or none")
    verb = call.rest.removeprefix("/")
    found = desk.commands.get(verb)
    if found is None:
        near = desk.commands.nearest(verb)
        hint = f"did you mean `{near}`?" if near else "without a word, help lists what there is"
        raise UserError(f"there is no command {code(verb)}; {hint}")
    is_off = found.belongs_to in off
    return Outcome.reply("replies/help_verb", command=found, is_off=is_off, bot=desk.bot)
