"""An issue as it is now: all that Gitea says of it, read side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from bot.errors import NotFound
from bot.gitea.models import Comment, Issue, NativeDependencies
from bot.models import IssueRef
from bot.side_by_side import worst


class IssueReader(Protocol):
    """What reading an issue needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""

    async def native_dependencies(self, ref: IssueRef) -> NativeDependencies:
        """What Gitea itself says that it waits for."""

    async def native_blocking(self, ref: IssueRef) -> list[Issue]:
        """What waits for it, as Gitea itself says."""


class CommentReader(Protocol):
    """What finds the bot's comment again."""

    async def remembered(self, ref: IssueRef, comment_id: int | None) -> Comment | None:
        """The comment of a remembered id; None when there is none, or it was deleted."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue as it was read, before anything is decided.

    `comment` is the remembered one, if it is still there; `blockers` and `blocking` are Gitea's
    own dependencies.
    """

    issue: Issue
    comment: Comment | None
    blockers: NativeDependencies
    blocking: list[Issue]


async def snapshot(
    gitea: IssueReader, comments: CommentReader, ref: IssueRef, comment_id: int | None
) -> Snapshot | None:
    """Read an issue; None when it cannot be seen. Raises GiteaError."""
    try:
        async with asyncio.TaskGroup() as group:
            issue = group.create_task(gitea.issue(ref))
            comment = group.create_task(comments.remembered(ref, comment_id))
            blockers = group.create_task(gitea.native_dependencies(ref))
            blocking = group.create_task(_blocking(gitea, ref))
    except ExceptionGroup as errors:
        first = worst(errors.exceptions)
        if isinstance(first, NotFound):
            return None
        raise first from None
    return Snapshot(issue.result(), comment.result(), blockers.result(), blocking.result())


async def _blocking(gitea: IssueReader, ref: IssueRef) -> list[Issue]:
    """Nothing where the repository has dependencies switched off: Gitea answers 404."""
    try:
        return await gitea.native_blocking(ref)
    except NotFound:
        return []
