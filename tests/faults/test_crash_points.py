"""The bot dies at every single call in turn, and is started again: the end is always the same.

The work of each step is run once undisturbed, and then as often as it makes calls to Gitea, to the
store and to the queue; each time one of them fails, once before it is carried out and once after,
as a process that is killed there would. A new bot with nothing but the store and the queue then
does the work again.
"""

from __future__ import annotations

import inspect
import itertools
import os
import random
import re
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.config import load
from bot.coordinator import Coordinator, Rules
from bot.demo.forge import Forge, serve
from bot.edges import EdgeKeeper
from bot.errors import StoreError
from bot.estimator import SizeLimits
from bot.freshness import Freshness
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.gitea.events import Event
from bot.gitea.models import User
from bot.herald import Herald
from bot.jobs import Job
from bot.mirror import Mirror
from bot.models import POLICY_FILE, IssueRef
from bot.naming import Naming
from bot.policies import Policies
from bot.policy import Site
from bot.publish import Labels, StickyComment
from bot.publisher import Publisher
from bot.recheck import Recheck
from bot.render import Renderer
from bot.repositories import Repositories
from bot.requests import Done
from bot.routing import discover
from bot.store.database import opened
from bot.store.graph import ResidentGraph
from bot.store.naming import NameStore
from bot.store.natives import NativesStore
from bot.store.policies import PolicyStore
from bot.store.queries import Store
from bot.store.sayings import SayingsStore
from bot.store.watching import Watching
from bot.surroundings import Surveyor
from bot.worker import RECHECK, Worker

BOT = "coordinator"
MOST_CALLS = 400
SOME = 5
SEED = 20261122
RENDERER = Renderer()  # holds nothing but its templates, which take a while to compile
SIZE = "\n\nContext estimate: 9k tokens\nDifficulty: easy"


class Crash(Exception):  # noqa: N818
    """The process died."""


@dataclass
class Trap:
    """Counts calls, and lets the one of number `at` fail: before or after it is carried out."""

    at: int = 0
    after: bool = False
    calls: int = 0
    where: str = ""
    names: list[str] = field(default_factory=list)  # of all calls

    def around(self, target: object, name: str) -> Any:
        return _Watched(target, name, self)

    def step(self, name: str, *, after: bool) -> None:
        if not after:
            self.calls += 1
            self.names.append(name)
        if self.calls == self.at and self.after is after:
            self.at = 0
            self.where = name
            raise Crash(name)


class _Watched:
    def __init__(self, target: object, name: str, trap: Trap) -> None:
        self._target, self._name, self._trap = target, name, trap

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        where = f"{self._name}.{name}"
        if inspect.isasyncgenfunction(found):

            async def listed(*args: Any) -> AsyncIterator[Any]:
                self._trap.step(where, after=False)
                async for item in found(*args):
                    yield item
                self._trap.step(where, after=True)

            return listed
        if not inspect.iscoroutinefunction(found):
            return found

        async def watched(*args: Any, **more: Any) -> Any:
            self._trap.step(where, after=False)
            answer = await found(*args, **more)
            self._trap.step(where, after=True)
            return answer

        return watched


class Queue:
    """Jobs in order, each id once, durable: it outlives the bot."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.ids: set[str] = set()

    async def submit(self, job: Job, *, delay: float = 0.0) -> None:
        if job.id not in self.ids:
            self.ids.add(job.id)
            self.jobs.append(job)


class Clock:
    """A time that goes on only where somebody waits."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Quiet:
    def report(self, *, written: bool) -> None:
        """Nobody counts."""

    async def unheard(self, _comment: object, _at: str, *, on_hold: bool) -> tuple[()]:
        """Nobody ticks."""
        return ()

    async def hear(self, _issue: IssueRef, _comments: object) -> None:
        """Nobody says a word."""

    def rechecked(self, *, changed: int, looked: int) -> None:
        """Nobody counts."""

    def delivered(self, seconds: float) -> None:
        """Nobody counts."""


class Silence:
    async def run(self, event: Event, written_at: str, in_hand: Collection[int]) -> Done:
        """Nobody gives a command."""
        return Done()

    async def close(self, _done: Done) -> None:
        """There is nothing to note."""

    def holds_commands(self, _written: object) -> bool:
        return False

    async def heard(self, _forge_id: int, _name: str) -> set[IssueRef]:
        """Nobody renames anything."""
        return set()


