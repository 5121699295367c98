"""What the recheck finds on a forge, what it asks for it, and how far all is seen afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bot.assigned import NOTE, Progress
from bot.changes import Found, Hear
from bot.demo.actor import Actor
from bot.demo.forge import Forge, serve
from bot.errors import Retryable, StoreError
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.gitea.models import Comment, Issue
from bot.models import IssueRef, Source
from bot.recheck import Recheck
from bot.render import MARKER
from bot.store.database import as_it_is
from bot.store.queries import Edge, Known, Store
from bot.store.watching import Watch, Watching
from bot.watermark import OVERLAP, Watermark
from tests.forges import Clock

BOT, REPO, FAR = "coordinator", "acme/rocket", "far/away"
CATCH_UP = timedelta(days=7)
TICK = 300.0  # seconds


class Api(GiteaAPI):
    """The forge, with its clock."""

    def __init__(self, client: Gitea, clock: Clock) -> None:
        super().__init__(client)
        self.clock: Clock | None = clock
        self.between: Callable[[], object] | None = None  # done when a page is read

    def time(self, ours: datetime) -> datetime | None:
        return self.clock.time.replace(microsecond=0) if self.clock else None

    async def issues_since(self, repo: str, since: datetime) -> AsyncIterator[Issue]:
        number = 0
        async for issue in super().issues_since(repo, since):
            yield issue
            number += 1
            if number == 50 and self.between:
                act, self.between = self.between, None
                act()


@dataclass
class Bench:
    """A recheck at a forge, with nobody to do what it finds."""

    forge: Forge
    gitea: Api
    store: Store
    watching: Watching
    clock: Clock  # of the forge
    ours: Clock
    recheck: Recheck = field(init=False)
    looks: list[str] = field(default_factory=list)
    hears: list[Hear] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)
    concerned: tuple[str, ...] = ()  # by a name
    counted: list[tuple[int, int]] = field(default_factory=list)
    steady: float = 0.0
    full: bool = False
    judgement: str = "one"
    pushed: tuple[str, ...] = ()  # what is judged otherwise since a push
    pushed_asked: list[str] = field(default_factory=list)

    def boot(self) -> None:
        """Another process."""
        self.recheck = Recheck(
            gitea=self.gitea,
            store=self.store,
            watching=self.watching,
            listener=self,
            names=self,
            policies=self,
            observer=self,
            bot=self.forge.user(BOT).id,
            catch_up=CATCH_UP,
            judgement=self.judgement,
            now=self.ours,
            monotonic=lambda: self.steady,
        )

    def holds_commands(self, written: Comment | Issue) -> bool:
        return written.body.startswith("/")

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        self.names.append((forge_id, name))
        return {IssueRef.parse(ref) for ref in self.concerned}

    async def missed(self, repository: str) -> list[IssueRef]:
        self.pushed_asked.append(repository)
        return [IssueRef.parse(ref) for ref in self.pushed if ref.startswith(repository)]

    def rechecked(self, *, changed: int, looked: int) -> None:
        self.counted.append((changed, looked))

    def alice(self, repository: str = REPO) -> Actor:
        return self.forge.act_as("alice", repository)

    def pass_by(self, seconds: float = TICK) -> None:
        """Time passes, by every clock."""
        self.clock.advance(seconds)
        self.ours.advance(seconds)
        self.steady += seconds

    async def record(self, found: Found) -> None:
        if self.full:
            raise StoreError("disk full")
        self.looks += map(str, found.looks)
        self.hears += found.hears

    async def run(self, *, start: bool = False) -> list[str]:
        """What is found to be looked at; time passes before."""
        self.pass_by()
        self.looks.clear()
        self.hears.clear()
        self.counted.clear()
        self.forge.requests.clear()
        await self.recheck.run(self.record, start=start)
        return sorted(set(self.looks))

    def asked(self) -> list[str]:
        """The routes that were asked, but for who the bot is."""
        return [one.path for one in self.forge.requests if one.path != "/user"]

    async def watch(self, repository: str = REPO) -> Watch | None:
        there = {one.repository: one for one in await self.watching.watches()}
        return there.get(repository)

    async def know(self, number: int, repository: str = REPO, **facts: Any) -> IssueRef:
        """A coordinated issue that was seen as a whole just now."""
        ref = IssueRef.parse(f"{repository}#{number}")
        facts = {"coordinated": True, "state": "open", "seen_at": self.clock.time, **facts}
        await self.store.save(Known(ref, **facts))
        return ref

    async def wait(self, number: int, on: str) -> None:
        """Let a known issue wait for another one."""
        ref = IssueRef.parse(f"{REPO}#{number}")
        known = await self.store.issue(ref)
        assert known is not None
        await self.store.save(known, [Edge(ref, IssueRef.parse(on), ref, Source.DECLARED)])


@pytest.fixture
async def fresh(migrated_sqlite_url: str) -> AsyncIterator[Bench]:
    """Two repositories with people; nothing is known of them."""
    clock, ours = Clock(), Clock()
    ours.advance(7.5)  # machines differ
    forge = Forge(clock)
    token = forge.add_user(BOT)
    forge.add_user("alice")
    for repository in (REPO, FAR):
        forge.add_repository(repository)
        for login in (BOT, "alice"):
            forge.grant(repository, login, "admin")
    async with (
        serve(forge) as url,
        Gitea(url, SecretStr(token), attempts=1) as client,
        as_it_is(migrated_sqlite_url) as engine,
    ):
        store, watching = Store(engine, now=ours), Watching(engine, now=ours)
        made = Bench(forge, Api(client, clock), store, watching, clock, ours)
        made.boot()
        yield made


@pytest.fixture
async def bench(fresh: Bench) -> Bench:
    """Five issues in one repository: #1 to #3 are coordinated, #2 waits for #4; all was seen."""
    alice = fresh.alice()
    for number in range(1, 6):
        alice.open(f"Issue {number}", assignees=[BOT] if number < 4 else [])
        if number < 4:
            await fresh.know(number)
    await fresh.wait(2, f"{REPO}#4")
    fresh.pass_by()
    for number in range(1, 4):
        await fresh.know(number)
    await fresh.run(start=True)
    assert [] == await fresh.run()
    fresh.names.clear()
    return fresh


