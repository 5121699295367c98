"""reconcile(issue): read ▸ understand ▸ decide ▸ publish, whatever brought us here.

The issue is read as it is now, what should stand there is decided, and only what differs is
written. So it may be called at any time, twice, late or out of order. What it finds is remembered
before the issues that it concerns are looked at, and they are looked at before it is forgotten that
they must be: a crash at any point repeats work and loses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.decide import Facts, decide
from bot.errors import NotFound
from bot.estimator import SizeLimits
from bot.gitea.models import Comment, Issue, User
from bot.labels import LabelBook, LabelSpec
from bot.models import Agent, IssueRef, Reading, Report, Source, Status, Warn, WarningKind
from bot.publish import Labels, StickyComment
from bot.render import Renderer
from bot.repositories import Repositories
from bot.sayings import Field, Heard, LinkKind, Overrides, Pause
from bot.side_by_side import side_by_side
from bot.snapshot import IssueReader, Snapshot, snapshot
from bot.store.queries import Edge, Known, Store, kept_title
from bot.surroundings import Surroundings, Surveyor
from bot.unblock import fingerprint
from bot.understanding import TextReader, Understanding, Understood

log = structlog.get_logger(__name__)

Later = Callable[[Collection[IssueRef]], Awaitable[None]]
"""Has other issues looked at, durably, after this one."""


class Sayings(Protocol):
    """What people said by commands, as far as this is concerned."""

    async def heard(self, issue: IssueRef) -> Heard:
        """All that was said of an issue."""

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Let something that was said hold no longer."""

    async def paused(self, repository: str) -> Pause | None:
        """Whether nothing is to be written in a repository."""

    async def move(self, old: IssueRef, new: IssueRef) -> None:
        """What was said of an issue is said of it under its new name."""


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
class _Case:
    """An issue as it was read, beside what was known of it."""

    now: Snapshot
    known: Known

    @property
    def issue(self) -> Issue:
        return self.now.issue


