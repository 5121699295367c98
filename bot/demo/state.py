"""Everything the forge knows, and how things are found in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from bot.demo.records import Hook, Issue, Repository, Right, Team, Token, User

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(eq=False)
class State:
    """Users, repositories, tokens and hooks; `url` is where the forge is (no slash at the end).

    `cross_repository`: whether an issue can wait natively for one of another repository.
    """

    clock: Clock = utc_now
    url: str = "http://127.0.0.1:3000"
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    teams: dict[int, Team] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    cross_repository: bool = True
    _former_users: dict[str, User] = field(default_factory=dict)
    _former_repositories: dict[tuple[int, str], Repository] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    _ids: dict[str, count[int]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time, in whole seconds as Gitea keeps it."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next_id(self, kind: str) -> int:
        """A new id among all records of a kind, from 1."""
        return next(self._ids.setdefault(kind, count(1)))

    def new_token(self, user: User, scopes: frozenset[str], name: str = "") -> str:
        """Forty hexadecimal digits, the same every time the same things happen."""
        number = self.next_id("token")
        seed = f"{user.login} {number}"
        text = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
        self.tokens[text] = Token(user, scopes, number, name or f"token {number}")
        return text

    def tokens_of(self, user: User) -> dict[str, Token]:
        """The tokens of a user."""
        return {text: one for text, one in self.tokens.items() if one.user is user}

    def teams_of(self, organization: User) -> list[Team]:
        """The teams of an organisation."""
        return [team for team in self.teams.values() if team.organization is organization]

    def user(self, login: str) -> User | None:
        """By login, whatever its case."""
        return self.users.get(login.lower())

    def repository(self, full_name: str) -> Repository:
        """By `owner/name`, whatever its case; raises LookupError."""
        return self.repositories[full_name.lower()]

    def issue(self, full_name: str, number: int) -> Issue:
        """By repository and number; raises LookupError."""
        return self.repository(full_name).issues[number]

    def issues(self) -> Iterator[Issue]:
        """Every issue and pull request of every repository."""
        for repository in self.repositories.values():
            yield from repository.issues.values()

    def right(self, user: User | None, repository: Repository) -> Right:
        """What `user` (None: nobody is signed in) may do in a repository."""
        least = Right.NONE if repository.private else Right.READ
        if user is None:
            return least
        owner = repository.owner
        if user.is_admin or user is owner or user in owner.owners:
            return Right.OWNER
        if any(user in t.members and t.all_repositories for t in self.teams_of(owner)):
            return Right.OWNER  # as Gitea has it of every team of administrators
        return max(least, repository.collaborators.get(user.id, Right.NONE))

    def visible(self, user: User | None) -> list[Repository]:
        """The repositories `user` may read."""
        return [r for r in self.repositories.values() if self.right(user, r) >= Right.READ]

    def moved(self, owner: str, name: str) -> Repository | None:
        """The repository that had this name before, where no other one has it now."""
        found = self.user(owner)
        return self._former_repositories.get((found.id, name.lower())) if found else None

    def moved_user(self, login: str) -> User | None:
        """Who had this name before, where nobody else has it now."""
        return self._former_users.get(login.lower())

    def file_user(self, user: User, login: str) -> None:
        """Register a user, or give them another name; the old one then redirects."""
        theirs = [repo for repo in self.repositories.values() if repo.owner is user]
        for repo in theirs:
            del self.repositories[repo.full_name.lower()]
        if self.users.pop(user.login.lower(), None) is not None:
            self._former_users[user.login.lower()] = user
        user.login = login
        self._former_users.pop(login.lower(), None)
        self.users[login.lower()] = user
        self.repositories |= {repo.full_name.lower(): repo for repo in theirs}

    def file_repository(self, repository: Repository, name: str, owner: User | None = None) -> None:
        """Register a repository, or give it another name or owner; the old name then redirects."""
        old = repository.full_name.lower()
        if self.repositories.get(old) is repository:
            del self.repositories[old]
            self._former_repositories[repository.owner.id, repository.name.lower()] = repository
        repository.name = name
        repository.owner = owner or repository.owner
        self._former_repositories.pop((repository.owner.id, name.lower()), None)
        self.repositories[repository.full_name.lower()] = repository

    def drop_user(self, user: User) -> None:
        """Forget somebody, with their tokens and rights; what they wrote stays."""
        del self.users[user.login.lower()]
        for text in self.tokens_of(user):
            del self.tokens[text]
        for repository in self.repositories.values():
            repository.collaborators.pop(user.id, None)

    def drop_repository(self, repository: Repository) -> None:
        """Forget a repository, and that it had other names."""
        del self.repositories[repository.full_name.lower()]
        for place, former in list(self._former_repositories.items()):
            if former is repository:
                del self._former_repositories[place]

    def untie(self, gone: Iterable[Issue]) -> None:
        """Let nothing wait for issues that are deleted, nor name them in its timeline."""
        lost = set(gone)
        for issue in self.issues():
            issue.blocked_by = [one for one in issue.blocked_by if one not in lost]
            issue.entries = [one for one in issue.entries if one.dependent not in lost]

    def blocks(self, issue: Issue) -> list[Issue]:
        """The issues that wait for this one, natively."""
        return [other for other in self.issues() if issue in other.blocked_by]
