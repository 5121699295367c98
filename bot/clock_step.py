"""Whether this machine's clock was set back since something was told to wait by it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

STEP = 2.0  # seconds; less is a clock that is being kept right


class ClockStep:
    """Compares the clock with a steady one, which nobody sets.

    It may be set forward and back again between two looks. So whoever has something wait until a
    time of the clock notes how far before the steady one it is: that is what it may fall behind.
    """

    def __init__(
        self, now: Callable[[], datetime], *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._steady = steady
        self._ahead = self._offset()

    def note(self) -> None:
        """Something waits until a time of the clock as it is."""
        self._ahead = max(self._ahead, self._offset())

    @property
    def back(self) -> bool:
        """Whether it shows less than it would if nobody had set it since; so until `mended`."""
        return self._offset() < self._ahead - STEP

    def mended(self) -> None:
        """All that waits goes by the clock as it is now."""
        self._ahead = self._offset()

    def _offset(self) -> float:
        return self._now().timestamp() - self._steady()
