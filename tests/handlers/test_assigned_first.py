"""Commands on an issue that the bot does not look after."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from tests.handlers.changes import Desk, do, refused

LINES = [
    "/recheck",
    "/parse",
    "/estimate 46k",
    "/estimate auto",
    "/difficulty easy",
    "/agent sonnet",
    "/agent auto",
    "/priority p1",
    "/hold",
    "/unhold",
    "/unblock because",
    "/blocked-by #7",
    "/blocks #7",
    "/unlink #7",
]


@pytest.mark.parametrize("line", LINES)
async def test_a_change_of_an_issue_that_is_not_coordinated_is_refused(line: str) -> None:
    assert snapshot(
        "this issue is not assigned to `coordinator`; assign it first"
    ) == await refused(line, Desk(decided=None))


@pytest.mark.parametrize("line", ["/pause", "/resume", "/retry"])
async def test_what_is_not_about_the_report_is_done_all_the_same(line: str) -> None:
    await do(line, Desk(decided=None))


@pytest.mark.parametrize("line", ["/blocked-by #7", "/blocks #7"])
async def test_a_pull_request_has_no_report_and_may_be_linked(line: str) -> None:
    desk = Desk(decided=None)
    await do(line, desk, is_pull=True)
    assert 1 == len(desk.told)
