"""The grammar of declared values: a difficulty, a number of tokens, an agent's name, a count.

What does not fit is not a value: `Complexity: O(n)`, `Estimate: 3 days`, `easy | medium | hard`.
"""

from __future__ import annotations

import re

from bot.models import MAX_TOKENS, Difficulty
from bot.text.inline import BOLD

MAX_VALUE = 400  # characters of a value that are looked at


def _low(value: str) -> str:
    return value[:MAX_VALUE].lower().replace(BOLD, "").strip()


# --- options ------------------------------------------------------------------------------------

_OPTION = re.compile(r"(?:\[([ xX✓✔]?)\]|([☐⬜◻○])|([☑✅🗹◉●]))\s*([^\[\]☐⬜◻○☑✅🗹◉●\n]+)")


def chosen(value: str) -> str:
    """Of `[ ] easy [x] hard` the one that is checked, "" if not just one; else the value itself."""
    options = [(bool(o[3] or (o[1] or "").strip()), o[4]) for o in _OPTION.finditer(value)]
    if len(options) < 2:
        return value
    checked = [text for is_checked, text in options if is_checked]
    return checked[0] if len(checked) == 1 else ""


# --- difficulty ---------------------------------------------------------------------------------

_WORDS = {
    Difficulty.EASY: (
        "easy easily simple trivial low beginner starter straightforward minimal newbie small tiny "
        "basic "
        "facile fácil facil baja bajo baixa einfach leicht niedrig faible легко легкая низкая "
        "簡単 易 低 简单 容易 쉬움 낮음"
    ),
    Difficulty.MEDIUM: (
        "medium moderate mid med intermediate normal average middle media medio média "
        "mittel moyen moyenne modéré средняя средне средний 中 中等 普通 중간 보통"
    ),
    Difficulty.HARD: (
        "hard high complex difficult advanced challenging expert large tough difícil dificil alta "
        "alto "
        "schwer schwierig hoch élevée élevé difficile сложно сложная высокая "
        "難 高 难 困难 复杂 難しい 어려움 높음"
    ),
}
_LEVELS = {word: level for level, words in _WORDS.items() for word in words.split()}
_LEVEL = "|".join(sorted(_LEVELS, key=len, reverse=True))
_ADVERB = (
    r"(?:(?:very|fairly|relatively|quite|pretty|rather|extremely|probably|likely|super|mostly|"
    r"somewhat|overall|the)\s+)?"
)
_SCORE = (
    r"(?:(?:level|lvl|l)?\s*[0-9]{1,3}(?:\.[0-9])?(?:\s*(?:/|of|out of)\s*[0-9]{1,3})?[\s\W]+)?"
)
_DIFFICULTY = re.compile(
    rf"[^\w<]*{_SCORE}{_ADVERB}(?P<one>{_LEVEL})"
    rf"(?:\s*(?:[-–—/~|]|to|or|bis)\s*{_ADVERB}(?P<two>{_LEVEL}))?"
    r"(?:[\s-]+(?:difficulty|complexity|level|effort|complex|task|issue))?"
    r"(?=\s*$|\s*[()\[,.;:!\n|—–-]|\s+(?:because|since|as|due|with|for|given|but|if|and|[^\w\s]))"
)
_OR = r"\s*(?:[|/,]|,?\s*or)\s*"
_SCALE = re.compile(rf"\b(?:{_LEVEL})\b{_OR}\b(?:{_LEVEL})\b{_OR}\b(?:{_LEVEL})\b")


def difficulty(value: str) -> Difficulty | None:
    """`medium`, `Medium-High (…)`, `3/5 hard`; of two the upper; None for a scale of options."""
    low = _low(value)
    found = None if _SCALE.search(low) else _DIFFICULTY.match(low)
    if not found:
        return None
    levels = [_LEVELS[word] for word in (found["one"], found["two"]) if word]
    return max(levels, key=list(Difficulty).index)


# --- tokens -------------------------------------------------------------------------------------

