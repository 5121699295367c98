"""The values a text declares: difficulty, tokens of context, agent, number of files.

A *field* is a key with its value, whatever the shape: `Key: value`, a heading and what follows it,
a table's row, front matter, a check-box list. Each kind of value has its own small grammar, and
what does not fit it is not a value: `Complexity: O(n)`, `Estimate: 3 days`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from bot.text.markup import BOLD, Block, Kind, lines
from bot.models import MAX_TOKENS, Difficulty
from bot.text.paths import paths
from bot.text.sections import Meaning, heading_meaning


@dataclass(frozen=True, slots=True)
class Declared:
    """What was found; None where nothing was."""

    difficulty: Difficulty | None = None
    estimated_context: int | None = None
    assigned_agent: str | None = None
    files_to_modify: int | None = None
    implementation_tokens: int | None = None
    test_tokens: int | None = None


class Rank(IntEnum):
    """Which of several declarations of one value counts: the highest, then the first."""

    PART = 0
    WEAK = 1
    PLAIN = 2
    TOTAL = 3


# --- values -------------------------------------------------------------------------------------

_EASY = "easy easily simple trivial low beginner starter straightforward minimal newbie small tiny basic facile fácil facil einfach leicht baja bajo baixa niedrig faible легко легкая низкая 簡単 易 低 简单 容易 쉬움 낮음".split()
_MEDIUM = "medium moderate mid med intermediate normal average middle media medio média mittel moyen moyenne modéré средняя средне средний 中 中等 普通 중간 보통".split()
_HARD = "hard high complex difficult advanced challenging expert large tough difícil dificil alta alto schwer schwierig hoch élevée élevé difficile сложно сложная высокая 難 高 难 困难 复杂 難しい 어려움 높음".split()
_LEVELS = {
    **dict.fromkeys(_EASY, Difficulty.EASY),
    **dict.fromkeys(_MEDIUM, Difficulty.MEDIUM),
    **dict.fromkeys(_HARD, Difficulty.HARD),
}
_LEVEL = "|".join(sorted(_LEVELS, key=len, reverse=True))
_ADVERB = r"(?:(?:very|fairly|relatively|quite|pretty|rather|extremely|probably|likely|super|mostly|somewhat|overall|the)\s+)?"
_DIFFICULTY = re.compile(
    rf"[^\w<]*(?:(?:level|lvl|l)?\s*\d+(?:\.\d+)?(?:\s*(?:/|of|out of)\s*\d+)?[\s\W]+)?{_ADVERB}(?P<one>{_LEVEL})"
    rf"(?:\s*(?P<join>[-–—/~]|to|or|bis|\|)\s*{_ADVERB}(?P<two>{_LEVEL}))?"
    r"(?:[\s-]+(?:difficulty|complexity|level|effort|complex|task|issue))?"
    r"(?=\s*$|\s*[(\[,.;:!\n|—–-]|\s+(?:because|since|as|due|with|for|given|but|if|and|[^\w\s]))"
)
_SCALE = re.compile(
    rf"\b(?:{_LEVEL})\b\s*(?:[|/,]|or)\s*\b(?:{_LEVEL})\b\s*(?:[|/,]|,?\s*or)\s*\b(?:{_LEVEL})\b"
)
_OPTION = re.compile(r"(?:\[([ xX✓✔]?)\]|([☐⬜◻○])|([☑✅🗹◉●]))\s*([^\[\]☐⬜◻○☑✅🗹◉●\n]+)")


def difficulty(value: str) -> Difficulty | None:
    """`medium`, `Medium-High (…)`, `3/5 hard`; of two the upper; None for a scale of options."""
    low = value.lower().replace(BOLD, "").strip()
    if _SCALE.search(low):
        return None
    found = _DIFFICULTY.match(low)
    if not found:
        return None
    one, two = _LEVELS[found["one"]], found["two"]
    if two is None:
        return one
    order = list(Difficulty)
    return max(one, _LEVELS[two], key=order.index)


_NUMBER = r"(?:\d{1,3}(?:[,_'’.\u202f ]\d{3})+(?![\d])|\d+(?:[.,]\d{1,3})?)"
_SCALES = {
    "k": 1_000,
    "m": 1_000_000,
    "thousand": 1_000,
    "million": 1_000_000,
    "mio": 1_000_000,
    "tsd": 1_000,
    "万": 10_000,
}
_SUFFIX = r"(?:\s?(k|m|thousand|million|mio|tsd|万)(?![a-z]))?"
_TOKEN = r"(?:\s*(?:context\s+)?(?P<unit>tokens?\b|toks?\b|tkns?\b|ctx\b|トークン|个?token))?"
_AMOUNT = (
    rf"(?P<low>{_NUMBER}){_SUFFIX.replace('(k', '(?P<lows>k')}\+?(?:\s*(?:tokens?)?\s*(?:-|–|—|~|to|\.\.\.?|and|bis|/|〜|～|至)\s*[~≈]?\s*"
    rf"(?P<high>{_NUMBER}){_SUFFIX.replace('(k', '(?P<highs>k')})?\+?(?:-?ish)?{_TOKEN}"
)
_PER = r"(?!\s*(?:context\s+)?(?:tokens?\s*)?(?:per\b|/\s?(?:s|sec|min|minute|h|hour|day|req|request|m)\b|a (?:minute|day|second)|each))"
_NO_OTHER_UNIT = (
    r"(?!\w|\s*(?:files?|lines?|loc|sloc|mins?|minutes?|hours?|hrs?|h|days?|d|weeks?|w|months?|points?|pts?|sp|story|chars?|characters|"
    r"bytes?|kb|mb|gb|kib|mib|%|usd|eur|\$|€|x|times|req|requests|users?|items?|steps?|tests?|people|sprints?|s|sec|seconds?|ms|words?|pages?)(?![a-z]))"
)
_ABOUT = (
    r"[\s~≈<>=≤≥±:*(\ue002-]*(?:(?:about|around|approx(?:imately|\.)?|roughly|circa|ca\.?|up to|at most|max(?:imum)?(?: of)?|between|under|less than|"
    r"from|est\.?|estimated|total(?: of)?|some|likely|probably|small|medium|large|low|high|easy|hard|of|xs|s|m|l|xl)\b\.?[\s:~≈<>=≤≥(,*\ue002—–-]*)*"
)
_TOKENS = re.compile(rf"{_ABOUT}{_AMOUNT}{_PER}{_NO_OTHER_UNIT}")
_TOKENS_ANYWHERE = re.compile(rf"(?<![\w.,$€-])[~≈]?{_AMOUNT}{_PER}{_NO_OTHER_UNIT}")


def _amount(digits: str, suffix: str | None) -> float:
    scale = _SCALES.get(suffix or "", 1)
    plain = re.sub(r"[_'’\u202f ]", "", digits)
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", plain) and (scale == 1 or plain.count(",") > 1):
        plain = re.sub("[.,]", "", plain)
    return float(plain.replace(",", ".")) * scale


def _upper(found: re.Match[str]) -> int | None:
    suffix = found["highs"] if found["high"] else found["lows"]
    try:
        tokens = round(_amount(found["high"] or found["low"], suffix))
    except ValueError:
        return None
    sure = found["unit"] or suffix or tokens >= 100
    return tokens if sure and 0 < tokens <= MAX_TOKENS else None


def tokens(value: str, *, unit: bool = False, anywhere: bool = False) -> int | None:
    """A number of tokens: 46000, 46,000, 46k, 0.12M, `20k–30k` (the upper end).

    With `unit` only when the word *tokens* stands there; `anywhere` also after other words.
    """
    low = value.lower().replace(BOLD, "").strip()
    found = _TOKENS.match(low)
    if found and (found["unit"] or not unit):
        return _upper(found)
    if anywhere:
        for found in _TOKENS_ANYWHERE.finditer(low[:400]):
            if found["unit"]:
                return _upper(found)
    return None


_NO_AGENT = re.compile(
    r"(?:none|n/?a|nobody|no one|no preference|no response|tbd|tba|todo|to be (?:decided|determined)|unassigned|not assigned|unknown|any(?:one|body)?|either|auto|undecided|open|\?+|-+|–|—|null|nil|~|not sure|depends)(?:\W.*)?",
    re.S,
)
_AGENT = re.compile(
    r"@?([a-z][\w.:+/-]*(?:\s+(?:[\w.:+-]*\d[\w.:+-]*|(?!and\b|or\b|is\b|for\b|to\b|will\b|should\b|can\b|with\b|in\b|on\b|the\b)[a-z][\w.+-]*)){0,2})\W*"
)
_PROVIDER = re.compile(r"(?:any\s+)?\W+")


def agent(value: str) -> str | None:
    """One agent's name in lower case, as written; None for none, several, or a sentence."""
    low = value.lower().replace(BOLD, "").strip().strip("_*`\"'")
    low = re.sub(r"\s*\([^()]*\)", "", low)
    low = re.split(
        r"\s+[-–—]\s+|[;\n]|\s+(?:because|since|as|due to|for|with)\b|\.\s|\.$|,\s+(?=\w+\s+\w+)",
        low,
    )[0].strip()
    low = low.strip("_*`\"' .,🤖👤")
    if not low or _NO_AGENT.fullmatch(low):
        return None
    found = _AGENT.fullmatch(low)
    return found[1].rstrip(".:") if found else None


