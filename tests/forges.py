"""One small interface to a Gitea under test, embedded or real, and a receiver for its webhooks.

A test that takes the fixture `forge_server` runs on both (on the real one where there is one).
Everything goes over HTTP, so what is said here holds for either.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from aiohttp import web

from bot.demo.forge import Forge
from tests.gitea_server import GiteaServer

WAIT = 60.0  # seconds until a webhook that does not come is given up
SECRET = "s3cr3t-of-the-hook"
NAMES = itertools.count(1)

PEOPLE = {"alice": "admin", "bob": "write", "mallory": "read", "coordinator": "write"}


class Clock:
    """A time that stands still, from now on, until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float = 1) -> None:
        self.time += timedelta(seconds=seconds)


class Api:
    """Requests under /api/v1 as one person."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"token {token}"} if token else {}

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self._client.request(method, path, json=body, headers=self._headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.ask("GET", path)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.ask("POST", path, {} if body is None else body)

    async def patch(self, path: str, body: object) -> httpx.Response:
        return await self.ask("PATCH", path, body)

    async def put(self, path: str, body: object = None) -> httpx.Response:
        return await self.ask("PUT", path, {} if body is None else body)

    async def delete(self, path: str, body: object = None) -> httpx.Response:
        return await self.ask("DELETE", path, body)

    async def read(self, path: str) -> Any:
        """What a GET gives, which must succeed."""
        return (await self.get(path)).raise_for_status().json()

    async def do(self, method: str, path: str, body: object = None) -> Any:
        """What a request gives, which must succeed; None where there is no body."""
        answer = (await self.ask(method, path, body)).raise_for_status()
        return answer.json() if answer.content else None


@dataclass
class ForgeServer:
    """A running Gitea: `kind` is `embedded` or `gitea`, `url` has no slash at the end."""

    kind: str
    url: str
    admin_token: str
    client: httpx.AsyncClient
    make_token: Callable[[str, Sequence[str]], str]
    next_second: Callable[[], Any]
    forge: Forge | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, login: str) -> str:
        """An access token with all scopes; the user is made when first asked for."""
        if login not in self.tokens:
            self.tokens[login] = self.make_token(login, ("all",))
        return self.tokens[login]

    def limited_token(self, login: str, *scopes: str) -> str:
        """An access token with only these scopes."""
        self.token(login)
        return self.make_token(login, scopes)

    def api(self, login: str = "root") -> Api:
        """Requests as somebody; the empty name is nobody."""
        return Api(self.client, self.token(login) if login else "")

    def api_with(self, token: str) -> Api:
        """Requests with a token."""
        return Api(self.client, token)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Return once that is so; Gitea does some things in the background."""
        async with asyncio.timeout(WAIT):
            while not await holds():  # only asking tells
                await asyncio.sleep(0.05)

    async def organization(self) -> str:
        """A new organisation of `root`; its name."""
        name = f"acme{next(NAMES)}"
        await self.api().do("POST", "/orgs", {"username": name})
        return name

    async def repository(
        self,
        *,
        owner: str = "",
        name: str = "rocket",
        private: bool = False,
        files: dict[str, int | bytes] | None = None,
        people: dict[str, str] = PEOPLE,
    ) -> str:
        """A new repository with collaborators, in a new organisation where none is named.

        Gives `owner/name`. `files` map paths to sizes in bytes, or contents.
        """
        owner = owner or await self.organization()
        root = self.api()
        await root.do(
            "POST",
            f"/orgs/{owner}/repos",
            {"name": name, "auto_init": True, "private": private, "default_branch": "main"},
        )
        full_name = f"{owner}/{name}"
        for login, permission in people.items():
            self.token(login)
            path = f"/repos/{full_name}/collaborators/{login}"
            await root.do("PUT", path, {"permission": permission})
        if files:
            await self.write(full_name, files)
        return full_name

    async def write(self, full_name: str, files: dict[str, int | bytes]) -> None:
        """Commit files to the default branch."""
        changes = [
            {
                "operation": "create",
                "path": path,
                "content": base64.b64encode(b" " * c if isinstance(c, int) else c).decode(),
            }
            for path, c in files.items()
        ]
        body = {"files": changes, "message": "Add files"}
        await self.api().do("POST", f"/repos/{full_name}/contents", body)

    async def delete_issue(self, full_name: str, number: int) -> None:
        """Delete an issue."""
        await self.api().do("DELETE", f"/repos/{full_name}/issues/{number}")

    async def dependencies(self, full_name: str, number: int, login: str = "root") -> list[int]:
        """The numbers of what an issue waits for natively, as somebody sees them; hidden: 0."""
        path = f"/repos/{full_name}/issues/{number}/dependencies"
        return [issue["number"] for issue in await self.api(login).read(path)]

    async def add_dependency(
        self, full_name: str, number: int, blocker: int, *, of: str = "", login: str = "alice"
    ) -> None:
        """Let an issue wait natively for another one (of another repository, `of`)."""
        await self._depend("POST", full_name, number, of or full_name, blocker, login)

    async def remove_dependency(
        self, full_name: str, number: int, blocker: int, *, of: str = "", login: str = "alice"
    ) -> None:
        """Take that back."""
        await self._depend("DELETE", full_name, number, of or full_name, blocker, login)

    async def _depend(
        self, method: str, full_name: str, number: int, of: str, blocker: int, login: str
    ) -> None:
        owner, _, name = of.partition("/")
        path = f"/repos/{full_name}/issues/{number}/dependencies"
        body = {"owner": owner, "repo": name, "index": blocker}
        await self.api(login).do(method, path, body)

    async def switch_dependencies(self, full_name: str, *, on: bool) -> None:
        """Let a repository keep native dependencies, or not; those it has stay."""
        wish = {"has_issues": True, "internal_tracker": {"enable_issue_dependencies": on}}
        await self.api().do("PATCH", f"/repos/{full_name}", wish)

    async def archive(self, full_name: str, *, archived: bool = True) -> None:
        """Keep a repository only to be read, or take that back."""
        await self.api().do("PATCH", f"/repos/{full_name}", {"archived": archived})

    async def make_default(self, full_name: str, branch: str) -> None:
        """Make a branch the default one; Gitea answers 500 until it has taken note of it."""
        root, wish = self.api(), {"default_branch": branch}

        async def is_done() -> bool:
            return (await root.patch(f"/repos/{full_name}", wish)).is_success

        await self.until(is_done)

    async def rename(self, full_name: str, name: str) -> str:
        """Give a repository another name; its full one."""
        made = await self.api().do("PATCH", f"/repos/{full_name}", {"name": name})
        return str(made["full_name"])

    async def transfer(self, full_name: str, owner: str) -> str:
        """Give a repository to another owner; its full name there."""
        body = {"new_owner": owner}
        made = await self.api().do("POST", f"/repos/{full_name}/transfer", body)
        return str(made["full_name"])

    async def rename_organization(self, name: str, new: str) -> None:
        """Give an organisation another name."""
        await self.api().do("POST", f"/orgs/{name}/rename", {"new_name": new})

    async def hook(
        self, place: str, url: str, events: Sequence[str], content_type: str = "json"
    ) -> str:
        """A webhook at `/repos/o/r`, `/orgs/o` or `/admin`; the path to it."""
        config = {"url": url, "content_type": content_type, "secret": SECRET}
        if place == "/admin":
            config["is_system_webhook"] = "true"
        made = await self.api().do(
            "POST",
            f"{place}/hooks",
            {"type": "gitea", "active": True, "events": list(events), "config": config},
        )
        return f"{place}/hooks/{made['id']}"

    async def remove_hook(self, path: str) -> None:
        """Take a webhook away, by the path to it."""
        await self.api().do("DELETE", path)


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client for the API at an address."""
    async with httpx.AsyncClient(
        base_url=f"{url}/api/v1", trust_env=False, timeout=30, verify=False
    ) as client:  # by http: to read certificates takes longer than most tests
        yield client


def embedded_server(forge: Forge, clock: Clock, client: httpx.AsyncClient) -> ForgeServer:
    """The interface to an embedded forge that is being served."""

    def make_token(login: str, scopes: Sequence[str]) -> str:
        if forge.state.user(login) is None:
            return forge.add_user(login, scopes=scopes)
        return forge.add_token(login, *scopes)

    async def next_second() -> None:
        clock.advance()

    tokens = {"root": forge.admin_token}
    return ForgeServer(
        "embedded", forge.url, forge.admin_token, client, make_token, next_second, forge, tokens
    )


def gitea_server(gitea: GiteaServer, client: httpx.AsyncClient) -> ForgeServer:
    """The interface to a real Gitea."""

    def make_token(login: str, scopes: Sequence[str]) -> str:
        if "all" in scopes:
            return gitea.create_user(login)
        return gitea.create_token(login, scopes)

    async def next_second() -> None:
        await asyncio.sleep(1.0 - datetime.now(UTC).microsecond / 1e6 + 0.005)

    tokens = {"root": gitea.admin_token}
    return ForgeServer(
        "gitea", gitea.url, gitea.admin_token, client, make_token, next_second, None, tokens
    )


@dataclass(frozen=True)
class Received:
    """One webhook request as it came in."""

    headers: dict[str, str]
    raw: bytes

    @property
    def payload_text(self) -> str:
        """The payload: the body, or the field of a form."""
        if self.headers["Content-Type"] == "application/json":
            return self.raw.decode()
        return parse_qs(self.raw.decode(), keep_blank_values=True)["payload"][0]

    @property
    def payload(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.payload_text)
        return read

    @property
    def type(self) -> str:
        """The event type, e.g. `issue_label`."""
        return self.headers["X-Gitea-Event-Type"]

    @property
    def name(self) -> str:
        """Type and action, e.g. `issues.opened`; a push has no action."""
        action = self.payload.get("action")
        return f"{self.type}.{action}" if action else self.type

    @property
    def uuid(self) -> str:
        return self.headers["X-Gitea-Delivery"]


class Receiver:
    """A web server that keeps what webhooks bring.

    `status` is what it answers with, `hold` an event it waits for before that; `overlaps` counts
    requests that came while another one was not answered.
    """

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.status = 200
        self.hold: asyncio.Event | None = None
        self.overlaps = 0
        self._busy = 0
        self._changed = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        self.overlaps += self._busy > 0
        self._busy += 1
        try:
            found = Received(dict(request.headers), await request.read())
            async with self._changed:
                self.received.append(found)
                self._changed.notify_all()
            if self.hold is not None:
                await self.hold.wait()
            return web.Response(status=self.status)
        finally:
            self._busy -= 1

    @property
    def names(self) -> list[str]:
        """Type and action of everything that came, in order."""
        return [one.name for one in self.received]

    async def until(self, enough: Callable[[list[Received]], bool]) -> list[Received]:
        """All that came, once `enough` says so."""
        async with asyncio.timeout(WAIT), self._changed:
            await self._changed.wait_for(lambda: enough(self.received))
        return self.received

    async def next(self, name: str) -> Received:
        """The first delivery of that type and action, once it has come."""
        found = await self.until(lambda all_: any(one.name == name for one in all_))
        return next(one for one in found if one.name == name)

    async def count(self, number: int) -> list[Received]:
        """All that came, once there are so many."""
        return await self.until(lambda all_: len(all_) >= number)


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        if receiver.hold is not None:
            receiver.hold.set()
        await runner.cleanup()


def hmac_sha256(text: str) -> str:
    """The signature a delivery should have."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
