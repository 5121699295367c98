"""Talking to the bot on an issue: commands and check-boxes, on the embedded forge and a real Gitea."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.boxes import boxes
from bot.demo.actor import ticked
from tests.e2e.work import BOT, EVENTS, LIMIT, Work, at_work
from tests.forges import ForgeServer

SMALL = "Context estimate: 9k tokens\nDifficulty: easy"
LABELS = ("context/small", "difficulty/easy", "agent/glm")


async def say(work: Work, who: str, number: int, text: str) -> int:
    path = f"/repos/{work.repo}/issues/{number}/comments"
    made = await work.server.api(who).do("POST", path, {"body": text})
    return int(made["id"])


async def reactions(work: Work, comment: int) -> set[str]:
    path = f"/repos/{work.repo}/issues/comments/{comment}/reactions"
    found = await work.alice.read(path)
    return {one["content"] for one in found or [] if one["user"]["login"] == BOT}


async def answered(work: Work, who: str, number: int, text: str, reaction: str) -> str:
    """What the bot replied to a comment, once it has reacted; empty for nothing."""
    before = (await work.look(number)).others
    comment = await say(work, who, number, text)
    async with asyncio.timeout(LIMIT):
        while reaction not in await reactions(work, comment):
            await asyncio.sleep(0.05)
    after = (await work.look(number)).others
    return next((body for body in after if body not in before), "")


async def test_every_command_by_somebody_who_may(forge_server: ForgeServer, tmp_path: Path) -> None:
    async with at_work(forge_server, tmp_path) as work:
        first = await work.open("First", SMALL)
        number = await work.open("Second", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")

        assert "hold" in await answered(work, "mallory", number, "/help", "+1")
        assert "/hold [REASON]" in await answered(work, "mallory", number, "/help hold", "+1")
        assert "Ready" in await answered(work, "mallory", number, "/status", "+1")
        assert "sonnet" in await answered(work, "mallory", number, "/why sonnet", "+1")
        assert f"#{number}" in await answered(work, "mallory", number, "/queue", "+1")
        await answered(work, "mallory", number, "/graph", "+1")
        await answered(work, "mallory", number, "/impact", "+1")

        await answered(work, "bob", number, "/estimate 60k", "+1")
        labels = ("context/large", "difficulty/easy")
        await work.until(number, "status/ready", *labels, "agent/glm", headline="Ready")
        await answered(work, "bob", number, "/difficulty hard\n/agent opus", "+1")
        labels = ("context/large", "difficulty/hard", "agent/opus")
        await work.until(number, "status/ready", *labels, headline="Ready")
        await answered(work, "bob", number, "/priority p1", "+1")
        labels = (*labels, "priority/p1")
        await work.until(number, "status/ready", *labels, headline="Ready")

        await answered(work, "bob", number, f"/blocked-by #{first}", "+1")
        await work.until(number, "status/blocked", *labels, headline="Blocked")
        await answered(work, "bob", number, "/unblock it is only a draft", "+1")
        await work.until(number, "status/ready", *labels, headline="Ready", says="only a draft")
        await work.change(first, state="closed")
        await work.change(first, state="open")
        await answered(work, "bob", number, f"/unlink #{first}", "+1")
        await work.until(number, "status/ready", *labels, headline="Ready", not_="only a draft")

        await answered(work, "bob", number, "/hold for the review", "+1")
        await work.until(number, "status/hold", *labels, headline="On hold", says="for the review")
        await answered(work, "bob", number, "@coordinator unhold", "+1")
        await work.until(number, "status/ready", *labels, headline="Ready")

        text = "/estimate auto\n/difficulty auto\n/agent auto\n/recheck\n/parse --force"
        await answered(work, "bob", number, text, "+1")
        rest = (*LABELS, "priority/p1")
        await work.until(number, "status/ready", *rest, headline="Ready")
        assert "othing" in await answered(work, "bob", number, "/retry", "+1")

        await answered(work, "alice", number, "/pause moving house", "+1")
        await work.change(number, body=f"{SMALL}\n\nBlocked by #{first}")
        await work.quiet()
        assert (await work.look(number)).headline == "Ready"
        await answered(work, "alice", number, "/resume", "+1")
        await work.until(number, "status/blocked", *rest, headline="Blocked")


@pytest.mark.parametrize(
    "command",
    [
        "/recheck",
        "/parse",
        "/estimate 5k",
        "/difficulty hard",
        "/agent opus",
        "/priority p0",
        "/blocked-by #1",
        "/blocks #1",
        "/unlink #1",
        "/unblock because",
        "/hold",
        "/unhold",
        "/split",
        "/retry",
    ],
)
async def test_no_command_by_somebody_who_may_not(
    forge_server: ForgeServer, tmp_path: Path, command: str
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        await work.open("First", SMALL)
        number = await work.open("Second", SMALL, BOT)
        before = await work.until(number, "status/ready", *LABELS, headline="Ready")
        said = await answered(work, "mallory", number, command, "confused")
        assert "write in this repository" in said
        await work.quiet()
        assert before.report == (await work.look(number)).report


async def test_only_administrators_pause(forge_server: ForgeServer, tmp_path: Path) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        assert "administrator" in await answered(work, "bob", number, "/pause", "confused")
        assert "administrator" in await answered(work, "bob", number, "/resume", "confused")


async def test_a_right_that_cannot_be_looked_up_is_refused(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path, right="write") as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        said = await answered(work, "bob", number, "/hold", "confused")
        assert "make me an administrator" in said


async def test_several_commands_have_a_line_each_and_one_that_fails_stops_none(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        said = await answered(
            work, "bob", number, "/hodl\n/difficulty tricky\n/hold at last", "confused"
        )
        assert said.count("✗") == 2
        assert said.count("✓") == 1
        assert "did you mean `hold`" in said
        await work.until(number, "status/hold", *LABELS, headline="On hold")


async def test_an_edit_runs_what_is_new_and_only_by_the_author(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        comment = await say(work, "bob", number, "Just words.")
        path = f"/repos/{work.repo}/issues/comments/{comment}"
        await work.alice.do("PATCH", path, {"body": "/hold by somebody else"})
        await work.quiet()
        bob = work.server.api("bob")
        await bob.do("PATCH", path, {"body": "/hold by somebody else\n/priority p2"})
        await work.until(number, "status/ready", *LABELS, "priority/p2", headline="Ready")


async def test_a_question_asked_again_edits_the_last_answer(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        for _ in range(2):
            await answered(work, "mallory", number, "/status", "+1")
        assert len((await work.look(number)).others) == 1
        await say(work, "bob", number, "Something in between.")
        await answered(work, "mallory", number, "/status", "+1")
        assert len((await work.look(number)).others) == 2


async def test_boxes_are_commands_of_the_person_who_ticks(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        path = f"/repos/{work.repo}/issues"
        report = (await work.alice.read(f"{path}/{number}/comments"))[0]
        box = list(boxes(report["body"])).index("hold")
        body = ticked(report["body"], box, on=True)
        await work.server.api("bob").do("PATCH", f"{path}/comments/{report['id']}", {"body": body})
        look = await work.until(number, "status/hold", *LABELS, headline="On hold")
        assert boxes(look.report)["hold"]
        body = ticked(ticked(look.report, box, on=False), 0, on=True)
        await work.server.api("bob").do("PATCH", f"{path}/comments/{report['id']}", {"body": body})
        look = await work.until(number, "status/ready", *LABELS, headline="Ready")
        assert not any(boxes(look.report).values())


async def test_commands_that_close_a_new_issues_text_are_done(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", f"{SMALL}\n\n/priority p0\n/hold at first", BOT)
        await work.until(number, "status/hold", *LABELS, "priority/p0", headline="On hold")


async def test_on_a_pull_request_the_commands_that_are_for_it_work(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        await work.alice.do(
            "POST",
            f"/repos/{work.repo}/contents/pump.py",
            {"content": "cHJpbnQoMSkK", "branch": "main", "new_branch": "pump", "message": "Add"},
        )
        made = await work.alice.do(
            "POST", f"/repos/{work.repo}/pulls", {"title": "Pump", "head": "pump", "base": "main"}
        )
        pull = int(made["number"])
        for words in ("/help", "/status", "/queue", "/graph"):
            assert await answered(work, "mallory", pull, words, "+1")
        assert "for issues" in await answered(work, "bob", pull, "/hold", "confused")
        await answered(work, "bob", pull, f"/blocks #{number}", "+1")
        await work.until(number, "status/blocked", *LABELS, headline="Blocked")


async def test_three_hooks_at_once_run_a_command_once(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        url = f"http://127.0.0.1:{work.port}/webhook/gitea"
        for _ in range(2):
            await work.server.hook(f"/repos/{work.repo}", url, EVENTS)
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        said = await answered(work, "bob", number, "/hodl\n/hold\n/status", "confused")
        assert said.count("✗") == 1
        await work.until(number, "status/hold", *LABELS, headline="On hold")
        last = await say(work, "mallory", number, "/status")
        async with asyncio.timeout(LIMIT):
            while "+1" not in await reactions(work, last):
                await asyncio.sleep(0.05)
        await work.quiet()
        assert 2 == len((await work.look(number)).others)
