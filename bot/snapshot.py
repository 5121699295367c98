"""An issue as it is now: all that Gitea says of it, read side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from bot.dependencies import Edge
from bot.errors import NotFound
from bot.gitea.models import Comment, Issue, NativeDependencies
from bot.models import IssueRef
from bot.natives import other_end, touching
from bot.side_by_side import side_by_side, worst


class DependencyReader(Protocol):
    """What reading Gitea's own dependencies needs of it."""

    async def native_dependencies(self, ref: IssueRef) -> NativeDependencies:
        """What Gitea itself says that an issue waits for."""

    async def native_blocking(self, ref: IssueRef) -> NativeDependencies:
        """What waits for it, as Gitea itself says."""


class IssueReader(DependencyReader, Protocol):
    """What reading an issue needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""


class CommentReader(Protocol):
    """What finds the bot's comment again."""

    async def remembered(self, ref: IssueRef, comment_id: int | None) -> Comment | None:
        """The comment of a remembered id; None when there is none, or it was deleted."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Gitea's own dependencies of an issue: what it waits for, and what waits for it."""

    blockers: NativeDependencies = field(default_factory=NativeDependencies)
    blocking: NativeDependencies = field(default_factory=NativeDependencies)

    def edges(self, me: IssueRef) -> frozenset[Edge]:
        """Both as edges (waits, for)."""
        out = touching(me, [one.ref for one in self.blockers.issues], waits=True)
        return out | touching(me, [one.ref for one in self.blocking.issues], waits=False)

    def hide(self, edge: Edge, me: IssueRef) -> bool:
        """Whether an edge that was not told of may be there all the same."""
        near = other_end(edge, me).key[0] == me.key[0]
        if self.blockers.off and (near or edge[0] == me):
            return True
        side = self.blockers if edge[0] == me else self.blocking
        return side.unseen > 0 and not near


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue as it was read, before anything is decided.

    `comment` is the remembered one, if it is still there.
    """

    issue: Issue
    comment: Comment | None
    natives: Neighbours


async def snapshot(
    gitea: IssueReader,
    comments: CommentReader,
    ref: IssueRef,
    comment_id: int | None,
    *,
    natives: bool = True,
) -> Snapshot | None:
    """Read an issue; None when it cannot be seen. Raises GiteaError.

    `natives`: with Gitea's own dependencies.
    """
    try:
        async with asyncio.TaskGroup() as group:
            issue = group.create_task(gitea.issue(ref))
            comment = group.create_task(comments.remembered(ref, comment_id))
            around = group.create_task(neighbours(gitea, ref) if natives else _none())
    except ExceptionGroup as errors:
        first = worst(errors.exceptions)
        if isinstance(first, NotFound):
            return None
        raise first from None
    return Snapshot(issue.result(), comment.result(), around.result())


async def neighbours(gitea: DependencyReader, ref: IssueRef) -> Neighbours:
    """Gitea's own dependencies of an issue, as they are now."""
    return Neighbours(
        *await side_by_side(gitea.native_dependencies(ref), gitea.native_blocking(ref))
    )


async def _none() -> Neighbours:
    return Neighbours()
