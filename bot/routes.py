"""What the bot answers beside webhooks: is it alive, is it ready, its metrics, and its commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

import structlog
from aiohttp import web

from bot.commands import Commands
from bot.errors import CoordinatorError, StoreError
from bot.help_page import help_page
from bot.metrics import CONTENT_TYPE, Metrics
from bot.onlooker import Onlooker

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 5.0  # of /ready; who asks gives up soon, and would not learn who is silent


class Storage(Protocol):
    """Where the bot keeps what it knows."""

    async def ping(self) -> None:
        """Return when it answers. Raises StoreError."""


class Queue(Protocol):
    """Where the bot keeps what is to be done."""

    async def counts(self) -> dict[str, int]:
        """How many jobs there are. Raises StoreError."""


class Forge(Protocol):
    """Gitea."""

    async def me(self) -> object:
        """Who the bot is. Raises GiteaError."""


class Asked(Protocol):
    """The bot, as far as it is asked how it is."""

    stopping: bool

    @property
    def login(self) -> str | None:
        """Its login, once it is known."""

    @property
    def commands(self) -> Commands:
        """What people may ask of it."""

    @property
    def store(self) -> Storage:
        """What it knows."""

    @property
    def engine(self) -> Queue:
        """What it has to do."""

    @property
    def gitea(self) -> Forge:
        """Where it does it."""

    @property
    def metrics(self) -> Metrics:
        """What was counted."""

    @property
    def onlooker(self) -> Onlooker:
        """Tells how things stand."""

    def core(self) -> Awaitable[object]:
        """Return when it knows who it is. Raises GiteaError."""


class Routes:
    """Handlers of requests that ask, and change nothing."""

    def __init__(self, bot: Asked) -> None:
        self._bot = bot
        self._pinging: asyncio.Task[str] | None = None

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Have them answered."""
        router.add_get("/health", self.health)
        router.add_get("/ready", self.ready)
        router.add_get("/help", self.help)
        router.add_get("/metrics", self.metrics)

    async def help(self, _request: web.Request) -> web.Response:
        """GET /help: every command, from the same declarations as `/help`."""
        page = help_page(self._bot.commands, self._bot.login or "coordinator")
        return web.Response(text=page, content_type="text/html")

    async def health(self, _request: web.Request) -> web.Response:
        """GET /health: the process serves."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """GET /ready: storage and Gitea answer; else 503 and which one does not."""
        storage, gitea = await asyncio.gather(self._storage(), self._gitea())
        found = {"storage": storage, "gitea": gitea}
        if self._bot.stopping:
            found["process"] = "stopping"
        good = set(found.values()) == {"ok"}
        status = "ready" if good else "unavailable"
        return web.json_response({"status": status, **found}, status=200 if good else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """GET /metrics: Prometheus; without how things stand while storage does not answer."""
        metrics = self._bot.metrics
        try:
            metrics.standing(await self._bot.onlooker.look())
        except StoreError as error:
            log.warning("metrics.incomplete", error=str(error))
            metrics.unknown()
        return web.Response(body=metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    async def _storage(self) -> str:
        """All who ask at once share one question, for it cannot be broken off."""
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ping())
        done, _ = await asyncio.wait([self._pinging], timeout=ANSWER_SECONDS)
        return self._pinging.result() if done else f"no answer within {ANSWER_SECONDS:g} s"

    async def _ping(self) -> str:
        try:
            await self._bot.store.ping()
            await self._bot.engine.counts()
        except StoreError as error:
            return str(error)
        return "ok"

    async def _gitea(self) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._bot.core()
                await self._bot.gitea.me()
        except TimeoutError:
            return f"no answer within {ANSWER_SECONDS:g} s"
        except CoordinatorError as error:
            return str(error)
        return "ok"