class _StillReading(Exception):  # noqa: N818 - not an error: all is said that can be said so far
    """A report was made without Claude, who has not answered yet; `done` when it has."""

    def __init__(self, done: asyncio.Task[None]) -> None:
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
        self._understanding = Understanding(reader, rules.hosts)
        self._sayings = sayings
        self._observer = observer
        self._patience = patience

    async def reconcile(self, ref: IssueRef, later: Later, *, afresh: bool = False) -> None:
        """Make what is said of an issue true. Raises GiteaError or StoreError.

        `afresh`: Claude is asked again, though the text is known.

        Nobody waits for Claude: where it takes longer than `patience` (seconds), a report is made
        without it, and once more, from what stands there then, when it has answered.
        """
        if afresh:
            await self._understanding.forget(await self._gitea.issue(ref))
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
        understood = await self._understanding.of(seen.issue, 0.0)
        return await self._judge(seen, understood, await self._sayings.heard(seen.issue.ref))

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

    async def _see(self, ref: IssueRef, known: Known) -> _Case | None:
        """The issue as it is now; None when it cannot be seen."""
        now = await snapshot(self._gitea, self._comment, ref, known.comment_id)
        return _Case(now, replace(known, ref=now.issue.ref)) if now else None

    # -- the ways it can stand --------------------------------------------------------------

    async def _vanished(self, known: Known | None, later: Later) -> None:
        """The issue is gone, or the bot may no longer see it: others may wait for it."""
        if known is None:
            return
        log.info("issue.vanished", issue=str(known.ref))
        state = "gone" if known.state == "gone" else "unseen"
        known, concerned = await self._fall_silent(known, state)
        await self._remember(
            replace(known, coordinated=False, comment_id=None, status="", agent="", cycle=()),
            concerned=concerned,
            state=state,
            later=later,
        )

    async def _fall_silent(self, known: Known, state: str) -> tuple[Known, set[IssueRef]]:
        """Remember how an issue stands that says no edges any longer; whom that concerns.

        Until these are remembered too, it is owed itself.
        """
        reach = await self._surveyor.reach(known.ref)
        known = replace(known, state=state, owed=(*known.owed, *reach, known.ref))
        await self._store.save(known, ())
        return known, reach | await self._surveyor.concerned(known.ref)

    async def _moved(self, old: IssueRef, new: IssueRef, later: Later) -> None:
        """Its repository has another name now: it is looked at there, one look at a time."""
        log.info("issue.moved", issue=str(old), now=str(new))
        await self._store.move(old, new)
        await self._sayings.move(old, new)
        await later([new, *sorted(await self._surveyor.concerned(old))])

    async def _leave(self, seen: _Case, later: Later) -> None:
        """Not coordinated, or no longer: say so where a report stands, and take labels off."""
        issue, known = seen.issue, seen.known
        comment = seen.now.comment
        if known.coordinated and await self._sayings.paused(issue.ref.repository):
            return  # it is told when the bot may write here again
        if known.coordinated:
            comment = comment or await self._comment.find(issue)
            if comment:
                body = self._renderer.ended(issue=issue.ref, bot=self._bot.login)
                await self._comment.put(issue, comment, body)
            said = (await self._sayings.heard(issue.ref)).overrides
            await self._label(issue, (), said)
            log.info("issue.left", issue=str(issue.ref))
        concerned = set[IssueRef]()
        owed = issue.ref in known.owed
        if owed or _shows_otherwise(known, issue) or await self._store.said_by(issue.ref):
            known, concerned = await self._fall_silent(known, issue.state)
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
            concerned=concerned,
            state=issue.state,
            later=later,
        )

    async def _coordinate(self, seen: _Case, later: Later, patience: float | None) -> None:
        issue = seen.issue
        understood = await self._understanding.of(issue, patience)
        heard = await self._sayings.heard(issue.ref)
        known, changed = await self._note(seen, understood, heard)
        report = await self._judge(seen, understood, heard)
        comment_id = known.comment_id
        if not heard.pause:
            comment_id = await self._publish(seen, report, heard.overrides)

        concerned = set[IssueRef]()
        if changed or _shows_otherwise(known, issue):
            concerned |= await self._surveyor.reach(issue.ref)
        if changed:
            concerned |= await self._surveyor.concerned(issue.ref)
        agent = report.assignment.agent
        await self._remember(
            replace(
                known,
                comment_id=comment_id,
                title=issue.title,
                status=report.status.value,
                agent=agent.name if agent else "",
                cycle=report.cycle,
            ),
            concerned=concerned,
            state=issue.state,
            later=later,
        )
        if report.cycle and not await self._surveyor.holds(report.cycle):
            await later([issue.ref])  # who broke it could not know yet that it is told here
        if understood.under_way:
            raise _StillReading(understood.under_way)

    async def _note(self, seen: _Case, understood: Understood, heard: Heard) -> tuple[Known, bool]:
        """Remember the edges it says now and its state; whether a change of them concerns others.

        Until it is remembered whom, the issue is owed itself: a crash in between loses nobody.
        """
        me, known = seen.issue.ref, seen.known
        edges = self._edges(seen, understood, heard)
        others = await self._store.said_by(me) ^ edges
        changed = bool(others) or known.state != seen.issue.state or me in known.owed
        owed = {*known.owed, *_ends(others)}
        if changed:
            owed |= {me, *await self._surveyor.reach(me)}
        known = replace(known, coordinated=True, state=seen.issue.state, owed=tuple(owed))
        await self._store.save(known, edges)
        return known, changed

    async def _survey(self, seen: _Case, understood: Understood, heard: Heard) -> Surroundings:
        me, metadata = seen.issue.ref, understood.metadata
        return await self._surveyor.survey(
            me,
            native=(*seen.now.blockers.issues, *seen.now.blocking),
            named={*metadata.blocked_by, *metadata.blocks, *heard.linked} - heard.unlinked - {me},
            proposed=self._proposed(understood.reading, heard),
            most=self._rules.dependencies,
            ignored=heard.ignored,
        )

    # -- decide -----------------------------------------------------------------------------

    def _edges(self, seen: _Case, understood: Understood, heard: Heard) -> set[Edge]:
        """What this issue says of who waits for whom.

        That another issue waits for this one is believed within a repository only: whoever may
        write a text here need not have a say there.
        """
        me, metadata, reading = seen.issue.ref, understood.metadata, understood.reading
        said = {Edge(me, ref, me, Source.DECLARED) for ref in metadata.blocked_by}
        said |= {Edge(ref, me, me, Source.DECLARED) for ref in metadata.blocks if _near(ref, me)}
        said |= {Edge(me, other.ref, me, Source.GITEA) for other in seen.now.blockers.issues}
        said |= {Edge(other.ref, me, me, Source.GITEA) for other in seen.now.blocking}
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

    async def _judge(self, seen: _Case, understood: Understood, heard: Heard) -> Report:
        """Look around, and decide."""
        me = seen.issue.ref
        tree, around = await side_by_side(
            self._repositories.tree(me.repository), self._survey(seen, understood, heard)
        )
        facts = _with_said(await self._facts(seen, understood, around, tree), heard)
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
        seen: _Case,
        understood: Understood,
        around: Surroundings,
        tree: Mapping[str, int] | None,
    ) -> Facts:
        issue, rules = seen.issue, self._rules
        begun = _carries(issue, self._book.in_progress)
        return Facts(
            issue=issue.ref,
            title=issue.title,
            text=f"{issue.title}\n\n{issue.body}",
            metadata=understood.metadata,
            reading=understood.reading,
            ai_failure=understood.failure,
            blockers=around.blockers,
            waiting=around.waiting,
            proposals=around.proposals,
            edges=around.edges,
            cycle=around.cycle,
            states=around.states,
            titles=around.titles,
            dependencies_found=around.found,
            dependencies_followed=around.followed,
            hidden_blockers=around.hidden + seen.now.blockers.unseen,
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

    async def _publish(self, seen: _Case, report: Report, said: Overrides) -> int:
        """Write the comment and the labels side by side; the comment's id."""
        issue, wanted = seen.issue, self._book.wanted(report)
        comment = seen.now.comment or await self._comment.find(issue)
        refused = self._refused(issue)
        if comment and refused is None:
            # The first look since the start: what the comment has to say of labels is not known,
            # and it is not to be rewritten twice to find out.
            labelled = await self._label(issue, wanted, said)
            comment_id, written = await self._say(issue, comment, report)
        else:
            (comment_id, written), labelled = await side_by_side(
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
        await self._store.save(known)
        if coordinated:
            await later(known.owed)
            await self._store.save(replace(known, owed=()))


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


def _ends(edges: Iterable[Edge]) -> set[IssueRef]:
    return {ref for edge in edges for ref in (edge.waits, edge.on)}


def _near(one: IssueRef, other: IssueRef) -> bool:
    return one.key[0] == other.key[0]


def _carries(issue: Issue, name: str) -> bool:
    return any(label.name.casefold() == name.casefold() for label in issue.labels)


def _shows_otherwise(known: Known, issue: Issue) -> bool:
    """Whether other reports that show this issue have to change."""
    return (known.state, known.title) != (issue.state, kept_title(issue.title))
