"""POST /webhook/gitea: verify the signature, record durably, answer.

Gitea waits five seconds for the answer, sends nothing twice, and sends the next delivery only
then; so nothing is done here but what makes sure that the work will be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import security
from bot.errors import DeliveryError, StoreError
from bot.gitea.events import Event

log = structlog.get_logger(__name__)

READ_SECONDS = 10.0
SMALL = 256 * 1024  # bytes of a body; nearly all are smaller
LARGE_AT_ONCE = 4  # bodies of the largest size, among all that are larger than that


class Observer(Protocol):
    """What the metrics want to know of deliveries."""

    def delivery(self, event: str, outcome: str) -> None:
        """Called once per request."""


Accept = Callable[[Event], Awaitable[str]]
"""Records an event; answers "recorded", "own" or "ignored". Raises StoreError."""


class Webhook:
    """The receiver: the only thing the world may reach without a token."""

    def __init__(
        self,
        *,
        secrets: Sequence[SecretStr],
        max_body: int,
        accept: Accept,
        observer: Observer,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._read_seconds = read_seconds
        self._secrets = secrets
        self._max_body = max_body
        self._accept = accept
        self._observer = observer
        self._large = 0  # bytes held of bodies that are not small

    async def handle(self, request: web.Request) -> web.Response:
        """One delivery. 200 recorded; 401, 408, 413, 415 or 422 refused; 503 not recorded."""
        try:
            event = await self._received(request)
        except DeliveryError as error:
            log.info("delivery.refused", status=error.status, reason=str(error))
            return self._answer(None, error.status, "refused", str(error))
        with structlog.contextvars.bound_contextvars(delivery=event.delivery):
            return await self._recorded(event)

    async def _received(self, request: web.Request) -> Event:
        body = await self._read(request)
        content_type = request.headers.get("Content-Type", "")
        security.verify(self._secrets, body, content_type, request.headers)
        return Event.from_request(request.headers, body)

    async def _recorded(self, event: Event) -> web.Response:
        try:
            outcome = await self._accept(event)
        except Exception as error:
            trace = None if isinstance(error, StoreError) else error
            log.exception("delivery.not_recorded", error=str(error), exc_info=trace)
            return self._answer(event, 503, "not-recorded", "could not be recorded; nothing was")
        # In the next turn of the loop: Gitea has its answer by then.
        asyncio.get_running_loop().call_soon(self._tell, event, outcome)
        return self._answer(event, 200, outcome)

    def _tell(self, event: Event, outcome: str) -> None:
        log.info(
            "delivery",
            outcome=outcome,
            event_type=event.type,
            action=event.action,
            issue=str(event.issue) if event.issue else None,
        )

    async def _read(self, request: web.Request) -> bytes:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise DeliveryError(415, "Content-Encoding: what is signed must be sent as it is")
        if (request.content_length or 0) > self._max_body:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._read_seconds):
                return await self._collected(request)
        except TimeoutError:
            limit = f"{self._read_seconds:g} s"
            raise DeliveryError(408, f"the body took longer than {limit}") from None
        except (web.RequestPayloadError, ValueError) as error:
            raise DeliveryError(422, f"the body cannot be read: {type(error).__name__}") from None

    async def _collected(self, request: web.Request) -> bytes:
        """The body. Anybody can send one, so what is held of all large ones together is bounded."""
        body, held = bytearray(), 0
        try:
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > self._max_body:
                    raise self._too_large()
                if len(body) > SMALL:
                    self._large += len(body) - held
                    held = len(body)
                if self._large > LARGE_AT_ONCE * self._max_body and held:
                    raise DeliveryError(503, "too many large deliveries at once; nothing was read")
            return bytes(body)
        finally:
            self._large -= held

    def _too_large(self) -> DeliveryError:
        return DeliveryError(413, f"more than {self._max_body} bytes; see [server] max_body")

    def _answer(
        self, event: Event | None, status: int, outcome: str, message: str | None = None
    ) -> web.Response:
        self._observer.delivery(event.type if event else "unknown", outcome)
        answer = {"status": outcome, "delivery": event.delivery if event else None}
        if message:
            answer["message"] = message
        return web.json_response(answer, status=status)
