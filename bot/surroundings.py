"""What stands around an issue: what it waits for, what waits for it, and the graph beyond.

Of a repository that somebody may be unable to read (`bot.sight`), only what this issue's own text
or a command at it names is shown, without a title; what else is known of it is only counted, and
nothing that lies behind it is followed. Where the text's author may not read it either, what it
names shows as one that does not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from bot.decide import GRAPH_MOST
from bot.errors import GiteaError, NotFound, Permanent
from bot.gitea.models import Issue
from bot.models import Dependency, IssueRef, RefState, Source
from bot.repositories import Repositories
from bot.sight import WRITTEN, Sight, Veil
from bot.store.graph import Hidden
from bot.store.queries import Edge, Known

HOPS = 200  # how long a chain of dependencies is followed
EDGES = 2000  # how many edges around one issue are looked at, where all of them are asked for
NEAR = 80  # twice as many as a report draws: one may stand at the end of what another one shows
SEEN = (RefState.OPEN, RefState.CLOSED, RefState.MERGED, RefState.GONE)  # it was there once


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
    `followed` are how many issues it waits for, and how many of them were looked at. `stood` is
    how all of these stand, hidden ones too, by where they are now: to be remembered, not shown.
    `names` is what those of them that are shown are called here.
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
    stood: Mapping[IssueRef, RefState] = field(default_factory=dict, repr=False)
    names: Mapping[IssueRef, IssueRef] = field(default_factory=dict, repr=False)


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
    """What was looked at around an issue, as its report may show it."""

    veil: Veil
    looked: Mapping[IssueRef, _Looked]
    typed: Mapping[IssueRef, IssueRef]

    @property
    def me(self) -> IssueRef:
        return self.veil.me

    def at(self, ref: IssueRef) -> _Looked:
        if ref in self.veil.states:
            return _Looked(self.veil.states[ref])
        found = self.looked.get(ref, _Looked(RefState.UNCHECKED))
        return found.concealed if ref in self.veil.concealed else found

    def name(self, ref: IssueRef) -> IssueRef:
        """What it is called here: nobody learns the new name of what they may be unable to read."""
        return self.typed.get(ref, ref) if ref in self.veil.concealed else ref

    def dependency(self, ref: IssueRef, said: Collection[Edge]) -> Dependency:
        seen, private = self.at(ref), ref in self.veil.concealed
        return Dependency(
            ref=self.name(ref),
            state=seen.state,
            sources=tuple(dict.fromkeys(e.source for e in said)) or (Source.DECLARED,),
            title=seen.title,
            is_pull=seen.is_pull,
            private=private,
            declared_in=None if private else _declared_elsewhere(self.me, said),
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
        self._sight = Sight(repositories)
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
        linked: Collection[IssueRef] = (),
        authors: Collection[str] = (),
        typed: Mapping[IssueRef, IssueRef] | None = None,
        stood: Mapping[IssueRef, RefState] | None = None,
    ) -> Surroundings:
        """Look around `me`, whose own edges are remembered already.

        `native` are issues that Gitea just told of; `named` those that its text or a command at it
        names, of which `linked` the latter; `proposed` those Claude thinks it waits for. At most
        `most` blockers are looked at. `ignored` are edges (waits, for) that people took away.
        `authors` are the logins of all who wrote the text, `typed` how they wrote what is called
        otherwise now. `stood` is how its blockers stood at its last look.
        """
        out = _standing(await self._store.blockers([me]), me, ignored)
        into = _standing(await self._store.waiting([me]), me, ignored)
        told = {issue.ref: _looked(issue) for issue in native}
        before = stood or {}
        named = {*named, *(e.on for e in out if e.said_by == me and e.source in WRITTEN)}
        ends = {e.on for e in out} | {e.waits for e in into} | {*named, *proposed}
        concealed = await self._sight.concealed(me, ends)
        veil = Veil(me, frozenset(named), frozenset(linked), frozenset(concealed))
        veil = await self._veil(veil, proposed, authors, before)

        shown = [edge for edge in out if veil.lets_through(edge)]
        blockers = list(dict.fromkeys(e.on for e in shown))
        hidden = {e.on for e in out if not veil.lets_through(e)}
        hidden -= {ref for ref in blockers if ref not in veil.states}
        elsewhere = sorted(r for r in named if r not in {*blockers} and not _same(r, me))
        wait = [edge for edge in into if veil.lets_through(edge)]
        waiting = list(dict.fromkeys([*(e.waits for e in wait), *elsewhere]))[:most]

        followed = blockers[:most]
        plain = [ref for ref in (*followed, *proposed) if ref not in veil.states]
        looked = await self._look_at([*plain, *hidden], told, before)
        plain = [ref for ref in waiting if ref not in veil.states]
        looked |= await self._remembered(plain, told | looked)
        view = _View(veil, looked, typed or {})
        edges = await self._beyond(me, [*out, *into], veil.concealed, GRAPH_MOST)
        drawn = await self._drawn(view, edges, near={*followed, *proposed, *waiting})
        over = [ref for ref, one in looked.items() if not one.state.blocks]
        return Surroundings(
            blockers=tuple(view.dependency(r, [e for e in shown if e.on == r]) for r in followed),
            waiting=tuple(view.dependency(r, [e for e in wait if e.waits == r]) for r in waiting),
            proposals=view.proposals(proposed),
            edges=edges,
            cycle=await self._graph.cycle(
                me, hidden=partial(self._sight.concealed, me), over=over, ignored=ignored
            ),
            states={ref: one.state for ref, one in drawn.items()},
            titles={ref: one.title for ref, one in drawn.items() if one.title},
            hidden=sum(1 for ref in hidden if looked[ref].state.blocks),
            found=len(blockers),
            followed=len(followed),
            stood={ref: one.state for ref, one in looked.items() if ref in {*followed, *hidden}}
            | {ref: veil.states[ref] for ref in followed if ref in veil.states},
            names={ref: view.name(ref) for ref in followed},
        )

    async def _veil(
        self,
        veil: Veil,
        proposed: Collection[IssueRef],
        authors: Collection[str],
        stood: Mapping[IssueRef, RefState],
    ) -> Veil:
        """With those veiled that the text is read to name, and that its authors may not read."""
        written = {ref for ref in veil.concealed if ref in veil.named or ref in proposed}
        states = await self._sight.veiled(written - {*veil.linked}, authors)
        states |= dict.fromkeys(await self._deleted_with_all(states, stood), RefState.GONE)
        return replace(veil, states=states)

    async def _deleted_with_all(
        self, refs: Collection[IssueRef], stood: Mapping[IssueRef, RefState]
    ) -> set[IssueRef]:
        """Those that showed here as they were, until their whole repository was deleted.

        Of that one nobody can say any more who might read it.
        """
        known = await self._store.issues([ref for ref in refs if stood.get(ref) in SEEN])
        return {
            ref
            for ref, one in known.items()
            if one.state == "gone" and await self._repositories.is_missing(ref.repository)
        }

    async def _drawn(
        self,
        view: _View,
        edges: Iterable[tuple[IssueRef, IssueRef]],
        *,
        near: Collection[IssueRef],
    ) -> dict[IssueRef, _Looked]:
        """What is known of the issues in the graph: those looked at, the others as remembered."""
        around = {ref for edge in edges for ref in edge} - {view.me} - {*near}
        known = await self._store.issues(around)
        seen = {view.name(ref): view.at(ref) for ref in near}
        return seen | {ref: _Looked(_state_of(one.state), one.title) for ref, one in known.items()}

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        """Every remembered edge around (waits, for), as far as it may be shown at an issue."""
        near = [*await self._store.blockers([issue]), *await self._store.waiting([issue])]
        ends = {ref for edge in near for ref in (edge.waits, edge.on)}
        return await self._beyond(issue, near, await self._sight.concealed(issue, ends), EDGES)

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle that an edge would close, `also` before it, as it may be shown."""
        hidden = partial(self._sight.concealed, at)
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
        return set(refs) - await self._sight.concealed(at, refs)

    async def may_mirror(self, waits: IssueRef, on: IssueRef) -> bool:
        """Whether a dependency may be set in Gitea, which shows each issue's title at the other."""
        return await self._repositories.may_mirror(waits, on)

    async def closes_circle(self, waits: IssueRef, on: IssueRef) -> bool:
        """Whether `on` waits for `waits`, directly or through others; nothing of it is shown."""
        return bool(await self._graph.would_close(waits, on))

    async def shows_circle(self, waits: IssueRef, on: IssueRef) -> bool:
        """Whether such a way may be shown at the issue that waits."""
        return bool(await self.circle(waits, on, at=waits))

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> dict[IssueRef, int]:
        """How many things hold issues back that may not be named at another one.

        By what each saw of them when it was last looked at; those held back by none are absent.
        """
        known = await self._store.issues(refs)
        held = {
            ref: [(on, state) for on, state in one.stood if state.blocks]
            for ref, one in known.items()
        }
        concealed = await self._sight.concealed(
            at, {on for blockers in held.values() for on, _ in blockers}
        )
        counts = {
            ref: sum(on in concealed or (on == at and state is RefState.UNSEEN) for on, state in b)
            for ref, b in held.items()
        }
        return {ref: count for ref, count in counts.items() if count}

    async def _look_at(
        self,
        refs: Iterable[IssueRef],
        told: Mapping[IssueRef, _Looked],
        stood: Mapping[IssueRef, RefState] | None = None,
    ) -> dict[IssueRef, _Looked]:
        """The issues as they are now; those Gitea just told of are not asked again."""
        asked = [ref for ref in dict.fromkeys(refs) if ref not in told]
        answers = await asyncio.gather(*map(self._look, asked))
        looked = {ref: one for ref, one in zip(asked, answers, strict=True) if one}
        missing = [ref for ref in asked if ref not in looked]
        return (
            looked
            | await self._gone_or_unseen(missing, stood or {})
            | {ref: told[ref] for ref in refs if ref in told}
        )

    async def _look(self, ref: IssueRef) -> _Looked | None:
        """One issue as it is now; None where it is not found."""
        try:
            return _looked(await self._gitea.issue(ref))
        except NotFound:
            return None
        except Permanent:
            return _Looked(RefState.UNSEEN)
        except GiteaError:
            return _Looked(RefState.UNCHECKED)

    async def _gone_or_unseen(
        self, missing: Collection[IssueRef], stood: Mapping[IssueRef, RefState]
    ) -> dict[IssueRef, _Looked]:
        """Issues that are not found were deleted, where that was told or nothing else can be."""
        known = await self._store.issues(missing)
        told = {ref for ref, one in known.items() if one.state == "gone"}
        seen = {ref for ref in missing if stood.get(ref) in SEEN} - told
        names = sorted({ref.key[0] for ref in seen})
        whole = await asyncio.gather(*map(self._repositories.shows_all, names))
        shown = {name for name, all_ in zip(names, whole, strict=True) if all_}
        gone = told | {ref for ref in seen if ref.key[0] in shown}
        return {ref: _Looked(RefState.GONE if ref in gone else RefState.UNSEEN) for ref in missing}

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
            return await self._sight.concealed(me, refs)

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


def _standing(
    edges: Iterable[Edge], me: IssueRef, ignored: Collection[tuple[IssueRef, IssueRef]]
) -> list[Edge]:
    """Those that count. What Gitea has is seen from this end; the other one may not have looked."""
    return [
        edge
        for edge in edges
        if (edge.waits, edge.on) not in ignored
        and (edge.source is not Source.GITEA or edge.said_by == me)
    ]


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
