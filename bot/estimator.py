"""How much context an issue needs, and how hard it is, from what is known without doing it.

Context means what an agent must *hold* to do the work, not what it is billed: that differs up
to thirtyfold between two runs of one task, and nobody can tell it beforehand. The figures here were
measured; docs/decisions/0003-estimate.md says how, and how good they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

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

BYTES_PER_TOKEN = 3.6
ONE_FILE_MOST = 25_000  # tokens; agents refuse to read more of one file
CHANGE = 1_500  # tokens; the change itself, when the text does not say
TYPICAL_FILE = 6_000  # tokens; a file that is touched, when its size is not known
TYPICAL_WORK = 17_000  # tokens; the whole, when the text says nothing of it
DIRECTORY_MOST = 25_000  # tokens; a directory that is named: nobody reads all of a large one
FILES_MOST = 50

# By how much the range goes down and up: eight of ten cases were inside.
SPREAD = {Source.FILES: (0.5, 2.5), Source.AI: (0.4, 2.5), Source.TEXT: (0.3, 3.5)}
FAR = 4
FAR_FROM_PROSE = 8  # a guess from prose alone is itself wrong by 4 too often to warn of it

_WORD = re.compile(r"[\w.@+/-]{3,200}")
_TEXT_MOST = 200_000
# What nobody reads to change code: binaries, images, archives, data bases, lock files, documents.
_UNREAD_SUFFIX = re.compile(
    r"\.(7z|a|avif|bin|bmp|br|bz2|class|db|dll|docx?|eot|exe|gif|gz|icns|ico|jar|jpe?g|lock|map|mo"
    r"|mov|mp[34]|o|odt|otf|pdf|png|pyc|snap|so|sqlite3?|svg|tar|tgz|tiff?|ttf|wasm|wav|web[mp]|whl"
    r"|woff2?|xlsx?|xz|zip|adoc|mdx?|rst|txt)$",
    re.IGNORECASE,
)
_UNREAD_NAME = re.compile(
    r"^(change(s|log)|history|news|releases?|authors|contributors|license|licence|copying|readme)"
    r"(\.\w+)?$|^(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum)$|\.min\.\w+$",
    re.IGNORECASE,
)


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

    In this order: what a person commanded (`override`); what the text declares; what the files
    it names weigh in the repository; the parts it declares (implementation, tests, number of
    files); what Claude read; a guess from the text. `text` is title and body; `tree` maps each
    path of the repository to its size in bytes, None when it is not known.
    """
    files = named_files(metadata, text, tree or {})
    computed, computed_from = _computed(metadata, files)
    for said, source in ((override, Source.COMMAND), (metadata.estimated_context, Source.DECLARED)):
        if said is not None:
            return Estimate(
                tokens=_bounded(said),
                source=source,
                files=files,
                computed=computed,
                computed_from=computed_from,
            )
    tokens, source = computed, computed_from
    read = reading.estimated_context if reading else None
    if read is not None and computed_from is Source.TEXT and not _has_parts(metadata):
        tokens, source = _bounded(read), Source.AI
    down, up = SPREAD[source]
    return Estimate(
        tokens=tokens,
        source=source,
        low=_bounded(math.floor(tokens * down)),
        high=_bounded(math.ceil(tokens * up)),
        files=files,
        computed=computed,
        computed_from=computed_from,
    )


def _computed(metadata: Metadata, files: tuple[FileShare, ...]) -> tuple[int, Source]:
    if files:
        weight = sum(share.tokens for share in files)
        return _rounded(weight + _unseen_files(metadata, files) + _change(metadata)), Source.FILES
    if _has_parts(metadata):
        count = metadata.files_to_modify or len(metadata.files) or 1
        return _rounded(min(count, 1000) * TYPICAL_FILE + _change(metadata)), Source.TEXT
    return TYPICAL_WORK, Source.TEXT


def _has_parts(metadata: Metadata) -> bool:
    """Whether the text declares parts from which the whole can be summed up."""
    parts = (metadata.files_to_modify, metadata.implementation_tokens, metadata.test_tokens)
    return any(part is not None for part in parts)


def _change(metadata: Metadata) -> int:
    parts = (metadata.implementation_tokens, metadata.test_tokens)
    if all(part is None for part in parts):
        return CHANGE
    return sum(_bounded(part) for part in parts if part is not None)


