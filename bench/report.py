"""From a webhook to its report: how long, next to the API calls themselves, and how many of them.

    python bench/report.py [TIMES] [WAITING] [-v]     # -v: each call, and when

The bot runs in this process, with a SQLite file; the forge is a process of its own, the embedded
one and, where `GITEA_BIN` names one, a real Gitea. Each of these is done so many times (10), the
third once with so many issues waiting (50):

    first report   an issue is assigned to the bot; it waits for another one, as its text says
    nothing new    somebody sets a label that has nothing to do with the bot
    blocker        the issue that all the others wait for is closed
    burst          ten events on one issue, one after another: it takes as long as they do

Wall: from the arrival of the (first) webhook to the end of the last write the bot makes. Calls: how
many requests the bot makes for it, and the sum of their own times, as the client measures them, of
those that began within that time; calls that run side by side count each. Ratio: wall by that sum,
the median of all times (and the lowest and highest).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from aiohttp import web
from forge_apart import forge_apart

from bot.app import Bot, running
from bot.config import load
from bot.logs import configure
from tests.e2e.work import BOT, Work
from tests.forges import SECRET, ForgeServer, client_of, gitea_server
from tests.gitea_server import find_gitea, run_gitea

SAYS = "Context estimate: 9k tokens\nDifficulty: easy"
QUIET = 0.4  # seconds without a call, after which nothing more is expected


@dataclass
class Call:
    """One request of the bot's."""

    name: str
    began: float
    ended: float
    writes: bool


@dataclass
class Watch:
    """What comes in, and what the bot asks."""

    arrived: list[float] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def clear(self) -> None:
        self.arrived.clear()
        self.calls.clear()

    def request(self, method: str, route: str, _status: int | None, seconds: float) -> None:
        now = perf_counter()
        self.calls.append(Call(f"{method} {route}", now - seconds, now, method != "GET"))

    @web.middleware
    async def note(self, request: web.Request, handler: object) -> web.StreamResponse:
        if request.path.startswith("/webhook"):
            self.arrived.append(perf_counter())
        return await handler(request)

    def cost(self) -> Cost:
        calls = [call for call in self.calls if call.ended > self.arrived[0]]
        last = max((c.ended for c in calls if c.writes), default=max(c.ended for c in calls))
        return Cost(
            last - self.arrived[0],
            sum(call.ended - call.began for call in calls if call.began < last),
            Counter(call.name for call in calls),
            [
                (call.name, call.began - self.arrived[0], call.ended - self.arrived[0])
                for call in calls
            ],
        )


@dataclass
class Cost:
    """What one of the cases took."""

    wall: float
    asked: float
    calls: Counter[str]
    order: list[tuple[str, float, float]]

    @property
    def ratio(self) -> float:
        return self.wall / self.asked


@dataclass
class Case:
    """A case, done once or several times."""

    name: str
    costs: list[Cost]

    def line(self) -> str:
        ratios = sorted(cost.ratio for cost in self.costs)
        wall, asked = (median(getattr(c, w) * 1e3 for c in self.costs) for w in ("wall", "asked"))
        calls = sorted(cost.calls.total() for cost in self.costs)
        span = f"{calls[0]}" if calls[0] == calls[-1] else f"{calls[0]}-{calls[-1]}"
        return (
            f"{self.name:<18}{wall:>9.0f}{asked:>10.0f}{median(ratios):>8.2f}x"
            f"{f'{ratios[0]:.2f}-{ratios[-1]:.2f}':>12}{span:>10}"
        )


