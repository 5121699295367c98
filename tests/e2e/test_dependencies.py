"""Dependencies both ways between texts, commands and Gitea's own, on either forge."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.e2e.work import BOT, LIMIT, Work, at_work
from tests.forges import ForgeServer

TAKES = itertools.count(1)
SIZE = "\n\nContext estimate: 9k tokens\nDifficulty: easy"
SMALL = ("context/small", "difficulty/easy", "agent/glm")
BLOCKED, READY = ("status/blocked", *SMALL), ("status/ready", *SMALL)


async def natives(work: Work, number: int) -> list[int]:
    """What Gitea's sidebar shows under Dependencies."""
    path = f"/repos/{work.repo}/issues/{number}/dependencies"
    return sorted(one["number"] for one in await work.alice.read(path))


async def until(expected: object, ask: Callable[[], Awaitable[object]]) -> None:
    """Return when something is so."""
    found = await ask()
    try:
        async with asyncio.timeout(LIMIT):
            while found != expected:
                await asyncio.sleep(0.05)
                found = await ask()
    except TimeoutError:
        raise AssertionError(f"still {found}, not {expected}") from None


async def sidebar(work: Work, method: str, number: int, on: int) -> None:
    """Alice adds or removes a dependency in the sidebar; no webhook tells of it."""
    owner, _, repo = work.repo.partition("/")
    path = f"/repos/{work.repo}/issues/{number}/dependencies"
    await work.alice.do(method, path, {"owner": owner, "repo": repo, "index": on})


async def nudge(work: Work, number: int) -> None:
    """Something else happens to an issue, so that the bot looks at it."""
    await work.change(number, title=f"Take {next(TAKES)}")


