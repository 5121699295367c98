"""The whole bot on PostgreSQL: store, queue, start, stop and start again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.app import Bot
from bot.config import load
from bot.demo.forge import Forge, serve
from bot.server import serving
from tests.databases import fresh_database, postgres
from tests.e2e.work import SELDOM

__all__ = ["postgres"]

BOT, REPO = "coordinator", "acme/rocket"
SIZE = "\n\nContext estimate: 9k tokens\nDifficulty: easy"


@pytest.fixture
def postgresql_url(postgres: str) -> Iterator[str]:
    """`DATABASE_URL` of an empty PostgreSQL database."""
    with fresh_database(postgres) as url:
        yield url


async def quiet(forge: Forge, bot: Bot) -> None:
    """Return when all is delivered and done."""
    async with asyncio.timeout(30):
        still = 0
        while still < 2:
            await forge.settled()
            still = 0 if any((await bot.engine.counts()).values()) else still + 1
            await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(forge: Forge, token: str, url: str, directory: Path) -> AsyncIterator[Bot]:
    (directory / "bot.toml").write_text("", encoding="utf-8")
    settings = load(
        {
            "GITEA_URL": forge.url,
            "GITEA_TOKEN": token,
            "GITEA_WEBHOOK_SECRET": "secret",
            "DATABASE_URL": url,
            "HOST": "127.0.0.1",
            "PORT": "0",
            "BOT_CONFIG": str(directory / "bot.toml"),
            **SELDOM,
        }
    )
    async with serving(settings) as (bot, port):
        forge.state.hooks.clear()
        hook = f"http://127.0.0.1:{port}/webhook/gitea"
        forge.add_hook(hook, secret="secret", repository=REPO)
        yield bot


async def test_a_report_follows_its_issue_over_a_restart(
    postgresql_url: str, tmp_path: Path
) -> None:
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    alice = forge.act_as("alice", REPO)
    async with serve(forge):
        async with at_work(forge, token, postgresql_url, tmp_path) as bot:
            alice.open("First")
            alice.open("Second", f"Blocked by #1{SIZE}", assignees=[BOT])
            await quiet(forge, bot)
            [before] = forge.comments(REPO, 2, by=BOT)
            assert "**Blocked**" in before.body
            assert "status/blocked" in forge.labels(REPO, 2)
        alice.close(1)
        async with at_work(forge, token, postgresql_url, tmp_path) as bot:
            await quiet(forge, bot)
            after, notice = forge.comments(REPO, 2, by=BOT)
            assert "is closed" in notice.body
            assert before.id == after.id
            assert "**Ready**" in after.body
            assert "status/ready" in forge.labels(REPO, 2)
            assert [] == await bot.store.failures()


def ticks_done(url: str) -> int:
    """How many rechecks that were due are done."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM dbos.workflow_status "
            "WHERE workflow_uuid LIKE 'recheck:2%' AND status = 'SUCCESS'"
        ).fetchone()
    return int(found[0]) if found else 0


async def test_two_replicas_make_one_recheck_of_a_tick(postgresql_url: str, tmp_path: Path) -> None:
    """Each submits every tick; the number of assignments is asked for once in each recheck."""
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    forge.act_as("alice", REPO).open("First", SIZE, assignees=[BOT])
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge) as forge_url:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GITEA_URL": forge_url,
            "GITEA_TOKEN": token,
            "GITEA_WEBHOOK_SECRET": "secret",
            "DATABASE_URL": postgresql_url,
            "HOST": "127.0.0.1",
            "PORT": "0",
            "BOT_CONFIG": str(tmp_path / "bot.toml"),
            "MOSAIC_RECHECK_EVERY": "1s",
        }
        replicas = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "serve"),
                env={**environ, "MOSAIC_QUEUE__EXECUTOR": name},
                stderr=asyncio.subprocess.DEVNULL,
            )
            for name in ("one", "two")
        ]
        try:
            async with asyncio.timeout(60):
                while not forge.comments(REPO, 1, by=BOT):
                    await asyncio.sleep(0.05)
                enough = ticks_done(postgresql_url) + 5
                while ticks_done(postgresql_url) < enough:
                    await asyncio.sleep(0.1)
        finally:
            for replica in replicas:
                replica.terminate()
            assert [0, 0] == [await replica.wait() for replica in replicas]
        asked = forge.requests.matching("GET", "^/repos/issues/search$", BOT)
        counts = [one for one in asked if "since=" in one.query and "limit=1&" in one.query]
        assert 1 <= len(counts) <= ticks_done(postgresql_url)
        assert 1 == len(forge.comments(REPO, 1, by=BOT))
