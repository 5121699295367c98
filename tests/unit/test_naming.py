"""References follow the repository: through redirects, and past those who took its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import NotFound, Retryable
from bot.gitea.models import Issue, IssueRepository, Permission, Repository, Tree
from bot.models import IssueRef, Source
from bot.naming import Naming
from bot.repositories import Repositories
from bot.store.database import as_it_is
from bot.store.naming import Name, NameStore
from bot.store.queries import Edge, Known, Store

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ME = IssueRef("acme", "rocket", 1)
READERS = {"alice"}


def ref(text: str) -> IssueRef:
    return IssueRef.parse(text)


class Forge:
    """Repositories by id: what they are called; old names redirect until somebody takes them."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.redirects: dict[str, int] = {}
        self.private: set[int] = set()
        self.asked: list[str] = []
        self.error: Exception | None = None

    def make(self, forge_id: int, name: str, *, private: bool = False) -> None:
        self.redirects.pop(name.lower(), None)
        self.names[forge_id] = name
        self.private |= {forge_id} if private else set()

    def rename(self, forge_id: int, name: str) -> None:
        self.redirects[self.names[forge_id].lower()] = forge_id
        self.make(forge_id, name)

    def remove(self, forge_id: int) -> None:
        del self.names[forge_id]

    async def repository(self, owner: str, repo: str) -> Repository:
        name = f"{owner}/{repo}"
        self.asked.append(name)
        by_name = {called.lower(): forge_id for forge_id, called in self.names.items()}
        return self._shown(by_name.get(name.lower(), self.redirects.get(name.lower(), 0)))

    async def repository_by_id(self, forge_id: int) -> Repository:
        self.asked.append(f"id {forge_id}")
        return self._shown(forge_id)

    def _shown(self, forge_id: int) -> Repository:
        if self.error:
            raise self.error
        if forge_id not in self.names:
            raise NotFound("no", status=404)
        values: dict[str, Any] = {"id": forge_id, "full_name": self.names[forge_id]}
        owner = {"id": 1, "login": "acme"}
        return Repository.model_validate(
            {**values, "owner": owner, "private": forge_id in self.private}
        )

    async def permission(self, repo: str, user: str) -> Permission:
        self.asked.append(f"{user} in {repo}")
        if self.error:
            raise self.error
        return Permission(permission="read" if user in READERS else "none")

    async def tree(self, repo: str, ref: str = "HEAD") -> Tree:
        raise NotImplementedError


class Scene:
    """A forge, and a bot that knows what it was told of it."""

    def __init__(self, store: Store, names: NameStore) -> None:
        self.forge = Forge()
        self.store = store
        self.names = names
        self.clock = 0.0
        self.repositories = Repositories(self.forge, clock=lambda: self.clock)
        self.naming = Naming(self.forge, self.repositories, names, store)

    async def look(self, *texts: str, **more: Any) -> list[str]:
        """Where references in the text of `ME` are by now; they are its edges from then on.

        A while passes before, so that nothing is known from the last time.
        """
        self.clock += 1000
        now = await self.naming.current([ref(text) for text in texts], me=ME, **more)
        edges = [Edge(ME, on, ME, Source.DECLARED) for on in now.refs.values()]
        await self.store.save(Known(ME, coordinated=True), edges)
        return [str(now.refs[ref(text)]) for text in texts]

    async def knows(self, name: str, *, coordinated: bool = True, waits_for: str = "") -> None:
        """The bot knows issue 5 of a repository."""
        one = ref(f"{name}#5")
        edges = [Edge(one, ref(waits_for), one, Source.DECLARED)] if waits_for else []
        await self.store.save(Known(one, coordinated=coordinated, title=name), edges)

    async def known(self, name: str) -> str | None:
        """Of which repository the bot's issue 5 there was when it got to know it."""
        found = await self.store.issue(ref(f"{name}#5"))
        return found.title if found else None


@pytest.fixture
async def scene(migrated_sqlite_url: str) -> AsyncIterator[Scene]:
    async with as_it_is(migrated_sqlite_url) as engine:
        made = Scene(Store(engine, now=lambda: NOW), NameStore(engine, now=lambda: NOW))
        made.forge.make(1, "acme/rocket")
        made.forge.make(2, "Acme/Old")
        yield made


def repository(forge_id: int, full_name: str) -> IssueRepository:
    owner, _, name = full_name.partition("/")
    return IssueRepository(id=forge_id, name=name, owner=owner, full_name=full_name)