_SCALES = {
    "k": 1_000, "thousand": 1_000, "tsd": 1_000, "万": 10_000,
    "m": 1_000_000, "million": 1_000_000, "mio": 1_000_000,
}  # fmt: skip
_NUMBER = r"(?:[0-9]{1,3}(?:[,_'’.\u202f ][0-9]{3}){1,3}(?![0-9])|[0-9]{1,12}(?:[.,][0-9]{1,3})?)"
_SUFFIX = r"k|m|thousand|million|mio|tsd|万"
_UNIT = r"(?:\s*(?:context\s+)?(?P<unit>tokens?\b|toks?\b|tkns?\b|ctx\b|トークン|个?token))?"
_AMOUNT = (
    rf"(?P<low>{_NUMBER})(?:\s?(?P<low_scale>{_SUFFIX})(?![a-z]))?\+?"
    r"(?:\s*(?:tokens?)?\s*(?:-|–|—|~|to|\.\.\.?|and|bis|〜|～|至)\s*[~≈]?\s*"
    rf"(?P<high>{_NUMBER})(?:\s?(?P<high_scale>{_SUFFIX})(?![a-z]))?)?\+?(?:-?ish)?{_UNIT}"
)
_NO_RATE = (
    r"(?!\s*(?:context\s+)?(?:tokens?\s*)?(?:per\b|/\s?(?:s|sec|min|minute|h|hour|day|req|request|"
    r"m)\b|a (?:minute|day|second)|each))"
)
_NO_OTHER_UNIT = (
    r"(?!\w|[.,][0-9]|\s*(?:files?|lines?|s?loc|mins?|minutes?|hours?|hrs?|h|days?|d|weeks?|w|"
    r"months?|points?|"
    r"pts?|sp|story|chars?|characters|bytes?|[kmg]i?b|%|usd|eur|\$|€|x|times|req|requests|users?|"
    r"items?|steps?|tests?|people|sprints?|s|sec|seconds?|ms|words?|pages?)(?![a-z]))"
)
_ABOUT = (
    rf"[\s~≈<>=≤≥±:*({BOLD}-]*(?:(?:about|around|approx(?:imately|\.)?|roughly|circa|ca\.?|up to|"
    rf"at most|"
    r"max(?:imum)?(?: of)?|between|under|less than|from|est\.?|estimated|total(?: of)?|some|likely|"
    r"probably|small|medium|large|low|high|easy|hard|of|xs|s|m|l|xl)\b\.?[\s:~≈<>=≤≥(,*—–-]*)*"
)
_TOKENS = re.compile(f"{_ABOUT}{_AMOUNT}{_NO_RATE}{_NO_OTHER_UNIT}")
_TOKENS_LATER = re.compile(rf"(?<![\w.,$€-])[~≈]?{_AMOUNT}{_NO_RATE}{_NO_OTHER_UNIT}")
_SURE = 100  # a plain number below this is no number of tokens


def tokens(value: str, *, unit: bool = False, anywhere: bool = False) -> int | None:
    """A number of tokens: 46000, 46,000, 46k, 0.12M, `20k–30k` (the upper end).

    With `unit` only when the word *tokens* stands there; `anywhere` also after other words, and
    then with the word. None for rates and other units.
    """
    low = _low(value)
    found = _TOKENS.match(low)
    if found and (found["unit"] or not unit):
        return _upper(found)
    if anywhere:
        for later in _TOKENS_LATER.finditer(low):
            if later["unit"]:
                return _upper(later)
    return None


def _upper(found: re.Match[str]) -> int | None:
    high, scale = found["high"], found["high_scale"] or ""
    low_scale = found["low_scale"] or ("" if found["high"] is None else scale)
    amount = max(_amount(found["low"], low_scale), _amount(high, scale) if high else 0)
    known = found["unit"] or scale or low_scale or amount >= _SURE
    return round(amount) if known and 0 < amount <= MAX_TOKENS else None


def _amount(digits: str, scale: str) -> float:
    plain = re.sub(r"[_'’\u202f ]", "", digits)
    grouped = re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]{3})+", plain)
    if grouped and (not scale or len(re.findall("[.,]", plain)) > 1):
        plain = re.sub("[.,]", "", plain)
    return float(plain.replace(",", ".")) * _SCALES.get(scale, 1)


# --- agent --------------------------------------------------------------------------------------

_NO_AGENT = re.compile(
    r"(?:none|n/?a|nobody|no one|no preference|no response|tbd|tba|todo|to be (?:decided|"
    r"determined)|"
    r"unassigned|not assigned|unknown|any(?:one|body)?|either|auto|undecided|open|\?+|-+|–|—|null|"
    r"nil|~|not sure|depends)(?:\W.*)?",
    re.DOTALL,
)
_NAME_END = re.compile(
    r"\s+[-–—]\s+|[;\n]|\s+(?:because|since|as|due to|for|with)\b|\.\s|\.$|,\s+(?=\w+\s+\w+)"
)
_SENTENCE_WORD = r"(?:and|or|is|for|to|will|should|can|with|in|on|the)\b"
_AGENT = re.compile(
    rf"@?([a-z][\w.:+/-]*(?:\s+(?:[\w.:+-]*[0-9][\w.:+-]*|"
    rf"(?!{_SENTENCE_WORD})[a-z][\w.+-]*)){{0,2}})\W*"
)


def agent(value: str) -> str | None:
    """One agent's name in lower case, as written; None for none, several, or a sentence."""
    low = re.sub(r"\s*\([^()]*\)", "", _low(value).strip("_*`\"'"))
    name = _NAME_END.split(low)[0].strip("_*`\"' .,🤖👤")
    if not name or _NO_AGENT.fullmatch(name):
        return None
    found = _AGENT.fullmatch(name)
    return found[1].rstrip(".:") if found else None


# --- count --------------------------------------------------------------------------------------

_COUNT = re.compile(
    r"[~≈<>=≤ ]*(?:about |around |up to )?([0-9]{1,4})(?:\s*(?:-|–|to)\s*([0-9]{1,4}))?(?![\w.])"
)


def count(value: str) -> int | None:
    """A small number of things; of a range the upper end."""
    found = _COUNT.match(_low(value))
    return int(found[2] or found[1]) if found else None
