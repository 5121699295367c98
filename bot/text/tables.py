"""Edges in tables: rows `| Blocked by | #5 |`, columns called *Dependencies*, lists of issues."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.models import IssueRef
from bot.text.headings import Meaning, heading_meaning, words
from bot.text.inline import Block

_OVER = re.compile(
    r"\W*(?:✅|☑|✔|done|merged|closed|completed?|resolved|shipped|landed|fixed)\W*", re.IGNORECASE
)
_OVER_TICK = re.compile(r"\s*[✅☑✔]")
_ISSUE_COLUMN = re.compile(
    r"(?:issues?|prs?|pull requests?|tickets?|tasks?|items?|ref(?:erence)?s?|links?|ids?|numbers?|"
    r"no|name|what|title|repo(?:sitory)?|type|kind|)"
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell whose references are edges; `meaning` is DONE where its row says so."""

    block: Block
    meaning: Meaning


def relation_cells(
    rows: list[list[Block]],
    within: Meaning,
    issue: IssueRef,
    refs_of: Callable[[Block], list[IssueRef]],
) -> Iterator[Cell]:
    """The cells of a table that state edges of `issue`; the first row is the heading.

    A table of several rows about other things (`| Task | Depends on |`) states nothing, except
    in the row that names `issue`. `within` is what the heading above the table says.
    """
    head, body = rows[0], rows[1:]
    meanings = [heading_meaning(cell.text) for cell in head]
    columns = [i for i, meaning in enumerate(meanings) if meaning.is_relation]
    as_pairs = len(head) == 2 and columns == [0] and (not body or bool(refs_of(head[1])))
    if columns and not as_pairs:
        yield from _Columns(body, meanings, columns, issue, refs_of).cells()
        return
    pairs = list(_pairs(rows))
    if pairs or not within.is_relation:
        yield from pairs
    elif _ISSUE_COLUMN.fullmatch(words(head[0].text)):
        yield from _listed(body, within, refs_of)


def _pairs(rows: list[list[Block]]) -> Iterator[Cell]:
    for row in rows:
        meaning = heading_meaning(row[0].text)
        if len(row) > 1 and meaning.is_relation:
            yield Cell(row[1], meaning)


def _listed(
    body: list[list[Block]], within: Meaning, refs_of: Callable[[Block], list[IssueRef]]
) -> Iterator[Cell]:
    """Under a dependency heading: the first reference of each row."""
    for row in body:
        if cell := next((cell for cell in row if refs_of(cell)), None):
            yield Cell(cell, Meaning.DONE if _is_over(row) else within)


def _is_over(row: list[Block]) -> bool:
    return any(_OVER.fullmatch(cell.text) or _OVER_TICK.match(cell.text) for cell in row)


@dataclass(frozen=True, slots=True)
class _Columns:
    body: list[list[Block]]
    meanings: list[Meaning]
    columns: list[int]
    issue: IssueRef
    refs_of: Callable[[Block], list[IssueRef]]

    def cells(self) -> Iterator[Cell]:
        others = [i for i in range(len(self.meanings)) if i not in self.columns]
        alone = self.columns[0] == 0 or not others
        for row in self.body:
            if not self._is_mine(row, others, alone=alone):
                continue
            over = alone and bool(others) and _is_over(row)
            listed = alone and bool(others) and len(self.body) > 1
            for column in self.columns[:1] if listed else self.columns:
                if column < len(row):
                    yield Cell(row[column], Meaning.DONE if over else self.meanings[column])

    def _is_mine(self, row: list[Block], others: list[int], *, alone: bool) -> bool:
        if alone:
            return True
        named = [ref for i in others[:2] if i < len(row) for ref in self.refs_of(row[i])]
        return self.issue in named or (len(self.body) == 1 and not named)
