"""Everything the forge knows, and how things are found in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from bot.demo.records import Hook, Issue, Repository, Right, Token, User

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(eq=False)
class State:
    """Users, repositories, tokens and hooks; `url` is where the forge is (no slash at the end)."""

    clock: Clock = utc_now
    url: str = "http://127.0.0.1:3000"
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, Repository] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    _ids: dict[str, count[int]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time, in whole seconds as Gitea keeps it."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next_id(self, kind: str) -> int:
        """A new id among all records of a kind, from 1."""
        return next(self._ids.setdefault(kind, count(1)))

    def new_token(self, user: User, scopes: frozenset[str]) -> str:
        """Forty hexadecimal digits, the same every time the same things happen."""
        seed = f"{user.login} {self.next_id('token')}"
        text = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
        self.tokens[text] = Token(user, scopes)
        return text

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
        return max(least, repository.collaborators.get(user.id, Right.NONE))

    def visible(self, user: User | None) -> list[Repository]:
        """The repositories `user` may read."""
        return [r for r in self.repositories.values() if self.right(user, r) >= Right.READ]

    def file_repository(self, repository: Repository, name: str) -> None:
        """Register a repository, or give it another name; the old one then redirects."""
        old = repository.full_name.lower()
        if self.repositories.get(old) is repository:
            del self.repositories[old]
            self.renamed[old] = repository
        repository.name = name
        self.renamed.pop(repository.full_name.lower(), None)
        self.repositories[repository.full_name.lower()] = repository

    def blocks(self, issue: Issue) -> list[Issue]:
        """The issues that wait for this one, natively."""
        return [other for other in self.issues() if issue in other.blocked_by]
