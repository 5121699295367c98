"""Told to stop: nothing new is begun, what runs may finish, what comes is kept, and it ends with 0."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from bot.demo.api import gate
from bot.demo.forge import Forge, serve
from tests.e2e.command_line import command, environment
from tests.gitea_server import free_port

BOT, REPOSITORY, SECRET = "coordinator", "acme/rocket", "s3cr3t-of-the-hook"
WAIT = 60.0  # seconds until what does not come is given up
EASY = "Context estimate: 9k tokens"


@dataclass
class Held:
    """Requests that the forge keeps waiting until it is let go on."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """In place of a fault's delay."""
        if seconds:
            self.arrived.set()
            await self.released.wait()


@dataclass
class Life:
    """A bot as a process; its log as it comes."""

    process: asyncio.subprocess.Process
    port: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self.came:
                self.lines.append(json.loads(line))
                self.came.notify_all()

    async def logged(self, event: str, times: int = 1) -> None:
        """Return when that was logged."""
        async with asyncio.timeout(WAIT), self.came:
            await self.came.wait_for(lambda: self.events.count(event) >= times)

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    @property
    def stops(self) -> list[str]:
        return [event for event in self.events if event.startswith("stop")]

    async def ended(self) -> int:
        """Its exit status, once it has one."""
        async with asyncio.timeout(WAIT):
            return await self.process.wait()

    async def ready(self) -> tuple[int, dict[str, str]]:
        async with httpx.AsyncClient(trust_env=False, timeout=WAIT) as client:
            answer = await client.get(f"http://127.0.0.1:{self.port}/ready")
        return answer.status_code, answer.json()


@dataclass
class World:
    """A forge that can be held, and a folder for the bot."""

    forge: Forge
    held: Held
    directory: Path

    def __post_init__(self) -> None:
        self.alice = self.forge.act_as("alice", REPOSITORY)

    def hold(self, path: str) -> None:
        """Keep requests waiting that ask for it."""
        self.forge.faults.add("GET", path, delay=1.0, times=99)

    @asynccontextmanager
    async def bot(self, **more: str) -> AsyncIterator[Life]:
        port = free_port()
        environ = {
            "GITEA_URL": self.forge.url,
            "GITEA_TOKEN": self.forge.add_token(BOT, "all"),
            "GITEA_WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": f"sqlite:///{self.directory}/bot.db",
            "BOT_CONFIG": "",
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        hook = f"http://127.0.0.1:{port}/webhook/gitea"
        self.forge.add_hook(hook, secret=SECRET, repository=REPOSITORY)
        process = await asyncio.create_subprocess_exec(
            *command("serve"), env=environment(**environ | more), stderr=asyncio.subprocess.PIPE
        )
        life = Life(process, port)
        reading = asyncio.create_task(life.read())
        try:
            yield life
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading

    def jobs(self) -> dict[str, str]:
        """What became of deliveries, by what they are about."""
        with closing(sqlite3.connect(self.directory / "bot.queue.db")) as connection:
            rows = connection.execute(
                "SELECT queue_partition_key, status FROM workflow_status "
                "WHERE queue_partition_key LIKE '%#%' AND workflow_uuid NOT LIKE '%:%'"
            )
            return dict(rows.fetchall())

    def reports(self, number: int) -> int:
        return len(self.forge.comments(REPOSITORY, number, by=BOT))


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    forge, held = Forge(), Held()
    monkeypatch.setattr(gate, "asyncio", SimpleNamespace(sleep=held.sleep))
    for login in (BOT, "alice"):
        forge.add_user(login)
    forge.add_repository(REPOSITORY)
    for login in (BOT, "alice"):
        forge.grant(REPOSITORY, login, "admin")
    async with serve(forge):
        yield World(forge, held, tmp_path)
        held.released.set()


async def test_what_runs_finishes_and_what_comes_meanwhile_is_kept_for_the_next_start(
    world: World,
) -> None:
    world.hold("/issues/1$")
    async with world.bot() as bot:
        await bot.logged("serving")
        world.alice.open("First", EASY, assignees=[BOT])
        await world.held.arrived.wait()
        bot.process.send_signal(signal.SIGTERM)
        await bot.logged("stopping")
        assert (503, "stopping") == ((told := await bot.ready())[0], told[1]["process"])
        before = bot.events.count("delivery")
        world.alice.open("Second", EASY, assignees=[BOT])
        await world.forge.settled()
        await bot.logged("delivery", before + 1)
        world.held.released.set()
        assert 0 == await bot.ended()
    assert "stopped" == bot.events[-1]
    assert (1, 0) == (world.reports(1), world.reports(2))
    assert "ENQUEUED" == world.jobs()["acme/rocket#2"]
    assert 0 == world.forge.requests.count("GET", "/issues/2$")


async def twice(bot: Life) -> None:
    bot.process.send_signal(signal.SIGTERM)
    await bot.logged("stopping")
    bot.process.send_signal(signal.SIGTERM)


async def once(bot: Life) -> None:
    bot.process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("limit", "told", "expected"),
    [("50ms", once, []), ("60s", twice, ["stopping.at_once"])],
    ids=["after the limit", "told twice"],
)
async def test_what_does_not_finish_is_left_for_the_next_start(
    world: World, limit: str, told: Callable[[Life], Any], expected: list[str]
) -> None:
    world.hold("/issues/1$")
    async with world.bot(MOSAIC_SERVER__SHUTDOWN=limit) as bot:
        await bot.logged("serving")
        world.alice.open("First", EASY, assignees=[BOT])
        await world.held.arrived.wait()
        await told(bot)
        assert 0 == await bot.ended()
    assert ["stopping", *expected, "stopped"] == bot.stops
    assert {"acme/rocket#1": "ENQUEUED"} == world.jobs()
    assert 0 == world.reports(1)
    assert {"info"} == {line["level"] for line in bot.lines} - {"warning"}


async def test_told_while_it_starts_and_gitea_is_silent_it_ends_as_well(world: World) -> None:
    world.hold("/user$")
    async with world.bot(MOSAIC_SERVER__SHUTDOWN="50ms") as bot:
        await world.held.arrived.wait()
        assert "serving" not in bot.events
        bot.process.send_signal(signal.SIGTERM)
        assert 0 == await bot.ended()
    assert ["stopping", "stopped"] == bot.stops
