"""Several processes of the bot on one PostgreSQL database, as docs/replicas.md tells of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.demo.forge import Forge, serve
from tests.databases import postgres
from tests.e2e.next_version import AFTER, BEFORE
from tests.e2e.test_postgresql import BOT, REPO, SIZE, postgresql_url
from tests.gitea_server import free_port

__all__ = ["postgres", "postgresql_url"]

LARGE = "\n\nContext estimate: 60k tokens\nDifficulty: easy"
ENOUGH = 60.0  # seconds
SOON = {"MOSAIC_QUEUE__DEAD_AFTER": "4s"}  # 15 s, as it is otherwise, would only take longer


async def until(holds: Callable[[], object]) -> None:
    """Return once that is so."""
    async with asyncio.timeout(ENOUGH):
        while not holds():  # another process does it
            await asyncio.sleep(0.05)


@dataclass
class Replica:
    """One of the processes."""

    process: asyncio.subprocess.Process
    port: int

    async def done(self) -> int:
        """How many jobs it has done."""
        async with httpx.AsyncClient() as http:
            page = (await http.get(f"http://127.0.0.1:{self.port}/metrics")).text
        lines = [one for one in page.splitlines() if one.startswith("mosaic_jobs_total{")]
        return sum(int(float(one.split()[-1])) for one in lines if 'outcome="done"' in one)

    async def kill(self) -> None:
        """As by `kill -9`."""
        self.process.kill()
        await self.process.wait()


@dataclass
class World:
    """A forge, a database, and the replicas at work."""

    forge: Forge
    environ: dict[str, str]
    logs: Path

    def __post_init__(self) -> None:
        self.alice = self.forge.act_as("alice", REPO)

    def hook(self, *replicas: Replica) -> None:
        """Send deliveries to these."""
        self.forge.state.hooks.clear()
        for one in replicas:
            hook = f"http://127.0.0.1:{one.port}/webhook/gitea"
            self.forge.add_hook(hook, secret="secret", repository=REPO)

    @asynccontextmanager
    async def running(
        self, *names: str, program: Sequence[str] = ("bot",), **environ: str
    ) -> AsyncIterator[list[Replica]]:
        """Replicas started all at once; stopped at the end, if they are not dead."""
        async with AsyncExitStack() as stack:
            started = [
                stack.enter_async_context(self._one(name, program, environ)) for name in names
            ]
            replicas = await asyncio.gather(*started)
            self.hook(replicas[-1])
            yield list(replicas)

    @asynccontextmanager
    async def _one(
        self, name: str, program: Sequence[str], environ: dict[str, str]
    ) -> AsyncIterator[Replica]:
        port = free_port()
        with (self.logs / name).open("a") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *program, "serve"),
                env={**self.environ, **environ, "MOSAIC_QUEUE__EXECUTOR": name, "PORT": str(port)},
                stderr=log,
            )
        try:
            await until_it_listens(port)
            yield Replica(process, port)
        finally:
            if process.returncode is None:
                process.terminate()
                assert 0 == await process.wait()

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """What stands in the database."""
        with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def reports(self, issues: int) -> list[int]:
        """How many comments of the bot each issue has."""
        return [len(self.forge.comments(REPO, n + 1, by=BOT)) for n in range(issues)]


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(ENOUGH):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@pytest.fixture
async def world(postgresql_url: str, tmp_path: Path) -> AsyncIterator[World]:
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge) as url:
        yield World(
            forge,
            {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "GITEA_URL": url,
                "GITEA_TOKEN": token,
                "GITEA_WEBHOOK_SECRET": "secret",
                "DATABASE_URL": postgresql_url,
                "HOST": "127.0.0.1",
                "BOT_CONFIG": str(tmp_path / "bot.toml"),
            },
            tmp_path,
        )


async def test_three_share_the_work_and_do_none_of_it_twice(world: World) -> None:
    """Started at once on an empty database, each is told of everything: as much as can be double."""
    async with world.running("one", "two", "three", MOSAIC_RECHECK_EVERY="1s") as replicas:
        world.hook(*replicas)
        for n in range(20):
            world.alice.open(f"Issue {n}", SIZE, assignees=[BOT])
        await until(
            lambda: all("status/ready" in world.forge.labels(REPO, n + 1) for n in range(20))
        )
        shares = [await one.done() for one in replicas]
        made = world.forge.requests.matching("POST", f"^/repos/{REPO}/labels$", BOT)
    assert [1] * 20 == world.reports(20)
    assert all(shares), "one of them did nothing"
    labels = [one.name for one in world.forge.repository(REPO).labels.values()]
    assert len(set(labels)) == len(labels) == len(made)
    [[ticks, moments]] = world.rows(
        "SELECT count(*), count(DISTINCT workflow_uuid) FROM dbos.workflow_status "
        "WHERE workflow_uuid LIKE 'recheck:2%'"
    )
    assert ticks == moments
    assert [] == world.rows("SELECT * FROM replicas"), "all have said good-bye"


async def test_the_work_of_one_that_dies_is_done_by_the_others(world: World) -> None:
    world.alice.open("First", SIZE, assignees=[BOT])
    async with world.running("one", **SOON) as [one]:
        await until(lambda: "context/small" in world.forge.labels(REPO, 1))
        slow = world.forge.faults.add("GET", "/issues/1$", delay=ENOUGH, times=9)
        world.alice.edit(1, body=f"Changed.{LARGE}")
        await until(lambda: slow.times < 9)
        async with world.running("two", **SOON):
            await one.kill()
            world.forge.faults.clear()
            world.alice.comment(1, "/priority p1")
            await until(lambda: "context/large" in world.forge.labels(REPO, 1))
            await until(lambda: "priority/p1" in world.forge.labels(REPO, 1))
    assert [1] == world.reports(1)
    assert [] == world.rows("SELECT * FROM replicas")


async def test_one_that_is_stopped_for_a_while_and_goes_on_does_no_harm(world: World) -> None:
    """It wakes up with a write in its hands that another one has made by then."""
    async with world.running("one", **SOON) as [one]:
        held = world.forge.faults.add("GET", "/issues/1$", delay=1.0, times=1)
        world.alice.open("First", SIZE, assignees=[BOT])
        await until(lambda: not held.times)
        one.process.send_signal(signal.SIGSTOP)
        async with world.running("two", **SOON) as [two]:
            await until(lambda: "status/ready" in world.forge.labels(REPO, 1))
            one.process.send_signal(signal.SIGCONT)
            await until(lambda: "replica.was_away" in (world.logs / "one").read_text())
            world.hook(one)
            world.alice.open("Second", SIZE, assignees=[BOT])
            await until(lambda: "status/ready" in world.forge.labels(REPO, 2))
            await two.kill()
            world.alice.edit(1, body=f"Changed.{LARGE}")
            await until(lambda: "context/large" in world.forge.labels(REPO, 1))
    assert [1, 1] == world.reports(2)


async def test_what_one_that_is_stopped_leaves_is_done_by_the_others_at_once(world: World) -> None:
    world.alice.open("First", SIZE, assignees=[BOT])
    quick = {"MOSAIC_SERVER__SHUTDOWN": "100ms", "MOSAIC_QUEUE__DEAD_AFTER": "10m"}
    async with world.running("one", **quick) as [one]:
        await until(lambda: "context/small" in world.forge.labels(REPO, 1))
        slow = world.forge.faults.add("GET", "/issues/1$", delay=ENOUGH, times=9)
        world.alice.edit(1, body=f"Changed.{LARGE}")
        await until(lambda: slow.times < 9)
        async with world.running("two", **quick):
            world.forge.faults.clear()
            one.process.terminate()
            await until(lambda: "context/large" in world.forge.labels(REPO, 1))
            assert 0 == await one.process.wait()
    assert [1] == world.reports(1)


async def test_an_upgrade_one_by_one_loses_nothing_and_does_nothing_twice(world: World) -> None:
    """Old and new work side by side while people go on; one old one stops, the other one dies."""
    often = {**SOON, "MOSAIC_RECHECK_EVERY": "1s"}
    new = ("tests.e2e.next_version", str(world.logs / "next"))
    said: dict[int, int] = {}

    def people_go_on() -> None:
        for number, before in said.items():
            said[number] = (before + 1) % 4
            world.alice.comment(number, f"/priority p{said[number]}")
        for _ in range(3):
            said[world.alice.open("Another one", SIZE, assignees=[BOT]).number] = 0

    def is_right(number: int) -> bool:
        labels = world.forge.labels(REPO, number)
        first = said[number] == 0 and not any(one.startswith("priority/") for one in labels)
        return "status/ready" in labels and (first or f"priority/p{said[number]}" in labels)

    def words(number: int) -> str:
        [report] = world.forge.comments(REPO, number, by=BOT)
        return report.body

    async with world.running("old-one", "old-two", **often) as [old_one, old_two]:
        people_go_on()
        await until(lambda: all(map(is_right, said)))
        assert all(BEFORE in words(number) for number in said)
        async with world.running("new-one", program=new, **often) as [new_one]:
            world.hook(new_one, old_two)
            people_go_on()
            old_one.process.terminate()
            assert 0 == await old_one.process.wait()
            people_go_on()
            async with world.running("new-two", program=new, **often) as [new_two]:
                world.hook(new_one, new_two)
                people_go_on()
                await old_two.kill()
                people_go_on()
                await until(lambda: all(map(is_right, said)))
                await until(lambda: all(AFTER in words(number) for number in said))
    assert [1] * len(said) == world.reports(len(said))
    assert [] == world.rows("SELECT * FROM failures")
    assert [("9999",)] == world.rows("SELECT version_num FROM mosaic_version")
    for name in ("old-one", "old-two", "new-one", "new-two"):
        log = (world.logs / name).read_text()
        assert "Traceback" not in log, log
