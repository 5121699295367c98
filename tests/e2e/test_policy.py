"""A repository's own settings: what `.gitea/coordinator.toml` on its default branch changes.

On the embedded forge and on a real Gitea, written through the API as a person with write access.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

from bot.jobs import Job
from bot.models import POLICY_FILE, IssueRef
from bot.worker import RECHECK
from tests.e2e.work import BOT, LIMIT, Look, Work, at_work
from tests.forges import ForgeServer

SIZE = "Context estimate: 9k tokens\nDifficulty: easy"
BIG = "Context estimate: 46k tokens\nDifficulty: medium"
LABELS = ("context/small", "difficulty/easy", "agent/glm")
READY = ("status/ready", *LABELS)
SONNET = ("status/ready", "context/small", "difficulty/easy", "agent/sonnet")


async def write(work: Work, text: str | None, *, branch: str = "", new_branch: str = "") -> None:
    """Commit the file, as Bob, who may write; None: delete it."""
    bob, where = work.server.api("bob"), f"/repos/{work.repo}/contents/{POLICY_FILE}"
    there = await bob.get(f"{where}?ref={branch}" if branch else where)
    file: dict[str, object] = {"path": POLICY_FILE, "operation": "create"}
    if there.status_code == 200:
        file |= {"operation": "update", "sha": there.json()["sha"]}
    if text is None:
        file["operation"] = "delete"
    else:
        file["content"] = base64.b64encode(text.encode()).decode()
    body = {"files": [file], "message": "Set up the coordinator"}
    body |= {"branch": branch} if branch else {}
    body |= {"new_branch": new_branch} if new_branch else {}
    await bob.do("POST", f"/repos/{work.repo}/contents", body)


async def told(work: Work, *numbers: int) -> list[int]:
    """The issues whose reports tell of a mistake in the file."""
    looks = [(number, await work.look(number)) for number in numbers]
    return [number for number, look in looks if POLICY_FILE in look.report]


async def looked(work: Work, number: int, title: str) -> None:
    """Return once the bot has looked at an issue that was just called so."""
    ref = IssueRef.parse(f"{work.repo}#{number}")
    async with asyncio.timeout(LIMIT):
        while (known := await work.bot.store.issue(ref)) is None or known.title != title:
            await asyncio.sleep(0.05)


async def recheck(work: Work, name: str) -> None:
    """Have the bot find what it missed."""
    await work.bot.engine.submit(Job(f"recheck:{work.repo}:{name}", RECHECK, RECHECK, name))


async def say(work: Work, number: int, text: str, answer: str) -> Look:
    """Say something as Alice, and wait for an answer that holds this."""
    await work.alice.do("POST", f"/repos/{work.repo}/issues/{number}/comments", {"body": text})
    look = await work.look(number)
    async with asyncio.timeout(LIMIT):
        while not any(answer in one for one in look.others):
            await asyncio.sleep(0.05)
            look = await work.look(number)
    return look


async def test_agents_and_the_rule_of_half_are_the_repository_s_to_say(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", BIG, BOT)
        medium = ("context/medium", "difficulty/medium")
        await work.until(number, "status/ready", *medium, "agent/haiku", headline="Ready")
        await write(work, 'agents = ["sonnet", "opus"]\n[limits]\nshare = 0.3\n')
        await work.until(
            number, "status/ready", *medium, "agent/sonnet", headline="Ready", says="30 %"
        )
        await write(work, "[limits]\nshare = 0.2\n")
        await work.until(number, "status/too-big", *medium, headline="Too big", says="20 %")
        await write(work, None)
        await work.until(number, "status/ready", *medium, "agent/haiku", headline="Ready")


async def test_labels_are_renamed_and_those_of_people_are_left(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """The bot's old ones go; a label of that name that a person set afterwards stays."""
    async with at_work(forge_server, tmp_path) as work:
        number, begun = await work.open("Pump", SIZE, BOT), await work.open("Tank", SIZE, BOT)
        await work.until(number, *READY, headline="Ready")
        await work.until(begun, *READY, headline="Ready")
        labels = await work.alice.read(f"/repos/{work.repo}/labels?limit=50")
        ids = {label["name"]: label["id"] for label in labels}
        made = await work.alice.do(
            "POST",
            f"/repos/{work.repo}/labels",
            {"name": "status/in-progress", "color": "#0969da", "exclusive": True},
        )
        path = f"/repos/{work.repo}/issues/{begun}/labels"
        await work.alice.do("POST", path, {"labels": [made["id"]]})
        await work.until(begun, "status/in-progress", *LABELS, headline="In progress")

        await write(work, '[labels]\nstatus = "state"\nagent = "who"\n')
        renamed = ("context/small", "difficulty/easy", "who/glm")
        await work.until(number, "state/ready", *renamed, headline="Ready")
        await work.until(begun, "state/in-progress", *renamed, headline="In progress")

        path = f"/repos/{work.repo}/issues/{number}/labels"
        await work.alice.do("POST", path, {"labels": [ids["status/ready"]]})
        await work.change(number, title="Pumps")
        await looked(work, number, "Pumps")
        await work.until(number, "status/ready", "state/ready", *renamed, headline="Ready")

        await write(work, '[labels]\nstatus = "st"\n')
        await work.until(number, "status/ready", "st/ready", *LABELS, headline="Ready")
        await write(work, "[labels]\nenabled = false\n")
        await work.until(number, "status/ready", headline="Ready")
        await write(work, None)
        await work.until(number, *READY, headline="Ready")


