"""What is asked for in one comment, text or tick: whose commands, and what came of each."""

from __future__ import annotations

import hashlib
import json
from collections import Counter as Multiset
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot.commands import Said
from bot.models import IssueRef

PASSED = "passed"  # what came of a command that was left undone on purpose


@dataclass(frozen=True, slots=True)
class Wanted:
    """One command of a request, and the key under which it is remembered, to be done once."""

    said: Said
    key: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for in one place, at one time: by whom, where, and which commands.

    `origin` is the place: what makes them these commands and no others, however often delivered.
    `name` is what all of it is remembered by, its reply too. `beside` are the commands of the same
    text that are not asked for now.

    `doubt` says, to a person, why it is not certain who asks; empty where it is. A `sender` that
    is empty is somebody who may write here.
    """

    issue: IssueRef
    sender: str
    wanted: tuple[Wanted, ...]
    origin: str
    name: str
    comment: int | None = None  # the comment to react to; None: the issue itself
    is_pull: bool = False
    boxes: bool = False
    beside: tuple[Said, ...] = ()
    doubt: str = ""

    @property
    def said(self) -> tuple[Said, ...]:
        """The commands, without their keys."""
        return tuple(one.said for one in self.wanted)


def wanted(origin: str, said: Collection[Said]) -> tuple[Wanted, ...]:
    """Commands with their keys: by place, line and words."""
    return tuple(Wanted(one, f"{origin}:{one.line}:{digest(one.text)}") for one in said)


def name_of(origin: str, said: Collection[Said]) -> str:
    """What these very commands of a place are remembered by, all together."""
    return f"{origin}:{digest(chr(10).join(f'{one.line} {one.text}' for one in said))}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one command, as it is remembered and said.

    `request` names the request whose reply speaks of it; empty in what was kept by versions that
    did not know of commands found by asking.
    """

    text: str
    good: bool
    message: str = ""  # what was wrong
    usage: str = ""
    note: str = ""  # Markdown: what is said of one that went well
    answer: str = ""  # Markdown: what one that asks is answered
    look: tuple[str, ...] = ()
    afresh: bool = False
    request: str = ""

    def dump(self) -> str:
        """As JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, text: str) -> Result:
        """What `dump` wrote."""
        given = json.loads(text)
        return cls(**{**given, "look": tuple(given["look"])})


@dataclass(slots=True)
class Done:
    """What came of requests: issues to look at, those of them to read afresh.

    `names` are what the requests are remembered by.
    """

    looks: set[IssueRef] = field(default_factory=set)
    afresh: set[IssueRef] = field(default_factory=set)
    names: list[str] = field(default_factory=list)

    def add(self, other: Done) -> None:
        """What came of further requests."""
        self.looks |= other.looks
        self.afresh |= other.afresh
        self.names += other.names


def digest(text: str) -> str:
    """What a text is known again by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def added(before: Collection[Said], after: Collection[Said]) -> tuple[Said, ...]:
    """The commands of an edited comment that it did not hold before."""
    there = Multiset(said.text for said in before)
    new = []
    for said in after:
        if there[said.text]:
            there[said.text] -= 1
        else:
            new.append(said)
    return tuple(new)


def closing_commands(said: Sequence[Said], text: str) -> tuple[Said, ...]:
    """The commands that are a text's last paragraph; none when anything else stands in it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    first = len(lines)
    while first and lines[first - 1].strip():
        first -= 1
    closing = tuple(one for one in said if one.line >= first)
    return closing if len(closing) == len(lines) - first else ()
