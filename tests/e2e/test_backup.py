"""A backup is made while the bot runs, and put back, as docs/backup.md says: nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.models import IssueRef
from tests.e2e.test_talk import LABELS, SMALL, reactions, say
from tests.e2e.work import BOT, Work, at_work
from tests.forges import ForgeServer
from tests.unit.documents import DOCS, blocks

pytestmark = pytest.mark.counted

SAVE, PUT_BACK = (b.content for b in blocks(DOCS / "backup.md") if "run" in b.marks)
SQLITE3 = f"""#!{sys.executable}
import sqlite3, sys
from contextlib import closing
with closing(sqlite3.connect(sys.argv[1])) as connection:
    connection.execute(sys.argv[2])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to run the bot in; with a `sqlite3`, where this machine has none."""
    if not shutil.which("sqlite3"):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "sqlite3").write_text(SQLITE3, encoding="utf-8")
        (tmp_path / "bin" / "sqlite3").chmod(0o755)
    return tmp_path


def shell(script: str, folder: Path) -> int:
    """The status of a script of the page, run in this folder."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-ec", script], cwd=folder, env={"PATH": path}, check=False
    ).returncode


def working(server: ForgeServer, folder: Path, repo: str = ""):
    """The bot with its database in `data/` of the folder, as `make run` has it."""
    url = f"sqlite:///{folder}/data/coordinator.db"
    return at_work(server, folder, repo=repo, environ={"DATABASE_URL": url})


async def said(work: Work, number: int, line: str) -> None:
    """Alice says a command, and it is done."""
    comment = await say(work, "alice", number, line)
    await work.server.until(lambda: _is_done(work, comment))
    await work.quiet()


async def _is_done(work: Work, comment: int) -> bool:
    return "+1" in await reactions(work, comment)


async def test_what_people_said_before_and_after_a_backup_holds_when_it_was_put_back(
    forge_server: ForgeServer, folder: Path
) -> None:
    async with working(forge_server, folder) as work:
        repo = work.repo
        number = await work.open("One", SMALL, BOT)
        await work.until(number, "status/ready", *LABELS, headline="Ready")
        await said(work, number, "/priority p1")
        assert 0 == shell(SAVE, folder), "the bot is at work"
        assert 0 != shell(SAVE, folder), "there is a copy already"
        await said(work, number, "/hold until Monday")
    assert 0 == shell(PUT_BACK, folder)
    async with working(forge_server, folder, repo) as work:
        await work.quiet()
        known = await work.bot.sayings.overrides(IssueRef.parse(f"{repo}#{number}"))
        assert {"hold": "yes", "priority": "p1"} == {one.field: one.value for one in known.all}
        held = {"status/hold", "priority/p1", *LABELS}
        look = await work.until(number, *held, headline="On hold", says="until Monday")
        assert [] == look.others, "nobody is told twice"


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