def at(*numbers: int, repository: str = REPO) -> list[str]:
    return [f"{repository}#{number}" for number in numbers]


ISSUES, COMMENTS = f"/repos/{REPO}/issues", f"/repos/{REPO}/issues/comments"
SEARCH = "/repos/issues/search"

# ---- what changed ----


@pytest.mark.parametrize(
    ("expected", "act"),
    [
        ([], lambda alice: None),
        (at(1), lambda alice: alice.edit(1, body="Otherwise.")),
        (at(1), lambda alice: alice.close(1)),
        (at(1), lambda alice: alice.unassign(1)),
        (at(1), lambda alice: alice.comment(1, "Well done.")),
        (at(4), lambda alice: alice.close(4)),
        (at(4), lambda alice: alice.edit(4, title="Retitled")),
        (at(5), lambda alice: alice.assign(5, BOT)),
        ([], lambda alice: alice.edit(5, body="Nobody cares.")),
        (at(6), lambda alice: alice.open("Six", assignees=[BOT])),
        ([], lambda alice: alice.open("Six", assignees=["alice"])),
        (at(1), lambda alice: alice.block(1, by=5)),
        (at(1, 3), lambda alice: alice.block(1, by=3)),
    ],
    ids=[
        "nothing",
        "a text",
        "closed",
        "left",
        "a comment",
        "a blocker closed",
        "a blocker's title",
        "assigned",
        "somebody else's",
        "opened for the bot",
        "opened for somebody else",
        "waits for another, by Gitea",
        "both ends are known",
    ],
)
async def test_what_changed_is_looked_at_where_it_concerns_the_bot(
    bench: Bench, expected: list[str], act: Callable[[Actor], object]
) -> None:
    """Once; and it costs two calls for the repository, and one for what is assigned."""
    act(bench.alice())
    assert expected == await bench.run()
    assert [ISSUES, COMMENTS, SEARCH] == sorted(bench.asked())
    for text in expected:
        known = await bench.store.issue(IssueRef.parse(text)) or Known(IssueRef.parse(text))
        await bench.store.save(
            replace(known, coordinated=True, state="open", seen_at=bench.clock.time)
        )
    assert [] == await bench.run()


