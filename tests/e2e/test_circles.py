"""Circles of any length: told in every issue on one, each of them blocked, until any edge goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from bot.demo import story
from bot.demo.actor import Actor
from bot.demo.story import BOT, REPOSITORY, Stage, staged
from bot.jobs import Job
from bot.models import IssueRef, Source
from bot.render import MARKER
from bot.store.queries import Edge, Known
from bot.worker import RECHECK

SIZE = "\n\nContext estimate: 9k tokens\nDifficulty: easy"
ENGINE = "acme/engine"
LONG = 45  # longer than any graph that is drawn


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


def report(stage: Stage, number: int, repository: str = REPOSITORY) -> str:
    """The bot's one report on an issue."""
    said = [comment.body for comment in stage.forge.comments(repository, number, by=BOT)]
    [body] = [one for one in said if one.startswith(MARKER)]
    return body


def status(stage: Stage, number: int, repository: str = REPOSITORY) -> str:
    """The status an issue's label shows; empty where there is none."""
    found = [n for n in stage.forge.labels(repository, number) if n.startswith("status/")]
    assert len(found) <= 1
    return "".join(found).removeprefix("status/")


def told(stage: Stage, numbers: Sequence[int]) -> list[int]:
    """Those of which the report says that they stand in a circle."""
    return [number for number in numbers if "circle" in report(stage, number)]


async def recheck(stage: Stage) -> None:
    """What the bot does by itself every few minutes: for what no webhook tells."""
    await stage.bot.engine.submit(Job("recheck:now", RECHECK, "recheck", "now"))
    await stage.quiet()


def ring(length: int) -> list[tuple[int, int]]:
    """Who waits for whom."""
    return [(number, number % length + 1) for number in range(1, length + 1)]


async def declared(stage: Stage, length: int) -> None:
    """A ring that the texts declare; the last edge comes last, so it is none of Gitea's own.

    The issue that says it can be closed, then, as no other of them can.
    """
    for number, on in ring(length):
        text = f"Blocked by #{on}" if number < length else ""
        stage.alice.open(f"Part {number}", text + SIZE, assignees=[BOT])
    await stage.quiet()
    stage.alice.edit(length, body=f"Blocked by #1{SIZE}")
    await stage.quiet()


async def native(stage: Stage, length: int) -> None:
    """A ring of Gitea's own dependencies; of two it allows none, so there one is declared."""
    for number, _ in ring(length):
        stage.alice.open(f"Part {number}", "Blocked by #1" * (number == length == 2) + SIZE)
    for number, on in ring(length)[: 1 if length == 2 else length]:
        stage.alice.block(number, by=on)
    for number, _ in ring(length):
        stage.alice.assign(number, BOT)
    await stage.quiet()


# ---- two and three ----


@pytest.mark.parametrize(
    ("before", "act"),
    [
        pytest.param("ready", lambda a, last: a.edit(last - 1, body=SIZE), id="text"),
        pytest.param("ready", lambda a, last: a.close(last), id="closed"),
        pytest.param("ready", lambda a, last: a.delete(last), id="deleted"),
        pytest.param("ready", lambda a, last: a.comment(last - 1, f"/unlink #{last}"), id="word"),
        pytest.param("blocked", lambda a, last: a.unassign(last, BOT), id="left alone"),
    ],
)
@pytest.mark.parametrize("length", [2, 3])
async def test_a_circle_ends_for_all_when_any_edge_goes(
    stage: Stage, length: int, before: str, act: Callable[[Actor, int], object]
) -> None:
    """`before` is how the issue stands afterwards that had waited for the last one."""
    await declared(stage, length)
    everyone = [number for number, _ in ring(length)]
    assert everyone == told(stage, everyone)
    assert ["blocked"] * length == [status(stage, number) for number in everyone]
    act(stage.alice, length)
    await stage.quiet()
    there = stage.forge.repository(REPOSITORY).issues
    assert [] == told(stage, [number for number in everyone if number in there])
    assert before == status(stage, length - 1)


@pytest.mark.parametrize("length", [2, 3])
async def test_a_circle_of_giteas_own_dependencies_ends_with_the_recheck(
    stage: Stage, length: int
) -> None:
    """Gitea sends nothing when one is removed."""
    await native(stage, length)
    everyone = [number for number, _ in ring(length)]
    assert everyone == told(stage, everyone)
    assert ["blocked"] * length == [status(stage, number) for number in everyone]
    stage.alice.unblock(1, by=2)
    await recheck(stage)
    assert [] == told(stage, everyone)
    assert "ready" == status(stage, 1)


async def test_a_circle_that_comes_back_is_told_again(stage: Stage) -> None:
    await declared(stage, 3)
    for act in (stage.alice.close, stage.alice.reopen):
        act(3)
        await stage.quiet()
    assert [1, 2, 3] == told(stage, [1, 2, 3])
    assert ["blocked"] * 3 == [status(stage, number) for number in (1, 2, 3)]


async def test_each_tells_the_shortest_circle_that_it_stands_in(stage: Stage) -> None:
    await declared(stage, 4)
    stage.alice.edit(2, body=f"Blocked by #1 and #3{SIZE}")
    await stage.quiet()
    assert ["2 issues", "2 issues", "4 issues", "4 issues"] == [
        next(words for words in ("2 issues", "4 issues") if f"circle of {words}" in text)
        for text in (report(stage, number) for number in (1, 2, 3, 4))
    ]


