"""/queue: what should be taken next in this repository, and what has to wait."""

from __future__ import annotations

import re

from bot.commands import Call, Outcome, Right, command
from bot.desk import Queues
from bot.errors import UserError
from bot.queue_order import arrange

SHOWN, MOST_SHOWN = 10, 50  # issues of each list


@command(
    "queue [N]",
    does="List the ready issues of this repository in the order to take them, then the blocked.",
    who=Right.ANYONE,
    examples=["/queue", "/queue 25"],
    on_pulls=True,
)
async def queue(call: Call, desk: Queues) -> Outcome:
    most = _number(call)
    standings = await desk.queue(call.issue.repository)
    blockers = await desk.blockers([one.issue for one in standings])
    return Outcome.reply("replies/queue", queue=arrange(standings, blockers), most=most)


def _number(call: Call) -> int:
    if not call.words:
        return SHOWN
    if re.fullmatch(r"[0-9]{1,4}", call.rest) and 1 <= int(call.rest) <= MOST_SHOWN:
        return int(call.rest)
    raise UserError(f"say how many issues to list, 1 to {MOST_SHOWN}, or nothing for {SHOWN}")
