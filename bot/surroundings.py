"""What stands around an issue: what it waits for, what waits for it, and the graph beyond.

Here it is settled, too, what of other repositories may be shown: of one that somebody may be
unable to read, only what this issue's own text names, without a title; nothing of what waits
there, and nothing of what lies behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from bot.decide import GRAPH_MOST
from bot.errors import GiteaError, NotFound, Permanent
from bot.gitea.models import Issue
from bot.models import Dependency, IssueRef, RefState, Source
from bot.repositories import Repositories
from bot.store.graph import Hidden
from bot.store.queries import Edge, Known

REPOSITORIES = 100  # other ones that are asked about at once; a text may name a thousand
HOPS = 200  # how long a chain of dependencies is followed
EDGES = 2000  # how many edges around one issue are looked at, where all of them are asked for
NEAR = 80  # twice as many as a report draws: one may stand at the end of what another one shows


class EdgeReader(Protocol):
    """What this needs of the store."""

    async def issues(self, refs: Collection[IssueRef]) -> dict[IssueRef, Known]:
        """What is remembered of issues."""

    async def blockers(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead from issues to what they wait for."""

    async def waiting(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead to issues from what waits for them."""


class Circles(Protocol):
    """What this needs of the graph in memory."""

    async def cycle(
        self,
        issue: IssueRef,
        *,
        hidden: Hidden | None = None,
        over: Collection[IssueRef] = (),
        ignored: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle that an issue stands in, and that may be shown there."""

    async def would_close(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef | None = None,
        hidden: Hidden | None = None,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle that an edge would close, and that may be shown at an issue."""

    async def holds(self, cycle: Sequence[IssueRef]) -> bool:
        """Whether each step of a cycle is an edge still."""

    async def concerned(self, issue: IssueRef) -> set[IssueRef]:
        """Those whose remembered cycle is untrue since this one changed."""


class IssueReader(Protocol):
    """What this needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """An issue as it is now."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything around an issue that its report may show.

    `edges` are the nearest ones, `cycle` the shortest one that it stands in, however long.
    `hidden` counts open blockers of which not even the reference may be shown. `found` and
    `followed` are how many issues it waits for, and how many of them were looked at.
    """

    blockers: tuple[Dependency, ...] = ()
    waiting: tuple[Dependency, ...] = ()
    proposals: tuple[Dependency, ...] = ()
    edges: tuple[tuple[IssueRef, IssueRef], ...] = ()
    cycle: tuple[IssueRef, ...] = ()
    states: Mapping[IssueRef, RefState] = field(default_factory=dict)
    titles: Mapping[IssueRef, str] = field(default_factory=dict)
    hidden: int = 0
    found: int = 0
    followed: int = 0


@dataclass(frozen=True, slots=True)
class _Looked:
    state: RefState
    title: str | None = None
    is_pull: bool = False

    @property
    def concealed(self) -> _Looked:
        """What of it may be shown to those who may be unable to read it: whether it is over."""
        merged = self.state is RefState.MERGED
        return _Looked(RefState.CLOSED if merged else self.state)


@dataclass(frozen=True, slots=True)
class _View:
    """What was looked at around an issue (`me`), as its report may show it."""

    me: IssueRef
    looked: Mapping[IssueRef, _Looked]
    concealed: Collection[IssueRef]

    def at(self, ref: IssueRef) -> _Looked:
        found = self.looked.get(ref, _Looked(RefState.UNCHECKED))
        return found.concealed if ref in self.concealed else found

    def dependency(self, ref: IssueRef, said: Collection[Edge]) -> Dependency:
        seen = self.at(ref)
        return Dependency(
            ref=ref,
            state=seen.state,
            sources=tuple(dict.fromkeys(e.source for e in said)) or (Source.DECLARED,),
            title=seen.title,
            is_pull=seen.is_pull,
            private=ref in self.concealed,
            declared_in=_declared_elsewhere(self.me, said),
        )

    def proposals(self, refs: Iterable[IssueRef]) -> tuple[Dependency, ...]:
        """Those of the proposed ones that exist."""
        exist = (RefState.OPEN, RefState.CLOSED, RefState.MERGED)
        return tuple(
            self.dependency(ref, [Edge(self.me, ref, self.me, Source.AI)])
            for ref in refs
            if self.at(ref).state in exist
        )


class Surveyor:
    """Looks around issues."""

    def __init__(
        self,
        gitea: IssueReader,
        store: EdgeReader,
        repositories: Repositories,
        graph: Circles,
    ) -> None:
        self._gitea = gitea
        self._store = store
        self._repositories = repositories
        self._graph = graph

    async def survey(
        self,
        me: IssueRef,
        *,
        native: Iterable[Issue],
        named: Collection[IssueRef],
        proposed: Collection[IssueRef],
        most: int,
        ignored: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> Surroundings:
        """Look around `me`, whose own edges are remembered already.

        `native` are issues that Gitea just told of; `named` those that its text names; `proposed`
        those Claude thinks it waits for. At most `most` blockers are looked at. `ignored` are edges
        (waits, for) that people took away.
        """
        out = _without(await self._store.blockers([me]), ignored)
        into = _without(await self._store.waiting([me]), ignored)
        told = {issue.ref: _looked(issue) for issue in native}
        ends = {e.on for e in out} | {e.waits for e in into} | {*named, *proposed}
        concealed = await self._concealed(me, ends)
        out_of_sight = concealed - set(named)

        blockers = [ref for ref in dict.fromkeys(e.on for e in out) if ref not in out_of_sight]
        hidden = {e.on for e in out} & out_of_sight
        elsewhere = [r for r in named if r not in blockers and not _same(r, me)]
        waiting = [
            ref
            for ref in dict.fromkeys([*(e.waits for e in into), *elsewhere])
            if ref not in out_of_sight
        ][:most]

        followed = blockers[:most]
        looked = await self._look_at([*followed, *hidden, *proposed], told)
        looked |= await self._remembered(waiting, told | looked)
        view = _View(me, looked, concealed)
        edges = await self._beyond(me, [*out, *into], concealed, GRAPH_MOST)
        drawn = await self._drawn(view, edges, besides=hidden)
        over = [ref for ref, one in looked.items() if not one.state.blocks]
        return Surroundings(
            blockers=tuple(view.dependency(r, [e for e in out if e.on == r]) for r in followed),
            waiting=tuple(view.dependency(r, [e for e in into if e.waits == r]) for r in waiting),
            proposals=view.proposals(proposed),
            edges=edges,
            cycle=await self._graph.cycle(
                me, hidden=partial(self._concealed, me), over=over, ignored=ignored
            ),
            states={ref: one.state for ref, one in drawn.items()},
            titles={ref: one.title for ref, one in drawn.items() if one.title},
            hidden=sum(1 for ref in hidden if looked[ref].state.blocks),
            found=len(blockers),
            followed=len(followed),
        )

    async def _drawn(
        self,
        view: _View,
        edges: Iterable[tuple[IssueRef, IssueRef]],
        *,
        besides: Collection[IssueRef],
    ) -> dict[IssueRef, _Looked]:
        """What is known of the issues in the graph: those looked at, the others as remembered."""
        around = {ref for edge in edges for ref in edge} - {view.me} - view.looked.keys()
        known = await self._store.issues(around)
        near = {ref: view.at(ref) for ref in view.looked if ref not in besides}
        return near | {ref: _Looked(_state_of(one.state), one.title) for ref, one in known.items()}

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        """Every remembered edge around (waits, for), as far as it may be shown at an issue."""
        near = [*await self._store.blockers([issue]), *await self._store.waiting([issue])]
        ends = {ref for edge in near for ref in (edge.waits, edge.on)}
        return await self._beyond(issue, near, await self._concealed(issue, ends), EDGES)

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle that an edge would close, `also` before it, as it may be shown."""
        hidden = partial(self._concealed, at)
        return await self._graph.would_close(waits, on, at=at, hidden=hidden, also=also)

    async def concerned(self, me: IssueRef) -> set[IssueRef]:
        """Those told of a circle that is none, or not of the one there is, since `me` changed.

        To be asked once what changed is saved; nothing of this is shown to anybody.
        """
        return await self._graph.concerned(me)

    async def holds(self, cycle: Sequence[IssueRef]) -> bool:
        """Whether each step of a cycle is an edge still."""
        return await self._graph.holds(cycle)

    async def may_show(self, refs: Collection[IssueRef], at: IssueRef) -> set[IssueRef]:
        """Those of the issues that may be named at an issue."""
        return set(refs) - await self._concealed(at, refs)

    async def _concealed(self, me: IssueRef, refs: Iterable[IssueRef]) -> set[IssueRef]:
        """Those of other repositories that somebody may be unable to read.

        So, too, of those over `REPOSITORIES`, which are not asked about.
        """
        foreign = sorted({ref.key[0] for ref in refs if not _same(ref, me)})
        asked = foreign[:REPOSITORIES]
        hidden = await asyncio.gather(*map(self._repositories.hidden, asked))
        readable = {me.key[0], *(name for name, no in zip(asked, hidden, strict=True) if not no)}
        return {ref for ref in refs if ref.key[0] not in readable}

    async def _look_at(
        self, refs: Iterable[IssueRef], told: Mapping[IssueRef, _Looked]
    ) -> dict[IssueRef, _Looked]:
        """The issues as they are now; those Gitea just told of are not asked again."""
        asked = [ref for ref in dict.fromkeys(refs) if ref not in told]
        known = await self._store.issues(asked)
        answers = await asyncio.gather(*(self._look(ref, known.get(ref)) for ref in asked))
        return dict(zip(asked, answers, strict=True)) | {r: told[r] for r in refs if r in told}

    async def _look(self, ref: IssueRef, known: Known | None) -> _Looked:
        try:
            return _looked(await self._gitea.issue(ref))
        except NotFound:
            gone = known is not None and known.state == "gone"
            return _Looked(RefState.GONE if gone else RefState.UNSEEN)
        except Permanent:
            return _Looked(RefState.UNSEEN)
        except GiteaError:
            return _Looked(RefState.UNCHECKED)

    async def _remembered(
        self, refs: Collection[IssueRef], told: Mapping[IssueRef, _Looked]
    ) -> dict[IssueRef, _Looked]:
        """What is remembered of issues, and a look at those that are not."""
        known = await self._store.issues(refs)
        fresh = {ref: told[ref] for ref in refs if ref in told}
        kept = {
            ref: _Looked(_state_of(one.state), one.title)
            for ref, one in known.items()
            if one.state in ("open", "closed", "gone")
        }
        return await self._look_at([r for r in refs if r not in kept], fresh) | kept | fresh

    async def reach(self, me: IssueRef) -> set[IssueRef]:
        """The issues in whose reports this one may be drawn, for as many as `NEAR` edges.

        They have to be looked at when it changes; nothing of this is shown to anybody.
        """
        near = [*await self._store.blockers([me]), *await self._store.waiting([me])]
        edges = await self._walk(me, near, NEAR, set(), _nothing)
        return {ref for edge in edges for ref in edge} - {me}

    async def _beyond(
        self, me: IssueRef, near: Collection[Edge], concealed: Collection[IssueRef], most: int
    ) -> tuple[tuple[IssueRef, IssueRef], ...]:
        """The edges around; not through repositories that are concealed."""

        async def conceal(refs: Collection[IssueRef]) -> set[IssueRef]:
            return await self._concealed(me, refs)

        edges = await self._walk(me, near, most, set(concealed), conceal)
        return tuple(sorted(edges, key=lambda edge: (edge[0].key, edge[1].key)))

    async def _walk(
        self,
        me: IssueRef,
        near: Collection[Edge],
        most: int,
        hidden: set[IssueRef],
        conceal: Callable[[Collection[IssueRef]], Awaitable[set[IssueRef]]],
    ) -> set[tuple[IssueRef, IssueRef]]:
        """The edges by which `me` waits for others, and others for it, directly or not.

        What else waits for the same issue is no concern of this one, and would be drawn in each.
        `near` are its own edges; no way leads to or through what is hidden.
        """

        def visible(found: Iterable[Edge]) -> set[tuple[IssueRef, IssueRef]]:
            return {(e.waits, e.on) for e in found if not {e.waits, e.on} & hidden}

        edges = visible(near)
        passed_up, passed_down = {me}, {me}
        up = {on for waits, on in edges if waits == me} - {me}
        down = {waits for waits, on in edges if on == me} - {me}
        for _ in range(HOPS):
            if not (up or down) or len(edges) >= most:
                break
            passed_up |= up
            passed_down |= down
            above = await self._store.blockers(up) if up else []
            below = await self._store.waiting(down) if down else []
            up = {e.on for e in above} - passed_up
            down = {e.waits for e in below} - passed_down
            hidden |= await conceal(up | down)
            up, down = up - hidden, down - hidden
            edges |= visible((*above, *below))
        return edges


async def _nothing(_refs: Collection[IssueRef]) -> set[IssueRef]:
    return set()


def _without(edges: Iterable[Edge], ignored: Collection[tuple[IssueRef, IssueRef]]) -> list[Edge]:
    return [edge for edge in edges if (edge.waits, edge.on) not in ignored]


def _same(one: IssueRef, other: IssueRef) -> bool:
    return one.key[0] == other.key[0]


def _looked(issue: Issue) -> _Looked:
    state = RefState.OPEN if issue.is_open else RefState.CLOSED
    return _Looked(RefState.MERGED if issue.merged else state, issue.title, issue.is_pull)


def _state_of(state: str) -> RefState:
    named = {"open": RefState.OPEN, "closed": RefState.CLOSED, "gone": RefState.GONE}
    return named.get(state, RefState.UNCHECKED)


def _declared_elsewhere(me: IssueRef, said: Iterable[Edge]) -> IssueRef | None:
    """The other issue whose text says so, when this one's does not."""
    declared = [e.said_by for e in said if e.source is Source.DECLARED]
    return declared[0] if declared and me not in declared else None
