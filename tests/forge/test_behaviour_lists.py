"""What Gitea does with lists: pages, narrowing, and finding what changed by time: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import pytest

from tests.forge.scenes import branch_and_pull, label, meant, opened
from tests.forges import ForgeServer


class TestPaging:
    async def test_lists_hold_at_most_fifty_and_say_how_many_there_are(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, *(f"issue {n}" for n in range(53)))
        path = f"/repos/{repo}/issues?limit=1000&state=all"
        first = await bob.get(path)
        assert (50, "53") == (len(first.json()), first.headers["X-Total-Count"])
        assert 53 == first.json()[0]["number"], "the newest comes first"
        links = {link["rel"]: link["url"] for link in first.links.values()}
        assert {"next", "last"} == set(links)
        second = await bob.get(f"{path}&page=2")
        assert [3, 2, 1] == [issue["number"] for issue in second.json()]
        assert {"first", "prev"} == {link["rel"] for link in second.links.values()}
        assert [] == await bob.read(f"{path}&page=3")
        assert 30 == len(await bob.read(f"/repos/{repo}/issues"))

    async def test_the_comments_of_an_issue_are_never_paged(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        (number,) = await opened(bob, repo, "one")
        path = f"/repos/{repo}/issues/{number}/comments"
        for n in range(52):
            await bob.do("POST", path, {"body": f"comment {n}"})
        answer = await bob.get(f"{path}?limit=10&page=2")
        assert (52, "52") == (len(answer.json()), answer.headers["X-Total-Count"])
        assert "comment 0" == answer.json()[0]["body"], "the oldest comes first"
        all_ = await bob.get(f"/repos/{repo}/issues/comments?limit=1000")
        assert (50, "52") == (len(all_.json()), all_.headers["X-Total-Count"])
        assert 2 == len(await bob.read(f"/repos/{repo}/issues/comments?limit=50&page=2"))

    async def test_labels_are_paged(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        for name in ("c", "a", "b"):
            await label(bob, repo, name)
        answer = await bob.get(f"/repos/{repo}/labels?limit=2")
        assert (["a", "b"], "3") == (
            [one["name"] for one in answer.json()],
            answer.headers["X-Total-Count"],
        )
        assert ["c"] == [
            one["name"] for one in await bob.read(f"/repos/{repo}/labels?limit=2&page=2")
        ]


class TestSince:
    """What changed can be found by time."""

    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two", "three")
        await label(bob, repo, "x")
        await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "first"})
        return repo

    @pytest.mark.parametrize(
        ("method", "path", "body", "moved"),
        [
            ("POST", "/2/dependencies", "meant 1", {1, 2}),
            ("POST", "/2/labels", {"labels": ["x"]}, {2}),
            ("PATCH", "/2", {"assignees": ["bob"]}, {2}),
            ("POST", "/2/comments", {"body": "see #3, not `#1`"}, {2, 3}),
            ("PATCH", "/2", {"state": "closed"}, {2}),
            ("PATCH", "/2", {"body": ""}, {2}),
            ("PATCH", "/2", {"title": "two"}, set()),
            ("PATCH", "/comments/{comment}", {"body": "other"}, set()),
            ("DELETE", "/comments/{comment}", None, set()),
            ("POST", "/2/reactions", {"content": "eyes"}, set()),
            ("POST", "/comments/{comment}/reactions", {"content": "eyes"}, set()),
        ],
        ids=lambda value: str(value).replace("/", " ").strip(),
    )
    async def test_updated_at_moves(
        self,
        forge_server: ForgeServer,
        repo: str,
        method: str,
        path: str,
        body: object,
        moved: set[int],
    ) -> None:
        """A dependency moves both ends; an edited or deleted comment and a reaction none."""
        bob = forge_server.api("bob")
        (comment,) = await bob.read(f"/repos/{repo}/issues/1/comments")
        before = {i["number"]: i["updated_at"] for i in await bob.read(f"/repos/{repo}/issues")}
        await forge_server.next_second()
        await forge_server.next_second()
        body = meant(repo, 1) if body == "meant 1" else body
        target = f"/repos/{repo}/issues{path.format(comment=comment['id'])}"
        await bob.do(method, target, body)
        after = await bob.read(f"/repos/{repo}/issues?state=all")
        assert moved == {i["number"] for i in after if i["updated_at"] != before[i["number"]]}
        since = max(i["updated_at"] for i in after) if moved else "2099-01-01T00:00:00Z"
        changed = await bob.read(f"/repos/{repo}/issues?state=all&since={since}")
        assert moved == {issue["number"] for issue in changed}

    async def test_removing_a_dependency_moves_both_ends_too(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        path = f"/repos/{repo}/issues/2/dependencies"
        await bob.do("POST", path, meant(repo, 1))
        before = {i["number"]: i["updated_at"] for i in await bob.read(f"/repos/{repo}/issues")}
        await forge_server.next_second()
        answer = await bob.delete(path, meant(repo, 1))
        assert 201 == answer.status_code
        after = await bob.read(f"/repos/{repo}/issues")
        assert {1, 2} == {i["number"] for i in after if i["updated_at"] != before[i["number"]]}

    async def test_comments_of_a_whole_repository_are_found_by_time(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await forge_server.next_second()
        await forge_server.next_second()
        made = await bob.do("POST", f"/repos/{repo}/issues/3/comments", {"body": "later"})
        path = f"/repos/{repo}/issues/comments?since={made['created_at']}"
        assert ["later"] == [one["body"] for one in await bob.read(path)]
        all_ = await bob.read(f"/repos/{repo}/issues/comments")
        assert ["first", "later"] == [one["body"] for one in all_]

    @pytest.mark.parametrize(
        ("since", "status"),
        [
            ("yesterday", 422),
            ("2026-11-22", 422),
            ("2026-11-22T10:00:00", 422),
            ("2026-11-22T10:00:00+02:00", 422),  # a plus sign in a query is a space
            ("2026-11-22T10:00:00%2B02:00", 200),
            ("2026-11-22T10:00:00Z", 200),
        ],
    )
    async def test_a_time_has_a_date_a_time_and_a_zone(
        self, forge_server: ForgeServer, repo: str, since: str, status: int
    ) -> None:
        answer = await forge_server.api("bob").get(f"/repos/{repo}/issues?since={since}")
        assert status == answer.status_code
        if status == 422:
            assert answer.json()["message"].startswith("parsing time")

    async def test_times_are_whole_seconds_of_utc(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        issue = await forge_server.api("bob").read(f"/repos/{repo}/issues/1")
        assert issue["created_at"].endswith("Z")
        assert len("2026-11-22T15:00:00Z") == len(issue["created_at"])


class TestSearch:
    async def test_what_is_assigned_to_me_is_found_everywhere(
        self, forge_server: ForgeServer
    ) -> None:
        login = f"bot-{forge_server.kind}-{id(self)}"
        one = await forge_server.repository(people={login: "write", "bob": "write"})
        two = await forge_server.repository(people={login: "write", "bob": "write"}, private=True)
        bob, bot = forge_server.api("bob"), forge_server.api(login)
        await opened(bob, one, "mine", assignees=[login])
        await opened(bob, two, "mine too", assignees=[login, "bob"])
        await opened(bob, two, "not mine", assignees=["bob"])
        await opened(bob, one, "done", assignees=[login], closed=True)
        found = await bot.get("/repos/issues/search?assigned=true&state=open")
        places = {(i["repository"]["full_name"], i["number"]) for i in found.json()}
        assert {(one, 1), (two, 1)} == places
        assert "2" == found.headers["X-Total-Count"]
        assert 3 == len(await bot.read("/repos/issues/search?assigned=true&state=all"))

    async def test_lists_are_narrowed(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository(files={"a": 1})
        bob = forge_server.api("bob")
        await opened(bob, repo, "open")
        await opened(forge_server.api("mallory"), repo, "of mallory")
        await opened(bob, repo, "closed", closed=True)
        await label(bob, repo, "x")
        await bob.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": ["x"]})
        await branch_and_pull(bob, repo)

        async def numbers(query: str) -> list[int]:
            found = await bob.read(f"/repos/{repo}/issues?{query}")
            return [issue["number"] for issue in found]

        assert [4, 2, 1] == await numbers("")
        assert [3] == await numbers("state=closed")
        assert [4, 3, 2, 1] == await numbers("state=all")
        assert [4] == await numbers("state=all&type=pulls")
        assert [2, 1] == await numbers("type=issues")
        assert [1] == await numbers("labels=x")
        assert [4, 2, 1] == await numbers("labels=no-such-label"), "ignored"
        assert [2] == await numbers("created_by=mallory")
