"""A forge, Claude's server, a database and the bot's own processes, all of which can be broken."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.demo.forge import Forge, serve
from tests.claude_server import API_KEY, Behaviour, ClaudeServer, answers, claude_server
from tests.databases import PostgresServer
from tests.faults import bot_process
from tests.faults.bot_process import PROCESSES
from tests.faults.script import FAR, ROCKET, furnish
from tests.gitea_server import free_port

SECRET = "of-the-hook-and-long-enough"
START_SECONDS = 180.0
READING = answers(difficulty="easy", estimated_context=12_000)


@dataclass
class Process:
    """One process of the bot; `port` stays the same over its lives."""

    name: str
    port: int
    environ: dict[str, str]
    log: Path
    clock: Path
    running: BaseProcess | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self.running is not None
        assert self.running.pid is not None
        return self.running.pid

    @property
    def is_up(self) -> bool:
        """Whether it runs, as far as is known."""
        return self.running is not None and self.running.is_alive()

    async def start(self) -> None:
        """Start it, if it does not run; returns at once."""
        if not self.is_up:
            given = (self.environ, self.log, self.clock)
            self.running = PROCESSES.Process(target=bot_process.serve, args=given, daemon=True)
            self.running.start()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; gives its exit status."""
        if not self.is_up:
            return 0
        running = self.running
        assert running is not None
        self.signal(number)
        while running.is_alive():
            await asyncio.sleep(0.01)
        assert running.exitcode is not None
        return running.exitcode

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.is_up:
            with suppress(ProcessLookupError):  # it ended itself just now
                os.kill(self.pid, number)


