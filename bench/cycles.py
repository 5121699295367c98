"""How long it takes to find the cycle an issue stands in, as ratios that hold on any machine.

    python bench/cycles.py [ISSUES] [EDGES]

Prints the time of asking a graph that stands ready, of building it as well, and of trying every
path from the issue (given up after 300,000 steps), each against the first.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from itertools import pairwise
from time import perf_counter

from bot.dependencies import Edge, Graph, cycle_through
from bot.models import IssueRef

GIVEN_UP = 300_000


def made_up(issues: int, edges: int) -> list[Edge]:
    """A backlog over ten repositories without a cycle, then one closed the long way round."""
    rng = random.Random(7)
    refs = [IssueRef("acme", f"repo{n % 10}", n) for n in range(issues)]
    found = list(pairwise(refs))
    while len(found) < edges - 1:
        low = rng.randrange(issues - 1)
        found.append((refs[low], refs[min(issues - 1, low + rng.randint(2, 400))]))
    return [*found, (refs[-1], refs[0])]


def try_all(issue: IssueRef, edges: list[Edge]) -> tuple[int, int]:
    """Steps taken, and the shortest cycle met, by following every simple path from an issue."""
    onward: dict[IssueRef, list[IssueRef]] = {}
    for waits, target in edges:
        onward.setdefault(waits, []).append(target)
    steps, shortest = 0, 0
    path, ahead = [issue], [iter(onward.get(issue, ()))]
    while ahead and steps < GIVEN_UP:
        steps += 1
        following = next(ahead[-1], None)
        if following is None:
            ahead.pop()
            path.pop()
        elif following == issue:
            shortest = min(shortest or len(path), len(path))
        elif following not in path[-50:]:
            path.append(following)
            ahead.append(iter(onward.get(following, ())))
    return steps, shortest


def best(ask: Callable[[], object], times: int) -> float:
    """The shortest of some runs, in milliseconds."""
    took = []
    for _ in range(times):
        began = perf_counter()
        ask()
        took.append(perf_counter() - began)
    return min(took) * 1000


def main() -> None:
    issues, count = (int(a) for a in (*sys.argv[1:], "10000", "30000")[:2])
    edges = made_up(issues, count)
    start = edges[-1][1]
    graph = Graph(edges)
    ready = best(lambda: cycle_through(start, graph), 20)
    built = best(lambda: cycle_through(start, edges), 5)
    tried = best(lambda: try_all(start, edges), 1)
    steps, shortest = try_all(start, edges)
    ended = f"given up after {steps:,} steps" if steps == GIVEN_UP else f"{steps:,} steps"
    length = len(cycle_through(start, graph)) - 1
    print(f"{issues:,} issues, {len(edges):,} edges, a cycle of {length} issues")
    print(f"graph ready    {ready:9.2f} ms    1.0 x")
    print(f"graph built    {built:9.2f} ms  {built / ready:5.1f} x")
    print(f"every path     {tried:9.2f} ms  {tried / ready:5.1f} x  ({ended}, shortest {shortest})")


if __name__ == "__main__":
    main()