def _count(value: str, block: Block | None) -> int | None:
    low = value.replace(BOLD, "").strip()
    found = re.match(
        r"[~≈<>=≤ ]*(?:about |around |up to )?(\d{1,4})(?:\s*(?:-|–|to)\s*(\d{1,4}))?(?![\w.])", low
    )
    if found:
        return int(found[2] or found[1])
    named = paths([block]) if block is not None else ()
    return len(named) or None


# --- keys ---------------------------------------------------------------------------------------

_QUAL = r"(?:(?:estimated|expected|est\.?|approx(?:imate|\.)?|overall|total|task|rough|suggested|recommended|assigned|preferred|proposed|initial|required|issue|technical|work|story|ai|implementation|coding|claude|llm)\s+)"
_KEYS = {
    "difficulty": rf"{_QUAL}{{0,2}}difficulty(?:\s+(?:level|rating|estimate|score|class|assessment))?|(?:level|degree) of difficulty|dificultad|dificuldade|schwierigkeit(?:sgrad)?|difficult[ée]|difficoltà|сложность|難易度|难度|난이도",
    "complexity": rf"{_QUAL}{{0,2}}complexity(?:\s+(?:level|rating|estimate|class|assessment))?|complejidad|complexidade|komplexität|complexit[ée]|複雑度|复杂度|복잡도",
    "total": rf"(?:total|overall|sum|grand total|gesamt)(?:\s+(?:estimated?|est\.?|estimate|expected))?(?:\s+(?:context|tokens?|estimate|budget|usage|cost|size))*|estimated\s+total(?:\s+(?:context|tokens?))?",
    "context": rf"{_QUAL}{{0,2}}(?:context|tokens?)\s+(?:estimat(?:e|ed|ion)|size|budget|needed|required|usage|cost|count|load|footprint)(?:\s+(?:tokens|estimate))?|(?:estimated|expected|est\.?|approx(?:imate|\.)?|required|needed)\s+(?:context|tokens?|token)(?:\s+(?:usage|cost|count|size|budget|needed|required))?|estimate\s+of\s+(?:context|tokens)|estimated\s+context\s+tokens|kontext(?:schätzung|-schätzung)|コンテキスト見積(?:もり|り)?|contexto estimado|contexte estimé|tokens estimados",
    "tokens": r"tokens?",
    "bare_context": r"context",
    "estimate": rf"{_QUAL}{{0,2}}(?:estimates?|estimation|size|effort|scope|cost)|estimated",
    "agent": rf"(?:{_QUAL}{{1,2}}(?:agents?|models?|assignee)|(?:ai\s+)?agent(?:\s+(?:assignment|recommendation|type|name))?|(?:ai|llm|claude)\s+model|model\s+recommendation|assigned\s+to\s+agent|agente|エージェント|担当エージェント)",
    "files": r"(?:(?:number|no\.?|count|#)\s+of\s+)?(?:estimated\s+)?files?\s+(?:to\s+(?:be\s+)?(?:modif(?:y|ied)|changed?|touch(?:ed)?|edit(?:ed)?|create|update)(?:\s*/\s*\w+)?|affected|touched|changed|modified|involved|impacted)|(?:modified|affected|changed|impacted)\s+files|files",
    "implementation": r"implementation(?:\s+(?:effort|tokens|work|cost|context|size))?|code|coding|development",
    "tests": r"(?:unit\s+)?test(?:s|ing)?(?:\s+(?:requirements?|effort|tokens|work|cost|context|size|coverage))?",
    # What ends the value before it on the same line.
    "other": r"(?:hard\s+)?blocked\s*by|blocks|depends\s*on|priority|severity|risk|status|type|labels?|assignee|owner|milestone|sprint|parent|epic|related|story points?|points|due|area|component|phase|deadline|time|duration|requires|dependencies",
}
_KEY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KEYS.items()))
_FIELD = re.compile(
    rf"(?:^|(?<=[|·•,;({BOLD}—–/\n])|(?<=\s\s)|(?<=[.!?)\]] ))[^\w\n|]{{0,12}}?(?:{_KEY.pattern})"
    rf"(?:\s*\((?P<aside>[^()\n]{{0,60}})\))?(?:\s*{BOLD}?\s*(?P<sep>[:：=])\s*{BOLD}?|(?P<soft>\s*{BOLD}\s*(?:[-–—→]\s*)?|\s+[-–—→]\s+))"
)
_CONTEXT_HEAD = re.compile(
    rf"(?:{_KEYS['context']}|{_KEYS['total']}|estimates?|estimation|token estimates?|context(?: and| &) (?:estimate|difficulty).*|(?:agent|ai|task|coordination|mosaic)\s+(?:metadata|estimate|info).*|sizing|metadata)"
)


