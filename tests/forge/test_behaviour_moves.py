"""What Gitea does when repositories get other names and owners, are archived and deleted: the embedded forge and a real Gitea alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forge.scenes import branch_and_pull, meant, opened
from tests.forges import NAMES, ForgeServer, Receiver


async def known(forge_server: ForgeServer, repo: str) -> tuple[Any, ...]:
    """What should outlast a move: ids, and when things changed."""
    root = forge_server.api()
    home = await root.read(f"/repos/{repo}")
    issue = await root.read(f"/repos/{repo}/issues/1")
    return home["id"], home["updated_at"], issue["id"], issue["updated_at"]


def called(repo: str, name: str) -> str:
    """A repository of the same owner."""
    return f"{repo.partition('/')[0]}/{name}"


@pytest.fixture
async def repo(forge_server: ForgeServer) -> str:
    """A repository with two issues, the second waiting for the first."""
    repo = await forge_server.repository()
    bob = forge_server.api("bob")
    await opened(bob, repo, "one", "two")
    await bob.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
    return repo


class TestRenaming:
    async def test_keeps_ids_and_moves_no_time(self, forge_server: ForgeServer, repo: str) -> None:
        before = await known(forge_server, repo)
        await forge_server.next_second()
        await forge_server.rename(repo, "vessel")
        vessel = called(repo, "vessel")
        assert before == await known(forge_server, vessel)
        issue = await forge_server.api("bob").read(f"/repos/{vessel}/issues/1")
        assert vessel == issue["repository"]["full_name"]
        assert [1] == await forge_server.dependencies(vessel, 2)

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("GET", "/issues?state=all&since=2020-01-01T00:00:00Z", None),
            ("GET", "/issues/comments?since=2020-01-01T00:00:00Z", None),
            ("GET", "/issues/2/dependencies", None),
            ("GET", "/issues/99", None),
            ("POST", "/issues/1/comments", {"body": "x"}),
            ("POST", "/issues/1/labels", {"labels": []}),
            ("DELETE", "/issues/2/dependencies", {"index": 1}),
        ],
    )
    async def test_the_old_name_redirects_whatever_is_asked(
        self, forge_server: ForgeServer, repo: str, method: str, path: str, body: object
    ) -> None:
        await forge_server.rename(repo, "vessel")
        answer = await forge_server.api("bob").ask(method, f"/repos/{repo}{path}", body)
        there = f"/api/v1/repos/{called(repo, 'vessel')}{path}"
        assert (301, there) == (answer.status_code, answer.headers["Location"])

    async def test_the_redirect_tells_strangers_the_new_name(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository(private=True, people={"alice": "admin"})
        await forge_server.rename(repo, "vessel")
        answer = await forge_server.api("bob").get(f"/repos/{repo}")
        assert 301 == answer.status_code
        there = answer.headers["Location"].removeprefix("/api/v1")
        assert 404 == (await forge_server.api("bob").get(there)).status_code

    async def test_an_old_name_means_nothing_in_a_dependency(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.rename(repo, "vessel")
        path = f"/repos/{called(repo, 'vessel')}/issues/1/dependencies"
        answer = await forge_server.api("bob").post(path, meant(repo, 2))
        assert (404, "IsErrRepoNotExist") == (answer.status_code, answer.json()["message"])

    async def test_to_and_fro_each_name_leads_to_it(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.rename(repo, "vessel")
        await forge_server.rename(called(repo, "vessel"), "rocket")
        bob = forge_server.api("bob")
        assert 200 == (await bob.get(f"/repos/{repo}/issues/1")).status_code
        answer = await bob.get(f"/repos/{called(repo, 'vessel')}/issues/1")
        assert f"/api/v1/repos/{repo}/issues/1" == answer.headers["Location"]

    async def test_it_is_found_by_its_id_whatever_it_is_called(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        path = f"/repositories/{(await bob.read(f'/repos/{repo}'))['id']}"
        await forge_server.rename(repo, "vessel")
        await forge_server.repository(owner=repo.partition("/")[0])
        assert called(repo, "vessel") == (await bob.read(path))["full_name"]
        scopes = ("write:issue", "read:repository", "read:user")
        limited = forge_server.api_with(forge_server.limited_token("bob", *scopes))
        assert 200 == (await limited.get(path)).status_code
        assert 401 == (await forge_server.api("").get(path)).status_code
        await forge_server.api().do("DELETE", f"/repos/{called(repo, 'vessel')}")
        assert 404 == (await bob.get(path)).status_code
        assert 404 == (await bob.get("/repositories/999999")).status_code

    async def test_by_its_id_a_private_one_is_found_by_those_who_may_see_it(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository(private=True, people={"alice": "admin"})
        alice, bob = forge_server.api("alice"), forge_server.api("bob")
        path = f"/repositories/{(await alice.read(f'/repos/{repo}'))['id']}"
        assert [200, 404] == [(await who.get(path)).status_code for who in (alice, bob)]

    async def test_another_case_is_another_name_without_a_redirect(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.rename(repo, "Rocket")
        issue = await forge_server.api("bob").read(f"/repos/{repo}/issues/1")
        assert called(repo, "Rocket") == issue["repository"]["full_name"]

    async def test_a_new_repository_under_the_old_name_ends_the_redirect_for_good(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        before = await known(forge_server, repo)
        await forge_server.rename(repo, "vessel")
        await forge_server.repository(owner=repo.partition("/")[0])
        bob = forge_server.api("bob")
        await opened(bob, repo, "another")
        assert "another" == (await bob.read(f"/repos/{repo}/issues/1"))["title"]
        assert before[0] != (await known(forge_server, repo))[0]
        await forge_server.api().do("DELETE", f"/repos/{repo}")
        assert 404 == (await bob.get(f"/repos/{repo}/issues/1")).status_code

    async def test_no_redirect_leads_to_what_is_deleted(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.rename(repo, "vessel")
        await forge_server.api().do("DELETE", f"/repos/{called(repo, 'vessel')}")
        assert 404 == (await forge_server.api("bob").get(f"/repos/{repo}")).status_code


class TestRenamingAnOrganisation:
    async def test_its_old_name_redirects_in_another_way(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        """307, where a repository's is 301: before it, and then from name to name."""
        owner, new = repo.partition("/")[0], f"vessels{next(NAMES)}"
        before = await known(forge_server, repo)
        await forge_server.rename(repo, "vessel")
        await forge_server.rename_organization(owner, new)
        bob = forge_server.api("bob")
        for method, body in (("GET", None), ("POST", {"body": "x"})):
            answer = await bob.ask(method, f"/repos/{owner}/vessel/issues/1/comments?a=b", body)
            there = f"/api/v1/repos/{new}/vessel/issues/1/comments?a=b"
            assert (307, there) == (answer.status_code, answer.headers["Location"])
        answer = await bob.get(f"/repos/{new}/rocket/issues/1")
        there = f"/api/v1/repos/{new}/vessel/issues/1"
        assert (301, there) == (answer.status_code, answer.headers["Location"])
        assert before == await known(forge_server, f"{new}/vessel")
        for path in (f"/orgs/{owner}", f"/users/{owner}"):
            assert 307 == (await bob.get(path)).status_code

    async def test_a_new_organisation_under_the_old_name_ends_that(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        owner = repo.partition("/")[0]
        await forge_server.rename_organization(owner, f"vessels{next(NAMES)}")
        await forge_server.api().do("POST", "/orgs", {"username": owner})
        assert 404 == (await forge_server.api("bob").get(f"/repos/{repo}")).status_code

    async def test_is_for_its_owners_and_takes_a_free_name(self, forge_server: ForgeServer) -> None:
        owner, taken = await forge_server.organization(), await forge_server.organization()
        path, root = f"/orgs/{owner}/rename", forge_server.api()
        assert 403 == (await forge_server.api("bob").post(path, {"new_name": "x"})).status_code
        answer = await root.post(path, {"new_name": taken})
        words = f"user already exists [name: {taken}]"
        assert (422, words) == (answer.status_code, answer.json()["message"])
        assert 422 == (await root.post(path, {})).status_code


class TestTransfer:
    async def test_keeps_ids_people_and_dependencies_and_moves_no_time(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        before = await known(forge_server, repo)
        other = await forge_server.organization()
        await forge_server.next_second()
        moved = await forge_server.transfer(repo, other)
        assert f"{other}/rocket" == moved
        assert before == await known(forge_server, moved)
        assert [1] == await forge_server.dependencies(moved, 2)
        people = await forge_server.api().read(f"/repos/{moved}/collaborators")
        assert {"alice", "bob", "mallory", "coordinator"} == {who["login"] for who in people}

    async def test_every_earlier_name_redirects_to_where_it_is_now(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.rename(repo, "vessel")
        other = await forge_server.organization()
        moved = await forge_server.transfer(called(repo, "vessel"), other)
        for name in ("rocket", "vessel"):
            answer = await forge_server.api("bob").get(f"/repos/{called(repo, name)}/issues/1")
            there = f"/api/v1/repos/{moved}/issues/1"
            assert (301, there) == (answer.status_code, answer.headers["Location"])

    async def test_is_for_the_owner_and_takes_one_who_has_no_such_repository(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        root, path = forge_server.api(), f"/repos/{repo}/transfer"
        other = await forge_server.repository()
        taken = other.partition("/")[0]
        refused = await forge_server.api("alice").post(path, {"new_owner": taken})
        assert (403, "user should be the owner of the repo") == (
            refused.status_code,
            refused.json()["message"],
        )
        for login, status, words in (
            ("no-such-owner", 404, "The new owner does not exist or cannot be found"),
            (taken, 422, f"repository already exists [uname: {taken}, name: rocket]"),
        ):
            answer = await root.post(path, {"new_owner": login})
            assert (status, words) == (answer.status_code, answer.json()["message"])


class TestDeletion:
    async def test_what_waited_for_it_waits_no_longer_and_does_not_move(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        waiting = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, waiting, "one")
        await bob.do("POST", f"/repos/{waiting}/issues/1/dependencies", meant(repo, 1))
        before = await known(forge_server, waiting)
        await forge_server.next_second()
        await forge_server.api().do("DELETE", f"/repos/{repo}")
        assert before == await known(forge_server, waiting)
        assert [] == await forge_server.dependencies(waiting, 1)
        for path in ("", "/issues?state=all", "/issues/1", "/issues/comments"):
            answer = await bob.get(f"/repos/{repo}{path}")
            assert (404, "not found") == (answer.status_code, answer.json()["message"])

    async def test_another_one_of_that_name_has_other_ids(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        before = await known(forge_server, repo)
        await forge_server.api().do("DELETE", f"/repos/{repo}")
        await forge_server.repository(owner=repo.partition("/")[0])
        await opened(forge_server.api("bob"), repo, "one")
        after = await known(forge_server, repo)
        assert before[0] < after[0]
        assert before[2] < after[2]


class TestArchive:
    async def test_can_be_read_as_before_and_moves_no_time(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        before = await known(forge_server, repo)
        await forge_server.next_second()
        await forge_server.archive(repo)
        assert before == await known(forge_server, repo)
        shown = await forge_server.api("bob").read(f"/repos/{repo}")
        assert (True, True) == (shown["archived"], shown["permissions"]["push"])
        assert [1] == await forge_server.dependencies(repo, 2)
        assert 2 == len(await forge_server.api("bob").read(f"/repos/{repo}/issues"))
        await forge_server.archive(repo, archived=False)
        assert before == await known(forge_server, repo)
        again = await forge_server.api("bob").read(f"/repos/{repo}")
        assert (False, "1970-01-01T00:00:00Z") == (again["archived"], again["archived_at"])

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/issues", {"title": "x"}),
            ("POST", "/issues/1/comments", {"body": "x"}),
            ("PATCH", "/issues/comments/{comment}", {"body": "x"}),
            ("POST", "/issues/1/dependencies", {"index": 2}),
            ("DELETE", "/issues/2/dependencies", {"index": 1}),
            ("POST", "/pulls", {"title": "x", "head": "branch-pull", "base": "main"}),
            ("POST", "/pulls/3/merge", {"Do": "merge"}),
        ],
    )
    async def test_opening_commenting_and_waiting_is_423_for_everybody(
        self, forge_server: ForgeServer, repo: str, method: str, path: str, body: dict[str, object]
    ) -> None:
        alice = forge_server.api("alice")
        made = await alice.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "a"})
        await branch_and_pull(alice, repo)
        await forge_server.archive(repo)
        where = f"/repos/{repo}{path.format(comment=made['id'])}"
        answer = await alice.ask(method, where, meant(repo, 1) | body)
        assert 423 == answer.status_code
        assert f"{repo} is archived" == answer.json()["message"]

    async def test_commits_are_423_in_other_words(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.archive(repo)
        path = f"/repos/{repo}/contents/a.py"
        answer = await forge_server.api("bob").post(path, {"content": "MQ=="})
        words = f"{repo} is not allowed to edit"
        assert (423, words) == (answer.status_code, answer.json()["message"])

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/issues/1", {"body": "x"}),
            ("PATCH", "/issues/1", {"state": "closed"}),
            ("PATCH", "/issues/1", {"assignees": ["bob"]}),
            ("POST", "/labels", {"name": "x", "color": "#fff"}),
            ("PUT", "/issues/1/labels", {"labels": []}),
            ("POST", "/issues/1/reactions", {"content": "eyes"}),
            ("DELETE", "/issues/comments/{comment}", None),
        ],
    )
    async def test_much_else_can_still_be_written(
        self, forge_server: ForgeServer, repo: str, method: str, path: str, body: object
    ) -> None:
        """So whoever wants to leave it alone has to look whether it is archived."""
        bob = forge_server.api("bob")
        made = await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "a"})
        await forge_server.archive(repo)
        where = f"/repos/{repo}{path.format(comment=made['id'])}"
        assert (await bob.ask(method, where, body)).is_success


