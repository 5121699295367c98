"""The phrases with which people say that an issue waits for another, by direction and strength.

Each table's lines are regular expressions over text in lower case, in which a space stands for any
white space and a reference is one character (`references.REF`). A new way of saying it is a new
line in one of them.
"""

from __future__ import annotations

import re

from bot.text.inline import BOLD
from bot.text.references import REF

_DO = (
    "start(?:ed)?|begin|begun|lands?|landed|merged?|merging|ship(?:ped)?|released?|done|do|go(?: "
    "in)?|"
    "proceed|deploy(?:ed)?|rebased?|resumed?|finish(?:ed)?|completed?|implement(?:ed)?|"
    "work(?:ed)?(?: on)?|pick(?:ed)?(?: this)?(?: up)?|pickable|addressed|tackled?|reviewed|"
    "continued?|happen|run|built?|executed?|scheduled|progress|move forward|unblocked|ready|"
    "available|actionable|eligible|possible"
)
_IT = (
    "(?: (?:this(?: (?:issue|pr|one|task|work))?|it|only|work|development|implementation|be|safely|"
    "until|here))*"
)
FINISHED = (
    r"(?:merg(?:ed|es|e)|land(?:ed|s)?|closed?|closes|done|complet(?:ed|es|e)|finish(?:ed|es)|"
    r"fixed|"
    r"resolved|shipped|ships|implemented|released|in(?: place)?|ready|available|deployed|approved|"
    r"through|live|on main)"
)

# "X waits for": the object may stand some words further on.
WAITS = (
    (
        r"(?:hard[- ]|strictly )?blocked\s*-?\s*"
        r"(?:(?:upstream|entirely|partially|mainly|solely|only|also) )?"
        r"(?:by|on|upon|behind|pending|until|till|due to|because of)\b"
    ),
    r"blocked (?:for now )?(?:waiting|awaiting)(?: on| for)?\b",
    r"depend(?:s|ed|ing|ent|ant)?[ -]*(?:up)?on\b",
    rf"depends?(?=\W{{0,3}}[:=：]|\s*{REF})",
    r"dependenc(?:y|ies) (?:up)?on\b",
    r"rel(?:ies|iant|ying) (?:up)?on\b",
    r"wait(?:s|ing|ed)? (?:on|for|until|till|upon)\b",
    r"await(?:s|ing|ed)?\b",
    r"on[ -]hold\s*,?\s*(?:until|for|pending|till|because of|due to|by)\b",
    (
        r"(?:hold(?:ing)?(?: off)?|paused|parked|postponed|deferred|delayed|suspended|"
        r"draft) (?:until|till|pending)\b"
    ),
    r"hold(?:ing)? (?:off )?for\b",
    r"held (?:up )?(?:by|until|for)\b",
    r"stuck (?:on|behind)\b",
    r"gated (?:by|behind|on|upon)\b",
    r"stacked (?:on|upon)(?: top of)?\b",
    r"(?:based|built|builds|sits|stacks|rebased|branched|is|pr|goes) on top of\b",
    r"(?:contingent|conditional|predicated) (?:up)?on\b",
    r"only (?:after|once|when)\b",
    r"(?:comes?|goes|runs?|sequenced|scheduled|lands|ships|merges) (?:only )?after\b",
    # Spanish, Portuguese
    r"depende(?:nte)? d[eo]\b",
    r"bloquead[oa] (?:por|pelo|pela)\b",
    r"depende:",
    # German, Dutch
    r"h[äa]ngt (?:ab )?von\b",
    r"abh[äa]ngig von\b",
    r"blockiert (?:von|durch)\b",
    r"wartet auf\b",
    r"afhankelijk van\b",
    r"geblokkeerd door\b",
    r"wacht op\b",
    # French, Italian
    r"d[ée]pend(?: de| du|ant de|s de)\b",
    r"bloqu[ée]e? par\b",
    r"en attente de\b",
    r"dipende da(?:l|lla)?\b",
    r"bloccat[oa] da\b",
    # Polish, Russian
    r"zależy od\b",
    r"zablokowane przez\b",
    r"зависит от",
    r"заблокирован[ао]?",
    r"блокируется",
    # Japanese, Chinese, Korean
    r"依存先|依存(?=\s*[:：])|ブロック元",
    rf"依赖于|依赖(?=\s*[:：]|\s*{REF})|被阻塞|阻塞于|取决于|前置(?:任务|条件|依赖)?(?=\s*[:：])",
    r"의존(?:성)?(?=\s*[:：])",
)

