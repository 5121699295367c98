"""Slash commands: where one stands in a comment, what it asks for, and who may.

Grammar. A command is a line of a comment that begins, at most three blanks in, with `/verb` or
`@bot-login verb`; the rest of the line are its words. It counts only where a person means it: in a
paragraph of its own level, not in code, quotes, headings, lists, tables, links or HTML elements.

A command is declared once, by the decorator on the function that does it; `/help`, the help page,
docs/commands.md and the check of rights read that declaration.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter as Multiset
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rapidfuzz.distance import OSA

from bot.errors import UserError
from bot.models import IssueRef
from bot.render import code

MAX_COMMENT = 65_536  # characters of a comment that are read
MAX_COMMANDS = 20  # commands of one comment that are done

_CANDIDATE = re.compile(r"^ {0,3}(?:/([A-Za-z][A-Za-z-]{0,30})|@([\w.-]{1,100})[:,]?)(?=[ \t]|$)")
_FIRST, _LAST = "\ue0a0", "\ue0a1"  # private characters: nobody's text, and ordinary to Markdown
_REPLACED = "\ufffd"
_MARK = re.compile(f"^{_FIRST}([0-9]+){_LAST}")
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([A-Za-z][A-Za-z0-9-]*)[^<>]*>", re.DOTALL)
_CONTAINERS = {"blockquote_open", "blockquote_close", "list_item_open", "list_item_close"}
_HOLDS_THE_REST = frozenset({"blockquote", "code", "details", "div", "pre", "summary", "table"})


class Right(IntEnum):
    """Who may say a command; each one may say what those before it may."""

    ANYONE = 0  # who can comment
    CONCERNED = 1  # author, assignees, and those with write access
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Said:
    """A command as it stands in a comment: `line` counts from 0; `words` is the rest of it.

    `addressed` when it was said to the bot by name; then `verb` may be empty. `beyond` is the first
    one that is not done, because there are `MAX_COMMANDS` before it.
    """

    line: int
    verb: str
    words: str
    addressed: bool = False
    beyond: bool = False

    @property
    def text(self) -> str:
        """The command as one would type it."""
        return f"/{self.verb} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class Call:
    """One command to be done: by whom, where, and in which words.

    `doubt` says, to a person, why it is not certain who says it. Then `sender` is empty, and
    `right` is what they have here at least; of their rights elsewhere nothing is known.
    """

    issue: IssueRef
    verb: str
    rest: str
    sender: str
    is_pull: bool = False
    right: Right = Right.ANYONE
    comment: int | None = None  # where it was said, or the box was ticked
    doubt: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The rest of the line, word by word."""
        return tuple(self.rest.split())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command.

    `template` and `values` are the reply of a command that asks (`templates/replies/NAME.md.j2`);
    `note` is a short sentence for the one line of a command that changes something, a template of
    the same kind. `look` are issues to be looked at again, `afresh` when their text is to be read
    again though it did not change.
    """

    template: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    look: tuple[IssueRef, ...] = ()
    afresh: bool = False

    @classmethod
    def reply(cls, template: str, **values: object) -> Outcome:
        """An answer in a comment of its own."""
        return cls(template=template, values=values)

    @classmethod
    def reconsider(cls, *issues: IssueRef, afresh: bool = False) -> Outcome:
        """Nothing to say: the report shows it. The issues are looked at again."""
        return cls(look=issues, afresh=afresh)


Doing = Callable[[Call, Any], Awaitable[Outcome]]
"""What does a command: takes the call and the desk, of which it names the part it needs.

Raises UserError, whose message the person sees, when the words or the state are wrong.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command's declaration. `usage` begins with the verb, without the slash.

    One that is `hidden` is what a box stands for, and no help speaks of it; it may be the second
    step of another one (`after`).
    """

    usage: str
    does: str
    who: Right
    examples: tuple[str, ...]
    do: Doing
    on_pulls: bool = False
    hidden: bool = False
    after: str = ""

    @property
    def verb(self) -> str:
        """The word after the slash."""
        return self.usage.split()[0]

    @property
    def belongs_to(self) -> str:
        """The verb of the command with which it is switched off."""
        return self.after or self.verb


def command(
    usage: str,
    *,
    does: str,
    who: Right,
    examples: Sequence[str],
    on_pulls: bool = False,
    hidden: bool = False,
    after: str = "",
) -> Callable[[Doing], Doing]:
    """Declare a command; `discover_commands` finds it by this."""

    def declare(do: Doing) -> Doing:
        do.declaration = Command(  # type: ignore[attr-defined]
            usage, does, who, tuple(examples), do, on_pulls, hidden, after
        )
        return do

    return declare


class Commands:
    """All commands there are, by verb."""

    def __init__(self, commands: Collection[Command]) -> None:
        self._commands = {one.verb: one for one in sorted(commands, key=lambda c: c.verb)}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    @property
    def shown(self) -> tuple[Command, ...]:
        """Those that people are told of."""
        return tuple(command for command in self if not command.hidden)

    def get(self, verb: str) -> Command | None:
        """The command of that verb, in whatever case it was typed."""
        return self._commands.get(verb.lower())

    def nearest(self, verb: str) -> str | None:
        """The verb within two edits (one, for a short word), or None."""
        return nearest(verb.lower(), [one.verb for one in self.shown])


def discover_commands(package: str = "handlers.commands") -> Commands:
    """Every command declared in the modules of a package."""
    found = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(found.__path__))
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    return Commands(
        [
            value.declaration
            for module in modules
            for value in vars(module).values()
            if hasattr(value, "declaration") and value.__module__ == module.__name__
        ]
    )


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that was probably meant: within two edits, one where the word is short."""
    most = 1 if len(word) <= 4 else 2
    found = [(OSA.distance(word, one, score_cutoff=most), one) for one in known]
    near = [pair for pair in found if pair[0] <= most]
    return min(near)[1] if near else None