def issue(one: IssueRepository) -> Issue:
    """Issue 7 of it."""
    return Issue(id=7, number=7, created_at=NOW, updated_at=NOW, repository=one)


# ---- what a reference means ----


async def test_a_reference_is_what_it_says_and_is_spelled_as_gitea_does(scene: Scene) -> None:
    texts = ("acme/rocket#2", "acme/old#5", "no/where#1")
    assert ["acme/rocket#2", "Acme/Old#5", "no/where#1"] == await scene.look(*texts)


async def test_a_reference_goes_along_with_a_renamed_repository(scene: Scene) -> None:
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/new")
    assert ["acme/new#5"] == await scene.look("acme/old#5")


async def test_a_repository_that_moved_here_is_this_one(scene: Scene) -> None:
    scene.forge.make(7, "acme/base")
    scene.forge.rename(7, "acme/rocket")
    scene.forge.private.add(7)
    assert ["acme/rocket#2"] == await scene.look("acme/base#2")


async def test_what_was_named_before_stays_when_another_repository_takes_the_name(
    scene: Scene,
) -> None:
    """Also when the bot saw nothing of it between the two."""
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/new")
    scene.forge.make(9, "acme/old")
    for _ in range(2):
        assert ["acme/new#5"] == await scene.look("acme/old#5")


async def test_what_is_named_anew_is_of_the_repository_that_has_the_name_now(scene: Scene) -> None:
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/new")
    await scene.look("acme/old#5")
    scene.forge.make(9, "acme/old")
    for _ in range(2):
        assert ["acme/new#5", "acme/old#6"] == await scene.look("acme/old#5", "acme/old#6")


async def test_a_name_may_pass_from_one_to_another_again_and_again(scene: Scene) -> None:
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/second")
    scene.forge.make(9, "acme/old")
    await scene.look("acme/old#5", "acme/old#6")
    scene.forge.rename(9, "acme/third")
    scene.forge.make(10, "acme/old")
    expected = ["acme/second#5", "acme/third#6", "acme/old#7"]
    assert expected == await scene.look("acme/old#5", "acme/old#6", "acme/old#7")
    scene.forge.rename(2, "acme/fourth")
    expected[0] = "acme/fourth#5"
    assert expected == await scene.look("acme/old#5", "acme/old#6", "acme/old#7")


async def test_what_was_named_before_is_found_where_the_old_name_leads_nowhere(
    scene: Scene,
) -> None:
    """Another repository had it for a while, and took the redirect along."""
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/new")
    await scene.look("acme/old#5")
    scene.forge.make(9, "acme/old")
    scene.forge.remove(9)
    assert ["acme/new#5", "acme/old#6"] == await scene.look("acme/old#5", "acme/old#6")


async def test_a_reference_to_a_deleted_repository_means_the_one_that_has_its_name(
    scene: Scene,
) -> None:
    await scene.look("acme/old#5")
    scene.forge.remove(2)
    scene.forge.make(9, "acme/old")
    assert ["acme/old#5"] == await scene.look("acme/old#5")


async def test_how_it_was_typed_is_known(scene: Scene) -> None:
    scene.forge.rename(2, "acme/new")
    refs = [ref("acme/old#5"), ref("acme/rocket#2")]
    now = await scene.naming.current(refs, me=ME)
    assert {ref("acme/new#5"): ref("acme/old#5")} == now.typed


# ---- what its author may not read leads nowhere ----


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        ("acme/attic#5", {}),
        ("acme/attic#5", {"authors": ["mallory"]}),
        ("acme/vault#5", {"authors": ["alice"]}),
        ("acme/vault#5", {"authors": ["mallory"], "linked": [ref("acme/attic#5")]}),
        ("acme/attic#5", {"authors": ["mallory"], "linked": [ref("acme/attic#6")]}),
    ],
    ids=["nobody", "who may not", "who may", "by command", "another one by command"],
)
async def test_where_a_hidden_repository_went_is_for_those_who_may_read_it(
    scene: Scene, expected: str, more: dict[str, Collection[Any]]
) -> None:
    scene.forge.make(7, "acme/attic", private=True)
    scene.forge.rename(7, "acme/vault")
    assert [expected] == await scene.look("acme/attic#5", **more)


