"""The bell at the dispatcher's door."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from bot.bell import PAUSE, Bell

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


def test_ringing_again_and_again_leaves_a_pause_from_look_to_look() -> None:
    bell = Bell.hang(threading.Event(), threading.current_thread().name)
    began = time.monotonic()
    for _ in range(3):
        bell.ring()
        bell.wait(LONG)
    assert 2 * PAUSE <= time.monotonic() - began


def test_without_a_ring_it_waits_as_long_as_it_is_told() -> None:
    bell = Bell.hang(threading.Event(), threading.current_thread().name)
    assert not bell.wait(0.001)
    bell.set()
    assert bell.wait(LONG)
