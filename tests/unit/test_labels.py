"""Which labels a report asks for."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.labels import LabelBook, Scopes
from bot.models import (
    Agent,
    Assignment,
    ContextSize,
    Difficulty,
    Estimate,
    IssueRef,
    Report,
    Source,
    Status,
)

SONNET = Agent(
    name="Sonnet",
    context_limit=200_000,
    price_in=3,
    price_out=15,
    difficulties=frozenset(Difficulty),
    at_once=1,
)


def report(status: Status, agent: Agent | None = SONNET) -> Report:
    return Report(
        issue=IssueRef("acme", "rocket", 1),
        status=status,
        estimate=Estimate(1, Source.TEXT),
        size=ContextSize.SMALL,
        difficulty=Difficulty.HARD,
        difficulty_source=Source.TEXT,
        assignment=Assignment(agent, Source.TEXT, ()),
        share=0.5,
    )


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.CLOSED])
def test_a_report_asks_for_a_label_of_each_scope(status: Status) -> None:
    book = LabelBook(Scopes(), ["Sonnet"])
    assert {f"status/{status}", "context/small", "difficulty/hard", "agent/Sonnet"} == {
        spec.name for spec in book.wanted(report(status))
    }


def test_a_priority_is_asked_for_where_one_was_set() -> None:
    book = LabelBook(Scopes(priority="urgency"), ["Sonnet"])
    names = {spec.name for spec in book.wanted(replace(report(Status.READY), priority="p1"))}
    assert {"urgency/p1"} == {name for name in names if name.startswith("urgency")}
    assert "urgency/p1" in book.priorities


def test_a_closed_issue_has_no_status_and_one_that_nobody_takes_no_agent() -> None:
    book = LabelBook(Scopes(), [])
    assert {"context/small", "difficulty/hard"} == {
        spec.name for spec in book.wanted(report(Status.CLOSED, None))
    }


def test_scopes_may_have_other_names() -> None:
    scopes = Scopes(status="State", context="size", difficulty="level", agent="who")
    book = LabelBook(scopes, ["Sonnet"])
    assert {"State/ready", "size/small", "level/hard", "who/Sonnet"} == {
        spec.name for spec in book.wanted(report(Status.READY))
    }
    assert "State/in-progress" == book.in_progress


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        (True, "status/ready"),
        (True, "STATUS/Ready"),
        (True, "agent/sonnet"),
        (False, "agent/alice"),
        (False, "status/done"),
        (False, "status"),
        (False, "ready"),
        (False, "priority/p0"),  # people set it, too; see LabelBook.priorities
        (False, ""),
    ],
)
def test_only_labels_that_the_bot_sets_are_its_own(*, expected: bool, name: str) -> None:
    assert expected is (name.casefold() in LabelBook(Scopes(), ["Sonnet"]).owned)


def test_every_label_has_a_colour_and_a_description() -> None:
    for spec in LabelBook(Scopes(), ["Sonnet"]).specs.values():
        assert re.fullmatch(r"#[0-9a-f]{6}", spec.color), spec
        assert spec.description
