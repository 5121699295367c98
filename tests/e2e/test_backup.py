"""A backup is made while the bot runs, and put back, as docs/backup.md says: with what it says."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.forge import Forge, serve
from bot.models import IssueRef
from tests.e2e.command_line import command, environment
from tests.e2e.test_talk import LABELS, SMALL, reactions, say
from tests.e2e.work import BOT, Work, at_work
from tests.forges import ForgeServer
from tests.gitea_server import free_port
from tests.unit.documents import DOCS, blocks

pytestmark = pytest.mark.counted

SAVE, PUT_BACK = (b.content for b in blocks(DOCS / "backup.md") if "run" in b.marks)
PROGRAM = f"""#!/bin/sh
exec {sys.executable} -m bot "$@"
"""
REPO = "acme/rocket"
ISSUES, SAID = 4, 24
BEFORE = 6  # commands said before the backup is begun
ENOUGH = 60.0  # seconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to run the bot in, with its command."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mosaic-coordinator").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "bin" / "mosaic-coordinator").chmod(0o755)
    return tmp_path


def shell(script: str, folder: Path) -> int:
    """The status of a script of the page, run in this folder."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environ = environment(PATH=path)
    return subprocess.run(["sh", "-ec", script], cwd=folder, env=environ, check=False).returncode


def working(server: ForgeServer, folder: Path, repo: str = ""):
    """The bot with its database in `data/` of the folder, as `make run` has it."""
    url = f"sqlite:///{folder}/data/coordinator.db"
    return at_work(server, folder, repo=repo, environ={"DATABASE_URL": url})


async def said(work: Work, number: int, line: str) -> None:
    """Alice says a command, and it is done."""
    comment = await say(work, "alice", number, line)
    await work.server.until(lambda: _is_done(work, comment))
    await work.quiet()


async def reported(work: Work) -> int:
    """An issue that is assigned, and has its report."""
    number = await work.open("One", SMALL, BOT)
    await work.until(number, "status/ready", *LABELS, headline="Ready")
    return number


async def _is_done(work: Work, comment: int) -> bool:
    return "+1" in await reactions(work, comment)


async def test_what_people_said_before_and_after_a_backup_holds_when_it_was_put_back(
    forge_server: ForgeServer, folder: Path
) -> None:
    async with working(forge_server, folder) as work:
        repo = work.repo
        number = await reported(work)
        await said(work, number, "/priority p1")
        assert 0 == shell(SAVE, folder), "the bot is at work"
        assert 0 != shell(PUT_BACK, folder), "the bot is at work"
        await said(work, number, "/hold until Monday")
    assert 0 == shell(PUT_BACK, folder)
    async with working(forge_server, folder, repo) as work:
        await work.quiet()
        known = await work.bot.sayings.overrides(IssueRef.parse(f"{repo}#{number}"))
        assert {"hold": "yes", "priority": "p1"} == {one.field: one.value for one in known.all}
        held = {"status/hold", "priority/p1", *LABELS}
        look = await work.until(number, *held, headline="On hold", says="until Monday")
        assert [] == look.others, "nobody is told twice"


async def test_a_box_that_was_ticked_since_is_to_be_ticked_again(
    forge_server: ForgeServer, folder: Path
) -> None:
    """As the page says; and then it counts."""
    async with working(forge_server, folder) as work:
        repo = work.repo
        number = await reported(work)
        await work.quiet()
        assert 0 == shell(SAVE, folder)
        await work.tick(number, "hold")
        await work.until(number, "status/hold", *LABELS, headline="On hold")
        await work.quiet()
    assert 0 == shell(PUT_BACK, folder)
    async with working(forge_server, folder, repo) as work:
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        await work.quiet()
        await work.tick(number, "hold")
        await work.until(number, "status/hold", *LABELS, headline="On hold")


async def test_without_the_database_reports_come_back_and_what_was_said_does_not(
    forge_server: ForgeServer, folder: Path
) -> None:
    async with working(forge_server, folder) as work:
        repo = work.repo
        number = await work.open("One", SMALL, BOT)
        await said(work, number, "/hold until Monday")
        await work.until(number, "status/hold", *LABELS, headline="On hold")
    shutil.rmtree(folder / "data")
    async with working(forge_server, folder, repo) as work:
        await work.until(number, "status/ready", *LABELS, headline="Ready")


# ---- a process, under load, killed ----


