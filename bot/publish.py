"""Putting a report where people see it: one comment, and the labels that go with it.

Both are read first and written only where they differ. The comment is found by the id that is
remembered, else by its marker and its author among all comments; so a crash between writing it
and remembering it makes no second one.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from bot.errors import Conflict, Forbidden, NotFound, Retryable
from bot.gitea.models import Comment, Issue, Label, User
from bot.labels import LabelSpec
from bot.latest import Latest
from bot.models import IssueRef
from bot.render import MARKER

log = structlog.get_logger(__name__)

LOCK_KEPT = timedelta(seconds=15)  # what one who died holds back the others
LOCK_TRIES = 100  # together longer than that
LOCK_WAIT = 0.2  # seconds
REPOSITORIES_MOST = 2000  # of which labels are remembered


class CommentWriter(Protocol):
    """What publishing a comment needs of Gitea."""

    def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        """All comments of an issue."""

    async def comment(self, repo: str, id: int) -> Comment:  # noqa: A002
        """One comment."""

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        """Write a comment."""

    async def edit_comment(self, repo: str, id: int, body: str) -> Comment:  # noqa: A002
        """Replace a comment's text."""

    async def delete_comment(self, repo: str, id: int) -> None:  # noqa: A002
        """Delete a comment."""


class LabelWriter(Protocol):
    """What publishing labels needs of Gitea."""

    async def labels(self, repo: str) -> list[Label]:
        """All labels of a repository."""

    async def create_label(
        self, repo: str, name: str, color: str, description: str, *, exclusive: bool = True
    ) -> Label:
        """Make a label."""

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        """Set labels; answers all the issue has then."""

    async def remove_label(self, ref: IssueRef, id: int) -> None:  # noqa: A002
        """Take a label off an issue."""


class Locks(Protocol):
    """One at a time, over all processes."""

    async def lock(self, name: str, holder: str, keep: timedelta) -> bool:
        """Take a lock, or say that another one holds it."""

    async def unlock(self, name: str, holder: str) -> None:
        """Give it back."""


class StickyComment:
    """The bot's one comment on an issue."""

    def __init__(self, gitea: CommentWriter, bot: User) -> None:
        self._gitea = gitea
        self.bot = bot

    async def remembered(self, ref: IssueRef, comment_id: int | None) -> Comment | None:
        """The comment of a remembered id; None when there is none, or it was deleted."""
        if comment_id is None:
            return None
        try:
            found = await self._gitea.comment(ref.repository, comment_id)
        except NotFound:
            return None
        return found if found.user.id == self.bot.id and found.number == ref.number else None

    async def find(self, issue: Issue) -> Comment | None:
        """The comment among all of the issue's; further ones of the bot's are deleted."""
        if not issue.comments:
            return None
        mine = [c async for c in self._gitea.comments(issue.ref) if self._is_report(c)]
        for extra in mine[1:]:
            log.warning("report.duplicate_deleted", issue=str(issue.ref), comment=extra.id)
            await self._gitea.delete_comment(issue.ref.repository, extra.id)
        return mine[0] if mine else None

    def _is_report(self, comment: Comment) -> bool:
        return comment.user.id == self.bot.id and comment.body.lstrip().startswith(MARKER)

    async def put(self, issue: Issue, current: Comment | None, body: str) -> tuple[Comment, bool]:
        """Make the comment say `body`; the comment, and whether anything was written."""
        if current and current.body == body:
            return current, False
        if current:
            try:
                repo = issue.ref.repository
                return await self._gitea.edit_comment(repo, current.id, body), True
            except NotFound:
                log.info("report.deleted_meanwhile", issue=str(issue.ref))
        return await self._gitea.create_comment(issue.ref, body), True


