"""What no list of changes shows: what was deleted, another name, an archived repository.

Once an hour what is thought open is compared with what is; in as few calls as can be.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Collection
from typing import Protocol

from bot.errors import NotFound
from bot.gitea.models import Issue, Repository
from bot.models import IssueRef

FEW = 2  # so many are asked one by one: counting and listing takes at least as many calls


class OpenIssues(Protocol):
    """What this needs of Gitea."""

    @property
    def page_size(self) -> int:
        """How many issues a page of a list holds."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """What Gitea says of a repository."""

    async def issue(self, ref: IssueRef) -> Issue:
        """An issue as it is now."""

    def open_issues(self, repo: str) -> AsyncIterator[Issue]:
        """What is open in a repository."""

    async def count_open(self, repo: str) -> int | None:
        """How many that are; None where Gitea does not tell."""


async def not_open(gitea: OpenIssues, repository: str, refs: Collection[IssueRef]) -> set[IssueRef]:
    """Those of a repository's issues that are closed or gone. Raises GiteaError."""
    if not refs:
        return set()
    if await _fewer_than_pages(gitea, repository, len(refs)):
        return {ref for ref in refs if not await _is_open(gitea, ref)}
    numbers = {issue.number async for issue in gitea.open_issues(repository)}
    return {ref for ref in refs if ref.number not in numbers}


async def _fewer_than_pages(gitea: OpenIssues, repository: str, calls: int) -> bool:
    if calls <= FEW:
        return True
    count = await gitea.count_open(repository)
    return count is not None and calls < math.ceil(count / gitea.page_size)


async def _is_open(gitea: OpenIssues, ref: IssueRef) -> bool:
    try:
        return (await gitea.issue(ref)).is_open
    except NotFound:
        return False
