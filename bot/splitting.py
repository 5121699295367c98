"""An issue that is too big ▸ parts that fit, and which of them wait for which. Pure.

pieces.py         what the text itself sets apart
split_reading.py  the same, read by Claude
proposal.py       parts as they are kept in a reply, and as issues
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import UserError
from bot.estimator import CHANGE, TYPICAL_FILE
from bot.models import FileShare, IssueRef
from bot.parser import parse
from bot.pieces import MAX_PIECES, MAX_TEXT, Kind, Piece, divide, joined, of_file, precedes, titled
from bot.tree import named_files

MAX_PARTS = 20
FULL = 0.6  # of the room; small tasks are put together up to here
LEAST = 500  # tokens of a part
_DEEPEST = 4  # how often a piece is divided again
_CLOSING = re.compile(
    r"\W*(?:\d+[.)]\s*)?(?:(?:write|add|update|extend|run)\s+)?(?:the\s+)?(?:(?:unit|integration|"
    r"end-to-end|e2e|final|user)\s+)*(?:tests?\b|testing\b|docs?\b|documentation\b|changelog\b|"
    r"release\b|roll-?\s?out\b|clean-?\s?up\b|deploy(?:ment)?\b|announce(?:ment)?\b)",
    re.IGNORECASE,
)

NOTHING_TO_SPLIT_BY = (
    "the text does not say what it could be split into; give it sections, a task list, or the "
    "names of the files"
)
TOO_LONG = f"the text is too long; I split texts of up to {MAX_TEXT:,} characters"
TOO_MANY = (
    f"it would take more than {MAX_PARTS} parts; split it by hand into a few large ones first"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `estimate` in tokens; `after` are the numbers (from 1) of parts before it."""

    title: str
    body: str
    estimate: int
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sized:
    """Pieces that are done together, with the tokens they are likely to need."""

    pieces: tuple[Piece, ...]
    tokens: int
    files: frozenset[str] = frozenset()

    @property
    def last(self) -> Piece:
        """The last of them."""
        return self.pieces[-1]


def propose(
    title: str,
    body: str,
    room: int,
    *,
    issue: IssueRef,
    tokens: int,
    files: Sequence[FileShare] = (),
) -> tuple[Part, ...]:
    """Parts of at most `room` tokens, at least two and at most `MAX_PARTS`, by what the text says.

    `tokens` is the estimate of the whole, `files` those it counts. The pieces share the estimate by
    the files they name; one that is still too big is divided by what stands in it, or, where
    nothing does, into steps. Raises UserError, with what to do, when that gives no such parts.
    """
    tree = {share.path: share.size for share in files}
    if len(body) > MAX_TEXT:
        raise UserError(TOO_LONG)
    pieces = divide(body, issue)
    if not pieces and files:
        pieces = [of_file(share.path, number) for number, share in enumerate(files)]
    pieces = [
        replace(piece, title=titled(title, piece.title)) if piece.kind is Kind.FILE else piece
        for piece in pieces
    ]
    if len(pieces) < 2:
        raise UserError(NOTHING_TO_SPLIT_BY)
    if room < LEAST:
        raise UserError(TOO_MANY)
    sized = _shared(pieces, tokens, issue, tree)
    fitting = [bit for one in sized for bit in _fitted(one, room, issue, tree, _DEEPEST)]
    fitting = _put_together(fitting, room)
    if len(fitting) > MAX_PARTS:
        raise UserError(TOO_MANY)
    after = _order(fitting)
    whole = [joined(one.pieces) for one in fitting]
    return tuple(
        Part(piece.title, piece.text, one.tokens, waits)
        for piece, one, waits in zip(whole, fitting, after, strict=True)
    )


# ---- how much each needs ----


@dataclass(frozen=True, slots=True)
class _Weight:
    """What a piece declares, what it weighs besides, the least that its files come to."""

    declared: int | None
    weight: int
    least: int
    files: frozenset[str]


def _shared(
    pieces: Sequence[Piece], tokens: int, issue: IssueRef, tree: Mapping[str, int]
) -> list[_Sized]:
    """The estimate of the whole shared out; a piece that declares its own keeps that.

    Together they may need more than the whole: what two of them touch is read twice.
    """
    if len(pieces) > MAX_PIECES:
        raise UserError(TOO_MANY)
    weighed = [_weighed(piece, issue, tree) for piece in pieces]
    left = tokens - sum(one.declared or 0 for one in weighed)
    loose = sum(one.weight for one in weighed if one.declared is None)
    scale = left / loose if loose and left > 0 else 1.0
    return [
        _Sized(
            (piece,),
            one.declared or _rounded_up(max(one.weight * scale, one.least)),
            one.files,
        )
        for piece, one in zip(pieces, weighed, strict=True)
    ]


