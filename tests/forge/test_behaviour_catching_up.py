"""What somebody who was away can ask Gitea for: what changed, what was said, what is assigned to one: the embedded forge and a real Gitea alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.gitea.client import Gitea
from tests.forge.scenes import branch_and_pull, meant, opened
from tests.forges import Api, ForgeServer

EVER = "2020-01-01T00:00:00Z"


async def updated(api: Api, repo: str, number: int) -> str:
    return str((await api.read(f"/repos/{repo}/issues/{number}"))["updated_at"])


async def changed_since(api: Api, repo: str, since: str) -> list[int]:
    found = await api.read(f"/repos/{repo}/issues?state=all&since={since}")
    return [issue["number"] for issue in found]


class TestIssuesSince:
    """`GET /repos/{owner}/{repo}/issues?state=all&since=`."""

    @pytest.mark.parametrize(
        ("ahead", "zone", "found"),
        [
            (-1, "Z", [2]),
            (0, "Z", [2]),
            (0, ".900Z", [2]),
            (1, "Z", []),
        ],
        ids=["before", "same second", "later in that second", "next second"],
    )
    async def test_the_second_that_is_named_is_included(
        self, forge_server: ForgeServer, ahead: int, zone: str, found: list[int]
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        await forge_server.next_second()
        await forge_server.next_second()
        await bob.do("PATCH", f"/repos/{repo}/issues/2", {"body": "new"})
        moved = datetime.fromisoformat(await updated(bob, repo, 2)) + timedelta(seconds=ahead)
        since = moved.strftime("%Y-%m-%dT%H:%M:%S") + zone
        assert found == await changed_since(bob, repo, since)

    async def test_the_newest_come_first_whatever_changed_last(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two", "three")
        for number in (3, 1, 2):
            await forge_server.next_second()
            await bob.do("PATCH", f"/repos/{repo}/issues/{number}", {"body": "new"})
        assert [3, 2, 1] == await changed_since(bob, repo, EVER)

    @pytest.mark.parametrize(
        ("query", "numbers", "links"),
        [
            ("limit=1", [3], {"next", "last"}),
            ("limit=1&page=3", [1], {"first", "prev"}),
            ("limit=1&page=9", [], {"first", "prev"}),
            ("limit=0", [3, 2, 1], set()),
        ],
    )
    async def test_how_many_there_are_stands_on_every_page(
        self, forge_server: ForgeServer, query: str, numbers: list[int], links: set[str]
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two", "three")
        await bob.do("PATCH", f"/repos/{repo}/issues/2", {"state": "closed"})
        answer = await bob.get(f"/repos/{repo}/issues?state=all&since={EVER}&{query}")
        assert numbers == [issue["number"] for issue in answer.json()]
        assert "3" == answer.headers["X-Total-Count"]
        assert links == {link["rel"] for link in answer.links.values()}

    async def test_a_commit_that_names_an_issue_changes_it(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        before = await updated(bob, repo, 1)
        await forge_server.next_second()
        await forge_server.next_second()
        change = {"content": "MQ==", "message": "Begin with #1"}
        await bob.do("POST", f"/repos/{repo}/contents/a.py", change)
        await forge_server.until(lambda: self._moved(bob, repo, before))
        assert [1] == await changed_since(bob, repo, await updated(bob, repo, 1))

    async def test_nobody_changes_by_a_commit_what_they_may_not_see(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        secret = await forge_server.repository(private=True, people={"alice": "admin"})
        alice, bob = forge_server.api("alice"), forge_server.api("bob")
        await opened(alice, repo, "one")
        await opened(alice, secret, "secret")
        here, there = await updated(alice, repo, 1), await updated(alice, secret, 1)
        await forge_server.next_second()
        await forge_server.next_second()
        change = {"content": "MQ==", "message": f"Closes {secret}#1, see #1"}
        await bob.do("POST", f"/repos/{repo}/contents/a.py", change)
        await forge_server.until(lambda: self._moved(bob, repo, here))
        assert there == await updated(alice, secret, 1)

    @staticmethod
    async def _moved(api: Api, repo: str, before: str) -> bool:
        return before != await updated(api, repo, 1)


class TestWhilePagesAreRead:
    """The client's walk over pages loses nothing, whatever happens meanwhile."""

    @staticmethod
    def client(forge_server: ForgeServer) -> Gitea:
        return Gitea(forge_server.url, SecretStr(forge_server.token("bob")), page_size=2)

    async def test_deleting_an_issue_hides_no_other(self, forge_server: ForgeServer) -> None:
        """All after it move up by one, over the edge of the page."""
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, *"abcdef")
        found: list[object] = []
        async with self.client(forge_server) as client:
            async for issue in client.getiter(f"/repos/{repo}/issues", state="all", since=None):
                found.append(issue["number"])
                if issue["number"] == 5:
                    await forge_server.api("alice").do("DELETE", f"/repos/{repo}/issues/6")
        assert [6, 5, 4, 3, 2, 1] == sorted(map(int, map(str, found)), reverse=True)

    async def test_closing_an_issue_hides_no_other_that_is_open(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, *"abcdef")
        found: list[object] = []
        async with self.client(forge_server) as client:
            async for issue in client.getiter(f"/repos/{repo}/issues", state="open"):
                found.append(issue["number"])
                if issue["number"] == 5:
                    await bob.do("PATCH", f"/repos/{repo}/issues/6", {"state": "closed"})
        assert {1, 2, 3, 4, 5} <= set(found)

    async def test_a_new_issue_lets_none_come_twice(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, *"abcdef")
        found: list[object] = []
        async with self.client(forge_server) as client:
            async for issue in client.getiter(f"/repos/{repo}/issues", state="all"):
                found.append(issue["number"])
                if issue["number"] == 5:
                    await opened(bob, repo, "g")
        assert [6, 5, 4, 3, 2, 1] == found


