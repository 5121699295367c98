"""/blocked-by: say what an issue waits for."""

from __future__ import annotations

from typing import Protocol

from bot.checks import Office, coordinated
from bot.commands import Call, Outcome, Right, command
from bot.desk import Links
from bot.linking import Registry, check_circles, check_refs, named


class Desk(Office, Registry, Links, Protocol):
    """What this needs."""


@command(
    "blocked-by REF…",
    does="Let this wait for other issues.",
    who=Right.WRITE,
    examples=["/blocked-by #12", "/blocked-by #12, #15 and acme/rocket#7"],
    on_pulls=True,
)
async def blocked_by(call: Call, desk: Desk) -> Outcome:
    refs = named(call, desk)
    if not call.is_pull:
        await coordinated(call, desk)
    await check_refs(call, refs, desk)
    await check_circles(call, [(call.issue, ref) for ref in refs], desk)
    for ref in refs:
        await desk.link(call.issue, ref, by=call.sender, at=call.issue)
    return Outcome.reconsider(call.issue, *refs)
