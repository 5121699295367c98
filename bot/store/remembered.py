"""The cycles that issues were told of, as the table of issues remembers them: JSON of the path."""

from __future__ import annotations

import json
from itertools import pairwise

import sqlalchemy as sa

from bot.dependencies import Edge
from bot.models import IssueRef
from bot.store.tables import issues


def leads_over(issue: IssueRef) -> sa.ColumnElement[bool]:
    """Whether the cycle that a row remembers leads over an issue."""
    name = json.dumps(_name(issue))
    return sa.and_(
        issues.c.cycle != "[]", sa.func.lower(issues.c.cycle).contains(name, autoescape=True)
    )


def steps_at(issue: IssueRef, cycle: str) -> list[Edge]:
    """The steps of a remembered cycle that lead to an issue or from it."""
    path, name = json.loads(cycle.lower()), _name(issue)
    steps = (step for step in pairwise(path) if name in step)
    return [(IssueRef.parse(waits), IssueRef.parse(on)) for waits, on in steps]


def length_of(cycle: str) -> int:
    """How many edges a remembered cycle has."""
    return max(0, len(json.loads(cycle)) - 1)


def _name(issue: IssueRef) -> str:
    return str(issue).lower()
