"""The whole bot on PostgreSQL: store, queue, start, stop and start again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.app import Bot
from bot.config import load
from bot.demo.forge import Forge, serve
from bot.server import serving
from tests.databases import fresh_database, postgres

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
