"""What is known of whole repositories, kept for a short while: who may read it, its files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Protocol, TypeVar

from bot.errors import GiteaError, Permanent
from bot.gitea.models import Repository, Tree

T = TypeVar("T")

ABOUT_KEPT = 60.0  # seconds: a repository made private hides its titles after at most so long
TREE_KEPT = 600.0  # seconds: a push is announced by a webhook, this is for those that got lost
MOST = 500  # repositories remembered


class RepositoryReader(Protocol):
    """What this needs of Gitea."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """What Gitea says of a repository."""

    async def tree(self, repo: str, ref: str = "HEAD") -> Tree:
        """Its files on the default branch."""


class Repositories:
    """Repositories, asked once for many issues; `clock` gives seconds that only grow."""

    def __init__(
        self, gitea: RepositoryReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gitea = gitea
        self._about: Remembered[Repository] = Remembered(ABOUT_KEPT, clock)
        self._trees: Remembered[Mapping[str, int]] = Remembered(TREE_KEPT, clock)

    async def about(self, repository: str) -> Repository:
        """What Gitea says of it."""
        owner, _, name = repository.partition("/")
        return await self._about.get(
            repository.lower(), lambda: self._gitea.repository(owner, name)
        )

    async def hidden(self, repository: str) -> bool:
        """Whether somebody may be unable to read it; so, too, when that cannot be asked."""
        try:
            return (await self.about(repository)).hidden
        except GiteaError:
            return True

    async def tree(self, repository: str) -> Mapping[str, int] | None:
        """Bytes by path; None when the bot may not read its files."""
        try:
            return await self._trees.get(repository.lower(), lambda: self._sizes(repository))
        except Permanent:
            return None

    async def _sizes(self, repository: str) -> Mapping[str, int]:
        return (await self._gitea.tree(repository)).sizes

    def forget(self, repository: str) -> None:
        """Ask afresh next time: something was pushed, or a setting changed."""
        self._about.forget(repository.lower())
        self._trees.forget(repository.lower())


class Remembered(Generic[T]):
    """Answers kept for `seconds`; those who ask at once for the same share one question."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer for a key. An error is raised to all who wait for it, and not kept."""
        now = self._clock()
        until, task = self._kept.get(key, (now, None))
        if task is None or until <= now:
            task = asyncio.ensure_future(_asked(ask))
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (now + self._seconds, task)
        try:
            return await asyncio.shield(task)
        except BaseException:
            if task.done() and self._kept.get(key, (0, None))[1] is task:
                del self._kept[key]
            raise

    def forget(self, key: str) -> None:
        """Ask afresh next time."""
        self._kept.pop(key, None)


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
