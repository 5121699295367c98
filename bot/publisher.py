"""A report on its issue: the one comment and the labels, and what the bot leaves when it goes.

What the labels are called is the repository's to say. It may say otherwise one day, so what the
bot gave an issue is remembered: that goes when it is called otherwise, and nothing that people gave
it under the old names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.gitea.models import Comment, Issue
from bot.labels import LabelBook, LabelSpec
from bot.models import IssueRef, Report, Status, Warn, WarningKind
from bot.policy import Policy
from bot.publish import Labels, StickyComment
from bot.render import Renderer
from bot.sayings import Field, Overrides
from bot.side_by_side import side_by_side
from bot.store.queries import Known

log = structlog.get_logger(__name__)

_BEGUN = f"/{Status.IN_PROGRESS}"

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
    """Where the report stands: the comment's id, when the bot last wrote it, and the labels."""

    id: int
    at: str
    labels: tuple[str, ...] | None = None


class Publisher:
    """Writes reports, where they differ from what stands there."""

    def __init__(
        self,
        *,
        comment: StickyComment,
        labels: Labels,
        site: Policy,
        renderer: Renderer,
        sayings: Sayings,
        observer: Observer,
        ticks: Ticks,
        hear: Hear,
    ) -> None:
        self._comment = comment
        self._labels = labels
        self._names = [*(agent.name for agent in site.agents)]
        self._site = self._book(site)
        self._renderer = renderer
        self._sayings = sayings
        self._observer = observer
        self._ticks = ticks
        self._hear = hear

    def _book(self, policy: Policy) -> LabelBook:
        return LabelBook(policy.scopes, self._names)

    def in_progress(self, issue: Issue, known: Known, policy: Policy) -> bool:
        """Whether the issue carries the label by which somebody says that they have begun.

        That may be the old one, where it is called otherwise since the last look.
        """
        names = {self._book(policy).in_progress}
        names |= {name for name in self._before(known) if name.endswith(_BEGUN)}
        return any(_carries(issue, name) for name in names)

    def _before(self, known: Known) -> frozenset[str]:
        """The labels that the bot gave the issue, in lower case.

        Those of the settings, where it was labelled by a version that did not remember it.
        """
        if known.labels is not None:
            return frozenset(name.casefold() for name in known.labels)
        return self._site.owned if known.coordinated else frozenset()

    def status(self, issue: Issue, policy: Policy) -> str:
        """The status that its label shows; empty where there is none."""
        book = self._book(policy)
        shown = {status.value: book.status(status) for status in Status}
        return next((value for value, name in shown.items() if _carries(issue, name)), "")

    async def remembered(self, ref: IssueRef, comment_id: int | None) -> Comment | None:
        """The comment of a remembered id; None when there is none, or it was deleted."""
        return await self._comment.remembered(ref, comment_id)

    async def publish(
        self,
        issue: Issue,
        comment: Comment | None,
        known: Known,
        report: Report,
        *,
        said: Overrides,
        policy: Policy,
    ) -> Written:
        """Write the comment and the labels side by side. `comment` is the remembered one."""
        wanted = self._book(policy).wanted(report) if policy.labels else ()
        comment = comment or await self._comment.find(issue)
        refused = self._refused(issue)
        if comment and refused is None:
            # The first look since the start: what the comment has to say of labels is not known,
            # and it is not to be rewritten twice to find out.
            labelled = await self._label(issue, wanted, known, said=said, policy=policy)
            stands, written = await self._say(issue, comment, known, report)
        else:
            (stands, written), labelled = await side_by_side(
                self._say(issue, comment, known, report),
                self._label(issue, wanted, known, said=said, policy=policy),
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
        labels = tuple(spec.name for spec in wanted)
        return replace(stands, labels=known.labels if self._refused(issue) else labels)

    async def end(
        self,
        issue: Issue,
        comment: Comment | None,
        known: Known,
        *,
        said: Overrides,
        policy: Policy,
    ) -> int | None:
        """Say in the comment that it ended, and take the labels off; the comment's id, if any."""
        comment = comment or await self._comment.find(issue)
        if comment:
            body = self._renderer.ended(issue=issue.ref, bot=self._comment.bot.login)
            await self._comment.put(issue, comment, body)
        await self._label(issue, (), known, said=said, policy=policy)
        log.info("issue.left", issue=str(issue.ref))
        return comment.id if comment else None

    async def _label(
        self,
        issue: Issue,
        wanted: Sequence[LabelSpec],
        known: Known,
        *,
        said: Overrides,
        policy: Policy,
    ) -> bool:
        """Make the issue carry these labels; whether anything was written.

        Priorities are the bot's where a command spoke of one. That it was taken away is forgotten
        with the label: whoever sets one by hand afterwards keeps it. Where no labels are set, only
        what the bot gave is taken away, and not by which somebody says that they have begun.
        """
        spoken, book = said.get(Field.PRIORITY), self._book(policy)
        owned = self._before(known)
        if policy.labels:
            owned |= book.owned | (book.priorities if spoken else frozenset())
        else:
            owned = frozenset(name for name in owned if not name.endswith(_BEGUN))
        written = await self._labels.put(issue, wanted, owned=owned)
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
