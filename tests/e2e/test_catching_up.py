"""What happens while nobody tells the bot: found by the next recheck, done once, at few calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.app import Bot
from bot.boxes import boxes
from bot.config import load
from bot.demo.actor import Actor
from bot.demo.forge import Forge, serve
from bot.errors import StoreError
from bot.jobs import Job
from bot.models import POLICY_FILE
from bot.render import MARKER
from bot.server import serving
from bot.store.watching import Watch
from bot.worker import RECHECK
from tests.databases import sqlite_url
from tests.e2e.work import SELDOM, at_work
from tests.forges import ForgeServer

__all__ = ["sqlite_url"]

BOT, REPO, FAR = "coordinator", "acme/rocket", "far/away"
EASY = "Context estimate: 9k tokens\nDifficulty: easy"
HARD = "Context estimate: 90k tokens\nDifficulty: hard"
GLM = {"context/small", "difficulty/easy", "agent/glm"}
SONNET = {"context/large", "difficulty/hard", "agent/sonnet"}
READY, BLOCKED = ("Ready", {"status/ready", *GLM}), ("Blocked", {"status/blocked", *GLM})
ENDED: tuple[str, set[str]] = ("Ended", set())
LIMIT = 60.0  # seconds
TICKS = count(1)


@dataclass
class Ahead:
    """The forge's clock, so much before the bot's."""

    by: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@dataclass
class World:
    """A forge with two repositories; the bot hears of one of them, if of any."""

    forge: Forge
    clock: Ahead
    token: str
    database_url: str
    directory: Path
    bot: Bot = field(init=False)

    def alice(self, repository: str = REPO) -> Actor:
        return self.forge.act_as("alice", repository)

    def open(self, title: str, body: str = "", *, repository: str = REPO, mine: bool = True) -> int:
        people = [BOT] if mine else []
        return self.alice(repository).open(title, f"{body}\n\n{EASY}", assignees=people).number

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """A bot on the same database each time; all is done at the end."""
        settings = load(
            {
                "GITEA_URL": self.forge.url,
                "GITEA_TOKEN": self.token,
                "GITEA_WEBHOOK_SECRET": "secret",
                "DATABASE_URL": self.database_url,
                "HOST": "127.0.0.1",
                "PORT": "0",
                "BOT_CONFIG": str(self.directory / "bot.toml"),
                "MOSAIC_QUEUE__FIRST_WAIT": "50ms",
                **SELDOM,
            }
        )
        async with serving(settings) as (self.bot, port):
            hook = f"http://127.0.0.1:{port}/webhook/gitea"
            self.forge.add_hook(hook, secret="secret", repository=REPO)
            await self.quiet()
            yield
            await self.quiet()
            self.forge.state.hooks.clear()

    async def quiet(self) -> None:
        """Return when all is delivered and done, also what is done with delay."""
        async with asyncio.timeout(LIMIT):
            still = 0
            while still < 2:
                await self.forge.settled()
                still = 0 if any((await self.bot.engine.counts()).values()) else still + 1
                await asyncio.sleep(0.02)

    async def tick(self) -> None:
        """The recheck is due, and done."""
        name = f"now-{next(TICKS)}"
        await self.bot.engine.submit(Job(f"recheck:{name}", RECHECK, RECHECK, name))
        await self.quiet()

    async def an_hour_later(self) -> None:
        """What is gone is looked for once an hour."""
        for watch in await self.bot.watching.watches():
            await self.bot.watching.keep(replace(watch, swept_at=None))

    def report(self, number: int, repository: str = REPO) -> str:
        """The bot's one report on an issue; fails when there is none, or several."""
        said = [one.body for one in self.forge.comments(repository, number, by=BOT)]
        [report] = [body for body in said if body.startswith(MARKER)]
        assert len(said) == len(set(said)), "told twice"
        return report

    def stands(self, number: int, repository: str = REPO) -> tuple[str, set[str]]:
        """The report's first words, in bold, and the issue's labels."""
        words = self.report(number, repository).split("**")[1]
        return words.partition(" ")[0], set(self.forge.labels(repository, number))

    def asked(self, method: str = "GET") -> list[str]:
        """The routes that the bot asked."""
        return [one.path for one in self.forge.requests.matching(method, user=BOT)]

    def written(self) -> Counter[tuple[str, str]]:
        """What the bot wrote on issues: how often what."""
        mine = (one for one in self.forge.requests if one.user == BOT and one.method != "GET")
        return Counter((one.method, one.path) for one in mine if "/issues/" in one.path)


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    clock = Ahead()
    forge = Forge(clock)
    made = World(forge, clock, forge.add_user(BOT), sqlite_url, tmp_path)
    forge.add_user("alice")
    for repository in (REPO, FAR):
        forge.add_repository(repository)
        for login in (BOT, "alice"):
            forge.grant(repository, login, "admin")
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge):
        yield made


