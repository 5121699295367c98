"""Whether this process may still do what it has begun, or others may have taken it over."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable


def awake_seconds() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """The right to work, for `keep` seconds from the last time it was extended.

    A process that was stopped for a while wakes up in the middle of its work, which others do by
    then; so it has to ask before all that it writes, in Gitea and in the store. (What comes in is
    recorded all the same.) What is lost stays so until `renew`.
    """

    def __init__(
        self, keep: float = math.inf, *, clock: Callable[[], float] = awake_seconds
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._since = clock()
        self._lost = False

    def now(self) -> float:
        """The moment to hand to `extend` or `renew`, taken before others are told."""
        return self._clock()

    @property
    def held(self) -> bool:
        """Whether it is."""
        self._lost = self._lost or self._clock() - self._since > self._keep
        return not self._lost

    def demand(self) -> None:
        """Break the running task off, without a result, where it is not held."""
        if not self.held:
            raise asyncio.CancelledError("others have taken this over")

    def extend(self, since: float) -> None:
        """Others were told at `since` that this process works; nothing, where it is lost."""
        if self.held:
            self._since = since

    def lose(self) -> None:
        """Give it up, until `renew`."""
        self._lost = True

    def renew(self, since: float) -> None:
        """Begin again, under a new name that others were told of at `since`."""
        self._since, self._lost = since, False
