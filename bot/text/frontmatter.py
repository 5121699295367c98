"""Edges in front matter: `blocked_by: [3, 4]`, `depends_on:` with a list under it."""

from __future__ import annotations

import re

from bot.models import MAX_ISSUE_NUMBER, IssueRef
from bot.text.edges import Ledger
from bot.text.inline import Block
from bot.text.objects import plan_keys
from bot.text.references import REF, mark
from bot.text.relations import Way

_PAIR = re.compile(r"[\"']?([A-Za-z][\w .-]{0,40}?)[\"']?\s*[:=]\s*(.*)")
_WAITS = re.compile(
    r"(?:is )?(?:blocked ?by|depends?(?: ?on)?|dependenc(?:y|ies)|deps|requires|blockers?|needs|"
    r"prerequisites?|prereqs|waiting (?:on|for)|waits (?:on|for)|after|upstream)"
)
_HOLDS = re.compile(r"blocks|blocking|unblocks|required by|needed by|dependents|downstream|before")
_WITHIN = frozenset({"issue", "number", "id", "ref", "pr", "url"})
_PIECE = re.compile(rf"{REF}|(?<![\w./#!-])([0-9]{{1,10}})(?![\w./-])")
_REMARK = re.compile(r"\s#\s.*")


def read_front_matter(
    lines: list[Block], ledger: Ledger, issue: IssueRef, hosts: frozenset[str] | None
) -> None:
    """Adds what the lines of a front matter state; in there a bare number is a reference."""
    way: Way | None = None
    for line in lines:
        pair = _PAIR.match(line.text.lstrip("- "))
        value = pair[2] if pair else line.text.lstrip("- ")
        if pair:
            way = _way(pair[1], way if line.depth else None)
        elif not line.depth and line.text[0] not in "-][\"'":
            way = None
        if way is not None:
            _read(_REMARK.sub("", value).strip(), way, ledger, issue, hosts)


def _way(key: str, outer: Way | None) -> Way | None:
    key = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key.strip())
    key = re.sub(r"[\s_.-]+", " ", key).lower()
    if _WAITS.fullmatch(key):
        return Way.WAITS
    if _HOLDS.fullmatch(key):
        return Way.HOLDS
    return outer if key in _WITHIN else None


def _read(
    value: str, way: Way, ledger: Ledger, issue: IssueRef, hosts: frozenset[str] | None
) -> None:
    marked = mark(value, issue, hosts)
    refs: list[IssueRef] = []
    for piece in _PIECE.finditer(marked.text):
        if piece[1] is None:
            refs.extend(marked.at(piece[0]))
        elif 0 < int(piece[1]) <= MAX_ISSUE_NUMBER:
            refs.append(issue.sibling(int(piece[1])))
    ledger.add(way, refs)
    if way is Way.WAITS and not refs:
        keys = plan_keys(marked.text.strip("[]\"' "))
        ledger.add_unreadable([*marked.elsewhere, *(k for k in keys if not k.isdigit())])
