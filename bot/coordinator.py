"""reconcile(issue): read ▸ understand ▸ decide ▸ publish, whatever brought us here.

The issue is read as it is now, what should stand there is decided, and only what differs is
written. So it may be called at any time, twice, late or out of order. What it finds is remembered
before the issues that it concerns are looked at, and they are looked at before it is forgotten that
they must be: a crash at any point repeats work and loses none.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.case import Case, Words
from bot.decide import Facts, decide
from bot.edges import EdgeKeeper, Edges
from bot.errors import NotFound
from bot.estimator import SizeLimits
from bot.gitea.models import Issue, User
from bot.herald import Herald
from bot.models import (
    IssueRef,
    Mode,
    RefState,
    Report,
    Status,
    Warn,
    WarningKind,
)
from bot.naming import Naming
from bot.policies import Found, Policies
from bot.publisher import Publisher
from bot.repositories import Repositories
from bot.sayings import Field, Heard, Pause
from bot.side_by_side import side_by_side
from bot.snapshot import IssueReader, Neighbours, neighbours, snapshot
from bot.store.queries import Edge, Known, Store, kept_title
from bot.surroundings import Surroundings, Surveyor
from bot.transitions import Notice, turned
from bot.unblock import fingerprint
from bot.understanding import TextReader, Understanding, Understood

log = structlog.get_logger(__name__)

OVERLAP = timedelta(minutes=1)  # what the recheck asks of again: transactions may be seen late

ASK_AGAIN = 300.0  # seconds after which Claude is asked again where the API was down


class Later(Protocol):
    """Has issues looked at, durably, after this one."""

    async def __call__(self, refs: Collection[IssueRef], *, after: float = 0.0) -> None:
        """Look at these no sooner than `after` seconds from now."""


class Sayings(Protocol):
    """What people said by commands, as far as this is concerned."""

    async def heard(self, issue: IssueRef) -> Heard:
        """All that was said of an issue."""

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        """Let something that was said hold no longer."""

    async def paused(self, repository: str) -> Pause | None:
        """Whether nothing is to be written in a repository."""


class Watching(Protocol):
    """The repositories in which the recheck looks for what was missed."""

    async def watch(self, repositories: Collection[str], since: datetime) -> None:
        """Look there, too, for what changed since then (Gitea's time)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings the judgement takes, in whatever repository."""

    limits: SizeLimits
    dependencies: int  # followed per issue
    hosts: frozenset[str]


class _StillReading(Exception):  # noqa: N818 - not an error: all is said that can be said so far
    """A report was made without Claude, who has not answered yet; `done` when it has."""

    def __init__(self, done: asyncio.Task[None]) -> None:
        super().__init__()
        self.done = done


class Coordinator:
    """Keeps reports true. One call at a time per issue; the engine sees to that.

    `clock` gives Gitea's time, or an earlier one.
    """

    def __init__(
        self,
        *,
        gitea: IssueReader,
        store: Store,
        repositories: Repositories,
        surveyor: Surveyor,
        policies: Policies,
        naming: Naming,
        edges: EdgeKeeper,
        publisher: Publisher,
        herald: Herald,
        watching: Watching,
        bot: User,
        rules: Rules,
        reader: TextReader | None,
        sayings: Sayings,
        clock: Callable[[], datetime],
        patience: float = 1.0,
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._repositories = repositories
        self._surveyor = surveyor
        self._policies = policies
        self._naming = naming
        self._edges = edges
        self._publisher = publisher
        self._herald = herald
        self._watching = watching
        self._bot = bot
        self._rules = rules
        self._understanding = Understanding(reader, rules.hosts)
        self._sayings = sayings
        self._clock = clock
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
        seen = await self._under_policy(seen)
        words = await self._read(seen, 0.0)
        edges = await self._edges.of(seen, words)
        report, _ = await self._judge(seen, words, edges, writing=False)
        return report

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
        elif await self._moved(ref, seen, later):
            return
        elif self._is_coordinated(seen.issue):
            seen = await self._under_policy(seen)
            if seen.found.is_news:
                await self._policies.spread(seen.found, later)
            await self._coordinate(seen, later, patience)
        elif known or await self._store.concerns(ref):
            await self._leave(seen, later)

    def _is_coordinated(self, issue: Issue) -> bool:
        """Whether the bot is among its assignees, whatever login it has by now."""
        return not issue.is_pull and any(user.id == self._bot.id for user in issue.assignees)

    async def _see(self, ref: IssueRef, known: Known) -> Case | None:
        """The issue as it is now; None when it cannot be seen."""
        began = self._clock()
        policy = self._policies.last(ref.repository)
        natives = policy.mode is not Mode.OFF
        now = await snapshot(self._gitea, self._publisher, ref, known.comment_id, natives=natives)
        if now is None:
            return None
        found = Found(now.issue.ref.repository, policy)
        return Case(now, replace(known, ref=now.issue.ref), began, found)

    async def _under_policy(self, seen: Case) -> Case:
        """The same, by what holds in its repository now."""
        me = seen.issue.ref
        found = await self._policies.found(me.repository)
        was, now = seen.policy.mode, found.policy.mode
        if Mode.OFF in (was, now) and was is not now:
            natives = Neighbours() if now is Mode.OFF else await neighbours(self._gitea, me)
            seen = replace(seen, now=replace(seen.now, natives=natives))
        return replace(seen, found=found)

    # -- the ways it can stand --------------------------------------------------------------

    async def _vanished(self, known: Known | None, later: Later) -> None:
        """The issue is gone, or the bot may no longer see it: others may wait for it."""
        if known is None:
            return
        log.info("issue.vanished", issue=str(known.ref))
        state = "gone" if known.state == "gone" else "unseen"
        if state == "gone":  # what is out of sight for now keeps its dependencies
            await self._edges.forget(known.ref)
        await self._policies.ended(known.ref)
        known, concerned = await self._fall_silent(known, state)
        await self._remember(
            replace(_left(known), comment_id=None),
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

    async def _moved(self, asked: IssueRef, seen: Case, later: Later) -> bool:
        """Whether names have changed: then what is kept was moved, and it is looked at anew."""
        natives = seen.now.natives
        others = (*natives.blockers.issues, *natives.blocking.issues)
        concerned = await self._naming.found(asked, seen.issue, others)
        if concerned is None and asked == seen.issue.ref:
            return False
        log.info("issue.moved", issue=str(asked), now=str(seen.issue.ref))
        circles = await self._surveyor.concerned(asked)
        await later(sorted({seen.issue.ref, *(concerned or ()), *circles}))
        return True

    async def _leave(self, seen: Case, later: Later) -> None:
        """Not coordinated, or no longer: say so where a report stands, and take labels off."""
        issue, known = seen.issue, seen.known
        repository, comment = issue.ref.repository, seen.now.comment
        comment_id = comment.id if comment else None
        may_write = not known.coordinated or await self._may_write(
            issue.ref, await self._sayings.paused(repository)
        )
        if known.coordinated and may_write:
            seen = await self._under_policy(seen)
            said = (await self._sayings.heard(issue.ref)).overrides
            await self._edges.untie(seen)
            comment_id = await self._publisher.end(
                issue, comment, known, said=said, policy=seen.policy
            )
            await self._policies.ended(issue.ref)
        concerned = set[IssueRef]()
        owed = issue.ref in known.owed
        if owed or _shows_otherwise(known, issue) or await self._store.said_by(issue.ref):
            known, concerned = await self._fall_silent(known, issue.state)
        left = _left(known) if may_write else known  # else it is told when the bot may write again
        await self._remember(
            replace(left, comment_id=comment_id, title=issue.title, seen_at=seen.began),
            concerned=concerned,
            state=issue.state,
            later=later,
        )

    async def _read(self, seen: Case, patience: float | None) -> Words:
        """What was said of an issue, and where the issues are by now that it names."""
        issue, me = seen.issue, seen.issue.ref
        understood = await self._understanding.of(issue, patience, ask=seen.policy.ai)
        heard = await self._sayings.heard(me)
        authors = await self._authors(issue)
        now = await self._naming.current(
            {*understood.refs, *heard.linked}, me=me, authors=authors, linked=heard.linked
        )
        return Words(understood.called(now.refs), heard.called(now.refs), now, authors)

    async def _authors(self, issue: Issue) -> tuple[str, ...]:
        """Who wrote its text, as far as that is known; the bot's own eyes lend nobody any."""
        if issue.user.id == self._bot.id:
            return ()
        return issue.user.login, *await self._store.writers(issue.ref)

    async def _may_write(self, me: IssueRef, pause: Pause | None) -> bool:
        return pause is None and not await self._repositories.archived(me.repository)

    async def _coordinate(self, seen: Case, later: Later, patience: float | None) -> None:
        issue = seen.issue
        words = await self._read(seen, patience)
        understood, heard = words.understood, words.heard
        edges = await self._edges.of(seen, words)
        await self._edges.remember(edges)
        known, changed = await self._note(seen, edges)
        writing = await self._may_write(issue.ref, heard.pause)
        report, around = await self._judge(seen, words, edges, writing=writing)
        if writing and not known.status and report.status is Status.BLOCKED:
            # Whoever reads that it waits is told when it does no longer, though the bot dies here.
            known = replace(known, status=report.status.value, stood=_stood(around))
            await self._store.save(known)
        if writing:
            comment = seen.now.comment
            stands = await self._publisher.publish(
                issue, comment, known, report, said=heard.overrides, policy=seen.policy
            )
            known = replace(known, comment_id=stands.id, comment_at=stands.at, labels=stands.labels)

        concerned = {*words.now.concerned}
        if changed or _shows_otherwise(known, issue):
            concerned |= await self._surveyor.reach(issue.ref)
        if changed:
            concerned |= await self._surveyor.concerned(issue.ref)
        agent = report.assignment.agent
        notice = await self._notice(seen, report, around)
        known = await self._remember(
            replace(
                known,
                title=issue.title,
                status=report.status.value,
                agent=agent.name if agent else "",
                cycle=report.cycle,
                stood=_stood(around),
                notice=notice.dump() if notice else "",
                seen_at=seen.began,
            ),
            concerned=concerned,
            state=issue.state,
            later=later,
        )
        if report.cycle and not await self._surveyor.holds(report.cycle):
            await later([issue.ref])  # who broke it could not know yet that it is told here
        if notice and writing:
            again = notice.dump() == seen.known.notice
            await self._herald.tell(issue, notice, report, again=again)
            await self._store.save(replace(known, notice=""))
        if understood.under_way:
            raise _StillReading(understood.under_way)
        if understood.passing:
            await later([issue.ref], after=ASK_AGAIN)

    async def _notice(self, seen: Case, report: Report, around: Surroundings) -> Notice | None:
        """What is to be told in a comment of its own: what turned just now, or was not told yet."""
        known = seen.known
        before = known.status or self._publisher.status(seen.issue, seen.policy)
        stood = await self._shown(seen, around)
        fresh = turned(before, stood, report, uuid.uuid4().hex)
        if fresh or not known.notice:
            return fresh
        pending = Notice.load(known.notice)
        return pending if pending.holds(report) else None

    async def _shown(self, seen: Case, around: Surroundings) -> list[tuple[IssueRef, RefState]]:
        """How its blockers stood at the last look: those that may be named here, as they are."""
        others = [ref for ref, _ in seen.known.stood if ref not in around.stood]
        shown = await self._surveyor.may_show(others, seen.issue.ref)
        names = {**around.names, **{ref: ref for ref in shown}}
        return [(names[ref], state) for ref, state in seen.known.stood if ref in names]

    # -- who waits for whom -----------------------------------------------------------------

    async def _note(self, seen: Case, edges: Edges) -> tuple[Known, bool]:
        """Remember the edges it says now and its state; whether a change of them concerns others.

        Until it is remembered whom, the issue is owed itself: a crash in between loses nobody.
        """
        me, known = seen.issue.ref, seen.known
        counting = edges.counting()
        ends = {me, *edges.said.named, *_ends(counting)}
        await self._watching.watch({ref.repository for ref in ends}, seen.began - OVERLAP)
        others = await self._store.said_by(me) ^ counting
        changed = bool(others) or known.state != seen.issue.state or me in known.owed
        owed = {*known.owed, *_ends(others)}
        if changed:
            owed |= {me, *await self._surveyor.reach(me)}
        labels = known.labels if known.coordinated else ()
        known = replace(
            known, coordinated=True, state=seen.issue.state, owed=tuple(owed), labels=labels
        )
        if changed or known != seen.known:
            await self._store.save(known, counting)
        return known, changed

    async def _survey(self, seen: Case, words: Words, edges: Edges) -> Surroundings:
        natives = seen.now.natives
        return await self._surveyor.survey(
            seen.issue.ref,
            native=(*natives.blockers.issues, *natives.blocking.issues),
            named=edges.said.named - {ref for edge in edges.plan.off for ref in edge},
            proposed=edges.said.proposed,
            most=self._rules.dependencies,
            ignored=edges.ignored,
            linked=edges.said.linked,
            authors=words.authors,
            typed=edges.typed,
            stood=dict(seen.known.stood),
        )

    # -- decide -----------------------------------------------------------------------------

    async def _judge(
        self, seen: Case, words: Words, edges: Edges, *, writing: bool
    ) -> tuple[Report, Surroundings]:
        """Look around, and decide. `writing`: also set what is said among Gitea's dependencies."""
        me, understood, heard = seen.issue.ref, words.understood, words.heard
        tree, around = await side_by_side(
            self._repositories.tree(me.repository), self._survey(seen, words, edges)
        )
        facts = _with_said(await self._facts(seen, understood, around, tree), heard)
        unset = await self._edges.set_natives(seen, edges, around) if writing else ()
        may_begin = writing and seen.issue.is_open
        mistakes = await self._policies.told_at(me, seen.found, may_begin=may_begin)
        facts = replace(facts, kept_off=edges.kept_off(), unset=unset, mistakes=mistakes)
        report = decide(facts)
        unblock = heard.overrides.get(Field.UNBLOCK)
        if unblock:
            still = fingerprint(facts.text, [one.ref for one in report.open_blockers])
            if unblock.value == still:
                report = decide(replace(facts, unblocked=unblock))
            elif writing and report.status is not Status.CLOSED:
                await self._sayings.give_back(me, Field.UNBLOCK)
        if understood.under_way:
            report = replace(report, warnings=(*report.warnings, Warn(WarningKind.READING)))
        return report, around

    async def _facts(
        self,
        seen: Case,
        understood: Understood,
        around: Surroundings,
        tree: Mapping[str, int] | None,
    ) -> Facts:
        issue, policy = seen.issue, seen.policy
        begun = self._publisher.in_progress(issue, seen.known, policy)
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
            hidden_blockers=around.hidden + seen.now.natives.blockers.unseen,
            tree=tree,
            agents=policy.agents,
            barred=policy.barred,
            off=policy.off,
            busy=await self._store.busy(besides=issue.ref),
            share=policy.share,
            limits=self._rules.limits,
            is_closed=not issue.is_open,
            in_progress=begun,
            at_work=(seen.known.agent or None) if begun else None,
            bot=self._bot.login,
        )

    # -- remember, and have others looked at ------------------------------------------------

    async def _remember(
        self,
        known: Known,
        *,
        concerned: Iterable[IssueRef],
        state: str,
        later: Later,
    ) -> Known:
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
            known = replace(known, owed=())
            await self._store.save(known)
        return known


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


def _stood(around: Surroundings) -> tuple[tuple[IssueRef, RefState], ...]:
    return tuple(sorted(around.stood.items()))


def _ends(edges: Iterable[Edge]) -> set[IssueRef]:
    return {ref for edge in edges for ref in (edge.waits, edge.on)}


def _left(known: Known) -> Known:
    """What is known of an issue that is not coordinated: no report, nothing to tell."""
    return replace(
        known,
        coordinated=False,
        status="",
        agent="",
        cycle=(),
        stood=(),
        notice="",
        comment_at="",
        labels=(),
    )


def _shows_otherwise(known: Known, issue: Issue) -> bool:
    """Whether other reports that show this issue have to change."""
    return (known.state, known.title) != (issue.state, kept_title(issue.title))