def find(text: str, *, bot: str, known: Collection[str]) -> list[Said]:
    """The commands of a comment, in order; at most `MAX_COMMANDS`, and the first one `beyond`.

    `known` are the verbs there are. A bare `/word` that is neither one of them nor nearly one is
    somebody else's; whatever is said to the bot by name is for it. The time is linear.
    """
    lines = _read(text).split("\n")
    candidates = {
        number: said
        for number, line in enumerate(lines)
        if (said := _candidate(number, line, bot=bot, known=known))
    }
    if not candidates:
        return []
    live = _live(candidates, lines)
    found = [said for number, said in candidates.items() if number in live]
    beyond = [replace(said, beyond=True) for said in found[MAX_COMMANDS : MAX_COMMANDS + 1]]
    return found[:MAX_COMMANDS] + beyond


def _read(text: str) -> str:
    """As much as is read. What is cut off may close something, so the cut is between blocks."""
    cut = text[:MAX_COMMENT].replace("\r\n", "\n").replace("\r", "\n")
    return cut if len(text) <= MAX_COMMENT else cut.rpartition("\n\n")[0]


def _candidate(number: int, line: str, *, bot: str, known: Collection[str]) -> Said | None:
    found = _CANDIDATE.match(line)
    if not found:
        return None
    rest = line[found.end() :].strip()
    if found[2] is not None:
        if found[2].lower() != bot.lower():
            return None
        verb, _, words = rest.partition(" ")
        return Said(number, verb.removeprefix("/").lower(), words.strip(), addressed=True)
    verb = found[1].lower()
    if verb in known or nearest(verb, known):
        return Said(number, verb, rest)
    return None


def _live(candidates: Collection[int], lines: Sequence[str]) -> set[int]:
    """The candidates that stand where a line of a top-level paragraph begins.

    Each is given a mark in place of its first character; where the mark comes out of the Markdown
    parser says what the line is.
    """
    marked = [
        _marked(number, line) if number in candidates else line.replace(_FIRST, _REPLACED)
        for number, line in enumerate(lines)
    ]
    found = _Found()
    opened = None
    for token in _MARKDOWN.parse("\n".join(marked)):
        if token.type == "inline":
            plain = opened is not None and opened.type == "paragraph_open" and opened.level == 0
            found.paragraph(token.children or [], plain=plain)
        elif token.type == "html_block":
            found.html(token.content)
        elif token.type in _CONTAINERS:
            found.container(token)
        opened = token
    return found.live()


def _marked(number: int, line: str) -> str:
    said = line.lstrip(" ")
    blanks = line[: len(line) - len(said)]
    return f"{blanks}{_FIRST}{number}{_LAST}{said[1:].replace(_FIRST, _REPLACED)}"


class _Found:
    """The lines found so far, and the HTML elements that are open around them."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._open: list[tuple[str, int]] = []  # names, and how many lines stood before each
        self._named = Multiset[str]()

    def paragraph(self, children: Sequence[Token], *, plain: bool) -> None:
        """A block's inline content; a command stands only in a `plain` one."""
        fresh = True
        for child in children:
            if child.type in ("softbreak", "hardbreak"):
                fresh = True
                continue
            if child.type == "html_inline":
                self.html(child.content)
            mark = _MARK.match(child.content) if child.type == "text" else None
            if mark and fresh and plain and child.level == 0:
                self._lines.append(int(mark[1]))
            fresh = fresh and child.type == "text" and not child.content

    def html(self, text: str) -> None:
        """Raw HTML: what stands between a tag and the one that closes it is no command."""
        for tag in _TAG.finditer(text):
            name = (tag[2] or "").lower()
            if name and not tag[1]:
                self._begin(name)
            elif name:
                self._end(name)

    def container(self, token: Token) -> None:
        """A quote or list item of Markdown; elements that are open in it end with it."""
        if token.nesting > 0:
            self._begin(token.markup)
        else:
            self._end(token.markup)

    def live(self) -> set[int]:
        """The lines in no element. Some hold all the rest where they are never closed."""
        before = [lines for name, lines in self._open if name in _HOLDS_THE_REST]
        return set(self._lines[: min(before, default=len(self._lines))])

    def _begin(self, name: str) -> None:
        self._open.append((name, len(self._lines)))
        self._named[name] += 1

    def _end(self, name: str) -> None:
        if not self._named[name]:
            return
        while True:
            last, lines = self._open.pop()
            self._named[last] -= 1
            if last == name:
                del self._lines[lines:]
                return


class References(Protocol):
    """Finds references in a command's words."""

    def __call__(self, text: str, *, issue: IssueRef) -> tuple[IssueRef, ...]:
        """Every issue named, in order."""


def issues_in(call: Call, references: References) -> tuple[IssueRef, ...]:
    """The issues a command names: `#7`, `owner/repo#7`, `owner/repo!7` or addresses.

    Several are separated by blanks, commas or "and". Raises UserError for any other word, and when
    there is none.
    """
    parts = [part for part in re.split(r"[\s,]+", call.rest) if part and part.lower() != "and"]
    found: list[IssueRef] = []
    for part in parts:
        refs = references(part, issue=call.issue)
        if len(refs) != 1:
            raise UserError(f"{code(part[:60])} names no issue; write `#12` or `owner/repo#12`")
        found += refs
    if not found:
        raise UserError("say which issue, such as `#12` or `owner/repo#12`")
    return tuple(dict.fromkeys(found))
