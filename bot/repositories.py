"""What is known of whole repositories, kept for a short while: who may read it, its files.

Who may is asked for people, too: what a text names of a repository that not everybody can read
counts only where its author can (`may_read`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Generic, Protocol, TypeVar

from bot.errors import GiteaError, NotFound, Permanent
from bot.gitea.models import Permission, Repository, Tree, TreeEntry
from bot.models import IssueRef

T = TypeVar("T")

ABOUT_KEPT = 60.0  # seconds: a repository made private hides its titles after at most so long
RIGHT_KEPT = 60.0  # seconds: whose right is taken away learns nothing after at most so long
TREE_KEPT = 600.0  # seconds: a push is announced by a webhook, this is for those that got lost
ABOUT_MOST, TREE_MOST = 2000, 50  # repositories remembered; one tree may have 50,000 files
RIGHT_MOST = 5000  # people in repositories


class RepositoryReader(Protocol):
    """What this needs of Gitea."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """What Gitea says of a repository."""

    async def permission(self, repo: str, user: str) -> Permission:
        """What a user may in it."""

    async def tree(self, repo: str, ref: str = "HEAD") -> Tree:
        """Its files on the default branch."""


class Repositories:
    """Repositories, asked once for many issues; `clock` gives seconds that only grow."""

    def __init__(
        self, gitea: RepositoryReader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gitea = gitea
        self._about: Remembered[Repository] = Remembered(ABOUT_KEPT, clock, ABOUT_MOST)
        self._rights: Remembered[bool] = Remembered(RIGHT_KEPT, clock, RIGHT_MOST)
        self._trees: Remembered[Tree] = Remembered(TREE_KEPT, clock, TREE_MOST)

    async def about(self, repository: str) -> Repository:
        """What Gitea says of it, which may be called otherwise by now."""
        owner, _, name = repository.partition("/")
        key = repository.lower()
        found = await self._about.get(key, lambda: self._gitea.repository(owner, name))
        if found.full_name.lower() != key:
            await self._about.get(found.full_name.lower(), lambda: _given(found))
        return found

    async def hidden(self, repository: str) -> bool:
        """Whether somebody may be unable to read it; so, too, when that cannot be asked."""
        try:
            return (await self.about(repository)).hidden
        except GiteaError:
            return True

    async def shows_all(self, repository: str) -> bool:
        """Whether an issue that the bot does not find there does not exist.

        It may else be kept from it: in a repository that does not answer, in one with issues or
        pull requests switched off, and in a hidden one of which it is no administrator. That is
        asked afresh, for it may just have been deleted itself.
        """
        self._about.forget(repository.lower())
        try:
            found = await self.about(repository)
        except GiteaError:
            return False
        kept = found.has_issues and found.has_pull_requests
        return kept and (not found.hidden or found.permissions.admin)

    async def is_missing(self, repository: str) -> bool:
        """Whether Gitea says that there is none of that name, or none that the bot may see."""
        try:
            await self.about(repository)
        except NotFound:
            return True
        except GiteaError:
            return False
        return False

    async def archived(self, repository: str) -> bool:
        """Whether it is archived, so that nothing is to be written there.

        No where that cannot be asked: Gitea then refuses what is written (423).
        """
        try:
            return (await self.about(repository)).archived
        except GiteaError:
            return False

    async def may_mirror(self, waits: IssueRef, on: IssueRef) -> bool:
        """Whether Gitea itself may be told that one issue waits for the other.

        Not where somebody may be unable to read one of two repositories: the timeline of either
        issue then shows the other one's title to whoever reads it (seen in Gitea 1.26.3).
        """
        ours, theirs = waits.key[0], on.key[0]
        return ours == theirs or not (await self.hidden(ours) or await self.hidden(theirs))

    async def may_read(self, repository: str, user: str) -> bool:
        """Whether a user may read it, as far as the bot is told: it has to be administrator there.

        Raises Retryable when that cannot be asked now.
        """
        name = repository.lower()
        try:
            return await self._rights.get(
                f"{name} {user.lower()}", lambda: self._can_read(repository, user)
            )
        except Permanent:
            return False

    async def _can_read(self, repository: str, user: str) -> bool:
        return (await self._gitea.permission(repository, user)).can_read

    async def tree(self, repository: str) -> Mapping[str, int] | None:
        """Bytes by path; None when the bot may not read its files."""
        try:
            return (await self._tree(repository)).sizes
        except Permanent:
            return None

    async def policy(self, repository: str) -> TreeEntry | None:
        """What stands on its default branch where it may change how it is judged.

        Raises GiteaError: Permanent when the bot may not read its files, and so cannot know.
        """
        return (await self._tree(repository)).policy

    async def _tree(self, repository: str) -> Tree:
        return await self._trees.get(repository.lower(), lambda: self._gitea.tree(repository))

    def forget(self, repository: str) -> None:
        """Ask afresh next time: something was pushed, or a setting changed."""
        name = repository.lower()
        self._about.forget(name)
        self.forget_files(name)
        self._rights.forget_all(f"{name} ")

    def forget_files(self, repository: str) -> None:
        """Ask afresh next time which files there are."""
        self._trees.forget(repository.lower())


class Remembered(Generic[T]):
    """Answers kept for `seconds`; those who ask at once for the same share one question."""

    def __init__(self, seconds: float, clock: Callable[[], float], most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: dict[str, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer for a key. An error is raised to all who wait for it, and not kept."""
        now = self._clock()
        until, task = self._kept.get(key, (now, None))
        if task is None or until <= now:
            self.forget(key)
            while len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept)))
            task = asyncio.ensure_future(_asked(ask))
            task.add_done_callback(partial(self._asked, key))
            self._kept[key] = (now + self._seconds, task)
        return await asyncio.shield(task)

    def _asked(self, key: str, task: asyncio.Task[T]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._kept.get(key, (0, None))[1] is task:
            del self._kept[key]

    def forget(self, key: str) -> None:
        """Ask afresh next time."""
        self._kept.pop(key, None)

    def forget_all(self, beginning: str) -> None:
        """Ask afresh next time for all keys that begin so."""
        for key in [key for key in self._kept if key.startswith(beginning)]:
            self.forget(key)


async def _given(found: Repository) -> Repository:
    return found


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
