"""Ten thousand deliveries as fast as they go in, or an hour's mix in ten minutes: is all done?

    python bench/load.py [--deliveries 10000] [--issues 1000] [--repositories 50]
    python bench/load.py --soak            # 5 deliveries a second for ten minutes

The bot is a process of its own (`serve`, its settings as they are, with a SQLite file), and so is
the embedded forge with the people in it (`crowd.py`). There is one sender, which waits for the
answer to each delivery before it sends the next, as Gitea does: so how many a second go in is how
quickly the bot answers, not how many it could bear at once. First each issue is assigned, then
people comment, edit, close, reopen, label, say priorities.

Prints how the deliveries were answered; when the last of the work was done, and how long it took
from being recorded to being done (to the second: the queue notes no more; work that was put off, as
what failed and is tried again, is left out of this one figure); the memory (RSS), and by how much
it was off its mean in the second half; the bot's part of a core. Then, with the bot stopped, each
issue is looked at once more, nothing written: it must have one report, which says what is so now,
the labels that go with it, and the priority that was said last. Exit status 1 where one has not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from time import monotonic, perf_counter

import httpx

from bot.app import Bot, at_work
from bot.config import load
from bot.labels import LabelBook
from bot.logs import configure
from bot.models import IssueRef
from bot.render import MARKER, Renderer
from bot.store.database import queue_path, sqlite_path
from tests.gitea_server import free_port

SECRET = "s3cr3t"
BOT = "coordinator"
PENDING = "SELECT count(*) FROM workflow_status WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED')"
TOOK = """SELECT completed_at - created_at FROM workflow_status
WHERE completed_at IS NOT NULL AND delay_until_epoch_ms IS NULL ORDER BY 1"""


@dataclass
class Crowd:
    """The process of the forge and the people."""

    process: subprocess.Popen[str]
    told: dict[str, object]

    @classmethod
    def start(cls, issues: int, repositories: int) -> Crowd:
        here = Path(__file__).with_name("crowd.py")
        command = [sys.executable, str(here), str(issues), str(repositories)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return cls(process, json.loads(process.stdout.readline()))

    def order(self, **wish: object) -> dict[str, object]:
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Serving:
    """The bot's process, and what it takes."""

    process: subprocess.Popen[bytes]
    port: int
    rss: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def start(cls, environ: dict[str, str], log: Path) -> Serving:
        port = free_port()
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"],
                env=os.environ | environ | {"PORT": str(port), "HOST": "127.0.0.1"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return cls(process, port)

    async def ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    (await client.get(f"http://127.0.0.1:{self.port}/ready")).raise_for_status()
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def watch(self) -> None:
        """Note every half second how much memory it has."""
        while True:
            self.rss.append((monotonic(), rss_of(self.process.pid)))
            await asyncio.sleep(0.5)

    def seconds(self) -> float:
        """Of processor time, so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


def rss_of(pid: int) -> float:
    """Resident memory, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(one for one in lines if one.startswith("VmRSS")).split()[1]) / 1024


def asked(database_url: str, statement: str) -> list[tuple[float, ...]]:
    """What the queue's file answers."""
    path = queue_path(sqlite_path(database_url))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(statement).fetchall()


async def empty(database_url: str) -> None:
    """Return when nothing is left to do, nor put off."""
    while asked(database_url, PENDING)[0][0]:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.5)


