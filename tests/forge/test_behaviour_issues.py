"""What Gitea does with issues and their comments: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import pytest

from tests.forge.scenes import branch_and_pull, label, meant, opened
from tests.forges import ForgeServer


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

    @pytest.mark.parametrize(
        ("method", "path", "body", "counted"),
        [
            ("PATCH", "", {"body": "b"}, 1),
            ("PATCH", "", {"body": "a"}, 1),
            ("PATCH", "", {"body": ""}, 1),
            ("PATCH", "", {"body": "b", "title": "uno", "state": "closed"}, 1),
            ("PATCH", "", {"title": "uno"}, 0),
            ("PATCH", "", {"state": "closed"}, 0),
            ("PATCH", "", {"assignees": ["bob"]}, 0),
            ("PATCH", "", {"content_version": 0}, 0),
            ("PATCH", "", {"title": "uno", "content_version": 0}, 0),
            ("POST", "/comments", {"body": "b"}, 0),
            ("POST", "/labels", {"labels": ["x"]}, 0),
            ("POST", "/reactions", {"content": "eyes"}, 0),
            ("POST", "/dependencies", "meant 2", 0),
        ],
        ids=lambda value: str(value).replace("/", ""),
    )
    async def test_the_content_version_counts_how_often_the_text_was_written(
        self, forge_server: ForgeServer, method: str, path: str, body: object, counted: int
    ) -> None:
        """Also with the same text again; neither the title nor anything else."""
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two", body="a")
        await label(bob, repo, "x")
        body = meant(repo, 2) if body == "meant 2" else body
        await bob.do(method, f"/repos/{repo}/issues/1{path}", body)
        assert counted == (await bob.read(f"/repos/{repo}/issues/1"))["content_version"]

    async def test_a_stale_content_version_lets_nothing_be_changed(
        self, forge_server: ForgeServer
    ) -> None:
        repo = await forge_server.repository()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", body="a")
        path = f"/repos/{repo}/issues/1"
        await bob.do("PATCH", path, {"body": "b"})
        for change in ({"title": "uno"}, {"state": "closed"}, {"assignees": ["bob"]}):
            answer = await bob.patch(path, {**change, "content_version": 0})
            assert 409 == answer.status_code
        issue = await bob.read(path)
        assert ("one", "open", None) == (issue["title"], issue["state"], issue["assignees"])

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

    async def test_that_one_was_edited_is_told_and_not_by_whom(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        mallory = forge_server.api("mallory")
        made = await mallory.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "a"})
        assert made["created_at"] == made["updated_at"]
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        await forge_server.next_second()
        await forge_server.next_second()
        for change in ({"content": "eyes"}, {"content": "+1"}):
            await mallory.post(f"{path}/reactions", change)
        assert made == await mallory.read(path), "a reaction is no edit"
        await forge_server.api("bob").do("PATCH", path, {"body": "/hold"})
        edited = await mallory.read(path)
        assert edited["created_at"] == made["created_at"] < edited["updated_at"]
        assert {**made, "body": "/hold", "updated_at": edited["updated_at"]} == edited

    async def test_that_a_text_was_edited_is_told_and_not_by_whom(
        self, forge_server: ForgeServer
    ) -> None:
        """What else happens to an issue does not count; in the list it is the same."""
        repo = await forge_server.repository()
        mallory, bob = forge_server.api("mallory"), forge_server.api("bob")
        await opened(mallory, repo, "one", body="/hold")
        path = f"/repos/{repo}/issues/1"
        await bob.do("POST", f"{path}/comments", {"body": "hello"})
        await bob.do("PATCH", path, {"title": "uno", "state": "closed", "assignees": ["bob"]})
        assert 0 == (await bob.read(path))["content_version"]
        await bob.do("PATCH", path, {"body": "/hold it"})
        [listed] = await bob.read(f"/repos/{repo}/issues?state=all")
        assert (1, "mallory") == (listed["content_version"], listed["user"]["login"])

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
