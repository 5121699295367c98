"""What people said while no webhook told of it is done when it is found, on the embedded forge and a
real Gitea.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.boxes import boxes
from bot.demo.actor import ticked
from bot.models import IssueRef
from bot.render import MARKER
from bot.worker import hear, look
from tests.e2e.test_talk import LABELS, SMALL, reactions, say
from tests.e2e.work import BOT, EVENTS, Work, at_work
from tests.forges import ForgeServer

NAMES = itertools.count(1)


async def deaf(work: Work) -> None:
    """From now on nothing tells the bot what happens."""
    path = f"/repos/{work.repo}/hooks"
    for hook in await work.server.api().read(path):
        await work.server.api().do("DELETE", f"{path}/{hook['id']}")


async def ask(work: Work, number: int, *comments: int, opening: bool = False) -> None:
    """Have comments heard, as the recheck does when it finds them, until all is done."""
    ref = IssueRef.parse(f"{work.repo}#{number}")
    await work.bot.engine.submit(
        hear(ref, comments, opening=opening, stamp="", name=str(next(NAMES)))
    )
    await work.quiet()


async def ready(work: Work, *, deaf_now: bool = True) -> int:
    """An issue with its report; then, unless told otherwise, the bot hears nothing any more."""
    number = await work.open("One", SMALL, BOT)
    await work.until(number, "status/ready", *LABELS, headline="Ready")
    await work.quiet()
    if deaf_now:
        await deaf(work)
    return number


async def edit(work: Work, who: str, comment: int, body: str) -> None:
    """Somebody edits a comment, some time after it was written."""
    for _ in range(2):
        await work.server.next_second()
    path = f"/repos/{work.repo}/issues/comments/{comment}"
    await work.server.api(who).do("PATCH", path, {"body": body})


async def report(work: Work, number: int) -> Mapping[str, Any]:
    """The bot's report as it is in Gitea."""
    found = await work.alice.read(f"/repos/{work.repo}/issues/{number}/comments")
    [one] = [one for one in found if one["body"].startswith(MARKER)]
    return dict(one)


async def tick(work: Work, who: str, number: int, *names: str) -> int:
    """Somebody ticks, or clears, boxes of the report; its id."""
    stands = await report(work, number)
    there, body = boxes(stands["body"]), stands["body"]
    for name in names:
        body = ticked(body, list(there).index(name), on=not there[name])
    await edit(work, who, stands["id"], body)
    return int(stands["id"])


