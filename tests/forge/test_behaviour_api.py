"""What Gitea's API does: one suite, held against the embedded forge and against a real Gitea."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from tests.forges import Api, ForgeServer


async def opened(api: Api, repo: str, *titles: str, **more: object) -> list[int]:
    """The numbers of new issues."""
    made = [await api.do("POST", f"/repos/{repo}/issues", {"title": t, **more}) for t in titles]
    return [issue["number"] for issue in made]


def meant(repo: str, number: int) -> dict[str, object]:
    """The body that names an issue on the dependency routes."""
    owner, _, name = repo.partition("/")
    return {"owner": owner, "repo": name, "index": number}


async def label(api: Api, repo: str, name: str, **more: object) -> int:
    """The id of a new label."""
    body = {"name": name, "color": "#00aabb", **more}
    made = await api.do("POST", f"/repos/{repo}/labels", body)
    return int(made["id"])


class TestInstance:
    async def test_says_its_version_and_page_sizes(self, forge_server: ForgeServer) -> None:
        bob = forge_server.api("bob")
        assert {"version": "1.26.3"} == await bob.read("/version")
        settings = await bob.read("/settings/api")
        assert (50, 30) == (settings["max_response_items"], settings["default_paging_num"])
        assert 1000 == settings["default_git_trees_per_page"]

    async def test_a_token_says_who_one_is(self, forge_server: ForgeServer) -> None:
        forge_server.token("alice")
        assert "bob" == (await forge_server.api("bob").read("/user"))["login"]
        assert "alice" == (await forge_server.api("bob").read("/users/alice"))["login"]

    @pytest.mark.parametrize("scheme", ["token", "Bearer"])
    async def test_a_token_comes_under_two_names(
        self, forge_server: ForgeServer, scheme: str
    ) -> None:
        headers = {"Authorization": f"{scheme} {forge_server.token('bob')}"}
        answer = await forge_server.client.get("/user", headers=headers)
        assert 200 == answer.status_code

    async def test_a_wrong_token_is_401_even_for_what_is_public(
        self, forge_server: ForgeServer
    ) -> None:
        answer = await forge_server.api_with("0" * 40).get("/version")
        message = answer.json()["message"]
        assert (401, "invalid username, password or token") == (answer.status_code, message)

    async def test_an_administrator_makes_users_others_do_not(
        self, forge_server: ForgeServer
    ) -> None:
        login = f"new{id(self)}"
        body = {"username": login, "email": f"{login}@e.test", "password": "abcdefgh1!"}
        refused = await forge_server.api("bob").post("/admin/users", body)
        assert (403, "user should be the site admin") == (
            refused.status_code,
            refused.json()["message"],
        )
        statuses = [
            (await forge_server.api().post("/admin/users", body)).status_code for _ in range(2)
        ]
        assert [201, 422] == statuses, "there is one of that name"
        organization = await forge_server.organization()
        shown = await forge_server.api("bob").read(f"/orgs/{organization}")
        assert organization == shown["name"]
        assert 404 == (await forge_server.api("bob").get("/orgs/no-such-org")).status_code

    async def test_nobody_may_read_what_is_public_and_write_nothing(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        nobody = forge_server.api("")
        assert 200 == (await nobody.get(f"/repos/{repo}")).status_code
        assert 401 == (await nobody.get("/user")).status_code
        answer = await nobody.post(f"/repos/{repo}/issues", {"title": "x"})
        assert (401, "token is required") == (answer.status_code, answer.json()["message"])

    async def test_few_scopes_are_enough_for_all_but_the_hook(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository(people={"coordinator": "admin", "bob": "write"})
        scopes = ("write:issue", "read:repository", "read:user")
        bot = forge_server.api_with(forge_server.limited_token("coordinator", *scopes))
        (number,) = await opened(bot, repo, "one")
        one = f"/repos/{repo}/issues/{number}"
        await label(bot, repo, "x")
        for method, path, body in (
            ("GET", "/user", None),
            ("GET", f"/repos/{repo}", None),
            ("GET", f"/repos/{repo}/git/trees/main?recursive=true", None),
            ("GET", f"/repos/{repo}/collaborators/bob/permission", None),
            ("GET", "/repos/issues/search?assigned=true", None),
            ("PATCH", one, {"body": "y"}),
            ("PUT", f"{one}/labels", {"labels": ["x"]}),
            ("POST", f"{one}/comments", {"body": "y"}),
            ("POST", f"{one}/reactions", {"content": "eyes"}),
        ):
            assert (await bot.ask(method, path, body)).is_success, path
        hook = {"type": "gitea", "config": {"url": "http://127.0.0.1:1/", "content_type": "json"}}
        answer = await bot.post(f"/repos/{repo}/hooks", hook)
        assert 403 == answer.status_code
        assert "required=[write:repository]" in answer.json()["message"]

    @pytest.mark.parametrize(
        ("method", "path", "required"),
        [
            ("GET", "/user", "read:user"),
            ("GET", "/repos/{repo}", "read:repository"),
            ("GET", "/repos/{repo}/issues", "read:issue"),
            ("GET", "/repos/{repo}/labels", "read:issue"),
            ("GET", "/repos/issues/search", "read:issue"),
            ("POST", "/repos/{repo}/issues", "write:issue"),
        ],
    )
    async def test_a_scope_that_is_missing_is_named(
        self, forge_server: ForgeServer, method: str, path: str, required: str
    ) -> None:
        repo = await forge_server.repository()
        token = forge_server.limited_token("bob", "read:notification")
        answer = await forge_server.api_with(token).ask(
            method, path.format(repo=repo), {"title": "x"} if method == "POST" else None
        )
        assert 403 == answer.status_code
        assert f"required=[{required}]" in answer.json()["message"]


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


async def branch_and_pull(api: Api, repo: str, body: str = "", title: str = "Pull") -> int:
    """The number of a new pull request from a new branch."""
    branch = f"branch-{title.lower()}"
    file = {"content": "MQ==", "new_branch": branch, "message": "Add a file"}
    await api.do("POST", f"/repos/{repo}/contents/{branch}.py", file)
    wish = {"title": title, "head": branch, "base": "main", "body": body}
    return int((await api.do("POST", f"/repos/{repo}/pulls", wish))["number"])


async def until_mergeable(api: Api, path: str) -> None:
    """Return when a pull request can be merged; Gitea finds that out in the background."""
    async with asyncio.timeout(20):
        while not (await api.read(path))["mergeable"]:  # only asking tells
            await asyncio.sleep(0.05)


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

    async def test_closing_what_still_waits_is_412(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        answer = await bob.patch(f"/repos/{repo}/issues/2", {"state": "closed"})
        assert 412 == answer.status_code
        assert answer.json()["message"].startswith("cannot close this issue")
        await bob.do("PATCH", f"/repos/{repo}/issues/1", {"state": "closed"})
        closed = await bob.do("PATCH", f"/repos/{repo}/issues/2", {"state": "closed"})
        assert "closed" == closed["state"]


class TestLabels:
    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one")
        return repo

    async def names(self, api: Api, repo: str) -> list[str]:
        return [one["name"] for one in await api.read(f"/repos/{repo}/issues/1/labels")]

    async def test_an_unknown_name_or_id_is_ignored(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for unknown in ("no-such-label", 999_999):
            path = f"/repos/{repo}/issues/1/labels"
            answer = await bob.post(path, {"labels": [unknown]})
            assert (200, []) == (answer.status_code, answer.json())

    async def test_a_name_may_exist_twice(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        first, second = await label(bob, repo, "twin"), await label(bob, repo, "twin")
        assert first != second
        assert 2 == len(await bob.read(f"/repos/{repo}/labels"))

    async def test_an_exclusive_one_replaces_those_of_its_scope(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for name in ("status/ready", "status/blocked", "size/small"):
            await label(bob, repo, name, exclusive=True)
        await label(bob, repo, "plain")
        path = f"/repos/{repo}/issues/1/labels"
        await bob.do("POST", path, {"labels": ["status/ready", "size/small", "plain"]})
        await bob.do("POST", path, {"labels": ["status/blocked"]})
        assert ["plain", "size/small", "status/blocked"] == await self.names(bob, repo)

    async def test_are_replaced_removed_and_cleared(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        ids = {name: await label(bob, repo, name) for name in ("a", "b", "c")}
        path = f"/repos/{repo}/issues/1/labels"
        await bob.do("POST", path, {"labels": [ids["a"], ids["b"]]})
        assert ["a", "b"] == await self.names(bob, repo)
        await bob.do("PUT", path, {"labels": [ids["b"], ids["c"]]})
        assert ["b", "c"] == await self.names(bob, repo)
        assert 204 == (await bob.delete(f"{path}/{ids['b']}")).status_code
        assert 204 == (await bob.delete(f"{path}/{ids['b']}")).status_code, "again is no error"
        assert ["c"] == await self.names(bob, repo)
        assert 204 == (await bob.delete(path)).status_code
        assert [] == await self.names(bob, repo)
        assert 422 == (await bob.delete(f"{path}/999999")).status_code

    async def test_change_and_vanish(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        number = await label(bob, repo, "a", description="old")
        change = {"name": "z", "color": "#123456", "description": "new"}
        changed = await bob.do("PATCH", f"/repos/{repo}/labels/{number}", change)
        assert ("z", "123456", "new") == tuple(changed[k] for k in ("name", "color", "description"))
        await bob.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": ["z"]})
        for _ in range(2):
            assert 204 == (await bob.delete(f"/repos/{repo}/labels/{number}")).status_code
        assert [] == await self.names(bob, repo)
        assert 404 == (await bob.get(f"/repos/{repo}/labels/{number}")).status_code

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({"name": "x", "color": "red"}, 422, "invalid color: #red"),
            ({"name": "", "color": "#fff"}, 422, "[Name]: Required"),
        ],
    )
    async def test_a_bad_one_is_422(
        self,
        forge_server: ForgeServer,
        repo: str,
        body: dict[str, str],
        status: int,
        message: str,
    ) -> None:
        answer = await forge_server.api("bob").post(f"/repos/{repo}/labels", body)
        assert (status, message) == (answer.status_code, answer.json()["message"])

    async def test_a_short_color_is_written_out(self, forge_server: ForgeServer, repo: str) -> None:
        made = await forge_server.api("bob").do(
            "POST", f"/repos/{repo}/labels", {"name": "x", "color": "ABC"}
        )
        assert "aabbcc" == made["color"]

    @pytest.mark.parametrize(
        "labels", [[1, "x"], [True]], ids=["ids and names", "neither id nor name"]
    )
    async def test_a_mixture_is_400(
        self, forge_server: ForgeServer, repo: str, labels: list[object]
    ) -> None:
        path = f"/repos/{repo}/issues/1/labels"
        assert 400 == (await forge_server.api("bob").post(path, {"labels": labels})).status_code

    async def test_a_reader_may_not(self, forge_server: ForgeServer, repo: str) -> None:
        mallory = forge_server.api("mallory")
        number = await label(forge_server.api("bob"), repo, "x")
        made = await mallory.post(f"/repos/{repo}/labels", {"name": "y", "color": "#fff"})
        assert (403, "user should have a permission to write to a repo") == (
            made.status_code,
            made.json()["message"],
        )
        path = f"/repos/{repo}/issues/1/labels"
        added = await mallory.post(path, {"labels": ["x"]})
        assert (403, "write permission is required") == (
            added.status_code,
            added.json()["message"],
        )
        for target in (path, f"{path}/{number}"):
            answer = await mallory.delete(target)
            assert (403, b"") == (answer.status_code, answer.content)


class TestRights:
    @pytest.mark.parametrize(
        ("login", "word"),
        [
            ("root", "owner"),
            ("alice", "admin"),
            ("bob", "write"),
            ("mallory", "read"),
            ("stranger", "none"),
        ],
    )
    async def test_an_administrator_of_the_repository_sees_everybodys(
        self, forge_server: ForgeServer, login: str, word: str
    ) -> None:
        repo = await forge_server.repository(private=True)
        forge_server.token("stranger")
        path = f"/repos/{repo}/collaborators/{login}/permission"
        found = await forge_server.api("alice").read(path)
        assert (word, word, login) == (
            found["permission"],
            found["role_name"],
            found["user"]["login"],
        )

    async def test_a_stranger_may_read_what_is_public(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        forge_server.token("stranger")
        path = f"/repos/{repo}/collaborators/stranger/permission"
        assert "read" == (await forge_server.api("alice").read(path))["permission"]

    async def test_a_writer_sees_only_his_own(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        own = await bob.read(f"/repos/{repo}/collaborators/bob/permission")
        assert "write" == own["permission"]
        answer = await bob.get(f"/repos/{repo}/collaborators/mallory/permission")
        assert 403 == answer.status_code
        assert answer.json()["message"].startswith("Only admins can query all permissions")

    async def test_an_unknown_person_is_404(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        path = f"/repos/{repo}/collaborators/no-such-person/permission"
        answer = await forge_server.api("alice").get(path)
        assert 404 == answer.status_code
        assert "errors" not in answer.json()

    async def test_can_be_taken_back(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository(private=True)
        alice, bob = forge_server.api("alice"), forge_server.api("bob")
        assert 204 == (await alice.get(f"/repos/{repo}/collaborators/bob")).status_code
        assert 204 == (await alice.delete(f"/repos/{repo}/collaborators/bob")).status_code
        assert 404 == (await alice.get(f"/repos/{repo}/collaborators/bob")).status_code
        assert 404 == (await bob.get(f"/repos/{repo}")).status_code
        assert 3 == len(await alice.read(f"/repos/{repo}/collaborators"))

    @pytest.mark.parametrize(
        ("login", "permission", "status"),
        [("no-such-person", "read", 422), ("bob", "bogus", 500)],
    )
    async def test_a_grant_that_makes_no_sense_fails(
        self, forge_server: ForgeServer, login: str, permission: str, status: int
    ) -> None:
        repo = await forge_server.repository()
        path = f"/repos/{repo}/collaborators/{login}"
        answer = await forge_server.api("alice").put(path, {"permission": permission})
        assert status == answer.status_code

    async def test_a_private_repository_does_not_exist_for_others(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository(private=True, people={"alice": "admin"})
        await opened(forge_server.api("alice"), repo, "one")
        for login in ("bob", ""):
            for path in ("", "/issues", "/issues/1", "/issues/1/comments", "/labels"):
                answer = await forge_server.api(login).get(f"/repos/{repo}{path}")
                assert (404, "not found") == (answer.status_code, answer.json()["message"])

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/hooks"),
            ("POST", "/hooks"),
            ("PUT", "/issues/1/lock"),
            ("DELETE", "/issues/1/lock"),
            ("DELETE", "/issues/1"),
            ("PUT", "/collaborators/mallory"),
            ("PATCH", ""),
        ],
    )
    async def test_a_writer_may_not_do_what_takes_an_administrator(
        self, forge_server: ForgeServer, method: str, path: str
    ) -> None:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one")
        config = {"url": "http://127.0.0.1:1/", "content_type": "json"}
        bodies: dict[str, object] = {"POST": {"type": "gitea", "config": config}, "GET": None}
        answer = await forge_server.api("bob").ask(
            method, f"/repos/{repo}{path}", bodies.get(method, {})
        )
        expected = "user should be an owner or a collaborator with admin write of a repository"
        assert (403, expected) == (answer.status_code, answer.json()["message"])


class TestIssues:
    async def test_a_stale_content_version_is_409(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", body="a")
        path = f"/repos/{repo}/issues/1"
        assert 0 == (await bob.read(path))["content_version"]
        first = await bob.do("PATCH", path, {"body": "b", "content_version": 0})
        assert 1 == first["content_version"]
        answer = await bob.patch(path, {"body": "c", "content_version": 0})
        assert (409, "the issue is already changed") == (
            answer.status_code,
            answer.json()["message"],
        )
        assert "b" == (await bob.read(path))["body"]
        again = await bob.do("PATCH", path, {"body": "b"})
        assert 2 == again["content_version"], "the same text counts too"
        assert 2 == (await bob.do("PATCH", path, {"title": "uno"}))["content_version"]

    async def test_assignees_are_replaced(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", assignees=["coordinator"])
        path = f"/repos/{repo}/issues/1"

        async def after(change: dict[str, object]) -> list[str]:
            changed = await bob.do("PATCH", path, change)
            return sorted(who["login"] for who in changed["assignees"] or [])

        assert ["alice", "bob"] == await after({"assignees": ["alice", "bob"]})
        assert ["coordinator"] == await after({"assignee": "coordinator"})
        assert ["mallory"] == await after({"assignees": ["mallory"]}), "a reader can be assigned"
        assert [] == await after({"assignees": []})
        empty = await bob.read(path)
        assert (None, None) == (empty["assignee"], empty["assignees"])

    async def test_an_unknown_assignee_fails(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        body = {"title": "one", "assignees": ["no-such-person"]}
        assert 422 == (await bob.post(f"/repos/{repo}/issues", body)).status_code
        await opened(bob, repo, "one")
        answer = await bob.patch(f"/repos/{repo}/issues/1", {"assignees": ["no-such-person"]})
        assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_somebody_who_cannot_see_the_repository_is_not_assigned(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository(private=True, people={"bob": "write"})
        forge_server.token("mallory")
        bob = forge_server.api("bob")
        body = {"title": "one", "assignees": ["mallory"]}
        opening = await bob.post(f"/repos/{repo}/issues", body)
        assert 422 == opening.status_code
        assert opening.json()["message"].startswith("user doesn't have access to repo")
        await opened(bob, repo, "one")
        for login in ("mallory", repo.partition("/")[0]):
            answer = await bob.patch(f"/repos/{repo}/issues/1", {"assignees": [login]})
            assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_a_reader_opens_without_assigning_and_edits_only_his_own(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        mallory = forge_server.api("mallory")
        await opened(mallory, repo, "of mallory", assignees=["coordinator"])
        assert None is (await mallory.read(f"/repos/{repo}/issues/1"))["assignees"]
        change = {"title": "new", "state": "closed", "assignees": ["coordinator"]}
        changed = await mallory.do("PATCH", f"/repos/{repo}/issues/1", change)
        assert ("new", "closed", None) == tuple(
            changed[key] for key in ("title", "state", "assignees")
        )
        await opened(forge_server.api("bob"), repo, "of bob")
        answer = await mallory.patch(f"/repos/{repo}/issues/2", {"title": "x"})
        assert (403, b"") == (answer.status_code, answer.content)

    async def test_without_a_title_is_422(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        answer = await forge_server.api("bob").post(f"/repos/{repo}/issues", {"body": "x"})
        assert (422, "[Title]: Required") == (answer.status_code, answer.json()["message"])

    async def test_an_unknown_state_is_412(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        answer = await bob.patch(f"/repos/{repo}/issues/1", {"state": "bogus"})
        assert (412, "unknown state: bogus") == (answer.status_code, answer.json()["message"])

    async def test_milestones(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        made = await bob.do("POST", f"/repos/{repo}/milestones", {"title": "v1"})
        path = f"/repos/{repo}/issues/1"
        assert (
            "v1" == (await bob.do("PATCH", path, {"milestone": made["id"]}))["milestone"]["title"]
        )
        listed = await bob.read(f"/repos/{repo}/milestones")
        assert [(made["id"], 1, 0)] == [
            (m["id"], m["open_issues"], m["closed_issues"]) for m in listed
        ]
        assert "v1" == (await bob.read(f"/repos/{repo}/milestones/{made['id']}"))["title"]
        assert 500 == (await bob.patch(path, {"milestone": 999_999})).status_code
        assert None is (await bob.do("PATCH", path, {"milestone": 0}))["milestone"]
        assert 404 == (await bob.get(f"/repos/{repo}/milestones/999999")).status_code

    async def test_deleting_takes_dependencies_along(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        await opened(alice, repo, "one", "two")
        await alice.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        assert 204 == (await alice.delete(f"/repos/{repo}/issues/1")).status_code
        assert [] == await alice.read(f"/repos/{repo}/issues/2/dependencies")
        assert [3] == await opened(alice, repo, "three"), "numbers are not used again"

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "", None, 404),
            ("PATCH", "", {"title": "x"}, 404),
            ("GET", "/labels", None, 404),
            ("POST", "/labels", {"labels": ["x"]}, 404),
            ("GET", "/dependencies", None, 404),
            ("GET", "/blocks", None, 404),
            ("POST", "/reactions", {"content": "eyes"}, 404),
            ("DELETE", "", None, 404),
            ("GET", "/comments", None, 500),
            ("POST", "/comments", {"body": "x"}, 500),
        ],
    )
    async def test_an_unknown_one_is_404_but_500_for_its_comments(
        self, forge_server: ForgeServer, method: str, path: str, body: object, status: int
    ) -> None:
        repo = await forge_server.repository()
        answer = await forge_server.api("alice").ask(method, f"/repos/{repo}/issues/99{path}", body)
        assert status == answer.status_code

    async def test_a_number_that_is_none_is_404(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        assert 404 == (await forge_server.api("bob").get(f"/repos/{repo}/issues/abc")).status_code

    async def test_a_body_that_is_no_json_is_422(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        headers = {
            "Authorization": f"token {forge_server.token('bob')}",
            "Content-Type": "application/json",
        }
        for content in (b'{"title":', b'{"title": 7}', b"[]"):
            answer = await forge_server.client.post(
                f"/repos/{repo}/issues", content=content, headers=headers
            )
            assert 422 == answer.status_code, content


class TestComments:
    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one")
        return repo

    async def test_are_made_read_changed_and_deleted(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        made = await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "hello"})
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        assert "hello" == (await bob.read(path))["body"]
        assert 1 == (await bob.read(f"/repos/{repo}/issues/1"))["comments"]
        changed = await bob.patch(path, {"body": "bye"})
        assert (200, "bye") == (changed.status_code, changed.json()["body"])
        assert 204 == (await bob.delete(path)).status_code
        for method in ("GET", "DELETE"):
            gone = await bob.ask(method, path)
            assert 404 == gone.status_code
            assert [f"comment does not exist [id: {made['id']}, issue_id: 0]"] == gone.json()[
                "errors"
            ]
        assert 0 == (await bob.read(f"/repos/{repo}/issues/1"))["comments"]

    async def test_a_writer_changes_those_of_others_a_reader_does_not(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bot = forge_server.api("coordinator")
        made = await bot.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "- [ ] box"})
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        for answer in (
            await forge_server.api("mallory").patch(path, {"body": "x"}),
            await forge_server.api("mallory").delete(path),
        ):
            assert (403, b"") == (answer.status_code, answer.content)
        changed = await forge_server.api("bob").do("PATCH", path, {"body": "- [x] box"})
        assert ("coordinator", "- [x] box") == (changed["user"]["login"], changed["body"])

    async def test_empty_ones_are_422(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        made = await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "hello"})
        for answer in (
            await bob.post(f"/repos/{repo}/issues/1/comments", {"body": ""}),
            await bob.patch(f"/repos/{repo}/issues/comments/{made['id']}", {"body": ""}),
        ):
            assert (422, "[Body]: Required") == (answer.status_code, answer.json()["message"])

    async def test_on_a_locked_issue_only_writers_comment(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        lock = f"/repos/{repo}/issues/1/lock"
        assert 204 == (await alice.put(lock, {"lock_reason": "spam"})).status_code
        assert (await alice.read(f"/repos/{repo}/issues/1"))["is_locked"]
        path = f"/repos/{repo}/issues/1/comments"
        assert 201 == (await forge_server.api("bob").post(path, {"body": "x"})).status_code
        mallory = forge_server.api("mallory")
        answer = await mallory.post(path, {"body": "x"})
        assert (403, "You cannot comment on a locked issue.") == (
            answer.status_code,
            answer.json()["message"],
        )
        reaction = await mallory.post(f"/repos/{repo}/issues/1/reactions", {"content": "eyes"})
        assert 403 == reaction.status_code
        assert 204 == (await alice.delete(lock)).status_code
        assert 201 == (await mallory.post(path, {"body": "x"})).status_code

    @pytest.mark.parametrize("where", ["/1", "/comments/{comment}"])
    async def test_reactions(self, forge_server: ForgeServer, repo: str, where: str) -> None:
        bob = forge_server.api("bob")
        made = await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "hello"})
        path = f"/repos/{repo}/issues{where.format(comment=made['id'])}/reactions"
        assert None is await bob.read(path)
        eyes = {"content": "eyes"}
        statuses = [(await bob.post(path, eyes)).status_code for _ in range(2)]
        assert [201, 200] == statuses, "the second time it is there"
        listed = await bob.read(path)
        assert [("bob", "eyes")] == [(r["user"]["login"], r["content"]) for r in listed]
        refused = await bob.post(path, {"content": "bogus"})
        assert (403, "'bogus' is not an allowed reaction") == (
            refused.status_code,
            refused.json()["message"],
        )
        for _ in range(2):
            assert (await bob.delete(path, eyes)).is_success
        assert None is await bob.read(path)

    async def test_on_a_pull_request_the_addresses_say_so(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        number = await branch_and_pull(bob, repo)
        made = await bob.do("POST", f"/repos/{repo}/issues/{number}/comments", {"body": "x"})
        assert "" == made["issue_url"]
        assert made["pull_request_url"].endswith(f"/{repo}/pulls/{number}")


class TestFiles:
    FILES: ClassVar[dict[str, int | bytes]] = {
        "src/a/b.py": 1234,
        "src/new.py": b"print(1)\n",
        "z.txt": 0,
    }

    async def test_a_tree_gives_every_path_with_its_size(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository(files=self.FILES)
        bob = forge_server.api("bob")
        for ref in ("main", "HEAD"):
            answer = await bob.get(f"/repos/{repo}/git/trees/{ref}?recursive=true")
            found = [(e["path"], e["type"], e["size"]) for e in answer.json()["tree"]]
            readme, *rest = found
            assert ("README.md", "blob") == readme[:2]
            assert [
                ("src", "tree", 0),
                ("src/a", "tree", 0),
                ("src/a/b.py", "blob", 1234),
                ("src/new.py", "blob", 9),
                ("z.txt", "blob", 0),
            ] == rest
            assert ("6", 6) == (answer.headers["X-Total-Count"], answer.json()["total_count"])
        flat = await bob.read(f"/repos/{repo}/git/trees/main")
        assert ["README.md", "src", "z.txt"] == [entry["path"] for entry in flat["tree"]]
        again = await bob.read(f"/repos/{repo}/git/trees/{flat['sha']}?recursive=true")
        assert 6 == again["total_count"]

    async def test_a_tree_is_paged(self, forge_server: ForgeServer) -> None:
        files: dict[str, int | bytes] = {f"many/{n:04}.txt": n % 7 for n in range(1005)}
        repo = await forge_server.repository(files=files)
        bob = forge_server.api("bob")
        path = f"/repos/{repo}/git/trees/main?recursive=true"
        first, second = await bob.read(path), await bob.read(f"{path}&page=2")
        assert (1000, True, 1) == (len(first["tree"]), first["truncated"], first["page"])
        assert (7, False, 1007) == (
            len(second["tree"]),
            second["truncated"],
            second["total_count"],
        )
        small = await bob.read(f"{path}&per_page=3&page=2")
        assert 3 == len(small["tree"])
        beyond = await bob.read(f"{path}&page=9")
        assert (None, False) == (beyond["tree"], beyond["truncated"])

    async def test_an_unknown_ref_is_400(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        answer = await forge_server.api("bob").get(f"/repos/{repo}/git/trees/nope?recursive=1")
        assert (400, "sha not found [nope]") == (answer.status_code, answer.json()["message"])

    async def test_an_empty_repository_has_no_tree(self, forge_server: ForgeServer) -> None:
        owner = await forge_server.organization()
        root = forge_server.api()
        made = await root.do("POST", f"/orgs/{owner}/repos", {"name": "empty"})
        assert made["empty"]
        answer = await root.get(f"/repos/{owner}/empty/git/trees/HEAD?recursive=true")
        assert (400, "sha not found [HEAD]") == (answer.status_code, answer.json()["message"])
        assert None is await root.read(f"/repos/{owner}/empty/branches")

    async def test_files_are_written_and_read(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository(files=self.FILES)
        bob = forge_server.api("bob")
        path = f"/repos/{repo}/contents/src/new.py"
        there = await bob.read(path)
        assert ("cHJpbnQoMSkK", 9) == (there["content"], there["size"])
        for method in ("POST", "PUT"):
            answer = await bob.ask(method, path, {"content": "MQ==", "message": "m"})
            assert 422 == answer.status_code, "it exists"
            assert answer.json()["message"].startswith("repository file already exists")
        changed = await bob.put(path, {"content": "MQ==", "sha": there["sha"]})
        assert 1 == changed.json()["content"]["size"]
        assert b"1" == (await bob.get(f"/repos/{repo}/raw/src/new.py")).content
        assert 404 == (await bob.get(f"/repos/{repo}/contents/nope.py")).status_code
        assert 404 == (await bob.get(f"/repos/{repo}/raw/nope.py")).status_code
        refused = await forge_server.api("mallory").post(
            f"/repos/{repo}/contents/m.py", {"content": "MQ=="}
        )
        assert 403 == refused.status_code
        assert 422 == (await bob.post(f"/repos/{repo}/contents/m.py", {"content": "?"})).status_code
        nowhere = {"content": "MQ==", "branch": "nope"}
        assert 404 == (await bob.post(f"/repos/{repo}/contents/m.py", nowhere)).status_code
        inside = await bob.read(f"/repos/{repo}/contents/src/a")
        assert ["src/a/b.py"] == [entry["path"] for entry in inside]

    async def test_branches_are_listed(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await branch_and_pull(bob, repo)
        listed = await bob.read(f"/repos/{repo}/branches")
        assert {"main", "branch-pull"} == {branch["name"] for branch in listed}
        one = await bob.read(f"/repos/{repo}/branches/branch-pull")
        assert "Add a file" == one["commit"]["message"].strip()
        assert 404 == (await bob.get(f"/repos/{repo}/branches/nope")).status_code


class TestPulls:
    async def test_merging_closes_what_it_says_it_closes(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        number = await branch_and_pull(bob, repo, "Closes #1")
        path = f"/repos/{repo}/pulls/{number}"
        await until_mergeable(bob, path)
        assert 404 == (await bob.get(f"{path}/merge")).status_code
        refused = await forge_server.api("mallory").post(f"{path}/merge", {"Do": "merge"})
        assert 405 == refused.status_code
        assert 422 == (await bob.post(f"{path}/merge", {"Do": "bogus"})).status_code
        merged = await bob.post(f"{path}/merge", {"Do": "merge"})
        assert (200, b"") == (merged.status_code, merged.content)
        assert 204 == (await bob.get(f"{path}/merge")).status_code
        as_issue = await bob.read(f"/repos/{repo}/issues/{number}")
        assert ("closed", True) == (as_issue["state"], as_issue["pull_request"]["merged"])
        assert "closed" == (await bob.read(f"/repos/{repo}/issues/1"))["state"]
        again = await bob.post(f"{path}/merge", {"Do": "merge"})
        assert (405, "The PR is already merged") == (again.status_code, again.json()["message"])
        reopened = await bob.patch(f"/repos/{repo}/issues/{number}", {"state": "open"})
        assert 412 == reopened.status_code

    async def test_are_opened_and_listed(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        number = await branch_and_pull(bob, repo)
        assert [number] == [pull["number"] for pull in await bob.read(f"/repos/{repo}/pulls")]
        assert [] == await bob.read(f"/repos/{repo}/pulls?state=closed")
        wish = {"title": "Again", "head": "branch-pull", "base": "main"}
        assert 409 == (await bob.post(f"/repos/{repo}/pulls", wish)).status_code
        missing = wish | {"head": "nope"}
        assert 404 == (await bob.post(f"/repos/{repo}/pulls", missing)).status_code
        nameless = await bob.post(f"/repos/{repo}/pulls", wish | {"title": ""})
        assert 422 == nameless.status_code

    async def test_one_that_waits_or_is_closed_is_not_merged(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        number = await branch_and_pull(bob, repo)
        path = f"/repos/{repo}/pulls/{number}"
        await until_mergeable(bob, path)
        dependencies = f"/repos/{repo}/issues/{number}/dependencies"
        await bob.do("POST", dependencies, meant(repo, 1))
        waiting = await bob.post(f"{path}/merge", {"Do": "merge"})
        assert (500, "") == (waiting.status_code, waiting.json()["message"])
        await bob.do("DELETE", dependencies, meant(repo, 1))
        await bob.do("PATCH", f"/repos/{repo}/issues/{number}", {"state": "closed"})
        assert [number] == [
            p["number"] for p in await bob.read(f"/repos/{repo}/pulls?state=closed")
        ]
        assert 404 == (await bob.post(f"{path}/merge", {"Do": "merge"})).status_code

    async def test_a_plain_issue_is_none(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        assert 404 == (await bob.get(f"/repos/{repo}/pulls/1")).status_code
        answer = await bob.post(f"/repos/{repo}/pulls/1/merge", {"Do": "merge"})
        assert (404, "GetPullRequestByIndex") == (answer.status_code, answer.json()["message"])


class TestRepositories:
    async def test_the_case_of_a_name_does_not_matter(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        found = await forge_server.api("bob").read(f"/repos/{repo.upper()}")
        assert repo == found["full_name"]

    async def test_a_renamed_one_redirects_from_its_old_name(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        await opened(alice, repo, "one")
        await alice.do("PATCH", f"/repos/{repo}", {"name": "vessel"})
        new = repo.replace("/rocket", "/vessel")
        for method, body in (("GET", None), ("PATCH", {"title": "x"})):
            answer = await alice.ask(method, f"/repos/{repo}/issues/1?a=b", body)
            assert 301 == answer.status_code
            assert f"/api/v1/repos/{new}/issues/1?a=b" == answer.headers["Location"]
        assert new == (await alice.read(f"/repos/{new}"))["full_name"]

    async def test_can_be_made_private(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository(people={"alice": "admin"})
        assert 200 == (await forge_server.api("bob").get(f"/repos/{repo}")).status_code
        changed = await forge_server.api("alice").do(
            "PATCH", f"/repos/{repo}", {"private": True, "description": "hidden"}
        )
        assert (True, "hidden") == (changed["private"], changed["description"])
        assert 404 == (await forge_server.api("bob").get(f"/repos/{repo}")).status_code

    async def test_a_name_in_use_is_not_given_again(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        await forge_server.repository(owner=repo.partition("/")[0], name="vessel")
        answer = await forge_server.api("alice").patch(f"/repos/{repo}", {"name": "vessel"})
        assert 422 == answer.status_code
        assert answer.json()["message"].startswith("repository already exists")

    async def test_only_its_owner_deletes_it(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        other = await forge_server.repository()
        root = forge_server.api()
        await opened(root, repo, "one")
        await opened(root, other, "two")
        await root.do("POST", f"/repos/{other}/issues/1/dependencies", meant(repo, 1))
        await forge_server.hook(f"/repos/{repo}", "http://127.0.0.1:1/", ["issues"])
        answer = await forge_server.api("alice").delete(f"/repos/{repo}")
        assert (403, "user should be the owner of the repo") == (
            answer.status_code,
            answer.json()["message"],
        )
        assert 204 == (await forge_server.api().delete(f"/repos/{repo}")).status_code
        assert 404 == (await forge_server.api().get(f"/repos/{repo}")).status_code
        assert [] == await root.read(f"/repos/{other}/issues/1/dependencies")

    async def test_a_name_can_be_taken_wrong_or_not_ours(self, forge_server: ForgeServer) -> None:
        owner = await forge_server.organization()
        root = forge_server.api()
        path = f"/orgs/{owner}/repos"
        assert 201 == (await root.post(path, {"name": "a"})).status_code
        assert 409 == (await root.post(path, {"name": "a"})).status_code
        assert 422 == (await root.post(path, {"name": "bad name"})).status_code
        assert 403 == (await forge_server.api("bob").post(path, {"name": "b"})).status_code
        assert 404 == (await root.post("/orgs/no-such-org/repos", {"name": "b"})).status_code
        assert 404 == (await root.get("/repos/no-such-owner/x")).status_code
        assert 404 == (await root.get("/users/no-such-person")).status_code

    async def test_mine_are_listed(self, forge_server: ForgeServer) -> None:
        login = f"owner-{forge_server.kind}-{id(self)}"
        api = forge_server.api(login)
        made = await api.do("POST", "/user/repos", {"name": "own"})
        shared = await forge_server.repository(people={login: "write"})
        hidden = await forge_server.repository(people={login: "read"}, private=True)
        await forge_server.repository(people={login: "read"})  # as everybody may
        await forge_server.repository(people={})
        listed = await api.read("/user/repos")
        assert {made["full_name"], shared, hidden} == {repo["full_name"] for repo in listed}


class TestHooks:
    CONFIG: ClassVar[dict[str, str]] = {
        "url": "http://127.0.0.1:1/",
        "content_type": "json",
        "secret": "hush",
    }

    async def test_a_family_stands_for_all_its_events(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        made = await forge_server.api("alice").do(
            "POST",
            f"/repos/{repo}/hooks",
            {"type": "gitea", "events": ["issues", "push"], "config": self.CONFIG},
        )
        assert not made["active"], "unless it is asked for"
        assert "secret" not in made["config"]
        assert {
            *("push", "issues", "issue_assign", "issue_label", "issue_milestone"),
            "issue_comment",
        } == set(made["events"])

    async def test_are_changed_listed_and_deleted(self, forge_server: ForgeServer) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        place = f"/repos/{repo}/hooks"
        body = {"type": "gitea", "active": True, "events": ["issues"], "config": self.CONFIG}
        made = await alice.do("POST", place, body)
        path = f"{place}/{made['id']}"
        change = {
            "active": False,
            "events": ["issues_only"],
            "config": {"url": "http://127.0.0.1:2/", "content_type": "form"},
        }
        await alice.do("PATCH", path, change)
        changed = await alice.read(path)
        assert (False, ["issues"]) == (changed["active"], changed["events"])
        assert {"url": "http://127.0.0.1:2/", "content_type": "form"} == changed["config"]
        assert [made["id"]] == [hook["id"] for hook in await alice.read(place)]
        assert 204 == (await alice.delete(path)).status_code
        assert 404 == (await alice.delete(path)).status_code
        assert 404 == (await alice.get(path)).status_code

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"type": None}, "[Type]: Required"),
            ({"type": "bogus"}, "Invalid hook type: bogus"),
            ({"config": {"content_type": "json"}}, "Missing config option: url"),
            ({"config": {"url": "http://a.test"}}, "Missing config option: content_type"),
            (
                {"config": {"url": "http://a.test", "content_type": "xml"}},
                "Invalid content type",
            ),
            ({"config": {"url": "foo", "content_type": "json"}}, "Invalid url"),
        ],
    )
    async def test_a_bad_one_is_422(
        self, forge_server: ForgeServer, change: dict[str, object], message: str
    ) -> None:
        repo = await forge_server.repository()
        body = {"type": "gitea", "config": self.CONFIG} | change
        answer = await forge_server.api("alice").post(f"/repos/{repo}/hooks", body)
        assert (422, message) == (answer.status_code, answer.json()["message"])

    async def test_an_empty_repository_has_nothing_to_test_with(
        self, forge_server: ForgeServer
    ) -> None:
        owner = await forge_server.organization()
        root = forge_server.api()
        await root.do("POST", f"/orgs/{owner}/repos", {"name": "empty"})
        path = await forge_server.hook(f"/repos/{owner}/empty", "http://127.0.0.1:1/", ["push"])
        answer = await root.post(f"{path}/tests")
        assert (404, "repository is empty") == (answer.status_code, answer.json()["message"])

    async def test_those_of_an_organisation_and_the_system_take_their_owners(
        self, forge_server: ForgeServer
    ) -> None:
        owner = await forge_server.organization()
        body = {"type": "gitea", "config": self.CONFIG}
        bob = forge_server.api("bob")
        for place, message in (
            (f"/orgs/{owner}", "Must be an organization owner"),
            ("/admin", "user should be the site admin"),
        ):
            answer = await bob.post(f"{place}/hooks", body)
            assert (403, message) == (answer.status_code, answer.json()["message"])
            path = await forge_server.hook(place, "http://127.0.0.1:1/", ["issues"])
            assert 1 == len(await forge_server.api().read(f"{place}/hooks"))
            assert 204 == (await forge_server.api().delete(path)).status_code
