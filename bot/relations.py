"""The grammar of "waits for" and "blocks": which edges one line of text states.

A line is cut into sentences; in each, *marks* (phrases with a direction) are found, and for each
mark three things are asked: is it said of this issue (the subject), is it said as a fact of now
(no negation, past, condition, question, example), and which references are its object. A phrase
that is about something else ("part of", "fixes", "see") is a mark too: it takes the references
that follow it away from the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from bot.markup import BOLD, CODE
from bot.models import IssueRef
from bot.references import ANY, ELSE, REF, Marked


class Way(Enum):
    """The direction of an edge, seen from the issue whose text this is."""

    WAITS = "waits for"
    HOLDS = "blocks"
    APART = "is about something else"


@dataclass(slots=True)
class Said:
    """What a line states. `opens` is the direction of the list that it introduces, if any.

    `apart` says that the line begins with a key of another meaning (`Parent:`); `others` are
    references of which the line says that one waits for another; `nothing` that it says `None`.
    """

    waits: list[IssueRef] = field(default_factory=list)
    holds: list[IssueRef] = field(default_factory=list)
    resolved: list[IssueRef] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    opens: Way | None = None
    marks: int = 0
    apart: bool = False
    nothing: bool = False
    others: list[IssueRef] = field(default_factory=list)

    def add(self, way: Way, found: Objects) -> None:
        """Takes over the references of one statement."""
        (self.waits if way is Way.WAITS else self.holds).extend(found.refs)
        self.resolved.extend(found.resolved)
        if way is Way.WAITS:
            self.unreadable.extend(found.unreadable)


@dataclass(slots=True)
class Objects:
    """The references that are the object of a phrase; `end` is where they end in the text."""

    refs: list[IssueRef] = field(default_factory=list)
    resolved: list[IssueRef] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    end: int = 0
    nothing: bool = False


# --- the phrases --------------------------------------------------------------------------------

_DO = (
    r"(?:start(?:ed)?|begin|beg[au]n|lands?|landed|merged?|merging|ship(?:ped)?|released?|done|do|go(?: in)?|"
    r"proceed|deploy(?:ed)?|rebased?|resumed?|finish(?:ed)?|completed?|closed?|implement(?:ed)?|"
    r"work(?:ed)?(?: on)?|pick(?:ed)?(?: this)?(?: up)?|pickable|addressed|tackled?|fixed|reviewed|continued?|"
    r"happen|run|built?|executed?|scheduled|progress|move forward|unblocked|ready|available|actionable|eligible|possible)"
)
_IT = r"(?:\s+(?:this(?: (?:issue|pr|one|task|work))?|it|only|work|development|implementation|be|safely|until|here))*"
_FINISHED = (
    r"(?:merg(?:ed|es|e)|land(?:ed|s)?|closed?|closes|done|complet(?:ed|es|e)|finish(?:ed|es)|fixed|resolved|shipped|ships|"
    r"implemented|released|in(?: place)?|ready|available|deployed|approved|through|live|on main)"
)

# Said of this issue with an object that may stand some words further on.
_WAITS = (
    r"(?:hard[- ]|strictly )?blocked\s*-?\s*(?:by|on|upon|behind|pending|until|till|due to|because of)\b",
    r"blocked\s+(?:for now\s+)?(?:waiting|awaiting)\s+(?:on|for)?",
    r"depend(?:s|ed|ing|ent|ant)?[ -]*(?:up)?on\b",
    r"depends?(?=\W{0,3}[:=：])",
    r"dependenc(?:y|ies)\s+(?:up)?on\b",
    r"rel(?:ies|iant|ying)\s+(?:up)?on\b",
    r"wait(?:s|ing|ed)?\s+(?:on|for|until|till|upon)\b",
    r"await(?:s|ing|ed)?\b",
    r"on[ -]hold\s*,?\s*(?:until|for|pending|till|because of|due to|by)\b",
    r"(?:hold(?:ing)?(?: off)?|paused|parked|postponed|deferred|delayed|suspended)\s+(?:until|till|pending)\b",
    r"held\s+(?:up\s+)?(?:by|until|for)\b",
    r"stuck\s+(?:on|behind)\b",
    r"gated\s+(?:by|behind|on|upon)\b",
    r"stacked\s+(?:on|upon)(?:\s+top\s+of)?\b",
    r"(?:based|built|builds|sits|stacks|rebased)\s+on\s+top\s+of\b",
    r"(?:contingent|conditional|predicated)\s+(?:up)?on\b",
    r"(?:must|should|needs?\s+to|has\s+to|have\s+to|to|can|only|will|may|do|please|^)\W{0,3}(?:only\s+|be\s+|then\s+)*"
    + _DO
    + _IT
    + r"\s+(?:only\s+)?(?:after|once|when|as soon as)\b(?=[^.]{0,60}"
    + REF
    + ")",
    r"only\s+(?:after|once|when)\b",
    r"(?:do\s+not|don't|dont|not|cannot|can't|can\s+not|shouldn't|mustn't|won't|never|unable to|impossible to)\s+(?:yet\s+)?(?:be\s+)?"
    + _DO
    + _IT
    + r"\s+(?:until|till|before|without|unless)\b",
    r"(?:comes?|goes|runs?|sequenced|scheduled|lands|ships|merges)\s+(?:only\s+)?after\b",
    r"depende(?:nte)?\s+d[eo]\b|bloquead[oa]\s+(?:por|pelo|pela)\b|depende:",
    r"h[äa]ngt\s+(?:ab\s+)?von\b|abh[äa]ngig\s+von\b|(?:blockiert|blockert)\s+(?:von|durch)\b|wartet\s+auf\b|setzt\b(?=[^.]{0,40}voraus)",
    r"d[ée]pend(?:\s+de|\s+du|ant de|s de)\b|bloqu[ée]e?\s+par\b|en attente de\b",
    r"dipende\s+da(?:l|lla)?\b|bloccat[oa]\s+da\b|afhankelijk van\b|geblokkeerd door\b|wacht op\b",
    r"zależy od\b|zablokowane przez\b|зависит от|заблокирован[ао]?|блокируется",
    r"依存先|依存(?=\s*[:：])|ブロック元|依赖于|依赖(?=\s*[:：#]|\s*"
    + REF
    + r")|被阻塞|阻塞于|取决于|前置(?:任务|条件|依赖)?(?=\s*[:：])|의존(?:성)?(?=\s*[:：])",
)
# Said of this issue, with the object right after.
_WAITS_NEAR = (
    r"requires?\b(?!\s+by)",
    r"needs?\b",
    r"pending\b",
    r"subject to\b",
    r"follows\b(?=\W{0,3}[:=：])",
)
# Words that have a direction only as a key, with a colon or equals sign after them.
_WAITS_KEY = (
    r"(?:dependenc(?:y|ies)|deps?|block(?:er)?s?\s+by|blockers?|blocked|blocking\s+(?:issues?|prs?)|pre-?requisites?|prereqs?|preconditions?|"
    r"predecessors?|upstream(?:\s+(?:issues?|prs?|dependenc(?:y|ies)))?|after|waits|waiting|must\s+follow|depends_on|blocked_by|requires|required|requirement of|gate|gated|"
    r"dependencias?|dependências?|abh[äa]ngigkeit(?:en)?|voraussetzung(?:en)?|d[ée]pendances?|pr[ée]requis|prérequis|dipendenze|afhankelijkheden|зависимост[ьи]|zależności|"
    r"依存関係|依存|前提(?:条件)?|ブロッカー|ブロック要因|依赖(?:项|关系)?|前置|阻塞(?:项)?|선행(?: 작업)?|의존성)"
    r"(?:\s+(?:issues?|prs?|tickets?|tasks?|list))?(?:\s*\([^()]{0,40}\))?(?=[\s"
    + BOLD
    + r"*]{0,3}(?:[:=：]|\s[-–—→]\s|\|))"
)
_HOLDS_KEY = (
    r"(?:blocks|blocking|downstream|dependents?|dependants?|before|successors?|unblocks|required\s+by|needed\s+by|gates|"
    r"bloquea|bloqueia|blockiert|bloque|blocca|blokkeert|блокирует|ブロック先|ブロック対象|阻塞了|被依赖)"
    r"(?:\s+(?:issues?|prs?|tickets?|tasks?))?(?:\s*\([^()]{0,40}\))?(?=[\s"
    + BOLD
    + r"*]{0,3}(?:[:=：]|\s[-–—→]\s|\|))"
)
_HOLDS = (
    r"(?:is\s+)?required\s+(?:by|for)\b",
    r"(?:is\s+)?needed\s+(?:by|for)\b",
    r"(?:is\s+)?necessary\s+for\b",
    r"(?:pre-?requisite|prereq|blocker|precondition|(?<!no )dependency)s?\s+(?:for|of|to)\b",
    r"depended\s+(?:up)?on\s+by\b",
    r"(?:must|should|needs?\s+to|has\s+to|have\s+to)\s+(?:be\s+)?" + _DO + _IT + r"\s+before\b",
    r"bloquea\s+a\b|bloque\s+le\b",
)
_HOLDS_NEAR = (
    r"blocks\b(?!\s*(?:of|for)\b)",
    r"(?<!non-)(?<!non )blocking\b",
    r"(?:will|to|which|also|does|they|and|would)\s+block\b",
    r"unblock(?:s|ing)?\b",
    r"gates\b",
    r"bloquea\b|bloqueia\b|blockiert\b|blocca\b|блокирует",
)
_APART = (
    r"relat(?:es|ed)\s+to\b",
    r"see(?:\s+also)?\b",
    r"fix(?:es|ed|ing)?\b",
    r"clos(?:es|ed|ing)\b",
    r"close\b",
    r"resolv(?:es|ed|ing|e)\b",
    r"part\s+of\b",
    r"belongs\s+to\b",
    r"follow(?:s|ed|ing)?[- ]?(?:up|on)s?\s+(?:to|of|for|from|on)\b",
    r"split\s+(?:out\s+)?(?:of|from|off)\b",
    r"dup(?:licates?|e)?(?:\s+of)?\b",
    r"refs?\b\.?",
    r"referenc(?:es?|ed)\b",
    r"supersed(?:es?|ed)(?:\s+by)?\b",
    r"replac(?:es?|ed)(?:\s+by)?\b",
    r"implement(?:s|ed in)\b",
    r"child(?:ren)?\s+of\b",
    r"sub-?(?:issues?|tasks?)\s+of\b",
    r"linked\s+(?:issues?|prs?)\b",
    r"links?\s+to\b",
    r"unblocked\s+by\b",
    r"cf\.?(?=\s)",
    r"compare\b",
    r"similar\s+to\b",
    r"same\s+as\b",
    r"(?:introduced|discussed|mentioned|raised|reported|found|filed|identified|described|documented|decided|noted|done|shipped|delivered)\s+(?:in|by|via|with|from|as)\b",
    r"added\s+(?:in|by)\b",
    r"as\s+(?:in|per|of)\b",
    r"per(?=\s+(?:[a-z]+\s+)?" + REF + ")",
    r"e\.g\.?",
    r"for\s+(?:example|instance)\b",
    r"such\s+as\b",
    r"instead\s+of\b",
    r"unlike\b",
    r"caused\s+by\b",
    r"regress(?:ion|ed)\b",
    r"spun\s+(?:out|off)\b",
    r"derived\s+from\b",
    r"extracted\s+from\b",
    r"continu(?:ation\s+of|es)\b",
    r"backports?\b",
    r"reverts?(?:ed)?\b",
    r"cherry-?pick(?:ed)?\b",
    r"moved\s+(?:to|from)\b",
    r"unrelated\s+to\b",
    r"independent\s+(?:of|from)\b",
    r"conflicts?\s+with\b",
    r"complements?\b",
    r"extends?\b",
    r"superset\b",
    r"parallel\s+(?:to|with)\b",
    r"coordinat(?:e|es|ed)\s+with\b",
    r"contrast\b",
    r"overlaps?\b",
    r"inspired\s+by\b",
    r"previously\b",
    r"formerly\b",
    r"governs?\b",
    r"tracks\b",
    r"covers\b",
    r"handles\b",
    r"enables\b",
    r"supports\b",
    r"mirrors\b",
    r"audits?\b",
    r"verif(?:y|ies)\b",
)
# Nouns that begin something else, where they begin it: `Parent: #1`, `(Epic #2)`, `; follow-up #3`.
_APART_NOUN = (
    r"(?:(?<=^)|(?<=[(\[,;:|.—–" + BOLD + r"] )|(?<=[(\[,;:|—–" + BOLD + r"])|(?<=- ))"
    r"(?:parent|epic|feature|umbrella|roadmap|milestone|initiative|meta|tracking|tracker|tracked(?: in| by)?|related|relates|refs|source|context|origin(?:al(?:ly)?)?|"
    r"background|follow-?ups?|child(?:ren)?|sub-?(?:issues?|tasks?)|siblings?|duplicates?|spec|rfc|adr|prd|design|docs?|discussion|thread|"
    r"issue|pr|pull request|project|mvp|branch|see|history|plan|wave|phase|slice|supersedes|links?|references?|next|later|previous(?:ly)?|padre|eltern|"
    r"relacionad[oa]s?|verwandt|linked|assignee|labels?|status|note|notes|unblocks when|successor to|soft|soft dependenc(?:y|ies)|optional|nice to have)"
    r"(?:\s+(?:issues?|prs?|epics?|maps?|roadmaps?|tickets?|tasks?|stories|pull requests?|items?|work|links?|to|of|in))?"
    r"(?=[\s" + BOLD + r"]{0,3}[:：=]|[\s" + BOLD + r"]+" + REF + ")"
)

_MARK = re.compile(
    "|".join(
        (
            rf"(?P<apart_noun>{_APART_NOUN})",
            rf"(?P<waits>(?<![\w-])(?:{'|'.join(_WAITS)}))",
            rf"(?P<holds_key>(?<![\w-]){_HOLDS_KEY})",
            rf"(?P<waits_key>(?<![\w-]){_WAITS_KEY})",
            rf"(?P<holds>(?<![\w-])(?:{'|'.join(_HOLDS)}))",
            rf"(?P<holds_near>(?<![\w-])(?:{'|'.join(_HOLDS_NEAR)}))",
            rf"(?P<waits_near>(?<![\w-])(?:{'|'.join(_WAITS_NEAR)}))",
            rf"(?P<apart>(?<![\w-])(?:{'|'.join(_APART)}))",
        )
    )
)
_ONLY_KEYS = frozenset({"waits_key", "holds_key"})
_NEAR = frozenset({"waits_near", "holds_near"})

# --- objects ------------------------------------------------------------------------------------

_LEAD = re.compile(
    rf"[\s:=：>→➜➡⬅←\-–—(\[{{*{BOLD}\"'~@_]*(?:(?:[🔴🟠🟡🟢⚠🚧🛑⛔🔗❗⏳🔒⬜🔲☐❌✋📌▶•·]|️)\s*)*"
)
_NOTHING = re.compile(
    r"(?:none|nothing|no(?:\s+one)?(?!\.)|n\s*/?\s*a|nil|null|nobody|not|never|tbd|tba|todo|unknown|unclear|"
    r"ningun[oa]?|nenhum[a]?|aucune?|keine?|nessun[oa]?|geen|нет|なし|特になし|无|没有|없음)\b|(?:なし|无)|-+\s*$|\[\]"
)
_STOP = re.compile(
    r"\b(?:see|not|no longer|except|unlike|instead|rather|whether|how|what|why|if|like|similar|related|"
    r"e\.g|example|such as|was|were|previously|formerly|but|because|since|that|which|who|so|then|resolved by|"
    r"unblocked|after|before|when|while|fixes|closes|part of|parent|epic of|child of|users?)\b"
)
_KEY_STOP = re.compile(
    r"\b(?:see|no longer|except|unlike|instead|rather than|whether|similar|related|e\.g|example|such as|"
    r"previously|formerly|fixes|closes|part of|parent|child of|unblocked|resolved by|superseded|was|were|isn't|not|"
    r"discussed|mentioned|if)\b|\?"
)
_SMALL = re.compile(
    r"(?:(?:the|a|an|both|all|either|of|only|also|issues?|prs?|pull|requests?|tickets?|tasks?|mrs?|story|stories|"
    r"changes?|work|fix(?:es)?|from|in|for|on|merge|merging|completion|landing|closing|closure|resolution|results?|output|outcome|code|"
    r"at least|least|first|upstream|following|number|no|https?)\b[\s:.()]*)*"
)
_NOTE = re.compile(r"\s*(?:\(([^()]{0,300})\)|\[([^\[\]]{0,300})\])")
_DONE = re.compile(
    r"\s*(?:[-–—:,]\s*|[(\[]\s*)(?:[✅☑✔]|(?:already |now |all )?(?:done|merged|closed|completed?|resolved|shipped|landed|fixed|finished|released|obsolete|cancell?ed)\b(?!\s+first))"
    r"|\s*[✅☑✔]"
)
_TICK = re.compile(r"[✅☑✔]\s*$")
_JOIN = re.compile(
    r"\s*(?:,\s*(?:and\s+|or\s+|&\s*|plus\s+|as\s+well\s+as\s+)?|;\s*|&\s*|\+\s*|/\s*|\|\s*|、\s*|，\s*|"
    r"(?:and|or|und|oder|y|e|et|plus|as well as|and/or|then)\s+(?:also\s+)?(?:on\s+|by\s+|for\s+)?(?!\w*ly))?"
)
_MORE = re.compile(
    rf"[\s{BOLD}(\[]*(?:(?:the|issues?|prs?|pull requests?|tickets?|tasks?|story|mr|both|#)\s+)*(?={ANY})"
)
_TITLED = re.compile(rf"(?:\s*[:–—-]\s*|\s+)[^,;:.()\[\]—–{ANY[1:-1]}]{{1,60}}(?=\s*[,;])")
_VERB = re.compile(
    r"\s*(?:is|are|was|were|will|has|have|had|can|could|should|must|may|might|would|adds?|does|did|depends|blocks|tracks|"
    r"covers|handles|fixes|fixed|closes|implements|shows?|needs|requires|also|already|still)\b(?!\s+(?:merged|closed|done|landed|first)\b)"
)
_PLAN_KEY = (
    r"(?:[A-Z][A-Z0-9_]{0,14}(?:-[A-Z0-9]{1,6}){0,2}-\d{1,6}|"
    r"(?:Story|Task|Phase|Step|Stage|Slice|Epic|Ticket|Sprint|Milestone|Part|Issue|Feature|Item)\s+[A-Z]?\d{1,4}(?:[.-]\d{1,4})*|"
    r"[A-Z]{1,3}\d{0,3}\.\d{1,3}(?:\.\d{1,3})*|[A-Z]{1,2}\d{1,4}|\d{1,3}\.\d{1,3}(?:\.\d{1,3})*|\d{1,6})"
)
_PLAN = re.compile(rf"[\s:=：(\[*{BOLD}-]*({_PLAN_KEY})(?![\w.-]*\w)")
_PLAN_NEXT = re.compile(
    rf"(?:\s*\([^()]{{0,80}}\))?\s*(?:,|and|&|/|;|\+)\s*(?:and\s+)?({_PLAN_KEY})(?![\w.-]*\w)"
)
_SPACED = re.compile(r"[^\S\n]*")


def _take(marked: Marked, low: str, at: int) -> Objects:
    """The list of references that begins at `at`, where one stands."""
    done = Objects(end=at)
    while at < len(low):
        char = low[at]
        target = marked.at(char)
        ticked = bool(_TICK.search(low, max(0, at - 3), at)) if at else False
        at += 1
        if low[at : at + 1] == BOLD:
            at += 1
        if target:
            over = ticked or _DONE.match(low, at)
            (done.resolved if over else done.refs).extend(target)
        elif address := marked.address(char):
            done.unreadable.append(address)
        done.end = at
        following = _next(low, at)
        if following is None:
            break
        at = following
    return done


def _next(low: str, at: int) -> int | None:
    """Where the list goes on after a reference that ended at `at`."""
    for _ in range(2):
        if note := _NOTE.match(low, at):
            at = note.end()
    joined = _joined(low, at)
    if joined is None and (titled := _TITLED.match(low, at)) and not _STOP.search(titled[0]):
        joined = _joined(low, titled.end())
    return joined


def _joined(low: str, at: int) -> int | None:
    join = _JOIN.match(low, at)
    assert join is not None
    if not join[0] or not (more := _MORE.match(low, join.end())):
        return None
    begin = more.end()
    verb = _VERB.match(low, begin + 1)
    return None if verb and join[0].strip() != "and" else begin


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


def objects(marked: Marked, low: str, begin: int, end: int, strength: str) -> Objects:
    """The references between `begin` and `end` that are what a phrase is about.

    `strength` says how much may stand before the first: "key" anything harmless, "far" a few
    words, "near" only words like "the" and "issue".
    """
    lead = _LEAD.match(low, begin, end)
    at = lead.end() if lead else begin
    if _NOTHING.match(low, at, end):
        return Objects(end=end, nothing=True)
    first = re.compile(ANY).search(low, at, end)
    if not first:
        done = Objects(end=begin)
        if strength == "key":
            done.unreadable = plan_keys(marked.text[begin:end])
        return done
    filler = low[at : first.start()]
    if not _harmless(filler, strength):
        return Objects(end=begin)
    cut = Marked(marked.text, marked.refs, marked.elsewhere)
    return _take(cut, low[:end], first.start())


def _harmless(filler: str, strength: str) -> bool:
    if strength == "near":
        small = _SMALL.fullmatch(filler)
        return bool(small)
    if strength == "key":
        return len(filler) <= 200 and not _KEY_STOP.search(filler) and ". " not in filler
    return (
        len(filler.split()) <= 9 and not _STOP.search(filler) and not re.search(r"[;]|\. ", filler)
    )


# --- subject and truth --------------------------------------------------------------------------

_CLAUSE = re.compile(r"[,;:—–(\[|]|\s-\s|\b(?:and|but|so|therefore|thus|hence)\b")
_SELF = re.compile(
    r"\b(?:this|we|i|it|i'm|we're|us|our|we'll|it's|i've|we've)\b(?!\s+(?:is|are|was)?\s*(?:other|another))"
)
_AUXILIARY = re.compile(
    r"(?:\s|\b(?:is|are|be|being|been|has|have|currently|still|also|now|hard|strictly|directly|fully|itself|there|a|an|the|as|too|just|s)\b|'s|'re|[*>"
    + BOLD
    + r"])*$"
)
_NEGATION = re.compile(
    r"\b(?:not(?!\s+only)|no longer|never|without|nor|neither|none|nothing|no|isnt|doesnt|cannot|hardly|longer|non|nie|nicht|kein[e]?|pas|sin|não)\b|n't\b|n’t\b"
)
_UNREAL = re.compile(
    r"\b(?:may|might|could|would|if|whether|unless|suppose|assuming|in case|probably|possibly|maybe|perhaps|potentially|"
    r"optional(?:ly)?|soft(?:ly)?|weakly|should|can|when|whenever|unclear|unsure|was|were|had|used to|previously|formerly|originally|initially|"
    r"e\.g|example|eg|i\.e|imagine|say|consider|no one|historically|ever)\b"
)
_REPORTED = re.compile(
    r"(?:\b(?:says?|said|states?|stating|contains?|containing|written|writes?|wrote|reads?|text|phrase|syntax|keyword|pattern|"
    r"parses?|parsed|parsing|matches|string|regex|add|adds|adding|via|named|called|titled|column|field|label|keyword|detects?|supports?)\b\W*){1,2}$"
)
_OTHERS = re.compile(
    r"\b(?:others?|another|someone|users?|people|they|them|those|these|each|every|any|some|many|several|child(?:ren)?|both|"
    r"sub-?(?:issues?|tasks?)|dependents?|dependants?|downstream|phases?|steps?|slices?|stages?|waves?|tracks?|epics?|criteri(?:a|on)|"
    r"(?:issue|task|story|ticket|pr|item|feature|module|service|component|team|option|group|job|test)\s+(?:[a-z]|[a-z]?\d[\w.]*)|issues|tasks|stories|tickets|prs|items|pull requests|"
    r"who|whoever|rest|remaining|latter|former)\b"
)
_RELATIVE = re.compile(r"[\s,]*(?:which|that|who|whose|and that|itself)\b|\s*[(\[]")
_THIS = re.compile(
    r"[\s:(]*(?:on\s+|for\s+|by\s+)?(?:this|us|our|the (?:present|current))\b(?!\s*\()"
)


def _last_clause(subject: str) -> str:
    parts = _CLAUSE.split(subject)
    while len(parts) > 1 and not parts[-1].strip(f" {BOLD}*"):
        parts.pop()
    return parts[-1]


def _is_real(subject: str, question: bool) -> bool:
    """Whether what follows is stated as a fact of now."""
    clause = _last_clause(subject)[-120:]
    if question or _NEGATION.search(clause) or _REPORTED.search(subject[-60:]):
        return False
    if re.search(
        r"\b(?:if|e\.g|example|for instance|such as|imagine|suppose|whether)\b", subject[-200:]
    ):
        return False
    unreal = _UNREAL.search(clause)
    return not unreal or bool(re.search(r"\bhas been\b|\bhave been\b", clause))


def _is_mine(marked: Marked, subject: str, issue: IssueRef, *, chained: bool, keyed: bool) -> bool:
    """Whether a phrase with this text before it (after the last object) is said of this issue."""
    clause = _last_clause(subject)
    if _SELF.search(clause) and not re.search(r"\bthis\s+(?:blocks|is)\b", ""):
        return True
    named = marked.all(subject)
    if named:
        return all(ref == issue for ref in named)
    if (
        chained
        and not keyed
        and (
            _RELATIVE.match(subject)
            or (_AUXILIARY.match(subject) and BOLD not in subject and "  " not in subject)
        )
    ):
        return False
    return not _OTHERS.search(clause)


# --- sentences ----------------------------------------------------------------------------------

_QUOTED = re.compile(
    r"\"[^\"\n]{1,240}\"|“[^”\n]{1,240}”|«[^»\n]{1,240}»|「[^」\n]{1,240}」|(?<!\w)'[^'\n]{2,120}'(?!\w)|‘[^’\n]{2,120}’(?!\w)"
)
_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bno)(?<!\bcf)(?<!\bapprox)(?<!\bca)(?<!\betc)[.!?](?=\s|$)[)\"'\s]*|[。！？]"
)
_PREAMBLE = re.compile(rf"[\s\W{BOLD}]*$")


def quotes_out(text: str) -> str:
    """The text without what stands in quotation marks: somebody else's words, or an example."""
    if not re.search("[\"“«「'‘]", text):
        return text
    return _QUOTED.sub(lambda m: "\ue009" * len(m[0]), text)


