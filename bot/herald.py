"""Telling people that an issue became ready, or waits again: one new comment, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import structlog

from bot.errors import Forbidden
from bot.gitea.models import Comment, Issue, User
from bot.models import IssueRef, Report
from bot.render import Renderer
from bot.transitions import Notice

log = structlog.get_logger(__name__)


class Gitea(Protocol):
    """What this needs of Gitea."""

    def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        """All comments of an issue."""

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        """Write a comment."""


class Herald:
    """Posts notices. Each has a token, by which one that stands there already is known."""

    def __init__(self, gitea: Gitea, renderer: Renderer, bot: User) -> None:
        self._gitea = gitea
        self._renderer = renderer
        self._bot = bot

    async def tell(self, issue: Issue, notice: Notice, report: Report, *, again: bool) -> None:
        """Post a notice. `again`: it was tried before, so it may stand there already.

        Where Gitea takes no comment of the bot's, as on a locked issue, it is not told: the report
        says the same, and is kept true all the same.
        """
        body = self._renderer.reply(
            "replies/turned",
            issue=issue.ref,
            notice=notice,
            report=report,
            people=[one.login for one in issue.assignees if one.id != self._bot.id],
        )
        if again and await self._stands(issue.ref, body.partition("\n")[0]):
            return
        try:
            await self._gitea.create_comment(issue.ref, body)
        except Forbidden as error:
            log.warning("notice.refused", issue=str(issue.ref), error=str(error))
            return
        log.info("notice", issue=str(issue.ref), turn=notice.turn.value)

    async def _stands(self, ref: IssueRef, marker: str) -> bool:
        async for comment in self._gitea.comments(ref):
            if comment.user.id == self._bot.id and comment.body.startswith(marker):
                return True
        return False
