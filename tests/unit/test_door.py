"""Who is let in by the server: nobody takes up room for nothing, and nobody fills the log."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.door import Door, malformed

MOST = 3
WHOLE = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
LIMIT = 20.0  # seconds until a test is given up


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, data: bytes = WHOLE) -> bytes:
        """The first line of the answer; empty where the connection was closed."""
        with suppress(ConnectionError):
            await self.send(data)
            async with asyncio.timeout(LIMIT):
                line = await self.reader.readline()
                while line and (await self.reader.readline()).strip():
                    pass
                return line
        return b""

    async def closed(self) -> bool:
        """Whether the other side closed it; waits for that."""
        with suppress(ConnectionError):
            async with asyncio.timeout(LIMIT):
                return b"" == await self.reader.read()
        return True


@dataclass
class Place:
    """A server behind a door."""

    port: int = 0
    server: web.Server | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    made: list[Connection] = field(default_factory=list)

    @property
    def connections(self) -> list[web.RequestHandler]:
        assert self.server is not None
        return self.server.connections

    async def connect(self) -> Connection:
        one = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self.made.append(one)
        return one


Open = Callable[..., Awaitable[Place]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens places with other limits."""
    ends: list[Callable[[], Awaitable[None]]] = []

    async def make(**limits: float) -> Place:
        app = web.Application()
        place = Place()

        async def body(request: web.Request) -> web.Response:
            place.reading.set()
            return web.Response(body=await request.read())

        async def quick(_request: web.Request) -> web.Response:
            return web.Response()

        async def broken(_request: web.Request) -> web.Response:
            raise ValueError("odd")

        app.router.add_post("/body", body)
        app.router.add_get("/quick", quick)
        app.router.add_get("/broken", broken)
        door = Door(app, **{"most": MOST, **limits})  # type: ignore[arg-type]
        runner = web.AppRunner(app, access_log=None, logger=malformed(), shutdown_timeout=0.1)
        await runner.setup()
        assert runner.server is not None
        place.server = runner.server
        listening = await door.listen(runner.server, "127.0.0.1", 0)
        place.port = listening.sockets[0].getsockname()[1]

        async def end() -> None:
            listening.close()
            await runner.cleanup()
            for one in place.made:
                one.writer.close()

        ends.append(end)
        return place

    yield make
    for end in ends:
        await end()


@pytest.mark.parametrize(
    "begun", [b"", b"GET /quick HT", WHOLE[:-2]], ids=["nothing", "half a line", "half a head"]
)
async def test_who_does_not_send_the_head_of_a_request_soon_has_to_go(
    opened: Open, begun: bytes
) -> None:
    place = await opened(head_seconds=0.02)
    one = await place.connect()
    await one.send(begun)
    assert await one.closed()


async def test_who_has_sent_one_may_stay_and_send_another(opened: Open) -> None:
    place = await opened(head_seconds=0.02)
    one = await place.connect()
    assert b"200 OK" in await one.ask()
    other = await place.connect()
    assert await other.closed()  # as long as that is
    assert b"200 OK" in await one.ask()


async def test_where_there_are_too_many_the_oldest_that_is_waited_for_has_to_go(
    opened: Open,
) -> None:
    place = await opened()
    busy = await place.connect()
    await busy.send(BODY + b"he")
    await place.reading.wait()
    idle = await place.connect()
    assert b"200 OK" in await idle.ask()
    silent = await place.connect()
    assert b"200 OK" in await (await place.connect()).ask()
    assert await idle.closed()
    assert b"200 OK" in await (await place.connect()).ask()
    assert await silent.closed()
    assert b"200 OK" in await busy.ask(b"llo")


async def test_of_many_that_come_at_once_no_more_are_let_in(opened: Open) -> None:
    """All of them come before the loop has closed a single one."""
    place = await opened(head_seconds=LIMIT)
    sockets = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(20)]
    try:
        assert await (await place.connect()).ask()
        async with asyncio.timeout(LIMIT):
            while len(place.connections) > MOST:
                await asyncio.sleep(0.001)
    finally:
        for one in sockets:
            one.close()


async def test_who_has_gone_takes_up_no_room(opened: Open) -> None:
    place = await opened()
    stays = await place.connect()
    assert await stays.ask()
    for _ in range(3 * MOST):
        goes = await place.connect()
        assert await goes.ask()
        goes.writer.close()
        await goes.writer.wait_closed()
        async with asyncio.timeout(LIMIT):
            while len(place.connections) > 1:
                await asyncio.sleep(0.001)
    assert await stays.ask()


async def test_where_all_are_busy_the_oldest_has_to_go(opened: Open) -> None:
    place = await opened(most=1)
    busy = await place.connect()
    await busy.send(BODY + b"he")
    await place.reading.wait()
    assert b"200 OK" in await (await place.connect()).ask()
    assert await busy.closed()


BAD = {
    "binary": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "escape in the path": b"GET /\x1b[31m HTTP/1.1\r\n\r\n",
    "long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5000 + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "two lengths": BODY[:-2] + b"Content-Length: 6\r\n\r\nhello",
    "length below 0": BODY.replace(b": 5", b": -5") + b"hello",
    "length and chunks": BODY[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": BODY.replace(b"Content-Length: 5", b"Transfer-Encoding: x") + b"0\r\n\r\n",
    "odd address": b"GET http://[::1 HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_what_is_no_http_is_400_and_at_most_a_line_of_the_log(
    opened: Open, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    place = await opened()
    with capture_logs() as logs:
        assert b"400 Bad Request" in await (await place.connect()).ask(data)
    assert {("request.malformed", "info")} >= {(line["event"], line["log_level"]) for line in logs}
    assert all(len(line["why"]) <= 100 for line in logs)
    assert [] == [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_who_goes_away_in_mid_request_leaves_no_trace(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    place = await opened()
    one = await place.connect()
    await one.send(BODY + b"he")
    await place.reading.wait()
    one.writer.close()
    while place.connections:
        await asyncio.sleep(0)
    assert [] == [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_mistake_of_ours_is_an_error_as_before(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    place = await opened()
    one = await place.connect()
    assert b"500" in await one.ask(b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert "ValueError: odd" in (record.exc_text or str(record.exc_info))
