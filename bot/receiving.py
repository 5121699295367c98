"""Whether a delivery of Gitea reaches the bot, and whether its secret is the right one.

Where the bot runs, its metrics tell. Where it does not, somebody listens in its place for those
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import httpx
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.errors import CoordinatorError, DeliveryError
from bot.gitea.hooks import WEBHOOK
from bot.gitea.sansio import header
from bot.security import verify

WAIT = 10.0  # seconds; Gitea delivers in the background, one after another
ASK_AGAIN = 0.2  # seconds
PATIENCE = 5  # times more it is asked after a refusal: another hook may send the same, accepted
LARGEST = 8 * 1024**2  # bytes
ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what stands for any address


NEVER = datetime.fromtimestamp(0, UTC)


class Verdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOTHING = "nothing came"


class Unseen(CoordinatorError):  # noqa: N818 - says what is so
    """Nobody here can see deliveries come: `str(error)` says why, `do` what helps."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.do = do


@dataclass(frozen=True, slots=True)
class Refused:
    """Deliveries that were refused since the bot started, and when the last one was."""

    count: int = 0
    last: datetime = NEVER


class Receiver(Protocol):
    """Who sees deliveries come.

    `refused`: how many were refused before, and when the last one was, as far as is known;
    `running`: whether it is the bot.
    """

    @property
    def refused(self) -> Refused:
        """See above."""

    @property
    def running(self) -> bool:
        """See above."""

    async def verdict(self, seconds: float) -> Verdict:
        """What became of the first one since the last time it was asked."""


class Listener:
    """Receives in the bot's place.

    With `event`, only one of that type counts, and others are answered 503: they are lost to Gitea,
    and the bot finds what they told of when it starts.
    """

    refused = Refused()
    running = False

    def __init__(self, secrets: Sequence[SecretStr], event: str = "") -> None:
        self._secrets = secrets
        self._event = event
        self._came: asyncio.Queue[Verdict] = asyncio.Queue()

    async def handle(self, request: web.Request) -> web.Response:
        """One delivery."""
        body = await request.read()
        try:
            verify(self._secrets, body, request.headers.get("Content-Type", ""), request.headers)
        except DeliveryError as error:
            self._came.put_nowait(Verdict.REFUSED)
            return web.Response(status=error.status, text=str(error))
        if self._event and self._event != header(request.headers, "X-Gitea-Event-Type"):
            return web.Response(status=503, text="the bot does not run")
        self._came.put_nowait(Verdict.ACCEPTED)
        return web.Response(text="a test delivery, received in the bot's place")

    async def verdict(self, seconds: float) -> Verdict:
        """As of `Receiver`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._came.get()
        except TimeoutError:
            return Verdict.NOTHING


class Watcher:
    """Watches the counters of a bot that runs at `address`.

    With `event`, only one of that type counts that the bot caused itself.
    """

    running = True

    def __init__(self, http: httpx.AsyncClient, address: str, event: str = "") -> None:
        self._http = http
        self._address = address
        self._event = event
        self._before: dict[Verdict, float] = {}
        self._refused_at = 0.0
        self._so_far = Verdict.NOTHING

    @property
    def refused(self) -> Refused:
        """As of `Receiver`."""
        count = int(self._before.get(Verdict.REFUSED, 0.0))
        return Refused(count, datetime.fromtimestamp(self._refused_at, UTC))

    async def begin(self) -> bool:
        """Remember the counters; whether there is a bot to ask."""
        now = await self._counts()
        self._before = now or {}
        return now is not None

    async def verdict(self, seconds: float) -> Verdict:
        """As of `Receiver`."""
        self._so_far = Verdict.NOTHING
        try:
            async with asyncio.timeout(seconds):
                return await self._next()
        except TimeoutError:
            return self._so_far

    async def _next(self) -> Verdict:
        patience = PATIENCE
        while True:
            now = await self._counts() or self._before
            more = [one for one, count in now.items() if count > self._before.get(one, 0.0)]
            patience -= bool(more)
            self._so_far = Verdict.REFUSED if more else Verdict.NOTHING
            if Verdict.ACCEPTED in more or not patience:
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
            if family.name == "mosaic_delivery_refused_at_seconds":
                self._refused_at = family.samples[0].value
            if family.name == "mosaic_deliveries":
                for sample in family.samples:
                    became = self._became(sample.labels)
                    if became and sample.name.endswith("_total"):
                        counts[became] += sample.value
        return counts

    def _became(self, labels: Mapping[str, str]) -> Verdict | None:
        if labels["outcome"] == "refused":
            return Verdict.REFUSED
        ours = (labels["event"], labels["outcome"]) == (self._event, "own")
        return Verdict.ACCEPTED if ours or not self._event else None


@asynccontextmanager
async def receiving(
    address: str, host: str, port: int, secrets: Sequence[SecretStr], *, event: str = ""
) -> AsyncIterator[Receiver]:
    """Somebody who sees what comes to the bot.

    `address`: under which Gitea reaches it; `host` and `port`: where it listens; `event`: see
    `Listener` and `Watcher`. Raises Unseen where nobody can.
    """
    here = f"http://{'127.0.0.1' if host in ANY_HOST else host}:{port}"
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
        for one in dict.fromkeys(filter(None, (here, address))):
            watcher = Watcher(http, one, event)
            if await watcher.begin():
                yield watcher
                return
        if await _lives(http, address):
            raise Unseen(
                f"A bot answers at {address}, but its /metrics cannot be read from here.",
                "Run this on its machine, with its settings.",
            )
    async with _listening(host, port, Listener(secrets, event)) as listener:
        yield listener


async def _lives(http: httpx.AsyncClient, address: str) -> bool:
    try:
        answer = await http.get(f"{address}/health")
        return answer.is_success and answer.json() == {"status": "ok"}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


@asynccontextmanager
async def _listening(host: str, port: int, listener: Listener) -> AsyncIterator[Listener]:
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post(WEBHOOK, listener.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise Unseen(
                f"Nobody can listen on {host}:{port}: {error.strerror}.",
                "Another program is there: give the bot another PORT.",
            ) from None
        yield listener
    finally:
        await runner.cleanup()
