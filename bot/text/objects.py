"""Which references are the object of a phrase: `#5 (API) and #6`, `the rework in #5`, `none`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from bot.models import IssueRef
from bot.text.inline import BOLD
from bot.text.references import ANY, Marked


@dataclass(slots=True)
class Objects:
    """What was found; `end` is where it ends in the text, `nothing` that it says `none`."""

    refs: list[IssueRef] = field(default_factory=list)
    resolved: list[IssueRef] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    end: int = 0
    nothing: bool = False

    def __bool__(self) -> bool:
        return bool(self.refs or self.resolved or self.unreadable)


class Reach(Enum):
    """How much may stand between a phrase and its first reference."""

    KEY = "anything harmless"
    FAR = "a few words"
    NEAR = "words like 'the' and 'changes from'"
    NEXT = "words like 'the' and 'issue'"


_LEAD = re.compile(
    rf"[\s:=：>→➜➡⬅←\-–—(\[{{*{BOLD}\"'~@_]*"
    r"(?:[🔴🟠🟡🟢⚠🚧🛑⛔🔗❗⏳🔒⬜🔲☐❌✋📌▶•·👉]\s*)*"
)
_NOTHING = re.compile(
    r"(?:none|nothing|no(?: one)?(?!\.)|n\s*/?\s*a|nil|null|nobody|not|never|tbd|tba|todo|unknown|"
    r"unclear|ningun[oa]?|nenhuma?|aucune?|keine?|nessun[oa]?|geen|нет|なし|特になし|无|没有|없음)\b"
    r"|(?:なし|无)|-+\s*$|\[\]"
)
# Words that take the reference after them for something else.
_STOP = re.compile(
    r"\b(?:see|not|no longer|except|unlike|instead|rather|whether|how|what|why|if|like|similar|"
    r"related|e\.g|example|such as|was|were|previously|formerly|but|because|since|that|which|who|"
    r"so|then|resolved by|unblocked|after|before|when|while|fixes|closes|part of|parent|epic of|"
    r"child of|users?|relation(?:ship)?s?|edges|markers?|keywords?|syntax|fields?)\b|;|\. "
)
_KEY_STOP = re.compile(
    r"\b(?:see|no longer|except|unlike|instead|rather than|whether|similar|related|e\.g|example|"
    r"such as|previously|formerly|fixes|closes|part of|parent|child of|unblocked|resolved by|"
    r"superseded|was|were|isn't|not|discussed|mentioned|parallel|independent|if)\b|\?|\. "
)
_SMALL = re.compile(
    r"(?:(?:the|a|an|both|all|either|of|only|also|issues?|prs?|pull|requests?|tickets?|tasks?|mrs?|"
    r"story|stories|changes?|work|fix(?:es)?|from|in|for|on|merge|merging|completion|landing|"
    r"closing|closure|resolution|results?|output|outcome|code|at least|least|first|upstream|"
    r"following|number|no|https?)\b[\s:.()]*)*"
)
_PLACE = re.compile(r"\b(?:in|from|for|on|of)\b")
_NOTE = re.compile(r"(?!\s*\[[ x✓✔]?\])\s*(?:\(([^()]{0,300})\)|\[([^\[\]]{0,300})\])")
_OVER = (
    r"(?:done|merged|closed|completed?|resolved|shipped|landed|fixed|finished|released|obsolete|"
    r"cancell?ed)"
)
_DONE = re.compile(
    rf"\s*(?:[-–—:,]\s*|[(\[]\s*)(?:[✅☑✔]|(?:already |now |all )?{_OVER}\b(?!\s+first))|\s*[✅☑✔]"
)
_TICK = re.compile(r"(?:[✅☑✔]|\[[x✓✔]\])\s*$")
_JOIN = re.compile(
    r"\s*(?:[,;&+/|、，]\s*)?"
    r"(?:(?:and|or|und|oder|y|e|et|plus|as well as|and/or|then)\s+(?:also\s+)?"
    r"(?:on\s+|by\s+|for\s+)?)?"
)
# An item of a list that names nothing: struck out, in code, or mistyped; never a mere word.
_NAMELESS = rf"(?=[^\s,;]{{0,40}}[^A-Za-z\s,;.])[^\s,;{ANY[1:-1]}]{{1,40}}"
_GAP = re.compile(
    rf"\s*(?:(?:[,;&+/、，]|(?:and|or)\b)\s*(?:and\s+|or\s+)?{_NAMELESS}(?=\s*(?:[,;&+、，]|(?:and|or)\s))"
    r"|[,;、，](?=\s*[,;、，])|(?:and|or)\b(?=\s+(?:and|or)\s))"
)
_MORE = re.compile(
    rf"[\s{BOLD}(\[]*(?:[ x✓✔]?\]\s*)?"
    r"(?:(?:the|issues?|prs?|pull requests?|tickets?|tasks?|story|mr|both|#)\s+)*"
    rf"(?={ANY})"
)
_TITLED = re.compile(rf"(?:\s*[:–—-]\s*|\s+)[^,;:.()\[\]—–{ANY[1:-1]}]{{1,60}}(?=\s*[,;])")
_VERB = re.compile(
    r"\s*(?:is|are|was|were|will|has|have|had|can|could|should|must|may|might|would|adds?|does|did|"
    r"depends|blocks|tracks|covers|handles|fixes|fixed|closes|implements|shows?|needs|requires|"
    r"also|already|still|asks?|says?)\b(?!\s+(?:merged|closed|done|landed|first)\b)"
)
_FIRST = re.compile(ANY)
MAX_GAPS = 10

_PLAN_KEY = (
    r"(?:[A-Z][A-Z0-9_]{0,14}(?:-[A-Z0-9]{1,6}){0,2}-\d{1,6}|"
    r"(?:Story|Task|Phase|Step|Stage|Slice|Epic|Ticket|Sprint|Milestone|Part|Issue|Feature|Item)"
    r"\s+[A-Z]?\d{1,4}(?:[.-]\d{1,4})*|[A-Z]{1,3}\d{0,3}\.\d{1,3}(?:\.\d{1,3})*|"
    r"[A-Z]{1,2}\d{1,4}|\d{1,3}\.\d{1,3}(?:\.\d{1,3})*|\d{1,6})"
)
_PLAN = re.compile(rf"[\s:=：(\[*{BOLD}-]*({_PLAN_KEY})(?![\w.-]*\w)")
_PLAN_NEXT = re.compile(
    rf"(?:\s*\([^()]{{0,80}}\))?\s*(?:,|and|&|/|;|\+)\s*(?:and\s+)?({_PLAN_KEY})(?![\w.-]*\w)"
)


def objects(marked: Marked, low: str, begin: int, end: int, reach: Reach) -> Objects:
    """The references in `low[begin:end]` that a phrase before it is about.

    `low` is `marked.text` in lower case, of the same length.
    """
    lead = _LEAD.match(low, begin, end)
    at = lead.end() if lead else begin
    if _NOTHING.match(low, at, end):
        return Objects(end=end, nothing=True)
    first = _FIRST.search(low, at, end)
    if not first:
        keys = plan_keys(marked.text[begin:end]) if reach is Reach.KEY else []
        return Objects(unreadable=keys, end=begin)
    if not _harmless(low[at : first.start()], reach) or _aside(low, first.start(), end):
        return Objects(end=begin)
    return _take(marked, low, first.start(), end)


def plan_keys(text: str) -> list[str]:
    """The plan numbers and keys of other trackers that a value begins with, as typed."""
    first = _PLAN.match(text)
    if not first:
        return []
    keys, at = [first[1]], first.end()
    while (more := _PLAN_NEXT.match(text, at)) and len(keys) < 50:
        keys.append(more[1])
        at = more.end()
    return keys


def _harmless(filler: str, reach: Reach) -> bool:
    if reach is Reach.KEY:
        return len(filler) <= 200 and not _KEY_STOP.search(filler)
    if reach is Reach.FAR:
        return len(filler) <= 200 and len(filler.split()) <= 9 and not _STOP.search(filler)
    if not _SMALL.fullmatch(filler):
        return False
    return reach is Reach.NEAR or not _PLACE.search(filler)


def _aside(low: str, at: int, end: int) -> bool:
    """Whether the reference only begins a remark: `(#5 asks for it)`."""
    return low[at - 1 : at] == "(" and bool(_VERB.match(low, at + 1, end))


def _take(marked: Marked, low: str, begin: int, end: int) -> Objects:
    """The list of references that begins right there."""
    done = Objects(end=begin)
    at: int | None = begin
    while at is not None and at < end:
        char = low[at]
        ticked = _TICK.search(low, max(0, at - 5), at)
        at += 1
        if low[at : at + 1] == BOLD:
            at += 1
        over = ticked or _DONE.match(low, at, end)
        (done.resolved if over else done.refs).extend(marked.at(char))
        if address := marked.address(char):
            done.unreadable.append(address)
        done.end = at
        at = _next(low, at, end)
    return done


def _next(low: str, at: int, end: int) -> int | None:
    """Where the list goes on after a reference that ended at `at`."""
    for _ in range(2):
        if note := _NOTE.match(low, at, end):
            at = note.end()
    joined = _joined(low, at, end)
    gap = None if joined else _GAP.match(low, at, end)
    for _ in range(MAX_GAPS):
        if joined is not None or not gap:
            break
        joined, gap = _joined(low, gap.end(), end), _GAP.match(low, gap.end(), end)
    if joined is None:
        titled = _TITLED.match(low, at, end)
        if titled and not _STOP.search(titled[0]):
            joined = _joined(low, titled.end(), end)
    return joined


def _joined(low: str, at: int, end: int) -> int | None:
    join = _JOIN.match(low, at, end)
    if not join or not join[0]:
        return None
    more = _MORE.match(low, join.end(), end)
    if not more or (_VERB.match(low, more.end() + 1, end) and join[0].strip() != "and"):
        return None
    return more.end()
