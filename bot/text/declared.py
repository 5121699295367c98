"""The values a text declares: difficulty, tokens of context, agent, number of files.

A *field* is a key with its value, whatever the shape: `Key: value`, a heading and what follows it,
a table's row, front matter, a check-box list. The values' own grammar is in `bot.text.values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from bot.models import Difficulty
from bot.text.headings import Meaning, heading_meaning
from bot.text.inline import BOLD, Block, Kind
from bot.text.markup import lines
from bot.text.paths import paths
from bot.text.values import agent, chosen, count, difficulty, tokens


@dataclass(frozen=True, slots=True)
class Declared:
    """What was found, as the fields of `bot.models.Metadata`; None where nothing was."""

    difficulty: Difficulty | None = None
    estimated_context: int | None = None
    assigned_agent: str | None = None
    files_to_modify: int | None = None
    implementation_tokens: int | None = None
    test_tokens: int | None = None


class _Rank(IntEnum):
    """Which of several declarations counts: the highest rank, then the first."""

    WEAK = 1  # tokens beside something else: `Size: M (30k tokens)`, a complexity
    PLAIN = 2
    TOTAL = 3


# --- keys ---------------------------------------------------------------------------------------

_QUALIFIER = (
    r"(?:(?:estimated|expected|est\.?|approx(?:imate|\.)?|overall|total|task|rough|suggested|"
    r"recommended|"
    r"assigned|preferred|proposed|initial|required|issue|technical|work|story|ai|implementation|"
    r"coding|claude|llm)\s+)"
)
_KEYS = {
    "difficulty": (
        rf"{_QUALIFIER}{{0,2}}difficulty(?:\s+(?:level|rating|estimate|score|class|assessment))?|"
        r"(?:level|degree) of difficulty|dificultad|dificuldade|schwierigkeit(?:sgrad)?|"
        r"difficult[ée]|difficoltà|сложность|難易度|难度|난이도"
    ),
    "complexity": (
        rf"{_QUALIFIER}{{0,2}}complexity(?:\s+(?:level|rating|estimate|class|assessment))?|"
        rf"complejidad|"
        r"complexidade|komplexität|complexit[ée]|複雑度|复杂度|복잡도"
    ),
    "total": (
        r"(?:total|overall|sum|grand total|gesamt)(?:\s+(?:estimated?|est\.?|estimate|expected))?"
        r"(?:\s+(?:context|tokens?|estimate|budget|usage|cost|size))*|"
        r"estimated\s+total(?:\s+(?:context|tokens?))?"
    ),
    "context": (
        rf"{_QUALIFIER}{{0,2}}(?:context|tokens?)\s+(?:estimat(?:e|ed|ion)|size|budget|needed|"
        rf"required|usage|"
        r"cost|count|load|footprint)(?:\s+(?:tokens|estimate))?|"
        r"(?:estimated|expected|est\.?|approx(?:imate|\.)?|required|needed)\s+(?:context|tokens?)"
        r"(?:\s+(?:usage|cost|count|size|budget|needed|required|tokens))?|"
        r"estimate\s+of\s+(?:context|tokens)|kontext-?schätzung|コンテキスト見積(?:もり|り)?|"
        r"contexto estimado|contexte estimé|tokens estimados"
    ),
    "tokens": r"tokens?",
    "bare_context": r"context",
    "estimate": rf"{_QUALIFIER}{{0,2}}(?:estimates?|estimation|size|effort|scope|cost)|estimated",
    "agent": (
        rf"{_QUALIFIER}{{1,2}}(?:agents?|models?|assignee)|"
        r"(?:ai\s+)?agent(?:\s+(?:assignment|recommendation|type|name))?|(?:ai|llm|claude)\s+model|"
        r"model\s+recommendation|assigned\s+to\s+agent|agente|(?:担当)?エージェント"
    ),
    "files": (
        r"(?:(?:number|no\.?|count|"
        r"#)\s+of\s+)?(?:estimated\s+)?files?\s+(?:to\s+(?:be\s+)?(?:modif(?:y|ied)|"
        r"changed?|touch(?:ed)?|edit(?:ed)?|create|update)(?:\s*/\s*\w+)?|affected|touched|changed|"
        r"modified|involved|impacted)|(?:modified|affected|changed|impacted)\s+files|files"
    ),
    "implementation": (
        r"implementation(?:\s+(?:effort|tokens|work|cost|context|size))?|code|coding|development"
    ),
    "tests": (
        r"(?:unit\s+)?test(?:s|ing)?(?:\s+(?:requirements?|effort|tokens|work|cost|context|size|"
        r"coverage))?"
    ),
    # What only ends the value before it on the same line.
    "other": (
        r"(?:hard\s+)?blocked\s*by|blocks|depends\s*on|priority|severity|risk|status|type|labels?|"
        r"assignee|"
        r"owner|milestone|sprint|parent|epic|related|story points?|points|due|area|component|phase|"
        r"deadline|time|duration|requires|dependencies"
    ),
}
_KEY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KEYS.items()))
_FIELD = re.compile(
    rf"(?:^|(?<=[|·•,;({BOLD}—–/\n])|(?<=\s\s)|(?<=[.!?)\]] ))[^\w\n|]{{0,12}}?(?:{_KEY.pattern})"
    rf"(?:\s*\([^()\n]{{0,60}}\))?"
    rf"(?:\s*{BOLD}?\s*(?P<sep>[:：=])\s*{BOLD}?|(?P<soft>\s*{BOLD}\s*(?:[-–—→]\s*)?|\s+[-–—→]\s+))"
)
_SEPARATED = re.compile(rf"[:：={BOLD}]|\s[-–—→]\s")
_LABEL = re.compile(rf"\W*(?:{BOLD}.*{BOLD}|.*[:：]\W*)")
_ESTIMATE_HEAD = re.compile(
    rf"(?:{_KEYS['context']}|{_KEYS['total']}|estimates?|estimation|context(?: and| &) (?:estimate|"
    rf"difficulty).*|"
    r"(?:agent|ai|task|coordination|mosaic)\s+(?:metadata|estimate|info).*|sizing|metadata)"
)
_MAX_LINE = 2000
_MAX_LABEL = 200


@dataclass(frozen=True, slots=True)
class _Field:
    key: str
    name: str  # the key as written, in lower case
    value: str


def _key(text: str) -> re.Match[str] | None:
    """The key that a text is, if it is one."""
    text = text[:200].lower().replace(BOLD, "").replace("_", " ")
    text = re.sub(r"\([^()]*\)", "", text)
    text = re.sub(r"^(?:[^\w#]|[0-9]+(?:\.[0-9]+)*[.)]\s)*", "", text)
    return _KEY.fullmatch(re.sub(r"\s+", " ", text).strip(" :：?.!-–—*"))


def _fields(block: Block, line: str) -> list[_Field]:
    """Every `key: value` of a line, code in the values put back."""
    low = line.lower() if len(line.lower()) == len(line) else line
    if len(low) > _MAX_LINE or not _SEPARATED.search(low):
        return []
    low = low.replace("_", " ")
    found = [
        match
        for match in _FIELD.finditer(low)
        if match["sep"] or not low[: match.start()].strip(f" {BOLD}*-•")
    ]
    ends = [match.start() for match in found[1:]] + [len(line)]
    fields = []
    for match, end in zip(found, ends, strict=False):
        value = line[match.end() : end].strip(f" \t|·•,;/({BOLD}\"'")
        key = next(name for name in _KEYS if match[name] is not None)
        if value:
            fields.append(_Field(key, match[key], block.plain(value)))
    return fields


# --- the walk -----------------------------------------------------------------------------------


class _Reader:
    """Goes over the blocks and keeps which key waits for its value."""

    def __init__(self) -> None:
        self.levels: dict[_Rank, Difficulty] = {}
        self.totals: dict[_Rank, int] = {}
        self.numbers: dict[str, int] = {}  # files, implementation, tests
        self.agent: str | None = None
        self.waiting: str | None = None  # the key
        self.options: list[str] = []  # the boxes under it that are checked
        self.has_options = False
        self.in_estimate = False
        self.is_silent = False

    def read(self, blocks: list[Block]) -> Declared:
        """The values, after going over all blocks."""
        for block in blocks:
            self._block(block)
        self._settle()
        parts = [self.numbers.get("implementation"), self.numbers.get("tests")]
        total = self.totals[max(self.totals)] if self.totals else None
        if total is None and None not in parts:
            total = sum(part or 0 for part in parts)
        level = self.levels[max(self.levels)] if self.levels else None
        return Declared(level, total, self.agent, self.numbers.get("files"), *parts)

    def _block(self, block: Block) -> None:
        if block.kind in (Kind.HEADING, Kind.RULE, Kind.TABLE):
            self._settle()
        if block.kind is Kind.HEADING:
            self._heading(block)
        elif block.kind is Kind.RULE:
            self.in_estimate = False
        elif self.is_silent or block.kind is Kind.FENCE:
            pass
        elif block.kind is Kind.TABLE:
            for key, cell in _table_fields(block.rows):
                self._take(_Field(key, key, cell.plain()), cell)
        else:
            self._leaf(block)

    def _heading(self, block: Block) -> None:
        self.is_silent = heading_meaning(block.text) is Meaning.SILENT
        text = block.text
        self.in_estimate = bool(_ESTIMATE_HEAD.fullmatch(_bare(text)))
        fields = _fields(block, text)
        for item in fields:
            self._take(item, block)
        if not fields:
            self._label(text)

    def _label(self, text: str) -> bool:
        """Takes a line that is only a key: its value is what follows."""
        key = _key(text)
        if not key or key.lastgroup == "other":
            return False
        self._settle()
        self.waiting = key.lastgroup
        return True

    def _leaf(self, block: Block) -> None:
        if block.checked is not None and self.waiting:
            self.has_options = True
            self.options += [block.plain()] if block.checked else []
            return
        if not self.waiting and not _SEPARATED.search(block.text):
            return
        for line in lines(block):
            if fields := _fields(block, line):
                self.waiting = None
                for item in fields:
                    self._take(item, block)
            elif len(line) <= _MAX_LABEL and _LABEL.fullmatch(line) and self._label(line):
                continue
            elif self.waiting and not self.has_options:
                self._take(_Field(self.waiting, self.waiting, block.plain(line)), block)
                self.waiting = None

    def _settle(self) -> None:
        """Takes the box that is checked among the options that followed a key."""
        if self.waiting and len(self.options) == 1:
            self._take(_Field(self.waiting, self.waiting, self.options[0]), Block(Kind.TEXT))
        self.waiting, self.options, self.has_options = None, [], False

    # values

    def _take(self, item: _Field, block: Block) -> None:
        value = chosen(item.value)
        match item.key:
            case "difficulty" | "complexity":
                if level := difficulty(value):
                    rank = _Rank.PLAIN if item.key == "difficulty" else _Rank.WEAK
                    self.levels.setdefault(rank, level)
                if item.name.startswith("implementation"):
                    self._part("implementation", value)
            case "agent":
                self.agent = self.agent or agent(value)
            case "files":
                if number := count(value) or len(paths([block])):
                    self.numbers.setdefault("files", number)
            case "implementation" | "tests":
                self._part(item.key, value)
            case "other":
                pass
            case _:
                self._total(item.key, value)

    def _part(self, key: str, value: str) -> None:
        number = tokens(value, unit=not self.in_estimate, anywhere=True)
        if (
            number is None
            and self.in_estimate
            and (aside := re.search(r"\(([^()]{1,40})\)", value))
        ):
            number = tokens(aside[1])
        if number is not None:
            self.numbers.setdefault(key, number)

    def _total(self, key: str, value: str) -> None:
        loose = key not in ("tokens", "bare_context")
        sure = self.in_estimate or key in ("total", "context", "tokens")
        number = tokens(value, unit=not sure, anywhere=loose)
        rank = {"total": _Rank.TOTAL, "context": _Rank.PLAIN}.get(key, _Rank.WEAK)
        if number is not None:
            self.totals.setdefault(rank, number)


def _bare(text: str) -> str:
    text = re.sub(
        r"^(?:[^\w#]|[0-9]+(?:\.[0-9]+)*[.)]\s)*", "", text[:200].lower().replace(BOLD, "")
    )
    return text.strip(" :：?.!-–—*")


def _table_fields(rows: list[list[Block]]) -> Iterator[tuple[str, Block]]:
    """The fields of a table: of its only row under the heads, or a key and a value in each row.

    Several rows under a head that is a key compare other things, and declare nothing.
    """
    head, body = rows[0], rows[1:]
    keys = [_key(cell.plain()) for cell in head]
    names = [key.lastgroup if key else None for key in keys]
    is_pair = len(head) == 2 and names[0] is not None and names[1] is None
    if len(body) == 1 and any(names) and not is_pair:
        yield from ((name, cell) for name, cell in zip(names, body[0], strict=False) if name)
    elif not (len(body) > 1 and any(name not in (None, "other") for name in names[1:])):
        for row in rows:
            key = _key(row[0].plain())
            if key and key.lastgroup and len(row) > 1:
                yield key.lastgroup, row[1]


def declared(blocks: list[Block]) -> Declared:
    """The values that the blocks declare."""
    return _Reader().read(blocks)
