"""reconcile(issue): read ▸ understand ▸ decide ▸ publish, whatever brought us here.

The issue is read as it is now, what should stand there is decided, and only what differs is
written. So it may be called at any time, twice, late or out of order. What it finds is remembered
before the issues that it concerns are looked at, and they are looked at before it is forgotten that
they must be: a crash at any point repeats work and loses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import structlog

from bot.decide import Facts, decide
from bot.errors import AIError, NotFound, Retryable
from bot.estimator import SizeLimits
from bot.gitea.models import Comment, Issue, NativeDependencies, User
from bot.labels import LabelBook, LabelSpec
from bot.models import (
    Agent,
    IssueRef,
    Metadata,
    Reading,
    Report,
    Source,
    Status,
    Warn,
    WarningKind,
)
from bot.parser import parse
from bot.publish import Labels, StickyComment
from bot.reading import Wanted
from bot.render import Renderer
from bot.repositories import Repositories
from bot.sayings import Field, Heard, LinkKind, Overrides
from bot.store.queries import Edge, Known, Store, kept_title
from bot.surroundings import Surroundings, Surveyor
from bot.unblock import fingerprint

log = structlog.get_logger(__name__)

A = TypeVar("A")
B = TypeVar("B")

Later = Callable[[Collection[IssueRef]], Awaitable[None]]
"""Has other issues looked at, durably, after this one."""


class IssueReader(Protocol):
    """What reading an issue needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""

    async def native_dependencies(self, ref: IssueRef) -> NativeDependencies:
        """What Gitea itself says that it waits for."""

    async def native_blocking(self, ref: IssueRef) -> list[Issue]:
        """What waits for it, as Gitea itself says."""


class TextReader(Protocol):
    """Claude, as far as this is concerned."""

    async def read(
        self, *, title: str, body: str, issue: IssueRef, wanted: frozenset[Wanted]
    ) -> Reading:
        """What stands in the text; raises AIError."""

    async def forget(self, *, title: str, body: str) -> None:
        """Ask afresh the next time."""


