"""When an issue turns ready, or waits again: what is told, and that it is told once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.decide import Facts, decide
from bot.models import Dependency, IssueRef, RefState, Report, Source
from bot.sayings import Field, Override
from bot.transitions import NO_LONGER, Notice, Turn, turned

ME = IssueRef("acme", "rocket", 1)
TWO, THREE = ME.sibling(2), ME.sibling(3)
OPEN, CLOSED, GONE = RefState.OPEN, RefState.CLOSED, RefState.GONE
HELD = Override(Field.HOLD, "yes", "alice", datetime(2026, 11, 22, tzinfo=UTC))


def report(**states: RefState) -> Report:
    """A report on an issue that waits for these."""
    refs = {"two": TWO, "three": THREE}
    blockers = tuple(
        Dependency(refs[name], state, (Source.DECLARED,)) for name, state in states.items()
    )
    return decide(Facts(ME, text="x", blockers=blockers))


def ready(*about: tuple[IssueRef, str]) -> Notice:
    return Notice(Turn.READY, "t", about)


def blocked(*about: tuple[IssueRef, str]) -> Notice:
    return Notice(Turn.BLOCKED, "t", about)


@pytest.mark.parametrize(
    ("expected", "before", "stood", "now"),
    [
        pytest.param(
            ready((TWO, "closed")), "blocked", {TWO: OPEN}, report(two=CLOSED), id="closed"
        ),
        pytest.param(
            ready((TWO, "merged")),
            "blocked",
            {TWO: OPEN},
            report(two=RefState.MERGED),
            id="merged",
        ),
        pytest.param(ready((TWO, "gone")), "blocked", {TWO: OPEN}, report(two=GONE), id="deleted"),
        pytest.param(
            ready((TWO, NO_LONGER)), "blocked", {TWO: OPEN}, report(), id="taken out of the text"
        ),
        pytest.param(
            ready((TWO, "closed"), (THREE, "closed")),
            "blocked",
            {THREE: OPEN, TWO: OPEN},
            report(two=CLOSED, three=CLOSED),
            id="two at once",
        ),
        pytest.param(
            ready((THREE, "closed")),
            "blocked",
            {TWO: CLOSED, THREE: OPEN},
            report(two=CLOSED, three=CLOSED),
            id="the last of them",
        ),
        pytest.param(
            ready((TWO, "closed")),
            "blocked",
            {TWO: RefState.UNSEEN},
            report(two=CLOSED),
            id="one that could not be seen",
        ),
        pytest.param(ready(), "blocked", {}, report(), id="what it was is not known"),
        pytest.param(
            None, "blocked", {TWO: OPEN, THREE: OPEN}, report(two=CLOSED, three=OPEN), id="one left"
        ),
        pytest.param(
            blocked((TWO, "open")), "ready", {TWO: CLOSED}, report(two=OPEN), id="reopened"
        ),
        pytest.param(None, "ready", {}, report(two=OPEN), id="whoever adds one knows of it"),
        pytest.param(None, "ready", {TWO: CLOSED}, report(two=CLOSED), id="nothing changed"),
        pytest.param(None, "", {}, report(), id="the first report"),
        pytest.param(None, "in-progress", {TWO: CLOSED}, report(two=OPEN), id="begun"),
        pytest.param(None, "hold", {TWO: OPEN}, report(two=CLOSED), id="on hold before"),
    ],
)
def test_what_turned_is_told(
    expected: Notice | None, before: str, stood: dict[IssueRef, RefState], now: Report
) -> None:
    assert expected == turned(before, stood.items(), now, "t")


def test_an_issue_on_hold_does_not_turn_ready() -> None:
    now = decide(Facts(ME, text="x", held=HELD))
    assert turned("blocked", {TWO: OPEN}.items(), now, "t") is None


@pytest.mark.parametrize(
    ("expected", "notice", "now"),
    [
        (True, ready(), report()),
        (False, ready(), report(two=OPEN)),
        (True, blocked(), report(two=OPEN)),
        (False, blocked(), report()),
    ],
)
def test_what_is_no_longer_so_is_not_told_late(expected: bool, notice: Notice, now: Report) -> None:
    assert expected is notice.holds(now)


def test_a_notice_is_the_same_after_being_kept() -> None:
    notice = Notice(Turn.READY, "token", ((TWO, "closed"), (IssueRef("Far", "Away", 3), NO_LONGER)))
    assert notice == Notice.load(notice.dump())
