"""By what each repository is judged: its own file over the bot's settings, and who is told of it.

The file is found in the list of files that a look needs anyway, and what it holds is asked for once
for each version of it; so a repository without one costs no request. Which version its issues were
last judged by is kept: whoever sees another one has all of them looked at, however it was missed
before. Another replica may have seen it first, so what contradicts that is read afresh.

What the bot may not read is not what is not there: what was read last holds on. Where that is not
known any more, no text goes to Claude.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.errors import GiteaError, Permanent
from bot.gitea.models import TreeEntry
from bot.models import POLICY_DIRECTORY, IssueRef, Mistake
from bot.policy import MOST_BYTES, Policy, Site, not_read, read_policy
from bot.store.policies import Kept

log = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")

MOST = 1000  # files and repositories remembered

Read = tuple[Policy, tuple[Mistake, ...]]


class Gitea(Protocol):
    """What this needs of Gitea."""

    async def blob(self, repo: str, sha: str) -> bytes:
        """What a file holds, by Git's name of it."""

    async def policy_sha(self, repo: str) -> str:
        """Git's name of the file on the default branch; empty where there is none."""


class Files(Protocol):
    """The files of repositories, as they are remembered for a while."""

    async def policy(self, repository: str) -> TreeEntry | None:
        """What stands on its default branch where it may change how it is judged.

        Raises GiteaError; Permanent where the bot may not know.
        """

    def forget_files(self, repository: str) -> None:
        """Ask afresh next time which files there are."""


class Memory(Protocol):
    """What is kept of the files."""

    async def of(self, repository: str) -> Kept:
        """By which file the issues of a repository are judged."""

    async def keep(self, repository: str, blob: str) -> None:
        """They are judged by this file from now on."""

    async def claim(self, issue: IssueRef, blob: str) -> None:
        """Let an issue's report be the one that tells of the mistakes, where none does."""

    async def release(self, issue: IssueRef) -> None:
        """Let another report tell of them."""

    async def concerns(self, repository: str) -> bool:
        """Whether any issue is judged by it."""

    async def concerned(self, repository: str) -> list[IssueRef]:
        """The issues that are judged by it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What holds in a repository now, and what is wrong in its file (`blob`; empty: none).

    `is_news`: its issues were last judged by another one.
    """

    repository: str
    policy: Policy
    mistakes: tuple[Mistake, ...] = ()
    blob: str = ""
    is_news: bool = False


