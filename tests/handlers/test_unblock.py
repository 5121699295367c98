"""/unblock: ready in spite of what it waits for, until that or the text changes."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.models import IssueRef, RefState, Report
from bot.sayings import Field
from bot.unblock import fingerprint
from tests.handlers.changes import Desk, do, looks, note, ref, refused, report, waits_for

CLOSED = waits_for("#8", state=RefState.CLOSED)
SEVEN = (waits_for("#7"), CLOSED)


@pytest.mark.parametrize(
    ("blockers", "decided"),
    [
        (["#7"], report(blockers=SEVEN)),
        (["#7"], report(blockers=SEVEN, hold=True)),
        (["#7"], report(blockers=SEVEN, in_progress=True)),
        ([], report(hidden_blockers=1)),
        ([], report(dependencies_found=9, dependencies_followed=5)),
    ],
    ids=["blocked", "on hold too", "begun", "hidden", "not all looked at"],
)
async def test_it_is_kept_with_what_it_is_for(blockers: list[str], decided: Report) -> None:
    desk = Desk(decided=decided)
    outcome = await do("/unblock the interface is agreed on", desk)
    value = fingerprint(desk.body, [ref(one) for one in blockers])
    assert [f"unblock {value} by alice: the interface is agreed on"] == desk.told
    assert (value, ["#3"], "") == (desk.set[Field.UNBLOCK], looks(outcome), note(outcome))


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("say why, in a few words") == await refused(
        "/unblock", Desk(decided=report(blockers=SEVEN))
    )
    assert snapshot("nothing blocks this issue") == await refused(
        "/unblock why", Desk(decided=report(blockers=(CLOSED,)))
    )


A, B, C = IssueRef("acme", "rocket", 1), IssueRef("acme", "rocket", 2), IssueRef("x", "y", 1)


@pytest.mark.parametrize(
    ("text", "blockers"),
    [
        ("one\ntwo", [B, A]),
        ("one\r\ntwo", [A, B]),
        ("one\ntwo", [A, B, A]),
        ("one\ntwo", [IssueRef("ACME", "Rocket", 1), B]),
    ],
    ids=["order", "line ends", "twice", "spelling"],
)
def test_a_fingerprint_holds_for_the_same_text_and_blockers(
    text: str, blockers: list[IssueRef]
) -> None:
    assert fingerprint("one\ntwo", [A, B]) == fingerprint(text, blockers)


@pytest.mark.parametrize(
    ("text", "blockers"),
    [
        ("one\ntwo.", [A, B]),
        ("one\n\ntwo", [A, B]),
        ("one\ntwo", [A]),
        ("one\ntwo", []),
        ("one\ntwo", [A, B, C]),
        ("one\ntwo", [A, C]),
    ],
)
def test_a_fingerprint_is_another_when_either_changes(text: str, blockers: list[IssueRef]) -> None:
    assert fingerprint("one\ntwo", [A, B]) != fingerprint(text, blockers)


def test_any_text_has_a_fingerprint() -> None:
    assert 64 == len(fingerprint("half \ud83d and NUL \0", []))
