"""What is known of whole repositories, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import Forbidden, NotFound, Retryable
from bot.gitea.models import Permission, Repository, Tree
from bot.models import IssueRef
from bot.repositories import ABOUT_KEPT, RIGHT_KEPT, TREE_KEPT, Remembered, Repositories


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Gitea:
    """Answers, or raises, what it was told; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.private = False
        self.hidden = {"acme/vault"}
        self.archived = False
        self.right = "read"
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.sizes = {"a.py": 10}

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error

    async def repository(self, owner: str, repo: str) -> Repository:
        await self._ask(f"{owner}/{repo}")
        values: dict[str, Any] = {"id": 1, "full_name": f"{owner}/{repo}", "owner": {"id": 1}}
        private = self.private or f"{owner}/{repo}" in self.hidden
        return Repository.model_validate(values | {"private": private, "archived": self.archived})

    async def permission(self, repo: str, user: str) -> Permission:
        await self._ask(f"{user} in {repo}")
        return Permission(permission=self.right)

    async def tree(self, repo: str, ref: str = "HEAD") -> Tree:
        await self._ask(f"tree {repo}")
        return Tree(self.sizes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gitea() -> Gitea:
    return Gitea()


async def test_a_repository_is_asked_once_for_a_while_in_any_case(
    gitea: Gitea, clock: Clock
) -> None:
    found = Repositories(gitea, clock=clock)
    assert not await found.hidden("Acme/Rocket")
    gitea.private = True
    clock.now = ABOUT_KEPT - 1
    assert not await found.hidden("acme/rocket")
    clock.now = ABOUT_KEPT
    assert await found.hidden("acme/rocket")
    assert ["Acme/Rocket", "acme/rocket"] == gitea.asked


async def test_a_change_is_asked_afresh_at_once(gitea: Gitea, clock: Clock) -> None:
    found = Repositories(gitea, clock=clock)
    assert not await found.hidden("acme/rocket")
    assert {"a.py": 10} == await found.tree("acme/rocket")
    gitea.private, gitea.sizes = True, {}
    found.forget("ACME/rocket")
    found.forget("never/asked")
    assert await found.hidden("acme/rocket")
    assert {} == await found.tree("acme/rocket")


# ---- who may read ----


@pytest.mark.parametrize(
    ("expected", "right"),
    [(True, "owner"), (True, "admin"), (True, "write"), (True, "read"), (False, "none")],
)
async def test_who_may_read_is_asked_of_gitea(
    gitea: Gitea, clock: Clock, expected: bool, right: str
) -> None:
    gitea.right = right
    assert expected is await Repositories(gitea, clock=clock).may_read("acme/vault", "alice")


@pytest.mark.parametrize("error", [NotFound("no"), Forbidden("you are no administrator")])
async def test_who_cannot_be_looked_up_may_not(
    gitea: Gitea, clock: Clock, error: Exception
) -> None:
    gitea.error = error
    assert not await Repositories(gitea, clock=clock).may_read("acme/vault", "alice")


async def test_that_gitea_cannot_say_now_is_raised(gitea: Gitea, clock: Clock) -> None:
    gitea.error = Retryable("down")
    with pytest.raises(Retryable):
        await Repositories(gitea, clock=clock).may_read("acme/vault", "alice")


async def test_a_right_is_asked_once_for_a_while_in_any_case(gitea: Gitea, clock: Clock) -> None:
    found = Repositories(gitea, clock=clock)
    assert await found.may_read("Acme/Vault", "Alice")
    gitea.right = "none"
    clock.now = RIGHT_KEPT - 1
    assert await found.may_read("acme/vault", "alice")
    assert not await found.may_read("acme/vault", "bob")
    clock.now = RIGHT_KEPT
    assert not await found.may_read("acme/vault", "alice")
    assert 3 == len(gitea.asked)


async def test_rights_are_asked_afresh_when_the_repository_changed(
    gitea: Gitea, clock: Clock
) -> None:
    found = Repositories(gitea, clock=clock)
    for repository in ("acme/vault", "acme/vault2"):
        assert await found.may_read(repository, "alice")
    gitea.right = "none"
    found.forget("ACME/vault")
    assert not await found.may_read("acme/vault", "alice")
    assert await found.may_read("acme/vault2", "alice")


@pytest.mark.parametrize(
    ("expected", "waits", "on", "asked"),
    [
        (True, "acme/vault#1", "Acme/Vault#2", 0),
        (True, "acme/rocket#1", "other/open#2", 2),
        (False, "acme/rocket#1", "acme/vault#2", 2),
        (False, "acme/vault#1", "acme/rocket#2", 1),
    ],
    ids=["the same repository", "both are public", "a hidden blocker", "a hidden one waits"],
)
async def test_gitea_is_told_of_a_dependency_where_everybody_may_read_both(
    gitea: Gitea, clock: Clock, expected: bool, waits: str, on: str, asked: int
) -> None:
    found = Repositories(gitea, clock=clock)
    edge = IssueRef.parse(waits), IssueRef.parse(on)
    assert expected is await found.may_mirror(*edge)
    assert asked == len(gitea.asked)


@pytest.mark.parametrize("archived", [True, False])
async def test_whether_it_is_archived_is_asked_with_the_rest(
    gitea: Gitea, clock: Clock, archived: bool
) -> None:
    found = Repositories(gitea, clock=clock)
    gitea.archived = archived
    assert not await found.hidden("acme/rocket")
    assert archived is await found.archived("acme/rocket")
    assert ["acme/rocket"] == gitea.asked


async def test_a_repository_that_cannot_be_asked_about_is_not_known_to_be_archived(
    gitea: Gitea, clock: Clock
) -> None:
    gitea.archived, gitea.error = True, Retryable("down")
    assert not await Repositories(gitea, clock=clock).archived("acme/rocket")


# ---- files, and how long all of it is kept ----


async def test_a_tree_is_kept_longer(gitea: Gitea, clock: Clock) -> None:
    found = Repositories(gitea, clock=clock)
    await found.tree("acme/rocket")
    clock.now = TREE_KEPT - 1
    await found.tree("acme/rocket")
    assert ["tree acme/rocket"] == gitea.asked


@pytest.mark.parametrize("error", [NotFound("no"), Retryable("down")])
async def test_a_repository_that_cannot_be_asked_counts_as_hidden_until_it_can(
    gitea: Gitea, clock: Clock, error: Exception
) -> None:
    found = Repositories(gitea, clock=clock)
    gitea.error = error
    assert await found.hidden("acme/rocket")
    gitea.error = None
    assert not await found.hidden("acme/rocket")


async def test_files_that_may_not_be_read_are_none_and_what_may_pass_is_raised(
    gitea: Gitea, clock: Clock
) -> None:
    found = Repositories(gitea, clock=clock)
    gitea.error = NotFound("no")
    assert await found.tree("acme/rocket") is None
    gitea.error = Retryable("down")
    with pytest.raises(Retryable):
        await found.tree("acme/rocket")


async def test_those_who_ask_at_once_share_one_question(gitea: Gitea, clock: Clock) -> None:
    found = Repositories(gitea, clock=clock)
    gitea.gate = asyncio.Event()
    asking = [asyncio.create_task(found.hidden("acme/rocket")) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    gitea.gate.set()
    assert [False] * 4 == await asyncio.gather(*asking[1:])
    assert ["acme/rocket"] == gitea.asked


async def test_an_answer_that_fails_after_its_asker_left_is_not_raised_to_the_next(
    clock: Clock,
) -> None:
    kept: Remembered[str] = Remembered(60, clock, 5)
    gate = asyncio.Event()

    async def failing() -> str:
        await gate.wait()
        raise Retryable("down")

    async def fine() -> str:
        return "fine"

    leaver = asyncio.create_task(kept.get("a", failing))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    gate.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert "fine" == await kept.get("a", fine)


async def test_an_answer_that_was_forgotten_on_its_way_is_not_kept(clock: Clock) -> None:
    kept: Remembered[str] = Remembered(60, clock, 5)
    gate = asyncio.Event()

    async def old() -> str:
        await gate.wait()
        raise Retryable("down")

    async def new() -> str:
        return "new"

    early = asyncio.create_task(kept.get("a", old))
    await asyncio.sleep(0)
    kept.forget("a")
    assert "new" == await kept.get("a", new)
    gate.set()
    with pytest.raises(Retryable):
        await early
    assert "new" == await kept.get("a", old)


async def test_only_so_many_are_remembered_the_oldest_go_first(clock: Clock) -> None:
    kept: Remembered[str] = Remembered(60, clock, 2)
    asked: list[str] = []

    async def get(key: str) -> None:
        async def ask() -> str:
            asked.append(key)
            return key

        assert key == await kept.get(key, ask)

    for key in ("a", "b", "b", "c", "c", "b", "a"):
        await get(key)
    assert ["a", "b", "c", "a"] == asked
