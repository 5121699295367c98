"""`Forge`, the in-memory Gitea, and `serve`, which puts it on a port of this machine.

forge = Forge()
forge.add_user("alice")
forge.add_repository("acme/rocket", files={"pump.py": 12_000}, owner="alice")
async with serve(forge) as url:
forge.act_as("alice", "acme/rocket").open("Retry in the pump driver", "…")
await forge.settled()
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from email.utils import format_datetime
from ipaddress import ip_address

from aiohttp import web

from bot.demo import hooks, repositories
from bot.demo.actor import Actor
from bot.demo.api.gate import Gate
from bot.demo.api.routes import add_routes
from bot.demo.deliveries import Deliveries, Delivery
from bot.demo.faults import Faults, RequestLog
from bot.demo.hooks import HookWish
from bot.demo.page import Page
from bot.demo.records import Comment, File, Hook, Issue, Repository, User
from bot.demo.state import Clock, State, utc_now
from bot.demo.world import World

ADMIN = "root"
LARGEST_REQUEST = 64 * 2**20  # bytes
EVERY_EVENT = ("issues", "pull_request", "push", "create", "delete", "repository")


class Forge:
    """A Gitea 1.26.3 in memory, with one site administrator, `root`.

    `requests` is the log of API requests, `faults` plans what is to go wrong, `deliveries` sends
    the webhooks. `clock` says what time it is, also in the `Date` of answers. `cross_repository`
    is Gitea's `ALLOW_CROSS_REPOSITORY_DEPENDENCIES`.
    """

    def __init__(self, clock: Clock = utc_now, *, cross_repository: bool = True) -> None:
        self.world = World(clock)
        self.state.cross_repository = cross_repository
        self.requests = RequestLog()
        self.faults = Faults()
        self.admin_token = self.add_user(ADMIN, admin=True, email="admin@example.test")

    @property
    def state(self) -> State:
        """Everything the forge knows."""
        return self.world.state

    @property
    def deliveries(self) -> Deliveries:
        """The webhooks that were sent and are to be sent."""
        return self.world.deliveries

    @property
    def url(self) -> str:
        """Where the forge is, without a slash at the end."""
        return self.state.url

    def user(self, login: str) -> User:
        """By login; raises LookupError."""
        return self.state.users[login.lower()]

    def repository(self, full_name: str) -> Repository:
        """By `owner/name`; raises LookupError."""
        return self.state.repository(full_name)

    def issue(self, full_name: str, number: int) -> Issue:
        """By repository and number; raises LookupError."""
        return self.state.issue(full_name, number)

    def comments(self, full_name: str, number: int, by: str = "") -> list[Comment]:
        """The comments of an issue, or only those of one author."""
        found = self.issue(full_name, number).comments
        return [comment for comment in found if by in ("", comment.poster.login)]

    def labels(self, full_name: str, number: int) -> list[str]:
        """The names of an issue's labels, sorted."""
        return sorted(label.name for label in self.issue(full_name, number).labels)

    def add_user(
        self,
        login: str,
        *,
        admin: bool = False,
        scopes: Iterable[str] = ("all",),
        email: str = "",
    ) -> str:
        """A new user; returns an access token with these scopes."""
        user = repositories.create_user(self.world, login, admin=admin, email=email)
        return self.state.new_token(user, frozenset(scopes))

    def add_token(self, login: str, *scopes: str) -> str:
        """Another access token of a user."""
        return self.state.new_token(self.user(login), frozenset(scopes or ("all",)))

    def add_organization(self, login: str, owner: str = ADMIN, full_name: str = "") -> User:
        """A new organisation."""
        return repositories.create_organization(self.world, self.user(owner), login, full_name)

    def add_repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        files: Mapping[str, int | bytes | str] | None = None,
    ) -> Repository:
        """A new repository; an owner who does not exist becomes an organisation of `root`.

        `files` maps paths to sizes in bytes, or contents.
        """
        owner, _, name = full_name.partition("/")
        if self.state.user(owner) is None:
            self.add_organization(owner)
        kept = {path: File.of(given) for path, given in (files or {"README.md": 10}).items()}
        return repositories.create_repository(
            self.world, self.user(ADMIN), self.user(owner), name, private=private, files=kept
        )

    def grant(self, full_name: str, login: str, permission: str) -> None:
        """Make somebody a collaborator: `read`, `write` or `admin`."""
        repository = self.repository(full_name)
        repositories.grant(self.world, self.user(ADMIN), repository, login, permission)

    def add_hook(
        self,
        url: str,
        *,
        secret: str = "",
        repository: str = "",
        organization: str = "",
        events: Iterable[str] = EVERY_EVENT,
        content_type: str = "json",
    ) -> Hook:
        """An active webhook on a repository, an organisation, or (with neither) the system."""
        wish = HookWish(
            url=url, content_type=content_type, secret=secret, events=tuple(events), active=True
        )
        return hooks.create_hook(
            self.world,
            wish,
            repository=self.repository(repository) if repository else None,
            organization=self.user(organization) if organization else None,
        )

    def replay(self, delivery: Delivery) -> Delivery:
        """Send a delivery again, with a new UUID."""
        return hooks.replay(self.world, delivery)

    def act_as(self, login: str, full_name: str) -> Actor:
        """Somebody at work in a repository."""
        return Actor(self.world, self.user(login), self.repository(full_name))

    async def settled(self) -> None:
        """Return when every webhook so far has been delivered, or has failed."""
        await self.deliveries.settled()

    def app(self) -> web.Application:
        """The forge as an aiohttp application."""
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.on_response_prepare.append(self._date)
        add_routes(app, Gate(self.world, self.faults, self.requests))
        Page(self.world).add_routes(app)
        return app

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self.state.now(), usegmt=True)


@asynccontextmanager
async def serve(forge: Forge, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Run a forge on this machine (port 0: a free one); gives its address.

    Webhooks go out while it runs; what is not sent at the end stays unsent. Anybody who reaches
    its page can act as anybody: raises ValueError for an address that is not loopback.
    """
    if host != "localhost" and not ip_address(host).is_loopback:
        raise ValueError(f"the embedded forge is for this machine only, not for {host}")
    runner = web.AppRunner(forge.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    forge.state.url = f"http://{host}:{runner.addresses[0][1]}"
    forge.deliveries.start()
    try:
        yield forge.url
    finally:
        await forge.deliveries.stop()
        await runner.cleanup()
