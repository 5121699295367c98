"""What Gitea does where native dependencies are switched off, forbidden or hidden: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import pytest

from tests.forge.scenes import meant, opened
from tests.forges import ForgeServer


@pytest.fixture
async def repo(forge_server: ForgeServer) -> str:
    """A repository with three issues, the second waiting for the first."""
    repo = await forge_server.repository()
    await opened(forge_server.api("bob"), repo, "one", "two", "three")
    await forge_server.add_dependency(repo, 2, 1)
    return repo


class TestSwitchedOff:
    """`internal_tracker.enable_issue_dependencies` of one repository."""

    @pytest.mark.parametrize("number", [2, 99], ids=["known", "unknown"])
    @pytest.mark.parametrize("login", ["root", "bob", "mallory", ""])
    async def test_what_an_issue_waits_for_is_404_for_everybody(
        self, forge_server: ForgeServer, repo: str, login: str, number: int
    ) -> None:
        """In the words of a repository that one may not see: only the repository itself tells."""
        await forge_server.switch_dependencies(repo, on=False)
        answer = await forge_server.api(login).get(f"/repos/{repo}/issues/{number}/dependencies")
        assert (404, "not found") == (answer.status_code, answer.json()["message"])
        assert None is answer.json()["errors"]
        shown = await forge_server.api(login).read(f"/repos/{repo}")
        assert not shown["internal_tracker"]["enable_issue_dependencies"]

    async def test_what_waits_for_an_issue_is_still_told(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.switch_dependencies(repo, on=False)
        blocks = await forge_server.api("bob").read(f"/repos/{repo}/issues/1/blocks")
        assert [2] == [issue["number"] for issue in blocks]

    @pytest.mark.parametrize(
        ("method", "path", "number"),
        [
            ("POST", "/3/dependencies", 1),
            ("POST", "/2/dependencies", 1),
            ("DELETE", "/2/dependencies", 1),
            ("POST", "/1/blocks", 3),
            ("DELETE", "/1/blocks", 2),
        ],
    )
    async def test_nothing_is_added_or_removed(
        self, forge_server: ForgeServer, repo: str, method: str, path: str, number: int
    ) -> None:
        await forge_server.switch_dependencies(repo, on=False)
        answer = await forge_server.api("bob").ask(
            method, f"/repos/{repo}/issues{path}", meant(repo, number)
        )
        assert (404, "not found") == (answer.status_code, answer.json()["message"])

    async def test_issues_elsewhere_may_wait_for_its_issues_all_the_same(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        other = await forge_server.repository()
        await opened(forge_server.api("bob"), other, "one")
        await forge_server.switch_dependencies(repo, on=False)
        await forge_server.add_dependency(other, 1, 2, of=repo)
        assert [2] == await forge_server.dependencies(other, 1)

    async def test_switched_on_again_the_old_ones_are_there(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        before = (await bob.read(f"/repos/{repo}/issues/2"))["updated_at"]
        await forge_server.next_second()
        await forge_server.switch_dependencies(repo, on=False)
        await forge_server.switch_dependencies(repo, on=True)
        assert [1] == await forge_server.dependencies(repo, 2)
        assert before == (await bob.read(f"/repos/{repo}/issues/2"))["updated_at"]

    async def test_nothing_keeps_an_issue_from_being_closed(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        await forge_server.switch_dependencies(repo, on=False)
        bob = forge_server.api("bob")
        closed = await bob.do("PATCH", f"/repos/{repo}/issues/2", {"state": "closed"})
        assert "closed" == closed["state"]

    async def test_takes_an_administrator_who_says_that_there_are_issues(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        wish = {"internal_tracker": {"enable_issue_dependencies": False}}
        alice = forge_server.api("alice")
        unheard = await alice.do("PATCH", f"/repos/{repo}", wish)
        assert unheard["internal_tracker"]["enable_issue_dependencies"]
        heard = await alice.do("PATCH", f"/repos/{repo}", wish | {"has_issues": True})
        assert not heard["internal_tracker"]["enable_issue_dependencies"]
        again = await alice.do("PATCH", f"/repos/{repo}", {"has_issues": True})
        assert not again["internal_tracker"]["enable_issue_dependencies"], "stays as it was"
        refused = await forge_server.api("bob").patch(f"/repos/{repo}", wish)
        assert 403 == refused.status_code


class TestIssuesSwitchedOff:
    """`has_issues` of one repository."""

    async def test_it_looks_as_if_there_were_none(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        """A list is empty, not refused, and an issue is 404 even for an administrator."""
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "x"})
        shown = await forge_server.api("alice").do("PATCH", f"/repos/{repo}", {"has_issues": False})
        assert not shown["has_issues"]
        assert "internal_tracker" not in shown
        for path in ("?state=all", "/comments"):
            answer = await bob.get(f"/repos/{repo}/issues{path}")
            assert (200, []) == (answer.status_code, answer.json())
        for path in ("", "/dependencies", "/comments", "/blocks"):
            answer = await forge_server.api().get(f"/repos/{repo}/issues/1{path}")
            assert (404, "not found") == (answer.status_code, answer.json()["message"])

    async def test_what_waits_for_it_elsewhere_waits_for_something_hidden(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        other = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, other, "one")
        await forge_server.add_dependency(other, 1, 1, of=repo)
        await forge_server.api("alice").do("PATCH", f"/repos/{repo}", {"has_issues": False})
        assert [0] == await forge_server.dependencies(other, 1, "bob")
        refused = await bob.patch(f"/repos/{other}/issues/1", {"state": "closed"})
        assert 412 == refused.status_code

    async def test_switched_on_again_everything_is_there(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        await forge_server.switch_dependencies(repo, on=False)
        await alice.do("PATCH", f"/repos/{repo}", {"has_issues": False})
        shown = await alice.do("PATCH", f"/repos/{repo}", {"has_issues": True})
        assert shown["internal_tracker"]["enable_issue_dependencies"], "as in a new repository"
        assert [1] == await forge_server.dependencies(repo, 2)


class TestCrossingForbidden:
    """`ALLOW_CROSS_REPOSITORY_DEPENDENCIES = false` of the whole instance."""

    WORDS = "CrossRepositoryDependencies not enabled"

    @pytest.mark.parametrize("login", ["root", "bob", "mallory"])
    @pytest.mark.parametrize(
        ("method", "part"),
        [("POST", "dependencies"), ("DELETE", "dependencies"), ("POST", "blocks")],
    )
    async def test_another_repository_is_400_with_words_alone(
        self, forge_server_apart: ForgeServer, login: str, method: str, part: str
    ) -> None:
        """The body is a JSON string, no object with a message; rights are not looked at before."""
        repo, other = await forge_server_apart.repository(), await forge_server_apart.repository()
        for one in (repo, other):
            await opened(forge_server_apart.api("bob"), one, "one")
        answer = await forge_server_apart.api(login).ask(
            method, f"/repos/{repo}/issues/1/{part}", meant(other, 1)
        )
        assert (400, self.WORDS) == (answer.status_code, answer.json())

    async def test_an_unknown_repository_is_another_one_too(
        self, forge_server_apart: ForgeServer
    ) -> None:
        repo = await forge_server_apart.repository()
        bob = forge_server_apart.api("bob")
        await opened(bob, repo, "one")
        path = f"/repos/{repo}/issues/1/dependencies"
        assert 400 == (await bob.post(path, meant("no/such", 1))).status_code
        unknown = f"/repos/{repo}/issues/99/dependencies"
        assert 404 == (await bob.post(unknown, meant("no/such", 1))).status_code

    async def test_within_a_repository_all_is_as_ever(
        self, forge_server_apart: ForgeServer
    ) -> None:
        repo = await forge_server_apart.repository()
        await opened(forge_server_apart.api("bob"), repo, "one", "two")
        await forge_server_apart.add_dependency(repo, 2, 1)
        assert [1] == await forge_server_apart.dependencies(repo, 2)
        await forge_server_apart.remove_dependency(repo, 2, 1)
        assert [] == await forge_server_apart.dependencies(repo, 2)

    async def test_a_name_in_another_case_is_another_repository(
        self, forge_server_apart: ForgeServer
    ) -> None:
        """In the body, that is; in the path the case does not matter."""
        repo = await forge_server_apart.repository()
        bob = forge_server_apart.api("bob")
        await opened(bob, repo, "one", "two")
        owner, _, name = repo.partition("/")
        for other in (f"{owner.upper()}/{name}", f"{owner}/{name.upper()}"):
            path = f"/repos/{repo}/issues/2/dependencies"
            assert 400 == (await bob.post(path, meant(other, 1))).status_code
        path = f"/repos/{repo.upper()}/issues/2/dependencies"
        assert 201 == (await bob.post(path, meant(repo, 1))).status_code

    async def test_where_crossing_is_allowed_the_case_does_not_matter(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        path = f"/repos/{repo}/issues/3/dependencies"
        await forge_server.api("bob").do("POST", path, meant(repo.upper(), 1))
        assert [1] == await forge_server.dependencies(repo, 3)


class TestHidden:
    """An end in a repository that not everybody sees."""

    @pytest.fixture
    async def secret(self, forge_server: ForgeServer, repo: str) -> str:
        """A private repository of Alice's, with an issue."""
        secret = await forge_server.repository(private=True, people={"alice": "admin"})
        await opened(forge_server.api("alice"), secret, "Secret title", body="Secret text")
        return secret

    async def test_who_does_not_see_it_cannot_remove_it(
        self, forge_server: ForgeServer, repo: str, secret: str
    ) -> None:
        await forge_server.add_dependency(repo, 3, 1, of=secret)
        path = f"/repos/{repo}/issues/3/dependencies"
        for method in ("DELETE", "POST"):
            answer = await forge_server.api("bob").ask(method, path, meant(secret, 1))
            assert (404, "not found") == (answer.status_code, answer.json()["message"])
        assert [0] == await forge_server.dependencies(repo, 3, "bob")
        assert 412 == await self._closing(forge_server, repo)

    @staticmethod
    async def _closing(forge_server: ForgeServer, repo: str) -> int:
        bob = forge_server.api("bob")
        return (await bob.patch(f"/repos/{repo}/issues/3", {"state": "closed"})).status_code

    async def test_what_waits_there_is_not_told_here(
        self, forge_server: ForgeServer, repo: str, secret: str
    ) -> None:
        await forge_server.add_dependency(secret, 1, 3, of=repo)
        assert [] == await forge_server.api("bob").read(f"/repos/{repo}/issues/3/blocks")
        path = f"/repos/{repo}/issues/3/blocks"
        assert 404 == (await forge_server.api("bob").delete(path, meant(secret, 1))).status_code

    @pytest.mark.parametrize("login", ["bob", "mallory", ""])
    @pytest.mark.parametrize("secret_waits", [False, True], ids=["blocks", "waits"])
    async def test_gitea_gives_it_away_in_the_timeline(
        self, forge_server: ForgeServer, repo: str, secret: str, login: str, secret_waits: bool
    ) -> None:
        """Title and text, to everybody, whichever end is the private one; removing it adds more.

        So nothing may be written that joins a private issue to one that more people read. The
        embedded forge does without that fault.
        """
        ends = (secret, 1, 3, repo) if secret_waits else (repo, 3, 1, secret)
        waiting, number, blocker, of = ends
        await forge_server.add_dependency(waiting, number, blocker, of=of)
        await forge_server.remove_dependency(waiting, number, blocker, of=of)
        entries = await forge_server.api(login).read(f"/repos/{repo}/issues/3/timeline")
        assert ["add_dependency", "remove_dependency"] == [entry["type"] for entry in entries]
        told = [(entry["dependent_issue"] or {}).get("body") for entry in entries]
        expected = "Secret text" if forge_server.kind == "gitea" else None
        assert [expected, expected] == told