async def test_what_a_text_or_a_command_says_shows_in_the_sidebar_and_goes_with_it(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        for title in ("One", "Two", "Three"):
            await work.open(title)
        number = await work.open("Four", f"Blocked by #1\n\nBlocks: #3{SIZE}", BOT)
        await work.until(number, *BLOCKED, headline="Blocked")
        await until([1], lambda: natives(work, number))
        await until([4], lambda: natives(work, 3))

        path = f"/repos/{work.repo}/issues/{number}/comments"
        await work.alice.do("POST", path, {"body": "/blocked-by #2"})
        await until([1, 2], lambda: natives(work, number))
        await work.alice.do("POST", path, {"body": "/unlink #2"})
        await until([1], lambda: natives(work, number))

        await work.change(number, body=SIZE)
        await work.until(number, *READY, headline="Ready")
        await until([], lambda: natives(work, number))
        await until([], lambda: natives(work, 3))


async def test_what_is_added_in_the_sidebar_counts_and_says_where_it_comes_from(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        await work.open("One")
        await work.open("Two")
        number = await work.open("Three", f"Blocked by #1{SIZE}", BOT)
        await work.until(number, *BLOCKED, headline="Blocked")
        await sidebar(work, "POST", number, 2)
        await nudge(work, number)
        look = await work.until(number, *BLOCKED, headline="Blocked", says="set in Gitea")
        [one, two] = [line for line in look.report.splitlines() if line.startswith("- \\#")]
        assert one.endswith("declared")
        assert two.endswith("set in Gitea")

        await sidebar(work, "DELETE", number, 2)
        await nudge(work, number)
        await work.until(number, *BLOCKED, headline="Blocked", not_="set in Gitea")
        assert [1] == await natives(work, number)


async def test_what_is_removed_in_the_sidebar_stays_off_until_the_text_changes(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """It is told in the report, once, and nobody is fought."""
    async with at_work(forge_server, tmp_path) as work:
        await work.open("One")
        number = await work.open("Two", f"Blocked by #1{SIZE}", BOT)
        await work.until(number, *BLOCKED, headline="Blocked")
        await until([1], lambda: natives(work, number))
        await sidebar(work, "DELETE", number, 1)
        for _ in range(2):
            await nudge(work, number)
            look = await work.until(number, *READY, headline="Ready", says="took it away among")
            assert 1 == look.report.count("took it away among")
            assert [] == await natives(work, number)
        await work.quiet()
        look = await work.look(number)
        assert 1 == len([one for one in look.others if "**Ready**" in one])

        await work.change(number, body=f"Still blocked by #1.{SIZE}")
        await work.until(number, *BLOCKED, headline="Blocked", not_="took it away among")
        await until([1], lambda: natives(work, number))

        await sidebar(work, "DELETE", number, 1)
        await nudge(work, number)
        await work.until(number, *READY, headline="Ready", says="took it away among")
        await sidebar(work, "POST", number, 1)
        await nudge(work, number)
        look = await work.until(number, *BLOCKED, headline="Blocked", says="set in Gitea")
        assert "took it away among" not in look.report


async def test_what_people_set_stays_when_the_text_no_longer_says_so(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        await work.open("One")
        number = await work.open("Two", SIZE)
        await sidebar(work, "POST", number, 1)
        await work.change(number, body=f"Blocked by #1{SIZE}", assignees=[BOT])
        await work.until(number, *BLOCKED, headline="Blocked")
        await work.change(number, body=SIZE)
        await work.until(
            number, *BLOCKED, headline="Blocked", says="**open** · set in Gitea", not_="· declared"
        )
        assert [1] == await natives(work, number)


async def test_no_circle_is_set_so_that_one_of_it_can_be_closed(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        for number, waits in ((1, 2), (2, 3), (3, 1)):
            await work.open(f"Part {number}", f"Blocked by #{waits}{SIZE}", BOT)
        for number in (1, 2, 3):
            await work.until(number, *BLOCKED, headline="Blocked", says="in a circle")
        await work.quiet()
        for number in (1, 2, 3):
            await nudge(work, number)
        await work.quiet()
        there = [await natives(work, number) for number in (1, 2, 3)]
        free = next(number for number in (1, 2, 3) if not there[number - 1])
        look = await work.until(free, *BLOCKED, headline="Blocked", says="would close a circle")
        assert "Not set among Gitea's own dependencies" in look.report
        await work.change(free, state="closed")
        before = {1: 3, 2: 1, 3: 2}[free]  # who waits for it
        await work.until(before, *READY, headline="Ready")


async def test_switched_off_in_the_repository_it_works_on_without_and_says_so(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:

        async def switch(*, on: bool) -> None:
            tracker = {"enable_issue_dependencies": on}
            settings = {"has_issues": True, "internal_tracker": tracker}
            await work.alice.do("PATCH", f"/repos/{work.repo}", settings)

        await work.open("One")
        await switch(on=False)
        number = await work.open("Two", f"Blocked by #1{SIZE}", BOT)
        await work.until(
            number, *BLOCKED, headline="Blocked", says="dependencies are switched off in this"
        )
        await switch(on=True)
        await nudge(work, number)
        await work.until(number, *BLOCKED, headline="Blocked", not_="switched off")
        assert [1] == await natives(work, number)
        await switch(on=False)
        await nudge(work, number)
        await work.until(number, *BLOCKED, headline="Blocked", says="switched off")
        await switch(on=True)
        await nudge(work, number)
        look = await work.until(number, *BLOCKED, headline="Blocked", not_="switched off")
        assert "taken away" not in look.report
        assert [1] == await natives(work, number)


async def test_unassigned_it_leaves_none_behind_but_those_of_people(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        await work.open("One")
        await work.open("Two")
        number = await work.open("Three", f"Blocked by #1{SIZE}", BOT)
        await work.until(number, *BLOCKED, headline="Blocked")
        await until([1], lambda: natives(work, number))
        await sidebar(work, "POST", number, 2)
        await work.change(number, assignees=[])
        await work.until(number, headline="Ended")
        await until([2], lambda: natives(work, number))


async def test_set_to_read_only_it_writes_none(forge_server: ForgeServer, tmp_path: Path) -> None:
    environ = {"MOSAIC_GITEA__DEPENDENCIES": "read"}
    async with at_work(forge_server, tmp_path, environ=environ) as work:
        await work.open("One")
        await work.open("Two")
        number = await work.open("Three", f"Blocked by #1{SIZE}")
        await sidebar(work, "POST", number, 2)
        await work.assign(number)
        await work.until(number, *BLOCKED, headline="Blocked", says="set in Gitea")
        await work.quiet()
        assert [2] == await natives(work, number)


async def test_switched_off_here_gitea_s_own_do_not_count(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    environ = {"MOSAIC_GITEA__DEPENDENCIES": "off"}
    async with at_work(forge_server, tmp_path, environ=environ) as work:
        await work.open("One")
        number = await work.open("Two", SIZE)
        await sidebar(work, "POST", number, 1)
        await work.assign(number)
        await work.until(number, *READY, headline="Ready")
