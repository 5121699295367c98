"""What Claude reads, in the report: the real SDK against a server on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.render import MARKER
from tests.claude_server import API_KEY, ClaudeServer, answers, claude_server, fails, hangs
from tests.e2e.work import BOT, at_work
from tests.forges import ForgeServer

pytestmark = pytest.mark.parametrize("forge_server", ["embedded"], indirect=True)

FOUND = {"difficulty": "hard", "estimated_context": 60_000, "blocked_by": ["#1"], "blocks": []}
PROSE = "A rewrite of the valve controller. The people working on #1 should be done first."
LARGE = ("status/ready", "context/large", "difficulty/hard", "agent/sonnet")


def asks(claude: ClaudeServer, **more: str) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": API_KEY, "ANTHROPIC_BASE_URL": claude.url, **more}


async def test_what_the_text_does_not_declare_is_read_by_claude_and_said_so(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with claude_server() as claude:
        claude.otherwise = answers(**FOUND)
        async with at_work(forge_server, tmp_path, environ=asks(claude)) as work:
            await work.open("First", "Context estimate: 9k tokens\nDifficulty: easy")
            number = await work.open("Rewrite", PROSE, BOT)
            look = await work.until(number, *LARGE, headline="Ready", says="read by Claude")
            assert f"- [ ] <!-- mosaic:box=accept:{work.repo}#1 -->" in look.report


async def test_a_dependency_claude_reads_is_an_edge_once_its_box_is_ticked(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with claude_server() as claude:
        claude.otherwise = answers(**FOUND)
        async with at_work(forge_server, tmp_path, environ=asks(claude)) as work:
            first = await work.open("First")
            number = await work.open("Rewrite", PROSE, BOT)
            await work.until(number, *LARGE, headline="Ready", says="mosaic:box=accept:")
            await work.tick(number, f"accept:{work.repo}#{first}")
            blocked = ("status/blocked", *LARGE[1:])
            await work.until(number, *blocked, headline="Blocked", not_="mosaic:box=accept:")
            await work.change(first, state="closed")
            await work.until(number, *LARGE, headline="Ready", not_="mosaic:box=accept:")


async def test_dependencies_claude_reads_are_edges_where_the_settings_say_so(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with claude_server() as claude:
        claude.otherwise = answers(**FOUND)
        environ = asks(claude, MOSAIC_AI__DEPENDENCIES="accept")
        async with at_work(forge_server, tmp_path, environ=environ) as work:
            await work.open("First")
            number = await work.open("Rewrite", PROSE, BOT)
            await work.until(number, "status/blocked", *LARGE[1:], headline="Blocked")


async def test_what_claude_read_holds_until_it_has_read_the_text_anew(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Nobody is told that an issue is ready just because Claude has not answered yet."""
    async with claude_server() as claude:
        claude.otherwise = answers(**FOUND)
        environ = asks(claude, MOSAIC_AI__DEPENDENCIES="accept", MOSAIC_AI__TIMEOUT="5s")
        async with at_work(forge_server, tmp_path, environ=environ) as work:
            first = await work.open("First")
            number = await work.open("Rewrite", PROSE, BOT)
            blocked = ("status/blocked", *LARGE[1:])
            await work.until(number, *blocked, headline="Blocked")
            claude.then(hangs())
            await work.change(number, body=f"{PROSE} Mind the seals.")
            worked_out = ("status/blocked", "context/small", "difficulty/medium", "agent/haiku")
            await work.until(number, *worked_out, headline="Blocked", says="still reading")
            assert {first} == await work.natives(number)
            look = await work.until(number, *blocked, headline="Blocked", not_="still reading")
            assert [] == look.others


async def test_the_same_text_is_read_once(forge_server: ForgeServer, tmp_path: Path) -> None:
    async with claude_server() as claude:
        claude.otherwise = answers(**FOUND)
        async with at_work(forge_server, tmp_path, environ=asks(claude)) as work:
            await work.open("First")
            number = await work.open("Rewrite", PROSE, BOT)
            await work.until(number, *LARGE, headline="Ready")
            await work.change(1, title="Renamed")
            await work.change(number, assignees=[])
            await work.until(number, headline="Ended")
            await work.assign(number)
            await work.until(number, *LARGE, headline="Ready")
            assert len(claude.requests) == 1


async def test_a_report_does_not_wait_for_claude_and_is_made_again_when_it_has_answered(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with claude_server() as claude:
        claude.then(hangs()).otherwise = answers(**FOUND)
        environ = asks(claude, MOSAIC_AI__TIMEOUT="2s")
        async with at_work(forge_server, tmp_path, environ=environ) as work:
            await work.open("First")
            number = await work.open("Rewrite", PROSE, BOT)
            worked_out = ("status/ready", "context/small", "difficulty/medium", "agent/haiku")
            await work.until(number, *worked_out, headline="Ready", says="still reading")
            look = await work.until(number, *LARGE, headline="Ready", not_="still reading")
            assert look.report.startswith(MARKER)


async def test_where_claude_cannot_be_asked_the_report_is_made_without_it_and_says_so(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with claude_server() as claude:
        claude.otherwise = fails(401)
        async with at_work(forge_server, tmp_path, environ=asks(claude)) as work:
            number = await work.open("Rewrite", "A rewrite.", BOT)
            look = await work.until(
                number,
                "status/ready",
                "context/small",
                "difficulty/medium",
                "agent/haiku",
                headline="Ready",
                says="made without Claude",
            )
            assert API_KEY not in look.report
