"""What somebody who sets the bot up asks of Gitea: held against the embedded one and a real one."""

from __future__ import annotations

import base64
import itertools

import httpx
import pytest

from tests.forges import ForgeServer

LEAST = ["write:issue", "read:repository", "read:user"]
NEW = itertools.count(1)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


async def ask(
    server: ForgeServer, method: str, path: str, secret: str, body: object = None, name: str = "x"
) -> httpx.Response:
    """As who is signed in with a name and this secret."""
    return await server.client.request(method, path, json=body, headers=basic(name, secret))


@pytest.fixture
async def robot(forge_server: ForgeServer) -> str:
    """A new user, whose password is `pass-word-of-robot`; the login."""
    login = f"robot{next(NEW)}"
    body = {
        "username": login,
        "email": f"{login}@noreply.localhost",
        "password": "pass-word-of-robot",
        "must_change_password": False,
    }
    await forge_server.api().do("POST", "/admin/users", body)
    return login


class TestTokens:
    async def test_a_token_does_in_place_of_a_password(self, forge_server: ForgeServer, robot):
        """With whatever name; and only so are tokens made, an administrator's for others too."""
        path, body = f"/users/{robot}/tokens", {"name": "a", "scopes": LEAST}
        root = forge_server.admin_token
        assert 401 == (await forge_server.api().post(path, body)).status_code
        made = await ask(forge_server, "POST", path, root, body)
        assert 201 == made.status_code
        assert set(LEAST) == set(made.json()["scopes"])
        holder = await forge_server.api_with(made.json()["sha1"]).read("/user")
        assert robot == holder["login"]

    async def test_a_name_is_taken_once(self, forge_server: ForgeServer, robot):
        path, body = f"/users/{robot}/tokens", {"name": "a", "scopes": LEAST}
        answers = [
            await ask(forge_server, "POST", path, forge_server.admin_token, body) for _ in "ab"
        ]
        assert [201, 400] == [one.status_code for one in answers]
        assert "access token name has been used already" == answers[1].json()["message"]

    async def test_a_token_needs_a_scope(self, forge_server: ForgeServer, robot):
        body = {"name": "a", "scopes": []}
        path = f"/users/{robot}/tokens"
        answer = await ask(forge_server, "POST", path, forge_server.admin_token, body)
        assert (400, "access token must have a scope") == (
            answer.status_code,
            answer.json()["message"],
        )

    async def test_its_holder_can_look_up_its_scopes(self, forge_server: ForgeServer, robot):
        """Not the token itself, but its last characters; and may not delete it."""
        path, root = f"/users/{robot}/tokens", forge_server.admin_token
        body = {"name": "a", "scopes": LEAST}
        made = (await ask(forge_server, "POST", path, root, body)).json()
        (one,) = (await ask(forge_server, "GET", path, made["sha1"])).json()
        assert ("", made["sha1"][-8:]) == (one["sha1"], one["token_last_eight"])
        assert set(LEAST) == set(one["scopes"])
        gone = await ask(forge_server, "DELETE", f"{path}/a", made["sha1"])
        assert 403 == gone.status_code

    async def test_it_is_deleted_by_its_name(self, forge_server: ForgeServer, robot):
        path, root = f"/users/{robot}/tokens", forge_server.admin_token
        made = await ask(forge_server, "POST", path, root, {"name": "a b", "scopes": LEAST})
        answers = [await ask(forge_server, "DELETE", f"{path}/a%20b", root) for _ in "ab"]
        assert [204, 404] == [one.status_code for one in answers]
        gone = await forge_server.api_with(made.json()["sha1"]).get("/user")
        assert 401 == gone.status_code

    async def test_nobody_sees_those_of_others(self, forge_server: ForgeServer, robot):
        answer = await ask(
            forge_server, "GET", f"/users/{robot}/tokens", forge_server.token("alice")
        )
        assert 403 == answer.status_code

    async def test_a_password_signs_in(self, forge_server: ForgeServer, robot):
        right = await ask(forge_server, "GET", "/user", "pass-word-of-robot", name=robot)
        wrong = await ask(forge_server, "GET", "/user", "another", name=robot)
        assert [200, 401] == [right.status_code, wrong.status_code]