class Policies:
    """Knows what holds in each repository; `site` is what holds where nothing is changed."""

    def __init__(self, gitea: Gitea, files: Files, memory: Memory, site: Site) -> None:
        self._gitea = gitea
        self._files = files
        self._memory = memory
        self.site = site
        self._read: dict[tuple[str, str], Read] = {}
        self._last: dict[str, Found] = {}  # what was read
        self._seen: dict[str, tuple[str, str]] = {}  # by what was kept, what was read afresh
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def last(self, repository: str) -> Policy:
        """What held when it was last asked about; nothing is asked."""
        last = self._last.get(repository.lower())
        return last.policy if last else self.site.policy

    async def at_hand(self, repository: str) -> Policy:
        """What its issues are judged by; nothing is asked of Gitea where that is known here."""
        last = self._last.get(repository.lower())
        if last and last.blob == (await self._memory.of(repository)).blob:
            return last.policy
        return await self.of(repository)

    async def of(self, repository: str) -> Policy:
        """What holds in a repository. Raises Retryable."""
        return (await self.found(repository)).policy

    async def found(self, repository: str) -> Found:
        """What holds there, and what is wrong in its file. Raises Retryable."""
        kept = (await self._memory.of(repository)).blob
        entry: TreeEntry | None = None
        try:
            entry = await self._entry(repository, kept)
            policy, mistakes = await self._of(repository, entry)
        except Permanent as error:
            log.warning("policy.refused", repository=repository, error=str(error))
            return self._unread(repository, kept, _name(entry) or kept)
        blob = _name(entry)
        found = Found(repository, policy, mistakes, blob, is_news=blob != kept)
        _remember(self._last, repository.lower(), found)
        return found

    async def _entry(self, repository: str, kept: str) -> TreeEntry | None:
        entry = await self._files.policy(repository)
        return entry if _name(entry) == kept else await self._afresh(repository, kept, entry)

    def _unread(self, repository: str, kept: str, blob: str) -> Found:
        """What holds where the bot may not read the file, or not even whether there is one."""
        last = self._last.get(repository.lower())
        if last and last.blob:
            return replace(last, repository=repository, blob=kept, is_news=False)
        if not blob:  # none was ever seen there
            return Found(repository, self.site.policy)
        policy, mistakes = not_read(self.site, "Gitea does not give it out")
        return Found(repository, policy, mistakes, blob, is_news=blob != kept)

    async def _afresh(
        self, repository: str, kept: str, entry: TreeEntry | None
    ) -> TreeEntry | None:
        """What stands there, read once more for all who see that it is not what is kept."""
        async with self._telling(repository):
            if self._seen.get(repository.lower()) != (kept, _name(entry)):
                self._files.forget_files(repository)
                entry = await self._files.policy(repository)
                _remember(self._seen, repository.lower(), (kept, _name(entry)))
            return entry

    def _telling(self, repository: str) -> asyncio.Lock:
        """Held by one at a time; it is there as long as anybody holds it or waits for it."""
        return self._locks.setdefault(repository.lower(), asyncio.Lock())

    async def _of(self, repository: str, entry: TreeEntry | None) -> Read:
        if entry is None:
            return self.site.policy, ()
        if not entry.is_file:
            return not_read(self.site, "it is no file")
        key = repository.lower(), entry.sha
        if key in self._read:
            return self._read[key]
        read = await self._fetch(repository, entry)
        _remember(self._read, key, read)
        return read

    async def _fetch(self, repository: str, entry: TreeEntry) -> Read:
        if entry.size > MOST_BYTES:
            return not_read(self.site, f"it is larger than {MOST_BYTES // 1024} KiB")
        data = await self._gitea.blob(repository, entry.sha)
        # It may hold much that is hard to read, and webhooks wait for no more than five seconds.
        policy, mistakes = await asyncio.to_thread(read_policy, data, self.site)
        log.info("policy.read", repository=repository, mistakes=len(mistakes))
        return policy, mistakes

    # -- when it changes --------------------------------------------------------------------

    async def spread(
        self, found: Found, later: Callable[[Collection[IssueRef]], Awaitable[None]]
    ) -> None:
        """Have all issues looked at that were judged by another file; then that is noted."""
        repository = found.repository
        async with self._telling(repository):
            self._seen.pop(repository.lower(), None)
            if (await self._memory.of(repository)).blob == found.blob:
                return
            log.info("policy.changed", repository=repository, file=found.blob)
            await later(await self._memory.concerned(repository))
            await self._memory.keep(repository, found.blob)

    async def missed(self, repository: str) -> list[IssueRef]:
        """The issues to be looked at because the file has changed; one request, or none.

        Empty, too, where that cannot be asked: then it is noticed at the next look.
        """
        if not await self._memory.concerns(repository):
            return []
        try:
            now = await self._gitea.policy_sha(repository)
            if now == (await self._memory.of(repository)).blob:
                return []
            self._files.forget_files(repository)
            await self._files.policy(
                repository
            )  # where that may not be read, a look changes nothing
        except GiteaError as error:
            log.warning("policy.unknown", repository=repository, error=str(error))
            return []
        return await self._memory.concerned(repository)

    # -- who is told of mistakes ------------------------------------------------------------

    async def told_at(
        self, issue: IssueRef, found: Found, *, may_begin: bool
    ) -> tuple[Mistake, ...]:
        """The mistakes that this issue's report has to tell; one report does, as long as it can.

        `may_begin`: whether it may be this one from now on.
        """
        if not found.mistakes:
            return ()
        if may_begin:
            await self._memory.claim(issue, found.blob)
        kept = await self._memory.of(issue.repository)
        is_here = (kept.blob, kept.told_at) == (found.blob, issue.number)
        return found.mistakes if is_here else ()

    async def ended(self, issue: IssueRef) -> None:
        """An issue has no report any longer."""
        await self._memory.release(issue)


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """Keep an answer as the newest; the oldest goes."""
    kept.pop(key, None)
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)))
    kept[key] = value


def _name(entry: TreeEntry | None) -> str:
    """What tells one version from another."""
    if entry is None:
        return ""
    return POLICY_DIRECTORY if entry.type == "tree" else entry.sha
