"""Housekeeping: when it is done, by whom, in what portions, and what becomes of a failure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.config import CLOCKS_DIFFER, load
from bot.errors import GiteaError, Permanent, Retryable, StoreError
from bot.gitea.models import User
from bot.housekeeping import BATCH, KINDS, NOTE, Housekeeping, files_of

NOW = datetime(2026, 11, 22, 3, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Old:
    """A queue and a store that hold so many old rows of each kind."""

    executor = "one"

    def __init__(self, **rows: int) -> None:
        self.rows = Counter(rows)
        self.before: dict[str, datetime] = {}
        self.calls = Counter[str]()
        self.failing = ""

    def __getattr__(self, name: str):
        async def delete(before: datetime, most: int) -> int:
            if name == self.failing:
                raise StoreError("the disk is full")
            self.calls[name] += 1
            self.before[name] = before
            deleted = min(most, self.rows[name])
            self.rows[name] -= deleted
            return deleted

        return delete


class Shared:
    """Locks and notes, of all replicas."""

    def __init__(self, holder: str = "") -> None:
        self.holder = holder
        self.kept: dict[str, str] = {}

    async def lock(self, name: str, holder: str, keep: timedelta) -> bool:
        if self.holder not in ("", holder):
            return False
        self.holder = holder
        return True

    async def unlock(self, name: str, holder: str) -> None:
        self.holder = ""

    async def note(self, name: str) -> str:
        return self.kept.get(name, "")

    async def keep_note(self, name: str, value: str) -> None:
        self.kept[name] = value


class Counts:
    """What the metrics are told."""

    def __init__(self) -> None:
        self.rows = Counter[str]()

    def deleted(self, what: str, rows: int) -> None:
        self.rows[what] += rows


class Clock:
    """Gitea's, so far before ours; None where it tells none."""

    def __init__(self) -> None:
        self.ahead: timedelta | None = None
        self.tells: timedelta | None = timedelta(seconds=-1)
        self.error: GiteaError | None = None
        self.asked = 0

    async def me(self) -> User:
        self.asked += 1
        if self.error:
            raise self.error
        self.ahead = self.tells
        return User(id=1, login="coordinator")

    def time(self, ours: datetime) -> datetime | None:
        return None if self.ahead is None else ours + self.ahead


class Home:
    """Housekeeping without files, at a time that is set by hand."""

    def __init__(self, tmp_path: Path, **rows: int) -> None:
        self.now = NOW
        self.path = tmp_path / "bot.toml"
        self.old, self.shared, self.counts = Old(**rows), Shared(), Counts()
        self.clock = Clock()
        self.keeping: Housekeeping | None = None

    async def tidy(self, **environ: str) -> bool:
        self.keeping = self.keeping or self.made(environ)
        return await self.keeping.tidy()

    def made(self, environ: dict[str, str]) -> Housekeeping:
        self.path.write_text("", encoding="utf-8")
        return Housekeeping(
            load({"DATABASE_URL": "postgresql://h/x", **environ}, self.path),
            queue=self.old,
            memory=self.old,
            locks=self.shared,
            notes=self.shared,
            forge=self.clock,
            observer=self.counts,
            now=lambda: self.now,
            rest=0.0,
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, forget=2 * BATCH + 1, commands=BATCH, readings=1)


async def test_all_that_is_old_goes_in_portions(home: Home) -> None:
    await home.tidy()
    assert 0 == home.old.rows.total()
    expected = {"forget": 3, "commands": 2, "readings": 1, "failures": 1, "issues": 1}
    assert expected == {what: home.old.calls[what] for what in expected}
    assert {"jobs": 2 * BATCH + 1, "commands": BATCH, "readings": 1} == dict(+home.counts.rows)
    assert {*KINDS} == home.counts.rows.keys()


