"""A hundred thousand issues in the store: is the bot as quick as with a thousand, and as small?

    python bench/large.py [ISSUES] [REPOSITORIES]      # 100000, 50; beside 1000 in 5

All are coordinated, half of them wait for one or two others (`backlog.py`). The embedded forge that
holds them is one process, the bot another, with a SQLite file in which all is remembered. Prints
for either number of issues, and as ratios:

    start      from the start of the process until it takes deliveries, and Gitea knows it;
               and the processor time of that, which a busy machine does not make longer
    settled    until what it does at start (what was missed, what is gone) is done
    look       from recording a look until it is done, where nothing changed: the median of 30
    change     an issue is closed that others wait for: until all that follows is done
    recheck    to find that nothing changed; and how much processor time of it was the bot's own,
               for the forge goes through all its issues in Python, where a Gitea has an index
    circle     to answer whether an edge would close a circle: the first time (it reads all edges
               into memory), and the median of 30
    RSS        resident memory: when it has started, at the end, and at most
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, time

from backlog import Backlog
from load import rss_of

from bot.app import Bot, running
from bot.changes import Found
from bot.config import Settings, load
from bot.demo.api import issues as api
from bot.demo.api.call import Call
from bot.demo.forge import serve
from bot.demo.records import Issue
from bot.logs import configure
from bot.models import IssueRef
from bot.worker import look

SMALL = (1000, 5)
TIMES = 30
ROWS = (
    "start",
    "of it processor",
    "settled",
    "look",
    "change",
    "recheck",
    "the bot's part",
    "first circle",
    "circle",
)
SIZES = ("RSS started", "RSS at the end", "RSS at most")


def settings_of(directory: str, url: str, token: str) -> Settings:
    return load(
        {
            "GITEA_URL": url,
            "GITEA_TOKEN": token,
            "GITEA_WEBHOOK_SECRET": "secret",
            "DATABASE_URL": f"sqlite:///{directory}/bench.db",
            "MOSAIC_RECHECK_EVERY": "365d",
        },
        Path(directory) / "bot.toml",
    )


# ---- the forge's process -------------------------------------------------------------------------


def remember_lists() -> Callable[[], None]:
    """Let the forge find a list once for all its pages; the answer lets it forget.

    Of a hundred thousand issues a database has an index, and the forge's time is not asked here.
    """
    kept: dict[tuple[str, ...], list[Issue]] = {}
    chosen = api._chosen  # noqa: SLF001

    def remembered(call: Call, candidates: Iterable[Issue]) -> list[Issue]:
        key = call.request.path, *(call.query(name) for name in ("state", "since", "assigned"))
        if key not in kept:
            kept[key] = [*chosen(call, candidates)]
        return kept[key]

    api._chosen = remembered  # noqa: SLF001
    return kept.clear


async def hold(issues: int, repositories: int, directory: str) -> None:
    """Make all of it, remember it for the bot, and serve it until the input ends."""
    backlog, forget = Backlog(issues, repositories), remember_lists()
    async with serve(backlog.forge) as url:
        await backlog.remember(settings_of(directory, url, backlog.token))
        print(json.dumps({"url": url, "token": backlog.token}), flush=True)
        while order := await asyncio.to_thread(sys.stdin.readline):
            backlog.clock.back = timedelta()  # what lies before that was seen by the bot
            backlog.actor(backlog.names[0]).close(int(order))
            forget()
            print("{}", flush=True)


# ---- the bot's process ---------------------------------------------------------------------------


async def quiet(bot: Bot) -> None:
    while any((await bot.engine.counts()).values()):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.002)


async def took(what: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await what()
    return perf_counter() - began


def processor() -> float:
    """Seconds of it that this process had so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def nothing(_found: Found) -> None:
    """Nothing is recorded."""


async def work(directory: str, url: str, token: str, began: float) -> None:
    """A bot at work; tells how long things took, in seconds, and its memory, in MB."""
    async with running(settings_of(directory, url, token)) as (bot, _app):
        await bot.core()
        used = resource.getrusage(resource.RUSAGE_SELF)
        found = {
            "start": time() - began,
            "of it processor": used.ru_utime + used.ru_stime,
            "RSS started": rss_of(os.getpid()),
        }
        await quiet(bot)
        found["settled"] = time() - began

        async def looks(*numbers: int) -> None:
            for number in numbers:
                ref = IssueRef.parse(f"acme/repo0#{number}")
                await bot.engine.submit(look(ref, stamp=uuid.uuid4().hex))
            await quiet(bot)

        one, two = IssueRef.parse("acme/repo0#1"), IssueRef.parse("acme/repo0#2")
        found["first circle"] = await took(lambda: bot.graph.would_close(one, two))
        circles = [await took(lambda: bot.graph.would_close(one, two)) for _ in range(TIMES)]
        found["circle"] = median(circles)
        numbers = [8 * nth + 2 for nth in range(TIMES)]
        await looks(*numbers)  # the first look of each writes its report
        found["look"] = median([await took(lambda n=n: looks(n)) for n in numbers])
        print(json.dumps("close 1"), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        found["change"] = await took(lambda: looks(1))
        await bot.recheck.run(nothing)  # Gitea's clock went forward: it looks further back once
        before = processor()
        found["recheck"] = await took(lambda: bot.recheck.run(nothing))
        found["the bot's part"] = processor() - before
        found["RSS at the end"] = rss_of(os.getpid())
        found["RSS at most"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found), flush=True)


# ---- both ----------------------------------------------------------------------------------------


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, float]:
    return json.loads(process.stdout.readline())


def tell(process: subprocess.Popen[str], words: str = "") -> None:
    process.stdin.write(f"{words}\n")
    process.stdin.flush()


def cost(issues: int, repositories: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "bot.toml").touch()
        forge = start("hold", issues, repositories, directory)
        where = told(forge)
        bot = start("work", directory, where["url"], where["token"], time())
        try:
            told(bot)  # it is ready for something to happen
            tell(forge, "1")
            told(forge)
            tell(bot)
            return told(bot)
        finally:
            bot.wait()
            forge.stdin.close()
            forge.wait()


def main() -> None:
    configure(level="error")
    if sys.argv[1:2] == ["hold"]:
        return asyncio.run(hold(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
    if sys.argv[1:2] == ["work"]:
        return asyncio.run(work(*sys.argv[2:5], float(sys.argv[5])))
    issues, repositories = map(int, (*sys.argv[1:], *("100000", "50")[len(sys.argv) - 1 :]))
    few, many = cost(*SMALL), cost(issues, repositories)
    print(f"{os.cpu_count()} cores\n{'':<16}{SMALL[0]:>10,}{issues:>10,}{'ratio':>9}")
    for name in ROWS:
        print(f"{name:<16}{few[name]:>8.3f} s{many[name]:>8.3f} s{many[name] / few[name]:>8.1f}x")
    for name in SIZES:
        print(f"{name:<16}{few[name]:>7.0f} MB{many[name]:>7.0f} MB{many[name] / few[name]:>8.1f}x")
    return None


if __name__ == "__main__":
    main()
