"""Who may do what in Gitea: tokens, scopes, rights, private repositories; real and embedded."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.forge.scenes import label, opened
from tests.forges import ForgeServer


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

    @pytest.mark.parametrize(
        ("login", "path", "status"),
        [
            ("bob", "/version", 200),
            ("bob", "/repos/{repo}/issues/1", 200),
            ("bob", "/repos/{repo}/issues/99", 404),
            ("", "/user", 401),
            ("bob", "/no-such-route", 404),
        ],
    )
    async def test_every_answer_says_what_time_it_is_there(
        self, forge_server: ForgeServer, login: str, path: str, status: int
    ) -> None:
        """By the same clock as `created_at` and `updated_at`, in whole seconds."""
        repo = await forge_server.repository()
        (number,) = await opened(forge_server.api("bob"), repo, "one")
        answer = await forge_server.api(login).get(path.format(repo=repo))
        assert status == answer.status_code
        issue = await forge_server.api("bob").read(f"/repos/{repo}/issues/{number}")
        said = parsedate_to_datetime(answer.headers["Date"])
        late = (said - datetime.fromisoformat(issue["created_at"])).total_seconds()
        assert 0 <= late < 10

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
