"""When an issue becomes ready, or waits again because a blocker was reopened: what to tell. Pure.

An edited comment notifies nobody, so these two are told in a comment of their own, once each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.models import IssueRef, RefState, Report, Status

NO_LONGER = "no-longer"  # what became of a blocker that the issue waits for no longer


class Turn(StrEnum):
    """Which way it went."""

    READY = "ready"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Notice:
    """One turn, to be told once.

    `token` is what tells it from every other one. `about` are the blockers that made it, each with
    its state in a word (`RefState`), or `NO_LONGER`.
    """

    turn: Turn
    token: str
    about: tuple[tuple[IssueRef, str], ...] = ()

    def dump(self) -> str:
        """As JSON."""
        about = [[str(ref), how] for ref, how in self.about]
        return json.dumps({"turn": self.turn.value, "token": self.token, "about": about})

    @classmethod
    def load(cls, text: str) -> Notice:
        """What `dump` wrote."""
        given = json.loads(text)
        about = tuple((IssueRef.parse(ref), how) for ref, how in given["about"])
        return cls(Turn(given["turn"]), given["token"], about)

    def holds(self, report: Report) -> bool:
        """Whether it is still true, so that it may be told late."""
        return report.status.value == self.turn.value


Stood = Iterable[tuple[IssueRef, RefState]]


def turned(before: str, stood: Stood, report: Report, token: str) -> Notice | None:
    """What to tell of a report that follows another one; None where nothing turned.

    `before` is the status it had, `stood` what it waited for then. An issue that becomes blocked is
    told of only where a blocker was reopened: whoever adds a dependency knows of it.
    """
    now = {blocker.ref: blocker.state for blocker in report.blockers}
    if before == Status.BLOCKED and report.status is Status.READY:
        freed = [
            (ref, now[ref].value if ref in now else NO_LONGER)
            for ref, state in stood
            if state.blocks and not (ref in now and now[ref].blocks)
        ]
        return Notice(Turn.READY, token, tuple(sorted(freed)))
    if before == Status.READY and report.status is Status.BLOCKED:
        over = {ref for ref, state in stood if not state.blocks}
        reopened = [(ref, now[ref].value) for ref in sorted(over & now.keys()) if now[ref].blocks]
        return Notice(Turn.BLOCKED, token, tuple(reopened)) if reopened else None
    return None
