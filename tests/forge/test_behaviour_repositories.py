"""What Gitea does with repositories: files, pull requests, hooks, names: the embedded forge and a real Gitea alike."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tests.forge.scenes import branch_and_pull, meant, opened, until_mergeable
from tests.forges import ForgeServer


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
