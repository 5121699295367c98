"""What a recheck costs: to find what changed in Gitea while nobody told the bot.

    python bench/recheck.py [ISSUES] [REPOSITORIES] [PART]

The embedded forge, served over HTTP, holds so many issues (10000) in so many repositories (20),
all coordinated, half of them blocked by one or two others. A part of them (0.01) changes without
a webhook: is closed, reopened, edited, labelled, made to wait in Gitea. Prints API calls, seconds,
and how many of those are found by the plain way (each blocker of each blocked issue is asked for,
and tells only whether it is open) and by the bot's recheck, as ratios of one run too; in either
as many calls run side by side. Then what the looks cost that follow; the next recheck, which looks
for what is gone as well, as once an hour; and the memory of one (tracemalloc). In that, and in all
seconds, are the forge's answers, for it runs in the same process. The database is a SQLite file.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import tracemalloc
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from backlog import BLOCK, Act, Backlog

from bot.app import Bot, running
from bot.changes import Found
from bot.config import load
from bot.demo.forge import serve
from bot.logs import configure
from bot.models import IssueRef
from bot.recheck import AT_ONCE
from bot.side_by_side import all_of
from bot.store.queries import Edge
from bot.worker import look


@dataclass(frozen=True)
class Cost:
    """What a way took, and what it found."""

    name: str
    calls: int
    seconds: float
    found: set[IssueRef]

    def __str__(self) -> str:
        return f"{self.name}: {self.calls:,} calls, {self.seconds:.2f} s"

    def line(self, changed: set[IssueRef], plain: Cost) -> str:
        """One line of the table."""
        found = f"{len(self.found & changed)} of {len(changed)}"
        fewer, faster = plain.calls / self.calls, plain.seconds / self.seconds
        return (
            f"{self.name:<22}{self.calls:>7,}{self.seconds:>9.2f}{found:>13}"
            f"{fewer:>8.1f}x{faster:>8.1f}x"
        )


@dataclass
class Work:
    """The bot at work on a backlog."""

    backlog: Backlog
    bot: Bot

    async def cost(self, name: str, way: Callable[[], Awaitable[set[IssueRef]]]) -> Cost:
        self.backlog.calls.clear()
        calls, began = self.backlog.calls.total, perf_counter()
        found = await way()
        return Cost(name, self.backlog.calls.total - calls, perf_counter() - began, found)

    async def plain(self) -> set[IssueRef]:
        """The blockers that stand otherwise than is remembered; each is asked for."""
        edges = await self.bot.store.blockers(await self.bot.store.blocked())
        known = await self.bot.store.issues({edge.on for edge in edges})

        async def ask(edge: Edge) -> set[IssueRef]:
            issue = await self.bot.gitea.issue(edge.on)
            return set() if issue.state == known[edge.on].state else {edge.on}

        return set().union(*await all_of(map(ask, edges), at_once=AT_ONCE))

    async def recheck(self, *, start: bool = False) -> set[IssueRef]:
        """What is to be looked at, as the bot's own recheck finds it."""
        looks: set[IssueRef] = set()

        async def record(found: Found) -> None:
            looks.update(found.looks)

        await self.bot.recheck.run(record, start=start)
        return looks

    async def look(self, refs: set[IssueRef]) -> set[IssueRef]:
        """Have issues looked at by the bot, and all that this concerns."""
        for ref in sorted(refs):
            await self.bot.engine.submit(look(ref, stamp=uuid.uuid4().hex))
        await self.quiet()
        return refs

    async def quiet(self) -> None:
        while any((await self.bot.engine.counts()).values()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)

    async def held(self) -> float:
        """How many megabytes a recheck holds at most; it finds the latest changes once more."""
        tracemalloc.start()
        await self.recheck()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / 1e6


@asynccontextmanager
async def at_work(backlog: Backlog, directory: Path) -> AsyncIterator[Work]:
    """A bot that remembers the backlog and has done what it does at start."""
    (directory / "bot.toml").touch()
    async with serve(backlog.forge) as url:
        settings = load(
            {
                "GITEA_URL": url,
                "GITEA_TOKEN": backlog.token,
                "GITEA_WEBHOOK_SECRET": "secret",
                "DATABASE_URL": f"sqlite:///{directory}/bench.db",
                "MOSAIC_RECHECK_EVERY": "365d",
            },
            directory / "bot.toml",
        )
        await backlog.remember(settings)
        async with running(settings) as (bot, _):
            work = Work(backlog, bot)
            await work.quiet()
            yield work


async def prepare(work: Work, plan: list[Act]) -> None:
    """Look at what will change, and at what is near: it has a report then, as it has in life."""
    near = {IssueRef.parse(f"{name}#{first + n}") for _, name, first in plan for n in range(BLOCK)}
    near |= {edge.waits for edge in await work.bot.store.waiting(near)}
    await work.look(near)
    work.backlog.clock.back = timedelta()
    await work.recheck()


async def measure(work: Work, plan: list[Act]) -> None:
    """Let all of it change, and print what it costs to find it."""
    backlog = work.backlog
    since = backlog.forge.state.now()
    for one in plan:
        backlog.act(*one)
    changed = backlog.changed(since)
    plain = await work.cost("one call per blocker", work.plain)
    recheck = await work.cost("recheck", work.recheck)
    routes = Counter(one.path.rpartition("/")[2] for one in backlog.calls)
    print(f"{'way':<22}{'calls':>7}{'seconds':>9}{'found':>13}{'fewer':>9}{'faster':>9}")
    print(plain.line(changed, plain))
    print(recheck.line(changed, plain))
    wanted = 3 * backlog.repositories + len(changed) / 50
    print(f"\ncalls of the recheck: {', '.join(f'{n} {name}' for name, n in routes.most_common())}")
    print(f"3 per repository and 1 per 50 changed would be {wanted:g}")

    looks = await work.cost("looks", lambda: work.look(recheck.found))
    print(f"{looks}, for {len(looks.found)} issues and those they concern")
    hourly = await work.cost("next, with what is gone", lambda: work.recheck(start=True))
    print(f"{hourly}; {len(hourly.found)} to be looked at again")
    print(f"memory: {await work.held():.1f} MB at most")


async def run(issues: int, repositories: int, part: float) -> None:
    began = perf_counter()
    backlog = Backlog(issues, repositories)
    with tempfile.TemporaryDirectory() as directory:
        async with at_work(backlog, Path(directory)) as work:
            edges = await work.bot.store.blockers(await work.bot.store.blocked())
            print(
                f"{backlog.issues:,} issues in {repositories} repositories, "
                f"{len({edge.waits for edge in edges}):,} blocked by {len(edges):,}; "
                f"{os.cpu_count()} cores; made in {perf_counter() - began:.0f} s\n"
            )
            plan = backlog.plan(part)
            await prepare(work, plan)
            await measure(work, plan)


def main() -> None:
    issues, repositories, part = (*sys.argv[1:], *("10000", "20", "0.01")[len(sys.argv) - 1 :])
    configure(level="warning")
    asyncio.run(run(int(issues), int(repositories), float(part)))


if __name__ == "__main__":
    main()
