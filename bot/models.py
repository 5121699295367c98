"""The values that travel through the bot, from an issue's text to what is said about it.

Everything here is frozen and free of I/O. Tokens are counted as *context to hold*: what an agent
must have in its window to do the work, not what it is billed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict

POLICY_FILE = ".gitea/coordinator.toml"
"""Where a repository says, on its default branch, what it changes for itself."""

POLICY_DIRECTORY = "directory"
"""Git's name of what stands there, where that is a directory: nobody asks which one."""

MAX_ISSUE_NUMBER = 2**31 - 1
MAX_TOKENS = 100_000_000


class Frozen(BaseModel):
    """A pydantic model that cannot be changed and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True, eq=False)
class IssueRef:
    """An issue or pull request of this Gitea: both are counted together in a repository.

    Owner and name keep the case they were written in, and compare without it, as in Gitea.
    """

    owner: str
    repo: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`owner/repo#7` or `owner/repo!7`; raises ValueError for anything else."""
        found = re.fullmatch(r"([^\s/#!]+)/([^\s/#!]+)[#!](\d{1,10})", text)
        if not found:
            raise ValueError(f"not an issue reference: {text!r}")
        return cls(found[1], found[2], int(found[3]))

    @property
    def repository(self) -> str:
        """`owner/repo`, as written."""
        return f"{self.owner}/{self.repo}"

    @property
    def key(self) -> tuple[str, int]:
        """What makes it the same issue: (`owner/repo` in lower case, number)."""
        return self.repository.lower(), self.number

    def seen_from(self, other: IssueRef | None) -> str:
        """`#7` in the same repository as `other`, else `owner/repo#7`."""
        if other is not None and other.key[0] == self.key[0]:
            return f"#{self.number}"
        return str(self)

    def sibling(self, number: int) -> IssueRef:
        """Another issue of the same repository."""
        return IssueRef(self.owner, self.repo, number)

    def __str__(self) -> str:
        return f"{self.owner}/{self.repo}#{self.number}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IssueRef) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: IssueRef) -> bool:
        return self.key < other.key


class Difficulty(StrEnum):
    """How hard the work is."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Status(StrEnum):
    """Where an issue stands. CLOSED has no label; the others are `status/…`."""

    READY = "ready"
    BLOCKED = "blocked"
    TOO_BIG = "too-big"
    HOLD = "hold"
    IN_PROGRESS = "in-progress"
    CLOSED = "closed"


class ContextSize(StrEnum):
    """The size class of an estimate; the limits are settings."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    HUGE = "huge"


class Source(StrEnum):
    """Where a value comes from; a person's command beats the text, the text beats the rest."""

    COMMAND = "command"
    DECLARED = "declared"
    GITEA = "gitea"
    AI = "ai"
    FILES = "files"
    TEXT = "text"


class Metadata(Frozen):
    """What an issue's text says about the work; nothing in it has been looked up.

    `blocked_by` and `blocks` are in order of appearance, without repeats. `files` are the paths
    the text names, as written. `resolved` are references under a dependency heading that are
    checked off or struck. `unreadable` are declared dependencies that name no issue of a Gitea
    (a plan number, another host), as typed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    blocked_by: tuple[IssueRef, ...] = ()
    blocks: tuple[IssueRef, ...] = ()
    resolved: tuple[IssueRef, ...] = ()
    unreadable: tuple[str, ...] = ()
    difficulty: Difficulty | None = None
    estimated_context: int | None = None
    assigned_agent: str | None = None
    files: tuple[str, ...] = ()
    files_to_modify: int | None = None
    implementation_tokens: int | None = None
    test_tokens: int | None = None


class Reading(Frozen):
    """What Claude read in a text, already checked against it; empty where it was not asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    difficulty: Difficulty | None = None
    estimated_context: int | None = None
    blocked_by: tuple[IssueRef, ...] = ()
    blocks: tuple[IssueRef, ...] = ()


class Agent(Frozen):
    """An AI coding agent that can take an issue.

    `context_limit` is in tokens; prices are per million tokens, in any one currency;
    `at_once` is how many issues it may have in progress at the same time.
    """

    name: str
    context_limit: int
    price_in: float
    price_out: float
    difficulties: frozenset[Difficulty]
    at_once: int


@dataclass(frozen=True, slots=True)
class FileShare:
    """One file's part of an estimate: its size in the repository and the tokens it stands for."""

    path: str
    size: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many tokens of context the work needs.

    `low` and `high` bound it when it is not declared. `computed` is what the files or the text
    give, also when another number was declared; `computed_from` says which of the two.
    """

    tokens: int
    source: Source
    low: int | None = None
    high: int | None = None
    files: tuple[FileShare, ...] = ()
    computed: int | None = None
    computed_from: Source | None = None


class RefState(StrEnum):
    """What is known of an issue that this one depends on."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"
    UNSEEN = "unseen"  # 404: does not exist, or the bot may not see it
    GONE = "gone"  # it was known, and has been deleted since
    UNCHECKED = "unchecked"  # Gitea could not say

    @property
    def blocks(self) -> bool:
        """Whether waiting for such an issue blocks."""
        return self in (RefState.OPEN, RefState.UNSEEN, RefState.UNCHECKED)


@dataclass(frozen=True, slots=True)
class Dependency:
    """The other end of an edge, as this issue's report may show it.

    `title` is None when it is not known or must not be shown (`private`). `sources` say who
    asserts the edge; `declared_in` is the issue whose text does, when it is the other one.
    """

    ref: IssueRef
    state: RefState
    sources: tuple[Source, ...]
    title: str | None = None
    is_pull: bool = False
    private: bool = False
    declared_in: IssueRef | None = None


