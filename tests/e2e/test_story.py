"""The main job, step by step: on the embedded forge and on a real Gitea alike."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.work import BOT, at_work
from tests.forges import ForgeServer

RETRY = """\
## Objective

Add retry to the fuel pump driver.

## Context Estimate

- Files to modify: 3
- Implementation complexity: medium (20K tokens)
- Test requirements: 10K tokens
- **Total estimated: 46,000 tokens**
- Recommended agent: sonnet

## Difficulty

medium

## Dependencies

- Blocked by: #1
- Blocks: #3
"""
TWO = ("context/medium", "difficulty/medium", "agent/sonnet")


async def test_alice_assigns_an_issue_and_its_one_report_stays_true(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Assign, close and reopen the blocker, edit, unassign: one comment and the labels follow."""
    async with at_work(forge_server, tmp_path) as work:
        await work.open("Define the pump interface", "First.")
        await work.open("Retry in the fuel pump driver", RETRY)
        await work.open("Telemetry", "Plain prose.")

        await work.assign(2)
        look = await work.until(2, "status/blocked", *TWO, headline="Blocked")
        assert "46k tokens" in look.report
        assert "Define the pump interface" in look.report
        assert "Telemetry" in look.report

        await work.change(1, state="closed")
        await work.until(2, "status/ready", *TWO, headline="Ready")

        await work.change(1, state="open")
        await work.until(2, "status/blocked", *TWO, headline="Blocked")

        await work.change(2, body="Difficulty: hard\n\nContext estimate: 90k tokens")
        await work.until(
            2,
            "status/ready",
            "context/large",
            "difficulty/hard",
            "agent/sonnet",
            headline="Ready",
        )

        await work.change(2, assignees=[])
        await work.until(2, headline="Ended")

        await work.assign(2)
        look = await work.until(
            2,
            "status/ready",
            "context/large",
            "difficulty/hard",
            "agent/sonnet",
            headline="Ready",
        )
        said = [re.sub(r"<!--.*?-->\s*", "", one).split(":")[0] for one in look.others]
        assert [
            r"**Ready** — \#1 is closed",
            r"**Blocked again** — \#1 was reopened, and this waits for it.",
            r"**Ready** — it waits for `#1` no longer",
        ] == [one.strip() for one in said]


async def test_an_issue_opened_with_the_bot_assigned_gets_one_report(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Gitea announces the assignment before the opening."""
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Too much", "Context estimate: 180k tokens\nDifficulty: hard", BOT)
        look = await work.until(
            number,
            "status/too-big",
            "context/huge",
            "difficulty/hard",
            headline="Too big",
        )
        assert "180k" in look.report


async def test_a_report_that_is_edited_is_put_right_and_one_that_is_deleted_is_made_anew(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Small", "Context estimate: 9k tokens\nDifficulty: easy", BOT)
        labels = ("status/ready", "context/small", "difficulty/easy", "agent/glm")
        before = await work.until(number, *labels, headline="Ready")
        path = f"/repos/{work.repo}/issues"
        comments = await work.alice.read(f"{path}/{number}/comments")
        bob = work.server.api("bob")

        await bob.do("PATCH", f"{path}/comments/{comments[0]['id']}", {"body": "Mine now."})
        after = await work.until(number, *labels, headline="Ready")
        assert before.report == after.report

        await work.alice.do("DELETE", f"{path}/comments/{comments[0]['id']}")
        after = await work.until(number, *labels, headline="Ready")
        assert before.report == after.report


async def test_a_cycle_is_told_in_every_issue_on_it_and_goes_with_one_edge(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        rest = "\n\nContext estimate: 9k tokens\nDifficulty: easy"
        labels = ("context/small", "difficulty/easy", "agent/glm")
        for number, waits in ((1, 2), (2, 3), (3, 1)):
            await work.open(f"Part {number}", f"Blocked by #{waits}{rest}", BOT)
        for number in (1, 2, 3):
            await work.until(
                number, "status/blocked", *labels, headline="Blocked", says="in a circle"
            )

        await work.change(3, body=rest)
        await work.until(3, "status/ready", *labels, headline="Ready")
        for number in (1, 2):
            await work.until(
                number, "status/blocked", *labels, headline="Blocked", not_="in a circle"
            )


async def test_a_merged_pull_request_no_longer_blocks(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        bob = work.server.api("bob")
        await bob.do(
            "POST",
            f"/repos/{work.repo}/contents/pump.py",
            {"content": "cHJpbnQoMSkK", "branch": "main", "new_branch": "pump", "message": "Add"},
        )
        pull = await bob.do(
            "POST", f"/repos/{work.repo}/pulls", {"title": "Pump", "head": "pump", "base": "main"}
        )
        text = f"Blocked by !{pull['number']}\n\nContext estimate: 9k tokens\nDifficulty: easy"
        number = await work.open("After the pump", text, BOT)
        labels = ("context/small", "difficulty/easy", "agent/glm")
        look = await work.until(number, "status/blocked", *labels, headline="Blocked")
        assert "pull request" in look.report

        path = f"/repos/{work.repo}/pulls/{pull['number']}/merge"
        for _ in range(20):
            merged = await work.alice.post(path, {"Do": "merge"})
            if merged.status_code == 200:
                break
        look = await work.until(number, "status/ready", *labels, headline="Ready")
        assert "merged" in look.report


async def test_labels_of_others_are_never_touched(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        root = work.server.api()
        made = await root.do(
            "POST", f"/repos/{work.repo}/labels", {"name": "kind/bug", "color": "#ff0000"}
        )
        number = await work.open("Small", "Context estimate: 9k tokens\nDifficulty: easy")
        await work.alice.do(
            "POST", f"/repos/{work.repo}/issues/{number}/labels", {"labels": [made["id"]]}
        )
        await work.assign(number)
        labels = ("status/ready", "context/small", "difficulty/easy", "agent/glm")
        await work.until(number, "kind/bug", *labels, headline="Ready")
        await work.change(number, assignees=[])
        await work.until(number, "kind/bug", headline="Ended")


async def test_a_claimed_issue_stays_in_progress_and_only_warns_of_a_reopened_blocker(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        first = await work.open("First")
        text = f"Blocked by #{first}\n\nContext estimate: 9k tokens\nDifficulty: easy"
        number = await work.open("Second", text)
        await work.change(first, state="closed")
        await work.assign(number)
        labels = ("context/small", "difficulty/easy", "agent/glm")
        await work.until(number, "status/ready", *labels, headline="Ready")
        made = await work.server.api().do(
            "POST",
            f"/repos/{work.repo}/labels",
            {"name": "status/in-progress", "color": "#0969da", "exclusive": True},
        )
        await work.alice.do(
            "POST", f"/repos/{work.repo}/issues/{number}/labels", {"labels": [made["id"]]}
        )
        await work.until(number, "status/in-progress", *labels, headline="In progress")
        await work.change(first, state="open")
        await work.until(
            number, "status/in-progress", *labels, headline="In progress", says="Work has begun"
        )


async def test_files_that_the_text_names_are_measured_in_the_repository(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path, **{"pump/driver.py": 36_000}) as work:
        number = await work.open("Retry", "In `pump/driver.py`.\n\nDifficulty: easy", BOT)
        look = await work.until(
            number,
            "status/ready",
            "context/small",
            "difficulty/easy",
            "agent/glm",
            headline="Ready",
            says="pump/driver.py",
        )
        assert "worked out from" in look.report