class Sayings(Protocol):
    """What people said by commands, as far as this is concerned."""

    async def heard(self, issue: IssueRef) -> Heard:
        """All that was said of an issue."""

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Let something that was said hold no longer."""


class Observer(Protocol):
    """What the metrics want to know of reports."""

    def report(self, *, written: bool) -> None:
        """Called once for each report: written, or left alone because nothing differed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings the judgement takes."""

    agents: tuple[Agent, ...]
    share: float
    limits: SizeLimits
    dependencies: int  # followed per issue
    hosts: frozenset[str]
    accept_ai_dependencies: str = "propose"  # propose, accept or ignore


@dataclass(frozen=True, slots=True)
class _Seen:
    """An issue as it was read, before anything is decided."""

    issue: Issue
    known: Known
    comment: Comment | None
    blockers: NativeDependencies
    blocking: list[Issue]


@dataclass(frozen=True, slots=True)
class _Understood:
    """What came of asking Claude: a reading, a failure, or nothing yet (`under_way`)."""

    reading: Reading | None = None
    failure: str | None = None
    under_way: asyncio.Future[object] | None = None


class _StillReading(Exception):  # noqa: N818 - not an error: all is said that can be said so far
    """A report was made without Claude, who has not answered yet; `done` when it has."""

    def __init__(self, done: asyncio.Future[object]) -> None:
        super().__init__()
        self.done = done


class Coordinator:
    """Keeps reports true. One call at a time per issue; the engine sees to that."""

    def __init__(
        self,
        *,
        gitea: IssueReader,
        store: Store,
        repositories: Repositories,
        surveyor: Surveyor,
        comment: StickyComment,
        labels: Labels,
        book: LabelBook,
        renderer: Renderer,
        bot: User,
        rules: Rules,
        reader: TextReader | None,
        sayings: Sayings,
        observer: Observer,
        patience: float = 1.0,
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._repositories = repositories
        self._surveyor = surveyor
        self._comment = comment
        self._labels = labels
        self._book = book
        self._renderer = renderer
        self._bot = bot
        self._rules = rules
        self._reader = reader
        self._sayings = sayings
        self._observer = observer
        self._patience = patience

    async def reconcile(self, ref: IssueRef, later: Later, *, afresh: bool = False) -> None:
        """Make what is said of an issue true. Raises GiteaError or StoreError.

        `afresh`: Claude is asked again, though the text is known.

        Nobody waits for Claude: where it takes longer than `patience` (seconds), a report is made
        without it, and once more, from what stands there then, when it has answered.
        """
        if afresh and self._reader is not None:
            issue = await self._gitea.issue(ref)
            await self._reader.forget(title=issue.title, body=issue.body)
        try:
            await self._pass(ref, later, self._patience)
        except _StillReading as reading:
            await reading.done
            await self._pass(ref, later, None)

    async def examine(self, ref: IssueRef) -> Report | None:
        """The report as decided now, nothing written; None when the issue is not coordinated."""
        known = await self._store.issue(ref)
        seen = await self._see(ref, known or Known(ref))
        if seen is None or not self._is_coordinated(seen.issue):
            return None
        metadata = self._parsed(seen.issue)
        understood = await self._understand(seen.issue, metadata, 0.0)
        heard = await self._sayings.heard(seen.issue.ref)
        return await self._judge(seen, metadata, understood, heard)

    async def _pass(self, ref: IssueRef, later: Later, patience: float | None) -> None:
        try:
            await self._settle(ref, later, patience)
        except NotFound:  # deleted under our hands, unless it is something else that is missing
            known = await self._store.issue(ref)
            if await self._see(ref, known or Known(ref)):
                raise
            await self._vanished(known, later)

    async def _settle(self, ref: IssueRef, later: Later, patience: float | None) -> None:
        known = await self._store.issue(ref)
        seen = await self._see(ref, known or Known(ref))
        if seen is None:
            await self._vanished(known, later)
        elif seen.issue.ref != ref:
            await self._moved(ref, seen.issue.ref, later)
        elif self._is_coordinated(seen.issue):
            await self._coordinate(seen, later, patience)
        elif known or await self._store.concerns(ref):
            await self._leave(seen, later)

    def _is_coordinated(self, issue: Issue) -> bool:
        """Whether the bot is among its assignees, whatever login it has by now."""
        return not issue.is_pull and any(user.id == self._bot.id for user in issue.assignees)

    # -- read -------------------------------------------------------------------------------

    async def _see(self, ref: IssueRef, known: Known) -> _Seen | None:
        """Everything about the issue itself, side by side; None when it cannot be seen."""
        try:
            async with asyncio.TaskGroup() as group:
                issue = group.create_task(self._gitea.issue(ref))
                comment = group.create_task(self._comment.remembered(ref, known.comment_id))
                blockers = group.create_task(self._gitea.native_dependencies(ref))
                blocking = group.create_task(self._native_blocking(ref))
        except ExceptionGroup as errors:
            first = _worst(errors.exceptions)
            if isinstance(first, NotFound):
                return None
            raise first from None
        return _Seen(
            issue=issue.result(),
            known=replace(known, ref=issue.result().ref),
            comment=comment.result(),
            blockers=blockers.result(),
            blocking=blocking.result(),
        )

    async def _native_blocking(self, ref: IssueRef) -> list[Issue]:
        try:
            return await self._gitea.native_blocking(ref)
        except NotFound:
            return []

    # -- the ways it can stand --------------------------------------------------------------

    async def _vanished(self, known: Known | None, later: Later) -> None:
        """The issue is gone, or the bot may no longer see it: others may wait for it."""
        if known is None:
            return
        log.info("issue.vanished", issue=str(known.ref))
        old = await self._store.said_by(known.ref)
        concerned = _ends(old) | await self._around(known.ref)
        await self._remember(
            replace(known, coordinated=False, comment_id=None, status="", agent="", cycle=()),
            edges=(),
            concerned=concerned,
            state="gone" if known.state == "gone" else "unseen",
            later=later,
        )

    async def _moved(self, old: IssueRef, new: IssueRef, later: Later) -> None:
        """Its repository has another name now: it is looked at there, one look at a time."""
        log.info("issue.moved", issue=str(old), now=str(new))
        await self._store.move(old, new)
        await later([new])

    async def _leave(self, seen: _Seen, later: Later) -> None:
        """Not coordinated, or no longer: say so where a report stands, and take labels off."""
        issue, known = seen.issue, seen.known
        comment = seen.comment
        if known.coordinated:
            comment = comment or await self._comment.find(issue)
            if comment:
                body = self._renderer.ended(issue=issue.ref, bot=self._bot.login)
                await self._comment.put(issue, comment, body)
            said = (await self._sayings.heard(issue.ref)).overrides
            await self._label(issue, (), said)
            log.info("issue.left", issue=str(issue.ref))
        concerned = _ends(await self._store.said_by(issue.ref))
        if _shows_otherwise(known, issue):
            concerned |= await self._around(issue.ref)
        await self._remember(
            replace(
                known,
                coordinated=False,
                comment_id=comment.id if comment else None,
                title=issue.title,
                status="",
                agent="",
                cycle=(),
            ),
            edges=(),
            concerned=concerned | set(known.cycle),
            state=issue.state,
            later=later,
        )

    async def _coordinate(self, seen: _Seen, later: Later, patience: float | None) -> None:
        issue, known = seen.issue, seen.known
        metadata = self._parsed(issue)
        understood = await self._understand(issue, metadata, patience)
        heard = await self._sayings.heard(issue.ref)
        edges = self._edges(seen, metadata, understood.reading, heard)
        changed = _ends(await self._store.said_by(issue.ref) ^ edges)
        known = replace(known, coordinated=True, owed=tuple({*known.owed, *changed}))
        await self._store.save(known, edges)

        report = await self._judge(seen, metadata, understood, heard)
        comment_id = (
            known.comment_id if heard.pause else await self._publish(seen, report, heard.overrides)
        )

        concerned = set[IssueRef]()
        if set(known.cycle) != set(report.cycle):
            concerned |= set(known.cycle) | set(report.cycle)
        if _shows_otherwise(known, issue):
            concerned |= await self._around(issue.ref)
        await self._remember(
            replace(
                known,
                comment_id=comment_id,
                title=issue.title,
                status=report.status.value,
                agent=report.assignment.agent.name if report.assignment.agent else "",
                cycle=report.cycle,
            ),
            edges=None,
            concerned=concerned,
            state=issue.state,
            later=later,
        )
        if understood.under_way:
            raise _StillReading(understood.under_way)

    def _parsed(self, issue: Issue) -> Metadata:
        hosts = self._rules.hosts or None
        return parse(issue.body, issue=issue.ref, title=issue.title, hosts=hosts)

    # -- understand -------------------------------------------------------------------------

    async def _understand(
        self, issue: Issue, metadata: Metadata, patience: float | None
    ) -> _Understood:
        """What Claude reads of what is not declared, why it could not be asked, or neither yet."""
        wanted = _wanted(metadata)
        if self._reader is None or not wanted or not issue.is_open:
            return _Understood()
        asked = asyncio.ensure_future(
            self._reader.read(title=issue.title, body=issue.body, issue=issue.ref, wanted=wanted)
        )
        try:
            await asyncio.wait([asked], timeout=patience)
            if not asked.done():
                return _Understood(under_way=asyncio.ensure_future(asyncio.wait([asked])))
            return _Understood(reading=asked.result())
        except AIError as error:
            log.warning("ai.failed", issue=str(issue.ref), error=str(error))
            return _Understood(failure=str(error))

    def _edges(
        self, seen: _Seen, metadata: Metadata, reading: Reading | None, heard: Heard
    ) -> set[Edge]:
        """What this issue says of who waits for whom.

        That another issue waits for this one is believed within a repository only: whoever may
        write a text here need not have a say there.
        """
        me = seen.issue.ref
        said = {Edge(me, ref, me, Source.DECLARED) for ref in metadata.blocked_by}
        said |= {Edge(ref, me, me, Source.DECLARED) for ref in metadata.blocks if _near(ref, me)}
        said |= {Edge(me, other.ref, me, Source.GITEA) for other in seen.blockers.issues}
        said |= {Edge(other.ref, me, me, Source.GITEA) for other in seen.blocking}
        if reading and self._rules.accept_ai_dependencies == "accept":
            said |= {Edge(me, ref, me, Source.AI) for ref in reading.blocked_by}
        said |= {
            Edge(link.waits, link.on, me, Source.COMMAND)
            for link in heard.links
            if link.kind is LinkKind.ADDED
        }
        return {
            edge
            for edge in said
            if edge.waits != edge.on and (edge.waits, edge.on) not in heard.ignored
        }

    def _proposed(self, reading: Reading | None, heard: Heard) -> tuple[IssueRef, ...]:
        """What Claude thinks it waits for, and nobody has said a word about."""
        if reading is None or self._rules.accept_ai_dependencies != "propose":
            return ()
        return tuple(ref for ref in reading.blocked_by if ref not in heard.linked)

    # -- decide -----------------------------------------------------------------------------

    async def _judge(
        self, seen: _Seen, metadata: Metadata, understood: _Understood, heard: Heard
    ) -> Report:
        """Look around, and decide."""
        me = seen.issue.ref
        tree, around = await asyncio.gather(
            self._repositories.tree(me.repository),
            self._surveyor.survey(
                me,
                native=(*seen.blockers.issues, *seen.blocking),
                named={*metadata.blocked_by, *metadata.blocks, *heard.linked}
                - heard.unlinked
                - {me},
                proposed=self._proposed(understood.reading, heard),
                most=self._rules.dependencies,
                ignored=heard.ignored,
            ),
        )
        facts = await self._facts(seen, metadata, understood, around, tree)
        facts = _with_said(facts, heard)
        report = decide(facts)
        unblock = heard.overrides.get(Field.UNBLOCK)
        if unblock:
            still = fingerprint(facts.text, [one.ref for one in report.open_blockers])
            if unblock.value == still:
                report = decide(replace(facts, unblocked=unblock))
            elif report.status is not Status.CLOSED:
                await self._sayings.give_back(me, Field.UNBLOCK)
        if understood.under_way:
            report = replace(report, warnings=(*report.warnings, Warn(WarningKind.READING)))
        return report

    async def _facts(
        self,
        seen: _Seen,
        metadata: Metadata,
        understood: _Understood,
        around: Surroundings,
        tree: Mapping[str, int] | None,
    ) -> Facts:
        issue, rules = seen.issue, self._rules
        begun = _carries(issue, self._book.in_progress)
        return Facts(
            issue=issue.ref,
            title=issue.title,
            text=f"{issue.title}\n\n{issue.body}",
            metadata=metadata,
            reading=understood.reading,
            ai_failure=understood.failure,
            blockers=around.blockers,
            waiting=around.waiting,
            proposals=around.proposals,
            edges=around.edges,
            states=around.states,
            titles=around.titles,
            dependencies_found=around.found,
            dependencies_followed=around.followed,
            hidden_blockers=around.hidden + seen.blockers.unseen,
            tree=tree,
            agents=rules.agents,
            busy=await self._store.busy(besides=issue.ref),
            share=rules.share,
            limits=rules.limits,
            is_closed=not issue.is_open,
            in_progress=begun,
            at_work=(seen.known.agent or None) if begun else None,
            bot=self._bot.login,
        )

    # -- publish ----------------------------------------------------------------------------

    async def _publish(self, seen: _Seen, report: Report, said: Overrides) -> int:
        """Write the comment and the labels side by side; the comment's id."""
        issue, wanted = seen.issue, self._book.wanted(report)
        comment = seen.comment or await self._comment.find(issue)
        refused = self._refused(issue)
        if comment and refused is None:
            # The first look since the start: what the comment has to say of labels is not known,
            # and it is not to be rewritten twice to find out.
            labelled = await self._label(issue, wanted, said)
            comment_id, written = await self._say(issue, comment, report)
        else:
            (comment_id, written), labelled = await _side_by_side(
                self._say(issue, comment, report), self._label(issue, wanted, said)
            )
            if bool(refused) is not bool(self._refused(issue)):
                comment = await self._comment.remembered(issue.ref, comment_id)
                comment_id, written = await self._say(issue, comment, report)
        self._observer.report(written=written or labelled)
        log.info(
            "report.written" if written else "report.unchanged",
            issue=str(issue.ref),
            status=report.status.value,
            labelled=labelled,
        )
        return comment_id

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

    async def _say(self, issue: Issue, comment: Comment | None, report: Report) -> tuple[int, bool]:
        """Make the comment say the report, and whether labels are refused as far as is known."""
        if self._refused(issue):
            warnings = (*report.warnings, Warn(WarningKind.LABELS_REFUSED))
            report = replace(report, warnings=warnings)
        return await self._comment.put(issue, comment, self._renderer.report(report))

    # -- remember, and have others looked at ------------------------------------------------

    async def _remember(
        self,
        known: Known,
        *,
        edges: Iterable[Edge] | None,
        concerned: Iterable[IssueRef],
        state: str,
        later: Later,
    ) -> None:
        """Remember the issue, then have those looked at whom its change concerns.

        All of it is remembered before: they may be looked at at once, and must find it. Until
        they are recorded they are owed, so the next look of this one makes up for a crash.
        """
        owed = {*known.owed, *concerned} - {known.ref}
        coordinated = [
            ref for ref, one in (await self._store.issues(owed)).items() if one.coordinated
        ]
        known = replace(known, state=state, owed=tuple(sorted(coordinated)))
        await self._store.save(known, edges)
        if coordinated:
            await later(known.owed)
            await self._store.save(replace(known, owed=()))

    async def _around(self, ref: IssueRef) -> set[IssueRef]:
        """Every issue that an edge connects with this one."""
        blockers = await self._store.blockers([ref])
        return _ends(blockers) | _ends(await self._store.waiting([ref]))