@pytest.mark.parametrize(
    ("expected", "what", "environ"),
    [
        (timedelta(days=7), "forget", {}),
        (timedelta(hours=1), "forget", {"MOSAIC_QUEUE__KEEP": "1h"}),
        (timedelta(days=90), "commands", {}),
        (timedelta(days=10), "commands", {"MOSAIC_KEEP__COMMANDS": "10d"}),
        (timedelta(days=9), "commands", {"MOSAIC_KEEP__COMMANDS": "1h"}),
        (timedelta(days=102), "commands", {"MOSAIC_CATCH_UP": "100d"}),
        (timedelta(days=1), "readings", {"MOSAIC_KEEP__READINGS": "1d"}),
        (timedelta(days=2), "failures", {"MOSAIC_KEEP__FAILURES": "2d"}),
        (timedelta(days=3), "spending", {"MOSAIC_KEEP__SPENDING": "3d"}),
        (timedelta(days=180), "issues", {}),
        (timedelta(days=1), "locks", {}),
    ],
    ids=[
        "work",
        "work, set",
        "commands",
        "commands, set",
        "commands, less than they are caught up with",
        "commands, caught up with for long",
        "answers",
        "failures",
        "spending",
        "issues",
        "locks",
    ],
)
async def test_each_kind_is_kept_for_its_time(
    home: Home, expected: timedelta, what: str, environ: dict[str, str]
) -> None:
    """And commands always for longer than they are caught up with: else one is done twice."""
    await home.tidy(**environ)
    assert expected == NOW - home.old.before[what]


@pytest.mark.parametrize(
    ("expected", "passed"),
    [(1, HOUR), (1, 11 * HOUR), (2, 12 * HOUR), (2, 24 * HOUR), (2, -HOUR)],
    ids=["at once", "just before", "half a day", "a day", "the clock was set back"],
)
async def test_it_is_done_when_it_is_due(home: Home, expected: int, passed: timedelta) -> None:
    """A start, and another replica, find that it was done."""
    await home.tidy()
    home.now += passed
    await home.tidy()
    assert expected == home.old.calls["issues"]


YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("expected", "tells", "error"),
    [
        (True, timedelta(days=-1), None),
        (True, CLOCKS_DIFFER, None),
        (False, -YEAR, None),
        (False, YEAR, None),
        (False, None, None),
        (False, timedelta(), Retryable("it is silent")),
        (False, timedelta(), Permanent("401")),
    ],
    ids=[
        "a day apart",
        "as far apart as clocks are",
        "ours is a year ahead",
        "ours is a year behind",
        "it tells no time",
        "it is down",
        "it knows us not",
    ],
)
async def test_nothing_is_deleted_unless_gitea_says_the_same_time(
    home: Home, expected: bool, tells: timedelta | None, error: GiteaError | None
) -> None:
    """By a clock that is a year ahead, all is old."""
    home.clock.tells, home.clock.error = tells, error
    before = home.old.rows.total()
    assert expected is await home.tidy()
    assert (expected, expected) == (home.old.rows.total() < before, NOTE in home.shared.kept)


async def test_gitea_is_asked_afresh_for_the_clock_may_have_been_set_since(home: Home) -> None:
    """What was known of it before goes along with ours, wherever that is set to."""
    await home.clock.me()
    home.now += YEAR
    home.clock.tells = -YEAR
    assert await home.tidy() is False
    assert 0 == home.old.calls.total()


async def test_where_it_is_not_due_gitea_is_not_asked(home: Home) -> None:
    assert [True, True] == [await home.tidy() for _ in range(2)]
    assert 1 == home.clock.asked


async def test_that_it_waits_is_told_once_until_it_went_on(home: Home) -> None:
    told = []
    for tells in (-YEAR, -YEAR, timedelta(), YEAR):
        home.clock.tells = tells
        with capture_logs() as logs:
            await home.tidy()
        told.append([line for line in logs if line["event"] == "housekeeping.waits"])
        home.now += timedelta(days=1)
    assert [1, 0, 0, 1] == [len(lines) for lines in told]
    assert (
        "this machine's clock shows 2026-11-22 03:17, Gitea's 2025-11-22 03:17" == told[0][0]["why"]
    )


async def test_one_replica_does_it(home: Home) -> None:
    home.shared.holder = "two"
    await home.tidy()
    assert (0, "two") == (home.old.calls.total(), home.shared.holder)


async def test_what_fails_stops_nothing_else_and_it_is_due_still(home: Home) -> None:
    home.old.failing = "commands"
    with capture_logs() as logs, pytest.raises(StoreError, match="the disk is full"):
        await home.tidy()
    assert [("housekeeping.failed", "commands")] == [
        (line["event"], line["what"]) for line in logs if line["log_level"] == "warning"
    ]
    assert (BATCH, 0) == (home.old.rows["commands"], home.old.rows["readings"])
    assert ("", "") == (home.shared.holder, await home.shared.note(NOTE))
    home.old.failing = ""
    await home.tidy()
    assert 0 == home.old.rows["commands"]


def test_there_are_two_files_or_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    assert (tmp_path / "bot.db", tmp_path / "bot.queue.db") == files_of(url)
    assert () == files_of("postgresql://h/x")
