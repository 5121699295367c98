"""The calls of somebody who sets the bot up: users, tokens, rights and teams.

Facts were seen in Gitea 1.26.3 and 1.24.7. Tokens are listed, made and deleted only by somebody
who is signed in with a name; in place of the password their own token will do. Everything raises
a `GiteaError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from bot.errors import NotFound
from bot.gitea.answers import read
from bot.gitea.api import within
from bot.gitea.client import Gitea
from bot.gitea.models import Answer, Repository, Text
from bot.gitea.sansio import JSON

COLLABORATOR = "/repos/{owner}/{repo}/collaborators/{login}"


def _or_list(value: object) -> object:
    return () if value is None else value


class Account(Answer):
    """A user, with what only an administrator sees."""

    id: int
    login: str
    is_admin: bool = False
    prohibit_login: bool = False
    active: bool = True
    login_name: Text = ""
    source_id: int = 0


class AccessToken(Answer):
    """A token of somebody; `sha1` is the token itself, told only once."""

    id: int
    name: str
    token_last_eight: Text = ""
    scopes: Annotated[tuple[str, ...], BeforeValidator(_or_list)] = ()
    sha1: SecretStr = SecretStr("")


class Team(Answer):
    """A team of an organisation."""

    id: int
    name: str
    permission: Text = ""
    includes_all_repositories: bool = False

    @property
    def administers_all(self) -> bool:
        """Whether its members are administrators of every repository."""
        whole = self.permission == "admin" and self.includes_all_repositories
        return whole or self.permission == "owner"


class Organization(Answer):
    """An organisation."""

    id: int
    name: str


class AdminAPI:
    """Gitea as who sets the bot up sees it, over a client that is signed in with a name."""

    def __init__(self, client: Gitea) -> None:
        self.client = client

    async def me(self) -> Account:
        """GET /user: who is signed in."""
        return read(Account, await self.client.getitem("/user"))

    async def user(self, login: str) -> Account | None:
        """GET /users/{login}; None where nobody, and no organisation, has that name."""
        try:
            return read(Account, await self.client.getitem("/users/{login}", login=login))
        except NotFound:
            return None

    async def is_organization(self, name: str) -> bool:
        """GET /orgs/{org}: whether that is an organisation that can be seen."""
        try:
            await self.client.getitem("/orgs/{org}", org=name)
        except NotFound:
            return False
        return True

    async def create_user(self, login: str, email: str, password: SecretStr) -> Account:
        """POST /admin/users: somebody who may sign in at once."""
        data: JSON = {
            "username": login,
            "email": email,
            "password": password.get_secret_value(),
            "must_change_password": False,
            "send_notify": False,
        }
        return read(Account, await self.client.post("/admin/users", data))

    async def delete_user(self, login: str) -> None:
        """DELETE /admin/users/{login}; what they wrote stays."""
        await self.client.delete("/admin/users/{login}", login=login)

    async def make_site_administrator(self, who: Account, *, really: bool = True) -> None:
        """PATCH /admin/users/{login}."""
        data: JSON = {
            "admin": really,
            "login_name": who.login_name or who.login,
            "source_id": who.source_id,
        }
        await self.client.patch("/admin/users/{login}", data, login=who.login)

    async def tokens(self, login: str) -> list[AccessToken]:
        """GET /users/{login}/tokens, with the scopes of each."""
        items = self.client.getiter("/users/{login}/tokens", login=login)
        return [read(AccessToken, item) async for item in items]

    async def create_token(self, login: str, name: str, scopes: Sequence[str]) -> AccessToken:
        """POST /users/{login}/tokens; a name is taken once per user."""
        data: JSON = {"name": name, "scopes": list(scopes)}
        return read(AccessToken, await self.client.post("/users/{login}/tokens", data, login=login))

    async def delete_token(self, login: str, name: str) -> None:
        """DELETE /users/{login}/tokens/{name}; no matter if it is gone already."""
        try:
            await self.client.delete("/users/{login}/tokens/{name}", login=login, name=name)
        except NotFound:
            return

    async def organizations_of(self, login: str) -> list[str]:
        """GET /users/{login}/orgs: the names of those somebody is in, as far as can be seen."""
        items = self.client.getiter("/users/{login}/orgs", login=login)
        return [read(Organization, item).name async for item in items]

    async def is_collaborator(self, repo: str, login: str) -> bool:
        """GET …/collaborators/{login}: whether they were added to this very repository."""
        try:
            await self.client.getitem(COLLABORATOR, **within(repo), login=login)
        except NotFound:
            return False
        return True

    async def set_collaborator(self, repo: str, login: str, permission: str) -> None:
        """PUT …/collaborators/{login}: `read`, `write` or `admin`."""
        await self.client.put(COLLABORATOR, {"permission": permission}, **within(repo), login=login)

    async def drop_collaborator(self, repo: str, login: str) -> None:
        """DELETE …/collaborators/{login}."""
        await self.client.delete(COLLABORATOR, **within(repo), login=login)

    async def teams(self, org: str) -> list[Team]:
        """GET /orgs/{org}/teams."""
        return [
            read(Team, item) async for item in self.client.getiter("/orgs/{org}/teams", org=org)
        ]

    async def create_team(self, org: str, name: str, description: str) -> Team:
        """POST /orgs/{org}/teams: administrators of every repository there."""
        data: JSON = {
            "name": name,
            "description": description,
            "permission": "admin",
            "includes_all_repositories": True,
            "can_create_org_repo": False,
        }
        return read(Team, await self.client.post("/orgs/{org}/teams", data, org=org))

    async def delete_team(self, team: Team) -> None:
        """DELETE /teams/{id}."""
        await self.client.delete("/teams/{id}", id=team.id)

    async def members(self, team: Team) -> list[Account]:
        """GET /teams/{id}/members."""
        items = self.client.getiter("/teams/{id}/members", id=team.id)
        return [read(Account, item) async for item in items]

    async def add_member(self, team: Team, login: str) -> None:
        """PUT /teams/{id}/members/{login}."""
        await self.client.put("/teams/{id}/members/{login}", id=team.id, login=login)

    async def drop_member(self, team: Team, login: str) -> None:
        """DELETE /teams/{id}/members/{login}."""
        await self.client.delete("/teams/{id}/members/{login}", id=team.id, login=login)

    async def repositories(self, org: str) -> AsyncIterator[Repository]:
        """GET /orgs/{org}/repos."""
        async for item in self.client.getiter("/orgs/{org}/repos", org=org):
            yield read(Repository, item)

    async def repository(self, owner: str, repo: str) -> Repository:
        """GET /repos/{owner}/{repo}."""
        return read(
            Repository, await self.client.getitem("/repos/{owner}/{repo}", owner=owner, repo=repo)
        )

    async def all_repositories(self, limit: int) -> AsyncIterator[Repository]:
        """GET /repos/search: some of all that can be seen, those last changed first.

        The answer is an object with the list in it, of one page.
        """
        answer = await self.client.getitem(
            "/repos/search", limit=limit, sort="updated", order="desc"
        )
        items = answer.get("data") if isinstance(answer, dict) else None
        for item in items if isinstance(items, list) else []:
            yield read(Repository, item)

    async def my_repositories(self) -> AsyncIterator[Repository]:
        """GET /user/repos: where who is signed in may do more than everybody."""
        async for item in self.client.getiter("/user/repos"):
            yield read(Repository, item)
