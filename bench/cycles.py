"""What a change of an edge costs: to take it in, and to decide whether a circle came or went.

    python bench/cycles.py [ISSUES] [EDGES]

Prints, for graphs of several shapes, the milliseconds that the graph in memory takes for a change
that closes the longest circle an edge can, for one that opens it again, and for one that has to do
with none; beside each, how many times as long it takes to build the graph anew in the same run.
Then the same with a database (a SQLite file), and the memory that the graph takes (tracemalloc).
Times are the shortest of some runs.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from time import perf_counter

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dependencies import Edge, Graph, cycle_through, cycles_with
from bot.models import IssueRef, Source
from bot.store import queries, tables
from bot.store.database import opened
from bot.store.graph import ResidentGraph
from bot.store.queries import Known, Store

TIMES = 15


def now() -> datetime:
    return datetime.now(UTC)


def refs_of(issues: int) -> list[IssueRef]:
    """Issues of twenty repositories."""
    return [IssueRef("acme", f"repo{n % 20}", n) for n in range(issues)]


def backlog(issues: int, edges: int) -> list[Edge]:
    """Each waits for the next, and for others not far on, as in a long plan."""
    rng, refs = random.Random(7), refs_of(issues)
    found = dict.fromkeys(pairwise(refs))
    while len(found) < edges:
        low = rng.randrange(issues - 1)
        found[refs[low], refs[min(issues - 1, low + rng.randint(2, 400))]] = None
    return [*found]


def scattered(issues: int, edges: int) -> list[Edge]:
    """Each waits for any that come later, as in many small plans."""
    rng, refs = random.Random(7), refs_of(issues)
    found: dict[Edge, None] = {}
    while len(found) < edges:
        low, high = sorted(rng.sample(range(issues), 2))
        found[refs[low], refs[high]] = None
    return [*found]


def chain(issues: int, _edges: int) -> list[Edge]:
    """One after another: the longest circle that issues can make, with as few edges."""
    return list(pairwise(refs_of(issues)))


def ladder(issues: int, edges: int) -> list[Edge]:
    """Steps of three, each waiting for all of the next: as many equally short ways as can be."""
    refs = refs_of(issues)
    found = [
        (refs[low], refs[high])
        for step in range(0, issues - 5, 3)
        for low in range(step, step + 3)
        for high in range(step + 3, step + 6)
    ]
    return found[:edges]


def best(ask: Callable[[], object], times: int = TIMES) -> float:
    """Milliseconds; the shortest of some runs."""
    return min(once(ask) for _ in range(times))


def once(ask: Callable[[], object]) -> float:
    began = perf_counter()
    ask()
    return (perf_counter() - began) * 1000


def farthest(graph: Graph, issue: IssueRef) -> IssueRef:
    """An issue for which this one waits over as many others as can be."""
    seen: set[int] = set()
    node = graph.find(issue)
    level = {node} if node is not None else set()
    while level:
        seen |= level
        node = min(level)
        level = {n for at in level for n in graph.waits_for[at]} - seen
    assert node is not None
    return graph.refs[node]


class Case:
    """A graph without a circle, and the edge (`last` waits for `first`) that closes one."""

    def __init__(self, edges: list[Edge]) -> None:
        self.graph = Graph(edges)
        self.first = edges[0][0]
        self.last = farthest(self.graph, self.first)
        self.middle = edges[len(edges) // 2][0]

    def change(self, issue: IssueRef, on: IssueRef | None) -> tuple[IssueRef, ...]:
        """Let an issue wait for one more, or not; the circle it stands in then."""
        node = self.graph.find(issue)
        assert node is not None
        refs = self.graph.refs
        out = [(issue, refs[n]) for n in self.graph.waits_for[node] if refs[n] != self.first]
        into = [(refs[n], issue) for n in self.graph.waited_by[node]]
        self.graph.replace(issue, [*out, *into, *([(issue, on)] if on else [])])
        return cycle_through(issue, self.graph)

    def measured(self) -> tuple[int, list[float]]:
        """The circle's length, and milliseconds in the order of the table."""
        closes, concerns, opens = [], [], []
        length = 0
        for _ in range(TIMES):
            closes.append(once(lambda: self.change(self.last, self.first)))
            length = len(cycle_through(self.last, self.graph)) - 1
            concerns.append(once(lambda: cycles_with(self.last, self.graph)))
            opens.append(once(lambda: self.change(self.last, None)))
        neither = best(lambda: self.change(self.middle, None))
        return length, [min(closes), min(concerns), min(opens), neither]