@dataclass(slots=True)
class _Found:
    difficulties: dict[int, Difficulty] = field(default_factory=dict)  # by rank
    totals: dict[int, int] = field(default_factory=dict)
    agent: str | None = None
    files: int | None = None
    implementation: int | None = None
    tests: int | None = None


class _Reader:
    """Goes over the blocks and keeps which key waits for its value."""

    def __init__(self) -> None:
        self.found = _Found()
        self.waiting: str | None = None
        self.options: list[tuple[bool | None, str]] = []
        self.in_estimate = False
        self.silent = False

    def read(self, blocks: list[Block]) -> Declared:
        for block in blocks:
            self._block(block)
        self._settle()
        return self._declared()

    def _block(self, block: Block) -> None:
        if block.kind is Kind.HEADING:
            self._heading(block)
        elif block.kind is Kind.TABLE:
            self._settle()
            self._table(block)
        elif block.kind is Kind.RULE:
            self._settle()
            self.in_estimate = False
        elif block.kind in (Kind.ITEM, Kind.TEXT, Kind.META) and not self.silent:
            self._leaf(block)

    def _heading(self, block: Block) -> None:
        self._settle()
        text = _spoken(block)
        if block.depth < 8:
            self.silent = heading_meaning(block.text) is Meaning.SILENT
            self.in_estimate = bool(_CONTEXT_HEAD.fullmatch(_bare_key(text)))
        if not self._fields(text, block):
            self._label(text)

    def _label(self, text: str) -> bool:
        """A line that is only a key: its value is what follows."""
        key = _KEY.fullmatch(_bare_key(text))
        if not key or key.lastgroup in (None, "other"):
            return False
        self._settle()
        self.waiting = key.lastgroup
        return True

    def _leaf(self, block: Block) -> None:
        if block.kind is Kind.ITEM and self.waiting and block.checked is not None:
            self.options.append((block.checked, block.plain()))
            return
        for line in lines(block):
            text = _put_back(block, line)
            if block.kind is Kind.META:
                text = text.replace("_", " ", text.split(":")[0].count("_")).replace('"', "")
            if self._fields(text, block):
                self.waiting = None
            elif re.fullmatch(rf"\W*(?:{BOLD}.*{BOLD}|.*[:：]\W*)", text) and self._label(text):
                continue
            elif self.waiting and not self.options:
                self._value(self.waiting, text, block)
                if not (self.waiting == "files" and block.kind is Kind.ITEM):
                    self.waiting = None

    def _settle(self) -> None:
        """Takes the box that is checked among the options that followed a key."""
        if self.waiting and self.options:
            chosen = [text for checked, text in self.options if checked]
            if len(chosen) == 1:
                self._value(self.waiting, chosen[0], None)
        self.waiting, self.options = None, []

    def _table(self, block: Block) -> None:
        head, body = block.rows[0], block.rows[1:]
        keys = [_KEY.fullmatch(_bare_key(_spoken(cell))) for cell in head]
        if (
            len(body) == 1
            and sum(k is not None for k in keys) >= 1
            and not (len(head) == 2 and keys[0] and not keys[1])
        ):
            for key, cell in zip(keys, body[0], strict=False):
                if key and key.lastgroup:
                    self._value(key.lastgroup, _spoken(cell), cell)
            return
        if sum(k is not None and k.lastgroup != "other" for k in keys[1:]) and len(body) > 1:
            return
        for row in block.rows:
            key = _KEY.fullmatch(_bare_key(_spoken(row[0])))
            if key and key.lastgroup and len(row) > 1:
                self._value(key.lastgroup, _spoken(row[1]), row[1])

    def _fields(self, text: str, block: Block) -> bool:
        """Every `key: value` of a line; false when there is none."""
        low = text.lower() if len(text.lower()) == len(text) else text
        if not re.search(rf"[:：={BOLD}]|\s[-–—→]\s", low) or len(low) > 2000:
            return False
        found = [
            (name, m)
            for m in _FIELD.finditer(low)
            if (name := next((n for n in _KEYS if m[n] is not None), None))
            and (m["sep"] or not low[: m.start()].strip(f" {BOLD}*-•"))
        ]
        some = False
        for index, (name, match) in enumerate(found):
            end = found[index + 1][1].start() if index + 1 < len(found) else len(text)
            value = text[match.end() : end].strip(f" \t|·•,;/({BOLD}")
            if not value.strip(f" {BOLD}"):
                continue
            some = True
            if name != "other":
                self._value(name, value, block)
            if name == "complexity" and match[
                "implementation" if False else "complexity"
            ].startswith("implementation"):
                self._part("implementation", value, inside=True)
        return some

    # values

    def _value(self, name: str, value: str, block: Block | None) -> None:
        value = _chosen(value)
        found = self.found
        if name in ("difficulty", "complexity"):
            if level := difficulty(value):
                found.difficulties.setdefault(1 if name == "difficulty" else 0, level)
            if self.in_estimate and name == "complexity" and found.implementation is None:
                pass
        elif name == "agent":
            found.agent = found.agent or agent(value)
        elif name == "files":
            if found.files is None:
                found.files = _count(value, block)
        elif name in ("implementation", "tests"):
            self._part(name, value, inside=self.in_estimate)
        else:
            self._total(name, value)

    def _part(self, name: str, value: str, *, inside: bool) -> None:
        number = tokens(value, unit=not inside, anywhere=True)
        if number is None and inside and (aside := re.search(r"\(([^()]{1,40})\)", value)):
            number = tokens(aside[1])
        if number is None:
            return
        if name == "implementation" and self.found.implementation is None:
            self.found.implementation = number
        elif name == "tests" and self.found.tests is None:
            self.found.tests = number

    def _total(self, name: str, value: str) -> None:
        inside = self.in_estimate
        if name == "total":
            rank, number = Rank.TOTAL, tokens(value, unit=not inside and False, anywhere=True)
        elif name == "context":
            rank, number = Rank.PLAIN, tokens(value, anywhere=True)
        elif name == "tokens":
            rank, number = Rank.WEAK, tokens(value)
        elif name == "bare_context":
            rank, number = Rank.WEAK, tokens(value, unit=not inside)
        else:
            rank, number = Rank.WEAK, tokens(value, unit=not inside, anywhere=True)
        if number is not None:
            self.found.totals.setdefault(rank, number)

    def _declared(self) -> Declared:
        found = self.found
        total = found.totals[max(found.totals)] if found.totals else None
        if total is None and found.implementation and found.tests:
            total = found.implementation + found.tests
        level = found.difficulties[max(found.difficulties)] if found.difficulties else None
        return Declared(level, total, found.agent, found.files, found.implementation, found.tests)


def _chosen(value: str) -> str:
    """Of `[ ] easy [x] hard` the one that is checked; else the value itself."""
    options = [(bool(o[3] or (o[1] or "").strip()), o[4]) for o in _OPTION.finditer(value)]
    if len(options) < 2:
        return value
    chosen = [text for checked, text in options if checked]
    return chosen[0] if len(chosen) == 1 else ""


def _put_back(block: Block, line: str) -> str:
    return re.sub("[\U000f0000-\U000f7fff]", lambda m: block.codes[ord(m[0]) - 0xF0000], line)


def _spoken(block: Block) -> str:
    return _put_back(block, block.text)


def _bare_key(text: str) -> str:
    text = text.lower().replace(BOLD, "").replace("_", " ")
    text = re.sub(r"\([^()]*\)", "", text)
    text = re.sub(r"^(?:[^\w#]|\d+(?:\.\d+)*[.)]\s)*", "", text)
    return re.sub(r"\s+", " ", text).strip(" :：?.!-–—*")


def declared(blocks: list[Block]) -> Declared:
    """The values that the blocks declare."""
    return _Reader().read(blocks)


def _iter() -> Iterator[None]:  # pragma: no cover
    yield None
