"""A script, played with and without faults; what differs in the end is a bug.

    python -m tests.faults.play --runs 200 --seed 1 --on both

plays so many runs, each with another seed, and says for every one what went wrong in it and whether
anything differs from what a bot that never failed has left. Exit status 1 where something does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import sqlalchemy as sa

from tests.databases import PostgresServer, find_postgres, fresh_database, run_postgres
from tests.faults.oracle import Snapshot, kept, snapshot
from tests.faults.script import Deed, script
from tests.faults.world import World, world
from tests.faults.wrongs import ANYWHERE, ON_POSTGRESQL, ON_SQLITE, RESTARTING, Wrong

SETTLE_SECONDS = 120.0  # after all is mended, until every issue has to be as it should
QUIET_SECONDS = 180.0
OFTEN = 0.35  # of the deeds, something goes wrong at
REPLICAS = ("one", "two", "three")


@dataclass(frozen=True)
class Expected:
    """What a bot that never failed leaves, after each act, and in its store."""

    acts: Sequence[Snapshot]
    kept: Snapshot


@dataclass
class Run:
    """What happened in one run."""

    seed: int
    on: str
    deeds: int = 0
    deliveries: int = 0
    wrongs: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return sum(one.startswith("kill") for one in self.wrongs)

    def __str__(self) -> str:
        return (
            f"seed {self.seed} on {self.on}: {self.deeds} deeds, {self.deliveries} deliveries, "
            f"{len(self.wrongs)} faults, {self.kills} kills, right after {self.slowest:.1f} s at "
            f"most, {len(self.differences)} differences"
        )


async def expected(seed: int, issues: int) -> Expected:
    """Play the script on SQLite with nothing going wrong, and let each deed be done."""
    with tempfile.TemporaryDirectory(prefix="mosaic-faults-") as directory:
        url = f"sqlite:///{directory}/bot.db"
        async with world(Path(directory), url) as made:
            made.processes_named("right")
            await made.up()
            acts = []
            for act in script(seed, issues):
                for deed in act:
                    deed.do(made.forge)
                    await quiet(made)
                acts.append(snapshot(made.forge))
            right = await kept(url)
            assert [] == right.issues["store"]["set aside"]
            return Expected(acts, right)


@dataclass(frozen=True)
class Place:
    """Where it is played: a database, and what can go wrong there."""

    on: str
    wrongs: tuple[Wrong, ...]
    replicas: tuple[str, ...]
    postgres: PostgresServer | None = None


async def play(
    seed: int, right: Expected, issues: int, place: Place, *, script_seed: int | None = None
) -> Run:
    """The same with faults; `seed` tells which, and the script unless `script_seed` does."""
    run = Run(seed, place.on)
    acts = script(seed if script_seed is None else script_seed, issues)
    with tempfile.TemporaryDirectory(prefix="mosaic-faults-") as name:
        directory = Path(name)
        async with database(place, directory) as url, world(directory, url, place.postgres) as made:
            made.processes_named(*place.replicas)
            await made.up()
            trouble = Trouble(made, Random(run.seed), place.wrongs, run)
            try:
                await _through(trouble, made, acts, right, url)
            except (TimeoutError, AssertionError, sa.exc.DBAPIError) as error:
                run.differences.append(f"it came to no end: {error!r}")
            run.deliveries = made.proxy.recorded
            if run.differences:
                keep_logs(made, run)
        return run


@asynccontextmanager
async def database(place: Place, directory: Path) -> AsyncIterator[str]:
    """The URL of an empty one there; no other run restarts the server just then."""
    if place.postgres is None:
        yield f"sqlite:///{directory}/bot.db"
        return
    with contextlib.ExitStack() as stack:
        async with RESTARTING:
            url = stack.enter_context(fresh_database(place.postgres.url))
        yield url
        async with RESTARTING:
            stack.close()


async def _through(
    trouble: Trouble, made: World, acts: Sequence[Sequence[Deed]], right: Expected, url: str
) -> None:
    run = trouble.run
    for act, stands in zip(acts, right.acts, strict=True):
        await trouble.around(act, stands)
        if run.differences:
            return
    await trouble.stays(right.acts[-1])
    async with RESTARTING:
        run.differences += (await kept(url)).differences(right.kept)


def keep_logs(made: World, run: Run) -> None:
    """Where somebody can read them."""
    kept = Path(tempfile.gettempdir()) / f"mosaic-faults-{run.on}-{run.seed}"
    kept.mkdir(exist_ok=True)
    for process in made.processes:
        (kept / process.log.name).write_bytes(process.log.read_bytes())
    (kept / "faults").write_text("\n".join([*run.wrongs, *run.differences]), encoding="utf-8")


class Trouble:
    """Lets things go wrong while people do something."""

    def __init__(self, made: World, random: Random, wrongs: Sequence[Wrong], run: Run) -> None:
        self._world = made
        self._random = random
        self._wrongs = wrongs
        self.run = run
        self._going: dict[Wrong, asyncio.Task[str]] = {}

    async def around(self, act: Sequence[Deed], right: Snapshot) -> None:
        """One act; then all is mended, and within a while everything has to be right."""
        for deed in act:
            if self._random.random() < OFTEN:
                self._begin(self._random.choice(self._wrongs))
            deed.do(self._world.forge)
            self.run.deeds += 1
            await asyncio.sleep(self._random.uniform(0, 0.3))
        for going in self._going.values():
            self._note(await going)
        self._going.clear()
        await self._mend()
        await self._judge(right)

    async def stays(self, right: Snapshot) -> None:
        """As it is now it has to be after the next recheck, and the one after that."""
        await rechecked(self._world)
        self.run.differences += snapshot(self._world.forge).differences(right)

    def _begin(self, wrong: Wrong) -> None:
        going = self._going.get(wrong)
        if going is not None and not going.done():
            return
        if going is not None:
            self._note(going.result())
        task = wrong(self._world, Random(self._random.random()))
        self._going[wrong] = asyncio.ensure_future(task)

    def _note(self, what: str) -> None:
        """What went wrong; nothing where it found nothing to break."""
        if what:
            self.run.wrongs.append(what)

    async def _mend(self) -> None:
        self.run.wrongs += self._world.planned.mend()
        await self._world.up()

    async def _judge(self, right: Snapshot) -> None:
        """Right at last."""
        begun = time.monotonic()
        while found := snapshot(self._world.forge).differences(right):
            if time.monotonic() - begun > SETTLE_SECONDS:
                self.run.differences += found
                return
            await asyncio.sleep(0.1)
        self.run.slowest = max(self.run.slowest, time.monotonic() - begun)


async def quiet(made: World) -> None:
    """Return when all was delivered, and nothing is left to be done."""
    async with asyncio.timeout(QUIET_SECONDS):
        await made.forge.settled()
        while await made.metric("mosaic_queue") != 0:
            await asyncio.sleep(0.05)
            await made.forge.settled()


async def rechecked(made: World) -> None:
    """Return when it was looked for what was missed, from beginning to end, since now."""
    async with asyncio.timeout(QUIET_SECONDS):
        before = made.forge.requests.count("GET", "^/repos/issues/search$")
        while made.forge.requests.count("GET", "^/repos/issues/search$") < before + 2:
            await asyncio.sleep(0.05)
    await quiet(made)


@asynccontextmanager
async def places(on: str) -> AsyncIterator[list[Place]]:
    """Where to play: `sqlite`, `postgresql` or `both`."""
    with contextlib.ExitStack() as stack:
        made = [Place("sqlite", ANYWHERE + ON_SQLITE, ("one",))]
        programs = find_postgres() if on != "sqlite" else None
        if on != "sqlite" and programs is None:
            raise SystemExit("there is no PostgreSQL: install it, or name its programs by PG_BIN")
        if programs:
            server = stack.enter_context(run_postgres(programs))
            made.append(Place("postgresql", ANYWHERE + ON_POSTGRESQL, REPLICAS, server))
        yield [one for one in made if on in (one.on, "both")]


async def _main(args: argparse.Namespace) -> int:
    seeds = range(args.seed, args.seed + args.runs)
    turn = asyncio.Semaphore(args.jobs)
    right: dict[int, asyncio.Task[Expected]] = {}

    async def one(seed: int, where: Sequence[Place]) -> Run:
        script_seed = seed % args.scripts
        async with turn:
            if script_seed not in right:
                right[script_seed] = asyncio.create_task(expected(script_seed, args.issues))
            place, expect = where[(seed // args.scripts) % len(where)], await right[script_seed]
            run = Run(seed, place.on)
            try:
                run = await play(seed, expect, args.issues, place, script_seed=script_seed)
            except Exception as error:  # noqa: BLE001 - the other runs go on, and all is summed up
                run.differences.append(f"it could not be played: {error!r}")
        print(run, *run.differences, sep="\n  ", flush=True)
        return run

    async with places(args.on) as where:
        done = await asyncio.gather(*(one(seed, where) for seed in seeds))
    _sum_up(done)
    return int(any(run.differences for run in done))


def _sum_up(done: Sequence[Run]) -> None:
    for on in sorted({one.on for one in done}):
        runs = [one for one in done if one.on == on]
        wrongs = [wrong for one in runs for wrong in one.wrongs]
        kinds = Counter(wrong.split(" for ")[0].split(" by ")[0] for wrong in wrongs)
        print(
            f"{on}: {len(runs)} runs, {sum(one.deeds for one in runs)} deeds, "
            f"{sum(one.deliveries for one in runs)} deliveries recorded, "
            f"{len(wrongs)} faults, "
            f"{sum(one.kills for one in runs)} kills, "
            f"{sum(len(one.differences) for one in runs)} differences",
        )
        for kind, times in kinds.most_common():
            print(f"  {times:5} {kind}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--on", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--issues", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2, help="runs at once")
    parser.add_argument("--scripts", type=int, default=10, help="different scripts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_arguments())))