class TestCommentsSince:
    """`GET /repos/{owner}/{repo}/issues/comments?since=`."""

    async def test_those_written_or_edited_since_then_are_found_in_the_order_of_writing(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        path = f"/repos/{repo}/issues"
        first = await bob.do("POST", f"{path}/1/comments", {"body": "first"})
        await forge_server.next_second()
        await bob.do("POST", f"{path}/2/comments", {"body": "second"})
        await forge_server.next_second()
        third = await bob.do("POST", f"{path}/1/comments", {"body": "third"})
        await forge_server.next_second()
        await bob.do("PATCH", f"{path}/comments/{first['id']}", {"body": "first, edited"})
        found = await bob.read(f"{path}/comments?since={third['created_at']}")
        assert ["first, edited", "third"] == [comment["body"] for comment in found]
        edited = await bob.read(f"{path}/comments/{first['id']}")
        assert edited["created_at"] < third["created_at"] < edited["updated_at"]
        since = edited["updated_at"]
        assert 1 == len(await bob.read(f"{path}/comments?since={since}")), "its second is included"
        assert "1" == (await bob.get(f"{path}/comments?since={since}")).headers["X-Total-Count"]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/comments/{id}", {"body": "first"}),
            ("POST", "/comments/{id}/reactions", {"content": "eyes"}),
            ("PATCH", "/1", {"body": "new"}),
            ("PATCH", "/1", {"state": "closed"}),
        ],
        ids=["same text", "reaction", "the issue is edited", "the issue is closed"],
    )
    async def test_what_is_no_edit_does_not_move_a_comment(
        self, forge_server: ForgeServer, method: str, path: str, body: object
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        base = f"/repos/{repo}/issues"
        made = await bob.do("POST", f"{base}/1/comments", {"body": "first"})
        await forge_server.next_second()
        await bob.do(method, base + path.format(id=made["id"]), body)
        again = await bob.read(f"{base}/comments/{made['id']}")
        assert made["updated_at"] == again["updated_at"]

    async def test_they_are_paged_without_links(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        for body in "abc":
            await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": body})
        for page, bodies in ((1, ["a", "b"]), (2, ["c"]), (3, [])):
            query = f"since={EVER}&limit=2&page={page}"
            answer = await bob.get(f"/repos/{repo}/issues/comments?{query}")
            assert bodies == [comment["body"] for comment in answer.json()]
            assert "3" == answer.headers["X-Total-Count"]
            assert "Link" not in answer.headers

    async def test_each_says_on_what_it_stands_a_pull_request_in_another_field(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        pull = await branch_and_pull(bob, repo)
        for number in (1, pull):
            await bob.do("POST", f"/repos/{repo}/issues/{number}/comments", {"body": "x"})
        of_issue, of_pull = await bob.read(f"/repos/{repo}/issues/comments?since={EVER}")
        page = f"{forge_server.url}/{repo}"
        assert (f"{page}/issues/1", "") == (of_issue["issue_url"], of_issue["pull_request_url"])
        assert ("", f"{page}/pulls/{pull}") == (of_pull["issue_url"], of_pull["pull_request_url"])
        assert f"{page}/issues/1#issuecomment-{of_issue['id']}" == of_issue["html_url"]

    async def test_a_deleted_one_is_not_found(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        path = f"/repos/{repo}/issues"
        made = await bob.do("POST", f"{path}/1/comments", {"body": "x"})
        await bob.do("DELETE", f"{path}/comments/{made['id']}")
        assert [] == await bob.read(f"{path}/comments?since={EVER}")


class TestAssignedSince:
    """`GET /repos/issues/search?assigned=true&state=open&since=`."""

    async def test_those_that_changed_since_then_are_found_everywhere(
        self, forge_server: ForgeServer
    ) -> None:
        login = f"bot-{forge_server.kind}-{id(self)}"
        people = {login: "write", "bob": "write", "alice": "admin"}
        one = await forge_server.repository(people=people)
        two = await forge_server.repository(people=people)
        bob, bot = forge_server.api("bob"), forge_server.api(login)
        await opened(bob, one, "old", assignees=[login])
        await opened(bob, two, "assigned later")
        await forge_server.next_second()
        await forge_server.next_second()
        await bob.do("PATCH", f"/repos/{two}/issues/1", {"assignees": [login]})
        since = await updated(bob, two, 1)
        path = f"/repos/issues/search?assigned=true&state=open&limit=1&since={since}"
        found = await bot.get(path)
        assert [two] == [issue["repository"]["full_name"] for issue in found.json()]
        assert "1" == found.headers["X-Total-Count"]
        everything = await bot.get(path.replace(since, EVER))
        assert "2" == everything.headers["X-Total-Count"]

    async def test_archived_repositories_are_searched_as_well(
        self, forge_server: ForgeServer
    ) -> None:
        login = f"bot-{forge_server.kind}-{id(self)}"
        repo = await forge_server.repository(people={login: "write", "alice": "admin"})
        alice = forge_server.api("alice")
        await opened(alice, repo, "one", assignees=[login])
        await alice.do("PATCH", f"/repos/{repo}", {"archived": True})
        found = await forge_server.api(login).read("/repos/issues/search?assigned=true")
        assert [repo] == [issue["repository"]["full_name"] for issue in found]
        assert "archived" not in found[0]["repository"], "an issue does not tell"


class TestDeletedIssues:
    async def test_nothing_tells_of_one_that_is_gone(self, forge_server: ForgeServer) -> None:
        """It is in no list any more, its neighbours do not move, its number is not used again."""
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        path = f"/repos/{repo}/issues"
        await opened(alice, repo, "one", "two", "three")
        await alice.do("POST", f"{path}/1/comments", {"body": "x"})
        await alice.do("POST", f"{path}/2/dependencies", meant(repo, 1))
        await alice.do("POST", f"{path}/1/dependencies", meant(repo, 3))
        before = [await updated(alice, repo, number) for number in (2, 3)]
        await forge_server.next_second()
        await alice.do("DELETE", f"{path}/1")
        assert [3, 2] == await changed_since(alice, repo, EVER)
        assert [] == await alice.read(f"{path}/comments?since={EVER}")
        assert [] == await alice.read(f"{path}/2/dependencies")
        assert [] == await alice.read(f"{path}/3/blocks")
        assert before == [await updated(alice, repo, number) for number in (2, 3)]
        assert [4] == await opened(alice, repo, "four")

    @pytest.mark.parametrize(
        ("path", "status", "message"),
        [
            ("", 404, "not found"),
            ("/dependencies", 404, "IsErrIssueNotExist"),
            ("/blocks", 404, "IsErrIssueNotExist"),
            ("/comments", 500, ""),
        ],
    )
    async def test_what_is_asked_of_it_fails(
        self, forge_server: ForgeServer, path: str, status: int, message: str
    ) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        await opened(alice, repo, "one")
        await alice.do("DELETE", f"/repos/{repo}/issues/1")
        answer = await alice.get(f"/repos/{repo}/issues/1{path}")
        assert (status, message) == (answer.status_code, answer.json()["message"])