def _unseen_files(metadata: Metadata, files: tuple[FileShare, ...]) -> int:
    """What the files weigh that the text counts but does not name."""
    unseen = min(metadata.files_to_modify or 0, 1000) - len(files)
    return max(0, unseen) * sum(share.tokens for share in files) // len(files)


def _bounded(tokens: int) -> int:
    return max(1, min(tokens, MAX_TOKENS))


def _rounded(tokens: float) -> int:
    """To two digits: more would claim a precision that is not there."""
    digits = max(0, len(str(int(tokens))) - 2)
    return _bounded(round(tokens / 10**digits) * 10**digits)


def far_off(metadata: Metadata, found: Estimate) -> bool:
    """Whether a declared number is so far from the computed one that one of them is wrong."""
    if found.source is not Source.DECLARED or found.computed is None:
        return False
    ratio = max(found.tokens / found.computed, found.computed / found.tokens)
    counted = found.computed_from is Source.FILES or _has_parts(metadata)
    return ratio >= (FAR if counted else FAR_FROM_PROSE)


# ---- the files a text names ----


def named_files(metadata: Metadata, text: str, tree: Mapping[str, int]) -> tuple[FileShare, ...]:
    """The files of the repository that the text names, and the tokens each stands for.

    A name counts when it is a path, the end of one path only, or a directory. Tests that stand
    beside a named file come along when the text speaks of tests. What nobody reads to change code
    (lock files, change-logs, documents, images, binaries) is left out.
    """
    names = _names(metadata, text)
    if not tree or not names:
        return ()
    wanted = {name.rsplit("/", 1)[-1].lower() for name in names}
    by_name: dict[str, list[str]] = {}
    for path in tree:
        last = path.rsplit("/", 1)[-1].lower()
        if last in wanted:
            by_name.setdefault(last, []).append(path)
    found = dict.fromkeys(p for name in names if (p := _resolve(name, by_name)) and _is_read(p))
    return tuple(_share(path, tree[path]) for path in list(found)[:FILES_MOST])


def _names(metadata: Metadata, text: str) -> dict[str, None]:
    words = (w.strip(".-+@") for w in _WORD.findall(text[:_TEXT_MOST]) if "." in w or "/" in w)
    names = (n.replace("\\", "/").removeprefix("./").strip("/") for n in (*metadata.files, *words))
    return dict.fromkeys(name for name in names if name)


def _resolve(name: str, by_name: Mapping[str, list[str]]) -> str | None:
    ending = "/" + name.lower()
    found = [
        p for p in by_name.get(ending.rsplit("/", 1)[-1], ()) if ("/" + p.lower()).endswith(ending)
    ]
    exact = [p for p in found if p == name]
    if exact:
        return exact[0]
    return found[0] if len(found) == 1 else None


def _is_read(path: str) -> bool:
    name = PurePosixPath(path).name
    return not _UNREAD_NAME.search(name) and not _UNREAD_SUFFIX.search(name)


def _share(path: str, size: int) -> FileShare:
    size = max(0, size)
    return FileShare(path, size, min(math.ceil(size / BYTES_PER_TOKEN), ONE_FILE_MOST))


# ---- how hard it is ----

EASY_MOST = 12_000
MEDIUM_MOST = 50_000
EASY_FILES = 2
MEDIUM_FILES = 8


def difficulty(
    metadata: Metadata,
    reading: Reading | None,
    found: Estimate,
    *,
    override: Difficulty | None = None,
) -> tuple[Difficulty, Source]:
    """How hard the work is: commanded, declared, read by Claude, or worked out from its size.

    Worked out: easy needs little context and touches at most two files, hard needs much or
    touches more than eight, and everything else, also what is not known, is medium.
    """
    if override is not None:
        return override, Source.COMMAND
    if metadata.difficulty is not None:
        return metadata.difficulty, Source.DECLARED
    if reading is not None and reading.difficulty is not None:
        return reading.difficulty, Source.AI
    count = max(metadata.files_to_modify or 0, len(metadata.files), len(found.files))
    source = Source.FILES if found.files else Source.TEXT
    if found.tokens > MEDIUM_MOST or count > MEDIUM_FILES:
        return Difficulty.HARD, source
    if found.tokens <= EASY_MOST and count <= EASY_FILES:
        return Difficulty.EASY, source
    return Difficulty.MEDIUM, source