async def test_what_changed_just_before_a_recheck_is_seen_again_by_the_next(bench: Bench) -> None:
    """A change may show later than it says, and others may be of the same second."""
    bench.pass_by()
    bench.alice().edit(1, body="Otherwise.")
    bench.pass_by(-TICK + 5)
    assert at(1) == await bench.run()
    assert at(1) == await bench.run()
    assert [] == await bench.run()


async def test_what_was_seen_as_a_whole_after_it_changed_is_left(bench: Bench) -> None:
    bench.alice().edit(1, body="Otherwise.")
    bench.pass_by(10)
    await bench.know(1)
    assert [] == await bench.run()
    assert [(1, 0)] == bench.counted


async def test_many_changes_cost_a_call_for_each_page(bench: Bench) -> None:
    for number in range(6, 126):
        bench.alice().open(f"Issue {number}", assignees=[BOT])
    assert 120 == len(await bench.run())
    assert {ISSUES: 3, COMMENTS: 1, SEARCH: 1} == {
        path: bench.asked().count(path) for path in bench.asked()
    }
    assert [(120, 120)] == bench.counted


async def test_a_page_that_shifts_while_it_is_read_loses_nothing(bench: Bench) -> None:
    """Of sixty issues one is deleted between the two pages, and the rest slides."""
    for number in range(6, 66):
        bench.alice().open(f"Issue {number}", assignees=[BOT])
    bench.gitea.between = lambda: bench.alice().delete(60)
    assert set(at(*range(6, 66))) == set(await bench.run())
    assert bench.gitea.between is None


@pytest.mark.parametrize(("readings", "later"), [(2, 1), (3, 0)], ids=["quiet then", "or not"])
async def test_what_slides_past_while_something_goes_and_something_comes_is_found(
    bench: Bench, readings: int, later: int
) -> None:
    """Of 160 issues one of the first page is deleted, and one joins the last page."""
    alice = bench.alice()
    for number in range(6, 166):
        alice.open(f"Issue {number}", assignees=[BOT])

    def act() -> None:
        alice.delete(160)
        alice.edit(1, body="Otherwise.")
        bench.clock.advance(later)

    bench.gitea.between = act
    assert set(at(1, *range(6, 166))) == set(await bench.run())
    assert 4 * readings == bench.asked().count(ISSUES)


# ---- how far it was seen ----


async def test_the_watermark_is_gitea_s_time_before_the_list_less_the_overlap(
    bench: Bench,
) -> None:
    await bench.run()
    watch = await bench.watch()
    assert watch is not None
    assert Watermark(bench.clock.time - OVERLAP, bench.ours.time) == watch.mark
    assert bench.forge.repository(REPO).id == watch.forge_id


async def test_it_moves_only_when_all_that_was_found_is_recorded(bench: Bench) -> None:
    """A crash in between repeats work, and loses none."""
    bench.alice().edit(1, body="Otherwise.")
    before = await bench.watch()
    bench.full = True
    with pytest.raises(StoreError):
        await bench.run()
    assert before == await bench.watch()
    bench.full = False
    bench.boot()
    assert at(1) == await bench.run()


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_repository_that_cannot_be_asked_holds_up_no_other(
    bench: Bench, status: int
) -> None:
    """It is asked next time, from the same watermark."""
    bench.alice(FAR).open("Far")
    await bench.know(1, FAR)
    await bench.run()
    before = await bench.watch(FAR)
    assert before is not None
    for repository in (FAR, REPO):
        bench.alice(repository).edit(1, body="Otherwise.")
    bench.forge.faults.add("GET", f"^/repos/{FAR}/issues$", status=status, times=2)
    for expected in (at(1), []):
        found = await bench.run()
        assert expected == [one for one in found if REPO in one]
        await bench.know(1)
    after = await bench.watch(FAR)
    assert after is not None
    assert before.mark == after.mark
    assert at(1, repository=FAR) == [one for one in await bench.run() if FAR in one]


async def test_gitea_being_silent_is_for_the_queue_to_try_again(bench: Bench) -> None:
    bench.forge.faults.add("GET", "^/user$", status=502)
    bench.forge.faults.add("GET", SEARCH, status=502)
    with pytest.raises(Retryable):
        await bench.run()


