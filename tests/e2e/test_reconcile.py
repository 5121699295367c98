"""A running bot on the embedded forge: what stands on issues after things happen, counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.demo.story import BOT, REPOSITORY, Stage, staged
from bot.errors import AIError
from bot.jobs import Job
from bot.models import Difficulty, IssueRef, Reading
from bot.reading import Wanted
from bot.render import MARKER
from bot.store.queries import Known, Store
from bot.worker import RECHECK, look

pytestmark = pytest.mark.counted

SIZE = "\n\nContext estimate: 9k tokens\nDifficulty: easy"
READ_ISSUE = r"^/repos/acme/rocket/issues/\d+$"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


def reports(stage: Stage, number: int) -> list[str]:
    """The bot's reports on an issue."""
    said = (one.body for one in stage.forge.comments(REPOSITORY, number, by=BOT))
    return [body for body in said if body.startswith(MARKER)]


def report(stage: Stage, number: int) -> str:
    """The bot's one comment on an issue."""
    [body] = reports(stage, number)
    assert body.startswith(MARKER)
    return body


def status(stage: Stage, number: int) -> str:
    """The status an issue's label shows; empty where there is none."""
    found = [n for n in stage.forge.labels(REPOSITORY, number) if n.startswith("status/")]
    assert len(found) <= 1
    return "".join(found).removeprefix("status/")


def written(stage: Stage) -> int:
    """How many requests of the bot changed something."""
    return sum(1 for asked in stage.forge.requests if asked.user == BOT and asked.method != "GET")


def open_assigned(stage: Stage, title: str, body: str = "") -> int:
    return stage.alice.open(title, body + SIZE, assignees=[BOT]).number


# ---- reading little, writing less ----


async def test_a_burst_of_edits_is_read_at_most_twice_and_told_once(stage: Stage) -> None:
    number = open_assigned(stage, "Burst")
    await stage.quiet()
    stage.forge.requests.clear()
    for edit in range(10):
        stage.alice.edit(number, body=f"Take {edit}.{SIZE}")
    await stage.quiet()
    assert 1 <= stage.forge.requests.count("GET", f"/issues/{number}$", BOT) <= 2
    assert 0 == written(stage)


async def test_nothing_is_written_when_nothing_changed(stage: Stage) -> None:
    first = open_assigned(stage, "First")
    second = open_assigned(stage, "Second", f"Blocked by #{first}")
    await stage.quiet()
    stage.forge.requests.clear()
    for delivery in list(stage.forge.deliveries.log):
        stage.forge.replay(delivery)
    await stage.quiet()
    assert stage.forge.requests.count("GET", READ_ISSUE, BOT) > 0
    assert 0 == written(stage)
    assert ["ready", "blocked"] == [status(stage, first), status(stage, second)]