@dataclass
class Bench:
    """A bot at work, and what it does."""

    work: Work
    watch: Watch

    async def quiet(self) -> None:
        """Return when the bot has nothing left to do."""
        while True:
            await self.work.quiet()
            latest = max((c.ended for c in self.watch.calls), default=0.0)
            latest = max([latest, *self.watch.arrived])
            if perf_counter() - latest > QUIET:
                return
            await asyncio.sleep(0.02)

    async def cost(self, happens: Callable[[], Awaitable[object]]) -> Cost:
        await self.quiet()
        self.watch.clear()
        await happens()
        while not self.watch.arrived:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        await self.quiet()
        return self.watch.cost()

    async def first(self, blocker: int) -> Cost:
        number = await self.work.open("Waits", f"Blocked by #{blocker}\n{SAYS}")
        return await self.cost(lambda: self.work.assign(number))

    async def unchanged(self, number: int, label: int) -> Cost:
        path = f"/repos/{self.work.repo}/issues/{number}/labels"
        cost = await self.cost(lambda: self.work.alice.do("POST", path, {"labels": [label]}))
        await self.work.alice.do("DELETE", f"{path}/{label}")
        return cost

    async def close_blocker(self, waiting: int) -> Cost:
        blocker = await self.work.open("The one", SAYS, BOT)
        for _ in range(waiting):
            await self.work.open("Waits", f"Blocked by #{blocker}\n{SAYS}", BOT)
        return await self.cost(lambda: self.work.change(blocker, state="closed"))

    async def burst(self, number: int, nth: int) -> Cost:
        async def events() -> None:
            for word in range(10):
                await self.work.change(number, title=f"Title {nth} {word}")

        return await self.cost(events)

    async def cases(self, times: int, waiting: int) -> list[Case]:
        work = self.work
        path = f"/repos/{work.repo}/labels"
        made = await work.alice.do("POST", path, {"name": "later", "color": "#888888"})
        blocker = await work.open("Blocks", SAYS)
        number = await work.open("Waits", f"Blocked by #{blocker}\n{SAYS}", BOT)
        return [
            Case("first report", [await self.first(blocker) for _ in range(times)]),
            Case("nothing new", [await self.unchanged(number, made["id"]) for _ in range(times)]),
            Case(f"blocker of {waiting}", [await self.close_blocker(waiting)]),
            Case("burst", [await self.burst(number, nth) for nth in range(times)]),
        ]


@asynccontextmanager
async def at_work(server: ForgeServer, directory: Path) -> AsyncIterator[Bench]:
    """A bot that hears of everything in a new repository."""
    people = {"alice": "admin", BOT: "admin"}
    repo = await server.repository(people=people, files={"src/pump.py": 9000})
    (directory / "bot.toml").touch()
    settings = load(
        {
            "GITEA_URL": server.url,
            "GITEA_TOKEN": server.token(BOT),
            "GITEA_WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": f"sqlite:///{directory}/bot.db",
            "MOSAIC_RECHECK_EVERY": "365d",
            **{name: value for name, value in os.environ.items() if name.startswith("MOSAIC_")},
        },
        directory / "bot.toml",
    )
    async with running(settings) as (bot, app):
        watch = _watched(bot, app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        work = Work(server, bot, runner.addresses[0][1], repo)
        await work.hear()
        yield Bench(work, watch)
        await runner.cleanup()


def _watched(bot: Bot, app: web.Application) -> Watch:
    watch, client = Watch(), bot.gitea.client
    counted = client._observe  # noqa: SLF001 - beside the metrics

    def observe(*asked: object) -> None:
        counted(*asked)
        watch.request(*asked)

    client._observe = observe  # noqa: SLF001
    app.middlewares.append(watch.note)
    return watch


@asynccontextmanager
async def real() -> AsyncIterator[ForgeServer]:
    with tempfile.TemporaryDirectory() as directory, run_gitea(Path(directory)) as gitea:
        async with client_of(gitea.url) as client:
            yield gitea_server(gitea, client)


async def measure(server: ForgeServer, times: int, waiting: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with at_work(server, Path(directory)) as bench:
            cases = await bench.cases(times, waiting)
    print(f"\n{server.kind}, {os.cpu_count()} cores, {times} times each")
    print(f"{'case':<18}{'wall ms':>9}{'calls ms':>10}{'ratio':>9}{'from-to':>12}{'calls':>10}")
    for case in cases:
        print(case.line())
    for case in cases:
        cost = case.costs[-1]
        print(f"\n{case.name}:", ", ".join(f"{n} {name}" for name, n in cost.calls.most_common()))
        if "-v" in sys.argv:
            for name, began, ended in sorted(cost.order, key=lambda one: one[1])[:40]:
                print(f"  {began * 1e3:8.1f} {ended * 1e3:8.1f}  {name}")


async def run(times: int, waiting: int) -> None:
    async with forge_apart() as server:
        await measure(server, times, waiting)
    if find_gitea():
        async with real() as server:
            await measure(server, times, waiting)


def main() -> None:
    given = [one for one in sys.argv[1:] if one != "-v"]
    times, waiting = (*given, *("10", "50")[len(given) :])
    configure(level="warning")
    asyncio.run(run(int(times), int(waiting)))


if __name__ == "__main__":
    main()
