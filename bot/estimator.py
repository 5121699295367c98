"""How much context an issue needs, and how hard it is, from what is known before anybody starts.

Context means what an agent must *hold* to do the work, not what it is billed: that differs up
to thirtyfold between two runs of one task, and nobody can tell it beforehand. The figures here were
measured; docs/decisions/0003-estimate.md says how, and how good they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.models import (
    MAX_TOKENS,
    ContextSize,
    Difficulty,
    Estimate,
    FileShare,
    Metadata,
    Reading,
    Source,
)
from bot.tree import is_code, is_read, is_test, matching_tests, named_files, typical_weight

CHANGE = 1_500  # tokens; what is written, where the text does not say
TESTS = 4_000  # tokens; the tests of a source file whose tests were not found
TYPICAL_FILE = 6_000  # tokens; a file to modify, where the repository is not known
TYPICAL_WORK = 17_000  # tokens; a whole task, where nothing is known
WORK_BASE, WORK_FILES = 8_000, 2  # a whole task: so many tokens and so many typical files
UNNAMED = 0.15  # of a whole task; what is touched beside the files a text names
COUNT_MOST = 1_000  # files to modify; nobody means more

# How far down and up the range goes: it held eight of ten cases where that could be measured.
SPREAD = {Source.FILES: (0.4, 3.5), Source.AI: (0.4, 2.5), Source.TEXT: (0.25, 2.5)}
FAR = 4  # times; a declared number this far from the computed one is wrong, or that one is
FAR_FROM_GUESS = 8  # times; a guess from nothing but the repository is itself off by 4 too often


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Up to how many tokens an estimate is small, medium and large; above that it is huge."""

    small: int = 25_000
    medium: int = 50_000
    large: int = 100_000

    def __post_init__(self) -> None:
        if not 0 < self.small < self.medium < self.large:
            raise ValueError(
                f"Size limits {self.small}, {self.medium}, {self.large} must be above 0 and grow."
            )


def size_of(tokens: int, limits: SizeLimits | None = None) -> ContextSize:
    """The size class of so many tokens; a limit itself still belongs to its class."""
    limits = limits or SizeLimits()
    if tokens <= limits.small:
        return ContextSize.SMALL
    if tokens <= limits.medium:
        return ContextSize.MEDIUM
    return ContextSize.LARGE if tokens <= limits.large else ContextSize.HUGE


def estimate(
    metadata: Metadata,
    reading: Reading | None,
    *,
    text: str,
    tree: Mapping[str, int] | None,
    override: int | None = None,
) -> Estimate:
    """How many tokens of context an issue needs.

    In this order: what a person commanded (`override`); the number the text declares; what the
    files it names weigh in the repository; the parts it declares (implementation, tests, how
    many files); what Claude read; what the text names or the repository suggests. `text` is title
    and body; `tree` maps each path of the repository to its bytes, None when it is not known.
    """
    named = named_files(metadata.files, text, tree) if tree else ()
    files = _with_tests(metadata, named, tree or {})
    computed = _bounded(_rounded(_computed(metadata, files, tree or {})))
    computed_from = Source.FILES if files else Source.TEXT
    tokens, source = computed, computed_from
    read = reading.estimated_context if reading else None
    if override is not None:
        tokens, source = _bounded(override), Source.COMMAND
    elif metadata.estimated_context is not None:
        tokens, source = _bounded(metadata.estimated_context), Source.DECLARED
    elif read is not None and not files and not _declares_parts(metadata):
        tokens, source = _bounded(read), Source.AI
    low, high = _range(tokens, source)
    return Estimate(tokens, source, low, high, files, computed, computed_from)


def _range(tokens: int, source: Source) -> tuple[int | None, int | None]:
    if source not in SPREAD:
        return None, None
    down, up = SPREAD[source]
    return _bounded(_rounded(tokens * down)), _bounded(_rounded(tokens * up))


def _bounded(tokens: int) -> int:
    return max(1, min(tokens, MAX_TOKENS))


def _rounded(tokens: float) -> int:
    """To two digits: more would claim what nobody knows."""
    whole = round(tokens)
    return round(whole, min(0, 2 - len(str(whole))))


