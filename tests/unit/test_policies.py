"""What holds in a repository: asked for as little as can be, and told to all whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from bot.config import load
from bot.errors import Forbidden, NotFound, Retryable
from bot.gitea.models import TreeEntry
from bot.models import POLICY_DIRECTORY, POLICY_FILE, IssueRef
from bot.policies import Policies
from bot.policy import MOST_BYTES, Site
from bot.store.database import as_it_is
from bot.store.policies import Kept, PolicyStore
from bot.store.queries import Known, Store

REPO = "acme/rocket"
ONE, TWO = IssueRef("acme", "rocket", 1), IssueRef("acme", "rocket", 2)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
SITE = Site.of(load({}), ["help", "split"])


@dataclass
class World:
    """Gitea, the list of files as it is remembered, and those who are to look."""

    memory: PolicyStore
    file: bytes | None = None
    remembered: TreeEntry | None = None
    forgotten: bool = True
    entry: TreeEntry | None = None
    asked: list[str] = field(default_factory=list)
    told: list[Collection[IssueRef]] = field(default_factory=list)
    refusal: Exception | None = None
    hidden: Exception | None = None

    @property
    def policies(self) -> Policies:
        """Another process."""
        return Policies(self, self, self.memory, SITE)

    def write(self, text: str | None, *, size: int = 0, **other: str) -> None:
        self.file = None if text is None else text.encode()
        if text is None:
            self.entry = None
        else:
            given = {"type": "blob", "mode": "100644", "sha": f"sha of {text}"} | other
            self.entry = TreeEntry(path=POLICY_FILE, size=size or len(text), **given)

    def push(self, text: str | None) -> None:
        self.write(text)
        self.forgotten = True

    async def policy(self, repository: str) -> TreeEntry | None:
        if self.hidden:
            raise self.hidden
        if self.forgotten:
            self.asked.append("tree")
            self.remembered, self.forgotten = self.entry, False
        return self.remembered

    def forget_files(self, repository: str) -> None:
        self.forgotten = True

    async def blob(self, repo: str, sha: str) -> bytes:
        self.asked.append("blob")
        if self.refusal:
            raise self.refusal
        assert self.file is not None
        return self.file

    async def policy_sha(self, repo: str) -> str:
        self.asked.append("sha")
        if self.refusal:
            raise self.refusal
        if self.entry is None:
            return ""
        return POLICY_DIRECTORY if self.entry.type == "tree" else self.entry.sha

    async def later(self, refs: Collection[IssueRef]) -> None:
        self.told.append(refs)


@pytest.fixture
async def world(migrated_sqlite_url: str) -> AsyncIterator[World]:
    async with as_it_is(migrated_sqlite_url) as engine:
        store = Store(engine, now=lambda: NOW)
        await store.save(Known(ONE, coordinated=True, state="open"))
        await store.save(Known(TWO, coordinated=True, state="closed"))
        await store.save(Known(ONE.sibling(3), state="open"))
        yield World(PolicyStore(engine, now=lambda: NOW))


async def test_a_repository_without_a_file_costs_nothing_but_the_list_of_files(
    world: World,
) -> None:
    policies = world.policies
    for _ in range(3):
        found = await policies.found(REPO)
        assert (SITE.policy, (), "", False) == (
            found.policy,
            found.mistakes,
            found.blob,
            found.is_news,
        )
    assert ["tree"] == world.asked


async def test_a_version_of_a_file_is_read_once(world: World) -> None:
    world.push("ai = false")
    policies = world.policies
    await policies.spread(await policies.found(REPO), world.later)
    world.asked.clear()
    assert not (await policies.of(REPO)).ai
    assert not (await policies.of("ACME/Rocket")).ai
    assert [] == world.asked
    assert not policies.last("Acme/rocket").ai
    assert policies.last("acme/other").ai


async def test_whoever_sees_another_one_has_all_looked_at_once(world: World) -> None:
    world.push("ai = false")
    policies = world.policies
    found = await asyncio.gather(*(policies.found(REPO) for _ in range(3)))
    assert all(one.is_news for one in found)
    assert world.asked.count("tree") <= 2
    await asyncio.gather(*(policies.spread(one, world.later) for one in found))
    assert [[ONE, TWO]] == world.told
    assert not (await policies.found(REPO)).is_news
    assert not (await world.policies.found(REPO)).is_news


async def test_what_another_replica_saw_first_is_read_afresh(world: World) -> None:
    """The list of files that it remembers is older than what is kept."""
    world.push("ai = false")
    slow = world.policies
    await slow.spread(await slow.found(REPO), world.later)
    world.write("limits.share = 0.3")
    await world.memory.keep(REPO, "sha of limits.share = 0.3")
    found = await slow.found(REPO)
    assert (0.3, False) == (found.policy.share, found.is_news)


async def test_what_was_missed_is_found_by_one_request(world: World) -> None:
    policies = world.policies
    assert [] == await policies.missed(REPO)
    assert ["sha"] == world.asked
    world.write("ai = false")
    assert [ONE, TWO] == await policies.missed(REPO)
    assert (await policies.found(REPO)).is_news


async def test_what_may_not_be_read_is_not_looked_at_again_and_again(world: World) -> None:
    await begun(world, "ai = false")
    world.write(None)
    world.hidden = Forbidden("no")
    assert [] == await world.policies.missed(REPO)


async def test_a_command_asks_nothing_where_it_is_known_by_what_the_issues_are_judged(
    world: World,
) -> None:
    policies = await begun(world, "ai = false")
    world.asked.clear()
    world.forgotten = True
    assert not (await policies.at_hand(REPO)).ai
    assert [] == world.asked
    world.write("limits.share = 0.3")
    await world.memory.keep(REPO, "sha of limits.share = 0.3")
    assert 0.3 == (await policies.at_hand(REPO)).share


async def test_nothing_is_asked_of_a_repository_of_which_nothing_is_coordinated(
    world: World,
) -> None:
    assert [] == await world.policies.missed("far/away")
    assert [] == world.asked


async def test_where_it_cannot_be_asked_the_next_look_notices(world: World) -> None:
    world.refusal = Retryable("no answer")
    assert [] == await world.policies.missed(REPO)


@pytest.mark.parametrize(
    ("says", "entry"),
    [
        ("it is no file", {"type": "tree", "mode": "040000"}),
        ("it is no file", {"mode": "120000"}),
        ("it is no file", {"type": "commit", "mode": "160000"}),
    ],
    ids=["directory", "link", "repository"],
)
async def test_what_is_no_file_is_a_mistake(world: World, says: str, entry: dict[str, str]) -> None:
    world.write("x", **entry)
    policies = world.policies
    found = await policies.found(REPO)
    assert [says] == [one.says for one in found.mistakes]
    assert replace(SITE.policy, ai=False) == found.policy
    await policies.spread(found, world.later)
    assert [] == await policies.missed(REPO)
    assert "blob" not in world.asked


async def test_a_file_that_is_too_large_is_not_asked_for(world: World) -> None:
    world.write("x", size=MOST_BYTES + 1)
    [mistake] = (await world.policies.found(REPO)).mistakes
    assert "it is larger than 8 KiB" == mistake.says
    assert "blob" not in world.asked


async def test_one_that_gitea_does_not_give_out_is_asked_for_again(world: World) -> None:
    world.push("ai = false")
    world.refusal = NotFound("no")
    policies = world.policies
    found = await policies.found(REPO)
    assert ["Gitea does not give it out"] == [one.says for one in found.mistakes]
    assert replace(SITE.policy, ai=False) == found.policy
    world.refusal = None
    assert () == (await policies.found(REPO)).mistakes


async def test_what_may_not_be_read_is_not_what_is_not_there(world: World) -> None:
    """What was read last holds on; a process that does not know it sends nothing to Claude."""
    policies = await begun(world, "ai = false\nlimits.share = 0.3")
    world.hidden = Forbidden("no")
    found = await policies.found(REPO)
    assert (False, 0.3, False) == (found.policy.ai, found.policy.share, found.is_news)
    found = await world.policies.found(REPO)
    assert (replace(SITE.policy, ai=False), False) == (found.policy, found.is_news)
    assert ["Gitea does not give it out"] == [one.says for one in found.mistakes]


async def test_a_new_version_that_may_not_be_read_changes_nothing_yet(world: World) -> None:
    policies = await begun(world, "limits.share = 0.3")
    world.push("ai = false")
    world.refusal = Forbidden("no")
    found = await policies.found(REPO)
    assert (0.3, False) == (found.policy.share, found.is_news)
    world.refusal = None
    found = await policies.found(REPO)
    assert (False, True) == (found.policy.ai, found.is_news)


async def test_where_no_file_was_ever_seen_and_none_may_be_the_site_s_settings_hold(
    world: World,
) -> None:
    world.hidden = Forbidden("no")
    found = await world.policies.found(REPO)
    assert (SITE.policy, (), False) == (found.policy, found.mistakes, found.is_news)


async def test_a_thousand_repositories_are_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.policies.MOST", 1)
    world.push("ai = false")
    policies = world.policies
    for repository in (REPO, "acme/other", REPO):
        assert not (await policies.of(repository)).ai
    assert 3 == world.asked.count("blob")
    assert not policies.last(REPO).ai
    assert policies.last("acme/other").ai


# ---- mistakes are told in one report ----


async def begun(world: World, text: str = "x = 1") -> Policies:
    world.push(text)
    policies = world.policies
    await policies.spread(await policies.found(REPO), world.later)
    return policies


async def tell(world: World, issue: IssueRef, *, may_begin: bool = True) -> bool:
    policies = world.policies
    found = await policies.found(REPO)
    return bool(await policies.told_at(issue, found, may_begin=may_begin))


async def test_the_first_report_tells_of_them_and_no_other(world: World) -> None:
    await begun(world)
    assert not await tell(world, ONE, may_begin=False)
    assert await tell(world, TWO)
    assert not await tell(world, ONE)
    assert await tell(world, TWO, may_begin=False)


async def test_another_one_tells_when_that_one_ended(world: World) -> None:
    policies = await begun(world)
    assert await tell(world, TWO)
    await policies.ended(ONE)
    assert not await tell(world, ONE)
    await policies.ended(TWO)
    assert await tell(world, ONE)


async def test_another_file_is_told_of_anew(world: World) -> None:
    await begun(world)
    assert await tell(world, TWO)
    await begun(world, "y = 1")
    assert await tell(world, ONE)
    assert not await tell(world, TWO)
    await begun(world, "ai = false")
    assert not await tell(world, ONE)


async def test_who_judged_by_an_older_file_tells_nothing_of_it(world: World) -> None:
    policies = await begun(world)
    old = await policies.found(REPO)
    await begun(world, "y = 1")
    assert () == await policies.told_at(ONE, old, may_begin=True)
    assert Kept("sha of y = 1") == await world.memory.of(REPO)
    assert replace(Kept(), blob="sha of y = 1") == await world.memory.of(REPO.upper())