def part(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def tell_memory(rss: list[tuple[float, float]]) -> None:
    second = [mb for _, mb in rss[len(rss) // 2 :]]
    middle = mean(second)
    off = max(max(second) - middle, middle - min(second)) / middle
    print(
        f"memory: {rss[0][1]:.0f} MB at first, {max(mb for _, mb in rss):.0f} MB at most; "
        f"second half {min(second):.0f} to {max(second):.0f} MB, {off:.1%} off its mean"
    )


# ---- is all as it should be? ---------------------------------------------------------------------


@dataclass
class Check:
    """Every issue against what a look finds now."""

    bot: Bot
    client: httpx.AsyncClient
    said: dict[str, str]

    async def all_of(self, names: list[str], each: int) -> list[str]:
        refs = [IssueRef.parse(f"{name}#{n}") for name in names for n in range(1, each + 1)]
        found = list[str]()
        for start in range(0, len(refs), 8):
            parts = await asyncio.gather(*map(self.differs, refs[start : start + 8]))
            found += [f"{ref}: {why}" for ref, why in zip(refs[start:], parts, strict=False) if why]
        return found

    async def differs(self, ref: IssueRef) -> str:
        path = f"/repos/{ref.repository}/issues/{ref.number}"
        issue = (await self.client.get(path)).json()
        comments = (await self.client.get(f"{path}/comments")).json()
        reports = [c["body"] for c in comments if c["user"]["login"] == BOT and MARKER in c["body"]]
        labels = {label["name"] for label in issue["labels"]} - {"later", "bug"}
        report = await self.bot.coordinator.examine(ref)
        if report is None or len(reports) != 1:
            return f"{len(reports)} reports"
        policy = self.bot.policies.site.policy
        book = LabelBook(policy.scopes, [agent.name for agent in policy.agents])
        wanted = {spec.name for spec in book.wanted(report)}
        if labels != wanted:
            return f"labels {labels}, not {wanted}"
        priority = self.said.get(str(ref))
        if priority and f"priority/{priority}" not in labels:
            return f"{labels}, but {priority} was said last"
        return "" if Renderer().report(report) == reports[0] else "the report says otherwise"


async def check(environ: dict[str, str], names: list[str], each: int, said: dict[str, str]) -> int:
    """How many issues are not as they should be; the first of them are printed."""
    settings = load(environ, Path(environ["BOT_CONFIG"]))
    headers = {"Authorization": f"token {environ['GITEA_TOKEN']}"}
    base = f"{environ['GITEA_URL']}/api/v1"
    async with (
        at_work(settings, executor="check") as (bot, _),
        httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=30) as client,
    ):
        await bot.core()
        wrong = await Check(bot, client, said).all_of(names, each)
        failures = await bot.store.failures_count()
    print(f"{len(names) * each - len(wrong)} of {len(names) * each} issues are as they should be")
    print(f"work set aside: {failures}")
    for one in wrong[:20]:
        print(f"  {one}")
    return len(wrong) + failures


# ---- the run -------------------------------------------------------------------------------------


async def run(wish: argparse.Namespace, directory: Path) -> int:
    crowd = await asyncio.to_thread(Crowd.start, wish.issues, wish.repositories)
    (directory / "bot.toml").touch()
    environ = {
        "GITEA_URL": str(crowd.told["url"]),
        "GITEA_TOKEN": str(crowd.told["token"]),
        "GITEA_WEBHOOK_SECRET": SECRET,
        "DATABASE_URL": f"sqlite:///{directory}/bot.db",
        "BOT_CONFIG": str(directory / "bot.toml"),
        "LOG_LEVEL": "warning",
        "MOSAIC_COMMANDS__PER_HOUR": "1000000",
    }
    bot = Serving.start(environ, directory / "bot.log")
    try:
        await bot.ready()
        watching = asyncio.create_task(bot.watch())
        began, used = perf_counter(), bot.seconds()
        came = await asyncio.to_thread(
            crowd.order,
            url=f"http://127.0.0.1:{bot.port}/webhook/gitea",
            secret=SECRET,
            deliveries=wish.deliveries,
            per_second=wish.rate,
        )
        backlog = asked(environ["DATABASE_URL"], PENDING)[0][0]
        await empty(environ["DATABASE_URL"])
        seconds, used = perf_counter() - began, bot.seconds() - used
        watching.cancel()
        status = bot.stop()
        tell(wish, came, backlog, seconds, used)
        tell_memory(bot.rss)
        took = [ms / 1000 for (ms,) in asked(environ["DATABASE_URL"], TOOK)]
        print(
            f"recorded to done, {len(took):,} jobs: p50 {part(took, 0.5):.1f} s, "
            f"p99 {part(took, 0.99):.1f} s, at most {took[-1]:.1f} s; exit status {status}"
        )
        log = (directory / "bot.log").read_text(errors="replace").splitlines()
        print(f"{len(log)} lines of log at level warning", *log[:5], sep="\n  ")
        each = wish.issues // wish.repositories
        return await check(environ, crowd.told["names"], each, came["said"])
    finally:
        if bot.process.poll() is None:
            bot.process.kill()
            bot.process.wait()
        crowd.stop()


def tell(
    wish: argparse.Namespace,
    came: dict[str, object],
    backlog: float,
    seconds: float,
    used: float,
) -> None:
    answers = came["answers"]
    print(
        f"{len(answers):,} deliveries over {wish.issues:,} issues in {wish.repositories} "
        f"repositories; {os.cpu_count()} cores\n"
        f"sent in {came['seconds']:.0f} s ({len(answers) / came['seconds']:.0f} a second), "
        f"answered {came['statuses']}; p50 {part(answers, 0.5) * 1e3:.1f} ms, "
        f"p99 {part(answers, 0.99) * 1e3:.1f} ms, at most {answers[-1] * 1e3:.0f} ms\n"
        f"{backlog:,} jobs left then; all done after {seconds:.0f} s, "
        f"{used / seconds:.2f} of a core, {used / len(answers) * 1e3:.1f} ms of it a delivery"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=0)
    parser.add_argument("--issues", type=int, default=1000)
    parser.add_argument("--repositories", type=int, default=50)
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--rate", type=float, default=0.0, help="deliveries a second; 0: all")
    wish = parser.parse_args()
    if wish.soak:
        wish.rate = wish.rate or 5.0
    wish.deliveries = wish.deliveries or (int(wish.rate * 600) if wish.soak else 10_000)
    configure(level="warning")
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(1 if asyncio.run(run(wish, Path(directory))) else 0)


if __name__ == "__main__":
    main()