class Proxy:
    """What stands before several processes: each delivery goes to one that takes it."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.recorded = 0

    async def handle(self, request: web.Request) -> web.Response:
        """`POST /webhook/gitea`."""
        body = await request.read()
        for process in self.processes:
            url = f"http://127.0.0.1:{process.port}/webhook/gitea"
            with suppress(aiohttp.ClientError, TimeoutError):
                async with (
                    asyncio.timeout(4),
                    aiohttp.ClientSession() as http,
                    http.post(url, data=body, headers=request.headers) as answer,
                ):
                    self.recorded += answer.status == 200
                    self.processes.append(self.processes.pop(0))
                    return web.Response(status=answer.status, body=await answer.read())
        return web.Response(status=502)


@dataclass
class Planned:
    """What is to go wrong with a request that may come, of the forge's or of Claude's."""

    forge: Forge
    claude: ClaudeServer
    _planned: list[tuple[str, Callable[[], bool]]] = field(default_factory=list)

    def at_forge(self, name: str, method: str, path: str, times: int, **how: Any) -> None:
        """The next `times` requests there; see `Faults.add`."""
        fault = self.forge.faults.add(method, path, times=times, **how)
        self._planned.append((name, lambda: fault.times < times))

    def at_claude(self, name: str, behaviour: Behaviour, times: int) -> None:
        """The next `times` questions."""
        asked = []

        async def behave(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            asked.append(name)
            return await behaviour(request, body)

        self.claude.then(*[behave] * times)
        self._planned.append((name, lambda: bool(asked)))

    def mend(self) -> list[str]:
        """All is well again; what went wrong meanwhile."""
        self.forge.faults.clear()
        self.claude.next.clear()
        self.claude.released.set()
        self.claude.released = asyncio.Event()
        planned, self._planned = self._planned, []
        return [name for name, happened in planned if happened()]


@dataclass
class World:
    """All of it. `clock` is the file that says how far off the bot's clock is."""

    forge: Forge
    claude: ClaudeServer
    database_url: str
    directory: Path
    token: str
    proxy: Proxy
    forge_port: int
    clock: Path
    planned: Planned
    postgres: PostgresServer | None = None
    processes: list[Process] = field(default_factory=list)
    _forge: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def forge_up(self) -> None:
        """Let the forge be reached, on the port that it always has."""
        await self._forge.enter_async_context(serve(self.forge, port=self.forge_port))

    async def forge_down(self) -> None:
        """Let nobody reach the forge; what people do in it goes on."""
        await self._forge.aclose()

    def processes_named(self, *names: str, **more: str) -> None:
        """Make processes of the bot, which are to be started."""
        for name in names:
            port = free_port()
            environ = {**self._environ(), **more, "MOSAIC_QUEUE__EXECUTOR": name, "PORT": str(port)}
            log = self.directory / f"{name}.log"
            self.processes.append(Process(name, port, environ, log, self.clock))
        self.proxy.processes = list(self.processes)

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GITEA_URL": f"http://127.0.0.1:{self.forge_port}",
            "GITEA_TOKEN": self.token,
            "GITEA_WEBHOOK_SECRET": SECRET,
            "ANTHROPIC_API_KEY": API_KEY,
            "ANTHROPIC_BASE_URL": self.claude.url,
            "DATABASE_URL": self.database_url,
            "HOST": "127.0.0.1",
            "BOT_CONFIG": str(self.directory / "bot.toml"),
            "LOG_LEVEL": "info",
            "MOSAIC_RECHECK_EVERY": "2s",
            "MOSAIC_GITEA__TIMEOUT": "1s",
            "MOSAIC_QUEUE__POLL": "200ms",
            "MOSAIC_QUEUE__FIRST_WAIT": "100ms",
            "MOSAIC_QUEUE__LONGEST_WAIT": "1s",
            "MOSAIC_QUEUE__ATTEMPTS": "100",
            "MOSAIC_QUEUE__DEAD_AFTER": "5s",
            "MOSAIC_AI__TIMEOUT": "1s",
        }

    def set_clock(self, seconds: float) -> None:
        """Set the bot's clock, so far off what it is."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds}", encoding="ascii")
        new.replace(self.clock)

    async def up(self) -> None:
        """Start all processes that do not run; returns once all answer."""
        for process in self.processes:
            await process.start()
        async with asyncio.timeout(START_SECONDS):
            for process in self.processes:
                while not await answers_at(process.port):
                    await process.start()  # it may have ended itself
                    await asyncio.sleep(0.05)

    async def metric(self, name: str) -> float:
        """The sum of a metric over all its labels and all processes; -1 where one is silent."""
        total = 0.0
        for process in self.processes:
            page = await page_of(process.port)
            if not page:
                return -1
            total += sum(
                map(float, re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.MULTILINE))
            )
        return total


async def page_of(port: int) -> str:
    """The metrics of a process; empty where it does not answer."""
    url = f"http://127.0.0.1:{port}/metrics"
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with (
            asyncio.timeout(5),
            aiohttp.ClientSession() as http,
            http.get(url) as answer,
        ):
            return await answer.text()
    return ""


async def answers_at(port: int) -> bool:
    """Whether a process listens."""
    return bool(await page_of(port))


@asynccontextmanager
async def world(
    directory: Path, database_url: str, postgres: PostgresServer | None = None
) -> AsyncIterator[World]:
    """A forge with its people and blockers, and nobody who coordinates anything yet."""
    forge = Forge()
    token = furnish(forge)
    (directory / "bot.toml").write_text("", encoding="utf-8")
    proxy = Proxy()
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/webhook/gitea", proxy.handle)
    async with AsyncExitStack() as stack:
        claude = await stack.enter_async_context(claude_server())
        claude.otherwise = READING
        server = await stack.enter_async_context(TestServer(app))
        for place in (ROCKET, FAR):
            hook = str(server.make_url("/webhook/gitea"))
            forge.add_hook(hook, secret=SECRET, repository=place)
        made = World(
            forge=forge,
            claude=claude,
            database_url=database_url,
            directory=directory,
            token=token,
            proxy=proxy,
            forge_port=free_port(),
            clock=directory / "clock",
            planned=Planned(forge, claude),
            postgres=postgres,
        )
        made.set_clock(0)
        await made.forge_up()
        stack.push_async_callback(made.forge_down)
        stack.push_async_callback(_end, made)
        yield made


async def _end(made: World) -> None:
    for process in made.processes:
        process.signal(signal.SIGCONT)
        await process.stop(signal.SIGKILL)