@dataclass
class Core:
    """A bot's process: all that it knows besides the store and the queue."""

    bot: User
    coordinator: Coordinator
    recheck: Recheck
    commander: Silence = field(default_factory=Silence)

    def forge_time(self) -> datetime:
        """Asked where something was missed, which nothing is."""
        raise AssertionError


@dataclass
class World:
    """A repository of its own with a bot that can die."""

    forge: Forge
    gitea: GiteaAPI
    store: Store
    sayings: SayingsStore
    natives: NativesStore
    names: NameStore
    kept: PolicyStore
    watching: Watching
    me: User
    repo: str
    clock: Clock
    queue: Queue = field(default_factory=Queue)
    boots: int = 0
    trap: Trap = field(default_factory=Trap)

    def boot(self) -> None:
        """Start a bot."""
        self.boots += 1
        gitea: Any = self.trap.around(self.gitea, "gitea")
        store: Any = self.trap.around(self.store, "store")
        sayings: Any = self.trap.around(self.sayings, "sayings")
        natives: Any = self.trap.around(self.natives, "natives")
        names: Any = self.trap.around(self.names, "names")
        settings = load({})
        site = Site.of(settings, [])
        repositories = Repositories(gitea)
        kept: Any = self.trap.around(self.kept, "policies")
        policies = Policies(gitea, repositories, kept, site)
        graph: Any = self.trap.around(ResidentGraph(self.store._engine, now=self.clock), "graph")
        naming = Naming(gitea, repositories, names, store)
        surveyor = Surveyor(gitea, store, repositories, graph)
        coordinator = Coordinator(
            gitea=gitea,
            store=store,
            repositories=repositories,
            surveyor=surveyor,
            policies=policies,
            naming=naming,
            edges=EdgeKeeper(
                store=store,
                sayings=sayings,
                mirror=Mirror(gitea=gitea, memory=natives, links=sayings),
                surveyor=surveyor,
                proposals="propose",
            ),
            publisher=Publisher(
                comment=StickyComment(gitea, self.me),
                labels=Labels(gitea, store, sleep=self.clock.sleep),
                site=site.policy,
                renderer=RENDERER,
                sayings=sayings,
                observer=Quiet(),
                ticks=Quiet(),
                hear=Quiet().hear,
            ),
            herald=Herald(gitea, RENDERER, self.me),
            watching=self.trap.around(self.watching, "watching"),
            bot=self.me,
            rules=Rules(SizeLimits(), 50, frozenset()),
            reader=None,
            sayings=sayings,
            clock=self.clock,
        )
        recheck = Recheck(
            gitea=gitea,
            store=store,
            watching=self.trap.around(self.watching, "watching"),
            listener=Silence(),
            names=Silence(),
            policies=policies,
            observer=Quiet(),
            bot=self.me.id,
            catch_up=settings.catch_up,
            judgement="the same",
            now=self.clock,
        )
        core = Core(self.me, coordinator, recheck)

        async def give() -> Core:
            return core

        self.worker = Worker(
            queue=self.trap.around(self.queue, "queue"),
            core=give,
            login=lambda: BOT,
            router=discover("handlers"),
            store=store,
            repositories=repositories,
            policies=policies,
            naming=naming,
            freshness=Freshness("one", f"boot{self.boots}"),
            observer=Quiet(),
            catch_up=timedelta(days=7),
            now=self.clock,
        )

    def hear(self, number: int, action: str) -> None:
        """A delivery that is recorded already."""
        issue: dict[str, Any] = {"number": number, "assignees": [{"login": BOT}]}
        data: dict[str, Any] = {
            "action": action,
            "issue": issue,
            "repository": {"full_name": self.repo},
            "sender": {"login": "alice"},
        }
        event = Event(f"d{len(self.queue.ids)}", "issues", "issues", "repository", data)
        stamp = self.worker._freshness.stamp()
        job = Job(event.delivery, "delivery", f"{self.repo}#{number}", event.dump(), stamp)
        self.queue.ids.add(job.id)
        self.queue.jobs.append(job)

    def tick(self) -> None:
        """The recheck is due."""
        name = f"recheck:{len(self.queue.ids)}"
        self.queue.ids.add(name)
        self.queue.jobs.append(Job(name, RECHECK, RECHECK, "now", self.worker._freshness.stamp()))

    async def work(self) -> None:
        """Do all that is queued; a bot that dies is started again."""
        while self.queue.jobs:
            try:
                await self.worker.work(self.queue.jobs[0])
            except (Crash, StoreError):
                self.boot()
            else:
                self.queue.jobs.pop(0)

    async def state(self) -> dict[str, object]:
        """What stands there and is remembered, without the repository's name and ids."""
        name = self.repo
        repository = self.forge.repository(name)

        def plain(value: object) -> str:
            text = str(value).replace(name.partition("/")[2], "REPO")
            return re.sub(r"(?<=coordinator:notice )\w+", "TOKEN", text)

        numbers = sorted(repository.issues)
        refs = [IssueRef.parse(f"{name}#{number}") for number in range(1, 6)]
        known = await self.store.issues(refs)
        return {
            "comments": {
                n: [plain(c.body) for c in self.forge.comments(name, n, by=BOT)] for n in numbers
            },
            "labels": {n: self.forge.labels(name, n) for n in numbers},
            "made": sorted(label.name for label in repository.labels.values()),
            "known": sorted(
                plain(replace(one, comment_id=None, comment_at="", seen_at=None))
                for one in known.values()
            ),
            "natives": {
                n: sorted(one.number for one in repository.issues[n].blocked_by) for n in numbers
            },
            "set": sorted(
                {
                    plain(one)
                    for found in [await self.natives.of(r) for r in refs]
                    for one in found.values()
                }
            ),
            "edges": sorted(map(plain, await self.store.blockers(refs))),
        }


