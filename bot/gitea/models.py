"""What Gitea answers, as far as the bot uses it; unknown fields are ignored.

Gitea says `null` for many an empty list or text, so that is read as empty everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bot.models import IssueRef


def _or_text(value: object) -> object:
    return "" if value is None else value


def _or_list(value: object) -> object:
    return () if value is None else value


def _or_object(value: object) -> object:
    return {} if value is None else value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Text: TypeAlias = Annotated[str, BeforeValidator(_or_text)]
When: TypeAlias = Annotated[AwareDatetime, AfterValidator(_utc)]


class Answer(BaseModel):
    """A frozen part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Answer):
    """A user or an organisation; a login is compared without case. id 0: nobody is named."""

    id: int = 0
    login: Text = ""
    visibility: Text = "public"
    is_admin: bool = False
    created: When | None = None

    def is_called(self, login: str) -> bool:
        """Whether that is its login."""
        return self.login.lower() == login.lower()


class Label(Answer):
    """A label; `color` is six hex digits without `#`. Names are not unique in a repository."""

    id: int
    name: str
    color: Text = ""
    exclusive: bool = False
    description: Text = ""


class PullRequest(Answer):
    """What makes an issue a pull request."""

    merged: bool = False
    draft: bool = False


class IssueRepository(Answer):
    """The repository an issue names."""

    id: int
    name: str
    owner: str
    full_name: str


class Issue(Answer):
    """An issue or pull request.

    Among native dependencies, one that the bot may not see comes as an issue with number 0,
    without a repository and a user; `visible` tells.
    """

    id: int
    number: int
    title: Text = ""
    body: Text = ""
    state: Text = ""
    user: Annotated[User, BeforeValidator(_or_object)] = User()
    assignees: Annotated[tuple[User, ...], BeforeValidator(_or_list)] = ()
    labels: Annotated[tuple[Label, ...], BeforeValidator(_or_list)] = ()
    comments: int = 0
    created_at: When
    updated_at: When
    closed_at: When | None = None
    pull_request: PullRequest | None = None
    repository: IssueRepository | None = None
    is_locked: bool = False
    content_version: int = 0
    html_url: Text = ""

    @property
    def visible(self) -> bool:
        """Whether the bot may see more of it than that it exists."""
        return self.number > 0 and self.repository is not None

    @property
    def ref(self) -> IssueRef:
        """Where it is now, also when it was asked for under an old name of its repository.

        Raises ValueError for one that is not visible.
        """
        if self.repository is None or self.number <= 0:
            raise ValueError("an issue the bot may not see has no reference")
        return IssueRef(self.repository.owner, self.repository.name, self.number)

    @property
    def is_open(self) -> bool:
        """Whether it is open; a merged pull request is not."""
        return self.state == "open"

    @property
    def is_pull(self) -> bool:
        """Whether it is a pull request."""
        return self.pull_request is not None

    @property
    def merged(self) -> bool:
        """Whether it is a pull request that was merged."""
        return self.pull_request is not None and self.pull_request.merged

    @property
    def edited(self) -> bool:
        """Whether its text may have been edited; always where Gitea does not count that."""
        return self.content_version != 0 or "content_version" not in self.model_fields_set

    def assigned_to(self, login: str) -> bool:
        """Whether that user is among its assignees."""
        return any(user.is_called(login) for user in self.assignees)


class Comment(Answer):
    """A comment. Gitea keeps its body to the byte: CRLF, blanks at the end, NUL and all."""

    id: int
    body: Text = ""
    user: Annotated[User, BeforeValidator(_or_object)] = User()
    created_at: When
    updated_at: When
    html_url: Text = ""
    issue_url: Text = ""
    pull_request_url: Text = ""

    @property
    def edited(self) -> bool:
        """Whether it was edited; not told where that was in the second in which it was written."""
        return self.updated_at != self.created_at

    @property
    def number(self) -> int | None:
        """The number of the issue or pull request it stands on, from its URL."""
        last = (self.issue_url or self.pull_request_url).rpartition("/")[2]
        return int(last) if last.isascii() and last.isdigit() else None


class TimelineEntry(Answer):
    """One thing that happened to an issue; `dependent_issue` is the one at the other end."""

    type: Text = ""
    user: Annotated[User, BeforeValidator(_or_object)] = User()
    dependent_issue: Issue | None = None


class Rights(Answer):
    """What the one who asks may do in a repository."""

    admin: bool = False
    push: bool = False
    pull: bool = False


class Tracker(Answer):
    """How a repository keeps its issues."""

    enable_issue_dependencies: bool = False


class Repository(Answer):
    """A repository."""

    id: int
    full_name: str
    owner: User
    private: bool = False
    internal: bool = False
    default_branch: Text = ""
    archived: bool = False
    created_at: When | None = None
    empty: bool = False
    permissions: Annotated[Rights, BeforeValidator(_or_object)] = Rights()
    has_issues: bool = True
    has_pull_requests: bool = True
    internal_tracker: Annotated[Tracker, BeforeValidator(_or_object)] = Tracker()

    @property
    def hidden(self) -> bool:
        """Whether somebody may be unable to read it.

        One of a *limited* organisation says neither private nor internal; its owner does.
        """
        return self.private or self.internal or self.owner.visibility != "public"

    @property
    def native_dependencies(self) -> bool:
        """Whether Gitea itself keeps dependencies between its issues."""
        return self.has_issues and self.internal_tracker.enable_issue_dependencies


class Permission(Answer):
    """What a user may do in a repository: owner, admin, write, read or none.

    A site administrator is `owner` everywhere.
    """

    permission: Text = "none"

    @property
    def can_read(self) -> bool:
        """Whether they may read it."""
        return self.permission == "read" or self.can_write

    @property
    def can_write(self) -> bool:
        """Whether they may write in it."""
        return self.permission == "write" or self.can_administer

    @property
    def can_administer(self) -> bool:
        """Whether they may change its settings."""
        return self.permission in {"admin", "owner"}


class TreeEntry(Answer):
    """One path of a tree; only a blob has a size. A symbolic link is a blob of a mode of its own.

    `sha` is Git's name of what is there.
    """

    path: str
    type: str
    size: int = 0
    sha: Text = ""
    mode: Text = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not a directory, a link or another repository."""
        return self.type == "blob" and self.mode != "120000"


class TreePage(Answer):
    """One page of a tree, as Gitea answers it."""

    tree: Annotated[tuple[TreeEntry, ...], BeforeValidator(_or_list)] = ()
    truncated: bool = False
    total_count: int = 0


class Blob(Answer):
    """What a file holds, in base64; empty where Gitea finds it too large to say."""

    content: Text = ""


class Content(Answer):
    """What stands under a path."""

    sha: Text = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a repository: size in bytes by path. `truncated`: there are more.

    `policy` is what stands where a repository may change how it is judged.
    """

    sizes: Mapping[str, int]
    truncated: bool = False
    policy: TreeEntry | None = None


@dataclass(frozen=True, slots=True)
class NativeDependencies:
    """One side of an issue's native dependencies.

    `unseen` counts the ones Gitea says exist but does not show the bot: neither which nor
    whether they are open. `off`: the repository has dependencies switched off, so that nothing
    is known of those it may have had.
    """

    issues: tuple[Issue, ...] = ()
    unseen: int = 0
    off: bool = False


class Version(Answer):
    """Which Gitea answers."""

    version: str


class ServerSettings(Answer):
    """How many things a page holds at most."""

    max_response_items: int = Field(default=50, ge=1)
