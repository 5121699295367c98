"""/resume: write in a repository again, and catch up."""

from __future__ import annotations

from typing import Protocol

from bot.checks import no_words
from bot.commands import Call, Outcome, Right, command
from bot.desk import Pauses, Queues


class Desk(Pauses, Queues, Protocol):
    """What this needs."""


@command(
    "resume",
    does="Write in this repository again, and catch up.",
    who=Right.ADMIN,
    examples=["/resume"],
)
async def resume(call: Call, desk: Desk) -> Outcome:
    no_words(call)
    repository = call.issue.repository
    was_paused = await desk.resume(repository)
    # Also when it was not: a crash may have come between the end of the pause and catching up.
    waiting = [one.issue for one in await desk.queue(repository)]
    return Outcome(
        template="replies/resume",
        values={"repository": repository, "was_paused": was_paused},
        look=tuple(dict.fromkeys((call.issue, *waiting))),
    )
