"""Who waits for whom, as far as one issue says so: what is said, what Gitea has, what follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.case import Case, Words
from bot.mirror import Mirror, Reach
from bot.models import IssueRef, RefState, Source, Unset
from bot.natives import Plan, Sight, digest
from bot.said import Said, said_by
from bot.sayings import Heard
from bot.store.queries import Edge
from bot.surroundings import Surroundings, Surveyor


class Sayings(Protocol):
    """What people said by commands."""

    async def heard(self, issue: IssueRef) -> Heard:
        """All that was said of an issue."""


class Store(Protocol):
    """What was known of edges before."""

    async def said_by(self, issue: IssueRef) -> set[Edge]:
        """The edges that an issue said at its last look."""

    async def blockers(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead from issues to what they wait for."""

    async def waiting(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead to issues from what waits for them."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of an issue: what is said, what Gitea has, and what follows from both.

    `ignored` are edges that do not count, though somebody says them. `typed` is how the text names
    what is called otherwise now.
    """

    said: Said
    sight: Sight
    plan: Plan
    ignored: frozenset[tuple[IssueRef, IssueRef]]
    typed: Mapping[IssueRef, IssueRef]

    def counting(self) -> set[Edge]:
        """Those that this issue says and that count."""
        me = self.sight.me
        said = {
            Edge(waits, on, me, source)
            for (waits, on), sources in self.said.edges.items()
            if (waits, on) not in self.plan.off
            for source in sources
        }
        return said | {Edge(waits, on, me, Source.GITEA) for waits, on in self.plan.people}

    def kept_off(self) -> tuple[IssueRef, ...]:
        """The issues that a text names, and a person took away in Gitea; those to be shown."""
        me = self.sight.me
        ends = {ref for edge in self.plan.off for ref in edge} - {me}
        shown = (ref for ref in ends if _near(ref, me) or ref in self.said.named)
        return tuple(sorted(self.typed.get(ref, ref) for ref in shown))


class EdgeKeeper:
    """Tells the edges of issues, and sets those that follow among Gitea's own dependencies.

    `proposals` says what becomes of what Claude reads: propose, accept or ignore.
    """

    def __init__(
        self, *, store: Store, sayings: Sayings, mirror: Mirror, surveyor: Surveyor, proposals: str
    ) -> None:
        self._store = store
        self._sayings = sayings
        self._mirror = mirror
        self._surveyor = surveyor
        self._proposals = proposals

    async def of(self, case: Case, words: Words) -> Edges:
        """The edges of an issue. Nothing is changed."""
        me, understood, heard = case.issue.ref, words.understood, words.heard
        said = said_by(me, understood.metadata, understood.reading, heard, claude=self._proposals)
        if understood.unread and self._proposals == "accept":
            read = {(e.waits, e.on) for e in await self._store.said_by(me) if e.source is Source.AI}
            said = said.and_read(read - heard.ignored)
        known = case.known
        lost = not known.coordinated and known.comment_id is None and case.issue.comments > 0
        sight, plan = await self._mirror.consider(
            case.now.natives,
            await self._sight(case, said, heard),
            mode=case.policy.mode,
            lost=lost,
        )
        return Edges(
            said.without_commands(plan.taken_back),
            sight,
            plan,
            frozenset(heard.ignored - plan.heeded | plan.off),
            words.now.typed,
        )

    async def remember(self, edges: Edges) -> None:
        """Keep what people did among Gitea's own dependencies."""
        await self._mirror.remember(edges.plan)

    async def set_natives(
        self, case: Case, edges: Edges, around: Surroundings
    ) -> tuple[tuple[Unset, tuple[IssueRef, ...]], ...]:
        """Set and take away in Gitea what follows from what is said; what could not be set."""
        if not case.issue.is_open:
            edges.plan.put.clear()
        exist = (RefState.OPEN, RefState.CLOSED, RefState.MERGED)
        there = {d.ref for d in (*around.blockers, *around.waiting) if d.state in exist}
        reach = self._reach(there, in_circle=bool(around.cycle))
        return await self._mirror.carry_out(edges.sight, edges.plan, case.now.natives, reach)

    async def untie(self, case: Case) -> None:
        """Take away what the bot set among Gitea's own dependencies for this issue alone."""
        heard = await self._sayings.heard(case.issue.ref)
        natives = case.now.natives
        sight, plan = await self._mirror.consider(
            natives, await self._sight(case, Said(), heard), mode=case.policy.mode
        )
        await self._mirror.remember(plan)
        await self._mirror.carry_out(sight, plan, natives, self._reach(()))

    async def forget(self, issue: IssueRef) -> None:
        """Forget what was kept of an issue's dependencies, which is gone."""
        await self._mirror.forget(issue)

    async def _sight(self, case: Case, said: Said, heard: Heard) -> Sight:
        me = case.issue.ref
        others = (*await self._store.blockers([me]), *await self._store.waiting([me]))
        texts = (Source.DECLARED, Source.AI)
        return Sight(
            me,
            said=said.edges,
            elsewhere=frozenset(
                (one.waits, one.on) for one in others if one.said_by != me and one.source in texts
            )
            - heard.ignored,
            unlinked=heard.ignored,
            text=digest(case.issue.body),
        )

    def _reach(self, exist: Collection[IssueRef], *, in_circle: bool = False) -> Reach:
        survey = self._surveyor
        return Reach(exist, survey.may_mirror, survey.closes_circle, survey.shows_circle, in_circle)


def _near(one: IssueRef, other: IssueRef) -> bool:
    return one.key[0] == other.key[0]
