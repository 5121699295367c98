"""`backup` and `restore` as one calls them: what they print, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.backup.noting import backed_up_at
from bot.store.alone import alone
from bot.store.database import as_it_is, opened
from bot.store.watching import Watching

pytestmark = pytest.mark.usefixtures("elsewhere")

URL = "sqlite:///data/coordinator.db"


@pytest.fixture
def data() -> Path:
    """A bot's database, in the folder where it is by default."""

    async def make() -> None:
        async with opened(URL):
            pass

    asyncio.run(make())
    with closing(sqlite3.connect("data/coordinator.queue.db")) as connection:
        connection.execute("CREATE TABLE kept (word TEXT)")
    return Path("data")


async def noted() -> datetime | None:
    async with as_it_is(URL) as engine:
        return await backed_up_at(Watching(engine, now=lambda: datetime.now(UTC)))


def test_it_is_saved_and_put_back(run, data: Path) -> None:
    done = run("backup", "saved")
    assert (0, "") == (done.status, done.err)
    assert done.out.startswith("Saved in saved (")
    assert asyncio.run(noted()) is not None
    done = run("restore", "saved")
    assert (0, "") == (done.status, done.err)
    assert done.out.startswith("Put back as it was at 2")
    assert "What was there before: data/coordinator.db.before-restore-" in done.out
    assert "Boxes that were ticked since, and commands in comments that were deleted" in done.out
    assert done.out.endswith("Now start the bot.\n")
    assert asyncio.run(noted()) is None, "it did not hold its own note"


def test_a_program_may_read_it(run, data: Path) -> None:
    made = json.loads(run("backup", "saved", "--json").out)
    assert ("saved", Path("saved").stat().st_size) == (made["file"], made["size"])
    put_back = json.loads(run("restore", "saved", "--json").out)
    assert made["taken_at"].replace("+00:00", "Z") == put_back["taken_at"].replace("+00:00", "Z")
    assert 2 == len(put_back["before"])


def test_where_nothing_was_nothing_is_said_of_it(run, data: Path) -> None:
    run("backup", "saved")
    for one in data.iterdir():
        one.unlink()
    assert "before" not in run("restore", "saved").out


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("saved is there already; choose another name, or --force", ("backup", "saved")),
        ("there is no folder backup; make it: mkdir -p backup", ("backup", "backup/")),
        (
            "there is no folder my backup/x; make it: mkdir -p 'my backup/x'",
            ("backup", "my backup/x/y"),
        ),
        (
            "data/coordinator.db is a file of the bot's own database; choose another name",
            ("backup", "--force", "data/coordinator.db"),
        ),
        ("nowhere: No such file or directory", ("restore", "nowhere")),
        ("bot.toml is no backup of the bot, or is damaged", ("restore", "bot.toml")),
    ],
    ids=["there already", "no folder", "no folder above", "its own", "nowhere", "none"],
)
def test_what_is_wrong_is_one_line(run, data: Path, expected: str, words: tuple[str, ...]) -> None:
    Path("bot.toml").touch()
    run("backup", "saved")
    done = run(*words)
    assert (1, f"mosaic-coordinator: {expected}\n") == (done.status, done.err)


def test_nothing_is_put_back_beside_a_bot(run, data: Path) -> None:
    run("backup", "saved")
    with alone(URL):
        done = run("restore", "saved")
    assert 2 == done.status
    assert "another mosaic-coordinator is at work" in done.err
