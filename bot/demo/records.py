"""What the forge keeps. Plain, mutable records; times are aware, UTC, whole seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class Right(IntEnum):
    """What somebody may do in a repository; each includes the ones before."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3
    OWNER = 4

    @property
    def word(self) -> str:
        """As the API writes it: `none`, `read`, `write`, `admin` or `owner`."""
        return self.name.lower()


@dataclass(slots=True, eq=False)
class User:
    """A person, a bot or an organisation (`owners` is empty for the first two).

    `switched_off`: an administrator lets them sign in no more.
    """

    id: int
    login: str
    created: datetime
    full_name: str = ""
    email: str = ""
    is_admin: bool = False
    is_organization: bool = False
    owners: list[User] = field(default_factory=list)
    login_name: str = ""
    password: str = ""
    switched_off: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: whose it is, and the scopes it has (`all`, or `write:issue` …).

    id 0 stands for a password.
    """

    user: User
    scopes: frozenset[str] = frozenset({"all"})
    id: int = 0
    name: str = ""


@dataclass(slots=True, eq=False)
class Team:
    """A team of an organisation that may do `right` in all its repositories, or in none."""

    id: int
    organization: User
    name: str
    right: Right
    description: str = ""
    all_repositories: bool = False
    members: list[User] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """One file of a tree: its size in bytes, and its content where it is kept."""

    size: int
    content: bytes | None = None

    @classmethod
    def of(cls, size_or_content: int | bytes | str) -> File:
        """A file of so many bytes, or with this content."""
        if isinstance(size_or_content, int):
            return cls(size_or_content)
        if isinstance(size_or_content, str):
            size_or_content = size_or_content.encode()
        return cls(len(size_or_content), size_or_content)

    @property
    def data(self) -> bytes:
        """The content; spaces where only the size is known."""
        return b" " * self.size if self.content is None else self.content

    @property
    def sha(self) -> str:
        """As git names a blob; made up from the size where the content is not kept."""
        body = str(self.size).encode() if self.content is None else self.content
        return hashlib.sha1(b"blob %d\0" % self.size + body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of all files, by path, and how it came about."""

    sha: str
    message: str
    author: User
    date: datetime
    files: dict[str, File]
    parent: str | None = None


@dataclass(slots=True, eq=False)
class Label:
    """A label of a repository; `color` is six hexadecimal digits."""

    id: int
    name: str
    color: str
    description: str = ""
    exclusive: bool = False

    @property
    def scope(self) -> str:
        """What stands before the last slash, where the label excludes others of its scope."""
        return self.name.rpartition("/")[0] if self.exclusive else ""


@dataclass(slots=True, eq=False)
class Milestone:
    """A milestone of a repository."""

    id: int
    title: str
    created: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One person's emoji under an issue or a comment."""

    user: User
    content: str
    created: datetime


@dataclass(slots=True, eq=False)
class Comment:
    """A comment of an issue or pull request."""

    id: int
    issue: Issue
    poster: User
    body: str
    created: datetime
    updated: datetime
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """In an issue's timeline, a native dependency that came or went.

    `kind` is `add_dependency` or `remove_dependency`, `dependent` the other end; `waits`: whether
    the issue is the one that waits, which Gitea does not say.
    """

    id: int
    kind: str
    doer: User
    created: datetime
    dependent: Issue
    waits: bool


@dataclass(slots=True, eq=False)
class Pull:
    """What makes an issue a pull request."""

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_sha: str | None = None


@dataclass(slots=True, eq=False)
class Issue:
    """An issue, or a pull request when `pull` is set."""

    id: int
    repository: Repository
    number: int
    poster: User
    title: str
    body: str
    created: datetime
    updated: datetime
    closed_at: datetime | None = None
    locked: bool = False
    content_version: int = 0
    pull: Pull | None = None
    milestone: Milestone | None = None
    assignees: list[User] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    blocked_by: list[Issue] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return self.closed_at is None

    @property
    def held_open(self) -> bool:
        """Whether it may not be closed: it waits natively, and that counts in its repository."""
        return self.repository.dependencies_on and any(b.is_open for b in self.blocked_by)


@dataclass(slots=True, eq=False)
class Repository:
    """A repository; `branches` map a name to its latest commit.

    Without `has_issues` only its pull requests can be read; `dependencies_on` says whether Gitea
    itself keeps dependencies between its issues.
    """

    id: int
    owner: User
    name: str
    created: datetime
    updated: datetime
    private: bool = False
    archived_at: datetime | None = None
    has_issues: bool = True
    dependencies_on: bool = True
    description: str = ""
    default_branch: str = "main"
    collaborators: dict[int, Right] = field(default_factory=dict)
    branches: dict[str, Commit] = field(default_factory=dict)
    labels: dict[int, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    last_number: int = 0

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    @property
    def archived(self) -> bool:
        """Whether it is kept only to be read."""
        return self.archived_at is not None

    @property
    def shown_issues(self) -> list[Issue]:
        """Its issues and pull requests, without the issues where those are switched off."""
        return [i for i in self.issues.values() if self.has_issues or i.pull is not None]


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook on a repository, an organisation, or (with neither) the whole system."""

    id: int
    url: str
    created: datetime
    updated: datetime
    secret: str = ""
    content_type: str = "json"
    events: frozenset[str] = frozenset()
    active: bool = True
    branch_filter: str = ""
    authorization: str = ""
    name: str = ""
    repository: Repository | None = None
    organization: User | None = None

    @property
    def target(self) -> str:
        """The kind of place it stands on, as its deliveries say."""
        if self.repository is not None:
            return "repository"
        return "organization" if self.organization is not None else "system"