async def test_a_command_that_nothing_told_of_is_done_once(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        comment = await say(work, "bob", number, "/hold the review\n/hodl")
        for _ in range(2):
            await ask(work, number, comment)
        look = await work.until(
            number,
            "status/hold",
            *LABELS,
            headline="On hold",
            says="`bob` set it aside: the review",
        )
        assert {"eyes", "confused"} == await reactions(work, comment)
        [reply] = look.others
        assert "did you mean `hold`" in reply


async def test_what_is_told_and_found_is_done_once(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work, deaf_now=False)
        comment = await say(work, "bob", number, "/priority p1\n/hodl")
        async with asyncio.timeout(20):
            while "confused" not in await reactions(work, comment):
                await ask(work, number, comment)
        await ask(work, number, comment)
        look = await work.until(number, "status/ready", *LABELS, "priority/p1", headline="Ready")
        assert 1 == len(look.others)


async def test_of_an_edited_comment_what_is_new_is_done(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """By the author's right; who edited it is not said, for nobody knows."""
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work, deaf_now=False)
        comment = await say(work, "bob", number, "/priority p1")
        labels = (*LABELS, "priority/p1")
        await work.until(number, "status/ready", *labels, headline="Ready")
        await work.quiet()
        await deaf(work)
        await work.alice.do("POST", f"/repos/{work.repo}/issues", {"title": "Two"})
        await edit(work, "alice", comment, "Words.\n/priority p1\n/hold\n/pause")
        await ask(work, number, comment)
        look = await work.until(
            number, "status/hold", *labels, headline="On hold", says="Somebody set it aside"
        )
        [reply] = look.others
        assert "✗ `pause` — this comment was edited while I could not hear it" in reply
        assert "priority" not in reply


async def test_what_somebody_may_not_is_refused_when_it_is_found(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        before = (await work.look(number)).report
        comment = await say(work, "mallory", number, "/hold")
        other = await say(work, "mallory", number, "Words.")
        await edit(work, "bob", other, "/hold")
        await ask(work, number, comment, other)
        look = await work.look(number)
        assert before == look.report
        assert 2 == sum("write in this repository" in body for body in look.others)


async def test_a_tick_that_nothing_told_of_is_done_for_somebody(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        await ask(work, number, await tick(work, "bob", number, "hold", "parse"))
        look = await work.until(
            number, "status/hold", *LABELS, headline="On hold", says="Somebody set it aside"
        )
        assert {"hold": True} == {name: on for name, on in boxes(look.report).items() if on}
        await ask(work, number, await tick(work, "bob", number, "hold"))
        look = await work.until(number, "status/ready", *LABELS, headline="Ready")
        assert not any(boxes(look.report).values())
        assert [] == look.others


async def test_a_tick_for_a_right_elsewhere_is_refused_whether_there_is_an_issue_or_not(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        private = await forge_server.repository(
            name="secret", private=True, people={"alice": "admin", BOT: "admin"}
        )
        await work.alice.do("POST", f"/repos/{private}/issues", {"title": "A secret"})
        number = await ready(work)
        stands = await report(work, number)
        lines = [f"- [x] <!-- mosaic:box=accept:{private}#{n} --> it waits" for n in (1, 2)]
        await edit(work, "alice", stands["id"], "\n".join([stands["body"], *lines]))
        await ask(work, number, stands["id"])
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        [reply] = (await work.look(number)).others
        assert 2 == reply.count("and Gitea does not say by whom; tick it again")


async def test_commands_are_done_in_the_order_in_which_they_were_said(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        said = [await say(work, "bob", number, words) for words in ("/hold", "/unhold", "/hold b")]
        await ask(work, number, *reversed(said))
        await work.until(
            number, "status/hold", *LABELS, headline="On hold", says="`bob` set it aside: b"
        )
        more = [await say(work, "bob", number, words) for words in ("/unhold", "/priority p2")]
        await ask(work, number, *said, *more)
        labels = (*LABELS, "priority/p2")
        look = await work.until(number, "status/ready", *labels, headline="Ready")
        assert [] == look.others


async def test_in_a_paused_repository_it_shows_when_that_is_over(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        before = (await work.look(number)).report
        pause = await say(work, "alice", number, "/pause")
        await ask(work, number, pause)
        hold = await say(work, "bob", number, "/hold")
        await ask(work, number, hold)
        assert before == (await work.look(number)).report
        assert set() == await reactions(work, hold)
        await ask(work, number, await say(work, "alice", number, "/resume"))
        await work.until(number, "status/hold", *LABELS, headline="On hold")


async def test_a_comment_that_was_deleted_meanwhile_is_not_done(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        gone = await say(work, "bob", number, "/hold")
        stays = await say(work, "bob", number, "/priority p2")
        path = f"/repos/{work.repo}/issues/comments/{gone}"
        await work.server.api("bob").do("DELETE", path)
        await ask(work, number, gone, stays)
        await work.until(number, "status/ready", *LABELS, "priority/p2", headline="Ready")


@pytest.mark.parametrize("times", [1, 2])
async def test_commands_that_close_a_text_are_done_once(
    forge_server: ForgeServer, tmp_path: Path, times: int
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        await ready(work)
        number = await work.open("Two", f"{SMALL}\n\n/priority p0\n/hodl", BOT)
        for _ in range(times):
            await ask(work, number, opening=True)
        await work.server.hook(
            f"/repos/{work.repo}", f"http://127.0.0.1:{work.port}/webhook/gitea", EVENTS
        )
        await work.change(number, title="Second")
        look = await work.until(number, "status/ready", *LABELS, "priority/p0", headline="Ready")
        assert 1 == len(look.others)


async def test_a_tick_of_which_no_event_came_is_done_before_the_report_is_written_anew(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Any look that finds it in the bot's comment has it done, and the comment left as it is."""
    async with at_work(forge_server, tmp_path) as work:
        number = await ready(work)
        await tick(work, "bob", number, "hold")
        await work.change(number, body=SMALL.replace("9k", "8k"))
        await work.bot.engine.submit(look(IssueRef.parse(f"{work.repo}#{number}"), stamp="a/b/1"))
        found = await work.until(number, "status/hold", *LABELS, headline="On hold", says="8k")
        assert {"hold": True} == {name: on for name, on in boxes(found.report).items() if on}