def far_off(metadata: Metadata, found: Estimate) -> bool:
    """Whether a declared number is so far from the computed one that one of them is wrong."""
    if found.source is not Source.DECLARED or found.computed is None:
        return False
    ratio = max(found.tokens, found.computed) / min(found.tokens, found.computed)
    grounded = found.files or metadata.files or _declares_parts(metadata)
    return ratio >= (FAR if grounded else FAR_FROM_GUESS)


# ---- what the files and the text give ----


def _with_tests(
    metadata: Metadata, named: tuple[FileShare, ...], tree: Mapping[str, int]
) -> tuple[FileShare, ...]:
    """The tests come along, except where the text says what they need or names some itself."""
    if metadata.test_tokens is not None or any(is_test(share.path) for share in named):
        return named
    return named + matching_tests(named, tree)


def _computed(metadata: Metadata, files: tuple[FileShare, ...], tree: Mapping[str, int]) -> float:
    """The files named, those only counted, the tests, the rest and the change; else a guess."""
    typical = typical_weight(tree)
    whole = TYPICAL_WORK if typical is None else WORK_BASE + WORK_FILES * typical
    unseen = _unseen(metadata, files, tree)
    if not files and not unseen and not _declares_parts(metadata):
        return whole
    named = [share.path for share in files] or [path for path in metadata.files if not tree]
    return (
        sum(share.tokens for share in files)
        + unseen * (typical or TYPICAL_FILE)
        + _tests(metadata, named)
        + (UNNAMED * whole if metadata.files_to_modify is None else 0)
        + _tokens(metadata.implementation_tokens, CHANGE)
    )


def _unseen(metadata: Metadata, files: tuple[FileShare, ...], tree: Mapping[str, int]) -> int:
    """How many files are to be touched whose size is not known.

    Those counted but not named; those named, where the repository is not known. Where it is, a
    name that is not in it is a new file, and takes nothing to read.
    """
    if metadata.files_to_modify is not None:
        return max(0, min(metadata.files_to_modify, COUNT_MOST) - len(files))
    if not tree and metadata.files:
        return min(sum(is_read(path) for path in metadata.files), COUNT_MOST)
    return 1 if _declares_parts(metadata) and not files else 0


def _declares_parts(metadata: Metadata) -> bool:
    parts = (metadata.files_to_modify, metadata.implementation_tokens, metadata.test_tokens)
    return any(part is not None for part in parts)


def _tests(metadata: Metadata, named: Sequence[str]) -> int:
    """The tests that are not among the files; where those are only counted, they are."""
    missing = any(map(is_code, named)) and not any(map(is_test, named))
    return _tokens(metadata.test_tokens, TESTS if missing else 0)


def _tokens(declared: int | None, otherwise: int) -> int:
    return otherwise if declared is None else max(0, min(declared, MAX_TOKENS))


# ---- how hard it is ----

EASY_TOKENS, EASY_FILES = 15_000, 2
MEDIUM_TOKENS, MEDIUM_FILES = 60_000, 8


def difficulty(
    metadata: Metadata,
    reading: Reading | None,
    found: Estimate,
    *,
    override: Difficulty | None = None,
) -> tuple[Difficulty, Source]:
    """How hard the work is: commanded, declared, read by Claude, or worked out from its size.

    Worked out, it is easy up to 15k tokens and two files besides tests, hard from 60k tokens or
    eight files on, medium otherwise: also where the size itself is only a guess.
    """
    for said, source in (
        (override, Source.COMMAND),
        (metadata.difficulty, Source.DECLARED),
        (reading.difficulty if reading else None, Source.AI),
    ):
        if said is not None:
            return said, source
    return _worked_out(metadata, found), Source.FILES if found.files else Source.TEXT


def _worked_out(metadata: Metadata, found: Estimate) -> Difficulty:
    named = [share.path for share in found.files] or metadata.files
    count = max(metadata.files_to_modify or 0, sum(not is_test(path) for path in named))
    if found.tokens > MEDIUM_TOKENS or count > MEDIUM_FILES:
        return Difficulty.HARD
    guessed = found.source is Source.TEXT and not count and not _declares_parts(metadata)
    if guessed or found.tokens > EASY_TOKENS or count > EASY_FILES:
        return Difficulty.MEDIUM
    return Difficulty.EASY
