"""The bell at the dispatcher's door."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from bot.bell import MOST, STILL, Bell

LONG = 60.0  # seconds: nobody waits so long in a test
SLEEPER = "sleeper"


def waiting(event: threading.Event, name: str) -> tuple[threading.Thread, Callable[[], bool]]:
    """A thread that waits on an event until it is set; and what its next wait gave."""
    given: queue.Queue[bool] = queue.Queue()

    def wait() -> None:
        while not event.is_set():
            given.put(event.wait(LONG))

    thread = threading.Thread(target=wait, name=name, daemon=True)
    thread.start()
    return thread, lambda: given.get(timeout=LONG)


def test_it_wakes_the_sleeper_without_being_set() -> None:
    bell = Bell.hang(threading.Event(), SLEEPER)
    thread, given = waiting(bell, SLEEPER)
    for _ in range(3):
        bell.ring()
        assert not given()
    bell.set()
    assert given()
    thread.join(LONG)


def test_it_is_heard_by_who_falls_asleep_later() -> None:
    bell = Bell.hang(threading.Event(), threading.current_thread().name)
    bell.ring()
    assert not bell.wait(LONG)


def test_others_sleep_on_until_it_is_set() -> None:
    bell = Bell.hang(threading.Event(), SLEEPER)
    thread, given = waiting(bell, "another")
    bell.ring()
    bell.set()
    assert given(), "the first wait that ended is the one that was told to stop"
    thread.join(LONG)


class Time:
    """A clock that goes on only where somebody waits for a ring; they come at these moments."""

    def __init__(self, bell: Bell, rings: Sequence[float]) -> None:
        self.now = 1000.0
        self._rings = [1000.0 + at for at in rings]
        bell._rung = self  # type: ignore[assignment]

    def monotonic(self) -> float:
        return self.now

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def wait(self, timeout: float) -> bool:
        rung = bool(self._rings) and self._rings[0] <= self.now + timeout
        self.now = max(self.now, self._rings.pop(0)) if rung else self.now + timeout
        return rung


def looks(monkeypatch: pytest.MonkeyPatch, *rings: float, poll: float = 1.0) -> list[float]:
    """When it is looked, where it is rung at these moments."""
    bell = Bell.hang(threading.Event(), threading.current_thread().name)
    time = Time(bell, rings)
    monkeypatch.setattr("bot.bell.time", time)
    found = []
    while time._rings:
        assert not bell.wait(poll)
        found.append(round(time.now - 1000, 6))
    return found


def test_after_a_while_it_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [0.3, 0.7] == looks(monkeypatch, 0.3, 0.7)
    assert [0.5, 1.0, 1.001] == looks(monkeypatch, 1.001, poll=0.5), "polls do not count"


def test_soon_after_a_look_it_is_waited_until_nobody_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [0.3, round(0.315 + STILL, 6)] == looks(monkeypatch, 0.3, 0.305, 0.31, 0.315)


def test_however_often_it_is_rung_it_is_looked_before_long(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(monkeypatch, *(n / 200 for n in range(200)))
    assert [0.0, MOST, 2 * MOST] == found[:3]
    assert {MOST} == {round(after - before, 6) for before, after in pairwise(found[:9])}


def test_without_a_ring_it_waits_as_long_as_it_is_told() -> None:
    bell = Bell.hang(threading.Event(), threading.current_thread().name)
    assert not bell.wait(0.001)
    bell.set()
    assert bell.wait(LONG)
