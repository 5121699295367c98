"""What one line of text says of waiting and blocking.

A line is cut into sentences; in each, *marks* (phrases with a direction, `bot.text.phrases`) are
found, and for each mark three things are asked: is it said of this issue (the subject), is it said
as a fact of now (no negation, past, condition, question, example), and which references are its
object. A phrase about something else ("part of", "fixes", "see") is a mark too: it takes the
references that follow it away from the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from bot.models import IssueRef
from bot.text.inline import BOLD
from bot.text.objects import Objects, Reach, objects
from bot.text.phrases import FINISHED, MARK
from bot.text.references import REF, Marked


class Way(Enum):
    """The direction of an edge, seen from the issue whose text this is."""

    WAITS = "waits for"
    HOLDS = "blocks"


@dataclass(slots=True)
class Said:
    """What a line states.

    `opens` is the direction of the list that it introduces. `apart` says that it begins with a
    key of another meaning (`Parent:`), `nothing` that it says `None`. `others` are references of
    which it says that another issue waits for them.
    """

    waits: list[IssueRef] = field(default_factory=list)
    holds: list[IssueRef] = field(default_factory=list)
    resolved: list[IssueRef] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    others: list[IssueRef] = field(default_factory=list)
    opens: Way | None = None
    apart: bool = False
    nothing: bool = False

    def __bool__(self) -> bool:
        return bool(self.waits or self.holds or self.resolved or self.unreadable)

    def side(self, way: Way) -> list[IssueRef]:
        """The references on one side."""
        return self.waits if way is Way.WAITS else self.holds


def read(marked: Marked, issue: IssueRef) -> Said:
    """What a line states of `issue`, in whose text it stands."""
    said = Said()
    low = lower(marked.text)
    for begin, end, question in _sentences(low):
        _Sentence(marked, low, begin, end, issue, said).read(question=question)
    return said


def lower(text: str) -> str:
    """In lower case, of the same length, with plain apostrophes, `depends_on` as two words."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return low.replace("’", "'").replace("_", " ")


# --- sentences ----------------------------------------------------------------------------------

_QUOTED = re.compile(
    r"\"[^\"\n]{1,240}\"|“[^”\n]{1,240}”|«[^»\n]{1,240}»|「[^」\n]{1,240}」|"
    r"(?<!\w)'[^'\n]{2,120}'(?!\w)|‘[^’\n]{2,120}’(?!\w)"
)
_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bno)(?<!\bcf)(?<!\bapprox)(?<!\bca)(?<!\betc)"
    r"[.!?](?=\s|$)[)\"'\s]*|[。！？]"
)


def quotes_out(text: str) -> str:
    """The text without what stands in quotation marks: somebody else's words, or an example."""
    if not re.search("[\"“«「'‘]", text):
        return text
    return _QUOTED.sub(lambda m: "\ue009" * len(m[0]), text)