Act = Callable[[World], None]


def _open(world: World) -> None:
    alice = world.forge.act_as("alice", world.repo)
    alice.open("One", SIZE)
    alice.open("Two", f"Blocked by #1\nBlocks #3{SIZE}")
    alice.open("Three", f"The third.{SIZE}")
    alice.open("Four", f"Blocked by #2{SIZE}")
    alice.block(4, by=1)
    for number in (2, 3, 4):
        alice.assign(number, BOT)
        world.hear(number, "assigned")


def _alice(act: Callable[[Any], object], number: int, action: str) -> Act:
    def step(world: World) -> None:
        act(world.forge.act_as("alice", world.repo))
        world.hear(number, action)

    return step


def _deleted_report(world: World) -> None:
    alice = world.forge.act_as("alice", world.repo)
    alice.delete_comment(world.forge.comments(world.repo, 2, by=BOT)[0])
    world.hear(2, "edited")


def _missed(world: World) -> None:
    """Nobody tells of it; the recheck is due."""
    alice = world.forge.act_as("alice", world.repo)
    alice.close(1)
    alice.edit(3, body=f"Blocked by #4{SIZE}")
    alice.unassign(2, BOT)
    alice.open("Five", SIZE, assignees=[BOT])
    world.tick()


def _policy(text: str) -> Act:
    """A file of the repository's own is pushed; nobody tells of it, the recheck is due."""

    def step(world: World) -> None:
        world.forge.act_as("alice", world.repo).write({POLICY_FILE: text})
        world.tick()

    return step


STEPS: dict[str, tuple[Act, ...]] = {
    "assigned": (_open,),
    "blocker closed": (_open, _alice(lambda a: a.close(1), 1, "closed")),
    "retitled": (_open, _alice(lambda a: a.edit(2, title="Second"), 2, "edited")),
    "a cycle": (_open, _alice(lambda a: a.edit(3, body=f"Blocked by #4{SIZE}"), 3, "edited")),
    "a cycle goes": (
        _open,
        _alice(lambda a: a.edit(3, body=f"Blocked by #4{SIZE}"), 3, "edited"),
        _alice(lambda a: a.edit(3, body=SIZE), 3, "edited"),
    ),
    "blocks no more": (_open, _alice(lambda a: a.edit(2, body=SIZE), 2, "edited")),
    "unassigned": (_open, _alice(lambda a: a.unassign(2, BOT), 2, "unassigned")),
    "deleted": (_open, _alice(lambda a: a.delete(2), 2, "deleted")),
    "report deleted": (_open, _deleted_report),
    "taken away in Gitea": (_open, _alice(lambda a: a.unblock(2, by=1), 2, "edited")),
    "added in Gitea": (_open, _alice(lambda a: a.block(3, by=1), 3, "edited")),
    "missed": (_open, World.tick, _missed),
    "its own file": (_open, World.tick, _policy('labels.status = "state"\nx = 1')),
    "its file goes": (
        _open,
        _policy('dependencies = "read"\nlabels.agent = "who"\nx = 1'),
        _policy("ai = false"),
    ),
}


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[[], Any]]:
    """Worlds on one forge, each with a repository and a database of its own."""
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    async with opened(f"sqlite:///{tmp_path}/empty.db"):
        pass
    numbers = itertools.count(1)
    async with serve(forge) as url, Gitea(url, SecretStr(token)) as client:
        gitea = GiteaAPI(client)
        me = await gitea.me()

        def fresh() -> tuple[str, Callable[..., World]]:
            number = next(numbers)
            repo = f"acme/r{number:04}"
            forge.add_repository(repo, files={"a.py": 100})
            for login in (BOT, "alice"):
                forge.grant(repo, login, "admin")
            path = tmp_path / f"{number}.db"
            shutil.copy(tmp_path / "empty.db", path)
            return f"sqlite:///{path}", lambda *stores: World(
                forge, gitea, *stores[:-1], me, repo, stores[-1]
            )

        yield fresh