@pytest.mark.parametrize("restart", [False, True], ids=["at work", "started again"])
@pytest.mark.parametrize(
    ("gitea", "ours"),
    [(-3600, 0), (3600, 0), (0, 3600), (0, -3600), (-3600, -3600), (3600, 3600)],
    ids=["gitea back", "gitea on", "ours on", "ours back", "both back", "both on"],
)
async def test_a_clock_that_is_set_hides_no_change(
    bench: Bench, gitea: float, ours: float, *, restart: bool
) -> None:
    bench.clock.advance(gitea)
    bench.ours.advance(ours)
    if restart:
        bench.boot()
    bench.alice().edit(1, body="Otherwise.")
    assert "acme/rocket#1" in await bench.run()
    await bench.know(1)
    bench.pass_by(3700)
    bench.alice().edit(1, body="Once more.")
    assert "acme/rocket#1" in await bench.run()


async def test_a_clock_of_both_set_back_by_less_than_a_tick_hides_no_change(bench: Bench) -> None:
    """Gitea and the bot on one machine; only the time that passed tells."""
    for clock in (bench.clock, bench.ours):
        clock.advance(-200)
    bench.alice().edit(1, body="Otherwise.")
    assert at(1) == await bench.run()


async def test_where_gitea_tells_no_time_its_newest_change_is_the_watermark(bench: Bench) -> None:
    bench.gitea.clock = None
    await bench.run()
    before = await bench.watch()
    assert before is not None
    bench.alice().edit(1, body="Otherwise.")
    changed = bench.clock.time
    assert at(1) == await bench.run()
    after = await bench.watch()
    assert after is not None
    assert before.mark.since < after.mark.since == changed - OVERLAP


# ---- which repositories ----


async def test_nothing_is_asked_of_repositories_that_do_not_matter(bench: Bench) -> None:
    bench.alice(FAR).open("Far")
    await bench.run()
    assert not [path for path in bench.asked() if FAR in path]
    await bench.wait(1, f"{FAR}#1")
    for _ in range(2):
        await bench.run()
    lists = {f"/repos/{FAR}/issues", f"/repos/{FAR}/issues/comments"}
    assert lists == {path for path in bench.asked() if FAR in path}
    ref = IssueRef.parse(f"{REPO}#1")
    await bench.store.save(Known(ref, coordinated=True, seen_at=bench.clock.time), [])
    await bench.run()
    assert not [path for path in bench.asked() if FAR in path]
    assert await bench.watch(FAR) is not None
    bench.pass_by(3700)
    await bench.run()
    assert await bench.watch(FAR) is None


async def test_one_that_matters_and_was_not_watched_is_seen_as_a_whole(bench: Bench) -> None:
    """As after an upgrade, or where watching ended just when it began to matter."""
    bench.alice(FAR).open("Far")
    await bench.wait(1, f"{FAR}#1")
    assert [*at(1), f"{FAR}#1"] == await bench.run()
    assert await bench.watch(FAR) is not None
    assert [] == await bench.run()


async def test_one_that_is_gone_has_its_issues_looked_at_once_and_again_when_it_is_back(
    bench: Bench,
) -> None:
    """For an hour it is asked each time, then once an hour."""
    bench.alice(FAR).open("Far")
    await bench.watching.watch([FAR], bench.clock.time)
    await bench.wait(1, f"{FAR}#1")
    await bench.run()
    hidden = bench.forge.state.repositories.pop(FAR)
    assert [*at(1), f"{FAR}#1"] == await bench.run()
    asked = []
    for _ in range(30):
        assert [] == await bench.run()
        asked.append(any(FAR in path for path in bench.asked()))
    assert [True] * 11 == asked[:11]
    assert 1 == sum(asked[12:24])
    bench.forge.state.repositories[FAR] = hidden
    bench.pass_by(3600)
    assert [*at(1), f"{FAR}#1"] == await bench.run()
    assert [] == await bench.run()


