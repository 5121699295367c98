"""Repositories that get other names and owners, are archived and deleted, and their issues with them.

On the embedded forge and on a real Gitea, which tells of none of it but of deletions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.models import IssueRef
from bot.worker import look
from tests.e2e.work import BOT, EVENTS, LIMIT, Look, Work, at_work
from tests.forges import PEOPLE, ForgeServer

SIZE = "Context estimate: 9k tokens\nDifficulty: easy"
LABELS = ("context/small", "difficulty/easy", "agent/glm")


@dataclass
class Scene:
    """Two repositories: in `home` #2 waits for #1; in `away` #1 waits for #1 of `home`."""

    home: Work
    away: Work
    owner: str

    async def blocked(self) -> tuple[Look, Look]:
        inside = await self.home.until(2, "status/blocked", *LABELS, headline="Blocked")
        return inside, await self.away.until(1, "status/blocked", *LABELS, headline="Blocked")

    async def ready(self, *, says: str = "") -> tuple[Look, Look]:
        inside = await self.home.until(2, "status/ready", *LABELS, headline="Ready")
        outside = await self.away.until(1, "status/ready", *LABELS, headline="Ready", says=says)
        return inside, outside

    async def look_away(self, stamp: str) -> None:
        """Have the issue in `away` looked at, as the recheck does."""
        ref = IssueRef.parse(f"{self.away.repo}#1")
        await self.away.bot.engine.submit(look(ref, stamp=f"test/test/{stamp}"))


@asynccontextmanager
async def scene(server: ForgeServer, directory: Path) -> AsyncIterator[Scene]:
    async with at_work(server, directory) as home:
        owner = home.repo.partition("/")[0]
        people = {**PEOPLE, BOT: "admin"}
        away = Work(server, home.bot, home.port, await server.repository(people=people))
        hook = f"http://127.0.0.1:{home.port}/webhook/gitea"
        await server.hook(f"/repos/{away.repo}", hook, EVENTS)
        await home.open("First")
        await home.open("Second", f"Blocked by #1\n\n{SIZE}", BOT)
        await away.open("Third", f"Blocked by {home.repo}#1\n\n{SIZE}", BOT)
        play = Scene(home, away, owner)
        await play.blocked()
        await home.quiet()
        yield play


@pytest.mark.parametrize("how", ["renamed", "transferred", "with its owner"])
async def test_a_repository_with_another_name_keeps_its_reports_and_what_waits_for_it(
    forge_server: ForgeServer, tmp_path: Path, how: str
) -> None:
    async with scene(forge_server, tmp_path) as play:
        old = play.home.repo
        if how == "renamed":
            play.home.repo = await forge_server.rename(old, "vessel")
        elif how == "transferred":
            play.home.repo = await forge_server.transfer(old, await forge_server.organization())
        else:
            new = f"{play.owner}x"
            await forge_server.rename_organization(play.owner, new)
            play.home.repo = old.replace(play.owner, new)
        await play.home.change(1, state="closed")
        inside, outside = await play.ready(says=f"{play.home.repo}\\#1")
        await play.home.change(1, state="open")
        await play.blocked()
        assert 1 == len(inside.reports) == len(outside.reports)
        await play.home.quiet()
        assert [] == await play.home.bot.store.failures()
        assert old.lower() not in {ref.key[0] for ref in await play.home.bot.store.coordinated()}


