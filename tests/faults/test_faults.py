"""The short form of tests/faults/play.py: one script, on each database, with things going wrong.

`make faults` plays two hundred.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.databases import find_postgres
from tests.faults.oracle import Snapshot
from tests.faults.play import expected, places, play
from tests.faults.script import script

SEED, ISSUES = 20261126, 3


def test_the_oracle_sees_what_is_missing_and_what_is_too_much() -> None:
    right = Snapshot({"a#1": {"labels": ["x", "y"], "reports": ["r"]}})
    wrong = Snapshot({"a#1": {"labels": ["y", "z"], "reports": ["r", "r"]}})
    assert [] == right.differences(right)
    assert [
        "a#1 labels: missing 'x'",
        "a#1 labels: too much 'z'",
        "a#1 reports: too much 'r'",
    ] == wrong.differences(right)
    assert ["a#1 labels: missing 'x'"] == Snapshot({}).differences(right)[:1]


def test_a_seed_tells_the_whole_script() -> None:
    first, second = script(7, 4), script(7, 4)
    names = [[deed.name for deed in act] for act in first]
    assert names == [[deed.name for deed in act] for act in second]
    assert names != [[deed.name for deed in act] for act in script(8, 4)]


async def test_whatever_goes_wrong_all_is_as_if_nothing_had() -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    right = await expected(SEED, ISSUES)
    async with places("both" if find_postgres() else "sqlite") as where:
        runs = await asyncio.gather(*(play(SEED, right, ISSUES, place) for place in where))
    for run in runs:
        assert [] == run.differences, f"{run}\n{run.wrongs}"
        assert run.wrongs, "nothing went wrong"
    if len(runs) < 2:
        pytest.skip("no PostgreSQL: it was played on SQLite alone")