async def test_while_gitea_cannot_say_who_may_read_it_stays_as_typed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(repo: str, user: str) -> Permission:
        raise Retryable("down")

    monkeypatch.setattr(scene.forge, "permission", down)
    scene.forge.make(7, "acme/attic", private=True)
    scene.forge.rename(7, "acme/vault")
    assert ["acme/attic#5"] == await scene.look("acme/attic#5", authors=["alice"])


# ---- what is asked ----


async def test_of_its_own_repository_nothing_is_asked(scene: Scene) -> None:
    await scene.look("acme/rocket#2", "ACME/Rocket#3")
    assert [] == scene.forge.asked


async def test_each_other_repository_is_asked_for_once_and_then_known(scene: Scene) -> None:
    scene.forge.rename(2, "acme/new")
    refs = [ref(f"acme/old#{number}") for number in range(1, 20)]
    for _ in range(3):
        now = await scene.naming.current(refs, me=ME)
    assert not await scene.repositories.hidden("acme/new")
    assert ["acme/old"] == scene.forge.asked
    assert {"acme/new"} == {one.repository for one in now.refs.values()}


async def test_what_is_known_may_be_older_than_what_a_webhook_told(scene: Scene) -> None:
    """It is not believed against that, but asked once more."""
    assert not await scene.repositories.hidden("acme/old")
    await scene.knows("acme/old")
    await scene.naming.met([repository(2, "acme/old")])
    scene.forge.rename(2, "acme/new")
    await scene.naming.heard(2, "acme/new")
    now = await scene.naming.current([ref("acme/old#5")], me=ME)
    assert [ref("acme/new#5")] == list(now.refs.values())
    assert "acme/old" == await scene.known("acme/new")


# ---- all that is kept goes along ----


async def test_one_look_moves_the_whole_repository_and_names_who_is_concerned(scene: Scene) -> None:
    await scene.knows("acme/old")
    await scene.look("acme/old#5")
    scene.forge.rename(2, "acme/new")
    expected = {ME}
    found = await scene.naming.found(ref("acme/old#7"), issue(repository(2, "acme/new")))
    assert (expected, "acme/old") == (found, await scene.known("acme/new"))
    again = await scene.naming.found(ref("acme/new#7"), issue(repository(2, "acme/new")))
    assert again is None


async def test_what_was_kept_before_names_were_goes_along(scene: Scene) -> None:
    await scene.knows("acme/old")
    found = await scene.naming.found(ref("acme/old#7"), issue(repository(2, "acme/new")))
    assert (set(), "acme/old") == (found, await scene.known("acme/new"))


async def test_what_was_told_of_beside_an_issue_tells_of_names_too(scene: Scene) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    await scene.knows("acme/old")
    natives = [
        issue(repository(2, "acme/new")),
        Issue(id=8, number=0, created_at=NOW, updated_at=NOW),
    ]
    assert set() == await scene.naming.found(ME, issue(repository(1, "acme/rocket")), natives)
    assert "acme/old" == await scene.known("acme/new")


async def test_nothing_is_moved_where_all_are_called_as_they_were(scene: Scene) -> None:
    for _ in range(2):
        found = await scene.naming.found(ME, issue(repository(1, "acme/rocket")))
        assert found is None


async def test_what_is_kept_under_a_name_stays_while_another_one_has_it(scene: Scene) -> None:
    """A look for an issue there was redirected before the other one took the name."""
    await scene.naming.met([repository(2, "acme/new"), repository(9, "acme/old")])
    await scene.knows("acme/old")
    found = await scene.naming.found(ref("acme/old#7"), issue(repository(2, "acme/new")))
    assert set() == found
    assert (None, "acme/old") == (await scene.known("acme/new"), await scene.known("acme/old"))


async def test_who_takes_a_name_moves_what_is_kept_of_the_one_that_had_it(scene: Scene) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    await scene.knows("acme/old", waits_for=str(ME))
    await scene.store.save(Known(ME, coordinated=True))
    scene.forge.rename(2, "acme/new")
    assert {ME} == await scene.naming.met([repository(9, "acme/old")])
    assert ("acme/old", None) == (await scene.known("acme/new"), await scene.known("acme/old"))


async def test_what_is_kept_of_a_deleted_one_is_dropped_when_its_name_is_taken(
    scene: Scene,
) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    await scene.knows("acme/old")
    scene.forge.remove(2)
    assert set() == await scene.naming.met([repository(9, "acme/old")])
    assert await scene.known("acme/old") is None