Missing = Callable[[World, Callable[[], None]], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def down(world: World, act: Callable[[], None]) -> AsyncIterator[None]:
    """The bot is stopped, and started again."""
    async with world.at_work():
        pass
    world.clock.by += timedelta(hours=1)
    act()
    world.forge.requests.clear()
    async with world.at_work():
        yield


@asynccontextmanager
async def deaf(world: World, act: Callable[[], None]) -> AsyncIterator[None]:
    """The bot is at work, and no webhook leads to it."""
    async with world.at_work():
        hooks = dict(world.forge.state.hooks)
        world.forge.state.hooks.clear()
        world.clock.by += timedelta(hours=1)
        act()
        world.forge.requests.clear()
        await world.an_hour_later()
        await world.tick()
        world.forge.state.hooks.update(hooks)
        yield


missing = pytest.mark.parametrize("missing", [down, deaf], ids=["down", "deaf"])

# ---- everything at once ----


@missing
async def test_ten_things_that_were_missed_are_all_made_up_for(
    world: World, missing: Missing
) -> None:
    """In a repository whose webhook leads to the bot, and in one without."""
    async with world.at_work():
        edited, closed, left, reopened, kept = map(
            world.open, ("Edited", "Closed", "Left", "Again", "Kept")
        )
        far = world.open("Far", repository=FAR, mine=False)
        waits_far = world.open("Waits far", f"Blocked by {FAR}#{far}")
        plain, lost, other = (world.open(t, mine=False) for t in ("Plain", "Lost", "Other"))
        waits = world.open("Waits", f"Blocked by #{plain}")
        waits_lost = world.open("Waits for the lost", f"Blocked by #{lost}")
        deleted = world.open("Deleted")
        links, unlinks = world.open("Links"), world.open("Unlinks")
        world.alice().block(unlinks, by=other)
        far_mine = world.open("Far, and the bot's", repository=FAR)
        await world.quiet()
        world.alice().close(reopened)
        await world.tick()
        assert [BLOCKED] * 4 == [world.stands(n) for n in (waits_far, waits, waits_lost, unlinks)]

    found: dict[str, int] = {}

    def act() -> None:
        alice, away = world.alice(), world.alice(FAR)
        alice.edit(edited, body=HARD)
        alice.close(closed)
        alice.unassign(left)
        alice.reopen(reopened)
        away.close(far)
        alice.close(plain)
        alice.delete(lost)
        alice.delete(deleted)
        alice.block(links, by=other)
        alice.unblock(unlinks, by=other)
        away.edit(far_mine, body=HARD)
        found["here"] = world.open("New")
        found["far"] = world.open("New and far", repository=FAR)

    async with missing(world, act):
        assert ("Ready", {"status/ready", *SONNET}) == world.stands(edited)
        assert ("Closed", GLM) == world.stands(closed)
        assert ENDED == world.stands(left)
        for number in (reopened, kept, waits_far, waits, waits_lost, unlinks, found["here"]):
            assert READY == world.stands(number), number
        assert "deleted" in world.report(waits_lost)
        assert BLOCKED == world.stands(links)
        assert READY == world.stands(found["far"], FAR)
        assert ("Ready", {"status/ready", *SONNET}) == world.stands(far_mine, FAR)
        assert [] == await world.bot.store.failures()
        twice = {what: times for what, times in world.written().items() if times > 1}
        assert {} == twice

        world.clock.by += timedelta(hours=1)
        await world.tick()
        world.forge.requests.clear()
        world.clock.by += timedelta(hours=1)
        await world.tick()
        assert {} == world.written()
        assert Counter(
            {
                "/repos/issues/search": 1,
                f"/repos/{REPO}/issues": 1,
                f"/repos/{REPO}/issues/comments": 1,
                f"/repos/{FAR}/issues": 1,
                f"/repos/{FAR}/issues/comments": 1,
                f"/repos/{REPO}/contents/{POLICY_FILE}": 1,
                f"/repos/{FAR}/contents/{POLICY_FILE}": 1,
            }
        ) == Counter(world.asked())


@missing
async def test_a_blocker_that_is_reopened_is_noticed(world: World, missing: Missing) -> None:
    async with world.at_work():
        far = world.open("Far", repository=FAR, mine=False)
        waits = world.open("Waits", f"Blocked by {FAR}#{far}")
        world.alice(FAR).close(far)
        await world.tick()
        assert READY == world.stands(waits)
    async with missing(world, lambda: world.alice(FAR).reopen(far)):
        assert BLOCKED == world.stands(waits)


@missing
async def test_a_report_that_was_edited_meanwhile_is_put_right(
    world: World, missing: Missing
) -> None:
    """Gitea moves no issue's time for it."""
    async with world.at_work():
        number = world.open("One")
        await world.quiet()
        [comment] = world.forge.comments(REPO, number, by=BOT)
        right = comment.body
    async with missing(world, lambda: world.alice().edit_comment(comment, f"{MARKER}\nForged.")):
        assert right == world.report(number)


@missing
async def test_what_was_said_and_ticked_is_done_in_order_and_once(
    world: World, missing: Missing
) -> None:
    async with world.at_work():
        said, ticked = world.open("Said"), world.open("Ticked")
    opened: list[int] = []

    def act() -> None:
        alice = world.alice()
        for words in ("/priority p1", "Well.", "/priority p0\n/hold"):
            alice.comment(said, words)
        [report] = world.forge.comments(REPO, ticked, by=BOT)
        alice.tick(report, [*boxes(report.body)].index("hold"))
        body = f"{EASY}\n\n/priority p2"
        opened.append(alice.open("Opened", body, assignees=[BOT]).number)

    async with missing(world, act):
        assert ("On", {"status/hold", *GLM, "priority/p0"}) == world.stands(said)
        assert ("On", {"status/hold", *GLM}) == world.stands(ticked)
        assert ("Ready", {"status/ready", *GLM, "priority/p2"}) == world.stands(opened[0])
        world.forge.requests.clear()
        await world.tick()
        assert {} == world.written()


# ---- repositories as a whole ----


@missing
async def test_a_repository_that_was_renamed_keeps_its_reports(
    world: World, missing: Missing
) -> None:
    async with world.at_work():
        far = world.open("Far", repository=FAR)
        waits = world.open("Waits", f"Blocked by {FAR}#{far}")
        await world.tick()
        assert BLOCKED == world.stands(waits)

    def act() -> None:
        world.alice(FAR).rename_repository("further")
        world.alice("far/further").close(far)

    async with missing(world, act):
        assert ("Closed", GLM) == world.stands(far, "far/further")
        assert READY == world.stands(waits)
        names = {watch.repository for watch in await world.bot.watching.watches()}
        assert {REPO, "far/further"} == names


@missing
async def test_an_archived_repository_is_left_alone_until_it_is_not(
    world: World, missing: Missing
) -> None:
    async with world.at_work():
        far = world.open("Far", repository=FAR)
        await world.tick()

    def act() -> None:
        world.alice(FAR).edit(far, body=HARD)
        world.alice(FAR).archive_repository()
        world.bot.repositories.forget(FAR)  # what it was is remembered for a minute

    async with missing(world, act):
        assert READY == world.stands(far, FAR)
        assert [] == await world.bot.store.failures()
        world.alice(FAR).archive_repository(archived=False)
        world.bot.repositories.forget(FAR)
        await world.an_hour_later()
        await world.tick()
        assert ("Ready", {"status/ready", *SONNET}) == world.stands(far, FAR)


# ---- once ----


async def test_a_tick_of_several_replicas_is_done_once(world: World) -> None:
    async with world.at_work():
        world.open("One")
        await world.quiet()
        world.forge.requests.clear()
        for replica in ("one", "two"):
            stamp = f"{replica}/boot/1"
            tick = Job("recheck:2026-11-22T15:05:00Z", RECHECK, RECHECK, "15:05", stamp)
            await world.bot.engine.submit(tick)
        await world.quiet()
        assert 1 == world.asked().count(f"/repos/{REPO}/issues")


async def test_a_watermark_that_could_not_be_moved_repeats_looks_and_writes_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.at_work():
        number = world.open("One")
        await world.quiet()
        keep, failed = world.bot.watching.keep, []

        async def full(watch: Watch) -> None:
            if not failed:
                failed.append(watch)
                raise StoreError("disk full")
            await keep(watch)

        monkeypatch.setattr(world.bot.watching, "keep", full)
        world.forge.state.hooks.clear()
        world.clock.by += timedelta(hours=1)
        world.alice().edit(number, body=HARD)
        world.forge.requests.clear()
        await world.tick()
        assert failed
        assert ("Ready", {"status/ready", *SONNET}) == world.stands(number)
        assert {1} == set(world.written().values())
        assert 2 == world.asked().count(f"/repos/{REPO}/issues")


# ---- at start ----


async def test_a_start_looks_at_nothing_that_did_not_change(world: World) -> None:
    """Every open issue is looked at only where another bot may judge otherwise."""
    async with world.at_work():
        numbers = [world.open(f"Issue {number}") for number in range(8)]
        await world.quiet()
        world.clock.by += timedelta(hours=1)
        await world.tick()
    world.clock.by += timedelta(hours=1)
    world.forge.requests.clear()
    async with world.at_work():
        pass
    assert [] == [
        p for p in world.asked() if p.startswith(f"/repos/{REPO}/issues/") and p[-1].isdigit()
    ]
    toml = "[limits]\nshare = 0.02\n"
    (world.directory / "bot.toml").write_text(toml, encoding="utf-8")
    async with world.at_work():
        pass
    assert {"Too"} == {world.stands(number)[0] for number in numbers}


async def test_a_store_that_is_lost_comes_back_from_what_gitea_knows(
    world: World, tmp_path: Path
) -> None:
    async with world.at_work():
        first = world.open("First")
        second = world.open("Second", f"Blocked by #{first}")
        far = world.open("Far", repository=FAR)
        await world.tick()
    world.database_url = f"sqlite:///{tmp_path}/another.db"
    world.forge.requests.clear()
    async with world.at_work():
        stand = [world.stands(first), world.stands(second), world.stands(far, FAR)]
        assert [READY, BLOCKED, READY] == stand
        said = [path for method, path in world.written() if method == "POST"]
        assert not [path for path in said if path.endswith("/comments")], "nothing is said anew"
        assert {REPO, FAR} == {watch.repository for watch in await world.bot.watching.watches()}


# ---- on either forge ----

SMALL = ("context/small", "difficulty/easy", "agent/glm")


async def test_what_was_missed_while_the_bot_was_down_is_made_up_for_on_either_forge(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    async with at_work(forge_server, tmp_path) as work:
        plain, lost = await work.open("Plain"), await work.open("Lost")
        texts = {
            "edited": EASY,
            "closed": EASY,
            "left": EASY,
            "waits": f"Blocked by #{plain}\n\n{EASY}",
            "waits for the lost": f"Blocked by #{lost}\n\n{EASY}",
            "links": EASY,
            "said": EASY,
            "deleted": EASY,
        }
        at = {title: await work.open(title, text, BOT) for title, text in texts.items()}
        for title, number in at.items():
            waits = title.startswith("waits")
            status, headline = ("blocked", "Blocked") if waits else ("ready", "Ready")
            await work.until(number, f"status/{status}", *SMALL, headline=headline)
        await work.deafen()
        await work.quiet()
    for _ in range(7):  # so that it is not of the moment in which it was looked at
        await forge_server.next_second()

    alice, path = forge_server.api("alice"), f"/repos/{work.repo}/issues"
    await work.change(at["edited"], body=HARD)
    await work.change(at["closed"], state="closed")
    await work.change(at["left"], assignees=[])
    await work.change(plain, state="closed")
    await forge_server.delete_issue(work.repo, lost)
    await forge_server.delete_issue(work.repo, at["deleted"])
    other = await work.open("Other")
    await work.depend(at["links"], other)
    for words in ("/priority p1", "/priority p0\n/hold"):
        await alice.do("POST", f"{path}/{at['said']}/comments", {"body": words})
    new = await work.open("New", f"{EASY}\n\n/priority p2", BOT)

    async with at_work(forge_server, tmp_path, repo=work.repo) as again:
        large = ("context/large", "difficulty/hard", "agent/sonnet")
        await again.until(at["edited"], "status/ready", *large, headline="Ready")
        await again.until(at["closed"], *SMALL, headline="Closed")
        await again.until(at["left"], headline="Ended")
        await again.until(at["waits"], "status/ready", *SMALL, headline="Ready")
        await again.until(
            at["waits for the lost"], "status/ready", *SMALL, headline="Ready", says="deleted"
        )
        await again.until(at["links"], "status/blocked", *SMALL, headline="Blocked")
        await again.until(at["said"], "status/hold", *SMALL, "priority/p0", headline="On hold")
        await again.until(new, "status/ready", *SMALL, "priority/p2", headline="Ready")
        await again.quiet()
        before = {n: await again.look(n) for n in (*at.values(), new) if n != at["deleted"]}
        await again.bot.engine.submit(Job("recheck:again", RECHECK, RECHECK, "again"))
        await again.quiet()
        assert before == {n: await again.look(n) for n in before}
        notices = {title: len(before[n].others) for title, n in at.items() if n in before}
        told = {"waits": 1, "waits for the lost": 1}
        assert {title: told.get(title, 0) for title in notices} == notices