async def test_one_with_another_name_is_followed_and_told_of(bench: Bench) -> None:
    bench.alice().rename_repository("missile")
    assert [] == await bench.run(), "nothing tells of it yet"
    bench.alice("acme/missile").edit(1, body="Otherwise.")
    bench.concerned = ("else/where#7",)
    found = await bench.run()
    assert [(bench.forge.repository("acme/missile").id, "acme/missile")] == bench.names
    assert {"acme/missile#1", "else/where#7"} < set(found)
    assert {*at(1, 2, 3, 4)} < set(found), "what is kept under the old name is looked at"
    assert await bench.watch() is None
    watch = await bench.watch("acme/missile")
    assert watch is not None
    assert Watermark(bench.clock.time - OVERLAP, bench.ours.time) == watch.mark


async def test_a_quiet_one_with_another_name_is_found_within_the_hour(bench: Bench) -> None:
    bench.alice().rename_repository("missile")
    bench.pass_by(3600)
    await bench.run()
    assert ["acme/missile"] == [name for _, name in bench.names]


async def test_a_name_spelled_otherwise_is_no_other_name(bench: Bench) -> None:
    bench.forge.repository(REPO).name = "Rocket"
    bench.alice().edit(1, body="Otherwise.")
    assert ["acme/Rocket#1"] == await bench.run()
    assert [] == bench.names
    assert await bench.watch("acme/Rocket") is not None


async def test_another_repository_of_the_same_name_is_looked_at_as_a_whole(bench: Bench) -> None:
    del bench.forge.state.repositories[REPO]
    bench.forge.add_repository(REPO)
    bench.forge.grant(REPO, BOT, "admin")
    bench.forge.grant(REPO, "alice", "admin")
    bench.alice().open("Another first")
    assert at(1, 2, 3, 4) == await bench.run()
    assert [(bench.forge.repository(REPO).id, REPO)] == bench.names
    assert [] == await bench.run()


async def test_an_archived_one_is_left_alone_until_it_is_not(bench: Bench) -> None:
    bench.alice().edit(1, body="Otherwise.")
    bench.alice().archive_repository()
    bench.pass_by(3600)
    assert at(1) == await bench.run(), "it was not known to be archived"
    watch = await bench.watch()
    assert watch is not None
    assert watch.archived
    assert [] == await bench.run()
    assert not [path for path in bench.asked() if REPO in path]
    bench.alice().archive_repository(archived=False)
    bench.alice().edit(5, body="For the bot.")
    bench.alice().assign(5, BOT)
    bench.pass_by(3600)
    assert at(1, 2, 3, 4, 5) == await bench.run(), "what could not be written there is now"
    assert at(5) == await bench.run(), "and it is listed again, from where it was left"


# ---- what is assigned elsewhere ----


async def test_what_is_assigned_where_nobody_watches_is_found_by_its_number(bench: Bench) -> None:
    """The list is asked for only where the number is not right."""
    bench.alice(FAR).open("Far", assignees=[BOT])
    assert [f"{FAR}#1"] == await bench.run()
    assert 2 == bench.asked().count(SEARCH)
    assert 1 == bench.asked().count(f"/repos/{FAR}/issues")
    await bench.know(1, FAR)
    await bench.run()
    bench.alice(FAR).edit(1, body="Otherwise.")
    assert [f"{FAR}#1"] == await bench.run()
    assert 1 == bench.asked().count(SEARCH)


async def test_what_changes_once_they_are_counted_stands_for_no_other_one(bench: Bench) -> None:
    bench.alice(FAR).open("Far", assignees=[BOT])
    count = bench.gitea.count_assigned

    async def count_and_see_one_more_change(since: datetime) -> int | None:
        counted = await count(since)
        bench.alice().edit(1, body="Otherwise.")
        return counted

    bench.gitea.count_assigned = count_and_see_one_more_change  # type: ignore[method-assign]
    assert [*at(1), f"{FAR}#1"] == sorted(await bench.run())


async def test_a_pull_request_that_is_assigned_is_counted_and_left(bench: Bench) -> None:
    alice = bench.alice()
    alice.write({"pump.py": 10}, new_branch="pump")
    number = alice.open_pull("Pump", "pump").number
    alice.assign(number, BOT)
    assert [] == await bench.run()
    assert 1 == bench.asked().count(SEARCH)


