"""What is said of an installation: what was looked at, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.check.finding import Finding, Grade
from bot.check.gitea import NOWHERE, Check
from bot.errors import Conflict, Forbidden, GiteaError, NotFound, Permanent, Retryable
from bot.gitea.models import Issue, IssueRepository, Label, Repository, User
from bot.models import IssueRef, Mode

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ONE = IssueRef("acme", "rocket", 1)
GOOD: dict[str, Any] = {
    "permissions": {"admin": True, "push": True},
    "internal_tracker": {"enable_issue_dependencies": True},
}


class Gitea:
    """One that answers as it is told."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Any] | GiteaError] = {"acme/rocket": GOOD}
        self.assigned = [ONE]
        self.me_fails: GiteaError | None = None
        self.crossing: GiteaError = NotFound("IsErrRepoNotExist", status=404)
        self.ahead: timedelta | None = timedelta(0)
        self.tried: list[tuple[IssueRef, IssueRef]] = []

    async def version(self) -> str:
        return "1.26.3"

    async def me(self) -> User:
        if self.me_fails:
            raise self.me_fails
        return User(id=9, login="coordinator")

    def time(self, ours: datetime) -> datetime | None:
        return None if self.ahead is None else ours + self.ahead

    async def repository(self, owner: str, repo: str) -> Repository:
        found = self.repositories.get(f"{owner}/{repo}", NotFound("no", status=404))
        if isinstance(found, GiteaError):
            raise found
        values = {"id": 1, "full_name": f"{owner}/{repo}", "owner": {"id": 1}, **found}
        return Repository.model_validate(values)

    async def assigned_issues(self) -> AsyncIterator[Issue]:
        for ref in self.assigned:
            where = IssueRepository(id=1, name=ref.repo, owner=ref.owner, full_name=ref.repository)
            yield Issue(id=1, number=ref.number, created_at=NOW, updated_at=NOW, repository=where)

    async def open_issues(self, repo: str) -> AsyncIterator[Issue]:
        for _ in ():
            yield

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        return []

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        self.tried.append((ref, blocker))
        raise self.crossing


@pytest.fixture
def gitea() -> Gitea:
    return Gitea()


async def found(gitea: Gitea, *named: str, mode: Mode = Mode.BOTH) -> list[Finding]:
    return [*await Check(gitea, mode=mode, now=NOW).findings(named)]


async def not_good(gitea: Gitea, *named: str, mode: Mode = Mode.BOTH) -> list[tuple[Grade, str]]:
    there = await found(gitea, *named, mode=mode)
    assert all(one.why for one in there if one.grade is not Grade.GOOD)
    return [(one.grade, one.what) for one in there if one.grade is not Grade.GOOD]


async def test_where_all_is_well_that_is_said(gitea: Gitea) -> None:
    assert [
        Finding("gitea.answers", Grade.GOOD, "Gitea 1.26.3 answers, and the bot is coordinator."),
        Finding("rights.administrator", Grade.GOOD, "acme/rocket: the bot is an administrator."),
    ] == await found(gitea)
    assert [(ONE, NOWHERE)] == gitea.tried


@pytest.mark.parametrize(
    ("expected", "there"),
    [
        ((Grade.WRONG, "acme/rocket cannot be seen."), NotFound("no", status=404)),
        (
            (Grade.WRONG, "Gitea does not answer as it should: 502 down"),
            Retryable("down", status=502),
        ),
        (
            (Grade.WRONG, "acme/rocket: the bot may write, but is no administrator."),
            {**GOOD, "permissions": {"push": True}},
        ),
        ((Grade.WRONG, "acme/rocket: the bot may not write."), {**GOOD, "permissions": {}}),
        ((Grade.NOTE, "acme/rocket: archived."), {**GOOD, "archived": True}),
        (
            (Grade.NOTE, "acme/rocket: dependencies are switched off."),
            {**GOOD, "internal_tracker": {}},
        ),
    ],
)
async def test_what_is_wrong_in_a_repository_is_said(
    gitea: Gitea, expected: tuple[Grade, str], there: dict[str, Any] | GiteaError
) -> None:
    gitea.repositories["acme/rocket"] = there
    assert [expected] == await not_good(gitea)


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ("Gitea does not accept the token: no.", Forbidden("no", status=401)),
        ("Gitea does not answer as it should: gone", Retryable("gone")),
    ],
)
async def test_a_gitea_that_does_not_know_the_bot_ends_it(
    gitea: Gitea, expected: str, problem: GiteaError
) -> None:
    gitea.me_fails = problem
    assert [(Grade.WRONG, expected)] == await not_good(gitea)


async def test_repositories_can_be_named(gitea: Gitea) -> None:
    gitea.repositories["acme/vault"] = {**GOOD, "permissions": {}}
    assert [(Grade.WRONG, "acme/vault: the bot may not write.")] == await not_good(
        gitea, "acme/vault"
    )


async def test_where_nothing_is_assigned_that_is_said(gitea: Gitea) -> None:
    gitea.assigned = []
    assert [(Grade.NOTE, "No open issue is assigned to coordinator.")] == await not_good(gitea)
    assert [] == gitea.tried


@pytest.mark.parametrize(
    ("expected", "ahead"),
    [
        ([], timedelta(seconds=60)),
        ([], None),
        (
            [(Grade.NOTE, "Gitea's clock and this machine's are 300 s apart.")],
            timedelta(minutes=-5),
        ),
    ],
)
async def test_clocks_that_are_apart_are_told(
    gitea: Gitea, expected: list[tuple[Grade, str]], ahead: timedelta | None
) -> None:
    gitea.ahead = ahead
    assert expected == await not_good(gitea)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ([], NotFound("IsErrRepoNotExist", status=404)),
        ([], Conflict("", status=500)),
        (
            [(Grade.NOTE, "This Gitea allows no dependencies between repositories.")],
            Permanent("CrossRepositoryDependencies not enabled", status=400),
        ),
        (
            [(Grade.WRONG, "Gitea does not answer as it should: 502 down")],
            Retryable("down", status=502),
        ),
    ],
)
async def test_whether_repositories_may_be_crossed_is_asked_without_setting_anything(
    gitea: Gitea, expected: list[tuple[Grade, str]], answer: GiteaError
) -> None:
    gitea.crossing = answer
    assert expected == await not_good(gitea)


@pytest.mark.parametrize("mode", [Mode.READ, Mode.OFF])
async def test_where_none_are_set_it_does_not_matter(gitea: Gitea, mode: Mode) -> None:
    gitea.crossing = Permanent("CrossRepositoryDependencies not enabled", status=400)
    assert [] == await not_good(gitea, mode=mode)
    assert [] == gitea.tried


async def test_where_they_are_left_alone_it_does_not_matter_that_they_are_off(
    gitea: Gitea,
) -> None:
    gitea.repositories["acme/rocket"] = {**GOOD, "internal_tracker": {}}
    assert [] == await not_good(gitea, mode=Mode.OFF)
