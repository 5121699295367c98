"""Who is dead, and who does its work: by values, without a queue or a database."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from bot.errors import StoreError
from bot.heartbeat import NAMELESS, Heartbeat, lease_of, process_name
from bot.lease import Lease

DEAD = timedelta(seconds=15)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Around:
    """A queue and a list of replicas that note what they are asked for, in order."""

    executor: str = "me:1"
    calls: list[str] = field(default_factory=list)
    heard: dict[str, datetime] = field(default_factory=dict)
    nameless: list[str] = field(default_factory=list)
    beating: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    error: Exception = field(default_factory=lambda: StoreError("no answer"))
    holds_work: bool = False

    def _note(self, what: str, *names: str) -> None:
        self.calls.append(" ".join((what, *names)))
        if what in self.failing:
            raise self.error

    async def beat(self, name: str) -> None:
        self.beating.append(name)
        self._note("beat", "new" if name not in {"me:1", "other:1"} else name)

    async def beats(self) -> dict[str, datetime]:
        return self.heard

    async def gone(self, names: Collection[str]) -> None:
        self._note("gone", *names)
        for name in names:
            self.heard.pop(name, None)

    async def take_over(self, names: Collection[str]) -> int:
        self._note("take over", *names)
        return 3

    async def orphans(self, known: Collection[str], older: timedelta) -> list[str]:
        assert (list(self.heard), NAMELESS) == (list(known), older)
        return self.nameless

    def break_off(self) -> None:
        self._note("break off")

    async def rename(self, executor: str) -> None:
        self._note("rename")
        self.executor = executor


@dataclass
class World:
    around: Around = field(default_factory=Around)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.lease = Lease(10.0, clock=self.clock)
        self.heart = Heartbeat(
            name="me",
            queue=self.around,
            replicas=self.around,
            lease=self.lease,
            dead_after=DEAD,
        )

    async def beat_at(self, seconds: float) -> None:
        self.clock.seconds = seconds
        await self.heart.beat()


def test_a_lease_ends_before_others_take_over() -> None:
    assert lease_of(DEAD)._keep < DEAD.total_seconds()


def test_no_two_processes_have_one_name() -> None:
    one, two = process_name("me"), process_name("me")
    assert one != two
    assert ["me", "me"] == [one.partition(":")[0], two.partition(":")[0]]


async def test_all_is_well() -> None:
    world = World()
    await world.heart.beat()
    assert ["beat me:1"] == world.around.calls


async def test_the_work_of_the_dead_is_taken_over_before_they_are_forgotten() -> None:
    world = World(Around(heard={"other:1": NOON}))
    await world.heart.beat()
    for seconds in (5.0, 10.0, 15.0):
        await world.beat_at(seconds)
    assert ["beat me:1"] * 4 == world.around.calls
    with structlog.testing.capture_logs() as logs:
        await world.beat_at(15.1)
    assert ["beat me:1", "take over other:1", "gone other:1"] == world.around.calls[4:]
    assert [("replica.dead", ["other:1"], 3)] == [
        (line["event"], line["replicas"], line["work"]) for line in logs
    ]
    await world.beat_at(20.0)
    assert "beat me:1" == world.around.calls[-1]


async def test_the_work_of_a_version_that_does_not_beat_is_taken_over() -> None:
    world = World(Around(nameless=["other:1"]))
    await world.heart.beat()
    assert ["beat me:1", "take over other:1", "gone other:1"] == world.around.calls


@pytest.mark.parametrize("step", [-3600, -0.001, 0.001, 20, 3600])
async def test_who_beats_lives_whatever_the_database_s_clock_shows(step: float) -> None:
    """It may be set, or another server goes on, with another one."""
    world = World(Around(heard={"other:1": NOON}))
    for nth in range(1, 20):
        world.around.heard["other:1"] = NOON + nth * timedelta(seconds=step)
        await world.beat_at(nth * 5.0)
    assert {"beat me:1"} == set(world.around.calls)


async def test_who_died_when_the_clock_was_set_back_is_found_all_the_same() -> None:
    world = World(Around(heard={"other:1": NOON + timedelta(hours=1)}))
    for seconds in (0.0, 5.0, 10.0, 15.1):
        await world.beat_at(seconds)
    assert "gone other:1" == world.around.calls[-1]


async def test_who_was_away_goes_on_under_another_name() -> None:
    """All it was at is left, in this order: nothing is begun before others know the new name."""
    world = World()
    world.clock.seconds = 11.0
    await world.heart.beat()
    assert [
        "break off",
        "beat new",
        "rename",
        "take over me:1",
        "gone me:1",
        "beat new",
    ] == world.around.calls
    assert world.lease.held
    assert world.around.executor.startswith("me:")
    assert {world.around.executor} == set(world.around.beating)


@pytest.mark.parametrize("failing", ["beat", "rename"])
async def test_who_was_away_begins_nothing_while_the_database_is_silent(failing) -> None:
    world = World(Around(failing={failing}))
    world.clock.seconds = 11.0
    with pytest.raises(StoreError):
        await world.heart.beat()
    assert not world.lease.held
    assert "me:1" == world.around.executor
    world.around.failing = set()
    await world.heart.beat()
    assert world.lease.held
    assert "me:1" != world.around.executor


async def test_who_fails_to_begin_again_is_dead_for_the_others() -> None:
    """Whatever it fails of: else it would live for ever, and do nothing."""
    world = World(Around(failing={"rename"}, error=RuntimeError("odd")))
    world.clock.seconds = 11.0
    with pytest.raises(RuntimeError):
        await world.heart.beat()
    assert not world.lease.held


async def test_who_still_holds_work_says_no_good_bye() -> None:
    """As one that died, it is found; who is not known as one at work, only after ten minutes."""
    world = World(Around(holds_work=True))
    await world.heart.start()
    await world.heart.stop()
    assert ["beat me:1"] == world.around.calls


async def test_it_beats_from_before_the_start_until_it_says_good_bye() -> None:
    world = World()
    await world.heart.start()
    assert ["beat me:1"] == world.around.calls
    await world.heart.stop()
    assert ["beat me:1", "gone me:1"] == world.around.calls


async def test_a_good_bye_that_nobody_hears_is_no_failure() -> None:
    world = World(Around(failing={"gone"}))
    await world.heart.stop()
    assert ["gone me:1"] == world.around.calls


async def test_a_silent_database_is_told_once_and_a_fault_of_ours_with_all_there_is(
    monkeypatch,
) -> None:
    monkeypatch.setattr("bot.heartbeat.BEATS", 1e6)
    world = World()
    await world.heart.start()
    with structlog.testing.capture_logs() as logs:
        world.around.failing = {"beat"}
        await _calls(world, 4)
        world.around.failing = set()
        world.around.heard = None  # type: ignore[assignment]
        async with asyncio.timeout(5):
            while len(logs) < 2:
                await asyncio.sleep(0.001)
    world.around.heard = {}
    await world.heart.stop()
    assert ["warning", "error"] == [line["log_level"] for line in logs][:2]
    assert {"replica.not_heard"} == {line["event"] for line in logs}


async def _calls(world: World, more: int) -> None:
    enough = len(world.around.calls) + more
    async with asyncio.timeout(5):
        while len(world.around.calls) < enough:
            await asyncio.sleep(0.001)
