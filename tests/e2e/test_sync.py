"""`sync`: everything is brought up to date by hand, beside a bot at work or without one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.app import executor_of, utc_now
from bot.config import Settings, load
from bot.demo.actor import Actor
from bot.demo.forge import Forge, serve
from bot.errors import CoordinatorError, UserError
from bot.render import MARKER
from bot.server import serving
from bot.store.database import opened
from bot.store.queries import Store
from bot.sync import HELD, Outcome, sync
from tests.databases import fresh_database, postgres

pytestmark = pytest.mark.counted

__all__ = ["postgres"]

BOT, REPO, FAR = "coordinator", "acme/rocket", "far/away"
EASY = "Context estimate: 9k tokens\nDifficulty: easy"


@dataclass
class World:
    """A forge with issues of the bot's in two repositories, of which no webhook tells."""

    forge: Forge
    environ: dict[str, str]
    told: list[tuple[int, int]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(self.environ)

    def alice(self, repository: str = REPO) -> Actor:
        return self.forge.act_as("alice", repository)

    def stands(self, number: int, repository: str = REPO) -> str:
        """The first word of the one report, or nothing where there is none."""
        said = [one.body for one in self.forge.comments(repository, number, by=BOT)]
        reports = [body for body in said if body.startswith(MARKER)]
        assert len(reports) <= 1
        return reports[0].split("**")[1] if reports else ""

    async def sync(self, *repositories: str) -> Outcome:
        self.told.clear()
        return await sync(self.settings, repositories, lambda *done: self.told.append(done))

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Status, output and errors of the command, run as a process of its own."""
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "sync", *arguments),
            env=environ | self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    for repository in (REPO, FAR):
        forge.add_repository(repository)
        for login in (BOT, "alice"):
            forge.grant(repository, login, "admin")
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge):
        made = World(
            forge,
            {
                "GITEA_URL": forge.url,
                "GITEA_TOKEN": token,
                "DATABASE_URL": f"sqlite:///{tmp_path}/bot.db",
                "HOST": "127.0.0.1",
                "PORT": "0",
                "BOT_CONFIG": str(tmp_path / "bot.toml"),
            },
        )
        made.alice().open("First", EASY, assignees=[BOT])
        made.alice().open("Second", f"Blocked by #1\n\n{EASY}", assignees=[BOT])
        made.alice().open("Nobody's", EASY)
        made.alice(FAR).open("Far", EASY, assignees=[BOT])
        yield made


def all_stand(world: World) -> list[str]:
    return [world.stands(1), world.stands(2), world.stands(3), world.stands(1, FAR)]


READY = ["Ready", "Blocked", "", "Ready"]


async def test_everything_assigned_is_brought_up_to_date_with_no_bot_at_work(world: World) -> None:
    """It needs no webhook secret; what is done is told."""
    assert Outcome(3, {}) == await world.sync()
    assert READY == all_stand(world)
    assert (3, 3) == world.told[-1]
    world.forge.requests.clear()
    assert Outcome(3, {}) == await world.sync()
    assert not [one for one in world.forge.requests if one.user == BOT and one.method != "GET"]


async def test_what_is_known_is_looked_at_though_it_is_assigned_no_more(world: World) -> None:
    await world.sync()
    world.alice().unassign(2)
    world.alice().close(1)
    assert Outcome(3, {}) == await world.sync()
    assert ["Closed", "Ended", "", "Ready"] == [one.partition(":")[0] for one in all_stand(world)]


async def test_only_named_repositories_are_brought_up_to_date(world: World) -> None:
    assert Outcome(1, {}) == await world.sync("Far/AWAY")
    assert ["", "", "", "Ready"] == all_stand(world)
    world.alice(FAR).rename_repository("further")
    assert 2 == (await world.sync(FAR)).issues, "under its old name and under the new one"
    assert "Ready" == world.stands(1, "far/further")


async def test_a_lost_store_comes_back_with_one_report_for_each_issue(
    world: World, tmp_path: Path
) -> None:
    await world.sync()
    world.environ["DATABASE_URL"] = f"sqlite:///{tmp_path}/another.db"
    assert Outcome(3, {}) == await world.sync()
    assert READY == all_stand(world)
    async with opened(world.environ["DATABASE_URL"]) as engine:
        known = await Store(engine, now=utc_now).coordinated()
    assert 3 == len(known)


async def test_beside_a_bot_at_work_that_one_does_it(world: World) -> None:
    serves = load({**world.environ, "GITEA_WEBHOOK_SECRET": "secret"})
    async with serving(serves) as (bot, _):
        async with asyncio.timeout(30):
            while any((await bot.engine.counts()).values()):
                await asyncio.sleep(0.02)
        world.alice().close(1)
        assert Outcome(3, {}) == await world.sync()
        assert ["Closed", "Ready", "", "Ready"] == all_stand(world)
        assert (3, 3) == world.told[-1]


async def test_a_bot_that_is_stopped_meanwhile_does_the_rest_later(world: World) -> None:
    serves = load({**world.environ, "GITEA_WEBHOOK_SECRET": "secret"})
    async with serving(serves):
        pass
    world.forge.faults.add("GET", r"^/repos/far/away/issues/1$", status=503, times=500)
    async with serving(serves):
        waiting = asyncio.ensure_future(world.sync(FAR))
        async with asyncio.timeout(30):
            while not world.told:
                await asyncio.sleep(0.02)
    with pytest.raises(CoordinatorError, match="stopped before all was done"):
        await waiting


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ("write owner/repo", "rocket"),
        ("write owner/repo", "acme/rocket#1"),
        ("there is no acme/missile", "acme/missile"),
    ],
)
async def test_a_wrong_name_is_told(world: World, expected: str, name: str) -> None:
    with pytest.raises(UserError, match=expected):
        await world.sync(REPO, name)
    assert ["", "", "", ""] == all_stand(world)


# ---- the command ----


async def test_the_command_says_how_far_it_is_and_what_came_of_it(world: World) -> None:
    status, out, err = await world.command()
    assert (0, "Brought up to date: 3 of 3.\n") == (status, out)
    assert err.endswith("3 of 3\n")
    assert READY == all_stand(world)


async def test_what_fails_is_told_and_ends_with_1(world: World) -> None:
    world.forge.faults.add("POST", r"/rocket/issues/1/comments$", status=403, times=50)
    status, out, _ = await world.command("--json", REPO)
    assert 1 == status
    told = json.loads(out)
    assert 2 == told["issues"]
    [failed] = told["failed"]
    assert f"{REPO}#1" == failed["issue"]
    assert "403" in failed["error"]
    status, out, _ = await world.command()
    assert 1 == status
    assert "Brought up to date: 2 of 3.\n" in out
    assert f"✗ {REPO}#1: " in out


async def test_bad_use_ends_with_2(world: World) -> None:
    status, out, err = await world.command("acme/missile")
    assert (2, "") == (status, out)
    assert "mosaic-coordinator: there is no acme/missile, or the bot may not see it\n" == err


# ---- on PostgreSQL, where others may be at work ----


@pytest.fixture
def shared(world: World, postgres: str) -> Iterator[World]:
    with fresh_database(postgres) as url:
        world.environ["DATABASE_URL"] = url
        yield world


async def test_on_postgresql_it_is_done_here_but_for_one_sync_at_a_time(shared: World) -> None:
    assert Outcome(3, {}) == await shared.sync()
    assert READY == all_stand(shared)
    async with opened(shared.environ["DATABASE_URL"]) as engine:
        name = f"sync:{executor_of(shared.settings)}/sync"
        await Store(engine, now=utc_now).lock(name, "another", HELD)
    with pytest.raises(CoordinatorError, match="another sync is at work"):
        await shared.sync()
