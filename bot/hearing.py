"""What is left to do of what was said, whether an event tells of it or it is found by asking.

Both lead to the same commands, and either may come first, or while the other is at work. What one
of them did is in the ledger, and the other leaves it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.boxes import standing, still_asked
from bot.errors import NotFound
from bot.gitea.events import Event, EventComment
from bot.gitea.models import Comment, Issue, Repository
from bot.ledger import Ledger, left_of_event, left_to_hear, pass_over
from bot.listening import TICKED, Listener
from bot.models import IssueRef
from bot.requests import PASSED, Request, Wanted, name_of
from bot.sayings import Field
from bot.ticks import Ticks, moment, place, version, wanted

SOMEBODY = ""  # who may write, and so could tick


class Reader(Protocol):
    """What is asked of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""

    async def comment(self, repo: str, id: int) -> Comment:  # noqa: A002
        """One comment."""

    def comments(self, ref: IssueRef, *, since: datetime | None = None) -> AsyncIterator[Comment]:
        """Those of an issue that were written or edited since then."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """A repository."""


@dataclass(frozen=True, slots=True)
class Found:
    """A comment, or without one the issue's text; `old`: so long past that nothing is done."""

    issue: Issue
    comment: Comment | None
    old: bool


class Hearing:
    """Makes requests of what was said, and leaves out what was done."""

    def __init__(self, gitea: Reader, ledger: Ledger, listener: Listener) -> None:
        self._gitea = gitea
        self._ledger = ledger
        self._listener = listener
        self._ticks = Ticks(ledger)

    # -- by an event ------------------------------------------------------------------------

    async def told(self, event: Event, written_at: str) -> Request | None:
        """What an event asks for; `written_at`: when the bot last wrote the comment it is about."""
        # Reading a long comment takes a while; in a thread it holds nobody else up.
        request, passed = await asyncio.to_thread(self._read, event)
        await pass_over(self._ledger, passed)
        if request is None or not request.wanted:
            return None
        if request.boxes and event.comment:
            request = await self._ticked(request, event.comment, written_at)
        if not request.wanted or not self._listener.listens_to(event):
            return None
        request = await left_of_event(request, self._ledger)
        return request if request.wanted else None

    def _read(self, event: Event) -> tuple[Request | None, tuple[Wanted, ...]]:
        return self._listener.request(event), self._listener.passed_over(event)

    async def _ticked(self, request: Request, comment: EventComment, written_at: str) -> Request:
        """Without ticks that were found by asking; of the others it is noted that they are heard.

        That is noted before they are done: the event comes again until they are, and meanwhile
        nobody else is to do them, or to wait for them.
        """
        at = moment(comment.updated_at)
        kept = [o for o in request.wanted if not await self._ticks.is_late(comment.id, at, o.said)]
        written = version(comment.body, written_at, at)
        await self._ticks.note(comment.id, written, [one.said for one in kept])
        return replace(request, wanted=tuple(kept))

    # -- by asking --------------------------------------------------------------------------

    async def missed_before(
        self, event: Event, oldest: datetime, in_hand: Collection[int]
    ) -> list[int]:
        """Comments with commands that nobody has heard, before an event's comment, since `oldest`.

        Their events were lost; to do them when they are found would overrule what was said later.
        The events of those `in_hand` are not: their turn comes.
        """
        comment = event.comment
        if event.issue is None or comment is None or event.action != "created":
            return []
        try:
            said = [one async for one in self._gitea.comments(event.issue, since=oldest)]
        except NotFound:  # deleted meanwhile
            return []
        earlier = [
            one
            for one in said
            if one.id < comment.id and one.id not in in_hand and one.created_at >= oldest
        ]
        return [one.id for one in earlier if await self._is_missed(one)]

    async def _is_missed(self, comment: Comment) -> bool:
        own = self._listener.is_me(comment.user.login)
        if own or not await asyncio.to_thread(self._listener.holds_commands, comment):
            return False
        origin = f"comment:{comment.id}:"
        done = [await self._ledger.finished(where) for where in (origin, f"{PASSED}:{origin}")]
        return not any(done)

    async def read(
        self, ref: IssueRef, comments: Collection[int], *, opening: bool, oldest: datetime
    ) -> list[Found]:
        """Comments of an issue as they are now, in order; with `opening` its text before them.

        Without those that were deleted. Nothing of a repository that is archived, and nothing of
        before it was made counts: what was imported into it stands under the name of whoever did
        that.
        """
        try:
            issue = await self._gitea.issue(ref)
            repository = await self._gitea.repository(issue.ref.owner, issue.ref.repo)
        except NotFound:
            return []
        if repository.archived:
            return []
        oldest = max(oldest, repository.created_at or oldest)
        found = [Found(issue, None, issue.created_at < oldest)] if opening else []
        for number in sorted(set(comments)):
            comment = await self._comment(issue, number)
            if comment:
                found.append(Found(issue, comment, self._said_at(comment) < oldest))
        return found

    async def _comment(self, issue: Issue, number: int) -> Comment | None:
        try:
            comment = await self._gitea.comment(issue.ref.repository, number)
        except NotFound:
            return None
        return comment if comment.number == issue.number else None

    def _said_at(self, comment: Comment) -> datetime:
        """When its commands were said. Of a person's comment, when it was written.

        An edit moves the other time, whatever it changed: an old comment in which somebody mends a
        word would be done. In the bot's own an edit is all there is of a tick.
        """
        own = self._listener.is_me(comment.user.login)
        return comment.updated_at if own else comment.created_at

    async def asked(self, found: Found, written_at: str) -> list[Request]:
        """What is asked for there and was not done; of boxes a request also when it is nothing."""
        issue, comment = found.issue, found.comment
        if comment and self._listener.is_me(comment.user.login):
            return await self._in_boxes(found, comment, written_at)
        if found.old:
            return []
        if comment:
            request = await asyncio.to_thread(self._listener.in_comment, issue, comment)
        else:
            request = await asyncio.to_thread(self._listener.in_text, issue)
        return await left_to_hear(request, self._ledger) if request else []

    async def _in_boxes(self, found: Found, comment: Comment, written_at: str) -> list[Request]:
        """The ticks that nobody heard; those that are not done count as heard from now on."""
        ref = found.issue.ref
        held = (await self._ledger.overrides(ref)).get(Field.HOLD) is not None
        written = version(comment.body, written_at, comment.updated_at)
        origin, there = place(comment.id, written), standing(comment.body)
        said = () if found.old else still_asked(there, on_hold=held)
        request = Request(
            issue=ref,
            sender=SOMEBODY,
            wanted=wanted(comment.id, written, said),
            origin=origin,
            name=name_of(origin, said),
            comment=comment.id,
            is_pull=found.issue.is_pull,
            boxes=True,
            doubt=TICKED,
        )
        left = await left_to_hear(request, self._ledger)
        heard = [one for part in left for one in part.said]
        await self._ticks.find(comment, heard)
        await self._ticks.note(comment.id, written, [one for one in there if one not in heard])
        return left or [replace(request, wanted=())]