# The same with a "must" or "cannot" of their own.
WAITS_ORDER = (
    (
        r"(?:must|should|needs? to|has to|have to|to|can|only|will|may|do|please|^)\W{0,3}(?:only |"
        r"be |then )*"
        rf"(?:{_DO}){_IT} (?:only )?(?:after|once|when|as soon as)\b(?=[^.]{{0,60}}{REF})"
    ),
    (
        r"(?:do not|don't|dont|not|not to|cannot|can't|can not|shouldn't|mustn't|won't|never|"
        r"unable to|impossible to) "
        rf"(?:yet )?(?:be )?(?:{_DO}|closed?|fixed){_IT} (?:until|till|before|without|unless)\b"
    ),
)

# "X waits for", with the object right after.
WAITS_NEAR = (
    r"requires?\b(?! by)",
    r"needs?\b",
    r"pending\b",
    r"subject to\b",
    r"follows\b(?=\W{0,3}[:=：])",
)

_KEY_END = rf"(?: ?\([^()]{{0,40}}\))?(?=[\s{BOLD}*]{{0,3}}(?:[:=：]|\s[-–—→]\s|\|))"

# Words that have a direction only as a key: `Dependencies: …`.
WAITS_KEY = (
    (
        rf"(?:dependenc(?:y|ies)|deps?|blockers?|pre-?requisites?|prereqs?|predecessors?|"
        rf"upstream)(?: (?:issues?|prs?|tickets?|tasks?|list|dependenc(?:y|ies)))?{_KEY_END}"
    ),
    rf"blocking (?:issues?|prs?|tickets?){_KEY_END}",
    (
        rf"(?:blocked|preconditions?|after|waits|waiting|must follow|requires|required|"
        rf"requirement of|gate|gated){_KEY_END}"
    ),
    (
        rf"(?:dependencias?|dependências?|abh[äa]ngigkeit(?:en)?|voraussetzung(?:en)?|"
        rf"d[ée]pendances?|"
        rf"pr[ée]requis|dipendenze|afhankelijkheden|зависимост[ьи]|zależności){_KEY_END}"
    ),
    (
        r"(?:依存関係|依存|前提(?:条件)?|ブロッカー|ブロック要因|"
        r"依赖(?:项|关系)?|前置|阻塞(?:项)?|선행(?: 작업)?|의존성)"
        rf"(?: ?(?:issues?|prs?|タスク|チケット))?{_KEY_END}"
    ),
)
HOLDS_KEY = (
    (
        rf"(?:blocks|blocking|downstream|dependents?|dependants?|before|successors?|unblocks|"
        rf"required by|needed by|gates){_KEY_END}"
    ),
    (
        rf"(?:bloquea|bloqueia|blockiert|bloque|blocca|blokkeert|блокирует|ブロック先|ブロック対象|阻塞了|"
        rf"被依赖){_KEY_END}"
    ),
)

# "X blocks".
HOLDS = (
    r"(?:is )?required (?:by|for)\b",
    r"(?:is )?needed (?:by|for)\b",
    r"(?:is )?necessary for\b",
    r"(?:is )?(?:required|needed|necessary) before\b",
    r"(?:pre-?requisite|prereq|blocker|precondition|(?<!no\x20)dependency)s? (?:for|of|to)\b",
    r"depended (?:up)?on by\b",
    rf"(?:must|should|needs? to|has to|have to) (?:be )?(?:{_DO}){_IT} before\b",
    r"bloquea a\b",
    r"bloque le\b",
)
HOLDS_NEAR = (
    r"blocks\b(?!\s*(?:of|for)\b)",
    r"block(?= (?:this|us|our)\b)",
    r"(?<!non-)(?<!non\x20)blocking\b",
    r"(?:will|to|which|also|does|they|and|would) block\b",
    r"gates\b",
    r"bloquea\b|bloqueia\b|blockiert\b|blocca\b|блокирует",
)

# "X unblocks", which names a place more often: `unblocks the work in #9`.
HOLDS_FREE = (r"unblock(?:s|ing)?\b",)