def in_memory(issues: int, edges: int) -> None:
    print(f"{issues:,} issues, {edges:,} edges; milliseconds, and building anew in times of that\n")
    print(f"{'shape':<10}{'edges':>7}{'circle':>8}{'build':>8}", end="")
    print("".join(f"{name:>16}" for name in ("closes it", "who is on it", "opens it", "neither")))
    for shape in (backlog, scattered, chain, ladder):
        found = shape(issues, edges)
        built = best(lambda found=found: Graph(found), 5)
        length, figures = Case(found).measured()
        print(f"{shape.__name__:<10}{len(found):>7,}{length:>8,}{built:>8.1f}", end="")
        print("".join(f"{ms:>9.2f} {built / ms:>5.0f}x" for ms in figures))


async def fill(engine: AsyncEngine, edges: list[Edge]) -> None:
    rows = [
        {
            "repository": waits.repository,
            "number": waits.number,
            "for_repository": on.repository,
            "for_number": on.number,
            "said_repository": waits.repository,
            "said_number": waits.number,
            "source": Source.DECLARED.value,
            "shown": waits.repository,
            "for_shown": on.repository,
        }
        for waits, on in edges
    ]
    async with engine.begin() as connection:
        await connection.execute(sa.insert(tables.edges), rows)


class Watch:
    """How long the event loop was held at most while something was done: milliseconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        last = perf_counter()
        while True:
            await asyncio.sleep(0)
            now = perf_counter()
            self.longest, last = max(self.longest, (now - last) * 1000), now


async def with_database(edges: list[Edge]) -> None:
    case = Case(edges)
    first, last, middle = case.first, case.last, case.middle
    with tempfile.TemporaryDirectory() as directory:
        async with opened(f"sqlite:///{directory}/bench.db") as engine:
            await fill(engine, edges)
            store, graph = Store(engine, now=now), ResidentGraph(engine, now=now)
            await graph.cycle(first)
            await loading(ResidentGraph(engine, now=now), first)
            its = [edge for edge in edges if edge[0] == middle]
            for name, issue, said in (
                ("closes a circle", last, [(last, first)]),
                ("opens it again", last, []),
                ("neither", middle, its[1:]),
                ("no change", middle, None),
            ):
                took = min([await asked(store, graph, issue, said) for _ in range(TIMES)])
                print(f"{name:<16}{took:>8.2f} ms from the question to the answer")
            megabytes = await held(ResidentGraph(engine, now=now), first)
            print(f"memory          {megabytes:>8.1f} MB")


async def loading(graph: ResidentGraph, issue: IssueRef) -> None:
    watch = Watch()
    watching = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    began = perf_counter()
    await graph.cycle(issue)
    took = (perf_counter() - began) * 1000
    watching.cancel()
    print(f"\nwith SQLite: read in {took:.0f} ms, the loop held {watch.longest:.1f} ms at most")


async def held(graph: ResidentGraph, issue: IssueRef) -> float:
    """How many megabytes Python holds more when the graph is read."""
    tracemalloc.start()
    await graph.cycle(issue)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1e6


async def asked(
    store: Store, graph: ResidentGraph, issue: IssueRef, said: list[Edge] | None
) -> float:
    """Save what an issue says, and ask for its circle; milliseconds of the latter."""
    if said is not None:
        known = Known(issue, coordinated=True, state="open")
        await store.save(known, [])
        await graph.cycle(issue)
        await store.save(known, [queries.Edge(*edge, issue, Source.DECLARED) for edge in said])
    began = perf_counter()
    await graph.cycle(issue)
    return (perf_counter() - began) * 1000


def main() -> None:
    issues, edges = (int(a) for a in (*sys.argv[1:], "10000", "30000")[:2])
    in_memory(issues, edges)
    asyncio.run(with_database(backlog(issues, edges)))


if __name__ == "__main__":
    main()
