"""What commands may know and do: the parts a command names are taken from here.

A command's function takes the call and a desk, and annotates the desk with the narrowest protocol
that it needs; the desk itself (`bot.counter.Counter`) has them all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.commands import Commands, Right
from bot.models import Agent, IssueRef, RefState, Report
from bot.policy import Policy
from bot.sayings import Field, Link, Overrides, Pause
from bot.splitting import Part


class Sayings(Protocol):
    """What people set on issues."""

    async def overrides(self, issue: IssueRef) -> Overrides:
        """All that is set on an issue."""

    async def override(
        self, issue: IssueRef, field: Field, value: str, *, by: str, reason: str = ""
    ) -> None:
        """Set one thing; replaces what was set there."""

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Take back what was set; whether anything was."""


class Links(Protocol):
    """Edges that people add and take away."""

    async def link(
        self, waits: IssueRef, on: IssueRef, *, by: str, at: IssueRef | None = None
    ) -> None:
        """Add an edge, by a command at an issue; also ends that it is ignored."""

    async def ignore(self, waits: IssueRef, on: IssueRef, *, by: str) -> None:
        """Let a declared or native edge count no longer."""

    async def unlink(self, waits: IssueRef, on: IssueRef) -> bool:
        """Take an added edge away; whether there was one."""

    async def links(self, issue: IssueRef) -> Sequence[Link]:
        """Everything people said of edges from and to an issue."""


class Pauses(Protocol):
    """Repositories in which the bot writes nothing."""

    async def pause(self, repository: str, *, by: str, reason: str = "") -> None:
        """Write nothing there from now on."""

    async def resume(self, repository: str) -> bool:
        """Write there again; whether it was paused."""

    async def paused(self, repository: str) -> Pause | None:
        """The pause in force, or None."""


class Reports(Protocol):
    """What would stand in the report."""

    async def report(self, issue: IssueRef) -> Report | None:
        """The issue's report as decided now, nothing written; None when it is not coordinated.

        Raises GiteaError when it cannot be read.
        """

    async def text(self, issue: IssueRef) -> str:
        """The issue's title, a blank line and its text, as they are now. Raises GiteaError."""


class Graphs(Protocol):
    """The dependencies around issues, as far as they may be shown at `issue`."""

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        """Every known edge (waits, for) connected with an issue, both ways, bounded."""

    async def standing(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Standing]:
        """What is remembered of issues; unknown ones are absent."""

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> Mapping[IssueRef, int]:
        """How many things hold issues back that may not be named at another one; none: absent."""


class Circles(Protocol):
    """Issues that wait for one another."""

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> Sequence[IssueRef]:
        """The circle that would be closed if one waited for another, as (#3, #7, #3).

        Empty when there is none that may be shown `at` an issue. `also` are edges (waits, for)
        that come before it.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """One issue as it is remembered. `status` as in its label; empty when not coordinated."""

    issue: IssueRef
    title: str
    state: RefState
    status: str
    agent: str
    priority: str | None
    held: bool = False


class Queues(Protocol):
    """The coordinated, open issues of a repository."""

    async def queue(self, repository: str) -> Sequence[Standing]:
        """All of them, in no particular order."""

    async def blockers(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Sequence[IssueRef]]:
        """What each waits for, open ones only, those that may be shown in their repository."""

    async def all_in(self, repository: str) -> Sequence[IssueRef]:
        """Every coordinated issue of a repository, closed ones too."""


class Rights(Protocol):
    """Who may do what, asked of Gitea."""

    async def right(self, repository: str, user: str) -> Right | None:
        """What a user may in another repository; None when they cannot even read it.

        Raises UserError, with a sentence that says what to do, when it cannot be looked up.
        """

    async def exists(self, issue: IssueRef) -> bool:
        """Whether there is such an issue that the bot may see. Raises GiteaError."""


class Roster(Protocol):
    """What the settings say."""

    @property
    def agents(self) -> Sequence[Agent]:
        """The agents there are, whether or not they may work in a repository."""

    @property
    def commands(self) -> Commands:
        """The commands there are."""

    @property
    def bot(self) -> str:
        """The bot's login."""

    def references(self, text: str, *, issue: IssueRef) -> tuple[IssueRef, ...]:
        """Every issue that a text names."""


class Policies(Protocol):
    """What repositories change for themselves."""

    async def policy(self, repository: str) -> Policy:
        """By what the issues of a repository are judged. Raises GiteaError."""


class Failures(Protocol):
    """Work that was given up."""

    async def put_back(self, issue: IssueRef) -> int:
        """Do again what failed on an issue; how many pieces of work that is."""


@dataclass(frozen=True, slots=True)
class Written:
    """A comment that the bot wrote: its id, its text as it is now, and since when it stands."""

    id: int
    body: str
    at: datetime


class Splits(Protocol):
    """Splitting issues that are too big."""

    async def divided(self, issue: IssueRef, room: int, tokens: int) -> tuple[Part, ...] | None:
        """The parts that Claude reads in the text, each of at most `room` tokens.

        None where there is no key, empty where the text gives nothing to go by. `tokens` is the
        estimate of the whole. Raises AIError and GiteaError.
        """

    async def proposals(self, issue: IssueRef) -> Sequence[Written]:
        """The bot's own replies at an issue that hold a proposed split, the oldest first."""

    async def parts(self, issue: IssueRef, digest: str, since: datetime) -> Mapping[int, IssueRef]:
        """The issues that the bot made of a proposal's parts, by the part's number.

        `since`: a time before the first of them was made.
        """

    async def create_issue(self, repository: str, title: str, body: str) -> IssueRef:
        """Open an issue."""