class Labels:
    """The bot's labels on issues, made in a repository when they are first needed."""

    def __init__(
        self,
        gitea: LabelWriter,
        locks: Locks,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gitea = gitea
        self._locks = locks
        self._sleep = sleep
        self._ids: Latest[str, dict[str, int]] = Latest(REPOSITORIES_MOST)
        self._holder = uuid.uuid4().hex
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._refused: Latest[str, bool] = Latest(REPOSITORIES_MOST)  # once it has been tried

    def refused(self, repo: str) -> bool | None:
        """Whether the bot may not set labels there; None when it has not been tried yet."""
        return self._refused.get(repo.lower())

    async def put(
        self, issue: Issue, wanted: Sequence[LabelSpec], *, owned: Collection[str]
    ) -> bool:
        """Make the issue carry just these of the bot's labels; whether anything was written.

        `owned` names, in lower case, those that are the bot's on this issue: they go, unless
        wanted. Where the bot may not set labels, nothing is written, and `refused` tells.
        """
        repo = issue.ref.repository.lower()
        names = {spec.name.casefold() for spec in wanted}
        have = {label.name.casefold() for label in issue.labels}
        missing = [spec for spec in wanted if spec.name.casefold() not in have]
        try:
            labels = await self._add(issue.ref, missing) if missing else issue.labels
            stale = _stale(labels, names, owned)
            for label in stale:
                await self._take(issue.ref, label.id)
        except Forbidden as error:
            log.warning("labels.refused", issue=str(issue.ref), error=str(error))
            self._refused[repo] = True
            return False
        if missing or stale:
            self._refused[repo] = False
        return bool(missing or stale)

    async def _take(self, ref: IssueRef, label_id: int) -> None:
        try:
            await self._gitea.remove_label(ref, label_id)
        except (Conflict, NotFound):
            log.info("label.gone", issue=str(ref), label=label_id)

    async def _add(self, ref: IssueRef, specs: Sequence[LabelSpec]) -> Collection[Label]:
        """Set labels by the ids they had, and once more when those have another name by now."""
        names = {spec.name.casefold() for spec in specs}
        for fresh in (False, True):
            ids = await self._ids_of(ref.repository, specs, fresh=fresh)
            labels = await self._gitea.add_labels(ref, ids)
            if names <= {label.name.casefold() for label in labels}:
                return labels
        log.warning("labels.not_set", issue=str(ref), labels=[spec.name for spec in specs])
        return labels

    async def _ids_of(self, repo: str, specs: Sequence[LabelSpec], *, fresh: bool) -> list[int]:
        known = self._ids.get(repo.lower())
        if known is None or fresh:
            known = self._ids[repo.lower()] = await self._look_up(repo)
        if any(spec.name.casefold() not in known for spec in specs):
            known = await self._make(repo, specs)
        return [known[spec.name.casefold()] for spec in specs]

    async def _look_up(self, repo: str) -> dict[str, int]:
        """Ids by name; of several labels of one name, the first that was made."""
        found = sorted(await self._gitea.labels(repo), key=lambda label: label.id, reverse=True)
        return {label.name.casefold(): label.id for label in found}

    async def _make(self, repo: str, specs: Sequence[LabelSpec]) -> dict[str, int]:
        """Make what is missing; nobody else of this bot does so meanwhile."""
        name = f"labels:{repo.lower()}"
        async with self._making.setdefault(repo.lower(), asyncio.Lock()):
            await self._lock(name)
            try:
                known = await self._look_up(repo)
                for spec in specs:
                    if spec.name.casefold() not in known:
                        made = await self._gitea.create_label(
                            repo, spec.name, spec.color, spec.description, exclusive=True
                        )
                        known[spec.name.casefold()] = made.id
                self._ids[repo.lower()] = known
                return known
            finally:
                await self._locks.unlock(name, self._holder)

    async def _lock(self, name: str) -> None:
        for _ in range(LOCK_TRIES):
            if await self._locks.lock(name, self._holder, LOCK_KEPT):
                return
            await self._sleep(LOCK_WAIT)
        raise Retryable(f"another process holds {name}")


def _stale(
    labels: Collection[Label], names: Collection[str], owned: Collection[str]
) -> list[Label]:
    seen: set[str] = set()
    stale = []
    for label in labels:
        name = label.name.casefold()
        if name in owned and (name not in names or name in seen):
            stale.append(label)
        seen.add(name)
    return stale
