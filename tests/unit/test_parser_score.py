"""The reader against labelled texts of public issues: precision, F1, declared fields."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.models import IssueRef, Metadata
from bot.parser import parse

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/eval/issues.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
SCORED = [case for case in CASES if not case["gold"].get("ambiguous")]


def issue_of(case: dict) -> IssueRef:
    repository, _, number = case["source"].partition("#")
    owner, _, repo = (repository if "/" in repository else "acme/rocket").partition("/")
    return IssueRef(owner, repo, int(number) if number.isdigit() else 1000)


def read(case: dict) -> Metadata:
    return parse(case["body"], issue=issue_of(case), title=case["title"])


def gold(case: dict, field: str) -> set[IssueRef]:
    issue = issue_of(case)
    return {
        issue.sibling(ref) if isinstance(ref, int) else IssueRef.parse(ref)
        for ref in case["gold"].get(field, ())
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_every_text_is_read_without_failing(case: dict) -> None:
    assert isinstance(read(case), Metadata)


def test_edges_reach_f1_of_97_percent_with_precision_of_98() -> None:
    right = wrong = missed = 0
    for case in SCORED:
        found = read(case)
        checked_off = gold(case, "resolved")
        for side in ("blocked_by", "blocks"):
            want, have = gold(case, side), set(getattr(found, side)) - checked_off
            right += len(want & have)
            wrong += len(have - want)
            missed += len(want - have)
    precision, recall = right / (right + wrong), right / (right + missed)
    assert precision >= 0.98
    assert 2 * precision * recall / (precision + recall) >= 0.97


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["id"])
def test_every_declared_field_is_right(case: dict) -> None:
    want = {k: case["gold"][k] for k in ("difficulty", "estimated_context", "assigned_agent")}
    found = read(case)
    assert want == {k: getattr(found, k) for k in want}


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["id"])
def test_files_named_are_found(case: dict) -> None:
    assert set(case["gold"]["files"]) <= set(read(case).files)
