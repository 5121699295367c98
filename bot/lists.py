"""The two lists of a repository, from a watermark on, and what in them concerns the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.changes import Change, Found, Words, must_look, to_hear
from bot.gitea.models import Comment, Issue
from bot.models import IssueRef
from bot.side_by_side import side_by_side
from bot.store.queries import Edge, Known

READINGS = 3  # of a list that changes while it is read, at most

T = TypeVar("T", Issue, Comment)


class RepositoryLists(Protocol):
    """What this needs of Gitea."""

    @property
    def page_size(self) -> int:
        """How many things a page of a list holds."""

    def issues_since(self, repo: str, since: datetime) -> AsyncIterator[Issue]:
        """What changed in a repository since then."""

    def comments_since(self, repo: str, since: datetime) -> AsyncIterator[Comment]:
        """What was written or edited there since then."""


class Memory(Protocol):
    """What this needs of the store."""

    async def issues(self, refs: Collection[IssueRef]) -> dict[IssueRef, Known]:
        """What is known of issues."""

    async def blockers(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead from issues to what they wait for."""

    async def waiting(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead to issues from what waits for them."""


class Listener(Protocol):
    """Who does commands."""

    def holds_commands(self, written: Comment | Issue) -> bool:
        """Whether anything in a comment, or at the end of a text, may be meant for the bot."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What changed in a repository, as far as it is judged.

    `opened`: new issues of the bot's with commands in their text; `words`: comments with some.
    """

    changes: tuple[Change, ...]
    opened: tuple[Change, ...]
    words: tuple[Words, ...]

    @property
    def refs(self) -> tuple[IssueRef, ...]:
        """The issues it is about."""
        return (*(one.ref for one in self.changes), *(one.ref for one in self.words))

    @property
    def repository(self) -> str | None:
        """Its name as it is now; None where nothing tells."""
        return next((ref.repository for ref in self.refs), None)

    @property
    def forge_id(self) -> int | None:
        """Gitea's id of it; None where nothing tells."""
        return next((change.repository_id for change in self.changes), None)

    @property
    def newest(self) -> datetime | None:
        """The latest change."""
        return max((change.updated_at for change in self.changes), default=None)


class Lists:
    """Reads and judges them; `bot` is the id of the bot's user, `clock` gives Gitea's time."""

    def __init__(
        self,
        gitea: RepositoryLists,
        store: Memory,
        listener: Listener,
        *,
        bot: int,
        clock: Callable[[], datetime | None],
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._listener = listener
        self._bot = bot
        self._clock = clock

    async def read(self, repository: str, since: datetime) -> Listed:
        """Both lists. Raises GiteaError."""
        (changes, opened), words = await side_by_side(
            self._changes(repository, since), self._words(repository, since)
        )
        return Listed(tuple(changes), tuple(opened), tuple(words))

    async def _changes(self, repository: str, since: datetime) -> tuple[list[Change], list[Change]]:
        changes, opened = [], []
        async for issue in self._each(lambda: self._gitea.issues_since(repository, since)):
            change = Change.of(issue, self._bot)
            changes.append(change)
            if change.mine and change.created_at >= since and await self._speaks(issue):
                opened.append(change)
        return changes, opened

    async def _words(self, repository: str, since: datetime) -> list[Words]:
        found = []
        async for comment in self._each(lambda: self._gitea.comments_since(repository, since)):
            own = comment.user.id == self._bot
            if own or await self._speaks(comment):
                words = Words.of(comment, self._bot)
                found += [words] if words else []
        return found

    async def _each(self, ask: Callable[[], AsyncIterator[T]]) -> AsyncIterator[T]:
        """The items of a list, each once.

        One of several pages that changed while it was read is read again: where an item goes and
        another one comes, a third slides past between two pages, and no number tells.
        """
        seen = set[int]()
        for _ in range(READINGS):
            begun, items, newest = self._clock(), 0, None
            async for item in ask():
                items += 1
                newest = max(newest or item.updated_at, item.updated_at)
                if item.id not in seen:
                    seen.add(item.id)
                    yield item
            if items <= self._gitea.page_size or not begun or not newest:
                return
            if newest < begun.replace(microsecond=0):
                return

    async def _speaks(self, written: Comment | Issue) -> bool:
        """Reading a long comment takes a while; in a thread it holds nobody else up."""
        return await asyncio.to_thread(self._listener.holds_commands, written)

    async def judge(self, listed: Listed, oldest: datetime) -> Found:
        """What must be looked at and heard; what was said before `oldest` is not heard any more."""
        refs = set(listed.refs)
        known = await self._store.issues(refs)
        edges = [*await self._store.waiting(refs), *await self._store.blockers(refs)]
        ends = {ref for edge in edges for ref in (edge.waits, edge.on)}
        looks = {
            one.ref
            for one in listed.changes
            if must_look(one, known.get(one.ref), at_edge=one.ref in ends)
        }
        asking = [one for one in listed.words if one.asks(known.get(one.ref))]
        looks |= {one.ref for one in asking if one.at < oldest and one.ref in known.keys() | ends}
        looks |= {one.ref for one in listed.words if one.touched(known.get(one.ref))}
        hears = to_hear(
            (one for one in asking if one.at >= oldest),
            (one for one in listed.opened if one.created_at >= oldest),
        )
        return Found(tuple(sorted(looks)), hears)
