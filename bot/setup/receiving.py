"""Whether a delivery of Gitea reaches the bot, and whether its secret is the right one.

Where the bot runs, its metrics tell. Where it does not, somebody listens in its place for those
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Protocol

import httpx
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.errors import DeliveryError
from bot.security import verify
from bot.setup.course import Stop
from bot.setup.wish import WEBHOOK

WAIT = 10.0  # seconds; Gitea delivers in the background, one after another
ASK_AGAIN = 0.2  # seconds
LARGEST = 8 * 1024**2  # bytes
ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what stands for any address


class Verdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOTHING = "nothing came"


class Receiver(Protocol):
    """Who sees deliveries come."""

    async def verdict(self, seconds: float) -> Verdict:
        """What became of the first one since the last time it was asked."""


class Listener:
    """Receives in the bot's place."""

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        self._secrets = secrets
        self._came: asyncio.Queue[Verdict] = asyncio.Queue()

    async def handle(self, request: web.Request) -> web.Response:
        """One delivery."""
        body = await request.read()
        try:
            verify(self._secrets, body, request.headers.get("Content-Type", ""), request.headers)
        except DeliveryError as error:
            self._came.put_nowait(Verdict.REFUSED)
            return web.Response(status=error.status, text=str(error))
        self._came.put_nowait(Verdict.ACCEPTED)
        return web.Response(text="a test delivery, received by setup")

    async def verdict(self, seconds: float) -> Verdict:
        """As of `Receiver`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._came.get()
        except TimeoutError:
            return Verdict.NOTHING


class Watcher:
    """Watches the counters of a bot that runs at `address`."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._address = address
        self._before: dict[Verdict, float] = {}

    async def begin(self) -> bool:
        """Remember the counters; whether there is a bot to ask."""
        now = await self._counts()
        self._before = now or {}
        return now is not None

    async def verdict(self, seconds: float) -> Verdict:
        """As of `Receiver`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._next()
        except TimeoutError:
            return Verdict.NOTHING

    async def _next(self) -> Verdict:
        while True:
            now = await self._counts() or self._before
            more = [one for one, count in now.items() if count > self._before.get(one, 0.0)]
            if more:
                self._before = now
                return Verdict.ACCEPTED if Verdict.ACCEPTED in more else Verdict.REFUSED
            await asyncio.sleep(ASK_AGAIN)

    async def _counts(self) -> dict[Verdict, float] | None:
        """How many came, by what became of them; None where no bot answers."""
        try:
            answer = await self._http.get(f"{self._address}/metrics")
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        if not answer.is_success or "mosaic_" not in answer.text:
            return None
        counts = dict.fromkeys((Verdict.ACCEPTED, Verdict.REFUSED), 0.0)
        for family in text_string_to_metric_families(answer.text):
            if family.name == "mosaic_deliveries":
                for sample in family.samples:
                    if sample.name.endswith("_total"):
                        counts[_became(sample.labels["outcome"])] += sample.value
        return counts


def _became(outcome: str) -> Verdict:
    return Verdict.REFUSED if outcome == "refused" else Verdict.ACCEPTED


@asynccontextmanager
async def receiving(
    address: str, host: str, port: int, secrets: Sequence[SecretStr]
) -> AsyncIterator[Receiver]:
    """Somebody who sees what comes to the bot.

    `address`: under which Gitea reaches it; `host` and `port`: where it listens. Raises Stop where
    another program listens there.
    """
    here = f"http://{'127.0.0.1' if host in ANY_HOST else host}:{port}"
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
        for one in (here, address):
            watcher = Watcher(http, one)
            if await watcher.begin():
                yield watcher
                return
    async with _listening(host, port, secrets) as listener:
        yield listener


@asynccontextmanager
async def _listening(host: str, port: int, secrets: Sequence[SecretStr]) -> AsyncIterator[Listener]:
    listener = Listener(secrets)
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post(WEBHOOK, listener.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise Stop(
                f"No delivery was tested: nobody can listen on {host}:{port}: {error.strerror}.",
                "Another program is there: give the bot another PORT.",
            ) from None
        yield listener
    finally:
        await runner.cleanup()