def _weighed(piece: Piece, issue: IssueRef, tree: Mapping[str, int]) -> _Weight:
    """What is known of a piece. One that names no file is taken to touch one.

    Else whatever names a file would outweigh it.
    """
    said = parse(piece.text, issue=issue, title=piece.title)
    shares = named_files(said.files, piece.text, tree) if tree else ()
    known = sum(share.tokens for share in shares)
    guessed = TYPICAL_FILE * max(1, len(said.files))
    bits = max(1, piece.text.count("[ ]"))
    own = said.estimated_context
    return _Weight(
        declared=own and max(own, LEAST),
        weight=(known or guessed) + CHANGE * bits,
        least=known,
        files=frozenset(share.path for share in shares) or frozenset(said.files),
    )


def _rounded_up(tokens: float) -> int:
    return max(LEAST, math.ceil(tokens / 100) * 100)


# ---- how they fit ----


def _fitted(
    one: _Sized, room: int, issue: IssueRef, tree: Mapping[str, int], depth: int
) -> list[_Sized]:
    """A piece as it is, or the bits of it that fit."""
    if one.tokens <= room:
        return [one]
    if math.ceil(one.tokens / room) > MAX_PARTS:
        raise UserError(TOO_MANY)
    piece = one.last
    inside = divide(piece.text, issue) if depth else []
    if len(inside) < 2:
        return _steps(one, room)
    named = [replace(bit, title=titled(piece.title, bit.title)) for bit in inside]
    bits = _shared([bit.within(*piece.path) for bit in named], one.tokens, issue, tree)
    return [bit for each in bits for bit in _fitted(each, room, issue, tree, depth - 1)]


def _steps(one: _Sized, room: int) -> list[_Sized]:
    """Equal steps, one after the other, where nothing says how to divide a piece."""
    count = math.ceil(one.tokens / room)
    tokens = min(room, _rounded_up(one.tokens / count))
    return [
        _Sized(
            (
                replace(
                    one.last,
                    title=f"{one.last.title} ({number} of {count})",
                    path=(*one.last.path, (True, number)),
                ),
            ),
            tokens,
            one.files,
        )
        for number in range(1, count + 1)
    ]


def _put_together(sized: Sequence[_Sized], room: int) -> list[_Sized]:
    """Small tasks together, and whatever it takes not to have too many parts."""
    fewer = _merged(sized, room * FULL, tasks_only=True)
    if len(fewer) > MAX_PARTS:
        fewer = _merged(sized, room, tasks_only=False)
    return fewer if len(fewer) > 1 else list(sized)


def _merged(sized: Sequence[_Sized], most: float, *, tasks_only: bool) -> list[_Sized]:
    groups: list[list[_Sized]] = []
    for one in sized:
        last = groups[-1] if groups else []
        fits = bool(last) and sum(each.tokens for each in last) + one.tokens <= most
        if fits and (not tasks_only or _alike(last[-1], one)):
            last.append(one)
        else:
            groups.append([one])
    return [
        _Sized(
            tuple(piece for one in group for piece in one.pieces),
            sum(one.tokens for one in group),
            frozenset(path for one in group for path in one.files),
        )
        for group in groups
    ]


def _alike(one: _Sized, other: _Sized) -> bool:
    """Whether both are tasks, or files, of one list."""
    return (
        one.last.kind is other.last.kind is not Kind.SECTION
        and one.last.path[:-1] == other.last.path[:-1]
        and _is_closing(one) == _is_closing(other)
    )


# ---- which come first ----


def _is_closing(one: _Sized) -> bool:
    return all(_CLOSING.match(piece.title) for piece in one.pieces)


def _order(sized: Sequence[_Sized]) -> list[tuple[int, ...]]:
    """For each part, the numbers of those it waits for; what follows from others is left out.

    What has a number waits for what has a lower one beside it, a step for the one before; of two
    parts that change the same file the later one waits; tests, documentation and release wait for
    the work.
    """
    waits: list[set[int]] = []
    last_of: dict[str, int] = {}
    for number, one in enumerate(sized, 1):
        mine = {last_of[path] for path in one.files if path in last_of}
        for before, other in enumerate(sized[: number - 1], 1):
            if (_is_closing(one) and not _is_closing(other)) or _comes_first(other, one):
                mine.add(before)
        waits.append(mine)
        last_of |= dict.fromkeys(one.files, number)
    return reduced(waits)


def _comes_first(one: _Sized, other: _Sized) -> bool:
    return any(precedes(mine, its) for mine in one.pieces for its in other.pieces)


def reduced(waits: Sequence[set[int]]) -> list[tuple[int, ...]]:
    """Each part's direct dependencies only; all of them are earlier parts."""
    reach: list[set[int]] = []
    direct = []
    for mine in waits:
        over = set().union(*(reach[n - 1] for n in mine))
        direct.append(tuple(sorted(mine - over)))
        reach.append(mine | over)
    return direct
