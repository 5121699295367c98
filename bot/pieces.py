"""The pieces of work that an issue's text sets apart: sections, task lists, steps, files.

What is about the work rather than work itself (background, dependencies, acceptance criteria, what
is out of scope) is no piece, and what is checked off is done.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.models import IssueRef
from bot.parser import parse
from bot.text.headings import Meaning, heading_meaning, words

MAX_TEXT = 60_000  # characters of a text that are divided
MAX_PIECES = 500
TITLE = 100  # characters
_DEEPEST = 6

_BLOCKS = MarkdownIt("commonmark").disable("inline")
_INLINE = MarkdownIt("commonmark")
MAX_LINE = 500  # characters of a line that are read as a title
_ABOUT = re.compile(
    r"(?:acceptance|success|completion|exit) criteria|definition of done|background|context|"
    r"motivation|overview|summary|description|introduction|problem(?: statement)?|goals?|"
    r"objectives?|purpose|why|rationale|user stor(?:y|ies)|notes?|references?|links?|resources?|"
    r"see also|related(?: .*)?|risks?|(?:open )?questions?|constraints?|assumptions?|environment|"
    r"metadata|agent|difficulty|priority|labels?|timeline|files?(?: .*)?|affected files|"
    r"(?:.* )?(?:estimates?|estimation)|sizing|screenshots?|non ?-?functional requirements"
)
_HOLDER = re.compile(
    r"(?:implementation )?(?:tasks?|to ?-?dos?|checklist|plan|steps|breakdown|phases|milestones)|"
    r"implementation|work(?: items?)?|scope|deliverables|sub-?tasks|requirements|"
    r"(?:what|things) to do|proposed (?:solution|changes)|tasks? breakdown|changes|features"
)
_NUMBERED = re.compile(
    r"\W*(?:(?:step|phase|part|stage|milestone|iteration|week|sprint)\s*)?\d{1,3}(?:[.):—–-]|\s|$)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^\d{1,3}(?:\.\d{1,3}){0,3}[.):]?\s+(?=\S)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]*")
_BOX = re.compile(r"\[([ xX])\][ \t]+")
_SENTENCE = re.compile(r"(?<=[\w)`])(?:[.:;](?=\s)|\s[—–-]\s)")


class Kind(Enum):
    """What sets a piece apart."""

    SECTION = auto()
    TASK = auto()
    FILE = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work: what it is called, its text, and where it stands.

    `path` has a pair for each level it is nested in: whether that is numbered, and which one it is.
    """

    title: str
    text: str
    kind: Kind = Kind.SECTION
    path: tuple[tuple[bool, int], ...] = ()

    def within(self, *outer: tuple[bool, int]) -> Piece:
        """The same, nested further."""
        return replace(self, path=(*outer, *self.path))


def precedes(one: Piece, other: Piece) -> bool:
    """Whether numbers say that one comes before the other."""
    pairs = zip(one.path, other.path, strict=False)
    mine, its = next((pair for pair in pairs if pair[0] != pair[1]), ((False, 0), (False, 0)))
    return mine[0] and its[0] and mine[1] < its[1]


def divide(text: str, issue: IssueRef) -> list[Piece]:
    """The pieces that a text sets apart, in order; none when there are not two of them.

    One more than `MAX_PIECES` when there are too many. Reads the first `MAX_TEXT` characters.
    """
    text = text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    found = _sections(text, _DEEPEST) or _tasks(text) or _files(text, issue)
    return found[: MAX_PIECES + 1]


# ---- sections ----


@dataclass(frozen=True, slots=True)
class _Section:
    level: int
    title: str
    text: str
    is_about: bool


def _sections(text: str, depth: int) -> list[Piece]:
    """By the headings that are work; those of the highest level, unless that is only one."""
    found = _headed(text)
    if not found or not depth:
        return []
    highest = min(section.level for section in found)
    work = [section for section in found if section.level == highest and not section.is_about]
    if not work:
        return []
    if len(work) == 1:
        return _sections(work[0].text, depth - 1) or _listed(work[0].text)
    pieces = [
        piece.within((bool(_NUMBERED.match(section.title)), number))
        for number, section in enumerate(work)
        for piece in _of_section(section, depth)
    ]
    return pieces if len(pieces) > 1 else []


def _of_section(section: _Section, depth: int) -> list[Piece]:
    """A section, or the pieces in it when its heading only holds them together."""
    if _HOLDER.fullmatch(words(section.title)):
        inside = _sections(section.text, depth - 1) or _listed(section.text)
        if inside:
            return inside
    return [Piece(_title(_NUMBER.sub("", section.title)), section.text)]


def _headed(text: str) -> list[_Section]:
    """The sections whose headings stand at the text's own level, each up to the next as high."""
    lines = text.split("\n")
    heads = [
        (int(token.tag[1:]), token.map, inline)
        for token, inline in itertools.pairwise(_BLOCKS.parse(text))
        if token.type == "heading_open" and token.level == 0 and token.map
    ]
    ends = _ends([level for level, _, _ in heads])
    found = []
    for (level, span, inline), end in zip(heads, ends, strict=True):
        last = heads[end][1][0] if end is not None else len(lines)
        title = _words(inline)
        inside = "\n".join(lines[span[1] : last]).strip()
        if title:
            found.append(_Section(level, title, inside, _is_about(title)))
    return found


