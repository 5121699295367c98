"""The right to go on with what was begun."""

from __future__ import annotations

import asyncio

import pytest

from bot.lease import Lease, awake_seconds


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_nobody_takes_over_from_one_who_is_alone() -> None:
    clock = Clock()
    lease = Lease(clock=clock)
    clock.seconds += 1e9
    lease.demand()
    assert lease.held


def test_it_is_held_as_long_as_others_are_told_in_time() -> None:
    clock = Clock()
    lease = Lease(10.0, clock=clock)
    for _ in range(5):
        clock.seconds += 9.0
        lease.extend(lease.now())
    assert lease.held


def test_it_counts_from_before_others_were_told() -> None:
    clock = Clock()
    lease = Lease(10.0, clock=clock)
    begun = lease.now()
    clock.seconds += 8.0
    lease.extend(begun)
    clock.seconds += 3.0
    assert not lease.held


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "not noticed"])
def test_once_lost_it_is_lost_although_others_are_told_again(noticed: bool) -> None:
    clock = Clock()
    lease = Lease(10.0, clock=clock)
    clock.seconds += 11.0
    if noticed:
        with pytest.raises(asyncio.CancelledError):
            lease.demand()
    lease.extend(lease.now())
    assert not lease.held
    with pytest.raises(asyncio.CancelledError):
        lease.demand()


def test_it_begins_anew_under_another_name() -> None:
    clock = Clock()
    lease = Lease(10.0, clock=clock)
    lease.lose()
    assert not lease.held
    lease.renew(lease.now())
    assert lease.held


def test_the_clock_goes_on() -> None:
    assert awake_seconds() <= awake_seconds()
