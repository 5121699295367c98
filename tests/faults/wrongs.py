"""What can go wrong, each as one coroutine that breaks something, and mends it a moment later."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from random import Random

from bot.store.database import queue_path, sqlite_path
from tests.claude_server import fails, hangs_up, sends
from tests.faults.world import World

Wrong = Callable[[World, Random], Awaitable[str]]
"""Breaks something for a while; returns what it was, once it is mended."""

WRITES = r"^/repos/"


async def kill_the_bot(world: World, random: Random) -> str:
    """`kill -9`; it is started again a moment later."""
    process = random.choice(world.processes)
    await process.stop(signal.SIGKILL)
    await asyncio.sleep(random.uniform(0, 1.5))
    await process.start()
    return f"kill -9 of {process.name}"


async def kill_one_for_good(world: World, random: Random) -> str:
    """`kill -9` of one of several, which is not started before the act ends."""
    process = random.choice(world.processes)
    await process.stop(signal.SIGKILL)
    return f"kill -9 of {process.name}, for good"


async def stop_and_go_on(world: World, random: Random) -> str:
    """A process that stands still, perhaps for so long that others take it for dead."""
    process = random.choice(world.processes)
    seconds = random.choice((0.5, 2.0, 7.0))
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.signal(signal.SIGCONT)
    return f"stop of {process.name} for {seconds:g} s"


async def end_gently(world: World, random: Random) -> str:
    """SIGTERM, and a new start."""
    process = random.choice(world.processes)
    status = await process.stop()
    assert status in (0, -signal.SIGTERM, -signal.SIGKILL), f"exit status {status}"
    await process.start()
    return f"SIGTERM to {process.name}"


async def forge_down(world: World, random: Random) -> str:
    """Nobody listens at the forge's address."""
    await world.forge_down()
    await asyncio.sleep(random.uniform(0.2, 2.0))
    await world.forge_up()
    return "forge down"


async def forge_silent(world: World, random: Random) -> str:
    """It takes longer than the bot waits, though it does what is asked."""
    world.forge.faults.add("", WRITES, delay=1.5, times=random.randint(1, 3))
    return "forge silent"


async def forge_fails(world: World, random: Random) -> str:
    """An error, with and without a word on when to ask again."""
    status = random.choice((500, 502, 503, 429))
    headers = random.choice(({}, {"Retry-After": "1"}))
    world.forge.faults.add("", "", status=status, headers=headers, times=random.randint(1, 8))
    return f"forge answers {status} {headers or ''}".strip()


async def forge_hangs_up(world: World, random: Random) -> str:
    """It closes the connection, before the answer or in the middle of it."""
    half = random.random() < 0.5
    world.forge.faults.add("", "", close=True, half=half, times=random.randint(1, 5))
    return "forge hangs up" + (" in the middle" if half else "")


async def forge_does_it_but_does_not_say(world: World, random: Random) -> str:
    """What was asked is done, and the answer is lost on the way."""
    how = random.choice(({"close": True}, {"status": 502}, {"close": True, "half": True}))
    method = random.choice(("POST", "PATCH", "PUT", "DELETE"))
    world.forge.faults.add(method, WRITES, after=True, times=random.randint(1, 3), **how)
    return f"forge does a {method} and does not say so"


async def told_twice(world: World, random: Random) -> str:
    """Deliveries come again, late and out of order."""
    log = list(world.forge.deliveries.log)
    again = random.sample(log, min(len(log), 5))
    for one in again:
        world.forge.replay(one)
    return f"{len(again)} deliveries again"


async def claude_fails(world: World, random: Random) -> str:
    """Errors, nonsense, and connections that end."""
    how = random.choice(
        (
            fails(500),
            fails(529),
            fails(429, {"retry-after": "1"}),
            hangs_up(),
            hangs_up(after=b"{"),
            sends(b"<html>", "text/html", 502),
        )
    )
    world.claude.then(*[how] * random.randint(1, 4))
    return "Claude fails"


async def disk_full(world: World, random: Random) -> str:
    """No byte more goes into any file, neither the store's nor the queue's."""
    for process in world.processes:
        if process.is_up:
            _limit(process.pid, 4096)
    await asyncio.sleep(random.uniform(0.3, 2.0))
    for process in world.processes:
        if process.is_up:
            _limit(process.pid, resource.RLIM_INFINITY)
    return "disk full"


def _limit(pid: int, size: int) -> None:
    """Writing past `size` fails from now on, with EFBIG in place of ENOSPC."""
    try:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    except ProcessLookupError:
        pass  # it was killed meanwhile


async def sqlite_locked(world: World, random: Random) -> str:
    """Another process holds the file."""
    store = _store(world)
    path = random.choice((store, queue_path(store)))
    if not path.exists():
        return "nothing to lock yet"
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(random.uniform(0.3, 2.0))
        connection.execute("ROLLBACK")
    return f"{path.name} locked"


def _store(world: World) -> Path:
    path = sqlite_path(world.database_url)
    assert path is not None
    return path


async def clock_set(world: World, random: Random) -> str:
    """The bot's clock, forward or back, for a while."""
    seconds = random.choice((-3600, 3600, -86400, 40, -40))
    world.set_clock(seconds)
    await asyncio.sleep(random.uniform(0.3, 3.0))
    world.set_clock(0)
    return f"clock set by {seconds:+} s"


async def postgresql_restarted(world: World, random: Random) -> str:
    """All its connections end."""
    mode = random.choice(("fast", "immediate"))
    assert world.postgres is not None
    await asyncio.to_thread(world.postgres.restart, mode)
    return f"PostgreSQL restarted ({mode})"


ANYWHERE: tuple[Wrong, ...] = (
    kill_the_bot,
    kill_the_bot,
    kill_the_bot,
    stop_and_go_on,
    end_gently,
    forge_down,
    forge_silent,
    forge_fails,
    forge_fails,
    forge_hangs_up,
    forge_does_it_but_does_not_say,
    told_twice,
    claude_fails,
    clock_set,
)
ON_SQLITE: tuple[Wrong, ...] = (disk_full, sqlite_locked)
ON_POSTGRESQL: tuple[Wrong, ...] = (kill_one_for_good, postgresql_restarted)