def _no_power_cuts(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@asynccontextmanager
async def _fresh(make: Callable[[], Any]) -> AsyncIterator[World]:
    """A world in which no bot runs yet."""
    url, world_of = make()
    async with opened(url) as engine:
        sa.event.listen(engine.sync_engine, "connect", _no_power_cuts)
        await engine.dispose()
        clock = Clock()
        kinds = (Store, SayingsStore, NativesStore, NameStore, PolicyStore, Watching)
        world: World = world_of(*(kind(engine, now=clock) for kind in kinds), clock)
        yield world
        del world.forge.state.repositories[world.repo]  # another world's bot would find it


async def _run(make: Callable[[], Any], steps: tuple[Act, ...], trap: Trap) -> dict[str, object]:
    async with _fresh(make) as world:
        world.boot()
        for step in steps[:-1]:
            step(world)
            await world.work()
        steps[-1](world)
        world.trap = trap
        world.boot()
        await world.work()
        return await world.state()


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
async def test_dying_at_any_call_repeats_work_and_loses_none(
    make: Callable[[], Any], steps: tuple[Act, ...]
) -> None:
    """`FAULTS=all` tries every call; without it some of them, others in each step."""
    undisturbed = Trap()
    expected = await _run(make, steps, undisturbed)
    assert 0 < undisturbed.calls < MOST_CALLS
    every = [(n, after) for n in range(1, undisturbed.calls + 1) for after in (False, True)]
    chosen = every if os.environ.get("FAULTS") == "all" else random.Random(SEED).sample(every, SOME)
    for number, after in chosen:
        trap = Trap(at=number, after=after)
        found = await _run(make, steps, trap)
        when = "after" if after else "before"
        assert expected == found, f"died at call {number}, {when} {trap.where} (seed {SEED})"


def _two(world: World) -> None:
    """Without labels, which would tell as well as the comment how it stood."""
    world.forge.act_as("alice", world.repo).write({POLICY_FILE: "labels.enabled = false"})
    _open(world)


async def test_who_was_told_that_it_waits_is_told_when_it_does_no_longer(
    make: Callable[[], Any],
) -> None:
    """Though the bot died in between, and the blocker was closed before it was there again."""
    undisturbed = Trap()
    await _run(make, (_two,), undisturbed)
    first = undisturbed.names.index("gitea.create_comment") + 1
    told = 0
    for number, after in itertools.product(range(first, first + 3), (False, True)):
        async with _fresh(make) as world:
            world.trap = Trap(at=number, after=after)
            world.boot()
            _two(world)
            with suppress(Crash):
                while world.queue.jobs:
                    await world.worker.work(world.queue.jobs[0])
                    world.queue.jobs.pop(0)
            shown = [c.body for c in world.forge.comments(world.repo, 2, by=BOT)]
            _alice(lambda a: a.close(1), 1, "closed")(world)
            world.boot()
            await world.work()
            said = [c.body for c in world.forge.comments(world.repo, 2, by=BOT)]
            notices = [body for body in said if "coordinator:notice" in body]
            if any("**Blocked**" in body for body in shown):
                told += 1
                assert 1 == len(notices), f"died at call {number}, after={after}"
                assert "#1" in notices[0]
            assert len(notices) <= 1
    assert told
