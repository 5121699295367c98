"""What is asked for in one comment, text or tick: whose commands, and what came of each."""

from __future__ import annotations

import hashlib
import json
from collections import Counter as Multiset
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot.commands import Said
from bot.models import IssueRef


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one command, as it is remembered and said."""

    text: str
    good: bool
    message: str = ""  # what was wrong
    usage: str = ""
    note: str = ""  # Markdown: what is said of one that went well
    answer: str = ""  # Markdown: what one that asks is answered
    look: tuple[str, ...] = ()
    afresh: bool = False

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
    """What came of all commands of an event: issues to look at, those of them to read afresh.

    `name` is what all of it is remembered by; empty when there was nothing to do.
    """

    looks: set[IssueRef] = field(default_factory=set)
    afresh: set[IssueRef] = field(default_factory=set)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The commands of one event: where they stand, who gave them, and what they are."""

    issue: IssueRef
    sender: str
    said: tuple[Said, ...]
    origin: str  # what makes them these commands and no others, however often delivered
    comment: int | None = None  # the comment to react to; None: the issue itself
    is_pull: bool = False
    boxes: bool = False

    @property
    def name(self) -> str:
        """What these very commands are remembered by, all together."""
        lines = "\n".join(f"{said.line} {said.text}" for said in self.said)
        return f"{self.origin}:{digest(lines)}"


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
