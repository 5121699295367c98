"""A bell at the door of dbos's dispatcher, which else looks for work only every so often.

Between two looks it waits on the event that tells it to stop. That event is made one that can also
be rung: the wait then ends early, and the dispatcher looks. Where a later dbos waits otherwise, it
is not woken, and finds what was recorded at its next look.

A look costs milliseconds, and what it finds is begun in the process that also answers Gitea, which
sends the next delivery only after the answer to the one before. So what is coming in goes first:
after a look that it was rung for, the next one waits until it has been still for a moment, though
not for long.
"""

from __future__ import annotations

import threading
import time

STILL = 0.01  # seconds without a ring, after which it is looked, though it was just now
MOST = 0.1  # seconds that it is put off at most, however often it is rung


class Bell(threading.Event):
    """An event to stop by, which wakes one thread without being set."""

    _sleeper: str
    _rung: threading.Event
    _looked: float  # when the last look was over that was rung for
    _for_a_ring: bool

    @classmethod
    def hang(cls, event: threading.Event, sleeper: str) -> Bell:
        """Make an event, on which threads may wait already, one that wakes the thread `sleeper`."""
        rung = threading.Event()
        vars(event).update(_sleeper=sleeper, _rung=rung, _looked=0.0, _for_a_ring=False)
        event.__class__ = cls
        assert isinstance(event, Bell)
        return event

    def ring(self) -> None:
        """Wake the sleeper, or let it not fall asleep. To be called in any thread."""
        self._rung.set()

    def set(self) -> None:
        """Tell all to stop."""
        super().set()
        self._rung.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set; the sleeper, also until it is rung. Whether it is set."""
        if threading.current_thread().name != self._sleeper:
            return super().wait(timeout)
        if self._for_a_ring:
            self._looked = time.monotonic()
        self._for_a_ring = False
        while self._rung.wait(timeout) and not self.is_set():
            self._for_a_ring = True
            self._rung.clear()
            timeout = min(STILL, self._looked + MOST - time.monotonic())
            if timeout <= 0:
                break
        self._rung.clear()
        return self.is_set()
