"""Who may say a command: asked of Gitea for the person who says it, each time."""

from __future__ import annotations

from typing import Protocol

from bot.commands import Command, Right
from bot.errors import Forbidden, NotFound, UserError
from bot.gitea.models import Issue, Permission
from bot.models import IssueRef
from bot.requests import Request


class Registry(Protocol):
    """What is asked of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""

    async def permission(self, repo: str, user: str) -> Permission:
        """What a user may in a repository."""


class Rights:
    """What the sender of a request may, asked once and only when a command needs it.

    Where it is not certain who asks, it is the author or somebody who may write here: so what the
    author may, up to writing, whoever it was may too.
    """

    def __init__(self, gitea: Registry, request: Request) -> None:
        self._gitea = gitea
        self._request = request
        self._found: Right | None = None

    async def need(self, command: Command) -> Right:
        """The sender's right, which is enough for the command here; else UserError."""
        right = command.who
        if self._request.is_pull and not command.on_pulls:
            raise UserError("this is for issues; a pull request has no report")
        if right is Right.ANYONE:
            return Right.ANYONE
        if self._request.doubt and right is Right.ADMIN:
            raise UserError(self._request.doubt)
        if not self._request.sender:
            return Right.WRITE
        if right is Right.CONCERNED and await self._is_concerned():
            return Right.CONCERNED
        found = await self._right()
        if found < max(right, Right.WRITE):
            what = "be an administrator of" if right is Right.ADMIN else "write in"
            also = ", be the issue's author or an assignee" if right is Right.CONCERNED else ""
            raise UserError(f"for this you have to {what} this repository{also}")
        return min(found, Right.WRITE) if self._request.doubt else found

    async def _is_concerned(self) -> bool:
        issue = await self._gitea.issue(self._request.issue)
        sender = self._request.sender
        return issue.user.is_called(sender) or issue.assigned_to(sender)

    async def _right(self) -> Right:
        if self._found is None:
            try:
                found = await self._gitea.permission(
                    self._request.issue.repository, self._request.sender
                )
            except NotFound:
                raise UserError("Gitea does not know you here") from None
            except Forbidden:
                raise UserError(
                    "I cannot look up what you may do here; make me an administrator of this "
                    "repository"
                ) from None
            self._found = right_of(found)
        return self._found


def right_of(permission: Permission) -> Right:
    """Gitea's word for it as ours."""
    if permission.can_administer:
        return Right.ADMIN
    return Right.WRITE if permission.can_write else Right.ANYONE
