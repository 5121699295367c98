"""/retry: do again what failed on an issue."""

from __future__ import annotations

from bot.checks import no_words
from bot.commands import Call, Outcome, Right, command
from bot.desk import Failures


@command(
    "retry",
    does="Do again what failed on this issue.",
    who=Right.WRITE,
    examples=["/retry"],
)
async def retry(call: Call, desk: Failures) -> Outcome:
    no_words(call)
    number = await desk.put_back(call.issue)
    return Outcome(template="replies/retry", values={"number": number}, look=(call.issue,))
