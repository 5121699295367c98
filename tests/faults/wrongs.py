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
from tests.claude_server import drips, fails, hangs, hangs_up, sends
from tests.faults.world import READING, World

Wrong = Callable[[World, Random], Awaitable[str]]
"""Breaks something for a while; returns what it was, once it is mended; empty where it was nothing.

What waits for a request that may not come is planned, and told at the end of the act.
"""

WRITES = r"^/repos/"
LOG_UNWRITTEN = 120  # Python's exit status where, on a full disk, its last log line found no place
BUSY_SECONDS = 30.0  # that the bot waits for a SQLite file; see `durable_sqlite`
RESTARTING = asyncio.Lock()  # of the one server that all runs share


async def kill_the_bot(world: World, random: Random) -> str:
    """`kill -9`; it is started again a moment later."""
    process = random.choice(world.processes)
    if not process.is_up:
        return ""
    await process.stop(signal.SIGKILL)
    await asyncio.sleep(random.uniform(0, 1.5))
    await process.start()
    return f"kill -9 of {process.name}"


async def kill_one_for_good(world: World, random: Random) -> str:
    """`kill -9` of one of several, which is not started before the act ends."""
    process = random.choice(world.processes)
    if not process.is_up:
        return ""
    await process.stop(signal.SIGKILL)
    return f"kill -9 of {process.name}, for good"


async def stop_and_go_on(world: World, random: Random) -> str:
    """A process that stands still, perhaps for so long that others take it for dead."""
    process = random.choice(world.processes)
    if not process.is_up:
        return ""
    seconds = random.choice((0.5, 2.0, 7.0))
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.signal(signal.SIGCONT)
    return f"stop of {process.name} for {seconds:g} s"


async def end_gently(world: World, random: Random) -> str:
    """SIGTERM, and a new start."""
    process = random.choice(world.processes)
    if not process.is_up:
        return ""
    status = await process.stop()
    await process.start()
    if status == -signal.SIGKILL:
        return ""  # it was killed at the same time, and that is told
    assert status in (0, LOG_UNWRITTEN, -signal.SIGTERM), f"exit status {status}"
    return f"SIGTERM to {process.name}" + (" as it starts" if status < 0 else "")


async def forge_down(world: World, random: Random) -> str:
    """Nobody listens at the forge's address."""
    await world.forge_down()
    await asyncio.sleep(random.uniform(0.2, 2.0))
    await world.forge_up()
    return "forge down"


async def forge_silent(world: World, random: Random) -> str:
    """It takes longer than the bot waits, though it does what is asked."""
    world.planned.at_forge("forge silent", "", WRITES, random.randint(1, 3), delay=1.5)
    return ""


async def forge_fails(world: World, random: Random) -> str:
    """An error, with and without a word on when to ask again."""
    status = random.choice((500, 502, 503, 429))
    headers = random.choice(({}, {"Retry-After": "1"}))
    name = f"forge answers {status} {headers or ''}".strip()
    world.planned.at_forge(name, "", "", random.randint(1, 8), status=status, headers=headers)
    return ""


async def forge_hangs_up(world: World, random: Random) -> str:
    """It closes the connection, before the answer or in the middle of it."""
    half = random.random() < 0.5
    name = "forge hangs up" + (" in the middle" if half else "")
    world.planned.at_forge(name, "", "", random.randint(1, 5), close=True, half=half)
    return ""


async def forge_does_it_but_does_not_say(world: World, random: Random) -> str:
    """What was asked is done, and the answer is lost on the way."""
    how = random.choice(({"close": True}, {"status": 502}, {"close": True, "half": True}))
    method = random.choice(("POST", "PATCH", "PUT", "DELETE"))
    name = f"forge does a {method} and does not say so"
    world.planned.at_forge(name, method, WRITES, random.randint(1, 3), after=True, **how)
    return ""


async def told_twice(world: World, random: Random) -> str:
    """Deliveries come again, late and out of order."""
    log = list(world.forge.deliveries.log)
    again = random.sample(log, min(len(log), 5))
    for one in again:
        world.forge.replay(one)
    return f"{len(again)} deliveries again" if again else ""


async def claude_fails(world: World, random: Random) -> str:
    """Errors, nonsense, connections that end, and silence beyond what the bot waits."""
    name, how = random.choice(
        (
            ("answers 500", fails(500)),
            ("answers 529", fails(529)),
            ("answers 429", fails(429, {"retry-after": "1"})),
            ("hangs up", hangs_up()),
            ("hangs up in the middle", hangs_up(after=b"{")),
            ("answers nonsense", sends(b"<html>", "text/html", 502)),
            ("is silent", hangs(READING)),
            ("is slow", drips()),
        )
    )
    world.planned.at_claude(f"Claude {name}", how, random.randint(1, 4))
    return ""


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
    """Another process holds the file, now and then for longer than the bot waits for it."""
    store = _store(world)
    path = random.choice((store, queue_path(store)))
    if not path.exists():
        return ""
    seconds = BUSY_SECONDS + 3 if random.random() < 0.1 else random.uniform(0.3, 2.0)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            async with asyncio.timeout(5):
                while not _begin(connection):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return ""  # a bot that is stopped holds it
        await asyncio.sleep(seconds)
        connection.execute("ROLLBACK")
    return f"{path.name} locked for " + ("long" if seconds > BUSY_SECONDS else "a while")


def _begin(connection: sqlite3.Connection) -> bool:
    """Whether it has the file now."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


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
    async with RESTARTING:
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