# About something else: takes the references that follow.
APART = (
    r"relat(?:es|ed) to\b", r"see(?: also)?\b", r"fix(?:es|ed|ing)?\b", r"clos(?:es?|ed|ing)\b",
    r"resolv(?:es?|ed|ing)\b", r"part of\b", r"belongs to\b", (r"follow(?:s|ed|ing)?[- ]?(?:up|"
    r"on)s? (?:to|of|for|from|on)\b"),
    r"split (?:out )?(?:of|from|off)\b", (r"dup(?:licates?|"
    r"e)?(?: of)?\b"), r"refs?\b\.?", r"referenc(?:es?|ed)\b",
    r"supersed(?:es?|ed)(?: by)?\b", r"replac(?:es?|ed)(?: by)?\b", r"implement(?:s|ed in)\b",
    r"child(?:ren)? of\b", r"sub-?(?:issues?|tasks?) of\b", (r"linked (?:issues?|"
    r"prs?)\b"), r"links? to\b",
    r"unblocked by\b", r"cf\.?(?=\s)", r"cc\b", r"compare\b", r"similar to\b", r"same as\b",
    (r"(?:introduced|discussed|mentioned|raised|reported|found|filed|identified|described|"
    r"documented|"
    r"decided|noted|done|shipped|delivered) (?:in|by|via|with|from|as)\b"),
    r"added (?:in|by)\b", r"as (?:in|per|of)\b", rf"per(?= (?:[a-z]+ )?{REF})", r"e\.g\.?",
    r"for (?:example|instance)\b", r"such as\b", r"instead of\b", r"unlike\b", r"caused by\b",
    r"regress(?:ion|ed)\b", r"spun (?:out|off)\b", r"derived from\b", r"extracted from\b",
    r"continu(?:ation of|es)\b", r"backports?\b", r"reverts?(?:ed)?\b", r"cherry-?pick(?:ed)?\b",
    r"moved (?:to|from)\b", r"unrelated to\b", r"independent (?:of|from)\b", r"conflicts? with\b",
    r"complements?\b", r"extends?\b", r"superset\b", r"parallel (?:to|with)\b", (r"coordinat(?:es?|"
    r"ed) with\b"),
    r"contrast\b", r"overlaps?\b", r"inspired by\b", r"previously\b", r"formerly\b", r"governs?\b",
    r"tracks\b", r"covers\b", r"handles\b", r"enables\b", r"supports\b", r"mirrors\b",
    r"audits?\b", r"verif(?:y|ies)\b",
)  # fmt: skip
# Nouns that do so where they begin something: `Parent: #1`, `; follow-up #3`.
APART_NOUN = (
    rf"(?:(?<=^)|(?<=[(\[,;:|.—–{BOLD}]\x20)|(?<=[(\[,;:|—–{BOLD}])|(?<=-\x20))"
    r"(?:parent|epic|feature|umbrella|roadmap|milestone|initiative|meta|tracking|tracker|"
    r"related|relates|refs|source|context|origin(?:al(?:ly)?)?|background|follow-?ups?|"
    r"child(?:ren)?|"
    r"sub-?(?:issues?|tasks?)|siblings?|duplicates?|spec|rfc|adr|prd|design|docs?|discussion|"
    r"thread|project|"
    r"mvp|branch|see|history|plan|wave|phase|slice|supersedes|links?|references?|next|later|"
    r"previous(?:ly)?|"
    r"padre|eltern|relacionad[oa]s?|verwandt|linked|assignee|labels?|note|notes|unblocks when|"
    r"successor to|"
    r"soft|soft dependenc(?:y|ies)|optional|nice to have|parallel with|merge order|stack)"
    r"(?: (?:issues?|prs?|epics?|maps?|roadmaps?|tickets?|tasks?|stories|pull requests?|items?|"
    r"work|links?|to|of|in))?"
    rf"(?=[\s{BOLD}]{{0,3}}[:：=]|[\s{BOLD}]+{REF})"
)


def _either(name: str, phrases: tuple[str, ...]) -> str:
    return rf"(?P<{name}>(?<![\w-])(?:{_spaced('|'.join(phrases))}))"


def _spaced(phrase: str) -> str:
    return re.sub(r" (\??)", lambda m: r"\s*" if m[1] else r"\s+", phrase)


# One pass finds every phrase; the group's name is its table.
MARK = re.compile(
    "|".join(
        (
            rf"(?P<apart_noun>{_spaced(APART_NOUN)})",
            _either("waits", WAITS),
            _either("waits_order", WAITS_ORDER),
            _either("holds_key", HOLDS_KEY),
            _either("waits_key", WAITS_KEY),
            _either("holds", HOLDS),
            _either("holds_near", HOLDS_NEAR),
            _either("holds_free", HOLDS_FREE),
            _either("waits_near", WAITS_NEAR),
            _either("apart", APART),
        )
    )
)
