"""Who is let in by the server: so many connections at once, and none that only takes up room.

Anybody who reaches the port can open connections and say nothing, or a byte in a minute; each costs
memory and a file, of which there are few. So a new one has to send the head of a request soon, and
where there are too many, one that is waited for has to go, the oldest first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger(__name__)

MOST = 128  # connections; Gitea uses one or two
HEAD_SECONDS = 10.0  # for the head of the first request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """Makes the protocol of each connection to an application, which must not have begun."""

    def __init__(
        self, app: web.Application, *, most: int = MOST, head_seconds: float = HEAD_SECONDS
    ) -> None:
        self._most = most
        self._head_seconds = head_seconds
        self._open: dict[web.RequestHandler, bool] = {}  # oldest first: whether its turn has come
        self._heard: set[object] = set()
        self._busy: set[object] = set()
        app.middlewares.append(self._request)

    async def listen(self, server: web.Server, host: str, port: int) -> asyncio.Server:
        """Take connections for a server. Raises OSError where that cannot be."""

        def connected() -> asyncio.Protocol:
            self._make_room()
            protocol = server()
            self._open[protocol] = False
            loop.call_later(0, self._begins, protocol)  # the connection is made just before that
            loop.call_later(self._head_seconds, self._close_unheard, protocol)
            return protocol

        loop = asyncio.get_running_loop()
        return await loop.create_server(connected, host, port, backlog=128)

    @web.middleware
    async def _request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        protocol = request.protocol
        self._heard.add(protocol)
        self._busy.add(protocol)
        try:
            return await handler(request)
        finally:
            self._busy.discard(protocol)

    def _begins(self, protocol: web.RequestHandler) -> None:
        """Its connection is made; only now can it be closed, where it had to go before that."""
        if protocol in self._open:
            self._open[protocol] = True
        else:
            protocol.force_close()

    def _make_room(self) -> None:
        """Whoever has to go is out of the count at once: a hundred may come before it is gone."""
        for one in [one for one, begun in self._open.items() if begun and one.transport is None]:
            del self._open[one]
        self._heard.intersection_update(self._open)
        while len(self._open) >= self._most:
            waited_for = (one for one in self._open if one not in self._busy)
            goes = next(waited_for, next(iter(self._open)))
            if self._open.pop(goes):
                goes.force_close()

    def _close_unheard(self, protocol: web.RequestHandler) -> None:
        if protocol not in self._heard:
            protocol.force_close()


class Malformed(logging.LoggerAdapter[logging.Logger]):
    """The server's log, in which what is no HTTP is a line, and no error of ours."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:  # noqa: ANN401 - as its base has it
        """What could not be answered."""
        if isinstance(exc_info, HttpProcessingError):
            log.info("request.malformed", why=exc_info.message.partition(":")[0][:100])
        elif not isinstance(exc_info, ConnectionError):  # who went away, or had to
            super().exception(msg, *args, exc_info=exc_info, **more)


def malformed() -> Malformed:
    """The log to give to a server."""
    return Malformed(logging.getLogger("aiohttp.server"), {})