def _lower(text: str) -> str:
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return low.replace("’", "'")


def _sentences(low: str) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, whether it is a question) of each sentence."""
    at = 0
    for stop in _END.finditer(low):
        yield at, stop.start(), stop[0].startswith(("?", "？"))
        at = stop.end()
    if at < len(low):
        yield at, len(low), False


def read(marked: Marked, issue: IssueRef) -> Said:
    """What a line states of `issue`, whose text it stands in."""
    said = Said()
    low = _lower(marked.text)
    for begin, end, question in _sentences(low):
        _sentence(marked, low, begin, end, issue, question, said)
    return said


def _sentence(
    marked: Marked, low: str, begin: int, end: int, issue: IssueRef, question: bool, said: Said
) -> None:
    found = list(_MARK.finditer(low, begin, end))
    at = begin  # where the last object ended
    chained = False
    for index, mark in enumerate(found):
        group = mark.lastgroup or ""
        limit = found[index + 1].start() if index + 1 < len(found) else end
        first = not low[begin : mark.start()].strip(f' \t*{BOLD}_>-–—•(["#') or bool(
            _PREAMBLE.match(low[begin : mark.start()])
        )
        keyed = bool(re.compile(rf"[\s{BOLD}*)]{{0,3}}[:=：]").match(low, mark.end()))
        if group.startswith("apart"):
            if begin == 0 and first:
                said.apart = True
            taken = objects(marked, low, mark.end(), limit, "key")
            if taken.end > mark.end():
                at, chained = taken.end, True
            continue
        way = Way.WAITS if group.startswith("waits") else Way.HOLDS
        if group in _ONLY_KEYS and not first and not _boundary(low, begin, mark.start()):
            continue
        between = low[mark.end() : limit]
        if _twofold(found, index, between, way):
            found[index + 1 : index + 2] = []
            continue
        said.marks += 1
        subject = low[at : mark.start()]
        strength = "key" if keyed or group in _ONLY_KEYS else "near" if group in _NEAR else "far"
        if strength == "far" and first:
            strength = "far"
        taken = objects(marked, low, mark.end(), limit, strength)
        real = _is_real(subject, question and not keyed)
        mine = _is_mine(marked, subject, issue, chained=chained, keyed=keyed)
        if real and _THIS.match(low, mark.end(), limit) and not taken.refs:
            _turned(marked, subject, way, issue, said)
        elif taken.nothing:
            said.nothing = True
        elif real and mine:
            said.add(way, taken)
            if not (taken.refs or taken.resolved or taken.unreadable) and _opens(
                low, mark.end(), end
            ):
                said.opens = way
        elif real and taken.refs:
            _foreign(marked, subject, taken, way, issue, said)
        if taken.end > mark.end():
            at, chained = taken.end, True
    if not question:
        _reversed(marked, low[begin:end], issue, said)


def _boundary(low: str, begin: int, at: int) -> bool:
    """Whether something new begins here: bold, a bar, a comma, two spaces."""
    return bool(
        re.search(
            rf"(?:[|·•,;(–—{BOLD}]|\s{{2}}|\s[/-])\s*$|[\U000f8000-\U0010fffd]\s+$", low[begin:at]
        )
    )


def _twofold(found: list[re.Match[str]], index: int, between: str, way: Way) -> bool:
    """`Blocks / blocked by:` says neither; the next mark is to be dropped too."""
    if index + 1 >= len(found) or not re.fullmatch(r"\s*(?:/|\||or|and|&)\s*", between):
        return False
    other = found[index + 1].lastgroup or ""
    return other.startswith("holds" if way is Way.WAITS else "waits")


def _opens(low: str, at: int, end: int) -> bool:
    """Whether a phrase without an object is followed by nothing but a colon at the line's end."""
    rest = low[at:]
    return bool(re.fullmatch(rf"[^.?!]{{0,80}}[:：]\s*{BOLD}?\s*", rest)) or not rest.strip(
        f" :：*{BOLD}-–—"
    )


