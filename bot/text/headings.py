"""What a heading or label says of the lines under it: `## Dependencies`, `**Required by**`."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

from bot.text.inline import BOLD


class Meaning(Enum):
    """What stands under a heading."""

    WAITS = auto()  # what this issue waits for
    HOLDS = auto()  # what waits for this issue
    DONE = auto()  # what it waited for
    KEYED = auto()  # dependencies and other things: only what is said in words counts
    CHILDREN = auto()  # the parts of a collecting issue
    STAGES = auto()  # a plan of other issues: phases, waves
    SILENT = auto()  # examples, logs, what is out of scope
    ABOUT = auto()  # the details of one other issue
    OTHER = auto()

    @property
    def is_relation(self) -> bool:
        """Whether a bare reference under it is an edge."""
        return self in (Meaning.WAITS, Meaning.HOLDS)


_WAITS = (
    r"dependenc(?:y|ies)|deps|depends(?: (?:up)?on)?|dependent (?:up)?on|block(?:ed)? ?by|"
    r"blocked(?: on)?|blockers?|blocking (?:issues?|prs?|tickets?|tasks?|items|work)|"
    r"pre ?-?requisites?|prereqs?|preconditions?|requires|required (?:issues|prs|tickets|by this)|"
    r"waiting (?:on|for)|waits (?:on|for)|needs|upstream|predecessors?|gated (?:by|on|behind)|"
    r"on hold(?: until)?|(?:(?:must|to be) (?:come |land |be done |be merged |done |"
    r"merged )?)?after|stacked on|"
    r"dependencias?|depende de|bloquead[oa] por|prerrequisitos|dependências?|"
    r"abh[äa]ngigkeit(?:en)?|h[äa]ngt ab von|blockiert (?:von|durch)|voraussetzung(?:en)?|"
    r"d[ée]pendances?|d[ée]pend de|bloqu[ée] par|pr[ée]requis|"
    r"dipendenze|dipende da|bloccato da|afhankelijkheden|зависимост[ьи]|зависит от|блокеры|"
    r"依存関係|依存(?:先| ?issues?|タスク)?|ブロック元|ブロッカー|前提(?:条件|タスク| ?issues?)?|"
    r"依赖(?:项|关系)?|前置(?:依赖|任务|条件)?|阻塞(?:项|于)?|被阻塞|의존성|선행 ?작업"
)
_HOLDS = (
    r"blocks|blocking|unblocks|(?:is )?(?:required|needed) (?:by|for)|downstream|dependents|"
    r"dependants|"
    r"(?:is )?(?:a )?prerequisite (?:for|of)|depended (?:up)?on by|gates|successors|before|"
    r"what this (?:un)?blocks|issues (?:un)?blocked by this|(?:un)?blocks (?:issues?|prs?)|"
    r"bloquea|bloqueia|blockiert|bloque|ブロック先"
)
_QUALIFIER = (
    r"(?:hard|known|current|external|internal|issues?|tasks?|project|technical|github|gitea|open|"
    r"story|"
    r"ticket|work|direct|cross ?-?repo(?:sitory)?|explicit|all|its|the|list of|upstream|downstream|"
    r"build|other|remaining|key|main|strict|any|this(?: (?:issue|pr|task|ticket|story))?|is|are|"
    r"currently|implementation|sequencing|must ?-?have|blocking|related pr|active|pr|code)"
)
_TAIL = (
    r"(?:issues?|prs?|pull requests?|list|section|tickets?|tasks?|status|notes?|links?|"
    r"info(?:rmation)?|items|on other (?:issues|prs)|on|by|for this (?:issue|task|pr)|first|if any|"
    r"work)"
)
_BESIDES = (
    r"(?:risks?|constraints?|assumptions?|order(?:ing)?|sequenc(?:e|ing)|requirements?|notes?|"
    r"blocking|timeline|impact|scope|status|estimates?|effort|blockers?)"
)
_MIXED = (
    r"(?:related(?: (?:issues|work|prs|links))?|references?|links?|context|see also|parents?|"
    r"relations?|relationships?|epics?|integration|linked issues|children)"
)
_AND = r"(?: ?/ ?| ?& ?| and | or |, ?)"

_WAITS_HEAD = re.compile(
    rf"(?:{_QUALIFIER} )*(?:{_WAITS})(?: {_TAIL})*"
    rf"(?:{_AND}(?:{_QUALIFIER} )*(?:{_WAITS}|{_BESIDES})(?: {_TAIL})*)*|"
    rf"{_BESIDES}{_AND}(?:{_WAITS})"
)
_HOLDS_HEAD = re.compile(rf"(?:{_QUALIFIER} )*(?:{_HOLDS})(?: {_TAIL})*(?:{_AND}(?:{_HOLDS}))?")
_KEYED_HEAD = re.compile(
    rf"(?:{_QUALIFIER} )*(?:{_WAITS}|{_HOLDS}|{_MIXED})"
    rf"(?:{_AND}(?:{_QUALIFIER} )*(?:{_WAITS}|{_HOLDS}|{_MIXED}))*"
)
# `Is there a dependency?`, the question of an issue form.
_QUESTION = re.compile(
    r"(?:is|are|does|do|what|which|any)\b.{0,40}\b(?:dependenc|depends? on|blocked by|blockers?|"
    r"prerequisite).{0,60}"
)
# `Before merging this:`, a label whose list must be done first.
_FIRST = re.compile(
    r"(?:before (?:this|merging|starting|we (?:can )?(?:start|merge|begin))\b.{0,40}|"
    r".{0,30}\b(?:must|needs? to|have to|has to|should) (?:be )?(?:merged|landed|land|done|closed|"
    r"finished|completed) first)"
)
_SOFT = re.compile(
    r"(?:soft|optional|weak|nice ?-?to ?-?have|non ?-?blocking|package|npm|runtime|library|python|"
    r"new|no|former|old|previous|dev|third ?-?party)\b.*"
)
_DONE = re.compile(
    r".{0,20}\b(?:resolved|completed?|done|merged|closed|satisfied|met|cleared|unblocked|former|"
    r"previous)\b.{0,30}"
)
_CHILDREN = re.compile(
    r".{0,20}\b(?:tracks?|sub ?-?(?:issues?|tasks?)|child(?:ren)?(?: issues)?|tasks?|issues|"
    r"stories|slices|"
    r"checklist|tickets|work ?items|deliverables|breakdown|roadmap|scope|implementation plan|"
    r"tracking)\b.{0,20}"
)
_STAGES = re.compile(
    r".{0,20}\b(?:phase|wave|stage|step|milestone|sprint|batch|track|layer|tier|order|graph|"
    r"topology|tree|chart|map|critical path|sequence)\b.*"
)
_SILENT = re.compile(
    r".{0,12}\b(?:examples?|sample|out of scope|not in scope|non ?-?goals?|logs?|output|"
    r"steps to reproduce|reproduction|reproducer|expected (?:behaviou?r|result|output)|"
    r"actual (?:behaviou?r|result)|stack ?trace|what not to|changelog|release notes|template|"
    r"alternatives(?: considered)?)\b.{0,30}"
)
_INHERITS = re.compile(
    r"(?:hard|internal|external|issues?|prs?|pull requests?|code|technical|github|gitea|open|must|"
    r"blocking|other|teams?|backend|frontend|cross ?-?repo(?:sitory)?|(?:same|this|other) repo(?:s|"
    r"sitory)?|"
    r"upstream|required|mandatory|direct|strict|work|tasks?|tickets?|click to expand|expand|"
    r"details|show|"
    r"list|more|in (?:this|other) repos?(?:itory|itories)?|active|remaining|still open|api|"
    r"infrastructure|infra|services?|design|data)"
    r"(?: (?:dependenc(?:y|ies)|issues?|prs?|tickets?|tasks?|ones|work|items|blockers?))*"
)


def words(text: str) -> str:
    """A heading's words in lower case: without emoji, number, brackets, marks at its ends."""
    text = re.sub(rf"{BOLD}|[\U000f0000-\U000f7fff]", "", text[:300]).lower()
    text = text.replace("_", " ").replace("’", "'")
    text = re.sub(r"^(?::\w+:|\W|\d+(?:\.\d+)*[.)]?\s)*", "", text)
    text = re.sub(r"\s*\([^()]*\)\s*", " ", text)
    text = re.sub(r"[^\w\s/&,'-]", "", text)
    return re.sub(r"\s+", " ", text).strip(" -*")[:120]