async def test_what_was_said_beside_an_assignment_elsewhere_is_heard(bench: Bench) -> None:
    alice = bench.alice(FAR)
    alice.open("Far", "/priority p1", assignees=[BOT])
    said = alice.comment(1, "/hold")
    assert [f"{FAR}#1"] == await bench.run()
    [heard] = bench.hears
    assert ((said.id,), True) == (heard.comments, heard.opening)


async def test_once_an_hour_all_that_is_assigned_is_listed(bench: Bench) -> None:
    """What changed long ago, too, such as an issue of a repository that was private."""
    bench.alice(FAR).open("Far", assignees=[BOT])
    hidden = bench.forge.state.repositories.pop(FAR)
    bench.pass_by()
    await bench.run()
    bench.forge.state.repositories[FAR] = hidden
    assert [] == await bench.run()
    bench.pass_by(3600)
    assert [f"{FAR}#1"] == await bench.run()


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_a_long_list_of_assignments_is_seen_to_its_end(
    fresh: Bench, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("bot.assigned.AT_ONCE", at_once)
    for n in range(3):
        fresh.alice(FAR).open(f"Far {n}", assignees=[BOT])
    found = await fresh.run()
    assert [f"{FAR}#{n}" for n in (1, 2, 3)] == [one for one in found if FAR in one]
    progress = Progress.load(await fresh.watching.note(NOTE))
    assert fresh.ours.time == progress.whole_at


async def test_assignments_that_cannot_be_asked_for_are_asked_for_next_time(bench: Bench) -> None:
    bench.alice(FAR).open("Far", assignees=[BOT])
    bench.alice().edit(1, body="Otherwise.")
    bench.forge.faults.add("GET", SEARCH, status=500, times=2)
    assert at(1) == await bench.run()
    assert [f"{FAR}#1"] == [one for one in await bench.run() if FAR in one]


async def test_where_their_number_cannot_be_asked_for_they_are_listed(bench: Bench) -> None:
    bench.alice(FAR).open("Far", assignees=[BOT])
    bench.forge.faults.add("GET", SEARCH, status=500)
    assert f"{FAR}#1" in await bench.run()


async def test_before_the_first_recheck_nothing_is_known_of_assignments(fresh: Bench) -> None:
    """All are listed, and what was said before is not heard."""
    fresh.alice(FAR).open("Far", "/priority p1", assignees=[BOT])
    assert [f"{FAR}#1"] == await fresh.run()
    assert [] == fresh.hears
    progress = Progress.load(await fresh.watching.note(NOTE))
    assert fresh.ours.time == progress.whole_at == progress.mark.asked_at


# ---- what is gone ----


@pytest.mark.parametrize(
    ("expected", "act"),
    [
        (at(1), lambda bench: bench.alice().delete(1)),
        (at(2, 4), lambda bench: bench.alice().delete(4)),
        ([], lambda bench: None),
    ],
    ids=["an issue", "a blocker nobody knows", "nothing"],
)
@pytest.mark.parametrize("start", [True, False], ids=["at start", "within the hour"])
async def test_what_was_deleted_is_found(
    bench: Bench, expected: list[str], act: Callable[[Bench], object], *, start: bool
) -> None:
    """What waits for it is looked at, too, where it is not known itself."""
    act(bench)
    assert [] == await bench.run(), "no list shows it"
    bench.pass_by(0 if start else 3600)
    assert expected == await bench.run(start=start)


async def test_a_sweep_asks_few_issues_one_by_one_and_many_by_pages(bench: Bench) -> None:
    """What is assigned and open is known from the list of assignments."""
    await bench.run(start=True)
    assert [f"/repos/{REPO}", f"{ISSUES}/4"] == sorted(
        set(bench.asked()) - {ISSUES, COMMENTS, SEARCH}
    )
    for number in range(6, 16):
        bench.alice().open(f"Issue {number}")
        await bench.know(number)
    await bench.run(start=True)
    assert 3 == bench.asked().count(ISSUES), "what changed; how many are open; which"
    for number in range(16, 700):
        bench.alice().open(f"Issue {number}")
    await bench.run()
    await bench.run(start=True)
    assert 11 == len([path for path in bench.asked() if path.startswith(f"{ISSUES}/")]) - 1
    assert 2 == bench.asked().count(ISSUES)


async def test_a_sweep_that_fails_is_made_the_next_time(bench: Bench) -> None:
    bench.alice().delete(1)
    bench.forge.faults.add("GET", f"^/repos/{REPO}$", status=500)
    bench.pass_by(3600)
    assert [] == await bench.run()
    assert at(1) == await bench.run()


# ---- what is judged anew ----


async def test_every_open_issue_is_looked_at_where_it_may_be_judged_otherwise(
    bench: Bench,
) -> None:
    assert [] == await bench.run(start=True)
    bench.judgement = "two"
    bench.boot()
    assert [] == await bench.run(), "only at start"
    assert at(1, 2, 3) == await bench.run(start=True)
    assert [] == await bench.run(start=True)


# ---- what was said ----


def box(*marks: str) -> str:
    lines = (f"- [{mark[0]}] <!-- mosaic:box={mark[1:]} --> words" for mark in marks)
    return "\n".join([MARKER, "", *lines])


async def test_commands_that_were_missed_are_heard_in_order_one_thing_for_each_issue(
    bench: Bench,
) -> None:
    alice = bench.alice()
    first, _, second = (alice.comment(1, text) for text in ("/hold", "Why?", "/unhold"))
    other = alice.comment(5, "/status")
    await bench.run()
    assert [
        (at(1), (first.id, second.id), False),
        (at(5), (other.id,), False),
    ] == [([str(one.ref)], one.comments, one.opening) for one in bench.hears]
    await bench.run()
    assert [] == bench.hears


async def test_an_edited_comment_is_heard_though_its_issue_did_not_change(bench: Bench) -> None:
    said = bench.alice().comment(1, "Hm.")
    await bench.know(1, seen_at=bench.clock.time + timedelta(seconds=6))
    await bench.run()
    bench.pass_by()
    assert [] == await bench.run()
    bench.alice().edit_comment(said, "/hold")
    assert [] == await bench.run()
    assert [(said.id,)] == [one.comments for one in bench.hears]


async def test_the_text_of_a_new_issue_is_heard(bench: Bench) -> None:
    bench.alice().open("Six", "/priority p1", assignees=[BOT])
    bench.alice().open("Seven", "/priority p1")
    bench.alice().edit(1, body="/priority p1")
    await bench.run()
    assert [(at(6), (), True)] == [
        ([str(one.ref)], one.comments, one.opening) for one in bench.hears
    ]


@pytest.mark.parametrize(
    ("heard", "looked", "status", "body"),
    [
        (True, False, "ready", box("xparse", " hold")),
        (False, False, "hold", box(" recheck", "xhold")),
        (True, False, "hold", box(" parse", " hold")),
        (False, True, "ready", f"{MARKER}\nForged."),
    ],
    ids=["a tick", "on hold, as it was left", "hold was cleared", "the report was edited"],
)
async def test_a_box_that_was_ticked_is_heard(
    bench: Bench, heard: bool, looked: bool, status: str, body: str
) -> None:
    """And a report that somebody else edited is looked at."""
    left = box(" parse", "xhold" if status == "hold" else " hold")
    report = bench.forge.act_as(BOT, REPO).comment(1, left)
    written = report.updated
    bench.pass_by(60)
    bench.alice().edit_comment(report, body)
    noted = written if looked else report.updated
    await bench.know(1, status=status, comment_id=report.id, comment_at=noted.isoformat())
    bench.pass_by(10)
    await bench.know(1, status=status, comment_id=report.id, comment_at=noted.isoformat())
    assert (at(1) if looked else []) == await bench.run()
    assert heard is ([(report.id,)] == [one.comments for one in bench.hears])


async def test_what_is_long_past_is_not_heard_but_looked_at(bench: Bench) -> None:
    """A week of downtime and more: what was said before that is brought up to date at most."""
    alice = bench.alice()
    old = alice.open("Old", "/priority p1", assignees=[BOT]).number
    alice.comment(1, "/hold")
    alice.comment(5, "/status")
    bench.pass_by(CATCH_UP.total_seconds() - TICK + 1)
    fresh = alice.comment(2, "/hold")
    bench.boot()
    assert at(1, 2, old) == await bench.run(start=True)
    assert [(fresh.id,)] == [one.comments for one in bench.hears]
