"""/blocks: say what waits for an issue."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.desk import Links
from bot.linking import Registry, check_circles, check_refs, named


class Desk(Office, Registry, Links, Protocol):
    """What this needs."""


@command(
    "blocks REF…",
    does="Let other issues wait for this; in another repository you must be able to write, too.",
    who=Right.WRITE,
    examples=["/blocks #12", "/blocks #12, #15 and acme/rocket#7"],
    on_pulls=True,
)
async def blocks(call: Call, desk: Desk) -> Outcome:
    refs = named(call, desk)
    if not call.is_pull:
        await coordinated(call, desk)
    await check_refs(call, refs, desk, write=True)
    await check_circles(call, [(ref, call.issue) for ref in refs], desk)
    for ref in refs:
        await desk.link(ref, call.issue, by=call.sender, at=call.issue)
    return Outcome.reconsider(call.issue, *refs)
