"""What is checked before people add edges: who may, whether there is such an issue, no circle.

Of another repository nobody learns anything here that they could not read there: an issue that
does not exist, one that the sender cannot read, and one of a repository where that cannot be
looked up are answered alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.commands import Call, Right, issues_in
from bot.dependencies import Edge
from bot.desk import Circles, Rights, Roster
from bot.errors import UserError
from bot.models import IssueRef
from bot.render import code

MAX_REFS = 20  # issues named in one command
MAX_PATH = 12  # issues of a circle that are shown


class Registry(Circles, Rights, Roster, Protocol):
    """What the checks need to know."""


def named(call: Call, desk: Roster) -> tuple[IssueRef, ...]:
    """The issues that a command names."""
    refs = issues_in(call, desk.references)
    if len(refs) > MAX_REFS:
        raise UserError(f"at most {MAX_REFS} issues at once")
    return refs


async def right_at(call: Call, ref: IssueRef, desk: Rights) -> Right | None:
    """What the sender may where an issue is; None when they cannot read it, as far as is known."""
    if not _is_elsewhere(call, ref):
        return call.right
    if call.doubt:
        return None
    try:
        return await desk.right(ref.repository, call.sender)
    except UserError:
        return None


async def check_refs(
    call: Call, refs: Sequence[IssueRef], desk: Registry, *, write: bool = False
) -> None:
    """Refuse issues that are not there or not the sender's to see; with `write`, to change."""
    for ref in refs:
        right = await right_at(call, ref, desk)
        if right is None or not await desk.exists(ref):
            raise unseen(call, ref, desk)
        if write:
            may_write(call, ref, right)


def unseen(call: Call, ref: IssueRef, desk: Roster) -> UserError:
    """The one answer for an issue that the sender may not know of, or that is not there."""
    also = ""
    if _is_elsewhere(call, ref):
        also = f"; in another repository, {code(desk.bot)} must be an administrator to tell"
    return refusal(call, ref, f"{_shown(ref, call)} names no issue that you can see{also}")


def may_write(call: Call, ref: IssueRef, right: Right | None) -> None:
    """Refuse to change what an issue waits for to those who cannot write in its repository."""
    if right is None or right < Right.WRITE:
        raise refusal(call, ref, f"for this you have to write in {code(ref.repository)}, too")


def refusal(call: Call, ref: IssueRef, why: str) -> UserError:
    """Why not; of an issue elsewhere, where it is not certain who asks, that it is not."""
    return UserError(call.doubt if call.doubt and _is_elsewhere(call, ref) else why)


def _is_elsewhere(call: Call, ref: IssueRef) -> bool:
    return ref.key[0] != call.issue.key[0]


async def check_circles(call: Call, new: Sequence[Edge], desk: Circles) -> None:
    """Refuse edges of which one would close a circle, alone or together with those before it."""
    for nth, (waits, on) in enumerate(new):
        path = await desk.circle(waits, on, at=call.issue, also=new[:nth])
        if len(path) == 2:
            raise UserError("an issue cannot wait for itself")
        if path:
            raise UserError(f"that would close a circle: {_way(call, path)}")


def _way(call: Call, path: Collection[IssueRef]) -> str:
    shown = [_shown(ref, call) for ref in path]
    if len(shown) > MAX_PATH:
        shown = [*shown[: MAX_PATH - 1], "…", shown[-1]]
    return " → ".join(shown)


def _shown(ref: IssueRef, call: Call) -> str:
    return code(ref.seen_from(call.issue))