async def test_a_command_that_would_close_a_circle_is_refused_with_its_path(stage: Stage) -> None:
    for number in (1, 2, 3):
        text = f"Blocked by #{number + 1}" if number < 3 else ""
        stage.alice.open(f"Part {number}", text + SIZE, assignees=[BOT])
    await stage.quiet()
    stage.alice.comment(3, "/blocked-by #1")
    await stage.quiet()
    *_, answer = stage.forge.comments(REPOSITORY, 3, by=BOT)
    assert "that would close a circle: `#3` → `#1` → `#2` → `#3`" in answer.body
    assert [] == told(stage, [1, 2])


# ---- over repositories ----


@pytest.fixture
def engine(stage: Stage) -> Actor:
    """Alice, in another repository of which the bot hears."""
    return other(stage, ENGINE)


def other(stage: Stage, repository: str, *, private: bool = False) -> Actor:
    stage.forge.add_repository(repository, private=private)
    for login in (BOT, "alice"):
        stage.forge.grant(repository, login, "admin")
    [first] = stage.forge.state.hooks.values()
    hook = f"http://127.0.0.1:{stage.port}/webhook/gitea"
    stage.forge.add_hook(hook, secret=first.secret, repository=repository)
    return stage.forge.act_as("alice", repository)


@pytest.mark.parametrize(
    ("ready", "act"),
    [
        pytest.param((1, ENGINE), lambda alice: alice.edit(1, body=SIZE), id="text"),
        pytest.param((2, REPOSITORY), lambda alice: alice.close(1), id="closed"),
        pytest.param((2, REPOSITORY), lambda alice: alice.delete(1), id="deleted"),
    ],
)
async def test_a_circle_over_two_repositories(
    stage: Stage, engine: Actor, ready: tuple[int, str], act: Callable[[Actor], object]
) -> None:
    engine.open("Engine", SIZE, assignees=[BOT])
    stage.alice.open("Rocket", f"Blocked by #2{SIZE}", assignees=[BOT])
    stage.alice.open("Pump", f"Blocked by {ENGINE}#1{SIZE}", assignees=[BOT])
    await stage.quiet()
    engine.edit(1, body=f"Blocked by {REPOSITORY}#1{SIZE}")
    await stage.quiet()
    path = f"#1 → #2 → {ENGINE}#1 → #1"
    assert path in report(stage, 1).replace("\\", "")
    assert "circle of 3 issues" in report(stage, 2)
    assert "circle of 3 issues" in report(stage, 1, ENGINE)
    assert ["blocked"] * 3 == [status(stage, 1, ENGINE), status(stage, 1), status(stage, 2)]
    act(engine)
    await stage.quiet()
    assert [] == told(stage, [1, 2])
    assert "ready" == status(stage, *ready)


async def test_a_circle_over_a_private_repository_is_told_where_all_may_read_it(
    stage: Stage,
) -> None:
    vault = other(stage, "acme/vault", private=True)
    vault.open("Secret", f"Blocked by {REPOSITORY}#1{SIZE}", assignees=[BOT])
    stage.alice.open("Rocket", SIZE)
    stage.alice.block(1, by=stage.forge.issue("acme/vault", 1))
    stage.alice.assign(1, BOT)
    await stage.quiet()
    assert ("blocked", "blocked") == (status(stage, 1), status(stage, 1, "acme/vault"))
    assert "circle of 2 issues" in report(stage, 1, "acme/vault")
    assert "circle" not in report(stage, 1)
    assert "vault" not in report(stage, 1)


# ---- a long one ----


async def silently(stage: Stage, length: int) -> None:
    """A chain of issues that were looked at before; the bot hears nothing of it."""
    await stage.quiet()
    hooks = stage.forge.state.hooks
    kept = dict(hooks)
    hooks.clear()
    for number, on in ring(length):
        text = f"Blocked by #{on}" if number < length else ""
        stage.alice.open(f"Part {number}", text + SIZE, assignees=[BOT])
        ref = IssueRef.parse(f"{REPOSITORY}#{number}")
        edges = [Edge(ref, ref.sibling(on), ref, Source.DECLARED)] if text else []
        known = Known(ref, coordinated=True, state="open", title=f"Part {number}")
        await stage.bot.store.save(known, edges)
    hooks.update(kept)


async def test_a_long_circle_is_told_on_every_one_and_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a while: every issue is read and written twice. So less is drawn in each."""
    monkeypatch.setattr(story, "QUIET_LIMIT", 300.0)
    monkeypatch.setattr("bot.surroundings.GRAPH_MOST", 2)
    await silently(stage, LONG)
    everyone = range(1, LONG + 1)
    stage.alice.edit(LONG, body=f"Blocked by #1{SIZE}")
    await stage.quiet()
    assert [*everyone] == told(stage, everyone)
    assert {"blocked"} == {status(stage, number) for number in everyone}
    assert f"circle of {LONG} issues" in report(stage, 7)
    stage.alice.close(LONG // 2)
    await stage.quiet()
    assert [] == told(stage, everyone)
    assert "ready" == status(stage, LONG // 2 - 1)