def _turned(marked: Marked, subject: str, way: Way, issue: IssueRef, said: Said) -> None:
    """`#5 blocks this`: the edge goes the other way round."""
    if not re.search(rf"{REF}\W*(?:\([^()]*\))?{_AUXILIARY.pattern}", subject):
        return
    tail = re.search(
        rf"{REF}(?:[\s,&+/]|and|or|{REF})*(?:\([^()]*\))?{_AUXILIARY.pattern}", subject
    )
    refs = [r for r in marked.all(tail[0] if tail else "") if r != issue]
    (said.holds if way is Way.WAITS else said.waits).extend(refs)


def _foreign(
    marked: Marked, subject: str, taken: Objects, way: Way, issue: IssueRef, said: Said
) -> None:
    """`#5 depends on #4` in another issue's text; an edge only where this issue is one of them."""
    named = marked.all(subject)
    if issue in taken.refs and named:
        others = [r for r in named[-1:] if r != issue]
        (said.holds if way is Way.WAITS else said.waits).extend(others)
        return
    said.others.extend(taken.refs)


# `#5 must land first`, `merge #5 before this`, `once #5 is merged, this can start`.
_RL = rf"(?P<refs>{REF}(?:\s*(?:,|and|&|\+|/|\s)\s*{REF})*)(?:\s*\([^()]{{0,80}}\))?"
_BEFORE_THIS = r"before\s+(?:(?:we|i|you|one|anyone)\s+(?:can|could|may|start|begin|merge|do|land|work|tackle|proceed)|this|it\s+can|that\s+can|starting|merging|work(?:ing)?\b|beginning|picking|implement|proceeding|doing\s+this|any\s+(?:of\s+this|work))"
_FIRST = re.compile(
    rf"(?:{_RL}\s+(?:must|needs?|has|have|should|will need)\s+(?:to\s+)?(?:be\s+|get\s+)?{_FINISHED}\b\s*(?:first\b|{_BEFORE_THIS})"
    rf"|\b(?:merge|land|finish|complete|close|do|wait for|ship|implement|resolve|fix|need|needs)\s+(?:the\s+|issue\s+|pr\s+)*{_RL.replace('refs', 'refs2')}\s+(?:to\s+(?:be\s+)?)?(?:{_FINISHED}\s+)?(?:first\b|{_BEFORE_THIS})"
    rf"|{_RL.replace('refs', 'refs3')}\s+(?:is|are)\s+(?:a\s+|the\s+|an?\s+hard\s+|also\s+|both\s+|hard\s+)*(?:prerequisites?|blockers?|blocking|required|needed|dependenc(?:y|ies)|necessary)\s*(?:first\b|here\b|for\s+(?:this|us)\b|before\s+this|of\s+this|us\b|this\b|$|[.,;)])"
    rf"|\b(?:once|after|when|as soon as)\s+(?:the\s+|issue\s+|pr\s+)*{_RL.replace('refs', 'refs4')}\s+(?:(?:is|has|are|have|gets?|been)\s+)*{_FINISHED}\b[^.;]{{0,20}},\s*(?:then\s+)?(?:this|we|i|it|work)\s+(?:\w+\s+){{0,2}}(?:can|could|will be able|becomes?|is (?:ready|unblocked))\b(?!\s+be\s+closed)"
    rf"|{_RL.replace('refs', 'refs5')}\s*(?:に|へ)\s*依存|{_RL.replace('refs', 'refs6')}\s*(?:の|が)?\s*(?:マージ|完了|対応|リリース)?(?:後に|待ち|が前提)"
    r")"
)


def _reversed(marked: Marked, sentence: str, issue: IssueRef, said: Said) -> None:
    for found in _FIRST.finditer(sentence):
        lead = sentence[: found.start()]
        if not _is_real(lead, False) or _OTHERS.search(_last_clause(lead)):
            continue
        refs = marked.all(next(v for v in found.groupdict().values() if v))
        said.waits.extend(r for r in refs if r != issue)
        said.marks += 1


_ = (CODE, ELSE, _SPACED)
