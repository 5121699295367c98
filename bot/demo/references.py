"""Which issues a text mentions: Gitea moves their `updated_at`, and closes some on a merge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.demo.records import Issue, Repository
from bot.demo.state import State

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`", re.DOTALL)
_REFERENCE = r"(?:(?P<where>[\w.-]+/[\w.-]+))?[#!](?P<number>\d{1,9})\b"
_ANY = re.compile(rf"(?<![\w/&#]){_REFERENCE}")
_CLOSING = re.compile(
    rf"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+{_REFERENCE}", re.IGNORECASE
)


def mentioned(state: State, text: str, home: Repository) -> Iterator[Issue]:
    """The existing issues a text refers to; code does not count."""
    yield from _found(_ANY, state, text, home)


def closed_by(state: State, text: str, home: Repository) -> Iterator[Issue]:
    """The existing issues a text says to close."""
    yield from _found(_CLOSING, state, text, home)


def touch_mentioned(state: State, text: str, source: Issue) -> None:
    """Move `updated_at` of every issue the text of `source` mentions."""
    for issue in mentioned(state, text, source.repository):
        if issue is not source:
            issue.updated = state.now()


def _found(pattern: re.Pattern[str], state: State, text: str, home: Repository) -> Iterator[Issue]:
    for match in pattern.finditer(_CODE.sub(" ", text)):
        where = (match["where"] or home.full_name).lower()
        repository = state.repositories.get(where)
        if repository is not None and int(match["number"]) in repository.issues:
            yield repository.issues[int(match["number"])]