class Misfit(StrEnum):
    """Why an agent was not chosen."""

    TOO_SMALL = "too-small"  # the estimate is over its share of the context limit
    DIFFICULTY = "difficulty"  # it does not take work this hard
    BUSY = "busy"  # it has as many issues in progress as it may
    DEARER = "dearer"  # it fits, but a cheaper one does too
    NOT_NAMED = "not-named"  # the text or a person named another one


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one agent: `misfits` is empty for the one that was chosen.

    `room` is the number of tokens it may be given (limit x share); `cost` is what the estimate
    costs, read once and a tenth of it written, in the price list's currency; `busy` how many
    issues it has in progress.
    """

    agent: Agent
    room: int
    cost: float
    busy: int = 0
    misfits: tuple[Misfit, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it could take the work, chosen or not."""
        return not set(self.misfits) & {Misfit.TOO_SMALL, Misfit.DIFFICULTY, Misfit.BUSY}


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which agent should take the work, and what was found of every agent.

    `agent` is None when nobody can. `source` says who chose: COMMAND, DECLARED, GITEA when it is
    at work on it already, or TEXT when it was worked out.
    """

    agent: Agent | None
    source: Source
    verdicts: tuple[Verdict, ...]


class WarningKind(StrEnum):
    """Everything the report can warn of; the words are in `templates/warnings.md.j2`."""

    CYCLE = "cycle"  # refs: the path, first = last
    ITSELF = "itself"  # the text says the issue waits for itself
    UNSEEN = "unseen"  # refs: the ones that answer 404
    UNCHECKED = "unchecked"  # refs: the ones Gitea could not say
    GONE = "gone"  # refs: deleted ones, which no longer block
    UNREADABLE = "unreadable"  # texts: declared, but no issue of this Gitea
    TOO_BIG = "too-big"  # numbers: tokens, most room, over by
    NOBODY = "nobody"  # it would fit, but nobody takes this difficulty or has room
    UNKNOWN_AGENT = "unknown-agent"  # texts: as declared, nearest name or empty
    AGENT_MISFIT = "agent-misfit"  # texts: name; the declared agent does not fit
    FAR_OFF = "far-off"  # numbers: declared, computed
    AI_FAILED = "ai-failed"  # texts: why the report was made without Claude
    READING = "reading"  # Claude has not answered yet; the report will be made again
    BEGUN_BLOCKED = "begun-blocked"  # refs: open blockers of an issue in progress
    CLOSED_BLOCKED = "closed-blocked"  # refs: open blockers of a closed issue
    TOO_MANY = "too-many"  # numbers: dependencies found, dependencies followed
    HELD = "held"  # texts: by whom, why (may be empty)
    UNBLOCKED = "unblocked"  # texts: by whom, why, when; open blockers do not count for now
    HIDDEN = "hidden"  # numbers: open blockers that may not be shown here
    KEPT_OFF = "kept-off"  # refs: a text says so, but a person took them away in Gitea
    BARRED_AGENT = "barred-agent"  # texts: as declared; it may not work in this repository
    SETTINGS = "settings"  # mistakes: in the repository's own file
    LABELS_REFUSED = "labels-refused"  # the bot may not set labels in this repository


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a repository's own file: half a sentence, and the line it is on.

    Its words may be a stranger's. `whole`: because of it nothing in the file counts.
    """

    says: str
    line: int | None = None
    whole: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.says}" if self.line else self.says


@dataclass(frozen=True, slots=True)
class Warn:
    """One thing to warn of: what kind, and the values its sentence needs."""

    kind: WarningKind
    refs: tuple[IssueRef, ...] = ()
    texts: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


class Mode(StrEnum):
    """What is done with Gitea's own dependencies: nothing, read, or read and set."""

    OFF = "off"
    READ = "read"
    BOTH = "both"


class Unset(StrEnum):
    """Why something that is said is not set in Gitea; the words are in `templates/`."""

    SWITCHED_OFF = "switched-off"  # dependencies, in the repository of the issue that waits
    CROSSING = "crossing"  # this Gitea allows none between repositories
    PRIVATE = "private"  # Gitea would show the title to people who may not read it
    CIRCLE = "circle"  # then none of them could be closed
    REFUSED = "refused"  # the bot may not


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the sticky comment says and the labels show, decided and ready to render."""

    issue: IssueRef
    status: Status
    estimate: Estimate
    size: ContextSize
    difficulty: Difficulty
    difficulty_source: Source
    assignment: Assignment
    share: float  # the part of an agent's context limit a task may take, e.g. 0.5
    blockers: tuple[Dependency, ...] = ()
    waiting: tuple[Dependency, ...] = ()
    proposals: tuple[Dependency, ...] = ()
    hidden_blockers: int = 0  # open blockers that may not be shown here, not even by reference
    unset: tuple[tuple[Unset, tuple[IssueRef, ...]], ...] = ()  # said, but not set in Gitea
    priority: str | None = None  # p0 … p3, where a person said so
    edges: tuple[tuple[IssueRef, IssueRef], ...] = ()  # (waits, for), around this issue
    cycle: tuple[IssueRef, ...] = ()
    warnings: tuple[Warn, ...] = ()
    off: frozenset[str] = frozenset()  # commands that are switched off in this repository
    bot: str = "coordinator"
    states: dict[IssueRef, RefState] = field(default_factory=dict)  # for the graph
    titles: dict[IssueRef, str] = field(default_factory=dict)  # only those that may be shown

    @property
    def open_blockers(self) -> tuple[Dependency, ...]:
        """The blockers that still hold it back."""
        return tuple(b for b in self.blockers if b.state.blocks)