async def test_dependencies_that_the_bot_set_go_when_it_sets_none_any_more(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        first, other = await work.open("First"), await work.open("Other")
        number = await work.open("Second", f"Blocked by #{first}\n\n{SIZE}", BOT)
        await work.depend(number, other)
        await work.change(number, title="Second one")
        await work.until(number, "status/blocked", *LABELS, headline="Blocked", says="2 issues")
        assert {first, other} == await work.natives(number)
        await write(work, 'dependencies = "read"\n')
        await until(work, number, {other})
        await work.until(number, "status/blocked", *LABELS, headline="Blocked", says="2 issues")
        await write(work, 'dependencies = "off"\n')
        await work.until(number, "status/blocked", *LABELS, headline="Blocked", says="1 issue.")
        assert {other} == await work.natives(number)
        await write(work, None)
        await until(work, number, {first, other})


async def until(work: Work, number: int, natives: set[int]) -> None:
    async with asyncio.timeout(LIMIT):
        while natives != await work.natives(number):
            await asyncio.sleep(0.05)


async def test_commands_that_are_switched_off_are_not_done_nor_shown(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await work.until(number, *READY, headline="Ready", says="mosaic:box=hold")
        await write(work, '[commands]\noff = ["hold", "/pause"]\n')
        look = await work.until(number, *READY, headline="Ready", not_="mosaic:box=hold")
        assert "mosaic:box=parse" in look.report
        off = f"switched off in this repository by `{POLICY_FILE}`"
        look = await say(work, number, "/hold for the review", off)
        await say(work, number, "/pause", off)
        look = await say(work, number, "/help", "`hold`, `pause`.")
        [help_] = [one for one in look.others if "Switched off" in one]
        assert "| `/hold" not in help_
        assert "| `/unhold" in help_
        await say(work, number, "/help pause", "It is switched off in this repository")
        await work.until(number, *READY, headline="Ready")


async def test_a_mistake_is_told_in_one_report_with_its_line_until_it_is_mended(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        numbers = [await work.open(f"Pump {n}", SIZE, BOT) for n in range(3)]
        for number in numbers:
            await work.until(number, *READY, headline="Ready")
        await write(work, '[labels]\nstatus = "state"\n\n[limits]\nshaer = 0.2\n"@alice" = 1\n')
        renamed = ("state/ready", *LABELS)
        for number in numbers:
            await work.until(number, *renamed, headline="Ready")
        await work.quiet()
        [teller] = await told(work, *numbers)
        report = (await work.look(teller)).report
        assert f"> `{POLICY_FILE}` is not right." in report
        assert 'line 5: there is no setting "limits.shaer"; did you mean limits.share?' in report
        assert "line 6" in report
        assert "@alice" not in report

        later = await work.open("Tank", SIZE, BOT)
        await work.until(later, *renamed, headline="Ready")
        await work.change(numbers[0], title="Again")
        await work.quiet()
        assert [teller] == await told(work, *numbers, later)

        await write(work, '[labels]\nstatus = "state"\n')
        await work.until(teller, *renamed, headline="Ready", not_=POLICY_FILE)
        assert [] == await told(work, *numbers, later)


async def test_what_cannot_be_read_counts_as_if_it_were_not_there(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await write(work, 'agents = ["sonnet"]\n')
        await work.until(number, *SONNET, headline="Ready")
        await write(work, 'agents = ["sonnet"]\nai = \n')
        says = "cannot be read, so the bot's own settings count here, and no text is sent to Claude"
        found = await work.until(number, *READY, headline="Ready", says=says)
        assert "line 2: it is no TOML: invalid value" in found.report


async def test_only_what_stands_on_the_default_branch_counts(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Not on another branch; that one counts once it is the default."""
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await work.until(number, *READY, headline="Ready")
        await write(work, 'agents = ["sonnet"]\n', new_branch="mine")
        await work.change(number, title="Pumps")
        await looked(work, number, "Pumps")
        await work.until(number, *READY, headline="Ready")
        await forge_server.make_default(work.repo, "mine")
        await recheck(work, "branch")
        await work.until(number, *SONNET, headline="Ready")


async def test_a_push_that_nobody_heard_of_is_found(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await work.until(number, *READY, headline="Ready")
        await work.deafen()
        await write(work, 'agents = ["sonnet"]\n')
        await recheck(work, "one")
        await work.until(number, *SONNET, headline="Ready")
        await work.quiet()
        work.repo = await forge_server.rename(work.repo, "vessel")
        await recheck(work, "two")
        await work.quiet()
        await work.until(number, *SONNET, headline="Ready")


async def test_a_directory_in_its_place_is_a_mistake(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await work.until(number, *READY, headline="Ready")
        await forge_server.write(work.repo, {f"{POLICY_FILE}/inner": b"x"})
        await work.until(number, *READY, headline="Ready", says="it is no file")
        await recheck(work, "quiet")
        await work.quiet()
        assert [] == await work.bot.policies.missed(work.repo)


async def test_labels_of_a_version_that_did_not_remember_them_are_the_bot_s(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await work.open("Pump", SIZE, BOT)
        await work.until(number, *READY, headline="Ready")
        await work.quiet()
        known = await work.bot.store.issue(IssueRef.parse(f"{work.repo}#{number}"))
        assert known is not None
        assert set(READY) == set(known.labels or ())
        await work.bot.store.save(replace(known, labels=None))
        await write(work, '[labels]\nstatus = "state"\n')
        await work.until(number, "state/ready", *LABELS, headline="Ready")


async def test_when_the_report_that_tells_of_a_mistake_ends_the_next_one_tells(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        first = await work.open("Pump", SIZE, BOT)
        await work.until(first, *READY, headline="Ready")
        await write(work, "x = 1\n")
        await work.until(first, *READY, headline="Ready", says=POLICY_FILE)
        second = await work.open("Tank", SIZE, BOT)
        await work.until(second, *READY, headline="Ready", not_=POLICY_FILE)
        await work.change(first, assignees=[])
        await work.until(first, headline="Ended")
        await work.change(second, title="Tanks")
        await work.until(second, *READY, headline="Ready", says=POLICY_FILE)