class TestWebhooks:
    async def test_of_all_this_only_a_deletion_is_told_of_and_not_to_its_own_hook(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        every = ["issues", "push", "repository", "create", "delete"]
        owner, other = repo.partition("/")[0], await forge_server.organization()
        for place in (f"/repos/{repo}", f"/orgs/{owner}", f"/orgs/{other}"):
            await forge_server.hook(place, receiver.url, every)
        await forge_server.rename(repo, "vessel")
        vessel = called(repo, "vessel")
        await forge_server.archive(vessel)
        await forge_server.archive(vessel, archived=False)
        await forge_server.switch_dependencies(vessel, on=False)
        await forge_server.api().do("PATCH", f"/repos/{vessel}", {"private": True})
        moved = await forge_server.transfer(vessel, other)
        new = f"vessels{next(NAMES)}"
        await forge_server.rename_organization(other, new)
        home = moved.replace(other, new)
        await opened(forge_server.api("alice"), home, "three")
        await receiver.count(2)
        assert ["issues.opened"] * 2 == receiver.names, "the hooks moved along"
        shown = [one.payload["repository"]["full_name"] for one in receiver.received]
        assert [home, home] == shown
        await forge_server.api().do("DELETE", f"/repos/{home}")
        deleted = await receiver.next("repository.deleted")
        assert "organization" == deleted.headers["X-Gitea-Hook-Installation-Target-Type"]
        assert 3 == len(receiver.received)
