"""A report on its issue: the one comment and the labels, and what the bot leaves when it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.gitea.models import Comment, Issue
from bot.labels import LabelBook, LabelSpec
from bot.models import IssueRef, Report, Status, Warn, WarningKind
from bot.publish import Labels, StickyComment
from bot.render import Renderer
from bot.sayings import Field, Overrides
from bot.side_by_side import side_by_side
from bot.store.queries import Known

log = structlog.get_logger(__name__)

Hear = Callable[[IssueRef, Collection[int]], Awaitable[None]]
"""Has comments of an issue heard, durably, after this."""


class Sayings(Protocol):
    """What people said by commands, as far as this is concerned."""

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Let something that was said hold no longer."""


class Observer(Protocol):
    """What the metrics want to know of reports."""

    def report(self, *, written: bool) -> None:
        """Called once for each report: written, or left alone because nothing differed."""


class Ticks(Protocol):
    """The boxes that people ticked."""

    async def unheard(
        self, comment: Comment, written_at: str, *, on_hold: bool
    ) -> Collection[object]:
        """The ticks in the bot's comment that were not done yet."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report stands: the comment's id, and when the bot last wrote it."""

    id: int
    at: str


class Publisher:
    """Writes reports, where they differ from what stands there."""

    def __init__(
        self,
        *,
        comment: StickyComment,
        labels: Labels,
        book: LabelBook,
        renderer: Renderer,
        sayings: Sayings,
        observer: Observer,
        ticks: Ticks,
        hear: Hear,
    ) -> None:
        self._comment = comment
        self._labels = labels
        self._book = book
        self._renderer = renderer
        self._sayings = sayings
        self._observer = observer
        self._ticks = ticks
        self._hear = hear

    def in_progress(self, issue: Issue) -> bool:
        """Whether the issue carries the label by which somebody says that they have begun."""
        return _carries(issue, self._book.in_progress)

    def status(self, issue: Issue) -> str:
        """The status that its label shows; empty where there is none."""
        shown = {status.value: self._book.status(status) for status in Status}
        return next((value for value, name in shown.items() if _carries(issue, name)), "")

    async def remembered(self, ref: IssueRef, comment_id: int | None) -> Comment | None:
        """The comment of a remembered id; None when there is none, or it was deleted."""
        return await self._comment.remembered(ref, comment_id)

    async def publish(
        self, issue: Issue, comment: Comment | None, known: Known, report: Report, said: Overrides
    ) -> Written:
        """Write the comment and the labels side by side. `comment` is the remembered one."""
        wanted = self._book.wanted(report)
        comment = comment or await self._comment.find(issue)
        refused = self._refused(issue)
        if comment and refused is None:
            # The first look since the start: what the comment has to say of labels is not known,
            # and it is not to be rewritten twice to find out.
            labelled = await self._label(issue, wanted, said)
            stands, written = await self._say(issue, comment, known, report)
        else:
            (stands, written), labelled = await side_by_side(
                self._say(issue, comment, known, report), self._label(issue, wanted, said)
            )
            if bool(refused) is not bool(self._refused(issue)):
                comment = await self._comment.remembered(issue.ref, stands.id)
                known = replace(known, comment_at=stands.at)
                stands, written = await self._say(issue, comment, known, report)
        self._observer.report(written=written or labelled)
        log.info(
            "report.written" if written else "report.unchanged",
            issue=str(issue.ref),
            status=report.status.value,
            labelled=labelled,
        )
        return stands

    async def end(self, issue: Issue, comment: Comment | None, said: Overrides) -> int | None:
        """Say in the comment that it ended, and take the labels off; the comment's id, if any."""
        comment = comment or await self._comment.find(issue)
        if comment:
            body = self._renderer.ended(issue=issue.ref, bot=self._comment.bot.login)
            await self._comment.put(issue, comment, body)
        await self._label(issue, (), said)
        log.info("issue.left", issue=str(issue.ref))
        return comment.id if comment else None

    async def _label(self, issue: Issue, wanted: Sequence[LabelSpec], said: Overrides) -> bool:
        """Make the issue carry these labels; whether anything was written.

        Priorities are the bot's where a command spoke of one. That it was taken away is forgotten
        with the label: whoever sets one by hand afterwards keeps it.
        """
        spoken = said.get(Field.PRIORITY)
        drop = self._book.priorities if spoken else ()
        written = await self._labels.put(issue, wanted, drop=drop)
        if spoken and said.priority is None and not self._refused(issue):
            await self._sayings.give_back(issue.ref, Field.PRIORITY)
        return written

    def _refused(self, issue: Issue) -> bool | None:
        return self._labels.refused(issue.ref.repository)

    async def _say(
        self, issue: Issue, comment: Comment | None, known: Known, report: Report
    ) -> tuple[Written, bool]:
        """Make the comment say the report, and whether labels are refused as far as is known.

        A tick that was not done yet is heard first: it would be gone with the old text.
        """
        if self._refused(issue):
            warnings = (*report.warnings, Warn(WarningKind.LABELS_REFUSED))
            report = replace(report, warnings=warnings)
        body = self._renderer.report(report)
        if comment and comment.body != body and await self._unheard(comment, known):
            await self._hear(issue.ref, [comment.id])
            return Written(comment.id, known.comment_at), False
        stands, written = await self._comment.put(issue, comment, body)
        return Written(stands.id, stands.updated_at.isoformat()), written

    async def _unheard(self, comment: Comment, known: Known) -> bool:
        on_hold = known.status == Status.HOLD
        return bool(await self._ticks.unheard(comment, known.comment_at, on_hold=on_hold))


def _carries(issue: Issue, name: str) -> bool:
    return any(label.name.casefold() == name.casefold() for label in issue.labels)