@lru_cache(maxsize=2048)
def heading_meaning(text: str, within: Meaning = Meaning.OTHER) -> Meaning:
    """What a heading says; `within` is what the one above it says."""
    said = words(text)
    low = text.lower()
    if not said or "soft" in low or ("optional" in low and "(" in low and "if" not in low):
        return Meaning.OTHER
    for pattern, meaning in (
        (_WAITS_HEAD, Meaning.WAITS),
        (_HOLDS_HEAD, Meaning.HOLDS),
        (_KEYED_HEAD, Meaning.KEYED),
        (_SILENT, Meaning.SILENT),
    ):
        if pattern.fullmatch(said):
            return meaning
    if within.is_relation:
        return _below(said, within)
    if _QUESTION.fullmatch(said) or _FIRST.fullmatch(said):
        return Meaning.WAITS
    return Meaning.CHILDREN if _CHILDREN.fullmatch(said) else Meaning.OTHER


def _below(said: str, within: Meaning) -> Meaning:
    """What a heading says that stands under one of dependencies."""
    if _STAGES.fullmatch(said):
        return Meaning.STAGES
    if _SOFT.fullmatch(said):
        return Meaning.OTHER
    if _INHERITS.fullmatch(said):
        return within
    return Meaning.DONE if _DONE.fullmatch(said) else Meaning.OTHER
