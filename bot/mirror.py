"""Gitea's own dependencies, both ways: read what people set there, set what texts and commands say.

What is to be done is decided in `bot.natives`; here it is asked and done. Gitea answers 500 without
a word to a dependency that is there already or would close a direct circle, so it is read before
anything is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.dependencies import Edge
from bot.errors import Conflict, Permanent, Retryable
from bot.gitea.models import Issue, TimelineEntry
from bot.latest import Latest
from bot.models import IssueRef, Mode, Unset
from bot.natives import (
    Entry,
    Native,
    Plan,
    Sight,
    State,
    grouped,
    other_end,
    plan,
    recalled,
    surprising,
    taken_away,
)
from bot.snapshot import DependencyReader, Neighbours, neighbours

log = structlog.get_logger(__name__)

REFUSAL_KEPT = 3600.0  # seconds until what Gitea refused is tried again
REFUSED_MOST = 5000  # refusals remembered
ADDED, REMOVED = "add_dependency", "remove_dependency"  # in a timeline
CROSSING = "CrossRepositoryDependencies"  # in Gitea's refusal where it allows none of them


class Gitea(DependencyReader, Protocol):
    """What this needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """An issue as it is now."""

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """Set a dependency; Conflict when it is there, or would close a direct circle."""

    async def remove_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """Take one away; Conflict when it is not there."""

    def timeline(self, ref: IssueRef) -> AsyncIterator[TimelineEntry]:
        """What happened to an issue, oldest first."""


class Memory(Protocol):
    """What was done before."""

    async def of(self, issue: IssueRef) -> dict[Edge, Native]:
        """What is remembered of the dependencies that touch an issue."""

    async def keep(self, natives: list[Native]) -> None:
        """Remember these."""

    async def forget(self, edges: set[Edge]) -> None:
        """Remember these no longer."""


class Links(Protocol):
    """What people said of edges by commands."""

    async def unlink(self, waits: IssueRef, on: IssueRef) -> bool:
        """Take an added edge away."""

    async def heed(self, waits: IssueRef, on: IssueRef) -> bool:
        """Let one that was taken away count again."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far setting goes: issues that exist, who may see whom, and what would close a circle.

    Of a circle nothing is told where its way may not be shown. `in_circle`: whether the issue
    stands in one.
    """

    exist: Collection[IssueRef]
    may_mirror: Callable[[IssueRef, IssueRef], Awaitable[bool]]
    closes_circle: Callable[[IssueRef, IssueRef], Awaitable[bool]]
    shows_circle: Callable[[IssueRef, IssueRef], Awaitable[bool]]
    in_circle: bool = False