async def test_a_look_that_finds_nothing_new_writes_once_into_the_store(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the disk each time."""
    number = open_assigned(stage, "Calm")
    await stage.quiet()
    saved: list[Known] = []
    save = Store.save

    async def noted(self: Store, known: Known, *rest: Any) -> None:
        saved.append(known)
        await save(self, known, *rest)

    monkeypatch.setattr(Store, "save", noted)
    stage.alice.label(number, "unheard-of")
    await stage.quiet()
    assert [number] == [known.ref.number for known in saved]


async def test_labels_of_one_repository_are_made_once_by_many_issues_at_once(stage: Stage) -> None:
    for number in range(8):
        open_assigned(stage, f"Issue {number}")
    await stage.quiet()
    names = [label.name for label in stage.forge.repository(REPOSITORY).labels.values()]
    assert sorted(set(names)) == sorted(names)
    assert ["ready"] * 8 == [status(stage, number) for number in range(1, 9)]


# ---- priorities: people's, and the bot's where a command set one ----


def priorities(stage: Stage, number: int) -> list[str]:
    """The labels of an issue that say how soon it is to be taken."""
    found = stage.forge.labels(REPOSITORY, number)
    return [name for name in found if name.startswith("priority/")]


async def test_a_priority_set_by_a_command_replaces_others_and_goes_with_the_command(
    stage: Stage,
) -> None:
    number = open_assigned(stage, "Urgent")
    seen = []
    for word in ("p1", "p0", "none"):
        stage.alice.comment(number, f"/priority {word}")
        await stage.quiet()
        seen.append(priorities(stage, number))
    assert [["priority/p1"], ["priority/p0"], []] == seen


async def test_a_priority_set_by_hand_is_left_alone(stage: Stage) -> None:
    """Also after a command had set one, and somebody took that away."""
    number = open_assigned(stage, "Mine")
    stage.alice.comment(number, "/priority p1")
    await stage.quiet()
    stage.alice.comment(number, "/priority none")
    await stage.quiet()
    stage.alice.label(number, "priority/p1")
    for words in ("/priority none", "/recheck"):
        stage.alice.comment(number, words)
        await stage.quiet()
    assert ["priority/p1"] == priorities(stage, number)
    stage.alice.unassign(number, BOT)
    await stage.quiet()
    assert ["priority/p1"] == stage.forge.labels(REPOSITORY, number)


async def test_unassigning_takes_a_priority_off_that_a_command_had_set(stage: Stage) -> None:
    number = open_assigned(stage, "Urgent")
    stage.alice.comment(number, "/priority p1")
    await stage.quiet()
    stage.alice.unassign(number, BOT)
    await stage.quiet()
    assert [] == stage.forge.labels(REPOSITORY, number)


# ---- assigned, unassigned, deleted ----


async def test_an_issue_that_is_not_assigned_is_left_alone(stage: Stage) -> None:
    number = stage.alice.open("Not for the bot", f"Blocks #1{SIZE}").number
    stage.alice.assign(number, "bob")
    stage.alice.unassign(number)
    stage.alice.close(number)
    await stage.quiet()
    assert [] == reports(stage, number)
    assert [] == stage.forge.labels(REPOSITORY, number)
    assert 0 == written(stage)


async def test_unassigning_ends_it_and_assigning_again_takes_the_same_comment(
    stage: Stage,
) -> None:
    number = open_assigned(stage, "Back and forth")
    stage.alice.create_label("kind/bug")
    stage.alice.label(number, "kind/bug")
    await stage.quiet()
    [before] = stage.forge.comments(REPOSITORY, number, by=BOT)
    first = before.body

    stage.alice.unassign(number, BOT)
    await stage.quiet()
    assert "**Ended" in report(stage, number)
    assert ["kind/bug"] == stage.forge.labels(REPOSITORY, number)

    stage.alice.assign(number, BOT)
    await stage.quiet()
    [after] = stage.forge.comments(REPOSITORY, number, by=BOT)
    assert (before.id, first) == (after.id, after.body)


async def test_a_deleted_blocker_no_longer_blocks_and_the_report_says_so(stage: Stage) -> None:
    first = open_assigned(stage, "First")
    second = open_assigned(stage, "Second", f"Blocked by #{first}")
    await stage.quiet()
    assert "blocked" == status(stage, second)
    stage.alice.edit(first, body="One more word.")
    stage.alice.delete(first)
    await stage.quiet()
    assert "ready" == status(stage, second)
    assert "deleted" in report(stage, second)


async def test_an_issue_deleted_while_it_is_worked_on_leaves_no_failure(stage: Stage) -> None:
    first = open_assigned(stage, "First")
    await stage.quiet()
    missing = stage.forge.faults.add("POST", f"/issues/{first + 1}/comments$", status=404)
    second = stage.alice.open("Second", f"Blocked by #{first}{SIZE}", assignees=[BOT]).number
    async with asyncio.timeout(20):
        while missing.times:
            await asyncio.sleep(0)
        stage.forge.faults.add("GET", f"/issues/{second}$", status=404, times=50)
    await stage.quiet()
    assert [] == await stage.bot.store.failures()


async def test_what_is_missing_but_the_issue_itself_is_a_failure_to_be_seen(stage: Stage) -> None:
    stage.forge.faults.add("POST", r"/issues/1/comments$", status=404, times=50)
    open_assigned(stage, "First")
    await stage.quiet()
    failures = await stage.bot.store.failures()
    assert failures
    assert all("404" in failure.error for failure in failures)


# ---- the comment ----


async def test_a_marker_of_somebody_else_is_not_the_report(stage: Stage) -> None:
    number = stage.alice.open("Marked", SIZE).number
    theirs = stage.alice.comment(number, f"{MARKER}\r\n\r\nI am the report.\r\n")
    stage.alice.comment(number, f"> {MARKER}\n\nquoted")
    stage.alice.assign(number, BOT)
    await stage.quiet()
    assert "Ready" in report(stage, number)
    assert "I am the report." in theirs.body


async def test_two_reports_of_the_bot_become_one_when_the_store_was_lost(stage: Stage) -> None:
    number = stage.alice.open("Twice", SIZE).number
    bot = stage.forge.act_as(BOT, REPOSITORY)
    first = bot.comment(number, f"{MARKER}\n\nOld.")
    bot.comment(number, f"{MARKER}\n\nOlder still.")
    bot.comment(number, "A word that is not the report.")
    stage.alice.assign(number, BOT)
    await stage.quiet()
    found = stage.forge.comments(REPOSITORY, number, by=BOT)
    assert 2 == len(found)
    assert first.id == found[0].id
    assert "**Ready**" in found[0].body


async def test_a_comment_that_gitea_wrote_but_did_not_confirm_stays_the_only_one(
    stage: Stage,
) -> None:
    stage.forge.faults.add("POST", r"/issues/1/comments$", status=502, after=True)
    number = open_assigned(stage, "Unconfirmed")
    await stage.quiet()
    assert "Ready" in report(stage, number)


async def test_a_comment_that_is_refused_is_set_aside_and_labels_are_made_up_for_later(
    stage: Stage,
) -> None:
    refusal = stage.forge.faults.add("POST", r"/issues/1/comments$", status=403, times=50)
    number = open_assigned(stage, "Refused")
    await stage.quiet()
    assert [] == reports(stage, number)
    assert "403" in (await stage.bot.store.failures())[0].error
    refusal.times = 0
    stage.alice.edit(number, title="Allowed again")
    await stage.quiet()
    assert "Ready" in report(stage, number)
    assert "ready" == status(stage, number)


# ---- labels refused ----


async def test_refused_labels_are_told_in_the_report_which_is_not_rewritten_at_each_look(
    stage: Stage,
) -> None:
    refusal = stage.forge.faults.add("POST", r"/labels$", status=403, times=1000)
    number = open_assigned(stage, "No labels")
    await stage.quiet()
    assert "labels could not be set" in report(stage, number)
    for again in range(3):
        stage.forge.requests.clear()
        if again == 2:  # as after a start: nothing is known of the repository's labels
            stage.bot.coordinator._publisher._labels._refused.clear()
        stage.alice.edit(number, body=f"Again {again}.{SIZE}")
        await stage.quiet()
        assert 0 == stage.forge.requests.count("PATCH", "comments", BOT)
    refusal.times = 0
    stage.alice.edit(number, body=f"Now it may.{SIZE}")
    await stage.quiet()
    assert "ready" == status(stage, number)
    assert "labels could not be set" not in report(stage, number)


# ---- dependencies ----


async def test_an_edge_that_the_other_side_declares_comes_and_goes_with_its_text(
    stage: Stage,
) -> None:
    third = open_assigned(stage, "Third")
    seventh = open_assigned(stage, "Seventh", f"Blocks: #{third}")
    await stage.quiet()
    assert "blocked" == status(stage, third)
    assert "declared there" in report(stage, third)
    stage.alice.edit(seventh, body=f"No more.{SIZE}")
    await stage.quiet()
    assert "ready" == status(stage, third)


async def test_a_cycle_is_told_on_every_issue_of_it_and_taken_back_on_every_one(
    stage: Stage,
) -> None:
    numbers = [1, 2, 3, 4]
    for number in numbers:
        open_assigned(stage, f"Part {number}", f"Blocked by #{number + 1}" if number < 4 else "")
    await stage.quiet()
    stage.alice.edit(4, body=f"Blocked by #1{SIZE}")
    await stage.quiet()
    for number in numbers:
        assert "in a circle" in report(stage, number)
        assert "blocked" == status(stage, number)
    stage.alice.close(4)
    await stage.quiet()
    for number in numbers:
        assert "in a circle" not in report(stage, number)
    stage.alice.reopen(4)
    await stage.quiet()
    assert all("in a circle" in report(stage, number) for number in numbers)
    stage.alice.unassign(2, BOT)
    await stage.quiet()
    assert all("in a circle" not in report(stage, number) for number in (1, 3, 4))


async def test_a_blocker_that_nobody_coordinates_is_watched_all_the_same(stage: Stage) -> None:
    plain = stage.alice.open("Plain").number
    number = open_assigned(stage, "Waits", f"Blocked by #{plain}")
    await stage.quiet()
    assert "blocked" == status(stage, number)
    stage.alice.edit(plain, title="Plainer")
    await stage.quiet()
    assert "Plainer" in report(stage, number)
    stage.alice.close(plain)
    await stage.quiet()
    assert "ready" == status(stage, number)
    stage.alice.reopen(plain)
    await stage.quiet()
    assert "blocked" == status(stage, number)
    assert [] == reports(stage, plain)


async def test_what_waits_is_shown_with_its_present_title(stage: Stage) -> None:
    """Whoever shows another issue is looked at after that one is remembered, not before."""
    first = open_assigned(stage, "First")
    second = open_assigned(stage, "Second", f"Blocked by #{first}")
    await stage.quiet()
    stage.alice.edit(second, title="Renamed")
    await stage.quiet()
    assert "Renamed" in report(stage, first)
    stage.alice.close(first)
    stage.alice.close(second)
    await stage.quiet()
    [line] = [one for one in report(stage, first).splitlines() if "Renamed" in one and "- " in one]
    assert "closed" in line


async def test_a_reference_that_names_nothing_blocks_and_is_warned_of(stage: Stage) -> None:
    number = open_assigned(stage, "Waits", "Blocked by #99 and other/place#3")
    await stage.quiet()
    assert "blocked" == status(stage, number)
    assert "cannot be seen" in report(stage, number)


async def test_a_blocker_that_gitea_cannot_tell_of_blocks_for_now(stage: Stage) -> None:
    first = stage.alice.open("First").number
    trouble = stage.forge.faults.add("GET", f"/issues/{first}$", status=500, times=50)
    number = open_assigned(stage, "Waits", f"Blocked by #{first}")
    await stage.quiet()
    assert "could not say" in report(stage, number)
    trouble.times = 0
    stage.alice.close(first)
    await stage.quiet()
    assert "ready" == status(stage, number)


async def test_more_dependencies_than_are_followed_are_counted_not_asked(stage: Stage) -> None:
    most = stage.bot.settings.limits.dependencies
    names = " ".join(f"#{number}" for number in range(1000, 1000 + most + 25))
    number = open_assigned(stage, "Waits for many", f"Blocked by {names}")
    await stage.quiet()
    asked = {one.path for one in stage.forge.requests.matching("GET", r"/issues/1\d\d\d$", BOT)}
    assert most == len(asked)
    assert f"{most + 25} issues, of which only {most}" in report(stage, number)
    assert "blocked" == status(stage, number)


# ---- what others may not read ----


@pytest.fixture
def vault(stage: Stage) -> str:
    """A private repository that the bot may read, with one issue."""
    stage.forge.add_repository("acme/vault", private=True)
    for login in (BOT, "alice"):
        stage.forge.grant("acme/vault", login, "admin")
    stage.forge.act_as("alice", "acme/vault").open("The combination is 1234")
    return "acme/vault#1"


async def test_a_private_blocker_in_the_text_shows_as_typed_and_whether_it_blocks(
    stage: Stage, vault: str
) -> None:
    number = open_assigned(stage, "Public", f"Blocked by {vault}")
    await stage.quiet()
    assert "blocked" == status(stage, number)
    assert "vault" in report(stage, number)
    assert "1234" not in report(stage, number)
    assert "combination" not in report(stage, number)


async def test_a_private_native_blocker_is_only_counted(stage: Stage, vault: str) -> None:
    number = stage.alice.open("Public", SIZE).number
    stage.alice.block(number, by=stage.forge.issue("acme/vault", 1))
    stage.alice.assign(number, BOT)
    await stage.quiet()
    assert "blocked" == status(stage, number)
    assert "vault" not in report(stage, number)
    assert "1234" not in report(stage, number)
    assert "It waits for 1 issue in a repository that not everyone here can read" in report(
        stage, number
    )


async def test_of_a_private_issue_that_waits_nothing_is_shown(stage: Stage, vault: str) -> None:
    number = stage.alice.open("Public", SIZE).number
    inside = stage.forge.act_as("alice", "acme/vault")
    inside.block(1, by=stage.forge.issue(REPOSITORY, number))
    stage.alice.assign(number, BOT)
    await stage.quiet()
    assert "ready" == status(stage, number)
    assert "vault" not in report(stage, number)
    assert "1234" not in report(stage, number)


async def test_a_public_issue_is_shown_in_a_private_repository(stage: Stage, vault: str) -> None:
    stage.alice.open("For all to read")
    hook = f"http://127.0.0.1:{stage.port}/webhook/gitea"
    [first] = stage.forge.state.hooks.values()
    stage.forge.add_hook(hook, secret=first.secret, repository="acme/vault")
    inside = stage.forge.act_as("alice", "acme/vault")
    inside.edit(1, body=f"Blocked by {REPOSITORY}#1{SIZE}")
    inside.assign(1, BOT)
    await stage.quiet()
    [comment] = stage.forge.comments("acme/vault", 1, by=BOT)
    assert "For all to read" in comment.body


# ---- a repository with another name ----


async def test_a_renamed_repository_keeps_the_one_comment_of_each_issue(stage: Stage) -> None:
    first = open_assigned(stage, "First")
    second = open_assigned(stage, "Second", f"Blocked by #{first}")
    await stage.quiet()
    stage.alice.rename_repository("missile")
    old = IssueRef.parse(f"{REPOSITORY}#{second}")
    new = IssueRef.parse(f"acme/missile#{second}")
    renamed = stage.forge.act_as("alice", "acme/missile")
    renamed.close(first)
    await stage.bot.engine.submit(look(old, stamp="test/test/1"))
    await stage.quiet()
    assert await stage.bot.store.issue(old) is None
    known = await stage.bot.store.issue(new)
    assert known is not None
    assert known.coordinated
    comment, notice = stage.forge.comments("acme/missile", second, by=BOT)
    assert comment.body.startswith(MARKER)
    assert "**Ready**" in comment.body
    assert "**Ready**" in notice.body
    assert "status/ready" in stage.forge.labels("acme/missile", second)


async def test_the_recheck_finds_what_no_webhook_told_of(stage: Stage) -> None:
    """Assigned while nobody listened; a blocker closed likewise."""
    blocker = stage.alice.open("Blocker").number
    waits = open_assigned(stage, "Waits", f"Blocked by #{blocker}")
    await stage.quiet()
    hooks = stage.forge.state.hooks
    kept = dict(hooks)
    hooks.clear()
    stage.alice.close(blocker)
    missed = open_assigned(stage, "Missed")
    hooks.update(kept)
    await stage.bot.engine.submit(Job("recheck:now", RECHECK, "recheck", "now"))
    await stage.quiet()
    assert "ready" == status(stage, waits)
    assert "Ready" in report(stage, missed)


# ---- Claude ----


class Claude:
    """Reads what it is told to; as slow as its gate."""

    def __init__(self, answer: Reading | AIError) -> None:
        self.answer = answer
        self.gate = asyncio.Event()
        self.asked: list[frozenset[Wanted]] = []

    async def read(
        self, *, title: str, body: str, issue: IssueRef, wanted: frozenset[Wanted]
    ) -> Reading:
        self.asked.append(wanted)
        await self.gate.wait()
        if isinstance(self.answer, AIError):
            raise self.answer
        return self.answer


def with_claude(
    stage: Stage, answer: Reading | AIError, *, slow: bool = False, dependencies: str = "propose"
) -> Claude:
    """Let the running bot ask this one."""
    claude = Claude(answer)
    coordinator = stage.bot.coordinator
    coordinator._understanding._reader = claude
    coordinator._edges._proposals = dependencies
    if slow:
        coordinator._patience = 0.01
    else:
        claude.gate.set()
    return claude


HARD = Reading(difficulty=Difficulty.HARD, blocked_by=(IssueRef("acme", "rocket", 1),))


@pytest.mark.parametrize(
    ("expected", "proposed", "mode"),
    [("ready", True, "propose"), ("blocked", False, "accept"), ("ready", False, "ignore")],
)
async def test_what_claude_reads_is_proposed_taken_or_ignored(
    stage: Stage, expected: str, mode: str, *, proposed: bool
) -> None:
    with_claude(stage, HARD, dependencies=mode)
    stage.alice.open("First")
    number = stage.alice.open("After the first", "See #1.", assignees=[BOT]).number
    await stage.quiet()
    assert expected == status(stage, number)
    assert proposed is ("Claude also reads" in report(stage, number))
    assert "difficulty/hard" in stage.forge.labels(REPOSITORY, number)


async def test_nobody_waits_for_claude_whose_answer_comes_with_the_next_report(
    stage: Stage,
) -> None:
    claude = with_claude(stage, HARD, slow=True)
    stage.alice.open("First")
    number = stage.alice.open("After the first", "See #1.", assignees=[BOT]).number
    async with asyncio.timeout(20):
        while not (reports(stage, number) and status(stage, number)):
            await asyncio.sleep(0.01)
    assert "Claude also reads" not in report(stage, number)
    claude.gate.set()
    await stage.quiet()
    assert "Claude also reads" in report(stage, number)
    assert "difficulty/hard" in stage.forge.labels(REPOSITORY, number)


@pytest.mark.parametrize("slow", [False, True], ids=["at once", "late"])
async def test_a_report_is_made_without_claude_and_says_so(stage: Stage, *, slow: bool) -> None:
    claude = with_claude(stage, AIError("out of budget"), slow=slow)
    number = stage.alice.open("Alone", "Some words.", assignees=[BOT]).number
    async with asyncio.timeout(20):
        while not reports(stage, number):
            await asyncio.sleep(0.01)
    claude.gate.set()
    await stage.quiet()
    assert "made without Claude" in report(stage, number)
    assert "out of budget" in report(stage, number)


async def test_claude_is_asked_only_for_what_is_not_declared_and_not_of_closed_issues(
    stage: Stage,
) -> None:
    claude = with_claude(stage, Reading())
    number = open_assigned(stage, "Declared", "Blocked by #9")
    await stage.quiet()
    assert [] == claude.asked
    stage.alice.edit(number, body="Difficulty: easy")
    await stage.quiet()
    assert {frozenset({Wanted.CONTEXT, Wanted.DEPENDENCIES})} == set(claude.asked)
    claude.asked.clear()
    stage.alice.close(number)
    await stage.quiet()
    assert [] == claude.asked


async def test_gitea_in_trouble_is_tried_again_until_it_is_not(stage: Stage) -> None:
    stage.forge.faults.add("GET", r"/issues/1$", status=503, times=4)
    stage.forge.faults.add("GET", r"/issues/1/blocks$", status=404, times=50)
    number = open_assigned(stage, "In the end")
    await stage.quiet()
    assert "ready" == status(stage, number)


async def test_what_the_bot_has_nothing_to_do_with_is_read_and_forgotten(stage: Stage) -> None:
    number = stage.alice.open("Nobody's").number
    ref = IssueRef.parse(f"{REPOSITORY}#{number}")
    await stage.bot.engine.submit(look(ref, stamp="a/b/1"))
    await stage.bot.engine.submit(look(ref.sibling(99), stamp="a/b/2"))
    await stage.quiet()
    assert await stage.bot.store.issue(ref) is None
    assert await stage.bot.store.issue(ref.sibling(99)) is None


async def test_unassigned_before_a_report_was_made_there_is_none(stage: Stage) -> None:
    refusal = stage.forge.faults.add("POST", r"/issues/1/comments$", status=403, times=50)
    number = open_assigned(stage, "Never mind")
    await stage.quiet()
    stage.alice.unassign(number, BOT)
    await stage.quiet()
    refusal.times = 0
    assert [] == reports(stage, number)
    assert "" == status(stage, number)
