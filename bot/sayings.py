"""What people said by commands, as values: overrides, links between issues, pauses.

The store keeps them (`bot.store.sayings`); they are not a cache, for Gitea does not know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.models import Difficulty, IssueRef

NO_PRIORITY = "none"


class Field(StrEnum):
    """What a person can set on an issue, over what the text says."""

    ESTIMATE = "estimate"  # value: tokens
    DIFFICULTY = "difficulty"  # value: easy, medium, hard
    AGENT = "agent"  # value: its name
    PRIORITY = "priority"  # value: p0 … p3, or `NO_PRIORITY` until its label is gone
    HOLD = "hold"  # value: "yes"; reason: why, may be empty
    UNBLOCK = "unblock"  # value: fingerprint of the text and the open blockers; reason: why


@dataclass(frozen=True, slots=True)
class Override:
    """One thing a person set: to what, who, when, and why where they said."""

    field: Field
    value: str
    by: str
    at: datetime
    reason: str = ""


class LinkKind(StrEnum):
    """What a person said of an edge."""

    ADDED = "added"
    IGNORED = "ignored"  # declared in the text, or in Gitea, and not to count


@dataclass(frozen=True, slots=True)
class Link:
    """`waits` waits for `on`, or is said not to.

    `said_in` is the repository in which the command stands; empty where that is not known.
    """

    waits: IssueRef
    on: IssueRef
    kind: LinkKind
    by: str
    at: datetime
    said_in: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A repository in which the bot writes nothing for now."""

    repository: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Overrides:
    """All that people set on one issue."""

    all: tuple[Override, ...] = ()

    def get(self, field: Field) -> Override | None:
        """What was set there, or None."""
        return next((one for one in self.all if one.field is field), None)

    @property
    def estimate(self) -> int | None:
        """Tokens, where a person said so."""
        found = self.get(Field.ESTIMATE)
        return int(found.value) if found else None

    @property
    def difficulty(self) -> Difficulty | None:
        """How hard, where a person said so."""
        found = self.get(Field.DIFFICULTY)
        return Difficulty(found.value) if found else None

    @property
    def agent(self) -> str | None:
        """The agent a person named."""
        found = self.get(Field.AGENT)
        return found.value if found else None

    @property
    def priority(self) -> str | None:
        """p0 … p3, where set."""
        found = self.get(Field.PRIORITY)
        return found.value if found and found.value != NO_PRIORITY else None


@dataclass(frozen=True, slots=True)
class Heard:
    """All that people said of one issue."""

    overrides: Overrides = Overrides()
    links: tuple[Link, ...] = ()
    pause: Pause | None = None

    @property
    def ignored(self) -> frozenset[tuple[IssueRef, IssueRef]]:
        """Edges (waits, on) that do not count."""
        return frozenset((one.waits, one.on) for one in self.links if one.kind is LinkKind.IGNORED)

    @property
    def linked(self) -> frozenset[IssueRef]:
        """Every issue that a person named at an edge of this one."""
        return frozenset(ref for one in self.links for ref in (one.waits, one.on))

    def linked_in(self, repository: str) -> frozenset[IssueRef]:
        """Every issue that a person added to an edge by a command in that repository."""
        name = repository.lower()
        added = (one for one in self.links if one.kind is LinkKind.ADDED)
        return frozenset(
            ref for one in added if one.said_in.lower() == name for ref in (one.waits, one.on)
        )

    def called(self, now: Mapping[IssueRef, IssueRef]) -> Heard:
        """The same, with issues by where they are now; those absent are where they were."""
        links = (
            replace(one, waits=now.get(one.waits, one.waits), on=now.get(one.on, one.on))
            for one in self.links
        )
        return replace(self, links=tuple(links))

    @property
    def unlinked(self) -> frozenset[IssueRef]:
        """Every issue that was taken away from an edge of this one."""
        return frozenset(ref for edge in self.ignored for ref in edge)
