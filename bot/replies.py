"""What is written back to a request: the reactions, and the one reply that covers all of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.boxes import REPLY
from bot.commands import Said
from bot.errors import NotFound, Permanent
from bot.folding import folded
from bot.gitea.models import Comment, User
from bot.models import IssueRef
from bot.render import BREAK, Renderer
from bot.requests import Request, Result, digest

log = structlog.get_logger(__name__)

LONGEST_MESSAGE = 1_000  # characters

# What is code or escaped, what is not, and where Gitea would see a mention, reference or address.
_UNSAFE = re.compile(
    r"(\\[`*_~<|&$\\]|&#(?:38|60|9[1-3]|96|124|8203);|(?<!`)`[^`]+`(?!`))|([`<|&\[\\])"
    r"|(?<=@)(?=\w)|(?<=[#!])(?=\d)|(?<=:)(?=[/\w+-])|(?<=www)(?=\.)",
    re.IGNORECASE,
)


class Pen(Protocol):
    """What answering needs of Gitea."""

    def comments(self, ref: IssueRef, *, since: datetime | None = None) -> AsyncIterator[Comment]:
        """All comments of an issue."""

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        """Write a comment."""

    async def edit_comment(self, repo: str, id: int, body: str) -> Comment:  # noqa: A002
        """Replace a comment's text."""

    async def react(self, ref: IssueRef, content: str) -> None:
        """React to an issue."""

    async def react_to_comment(self, repo: str, id: int, content: str) -> None:  # noqa: A002
        """React to a comment."""


class Replies:
    """Answers requests; `find` finds the commands of a text."""

    def __init__(
        self, gitea: Pen, renderer: Renderer, bot: User, find: Callable[[str], tuple[Said, ...]]
    ) -> None:
        self._gitea = gitea
        self._renderer = renderer
        self._bot = bot
        self._find = find

    async def react(self, request: Request, content: str) -> None:
        """React to where it was said: a courtesy; where it is refused, the work goes on."""
        try:
            if request.boxes:
                return
            if request.comment is None:
                await self._gitea.react(request.issue, content)
            else:
                repo = request.issue.repository
                await self._gitea.react_to_comment(repo, request.comment, content)
        except Permanent as error:
            log.info("reaction.refused", issue=str(request.issue), error=str(error))

    async def say(self, request: Request, results: Sequence[Result]) -> None:
        """Reply, where there is anything to say; what this request was replied is edited.

        Where it was said is nothing any longer, nobody waits for a reply.
        """
        if all(r.good and not r.note and not r.answer for r in results):
            return
        try:
            await self._write(request, results)
        except NotFound as error:
            log.info("reply.refused", issue=str(request.issue), error=str(error))

    async def _write(self, request: Request, results: Sequence[Result]) -> None:
        body = self._body(request, results)
        last = await self._reply_to_edit(request, _question(request, results))
        if last is None:
            await self._gitea.create_comment(request.issue, body)
        elif last.body != body:
            await self._gitea.edit_comment(request.issue.repository, last.id, body)

    def _body(self, request: Request, results: Sequence[Result]) -> str:
        said = self._renderer.reply(
            "replies/results",
            issue=request.issue,
            results=results,
            plain=all(r.answer for r in results),
        ).strip()
        shown, rest = folded(said)
        if rest:
            said = self._renderer.reply("replies/folded", shown=shown, rest=rest).strip()
        return f"{_marker(request)}asked={_question(request, results)} -->\n{said}\n"

    async def _reply_to_edit(self, request: Request, question: str) -> Comment | None:
        """The reply to this very request, or the last answer when only asking came after it."""
        last: Comment | None = None
        async for comment in self._gitea.comments(request.issue):
            if comment.user.id == self._bot.id and comment.body.startswith(REPLY):
                if comment.body.startswith(_marker(request)):
                    return comment
                answers = comment.body.partition(" -->")[0].endswith(f" asked={question}")
                last = comment if question and answers else None
            elif last is not None and not self._only_asks(comment, question):
                last = None
        return last

    def _only_asks(self, comment: Comment, question: str) -> bool:
        """Whether a comment holds nothing but that question."""
        said = self._find(comment.body)
        lines = [line for line in comment.body.splitlines() if line.strip()]
        return len(said) == len(lines) == 1 and digest(said[0].text) == question


def _marker(request: Request) -> str:
    """How the reply to a request begins: by it a crash in the middle makes no second one."""
    return f"{REPLY} {request.name} "


def _question(request: Request, results: Sequence[Result]) -> str:
    """What a request asks, by which the same question is known again; empty for all others."""
    if len(results) == 1 and results[0].answer:
        return digest(request.said[0].text)
    return ""


def harmless(message: str) -> str:
    """A message as one line of Markdown in which at most code stands out.

    Whoever wrote it should have escaped what a person said; should that be forgotten, it still is
    no mention, link, reference, table cell or HTML. What is escaped already is left as it is.
    """
    line = " ".join(message.split())[:LONGEST_MESSAGE]
    return _UNSAFE.sub(lambda m: m[1] or (f"&#{ord(m[2])};" if m[2] else BREAK), line)
