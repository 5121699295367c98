"""An agent session's use of its context: when to compact it, when to hand the work over.

An agent that runs out of context loses what it knew in the middle of a change. So it is told to
compact (sum up what was said, and go on) at 80 % and to hand over (end the session, leaving what
a fresh one needs) at 95 %. Values in, values out: who measures and who acts stands elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

COMPACT_AT = 0.80
HAND_OVER_AT = 0.95


class Action(StrEnum):
    """What a session should do next."""

    CONTINUE = "continue"
    COMPACT = "compact"
    HAND_OVER = "hand-over"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a session should do, and the figures it rests on.

    `percent` of the limit in use, one decimal, rounded down so that it never claims a threshold
    that was not reached; `left` is in tokens, never below 0.
    """

    action: Action
    percent: float
    left: int


def judge(
    used: int, limit: int, *, compact_at: float = COMPACT_AT, hand_over_at: float = HAND_OVER_AT
) -> Advice:
    """Say what a session that holds `used` of `limit` tokens should do.

    The thresholds are parts of the limit, and count from the token on that reaches them.
    Raises ValueError when a figure makes no sense.
    """
    if used < 0:
        raise ValueError(f"A session cannot hold {used} tokens: give 0 or more.")
    if limit < 1:
        raise ValueError(f"A context limit of {limit} tokens holds nothing: give 1 or more.")
    if not 0 < compact_at <= hand_over_at <= 1:
        raise ValueError(
            f"Compact at {compact_at} and hand over at {hand_over_at} do not go together: "
            "give parts of the limit above 0 and up to 1, compacting no later than handing over."
        )
    return Advice(
        action=_action(used / limit, compact_at, hand_over_at),
        percent=used * 1000 // limit / 10,
        left=max(0, limit - used),
    )


def _action(part: float, compact_at: float, hand_over_at: float) -> Action:
    if part >= hand_over_at:
        return Action.HAND_OVER
    return Action.COMPACT if part >= compact_at else Action.CONTINUE


@dataclass(frozen=True, slots=True)
class Session:
    """One agent at work on one issue.

    `used` is what it holds now, `peak` the most it ever held, both in tokens; `compactions` how
    often it was compacted.
    """

    agent: str
    limit: int
    used: int = 0
    peak: int = 0
    compactions: int = 0

    def __post_init__(self) -> None:
        judge(self.used, self.limit)  # refuses figures that make no sense
        object.__setattr__(self, "peak", max(self.peak, self.used))

    def seen(self, used: int) -> Session:
        """The session after a measurement.

        Context only grows between compactions, so a smaller figure is a report that came late
        and changes nothing. Raises ValueError for a negative one.
        """
        judge(used, self.limit)
        return replace(self, used=max(used, self.used))

    def compacted(self, used: int) -> Session:
        """The session after it was compacted to `used` tokens.

        Raises ValueError when that is not less than it held: then nothing was compacted.
        """
        if used >= self.used:
            raise ValueError(
                f"Compacting from {self.used} to {used} tokens frees nothing: "
                "give what the session holds afterwards."
            )
        judge(used, self.limit)
        return replace(self, used=used, compactions=self.compactions + 1)

    def advice(
        self, *, compact_at: float = COMPACT_AT, hand_over_at: float = HAND_OVER_AT
    ) -> Advice:
        """What the session should do now."""
        return judge(self.used, self.limit, compact_at=compact_at, hand_over_at=hand_over_at)