class Mirror:
    """Keeps Gitea's own dependencies and what is said in step. `clock` gives growing seconds."""

    def __init__(
        self,
        *,
        gitea: Gitea,
        memory: Memory,
        links: Links,
        bot: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gitea = gitea
        self._memory = memory
        self._links = links
        self._bot = bot
        self._clock = clock
        self._refused: Latest[Edge | str, float] = Latest(REFUSED_MOST)

    async def consider(
        self,
        natives: Neighbours,
        sight: Sight,
        *,
        mode: Mode = Mode.BOTH,
        lost: bool = False,
    ) -> tuple[Sight, Plan]:
        """What follows for an issue from what is said, and what Gitea has (`natives`).

        `sight` tells what is said; what Gitea has, and what was done before, is entered here; of
        what was done Gitea's timeline tells, where the memory of it may be `lost`. Nothing is
        changed. Where none are set any longer (`mode`), what was set before is to be taken away.
        """
        if mode is not Mode.BOTH:
            there = natives.edges(sight.me) if mode is Mode.READ else frozenset()
            mine = await self._set_before(sight.me)
            return sight, Plan(people=set(there - sight.unlinked - mine), take=mine)
        seen = _with(sight, natives, await self._memory.of(sight.me))
        if lost and (seen.there or seen.said):
            return await self._recall(seen)
        if not surprising(seen):
            return seen, plan(seen)
        seen = _with(sight, await neighbours(self._gitea, sight.me), seen.kept)
        gone = await self._gone_with_an_issue(seen)
        seen = replace(seen, kept={e: one for e, one in seen.kept.items() if e not in gone})
        found = plan(seen)
        found.forget |= gone
        return seen, found

    async def _set_before(self, me: IssueRef) -> set[Edge]:
        """What the bot set and did not take away, as far as the repository of `me` decides it."""
        return {
            edge
            for edge, one in (await self._memory.of(me)).items()
            if one.state is not State.OFF and edge[0].key[0] == me.key[0]
        }

    async def _recall(self, sight: Sight) -> tuple[Sight, Plan]:
        """The same by what the timeline tells of what was done, to be remembered."""
        entries = [
            Entry(one.dependent_issue.ref, one.type == ADDED, one.user.id == self._bot)
            async for one in self._gitea.timeline(sight.me)
            if one.type in (ADDED, REMOVED) and one.dependent_issue and one.dependent_issue.visible
        ]
        again = recalled(sight, entries)
        sight = replace(sight, kept={**sight.kept, **again})
        found = plan(sight)
        kept = [one for edge, one in again.items() if edge not in found.forget]
        found.keep = [*kept, *found.keep]
        return sight, found

    async def _gone_with_an_issue(self, sight: Sight) -> set[Edge]:
        """Those that nobody took away: the issue at the other end was deleted, or is kept away."""
        missing = [edge for edge in taken_away(sight) if edge not in sight.unlinked]
        there = await asyncio.gather(
            *(self._is_there(other_end(edge, sight.me)) for edge in missing)
        )
        return {edge for edge, found in zip(missing, there, strict=True) if not found}

    async def _is_there(self, ref: IssueRef) -> bool:
        try:
            await self._gitea.issue(ref)
        except Permanent:
            return False
        return True

    async def remember(self, found: Plan) -> None:
        """Remember what people changed in Gitea; links first, for a crash in between."""
        for edge in found.taken_back:
            await self._links.unlink(*edge)
        for edge in found.heeded:
            await self._links.heed(*edge)
        if found.keep:
            await self._memory.keep(found.keep)
        if found.forget:
            await self._memory.forget(found.forget)

    async def forget(self, me: IssueRef) -> None:
        """Forget what was done about an issue that is gone, and its dependencies with it."""
        if kept := await self._memory.of(me):
            await self._memory.forget(set(kept))

    async def carry_out(
        self, sight: Sight, found: Plan, natives: Neighbours, reach: Reach
    ) -> tuple[tuple[Unset, tuple[IssueRef, ...]], ...]:
        """Set and take away; what of it could not be set, by the reason. Raises Retryable."""
        for edge in sorted(found.take, key=_order):
            await self._take(edge, sight)
        unset = await self._take_out_of_circle(sight, found, reach) if reach.in_circle else []
        for edge in sorted(found.put, key=_order):
            if other_end(edge, sight.me) not in reach.exist:
                continue  # that it cannot be seen is told already
            why = await self._why_not(edge, sight, natives, reach) or await self._set(edge)
            if why and await _may_tell(why, edge, reach):
                unset.append((why, other_end(edge, sight.me)))
        if natives.blockers.off:
            off = {other_end(edge, sight.me) for edge in sight.said.keys() & sight.unknown}
            unset += [(Unset.SWITCHED_OFF, ref) for ref in off & set(reach.exist)]
        return grouped(unset)

    async def _take_out_of_circle(
        self, sight: Sight, found: Plan, reach: Reach
    ) -> list[tuple[Unset, IssueRef]]:
        """Take away what the bot set before it became part of a circle."""
        kept = (edge for edge, one in sight.kept.items() if one.state is State.SET)
        unset = []
        for edge in sorted({*kept} & sight.there & sight.said.keys() - found.take, key=_order):
            if await reach.closes_circle(*edge):
                await self._take(edge, sight)
                if await _may_tell(Unset.CIRCLE, edge, reach):
                    unset.append((Unset.CIRCLE, other_end(edge, sight.me)))
        return unset

    async def _why_not(
        self, edge: Edge, sight: Sight, natives: Neighbours, reach: Reach
    ) -> Unset | None:
        waits, on = edge
        crossing = waits.key[0] != on.key[0]
        if crossing and not await reach.may_mirror(waits, on):
            return Unset.PRIVATE
        if (on, waits) in natives.edges(sight.me) or await reach.closes_circle(waits, on):
            return Unset.CIRCLE
        if crossing and self._is_refused(CROSSING):
            return Unset.CROSSING
        return Unset.REFUSED if self._is_refused(edge) else None

    async def _set(self, edge: Edge) -> Unset | None:
        """Set one; why it could not be, or None."""
        waits, on = edge
        await self._memory.keep([Native(*edge, State.SETTING)])
        try:
            await self._gitea.add_dependency(waits, on)
        except Conflict:  # meanwhile it is there, or the other way round
            there = await self._gitea.native_dependencies(waits)
            if on not in {one.ref for one in there.issues}:
                await self._memory.forget({edge})
                return Unset.CIRCLE
        except Permanent as error:
            await self._memory.forget({edge})
            return self._refusal(edge, error)
        await self._memory.keep([Native(*edge, State.SET)])
        log.info("dependency.set", issue=str(waits), waits_for=str(on))
        return None

    def _refusal(self, edge: Edge, error: Permanent) -> Unset:
        crossing = CROSSING in error.message
        log.warning("dependency.refused", issue=str(edge[0]), status=error.status)
        self._refused[CROSSING if crossing else edge] = self._clock() + REFUSAL_KEPT
        return Unset.CROSSING if crossing else Unset.REFUSED

    def _is_refused(self, what: Edge | str) -> bool:
        if self._refused.get(what, 0.0) > self._clock():
            return True
        self._refused.pop(what, None)
        return False

    async def _take(self, edge: Edge, sight: Sight) -> None:
        waits, on = edge
        if self._is_refused(edge):
            return
        await self._memory.keep([Native(*edge, State.TAKING)])
        try:
            await self._gitea.remove_dependency(waits, on)
            log.info("dependency.taken", issue=str(waits), waits_for=str(on))
        except Conflict as error:  # a 500 without a word: it is gone, or Gitea failed
            there = await self._gitea.native_dependencies(waits)
            if on in {one.ref for one in there.issues}:
                what, status = "a dependency was not taken away", error.status
                raise Retryable(what, status=status, method=error.method, path=error.path) from None
            log.info("dependency.gone", issue=str(waits))
        except Permanent as error:  # it is not the bot's to take away
            log.info("dependency.kept", issue=str(waits), status=error.status)
            if edge in sight.unlinked:  # it was not taken away, so nobody adds it again
                self._refused[edge] = self._clock() + REFUSAL_KEPT
                return
        if edge in sight.unlinked:
            await self._memory.keep([Native(*edge, State.OFF)])
        else:
            await self._memory.forget({edge})


def _with(sight: Sight, natives: Neighbours, kept: Mapping[Edge, Native]) -> Sight:
    """The same, with what Gitea has and what was done before."""
    there = natives.edges(sight.me)
    edges = {*sight.said, *sight.elsewhere, *sight.unlinked, *kept} - there
    unknown = frozenset(edge for edge in edges if natives.hide(edge, sight.me))
    return replace(sight, there=there, kept=kept, unknown=unknown)


async def _may_tell(why: Unset, edge: Edge, reach: Reach) -> bool:
    return why is not Unset.CIRCLE or await reach.shows_circle(*edge)


def _order(edge: Edge) -> tuple[tuple[str, int], tuple[str, int]]:
    return edge[0].key, edge[1].key