async def test_two_that_change_names_change_what_is_kept(scene: Scene) -> None:
    await scene.naming.met([repository(1, "acme/rocket"), repository(2, "acme/old")])
    await scene.knows("acme/rocket")
    await scene.knows("acme/old")
    scene.forge.names |= {1: "acme/old", 2: "acme/rocket"}
    await scene.naming.met([repository(1, "acme/old")])
    assert ("acme/old", "acme/rocket") == (
        await scene.known("acme/rocket"),
        await scene.known("acme/old"),
    )
    assert [Name("acme/old", 1, current=True), Name("acme/rocket", 2, current=True)] == [
        one for one in await scene.names.names([], [1, 2]) if one.current
    ]


async def test_three_that_pass_their_names_on_pass_what_is_kept(scene: Scene) -> None:
    names = {1: "acme/a", 2: "acme/b", 3: "acme/c"}
    scene.forge.names = {1: "acme/b", 2: "acme/c", 3: "acme/a"}
    await scene.naming.met([repository(*one) for one in names.items()])
    for name in names.values():
        await scene.knows(name)
    await scene.naming.met([repository(2, "acme/c")])
    assert ["acme/c", "acme/a", "acme/b"] == [await scene.known(n) for n in names.values()]


# ---- webhooks, which may come late ----


async def test_a_webhook_with_a_new_name_moves_what_is_kept(scene: Scene) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    await scene.knows("acme/old")
    scene.forge.rename(2, "acme/new")
    await scene.naming.heard(2, "acme/new")
    assert "acme/old" == await scene.known("acme/new")


async def test_a_webhook_of_what_took_a_name_moves_what_is_kept_of_the_one_before(
    scene: Scene,
) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    await scene.knows("acme/old")
    scene.forge.rename(2, "acme/new")
    scene.forge.make(9, "acme/old")
    await scene.naming.heard(9, "acme/old")
    assert ("acme/old", None) == (await scene.known("acme/new"), await scene.known("acme/old"))


async def test_a_late_webhook_with_an_old_name_moves_nothing_back(scene: Scene) -> None:
    scene.forge.rename(2, "acme/new")
    await scene.naming.met([repository(2, "acme/new")])
    await scene.knows("acme/new")
    assert set() == await scene.naming.heard(2, "acme/old")
    assert "acme/new" == await scene.known("acme/new")


async def test_of_a_repository_nothing_is_known_of_a_webhook_asks_nothing(scene: Scene) -> None:
    assert set() == await scene.naming.heard(77, "far/away")
    await scene.naming.met([repository(2, "acme/old")])
    assert set() == await scene.naming.heard(2, "Acme/Old")
    assert ([], []) == (scene.forge.asked, await scene.names.names([], [77]))


async def test_a_webhook_of_a_repository_that_is_gone_changes_nothing(scene: Scene) -> None:
    await scene.naming.met([repository(2, "acme/old")])
    scene.forge.remove(2)
    assert set() == await scene.naming.heard(2, "acme/newer")
    assert [Name("acme/old", 2, current=True)] == await scene.names.names([], [2])


# ---- deleted ----


async def test_all_issues_of_a_deleted_repository_are_gone(scene: Scene) -> None:
    await scene.look("acme/old#5")
    assert {ME} == await scene.naming.deleted(2, "acme/old")
    found = await scene.store.issue(ref("acme/old#5"))
    assert found is not None
    assert "gone" == found.state


async def test_a_deleted_repository_is_known_by_the_name_it_was_known_by(scene: Scene) -> None:
    """Nobody told of its last name."""
    await scene.look("acme/old#5")
    await scene.naming.deleted(2, "acme/new")
    found = await scene.store.issue(ref("acme/old#5"))
    assert found is not None
    assert "gone" == found.state


async def test_a_late_word_of_a_deleted_repository_is_not_about_the_one_that_has_its_name(
    scene: Scene,
) -> None:
    await scene.naming.met([repository(9, "acme/old")])
    await scene.knows("acme/old")
    assert set() == await scene.naming.deleted(2, "acme/old")
    found = await scene.store.issue(ref("acme/old#5"))
    assert found is not None
    assert "" == found.state


async def test_what_is_remembered_of_a_deleted_repository_is_asked_afresh(scene: Scene) -> None:
    assert not await scene.repositories.is_missing("acme/old")
    scene.forge.remove(2)
    await scene.naming.deleted(2, "acme/old")
    assert await scene.repositories.is_missing("acme/old")
