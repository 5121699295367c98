"""The graph of all dependencies that hold something back, kept in memory beside the database.

It is read once, and then follows the journal: of each issue that was changed, by whichever
process, the edges are read anew. So a question costs one short query and a few milliseconds,
however long a cycle is. Issues that are over, and their edges, are not in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Sequence,
)
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.dependencies import Edge, Graph, cycle_through, cycles_with, would_close_cycle
from bot.models import IssueRef
from bot.store import tables as t
from bot.store.access import Access, among, ref_of, whole
from bot.store.journal import OVER
from bot.store.remembered import leads_over, length_of, steps_at

SLICE = 500  # edges taken in at once; the loop does other things between them
CHUNK = 200  # issues of which the edges are asked for in one statement
FAR_BEHIND = 2000  # entries of the journal from which on reading everything is quicker
ROUNDS = 10  # ways looked for around what may not be shown, before only what may be is looked at

Hidden: TypeAlias = Callable[[Collection[IssueRef]], Awaitable[set[IssueRef]]]
"""Tells which of some issues lie in repositories that may not be shown where somebody asks."""

_WAITS, _ON, _E = t.issues.alias("waits"), t.issues.alias("on_it"), t.edges.c
_EDGES = (
    sa.select(
        sa.func.coalesce(_WAITS.c.shown, _E.shown),
        _E.number,
        sa.func.coalesce(_ON.c.shown, _E.for_shown),
        _E.for_number,
    )
    .select_from(t.edges)
    .outerjoin(_WAITS, (_WAITS.c.repository == _E.repository) & (_WAITS.c.number == _E.number))
    .outerjoin(_ON, (_ON.c.repository == _E.for_repository) & (_ON.c.number == _E.for_number))
    .where(*(sa.func.coalesce(end.c.state, "").not_in(OVER) for end in (_WAITS, _ON)))
)
_JOURNAL = sa.select(t.changes.c.version, t.changes.c.repository, t.changes.c.number)
_NEWEST = _JOURNAL.order_by(t.changes.c.version.desc()).limit(1)


class ResidentGraph(Access):
    """Answers what stands in a circle; all that was committed before a question counts in it."""

    def __init__(self, engine: AsyncEngine, *, now: Callable[[], datetime]) -> None:
        super().__init__(engine, now=now)
        self._graph: Graph | None = None
        self._newest: tuple[Any, ...] | None = None  # of the journal's entries that it holds
        self._following = asyncio.Lock()

    # -- questions --------------------------------------------------------------------------

    async def cycle(
        self,
        issue: IssueRef,
        *,
        hidden: Hidden | None = None,
        over: Collection[IssueRef] = (),
        ignored: Collection[Edge] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle an issue stands in, as (#3, #7, #3); empty when there is none.

        It leads over nothing that is `hidden`, nor over what is known to be `over` before the
        store knows it, nor along edges (waits, for) that are `ignored`.
        """

        def found(graph: Graph, shut: set[int]) -> tuple[IssueRef, ...]:
            closed = {n for ref in over if (n := graph.find(ref)) is not None}
            with graph.supposing(removed=ignored):
                return cycle_through(issue, graph, shut | closed)

        return await self._shown(found, issue, hidden)

    async def would_close(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef | None = None,
        hidden: Hidden | None = None,
        also: Collection[Edge] = (),
    ) -> tuple[IssueRef, ...]:
        """The shortest cycle that an edge closes, or would close; empty when none.

        `also` are edges that are to be added before it. With `hidden`, it is one that may be shown
        `at` an issue (`waits`, when it is not said).
        """

        def found(graph: Graph, shut: set[int]) -> tuple[IssueRef, ...]:
            with graph.supposing(added=also):
                return would_close_cycle(graph, (waits, on), shut)

        return await self._shown(found, at or waits, hidden)

    async def holds(self, cycle: Sequence[IssueRef]) -> bool:
        """Whether each step of a cycle is an edge still."""
        graph = await self._followed()
        return all(graph.holds(*step) for step in pairwise(cycle))

    async def concerned(self, issue: IssueRef) -> set[IssueRef]:
        """The coordinated issues whose remembered cycle is untrue since this one changed.

        To be asked once its edges and its state are saved. They are those whose cycle led over
        it and does so no longer, and those for which there is one now, or a shorter one.
        """
        graph = await self._followed()
        stale = {
            ref_of(row.shown, row.number)
            for row in await self._remembered(leads_over(issue))
            if not all(graph.holds(*step) for step in steps_at(issue, row.cycle))
        }
        lengths = cycles_with(issue, graph)
        for chunk in _chunks(sorted(ref.key for ref in lengths)):
            rows = await self._remembered(among(t.issues.c.repository, t.issues.c.number, chunk))
            told = {ref_of(row.shown, row.number): length_of(row.cycle) for row in rows}
            stale |= {ref for ref, before in told.items() if not 0 < before <= lengths[ref]}
        return stale - {issue}

    async def on_cycles_with(self, issue: IssueRef) -> set[IssueRef]:
        """The other coordinated issues whose remembered cycle leads over this one."""
        rows = await self._remembered(leads_over(issue))
        return {ref_of(row.shown, row.number) for row in rows} - {issue}

    async def _remembered(self, which: sa.ColumnElement[bool]) -> Sequence[Any]:
        columns = t.issues.c.shown, t.issues.c.number, t.issues.c.cycle
        return await self._read(sa.select(*columns).where(t.issues.c.coordinated, which))

    async def _shown(
        self,
        found: Callable[[Graph, set[int]], tuple[IssueRef, ...]],
        at: IssueRef,
        hidden: Hidden | None,
    ) -> tuple[IssueRef, ...]:
        """What is found without what may not be shown at an issue.

        Only of repositories on a way that was found it is asked whether they may be.
        """
        graph = await self._followed()
        if hidden is None:
            return found(graph, set())
        readable, unreadable = {at.key[0]}, set[str]()
        for _ in range(ROUNDS):
            way = found(graph, graph.among(unreadable))
            unasked = [ref for ref in way if ref.key[0] not in readable]
            concealed = {ref.key[0] for ref in await hidden(unasked)} if unasked else set()
            if not concealed:
                return way
            unreadable |= concealed
            readable |= {ref.key[0] for ref in unasked} - concealed
        return found(graph, graph.besides(readable))

    # -- following the store ----------------------------------------------------------------

    async def _followed(self) -> Graph:
        """The graph with all that is committed by now; one refresh at a time."""
        async with self._following:
            graph = self._graph
            if graph and (await self._is_newest() or await self._follow(graph)):
                return graph
            return await self._load()

    async def _is_newest(self) -> bool:
        found = await self._read(_NEWEST)
        return self._newest == (tuple(found[0]) if found else None)

    @whole
    async def _follow(self, graph: Graph) -> bool:
        """Take in what the journal tells; False when everything has to be read anew.

        So it is when it tells no longer of what is known here: it was trimmed since, or the
        database is an older one, brought back. Nothing is changed before all of it is read.
        """
        since = self._newest[0] if self._newest else 1
        asked = _JOURNAL.where(t.changes.c.version >= since).order_by(t.changes.c.version)
        async with self._snapshot() as connection:
            entries = [tuple(e) for e in await connection.execute(asked.limit(FAR_BEHIND))]
            if self._newest:
                connected = entries[:1] == [self._newest]
                entries = entries[1:]
            else:
                connected = not entries or entries[0][0] == 1
            if not connected or len(entries) >= FAR_BEHIND - 1:
                return False
            edges = await self._around(connection, {entry[1:] for entry in entries})
        for key, some in edges.items():
            graph.replace(_spelt(key, some), some)
        self._newest = entries[-1] if entries else self._newest
        return True

    @whole
    async def _load(self) -> Graph:
        """Read everything, a slice at a time."""
        graph, refs = Graph(), dict[tuple[str, int], IssueRef]()

        def ref(shown: str, number: int) -> IssueRef:
            known = shown, number
            return refs.get(known) or refs.setdefault(known, ref_of(shown, number))

        async with self._snapshot() as connection:
            entry = (await connection.execute(_NEWEST)).first()
            rows = await connection.stream(_EDGES)
            async for some in rows.partitions(SLICE):
                graph.add((ref(row[0], row[1]), ref(row[2], row[3])) for row in some)
        self._graph, self._newest = graph, tuple(entry) if entry else None
        return graph

    async def _around(
        self, connection: AsyncConnection, keys: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], list[Edge]]:
        """The edges that lead from each issue or to it."""
        found: dict[tuple[str, int], list[Edge]] = {key: [] for key in keys}
        for chunk in _chunks(sorted(keys)):
            for ends in ((_E.repository, _E.number), (_E.for_repository, _E.for_number)):
                for row in await connection.execute(_EDGES.where(among(*ends, chunk))):
                    edge = ref_of(row[0], row[1]), ref_of(row[2], row[3])
                    for end in edge:
                        if end.key in found:
                            found[end.key].append(edge)
        return found

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose reads all show one moment."""
        async with self._reading() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                await connection.execute(sa.text("BEGIN"))
            yield connection


def _spelt(key: tuple[str, int], edges: Iterable[Edge]) -> IssueRef:
    """An issue as its edges spell it."""
    return next((end for edge in edges for end in edge if end.key == key), ref_of(*key))


def _chunks(keys: Sequence[tuple[str, int]]) -> list[Sequence[tuple[str, int]]]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