def _sentences(low: str) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, whether it is a question) of each sentence."""
    at = 0
    for stop in _END.finditer(low):
        yield at, stop.start(), stop[0].startswith(("?", "？"))
        at = stop.end()
    if at < len(low):
        yield at, len(low), False


# --- truth --------------------------------------------------------------------------------------

_CLAUSE = re.compile(r"[,;:—–(\[|]|\s-\s|\b(?:and|but|so|therefore|thus|hence)\b")
_NEGATION = re.compile(
    r"\b(?:not(?!\s+only)|no longer|never|without|nor|neither|none|nothing|no|isnt|doesnt|cannot|"
    r"hardly|longer|non|nie|nicht|keine?|pas|sin|não)\b|n't\b"
)
_UNSURE = (
    r"may|might|could|would|was|were|had|used to|previously|formerly|originally|initially|"
    r"historically|probably|possibly|maybe|perhaps|potentially|optional(?:ly)?|soft(?:ly)?|weakly|"
    r"unclear|unsure|no one|ever"
)
_UNREAL = re.compile(
    rf"\b(?:{_UNSURE}|unless|assuming|in case|should|can|when|whenever|eg|i\.e|say|consider)\b"
)
_UNREAL_DUTY = re.compile(rf"\b(?:{_UNSURE})\b")
_STILL = re.compile(r"\b(?:has|have) been\b")
_SUPPOSED = re.compile(
    r"\b(?:if|e\.g|example|for instance|such as|imagine|suppose|whether|steps to reproduce)\b"
)
_REPORTED = re.compile(
    r"(?:\b(?:says?|said|states?|stating|contains?|containing|written|writes?|wrote|reads?|text|"
    r"phrase|syntax|keywords?|pattern|parses?|parsed|parsing|matches|string|regex|adds?|adding|via|"
    r"named|called|titled|column|field|label|detects?|supports?)\b\W*){1,2}$"
)


def _is_real(subject: str, *, question: bool = False, duty: bool = False) -> bool:
    """Whether what follows is stated as a fact of now; with `duty` it may be a "should"."""
    clause = _CLAUSE.split(subject[-400:])[-1]
    if question or _NEGATION.search(clause) or _REPORTED.search(subject[-60:]):
        return False
    if _SUPPOSED.search(subject[-200:]):
        return False
    unreal = (_UNREAL_DUTY if duty else _UNREAL).search(clause)
    return not unreal or bool(_STILL.search(clause))


# --- subject ------------------------------------------------------------------------------------

_SELF = re.compile(r"\b(?:this|we|i|it|i'm|we're|us|our|we'll|it's|i've|we've)\b")
_OTHERS = re.compile(
    r"\b(?:others?|another|someone|users?|people|they|them|those|these|each|every|any|some|many|"
    r"several|both|child(?:ren)?|sub-?(?:issues?|tasks?)|dependents?|dependants?|downstream|"
    r"phases?|steps?|slices?|stages?|waves?|tracks?|epics?|criteri(?:a|on)|threads?|workers?|"
    r"process(?:es)?|spinner|error|warn(?:ing)?|"
    r"(?:issue|task|story|ticket|pr|item|feature|module|service|component|team|option|group|job|"
    r"test)"
    r"\s+(?:[a-z]|[a-z]?\d[\w.]*)|(?:an?|one)\s+(?:\w+\s+)?(?:issue|pr|task|ticket|story|card|job|"
    r"item)|issues|tasks|stories|tickets|prs|items|pull requests|who|whoever|rest|remaining|latter|"
    r"former)\b"
)
_AUXILIARY = (
    r"(?:\s|\b(?:is|are|be|being|been|has|have|currently|still|also|now|hard|strictly|directly|"
    rf"fully|itself|there|will|a|an|the|as|too|just|s)\b|'s|'re|[*>{BOLD}])*$"
)
_ONLY_AUXILIARY = re.compile(_AUXILIARY)
_RELATIVE = re.compile(r"[\s,]*(?:which|that|who|whose|and that|itself)\b|\s*[(\[]")
_OF_THE_LAST = re.compile(rf"{REF}[\s,]*(?:which|that|who)\b[^,;]{{0,20}}$")
_ENDS_IN_REFS = re.compile(rf"{REF}(?:[\s,&+/]|and|or|{REF})*(?:\([^()]{{0,200}}\))?{_AUXILIARY}")
_THIS = re.compile(
    r"[\s:(]*(?:on\s+|for\s+|by\s+)?(?:this|us|our|the (?:present|current))\b(?!\s*\()"
)


def _last_clause(subject: str) -> str:
    parts = _CLAUSE.split(subject)
    while len(parts) > 1 and not parts[-1].strip(f" {BOLD}*"):
        parts.pop()
    return parts[-1]


def _is_mine(marked: Marked, subject: str, issue: IssueRef, *, chained: bool, keyed: bool) -> bool:
    """Whether a phrase is said of this issue; `subject` stands before it, after the last object."""
    if _OF_THE_LAST.search(subject[-40:]):
        return False
    clause = _last_clause(subject)
    if _SELF.search(clause):
        return True
    named = marked.all(subject)
    if named:
        return all(ref == issue for ref in named)
    if chained and not keyed and (_RELATIVE.match(subject) or _adjoins(subject)):
        return False
    return not _OTHERS.search(clause)


def _adjoins(subject: str) -> bool:
    """Whether nothing parts a phrase from the reference before it: `#5 is | blocked by`."""
    return bool(_ONLY_AUXILIARY.match(subject)) and BOLD not in subject and "  " not in subject


# --- one sentence -------------------------------------------------------------------------------

_REACH = {
    "waits_key": Reach.KEY,
    "holds_key": Reach.KEY,
    "waits_near": Reach.NEAR,
    "holds_near": Reach.NEXT,
    "holds_free": Reach.NEAR,
}
_NOTED = re.compile(rf"(?<={REF})\s?\([^()]{{1,200}}\)")  # what is said of a reference in brackets
_COLON = re.compile(rf"[\s{BOLD}*)]{{0,3}}[:=：]")
_PREAMBLE = re.compile(r"[\s\W]*$")
_BOUNDARY = re.compile(rf"(?:[|·•,;(–—{BOLD}]|\s{{2}}|\s[/-])\s*$|[\U000f8000-\U0010fffd]\s+$")
_TWOFOLD = re.compile(r"\s*(?:/|\||or|and|&)\s*")
_OPENING = re.compile(rf"[^.?!]{{0,80}}[:：]\s*{BOLD}?\s*")


@dataclass(slots=True)
class _Sentence:
    marked: Marked
    low: str
    begin: int
    end: int
    issue: IssueRef
    said: Said
    at: int = 0  # where the last object ended
    chained: bool = False  # whether there was one

    def read(self, *, question: bool) -> None:
        """Adds what the sentence states to what is said."""
        self.at = self.begin
        marks = self._marks()
        limits = [mark.start() for mark in marks[1:]] + [self.end]
        for mark, limit in zip(marks, limits, strict=False):
            if (mark.lastgroup or "").startswith("apart"):
                self._apart(mark, limit)
            else:
                self._mark(mark, limit, question=question)
        if not question:
            self._turned_round()

    def _marks(self) -> list[re.Match[str]]:
        """The marks that are read: not those in notes, nor keys in mid-phrase, nor both of a pair.

        `Blocks / blocked by:` is such a pair: it says neither.
        """
        notes = [n.span() for n in _NOTED.finditer(self.low, self.begin, self.end)]
        for begin, end in notes:
            if MARK.search(self.low, begin, end):
                self.said.others.extend(self.marked.all(self.low[begin:end]))
        kept: list[re.Match[str]] = []
        for mark in _outside(MARK.finditer(self.low, self.begin, self.end), notes):
            if (mark.lastgroup or "").endswith("s_key") and not self._begins(mark.start()):
                continue
            if kept and self._opposed(kept[-1], mark):
                kept.pop()
                continue
            kept.append(mark)
        return kept

    def _opposed(self, one: re.Match[str], two: re.Match[str]) -> bool:
        sides = {(m.lastgroup or "")[:5] for m in (one, two)}
        between = self.low[one.end() : two.start()]
        return sides == {"waits", "holds"} and bool(_TWOFOLD.fullmatch(between))

    def _begins(self, at: int) -> bool:
        """Whether something new begins here: the sentence, bold, a bar, a comma, two spaces."""
        before = self.low[max(self.begin, at - 40) : at]
        if at - self.begin <= 40 and _PREAMBLE.match(before):
            return True
        return bool(_BOUNDARY.search(before))

    def _apart(self, mark: re.Match[str], limit: int) -> None:
        if self.begin == 0 and _PREAMBLE.match(self.low[: min(mark.start(), 40)]):
            self.said.apart = True
        self._passed(objects(self.marked, self.low, mark.end(), limit, Reach.KEY), mark)

    def _mark(self, mark: re.Match[str], limit: int, *, question: bool) -> None:
        group = mark.lastgroup or ""
        way = Way.WAITS if group.startswith("waits") else Way.HOLDS
        keyed = bool(_COLON.match(self.low, mark.end()))
        subject = self.low[self.at : mark.start()]
        reach = Reach.KEY if keyed else _REACH.get(group, Reach.FAR)
        taken = objects(self.marked, self.low, mark.end(), limit, reach)
        if taken.nothing:
            self.said.nothing = True
        elif _is_real(subject, question=question and not keyed, duty=group == "waits_order"):
            if _THIS.match(self.low, mark.end(), limit) and not taken.refs:
                self._of_this(subject, way)
            elif _is_mine(self.marked, subject, self.issue, chained=self.chained, keyed=keyed):
                self._state(way, taken, mark.end())
            else:
                self._of_another(subject, way, taken)
        self._passed(taken, mark)

    def _passed(self, taken: Objects, mark: re.Match[str]) -> None:
        if taken.end > mark.end():
            self.at, self.chained = taken.end, True

    def _state(self, way: Way, taken: Objects, at: int) -> None:
        self.said.side(way).extend(taken.refs)
        self.said.resolved.extend(taken.resolved)
        if way is Way.WAITS:
            self.said.unreadable.extend(taken.unreadable)
        rest = self.low[at : self.end]
        if not taken and (_OPENING.fullmatch(rest) or not rest.strip(f" :：*{BOLD}-–—")):
            self.said.opens = way

    def _of_this(self, subject: str, way: Way) -> None:
        """`#5 blocks this`: the edge goes the other way round."""
        tail = _ENDS_IN_REFS.search(subject[-400:])
        refs = [r for r in self.marked.all(tail[0]) if r != self.issue] if tail else []
        self.said.side(_OPPOSITE[way]).extend(refs)

    def _of_another(self, subject: str, way: Way, taken: Objects) -> None:
        """`#5 depends on #4`: of use only where one of them is this issue."""
        named = self.marked.all(subject)
        if self.issue in taken.refs and named:
            self.said.side(_OPPOSITE[way]).extend(r for r in named[-1:] if r != self.issue)
        else:
            self.said.others.extend(taken.refs)

    def _turned_round(self) -> None:
        """`#5 must land first`, `merge #5 before this`: the blocker stands before the phrase."""
        sentence = self.low[self.begin : self.end]
        if not _MAY_TURN.search(sentence):
            return
        for found in _BLOCKER_FIRST.finditer(sentence):
            lead = sentence[: found.start()]
            if _is_real(lead) and not _OTHERS.search(_last_clause(lead)):
                named = next(v for v in found.groupdict().values() if v)
                self.said.waits.extend(r for r in self.marked.all(named) if r != self.issue)


_OPPOSITE = {Way.WAITS: Way.HOLDS, Way.HOLDS: Way.WAITS}


def _outside(
    found: Iterator[re.Match[str]], notes: list[tuple[int, int]]
) -> Iterator[re.Match[str]]:
    """The marks that stand in none of the notes; both are in order."""
    index = 0
    for mark in found:
        while index < len(notes) and notes[index][1] <= mark.start():
            index += 1
        if index == len(notes) or mark.start() < notes[index][0]:
            yield mark


# --- the blocker first --------------------------------------------------------------------------

_BEFORE_THIS = (
    r"before\s+(?:(?:we|i|you|one|anyone)\s+(?:can|could|may|start|begin|merge|do|land|work|tackle|"
    r"proceed)|this|it\s+can|that\s+can|starting|merging|work(?:ing)?\b|beginning|picking|"
    r"implement|proceeding|doing\s+this|any\s+(?:of\s+this|work))"
)


_MAY_TURN = re.compile(
    r"\b(?:first|before|pre-?requisites?|block(?:er|ing)|required|needed|dependenc|necessary|once|"
    r"after|when|as soon as)|依存|待ち|後に|前提"
)


def _blockers(name: str) -> str:
    return rf"(?P<{name}>{REF}(?:\s*(?:,|and|&|\+|/|\s)\s*{REF}){{0,20}})(?:\s*\([^()]{{0,80}}\))?"


_OF_REFS = r"(?:the\s+|issue\s+|pr\s+)*"
_BLOCKER_FIRST = re.compile(
    "|".join(
        (
            # #5 must be merged first
            (
                rf"{_blockers('must')}\s+(?:must|needs?|has|have|should|will need)\s+(?:to\s+)?"
                rf"(?:be\s+|get\s+)?{FINISHED}\b\s*(?:first\b|{_BEFORE_THIS})"
            ),
            # merge #5 before this; needs the API from #5 first
            (
                r"\b(?:(?:merge|land|finish|complete|close|do|wait for|ship|implement|resolve|"
                r"fix)\s+"
                rf"{_OF_REFS}|needs?\s+(?:[^.;,{REF[1:-1]}]{{1,40}}\s)?)"
                rf"{_blockers('act')}\s+(?:to\s+(?:be\s+)?)?(?:{FINISHED}\s+)?(?:first\b|"
                rf"{_BEFORE_THIS})"
            ),
            # #5 is a prerequisite for this
            (
                rf"{_blockers('role')}\s+(?:is|are)\s+(?:a\s+|the\s+|an?\s+hard\s+|also\s+|both\s+|"
                rf"hard\s+)*"
                r"(?:prerequisites?|blockers?|blocking|required|needed|dependenc(?:y|ies)|"
                r"necessary)\s*"
                r"(?:first\b|here\b|for\s+(?:this|us)\b|before\s+this|of\s+this|us\b|this\b|$|"
                r"[.,;)])"
            ),
            # once #5 is merged, we can start
            (
                rf"\b(?:once|after|when|as soon as)\s+{_OF_REFS}{_blockers('once')}\s+"
                rf"(?:(?:is|has|are|have|gets?|been)\s+)*{FINISHED}\b[^.;]{{0,20}},\s*(?:then\s+)?"
                r"(?:(?:this|we|i|it|work)\s+(?:\w+\s+){0,2}(?:can|could|will be able|becomes?|"
                r"is (?:ready|unblocked))\b(?!\s+be\s+closed)|(?:please\s+)?(?:rebase|merge|start|"
                r"do|land|"
                r"revisit|continue|resume|proceed)\b(?=\s*(?:$|this|it|with this|on this|here)))"
            ),
            rf"{_blockers('ja')}\s*(?:に|へ)\s*依存",
            rf"{_blockers('ja_after')}\s*(?:の|が)?\s*(?:マージ|完了|対応|リリース)?(?:後に|待ち|が前提)",
        )
    )
)