async def test_what_waits_for_an_issue_waits_for_no_other_that_comes_under_its_name(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """The bot hears of nothing until it looks at it; what is written later means the new one."""
    async with scene(forge_server, tmp_path) as play:
        old = play.home.repo
        play.home.repo = await forge_server.rename(old, "vessel")
        people = {**PEOPLE, BOT: "admin"}
        newcomer = Work(
            forge_server,
            play.home.bot,
            play.home.port,
            await forge_server.repository(owner=play.owner, people=people),
        )
        assert old == newcomer.repo
        await newcomer.open("Newcomer")
        await play.look_away("1")
        await play.away.until(
            1, "status/blocked", *LABELS, headline="Blocked", says=f"{play.home.repo}\\#1 — First"
        )
        number = await play.away.open("Fourth", f"Blocked by {old}#1\n\n{SIZE}", BOT)
        says = f"{old}\\#1 — Newcomer"
        await play.away.until(number, "status/blocked", *LABELS, headline="Blocked", says=says)

        await play.home.change(1, state="closed")
        await play.ready(says="First")
        await play.away.quiet()
        await play.away.until(number, "status/blocked", *LABELS, headline="Blocked", says=says)


async def test_a_blocker_deleted_while_nobody_listened_blocks_no_longer(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with scene(forge_server, tmp_path) as play:
        [hook] = await forge_server.api().read(f"/repos/{play.home.repo}/hooks")
        await forge_server.api().do("DELETE", f"/repos/{play.home.repo}/hooks/{hook['id']}")
        await forge_server.delete_issue(play.home.repo, 1)
        await play.look_away("1")
        found = await play.away.until(1, "status/ready", *LABELS, headline="Ready")
        assert "has been deleted and no longer blocks this" in found.report
        await play.look_away("2")
        await play.away.quiet()
        assert found.report == (await play.away.look(1)).report


async def test_what_never_was_there_still_blocks(forge_server: ForgeServer, tmp_path: Path) -> None:
    async with scene(forge_server, tmp_path) as play:
        await play.away.change(1, body=f"Blocked by {play.home.repo}#99\n\n{SIZE}")
        await play.away.until(
            1, "status/blocked", *LABELS, headline="Blocked", says="cannot be seen"
        )


async def test_issues_are_gone_with_their_repository(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Where the bot is told of it: by a webhook of the organisation."""
    async with scene(forge_server, tmp_path) as play:
        hook = f"http://127.0.0.1:{play.home.port}/webhook/gitea"
        await forge_server.hook(f"/orgs/{play.owner}", hook, ["repository"])
        await forge_server.api().do("DELETE", f"/repos/{play.home.repo}")
        found = await play.away.until(1, "status/ready", *LABELS, headline="Ready")
        assert "has been deleted and no longer blocks this" in found.report


async def test_a_repository_that_cannot_be_seen_any_more_may_be_there_still(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with scene(forge_server, tmp_path) as play:
        await forge_server.api().do("DELETE", f"/repos/{play.home.repo}")
        await play.look_away("1")
        await play.away.until(
            1, "status/blocked", *LABELS, headline="Blocked", says="cannot be seen"
        )


async def test_what_is_left_and_closed_in_a_paused_repository_frees_what_waits_elsewhere(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """That it ended is told where it ended when the pause is over."""
    async with scene(forge_server, tmp_path) as play:
        sayings = play.home.bot.sayings
        await play.home.change(1, body=SIZE, assignees=[BOT])
        await play.home.until(1, "status/ready", *LABELS, headline="Ready")
        await play.home.quiet()
        await sayings.pause(play.home.repo, by="alice")
        await play.home.change(1, assignees=[])
        await play.home.change(1, state="closed")
        await play.away.until(1, "status/ready", *LABELS, headline="Ready")
        await play.home.quiet()
        assert (await play.home.look(1)).headline == "Ready"
        await sayings.resume(play.home.repo)
        await play.home.change(1, title="Over")
        await play.home.until(1, headline="Ended")


async def test_an_archived_repository_is_left_alone_and_its_issues_are_read(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with scene(forge_server, tmp_path) as play:
        plain = await play.away.open("Plain")
        text = f"Blocked by {play.away.repo}#{plain}\n\n{SIZE}"
        number = await play.home.open("Fifth", text, BOT)
        before = await play.home.until(number, "status/blocked", *LABELS, headline="Blocked")
        await forge_server.archive(play.home.repo)
        play.home.bot.repositories.forget(play.home.repo)  # as it is after a minute
        await play.away.change(plain, state="closed")
        other = await play.away.open("Sixth", f"Blocked by {play.home.repo}#1\n\n{SIZE}", BOT)
        says = "First · **open**"
        await play.away.until(other, "status/blocked", *LABELS, headline="Blocked", says=says)
        await play.away.quiet()
        assert before == await play.home.look(number)
        assert [] == await play.home.bot.store.failures()

        await forge_server.archive(play.home.repo, archived=False)
        play.home.bot.repositories.forget(play.home.repo)
        await play.home.change(number, title="Fifth again")
        await play.home.until(number, "status/ready", *LABELS, headline="Ready")


async def test_while_its_blocker_moves_house_nothing_is_told_of_it(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """No comment says that it waits no longer, or again: it is the same issue."""
    async with scene(forge_server, tmp_path) as play:
        play.home.repo = await forge_server.rename(play.home.repo, "vessel")
        await play.look_away("1")
        says = f"{play.home.repo}\\#1"
        found = await play.away.until(1, "status/blocked", *LABELS, headline="Blocked", says=says)
        await play.away.quiet()
        async with asyncio.timeout(LIMIT):
            assert [] == found.others == (await play.away.look(1)).others
