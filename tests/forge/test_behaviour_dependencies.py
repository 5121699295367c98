"""What Gitea does with native dependencies: the embedded forge and a real Gitea alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forge.scenes import branch_and_pull, meant, opened, until_mergeable
from tests.forges import ForgeServer


class TestDependencies:
    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two", "three")
        return repo

    async def test_are_seen_from_both_ends(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        answer = await bob.post(f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        assert (201, 2) == (answer.status_code, answer.json()["number"])
        waits = await bob.get(f"/repos/{repo}/issues/2/dependencies")
        assert ([1], "1") == (
            [issue["number"] for issue in waits.json()],
            waits.headers["X-Total-Count"],
        )
        blocks = await bob.get(f"/repos/{repo}/issues/1/blocks")
        assert [2] == [issue["number"] for issue in blocks.json()]
        assert "X-Total-Count" not in blocks.headers

    async def test_can_be_made_from_the_other_end(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/1/blocks", meant(repo, 2))
        path = f"/repos/{repo}/issues/2/dependencies"
        assert [1] == [issue["number"] for issue in await bob.read(path)]
        assert (
            201 == (await bob.delete(f"/repos/{repo}/issues/1/blocks", meant(repo, 2))).status_code
        )
        assert [] == await bob.read(path)

    async def test_a_repeat_and_a_direct_cycle_are_500_with_nothing_said(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        for number, other in ((2, 1), (1, 2)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            answer = await bob.post(path, meant(repo, other))
            assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_removing_one_that_is_not_there_is_500(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        path = f"/repos/{repo}/issues/2/dependencies"
        answer = await forge_server.api("bob").delete(path, meant(repo, 1))
        assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_longer_cycles_and_oneself_are_accepted(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for number, other in ((1, 2), (2, 3), (3, 1), (3, 3)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            assert 201 == (await bob.post(path, meant(repo, other))).status_code

    @pytest.mark.parametrize(
        ("path", "body", "message"),
        [
            ("/2/dependencies", {"index": 99}, "IsErrIssueNotExist"),
            ("/99/dependencies", {}, "IsErrIssueNotExist"),
            ("/2/dependencies", {"repo": "nope"}, "IsErrRepoNotExist"),
        ],
        ids=["unknown blocker", "unknown issue", "unknown repository"],
    )
    async def test_what_does_not_exist_is_404(
        self, forge_server: ForgeServer, repo: str, path: str, body: dict[str, object], message: str
    ) -> None:
        answer = await forge_server.api("bob").post(
            f"/repos/{repo}/issues{path}", meant(repo, 1) | body
        )
        assert (404, message) == (answer.status_code, answer.json()["message"])
        assert 1 == len(answer.json()["errors"])

    async def test_what_one_may_not_write_or_see_is_404_too(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        path = f"/repos/{repo}/issues/2/dependencies"
        reader = await forge_server.api("mallory").post(path, meant(repo, 1))
        assert (404, "not found") == (reader.status_code, reader.json()["message"])
        hidden = await forge_server.repository(private=True, people={})
        await opened(forge_server.api(), hidden, "secret")
        blind = await forge_server.api("bob").post(path, meant(hidden, 1))
        assert (404, "not found") == (blind.status_code, blind.json()["message"])

    async def test_one_that_cannot_be_seen_is_listed_without_a_name(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        hidden = await forge_server.repository(private=True, people={})
        root = forge_server.api()
        await opened(root, hidden, "secret")
        path = f"/repos/{repo}/issues/2/dependencies"
        await root.do("POST", path, meant(hidden, 1))
        (for_writer,) = await forge_server.api("bob").read(path)
        assert (0, "", "", None) == tuple(
            for_writer[key] for key in ("number", "title", "state", "repository")
        )
        (for_reader,) = await forge_server.api("mallory").read(path)
        assert (0, "HIDDEN", "open", None) == tuple(
            for_reader[key] for key in ("number", "title", "state", "repository")
        )
        assert [] == await forge_server.api("bob").read(f"/repos/{repo}/issues/1/blocks")

    async def test_the_nearest_and_newest_are_listed_first(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        """Those of the same repository, then the others; from either end."""
        other = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, other, "elsewhere")
        for title in ("four", "five"):
            await forge_server.next_second()
            await opened(bob, repo, title)
        for of, number in ((other, 1), (repo, 4), (repo, 5), (repo, 2)):
            await forge_server.add_dependency(repo, 1, number, of=of)
            await forge_server.add_dependency(of, number, 3, of=repo)
        for path in ("1/dependencies", "3/blocks"):
            listed = await bob.read(f"/repos/{repo}/issues/{path}")
            assert [(repo, 5), (repo, 4), (repo, 2), (other, 1)] == [
                (issue["repository"]["full_name"], issue["number"]) for issue in listed
            ]
        page = await bob.get(f"/repos/{repo}/issues/1/dependencies?limit=3&page=2")
        assert ("4", 1) == (page.headers["X-Total-Count"], len(page.json()))


class TestWhoMay:
    """Write where it waits, read where the blocker is: no more, and everybody else gets a 404."""

    @pytest.mark.parametrize(
        ("login", "status"),
        [("alice", 201), ("bob", 201), ("mallory", 404), ("stranger", 404), ("", 401)],
    )
    async def test_add_and_remove(self, forge_server: ForgeServer, login: str, status: int) -> None:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two", "three")
        await forge_server.add_dependency(repo, 3, 1)
        asker = forge_server.api(login)
        for method, number in (("POST", 2), ("DELETE", 3)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            assert status == (await asker.ask(method, path, meant(repo, 1))).status_code

    async def test_a_reader_of_the_other_repository_may_wait_for_it_not_make_it_wait(
        self, forge_server: ForgeServer
    ) -> None:
        mine = await forge_server.repository()
        theirs = await forge_server.repository(people={"alice": "admin"})
        bob = forge_server.api("bob")
        for repo in (mine, theirs):
            await opened(forge_server.api("alice"), repo, "one")
        tries = [
            await bob.ask(method, f"/repos/{repo}/issues/1/{part}", meant(other, 1))
            for repo, part, other in (
                (mine, "dependencies", theirs),
                (theirs, "blocks", mine),
                (theirs, "dependencies", mine),
                (mine, "blocks", theirs),
            )
            for method in ("POST", "DELETE")
        ]
        assert [201] * 4 + [404] * 4 == [answer.status_code for answer in tries]

    @pytest.mark.parametrize("closed", [2, 1], ids=["what waits", "what blocks"])
    async def test_a_closed_end_is_no_matter(self, forge_server: ForgeServer, closed: int) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        await bob.do("PATCH", f"/repos/{repo}/issues/{closed}", {"state": "closed"})
        await forge_server.add_dependency(repo, 2, 1)
        assert [1] == await forge_server.dependencies(repo, 2)
        await forge_server.remove_dependency(repo, 2, 1)

    async def test_a_pull_request_waits_and_blocks_like_an_issue(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        pull = await branch_and_pull(bob, repo)
        await forge_server.add_dependency(repo, pull, 1)
        await forge_server.add_dependency(repo, 2, pull)
        assert [1] == await forge_server.dependencies(repo, pull)
        assert [pull] == await forge_server.dependencies(repo, 2)

    async def test_an_administrator_of_the_site_is_told_why_not(
        self, forge_server: ForgeServer
    ) -> None:
        """Others get a 500 without a word."""
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two")
        await forge_server.add_dependency(repo, 2, 1)
        root = forge_server.api()
        for number, other in ((2, 1), (1, 2)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            answer = await root.post(path, meant(repo, other))
            assert 500 == answer.status_code
            assert "" != answer.json()["message"]

    async def test_in_an_archived_repository_nothing_waits_anew(
        self, forge_server: ForgeServer
    ) -> None:
        """423 from its own issue, 404 from the other end; being waited for is no matter."""
        repo, other = await forge_server.repository(), await forge_server.repository()
        alice = forge_server.api("alice")
        for one in (repo, other):
            await opened(alice, one, "one")
        await forge_server.archive(other)
        tries = [
            await alice.ask(method, f"/repos/{home}/issues/1/{part}", meant(of, 1))
            for home, part, of in (
                (other, "dependencies", repo),
                (repo, "blocks", other),
                (repo, "dependencies", other),
                (other, "blocks", repo),
            )
            for method in ("POST", "DELETE")
        ]
        expected = [423, 423, 404, 404, 201, 201, 201, 201]
        assert expected == [answer.status_code for answer in tries]


class TestWhatMoves:
    async def test_both_ends_over_repositories_too(self, forge_server: ForgeServer) -> None:
        repo, other = await forge_server.repository(), await forge_server.repository()
        bob = forge_server.api("bob")
        for one in (repo, other):
            await opened(bob, one, "one", "two")

        async def times() -> list[str]:
            shown = [
                await bob.read(f"/repos/{one}/issues/{n}") for one in (repo, other) for n in (1, 2)
            ]
            return [issue["updated_at"] for issue in shown]

        for change in (forge_server.add_dependency, forge_server.remove_dependency):
            before = await times()
            await forge_server.next_second()
            await forge_server.next_second()
            await change(repo, 1, 2, of=other)
            moved = [a != b for a, b in zip(before, await times(), strict=True)]
            assert [True, False, False, True] == moved

    async def test_the_timeline_of_each_end_says_who_did_it(
        self, forge_server: ForgeServer
    ) -> None:
        repo, other = await forge_server.repository(), await forge_server.repository()
        for one in (repo, other):
            await opened(forge_server.api("bob"), one, "one")
        await forge_server.add_dependency(repo, 1, 1, of=other)
        await forge_server.api("bob").do(
            "POST", f"/repos/{repo}/issues/1/comments", {"body": "Why?"}
        )
        await forge_server.remove_dependency(repo, 1, 1, of=other, login="bob")
        reader = forge_server.api("mallory")
        told = await reader.read(f"/repos/{repo}/issues/1/timeline")
        assert [
            ("add_dependency", "alice", "", other),
            ("comment", "bob", "Why?", None),
            ("remove_dependency", "bob", "", other),
        ] == [self._entry(entry) for entry in told]
        told = await reader.read(f"/repos/{other}/issues/1/timeline")
        assert [
            ("add_dependency", "alice", "", repo),
            ("remove_dependency", "bob", "", repo),
        ] == [self._entry(entry) for entry in told]

    @staticmethod
    def _entry(entry: dict[str, Any]) -> tuple[str, str, str, str | None]:
        other = entry["dependent_issue"]
        where = other and other["repository"]["full_name"]
        return entry["type"], entry["user"]["login"], entry["body"], where

    async def test_the_timeline_is_paged_with_the_total_of_the_page(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two")
        path = f"/repos/{repo}/issues/2/timeline"
        assert None is await forge_server.api("bob").read(path)
        await forge_server.add_dependency(repo, 2, 1)
        await forge_server.remove_dependency(repo, 2, 1)
        answer = await forge_server.api("bob").get(f"{path}?limit=1&page=2")
        (entry,) = answer.json()
        assert ("remove_dependency", "1") == (entry["type"], answer.headers["X-Total-Count"])

    async def test_a_deleted_end_takes_what_the_timeline_said_along(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two")
        await forge_server.add_dependency(repo, 2, 1)
        await forge_server.delete_issue(repo, 1)
        assert None is await forge_server.api("bob").read(f"/repos/{repo}/issues/2/timeline")


class TestClosing:
    """What waits is held open, on every way."""

    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two", "three")
        await forge_server.add_dependency(repo, 2, 1)
        return repo

    @staticmethod
    async def states(forge_server: ForgeServer, repo: str) -> str:
        """`o` or `c` for each issue."""
        found = await forge_server.api("bob").read(f"/repos/{repo}/issues?state=all&type=issues")
        return "".join(issue["state"][0] for issue in reversed(found))

    async def test_through_the_api_it_is_412(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        answer = await bob.patch(f"/repos/{repo}/issues/2", {"state": "closed"})
        assert 412 == answer.status_code
        assert answer.json()["message"].startswith("cannot close this issue")
        await bob.do("PATCH", f"/repos/{repo}/issues/1", {"state": "closed"})
        closed = await bob.do("PATCH", f"/repos/{repo}/issues/2", {"state": "closed"})
        assert "closed" == closed["state"]
        await bob.do("PATCH", f"/repos/{repo}/issues/1", {"state": "open"})
        assert "oco" == await self.states(forge_server, repo), "reopening a blocker opens nothing"

    async def test_what_else_the_request_changes_is_changed(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        change = {"state": "closed", "body": "new"}
        assert 412 == (await bob.patch(f"/repos/{repo}/issues/2", change)).status_code
        assert "new" == (await bob.read(f"/repos/{repo}/issues/2"))["body"]

    @pytest.mark.parametrize(
        ("message", "branch", "expected"),
        [
            ("Closes #3", "", "ooc"),
            ("Fixes #1, closes #2", "", "cco"),
            ("Closes #2, closes #3", "", "ooo"),
            ("Closes #3, closes #2", "", "ooc"),
            ("See #3", "", "ooo"),
            ("Closes #3", "pump", "ooo"),
        ],
        ids=[
            "free",
            "blocker first",
            "one that waits ends it",
            "one that waits last",
            "only named",
            "another branch",
        ],
    )
    async def test_by_the_message_of_a_commit(
        self, forge_server: ForgeServer, repo: str, message: str, branch: str, expected: str
    ) -> None:
        """Without a word where it waits; and Gitea reads no further in that message."""
        bob = forge_server.api("bob")
        change = {"content": "MQ==", "message": message, "new_branch": branch or "main"}
        await bob.do("POST", f"/repos/{repo}/contents/a.py", change)
        await self.pushed(forge_server, repo)
        assert expected == (await self.states(forge_server, repo))[:3]

    @staticmethod
    async def pushed(forge_server: ForgeServer, repo: str) -> None:
        """Return when everything pushed so far has had its effect: a last commit closes #4."""
        bob = forge_server.api("bob")
        await opened(bob, repo, "last")
        change = {"content": "MQ==", "message": "Closes #4"}
        await bob.do("POST", f"/repos/{repo}/contents/last.py", change)

        async def done() -> bool:
            return "closed" == (await bob.read(f"/repos/{repo}/issues/4"))["state"]

        await forge_server.until(done)

    async def test_by_a_merge(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        pull = await branch_and_pull(bob, repo, "Closes #2, closes #3")
        path = f"/repos/{repo}/pulls/{pull}"
        await until_mergeable(bob, path)
        await bob.do("POST", f"{path}/merge", {"Do": "merge"})
        assert "ooc" == await self.states(forge_server, repo), "a merge passes over what waits"