def _ends(levels: Sequence[int]) -> list[int | None]:
    """For each heading, which is the next one of its level or a higher one."""
    ends: list[int | None] = [None] * len(levels)
    open_: list[int] = []
    for at, level in enumerate(levels):
        while open_ and levels[open_[-1]] >= level:
            ends[open_.pop()] = at
        open_.append(at)
    return ends


def _is_about(title: str) -> bool:
    meaning = heading_meaning(title)
    if meaning in (Meaning.OTHER, Meaning.CHILDREN, Meaning.STAGES):
        return _ABOUT.fullmatch(words(title)) is not None
    return True


def _said(text: str) -> str:
    """The text without the sections that are only about the work."""
    lines = text.split("\n")
    kept: list[str] = []
    hidden: int | None = None  # the level of the heading under which nothing is work
    heads = {
        token.map[0]: (int(token.tag[1:]), _words(inline))
        for token, inline in itertools.pairwise(_BLOCKS.parse(text))
        if token.type == "heading_open" and token.level == 0 and token.map
    }
    for number, line in enumerate(lines):
        if number in heads:
            level, title = heads[number]
            if hidden is None or level <= hidden:
                hidden = level if _is_about(title) else None
        if hidden is None:
            kept.append(line)
    return "\n".join(kept)


# ---- lists ----


def _tasks(text: str) -> list[Piece]:
    """By the boxes that are not checked, or else by the steps of a numbered list."""
    items = list(itertools.islice(_items(_said(text)), 2 * MAX_PIECES))
    boxes = [item for item in items if item.box is not None]
    if boxes:
        return _pieces([item for item in boxes if not item.box])
    return _pieces([item for item in items if item.is_ordered])


def _listed(text: str) -> list[Piece]:
    """By the items of whatever list stands there."""
    return _tasks(text) or _pieces(list(itertools.islice(_items(_said(text)), 2 * MAX_PIECES)))


@dataclass(frozen=True, slots=True)
class _Item:
    text: str
    title: str
    is_ordered: bool
    box: bool | None  # whether it is checked, where there is one to check


def _items(text: str) -> Iterator[_Item]:
    """The items of the lists at the text's own level."""
    lines = text.split("\n")
    tokens = _BLOCKS.parse(text)
    ordered = False
    for at, token in enumerate(tokens):
        if token.level == 0 and token.type in ("ordered_list_open", "bullet_list_open"):
            ordered = token.type == "ordered_list_open"
        if token.type != "list_item_open" or token.level != 1 or not token.map:
            continue
        said = _first_words(tokens, at)
        box = _BOX.match(said)
        said = said[box.end() :] if box else said
        if said.strip():
            source = _unlisted(lines[token.map[0] : token.map[1]])
            yield _Item(source, _title(said), ordered, box and box[1] != " ")


def _first_words(tokens: Sequence[Token], at: int) -> str:
    for token in tokens[at + 1 : at + 3]:
        if token.type == "inline":
            return _words(token)
    return ""


def _unlisted(lines: Sequence[str]) -> str:
    """An item's source without its mark and its box, the rest moved to the left."""
    mark = _ITEM.match(lines[0])
    width = mark.end() if mark else 0
    first = lines[0][width:]
    box = _BOX.match(first)
    rest = [line[width:] if not line[:width].strip() else line.lstrip() for line in lines[1:]]
    return "\n".join([first[box.end() :] if box else first, *rest]).strip()


def _pieces(items: Sequence[_Item]) -> list[Piece]:
    if len(items) < 2:
        return []
    return [
        Piece(item.title, item.text, Kind.TASK, ((item.is_ordered, number),))
        for number, item in enumerate(items)
    ]


# ---- files ----


def _files(text: str, issue: IssueRef) -> list[Piece]:
    """By the files that a text names."""
    named = parse(text, issue=issue).files
    if len(named) < 2:
        return []
    return [of_file(path, number) for number, path in enumerate(named)]


def of_file(path: str, number: int) -> Piece:
    """The piece that is the work on one file, the so-manieth of them."""
    return Piece(_title(f"Change {path}"), f"`{path}`", Kind.FILE, ((False, number),))


# ---- words ----


def _words(token: Token) -> str:
    """What a person reads of an inline token's first line, without marks."""
    first = token.content.split("\n", 1)[0][:MAX_LINE]
    children = _INLINE.parseInline(first)[0].children or []
    said = (child.content for child in children if child.type in ("text", "code_inline"))
    return "".join(said).strip()


def _title(said: str) -> str:
    """A title from words: the first clause where they are many."""
    said = " ".join(said.split()).strip()
    if len(said) > TITLE:
        clause = _SENTENCE.split(said, maxsplit=1)[0]
        said = clause if 8 <= len(clause) <= TITLE else said[: TITLE - 1].rstrip() + "…"
    return said.rstrip(".:;, ") or said


def joined(pieces: Sequence[Piece]) -> Piece:
    """Several pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    more = len(pieces) - 1
    said = [
        f"- [ ] {piece.text}" if "\n" not in piece.text else f"### {piece.title}\n\n{piece.text}"
        for piece in pieces
    ]
    text = "".join(
        one + ("\n" if one.startswith("- ") and then.startswith("- ") else "\n\n")
        for one, then in itertools.zip_longest(said, said[1:], fillvalue="")
    )
    return replace(
        pieces[0], title=f"{pieces[0].title[: TITLE - 16]} and {more} more", text=text.strip()
    )


def titled(outer: str, inner: str) -> str:
    """A piece's title with that of what it stands in."""
    return inner if outer.casefold() in inner.casefold() else _title(f"{outer}: {inner}")