class TestUsers:
    async def test_somebody_is_made_an_administrator_of_the_site(
        self, forge_server: ForgeServer, robot
    ):
        root, path = forge_server.api(), f"/admin/users/{robot}"
        for really in (True, False):
            await root.do("PATCH", path, {"admin": really, "login_name": robot, "source_id": 0})
            assert really == (await root.read(f"/users/{robot}"))["is_admin"]

    async def test_only_administrators_see_who_is_switched_off(
        self, forge_server: ForgeServer, robot
    ):
        root = forge_server.api()
        body = {"prohibit_login": True, "login_name": robot, "source_id": 0}
        await root.do("PATCH", f"/admin/users/{robot}", body)
        seen = await root.read(f"/users/{robot}")
        assert (True, True) == (seen["active"], seen["prohibit_login"])
        seen = await forge_server.api("bob").read(f"/users/{robot}")
        assert (False, False) == (seen["active"], seen["prohibit_login"])

    async def test_a_user_is_deleted(self, forge_server: ForgeServer, robot):
        root = forge_server.api()
        assert 204 == (await root.delete(f"/admin/users/{robot}")).status_code
        assert 404 == (await root.get(f"/users/{robot}")).status_code
        assert 403 == (await forge_server.api("bob").delete("/admin/users/alice")).status_code

    async def test_not_who_is_in_an_organisation(self, forge_server: ForgeServer, robot):
        """Nor oneself, nor an organisation."""
        root, org = forge_server.api(), await forge_server.organization()
        team = await root.do("POST", f"/orgs/{org}/teams", TEAM)
        await root.do("PUT", f"/teams/{team['id']}/members/{robot}")
        for login in (robot, "root", org):
            assert 422 == (await root.delete(f"/admin/users/{login}")).status_code


TEAM = {"name": "robots", "permission": "admin", "includes_all_repositories": True}


class TestScopes:
    """A token that may only administer the site may not ask whose it is."""

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/version", 200), ("/settings/api", 200), ("/user", 403), ("/admin/hooks", 200)],
    )
    async def test_what_it_may(self, forge_server: ForgeServer, path, status):
        forge_server.token("chief")
        body = {"admin": True, "login_name": "chief", "source_id": 0}
        await forge_server.api().do("PATCH", "/admin/users/chief", body)
        token = forge_server.limited_token("chief", "write:admin")
        assert status == (await forge_server.api_with(token).get(path)).status_code


class TestHooks:
    async def test_an_event_told_back_is_its_family(self, forge_server: ForgeServer):
        """Listed it is one event: with `_only` it stays one."""
        path = f"/repos/{await forge_server.repository()}/hooks"
        config = {"url": "http://127.0.0.1:1/x", "content_type": "json"}
        body = {"type": "gitea", "events": ["pull_request_only"], "config": config}
        root = forge_server.api()
        made = await root.do("POST", path, body)
        assert ["pull_request"] == made["events"]
        one = f"{path}/{made['id']}"
        same = await root.do("PATCH", one, {"events": ["pull_request_only"]})
        assert ["pull_request"] == same["events"]
        more = await root.do("PATCH", one, {"events": ["pull_request"]})
        assert "pull_request_review" in {e.removesuffix("_approved") for e in more["events"]}


class TestTeams:
    async def test_who_is_in_one_administers_every_repository(
        self, forge_server: ForgeServer, robot
    ):
        repo = await forge_server.repository(private=True)
        org, root = repo.partition("/")[0], forge_server.api()
        team = await root.do("POST", f"/orgs/{org}/teams", TEAM)
        path = f"/teams/{team['id']}/members"
        await root.do("PUT", f"{path}/{robot}")
        assert [robot] == [one["login"] for one in await root.read(path)]
        right = f"/repos/{repo}/collaborators/{robot}/permission"
        assert "owner" == (await root.read(right))["permission"]
        await root.do("DELETE", f"{path}/{robot}")
        assert "none" == (await root.read(right))["permission"]

    async def test_the_organisations_of_somebody_are_listed(self, forge_server: ForgeServer, robot):
        org, root = await forge_server.organization(), forge_server.api()
        team = await root.do("POST", f"/orgs/{org}/teams", TEAM)
        await root.do("PUT", f"/teams/{team['id']}/members/{robot}")
        found = await root.read(f"/users/{robot}/orgs")
        assert [org] == [one["name"] for one in found]

    async def test_they_are_listed(self, forge_server: ForgeServer):
        org, root = await forge_server.organization(), forge_server.api()
        made = await root.do("POST", f"/orgs/{org}/teams", TEAM)
        found = await root.read(f"/orgs/{org}/teams")
        shown = {
            (one["name"], one["permission"], one["includes_all_repositories"]) for one in found
        }
        assert {("Owners", "owner", True), ("robots", "admin", True)} == shown
        again = await root.post(f"/orgs/{org}/teams", TEAM)
        assert 422 == again.status_code
        assert 204 == (await root.delete(f"/teams/{made['id']}")).status_code
        assert 404 == (await root.get(f"/teams/{made['id']}/members")).status_code

    async def test_only_owners_make_them(self, forge_server: ForgeServer):
        org = await forge_server.organization()
        answer = await forge_server.api("bob").post(f"/orgs/{org}/teams", TEAM)
        assert 403 == answer.status_code


async def test_the_repositories_of_an_organisation_are_listed(forge_server: ForgeServer):
    repo = await forge_server.repository()
    org = repo.partition("/")[0]
    found = await forge_server.api().read(f"/orgs/{org}/repos")
    assert [repo] == [one["full_name"] for one in found]


@pytest.mark.parametrize("secret", ["", "nobody's"])
async def test_nobody_is_signed_in_with_what_is_no_token(forge_server: ForgeServer, secret):
    assert 401 == (await ask(forge_server, "GET", "/user", secret)).status_code