def _ends(edges: Iterable[Edge]) -> set[IssueRef]:
    return {ref for edge in edges for ref in (edge.waits, edge.on)}


def _near(one: IssueRef, other: IssueRef) -> bool:
    return one.key[0] == other.key[0]


def _carries(issue: Issue, name: str) -> bool:
    return any(label.name.casefold() == name.casefold() for label in issue.labels)


def _with_said(facts: Facts, heard: Heard) -> Facts:
    """What people said by commands, over what the text says."""
    said = heard.overrides
    return replace(
        facts,
        override_estimate=said.estimate,
        override_difficulty=said.difficulty,
        override_agent=said.agent,
        priority=said.priority,
        held=said.get(Field.HOLD),
    )


def _wanted(metadata: Metadata) -> frozenset[Wanted]:
    missing = set()
    if metadata.difficulty is None:
        missing.add(Wanted.DIFFICULTY)
    if metadata.estimated_context is None:
        missing.add(Wanted.CONTEXT)
    if not metadata.blocked_by and not metadata.unreadable:
        missing.add(Wanted.DEPENDENCIES)
    return frozenset(missing)


def _shows_otherwise(known: Known, issue: Issue) -> bool:
    """Whether other reports that show this issue have to change."""
    return (known.state, known.title) != (issue.state, kept_title(issue.title))


async def _side_by_side(
    first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]
) -> tuple[A, B]:
    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(first), group.create_task(second)
    except ExceptionGroup as errors:
        raise _worst(errors.exceptions) from None
    return one.result(), two.result()


def _worst(errors: Sequence[BaseException]) -> BaseException:
    """Of several failures side by side, the one that says most: what will not pass first."""
    flat = [e for error in errors for e in _flat(error)]
    return min(flat, key=lambda error: isinstance(error, Retryable))


def _flat(error: BaseException) -> Iterable[BaseException]:
    return (
        (e for one in error.exceptions for e in _flat(one))
        if isinstance(error, BaseExceptionGroup)
        else (error,)
    )
