"""What a check says of housekeeping, of backups, and of one that was put back by half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.backup.noting import NOTE as SAVED
from bot.check.finding import Grade
from bot.check.kept import broken_off, saved, tidied
from bot.housekeeping import NOTE as TIDIED
from bot.store.alone import half_restored

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Notes:
    """What was noted, so long ago."""

    def __init__(self, name: str, ago: timedelta | None) -> None:
        self.kept = {} if ago is None else {name: (NOW - ago).isoformat()}

    async def note(self, name: str) -> str:
        return self.kept.get(name, "")

    async def keep_note(self, name: str, value: str) -> None:
        raise AssertionError(name, value)


@pytest.mark.parametrize(
    ("expected", "ago", "running"),
    [
        ([], None, True),
        ([("storage.tidied", Grade.GOOD)], DAY, True),
        ([("storage.untidied", Grade.WRONG)], 3 * DAY, True),
        ([("storage.tidied", Grade.GOOD)], 30 * DAY, False),
    ],
    ids=["not yet", "yesterday", "long ago", "long ago, by a bot that is stopped"],
)
async def test_housekeeping(expected, ago, running) -> None:
    found = await tidied(Notes(TIDIED, ago), NOW, running=running)
    assert expected == [(one.id, one.grade) for one in found]


@pytest.mark.parametrize(
    ("expected", "ago"),
    [
        ([], None),
        ([("storage.saved", Grade.GOOD)], 7 * DAY),
        ([("storage.backup-old", Grade.NOTE)], 9 * DAY),
    ],
    ids=["by others, or never", "a week ago", "longer ago"],
)
async def test_backups(expected, ago) -> None:
    found = await saved(Notes(SAVED, ago), NOW)
    assert expected == [(one.id, one.grade) for one in found]
    assert all("9 days ago" in one.what for one in found if one.grade is Grade.NOTE)


def test_one_that_was_put_back_by_half(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    assert [] == broken_off(url)
    half_restored(tmp_path / "bot.db").touch()
    assert ["storage.half-restored"] == [one.id for one in broken_off(url)]
    assert [] == broken_off("postgresql://h/x")
