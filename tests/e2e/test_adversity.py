"""What goes wrong around the bot, and what stands on the issues in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import Bot
from bot.config import load
from bot.demo.actor import Actor
from bot.demo.forge import Forge, serve
from bot.render import MARKER
from bot.server import serving
from tests.databases import sqlite_url
from tests.e2e.work import SELDOM

__all__ = ["sqlite_url"]

BOT, REPO = "coordinator", "acme/rocket"
EASY = "Context estimate: 9k tokens\nDifficulty: easy"
HARD = "Context estimate: 90k tokens\nDifficulty: hard"
LIMIT = 30.0  # seconds


@dataclass
class World:
    """A forge with one repository, in which a bot may be at work or not."""

    forge: Forge
    alice: Actor
    token: str
    database_url: str
    directory: Path

    @asynccontextmanager
    async def bot(self, token: str = "") -> AsyncIterator[Bot]:
        """A bot at work, on the same database each time; everything is done at its end."""
        settings = load(
            {
                "GITEA_URL": self.forge.url,
                "GITEA_TOKEN": token or self.token,
                "GITEA_WEBHOOK_SECRET": "secret",
                "DATABASE_URL": self.database_url,
                "HOST": "127.0.0.1",
                "PORT": "0",
                "BOT_CONFIG": str(self.directory / "bot.toml"),
                **SELDOM,
            }
        )
        async with serving(settings) as (bot, port):
            hook = f"http://127.0.0.1:{port}/webhook/gitea"
            self.forge.add_hook(hook, secret="secret", repository=REPO)
            yield bot
            await self.quiet(bot)
            self.forge.state.hooks.clear()

    async def quiet(self, bot: Bot) -> None:
        """Return when all is delivered and done."""
        async with asyncio.timeout(LIMIT):
            still = 0
            while still < 2:
                await self.forge.settled()
                still = 0 if any((await bot.engine.counts()).values()) else still + 1
                await asyncio.sleep(0.02)

    def report(self, number: int) -> str:
        """The bot's one comment on an issue; fails when there is none, or several."""
        [comment] = self.forge.comments(REPO, number, by=BOT)
        assert comment.body.startswith(MARKER)
        return comment.body

    def stands(self, number: int) -> tuple[str, set[str]]:
        """The report's first words, in bold, and the issue's labels."""
        return self.report(number).split("**")[1], set(self.forge.labels(REPO, number))


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge):
        yield World(forge, forge.act_as("alice", REPO), token, sqlite_url, tmp_path)


GLM = {"context/small", "difficulty/easy", "agent/glm"}
SONNET = {"context/large", "difficulty/hard", "agent/sonnet"}

# ---- while the bot was down ----


async def test_what_happened_while_the_bot_was_down_is_seen_when_it_starts(world: World) -> None:
    """Gitea sends nothing twice, and tells nobody what it did not send."""
    alice = world.alice
    async with world.bot():
        edited, closed, left, reopened, kept = (
            alice.open(title, EASY, assignees=[BOT]).number
            for title in ("Edited", "Closed", "Left", "Reopened", "Kept")
        )
        alice.close(reopened)
    assert ("Ready", {"status/ready", *GLM}) == world.stands(edited)
    assert ("Closed", GLM) == world.stands(reopened)

    alice.edit(edited, body=HARD)
    alice.close(closed)
    alice.unassign(left)
    alice.reopen(reopened)
    missed = alice.open("Missed", EASY, assignees=[BOT]).number

    async with world.bot():
        pass
    assert ("Ready", {"status/ready", *SONNET}) == world.stands(edited)
    assert ("Closed", GLM) == world.stands(closed)
    assert ("Ended", set()) == world.stands(left)
    for number in (reopened, kept, missed):
        assert ("Ready", {"status/ready", *GLM}) == world.stands(number)


async def test_what_a_token_without_rights_could_not_write_is_written_with_a_better_one(
    world: World,
) -> None:
    """And nothing of it stays on the list of work that was given up."""
    poor = world.forge.add_token(BOT, "read:issue", "read:repository", "read:user")
    number = world.alice.open("First", EASY, assignees=[BOT]).number
    async with world.bot(poor) as bot:
        await world.quiet(bot)
        [failure] = await bot.store.failures()
        assert f"{REPO}#{number}" == failure.about
        assert "403" in failure.error
    assert [] == world.forge.comments(REPO, number, by=BOT)
    async with world.bot() as bot:
        await world.quiet(bot)
        assert [] == await bot.store.failures()
    assert ("Ready", {"status/ready", *GLM}) == world.stands(number)


# ---- what is drawn of issues farther away ----


async def test_the_drawn_graph_stays_true_also_of_issues_farther_away(world: World) -> None:
    """A chain of five: what happens at one end is drawn at the other."""
    alice = world.alice
    async with world.bot() as bot:
        first = alice.open("First", EASY, assignees=[BOT]).number
        for number in range(first, first + 4):
            body = f"{EASY}\n\nBlocked by #{number}"
            alice.open(f"After {number}", body, assignees=[BOT])
        last = first + 4
        await world.quiet(bot)
        assert "#35;1 First" in world.report(last)
        assert "#35;5 After 4" in world.report(first)

        alice.close(first)
        await world.quiet(bot)
        assert "✓ #35;1 First" in world.report(last)

        alice.edit(first, title="Renamed")
        await world.quiet(bot)
        assert "✓ #35;1 Renamed" in world.report(last)

        alice.edit(3, body=EASY)
        await world.quiet(bot)
        assert "Renamed" not in world.report(last)
        assert "After 4" not in world.report(first)

        alice.unassign(4)
        await world.quiet(bot)
        assert "mermaid" not in world.report(last), "who waits for what #4 says is not known now"


async def test_what_waits_for_the_same_issue_is_not_drawn(world: World) -> None:
    """With fifty it would fill each chart, and each would change with any of them."""
    alice = world.alice
    async with world.bot() as bot:
        alice.open("Before", EASY, assignees=[BOT])
        hub = alice.open("Hub", f"{EASY}\n\nBlocked by #1", assignees=[BOT]).number
        for _ in range(3):
            alice.open("Waits", f"{EASY}\n\nBlocked by #{hub}", assignees=[BOT])
        await world.quiet(bot)
        assert "#35;1 Before" in world.report(3)
        assert "#35;4 Waits" not in world.report(3)
        assert "#35;5 Waits" in world.report(hub)
        world.forge.requests.clear()
        alice.edit(3, title="Renamed")
        await world.quiet(bot)
        written = {r.path for r in world.forge.requests if r.user == BOT and r.method == "PATCH"}
        assert 3 == len(written), "its own, the hub's and that of what the hub waits for"