@pytest.fixture
def forge() -> Forge:
    forge = Forge()
    for login in (BOT, "alice"):
        forge.add_user(login)
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    return forge


@asynccontextmanager
async def process(
    folder: Path, environ: dict[str, str], *arguments: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command at work; killed at the end, if it did not end."""
    started = await asyncio.create_subprocess_exec(
        *command(*arguments), cwd=folder, env=environ, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(ENOUGH):
        while not holds():  # another process does it
            await asyncio.sleep(0.02)


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(ENOUGH):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def words(nth: int) -> str:
    """One that is done without a word, and one that is refused, which is told in a reply."""
    return f"/priority p{nth % 4}" if nth % 2 else f"/agent nobody{nth}"


def reacted(forge: Forge) -> int:
    """How many comments of Alice's the bot is done with."""
    issues = forge.repository(REPO).issues.values()
    mine = [c for issue in issues for c in issue.comments if c.poster.login == "alice"]
    ends = {"+1", "confused"}
    return sum(bool(ends & {one.content for one in comment.reactions}) for comment in mine)


async def test_saved_under_load_killed_lost_and_put_back_nothing_is_lost_or_done_twice(
    forge: Forge, folder: Path
) -> None:
    alice, port = forge.act_as("alice", REPO), free_port()
    forge.add_hook(f"http://127.0.0.1:{port}/webhook/gitea", secret="secret", repository=REPO)
    async with serve(forge) as url:
        environ = environment(
            GITEA_URL=url,
            GITEA_TOKEN=forge.add_token(BOT),
            GITEA_WEBHOOK_SECRET="secret",
            HOST="127.0.0.1",
            PORT=str(port),
        )
        async with process(folder, environ, "serve") as bot:
            await until_it_listens(port)
            for number in range(1, ISSUES + 1):
                alice.open(f"Issue {number}", SMALL, assignees=[BOT])
            await until(lambda: all(forge.labels(REPO, n) for n in range(1, ISSUES + 1)))
            saving = asyncio.create_task(say_all(forge, folder, environ))
            assert 0 == await saving
            await until(lambda: reacted(forge) > SAID // 3)
            bot.kill()
            await bot.wait()
        assert reacted(forge) < SAID, "it was killed at work"
        shutil.rmtree(folder / "data")
        async with process(folder, environ, "restore", "saved") as restoring:
            assert 0 == await restoring.wait()
        async with process(folder, environ, "serve") as bot:
            await until(lambda: reacted(forge) == SAID)
            await until(lambda: all(priority(forge, n) == said_last(n) for n in range(1, 5)))
            bot.terminate()
            assert 0 == await bot.wait()
    for number in range(1, ISSUES + 1):
        mine = [comment.body for comment in forge.comments(REPO, number, BOT)]
        assert 1 == sum("mosaic-coordinator:report" in body for body in mine)
        told = Counter(word for body in mine for word in re.findall(r"nobody\d+", body))
        refused = [n for n in range(SAID) if not n % 2 and n % ISSUES + 1 == number]
        assert {f"nobody{n}" for n in refused} == told.keys(), "each is told"
        assert len(refused) == len(mine) - 1, "and told once"


async def say_all(forge: Forge, folder: Path, environ: dict[str, str]) -> int:
    """Alice says one thing after another; meanwhile it is saved. How that ended."""
    alice = forge.act_as("alice", REPO)
    ended: asyncio.Task[int] | None = None
    for nth in range(SAID):
        alice.comment(nth % ISSUES + 1, words(nth))
        await asyncio.sleep(0)
        if nth == BEFORE:
            await until(lambda: reacted(forge) > 0)
            ended = asyncio.create_task(saved(folder, environ))
        if nth > BEFORE and ended and not ended.done():
            await asyncio.sleep(0.05)  # so that some are said before it is saved, some after
    assert ended
    return await ended


async def saved(folder: Path, environ: dict[str, str]) -> int:
    async with process(folder, environ, "backup", "saved") as saving:
        return await saving.wait()


def priority(forge: Forge, number: int) -> str:
    labels = forge.labels(REPO, number)
    return next((label for label in labels if label.startswith("priority/")), "")


def said_last(number: int) -> str:
    said = [n for n in range(SAID) if n % 2 and n % ISSUES + 1 == number]
    return f"priority/p{said[-1] % 4}" if said else ""
