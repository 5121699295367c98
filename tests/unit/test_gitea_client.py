"""One careful way to Gitea: bounded, repeated only where that is safe, silent about the token."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import certifi
import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot import __version__
from bot.errors import ConfigError, Conflict, Forbidden, GiteaError, NotFound, Permanent, Retryable
from bot.gitea import client as module
from bot.gitea.client import Gitea
from tests.recorded import exchanges

TOKEN = "0123456789abcdef0123456789abcdef01234567"
URL = "https://git.example.org"

Answering = Callable[[httpx.Request], httpx.Response]


class Waits:
    """Stands for asyncio.sleep, and remembers how long it was asked to wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Server:
    """Answers in turn, the last answer for ever; an exception is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception | Answering) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.url.raw_path.decode()}" for one in self.requests]


def client(server: Answering, url: str = URL, **options) -> Gitea:
    options.setdefault("wait", Waits())
    options.setdefault("jitter", lambda: 0.5)
    return Gitea(url, SecretStr(TOKEN), transport=httpx.MockTransport(server), **options)


def ok(value: object = None, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=value, headers=headers)


async def failure(awaitable) -> GiteaError:
    with pytest.raises(GiteaError) as caught:
        await awaitable
    return caught.value


# What is sent and what comes back


async def test_getitem_asks_with_the_token_and_gives_the_json() -> None:
    server = Server(ok({"number": 7}))
    found = await client(server).getitem(
        "/repos/{owner}/{repo}/issues/{number}", owner="acme", repo="a b", number=7, page=2
    )
    assert {"number": 7} == found
    (request,) = server.requests
    assert "GET /api/v1/repos/acme/a%20b/issues/7?page=2" == server.asked[0]
    assert f"token {TOKEN}" == request.headers["Authorization"]
    assert f"mosaic-coordinator/{__version__}" == request.headers["User-Agent"]
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
async def test_writing_sends_json_and_gives_what_is_answered(method: str) -> None:
    server = Server(ok([1], status=201))
    found = await getattr(client(server), method)("/x/{id}", {"body": "🚀"}, id=5)
    assert [1] == found
    assert [f"{method.upper()} /api/v1/x/5"] == server.asked
    assert {"body": "🚀"} == json.loads(server.requests[0].content)
    assert "application/json" == server.requests[0].headers["Content-Type"]


async def test_an_answer_without_a_body_is_none() -> None:
    assert await client(Server(httpx.Response(204))).delete("/x") is None


async def test_a_delete_without_data_has_no_body() -> None:
    server = Server(httpx.Response(204))
    await client(server).delete("/x")
    assert b"" == server.requests[0].content


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://git.example.org", "/api/v1/user"),
        ("https://git.example.org/", "/api/v1/user"),
        (" https://host/git/ ", "/git/api/v1/user"),
        ("http://127.0.0.1:3000/a/b", "/a/b/api/v1/user"),
    ],
)
async def test_gitea_may_live_under_a_path(url: str, path: str) -> None:
    server = Server(ok())
    await client(server, url).getitem("/user")
    assert [f"GET {path}"] == server.asked


BAD_URLS = [
    "",
    "git.example.org",
    "ftp://x/",
    "https://",
    "https://x/?a=b",
    "https://x/#y",
    "https://[x",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="GITEA_URL"):
        Gitea(url, SecretStr(TOKEN))


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as caught:
        Gitea("https://bot:hunter2@x/", SecretStr(TOKEN))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "tökén", "nul\x00"])
def test_a_token_that_is_none_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ConfigError, match="GITEA_TOKEN") as caught:
        Gitea(URL, SecretStr(token))
    assert not token.strip() or token not in str(caught.value)


async def test_a_line_break_after_the_token_is_no_matter() -> None:
    server = Server(ok())
    gitea = Gitea(URL, SecretStr(TOKEN + "\n"), transport=httpx.MockTransport(server))
    await gitea.getitem("/user")
    assert f"token {TOKEN}" == server.requests[0].headers["Authorization"]


async def test_a_name_that_can_be_none_is_not_found_without_asking() -> None:
    server = Server(ok())
    error = await failure(client(server).getitem("/repos/{owner}/x", owner=".."))
    assert isinstance(error, NotFound)
    assert [] == server.asked


# Errors


REFUSED = [one for one in exchanges() if one["status"] >= 400]


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: f"{one['status']} {one['path']}")
async def test_recorded_refusals_are_raised_with_gitea_s_words(one: dict) -> None:
    body = json.dumps(one["response"]) if one["response"] != "" else ""
    gitea = client(Server(httpx.Response(one["status"], text=body)), attempts=1)
    error = await failure(gitea._request(one["method"], one["path"].partition("?")[0], {}))
    kinds = {403: Forbidden, 404: NotFound, 412: Conflict, 422: Conflict, 500: Retryable}
    assert kinds[one["status"]] is type(error)
    assert (one["method"], one["status"]) == (error.method, error.status)


async def test_an_error_names_the_request_but_not_its_query() -> None:
    gitea = client(Server(ok({"message": "no"}, status=403)))
    error = await failure(gitea.getitem("/repos/{owner}", owner="acme", q="x"))
    assert "GET /repos/acme: 403 no" == str(error)


async def test_a_page_that_is_no_api_is_said_to_be_none() -> None:
    page = httpx.Response(200, html="<html>")
    error = await failure(client(Server(page)).getitem("/user"))
    assert isinstance(error, Permanent)
    assert "text/html" in str(error)
    assert "GITEA_URL" in str(error)


@pytest.mark.parametrize("value", [{"a": 1}, [1], "x"], ids=["object", "numbers", "text"])
async def test_a_list_that_is_none_is_refused(value: object) -> None:
    gitea = client(Server(ok(value)))
    error = await failure(anext(gitea.getiter("/labels")))
    assert isinstance(error, Permanent)


@pytest.mark.parametrize("value", [None, []])
async def test_null_is_an_empty_list(value: object) -> None:
    assert [] == [one async for one in client(Server(ok(value))).getiter("/labels")]


async def test_an_answer_that_is_too_large_is_given_up() -> None:
    server = Server(ok("x" * 200))
    error = await failure(client(server, max_response=100).getitem("/x"))
    assert isinstance(error, Permanent)
    assert "100 bytes" in str(error)
    assert 1 == len(server.asked)


async def test_an_answer_of_just_the_largest_size_is_read() -> None:
    assert "x" * 98 == await client(Server(ok("x" * 98)), max_response=100).getitem("/x")


async def test_of_a_huge_error_only_the_status_counts() -> None:
    answer = httpx.Response(404, content=b"x" * (module.MAX_ERROR + 1))
    error = await failure(client(Server(answer)).getitem("/x"))
    assert (404, "") == (error.status, error.message)
    assert isinstance(error, NotFound)


# Repeating


PASSING = {
    "500": ok({"message": "x"}, status=500),
    "502": httpx.Response(502),
    "503": httpx.Response(503),
    "429": httpx.Response(429),
    "time-out": httpx.ReadTimeout("x"),
    "connection lost": httpx.ReadError("x"),
    "protocol": httpx.RemoteProtocolError("x"),
    "cannot connect": httpx.ConnectError("x"),
    "connect time-out": httpx.ConnectTimeout("x"),
    "no free connection": httpx.PoolTimeout("x"),
}
UNSENT = {"cannot connect", "connect time-out", "no free connection"}


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING)
async def test_a_read_is_repeated_after_what_may_pass(passing: httpx.Response | Exception) -> None:
    server = Server(passing, passing, ok(1))
    waits = Waits()
    assert 1 == await client(server, wait=waits).getitem("/x")
    assert [0.5, 1.0] == waits.seconds


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
@pytest.mark.parametrize("name", PASSING)
async def test_a_write_is_repeated_only_when_it_was_never_sent(name: str, method: str) -> None:
    server = Server(PASSING[name], ok(1))
    write = getattr(client(server), method)("/x")
    if name in UNSENT:
        assert 1 == await write
    else:
        assert isinstance(await failure(write), Retryable)
    assert (2 if name in UNSENT else 1) == len(server.asked)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_what_will_not_pass_is_asked_once(status: int) -> None:
    server = Server(httpx.Response(status))
    assert isinstance(await failure(client(server).getitem("/x")), Permanent)
    assert 1 == len(server.asked)


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_after_the_last_attempt_the_error_is_raised(attempts: int) -> None:
    server, waits = Server(httpx.Response(503)), Waits()
    error = await failure(client(server, attempts=attempts, wait=waits).getitem("/x"))
    assert (503, attempts) == (error.status, len(server.asked))
    assert sorted(set(waits.seconds)) == waits.seconds
    assert attempts - 1 == len(waits.seconds)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 0.25), (0.5, 0.5), (1.0, 0.75)])
async def test_waits_are_spread(chance: float, seconds: float) -> None:
    waits = Waits()
    gitea = client(Server(httpx.Response(503), ok()), wait=waits, jitter=lambda: chance)
    await gitea.getitem("/x")
    assert [seconds] == waits.seconds


async def test_gitea_s_wish_to_wait_is_heeded() -> None:
    waits = Waits()
    limited = httpx.Response(429, headers={"Retry-After": "7"})
    await client(Server(limited, ok()), wait=waits).getitem("/x")
    assert [7.0] == waits.seconds


async def test_a_wish_to_wait_long_is_passed_on_instead() -> None:
    server, waits = Server(httpx.Response(429, headers={"Retry-After": "3600"})), Waits()
    error = await failure(client(server, wait=waits).getitem("/x"))
    assert isinstance(error, Retryable)
    assert (3600.0, [], 1) == (error.retry_after, waits.seconds, len(server.asked))


# Redirects: a renamed repository answers 301 under its old name


def moved(to: str, status: int = 301) -> httpx.Response:
    return httpx.Response(status, headers={"Location": to})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_read_follows_a_renamed_repository(status: int) -> None:
    server = Server(moved("/api/v1/repos/acme/new/issues/1?a=b", status), ok(1))
    route = "/repos/{owner}/{repo}/issues/1"
    assert 1 == await client(server).getitem(route, owner="acme", repo="old", a="b")
    assert "GET /api/v1/repos/acme/new/issues/1?a=b" == server.asked[1]


async def test_a_redirect_is_followed_under_a_path_too() -> None:
    server = Server(moved("/git/api/v1/repos/acme/new"), ok(1))
    assert 1 == await client(server, "https://host/git").getitem("/repos/acme/old")
    assert "https://host/git/api/v1/repos/acme/new" == str(server.requests[1].url)


ELSEWHERE = {
    "other host": "https://evil.example/api/v1/user",
    "other host without scheme": "//evil.example/api/v1/user",
    "other scheme": "http://git.example.org/api/v1/user",
    "other port": "https://git.example.org:8443/api/v1/user",
    "another place on the host": "/somewhere/else",
    "a path that begins alike": "/api/v1evil/user",
    "climbing out": "/api/v1/../../evil",
    "nothing": "",
    "no URL": "https://[",
}


@pytest.mark.parametrize("to", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_the_token_is_sent_nowhere_else(to: str) -> None:
    server = Server(moved(to), moved("/other"))
    error = await failure(client(server, attempts=1).getitem("/user"))
    assert isinstance(error, Permanent)
    hosts = {(one.url.scheme, one.url.host, one.url.port) for one in server.requests}
    assert {("https", "git.example.org", None)} == hosts
    assert all(one.url.path.startswith("/api/v1/") for one in server.requests)


async def test_going_round_in_circles_ends() -> None:
    server = Server(moved("/api/v1/user"))
    error = await failure(client(server).getitem("/user"))
    assert "redirects without end" in str(error)
    assert module.MAX_REDIRECTS + 1 == len(server.asked)


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
async def test_a_write_is_never_redirected(method: str) -> None:
    server = Server(moved("/api/v1/repos/acme/new", 307), ok())
    error = await failure(getattr(client(server), method)("/repos/acme/old"))
    assert isinstance(error, Permanent)
    assert "has moved" in str(error)
    assert 1 == len(server.asked)


async def test_a_redirect_to_what_is_no_url_is_an_error_like_any_other() -> None:
    error = await failure(client(Server(moved("/api/v1/\x7f")), attempts=1).getitem("/user"))
    assert isinstance(error, Retryable)


# Lists


def pages(count: int) -> Answering:
    def answer(request: httpx.Request) -> httpx.Response:
        page, size = int(request.url.params["page"]), int(request.url.params["limit"])
        ids = range(1, count + 1)[(page - 1) * size : page * size]
        return ok([{"id": one} for one in ids], **{"X-Total-Count": str(count)})

    return answer


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (50, 1), (51, 2), (120, 3)])
async def test_getiter_pages_to_the_end(count: int, asked: int) -> None:
    server = Server(pages(count))
    found = [one["id"] async for one in client(server).getiter("/x/{id}", id=1, state="all")]
    assert list(range(1, count + 1)) == found
    assert [
        f"GET /api/v1/x/1?state=all&limit=50&page={n + 1}" for n in range(asked)
    ] == server.asked


@pytest.mark.parametrize(("limit", "asked"), [(0, 0), (1, 1), (50, 1), (51, 2), (500, 3)])
async def test_getiter_stops_at_a_limit(limit: int, asked: int) -> None:
    server = Server(pages(120))
    found = [one["id"] async for one in client(server).getiter("/x", limit=limit)]
    assert list(range(1, 121))[:limit] == found
    assert asked == len(server.asked)


async def test_a_small_limit_asks_for_a_small_page() -> None:
    server = Server(pages(120))
    assert [{"id": 1}] == [one async for one in client(server).getiter("/x", limit=1)]
    assert ["GET /api/v1/x?limit=1&page=1"] == server.asked


async def test_more_than_the_limit_on_one_page_is_left() -> None:
    """`…/issues/{n}/comments` gives everything, whatever limit is asked for."""
    everything = ok([{"id": one} for one in range(1, 61)], **{"X-Total-Count": "60"})
    found = [one async for one in client(Server(everything)).getiter("/x", limit=2)]
    assert [{"id": 1}, {"id": 2}] == found


async def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 3)
    server = Server(pages(10_000))

    async def everything() -> list:
        return [one async for one in client(server).getiter("/x")]

    assert "more than 3 pages" in str(await failure(everything()))
    assert 3 == len(server.asked)


async def test_a_list_of_exactly_the_most_pages_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 3)
    assert 150 == len([one async for one in client(Server(pages(150))).getiter("/x")])


@pytest.mark.parametrize("count", [0, 1, 120])
async def test_how_many_there_are_is_found_with_one_request(count: int) -> None:
    server = Server(pages(count))
    assert count == await client(server).count("/x/{id}", id=1, state="open")
    assert ["GET /api/v1/x/1?state=open&limit=1&page=1"] == server.asked


@pytest.mark.parametrize("headers", [{}, {"X-Total-Count": "many"}], ids=["none", "nonsense"])
async def test_how_many_there_are_may_not_be_told(headers: dict[str, str]) -> None:
    assert None is await client(Server(ok([{"id": 1}], **headers))).count("/x")


# Gitea's clock


def at(ahead: timedelta) -> httpx.Response:
    """An answer of a server whose clock is so far ahead of this machine's."""
    return ok(Date=format_datetime(datetime.now(UTC) + ahead, usegmt=True))


AHEAD = {
    "the same": timedelta(),
    "ahead": timedelta(minutes=10),
    "behind": timedelta(days=-2),
}


@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD)
async def test_the_clock_of_gitea_is_taken_from_its_answer(ahead: timedelta) -> None:
    """Never later than it really is; a header has whole seconds."""
    gitea = client(Server(lambda _: at(ahead)))
    assert None is gitea.ahead
    await gitea.getitem("/x")
    assert gitea.ahead is not None
    assert ahead - timedelta(seconds=10) < gitea.ahead <= ahead


async def test_every_answer_tells_the_time_a_refusal_too() -> None:
    refused = httpx.Response(404, headers=at(timedelta(hours=1)).headers)
    gitea = client(Server(refused, at(timedelta(hours=-1))))
    await failure(gitea.getitem("/x"))
    assert gitea.ahead is not None
    assert gitea.ahead > timedelta()
    await gitea.getitem("/x")
    assert gitea.ahead < timedelta()


NO_TIMES = {
    "none": {},
    "empty": {"Date": ""},
    "nonsense": {"Date": "yesterday"},
    "no such day": {"Date": "Sun, 99 Nov 2026 15:00:00 GMT"},
    "absurd": {"Date": "Sun, 22 Nov 99999999999999 15:00:00 GMT"},
    "past the end of time": {"Date": "Fri, 31 Dec 9999 23:59:59 -1400"},
}


@pytest.mark.parametrize("headers", NO_TIMES.values(), ids=NO_TIMES)
async def test_an_answer_without_a_time_changes_nothing(headers: dict[str, str]) -> None:
    silent = client(Server(ok(1, **headers)))
    assert 1 == await silent.getitem("/x")
    assert None is silent.ahead
    gitea = client(Server(at(timedelta(hours=1)), ok(1, **headers)))
    await gitea.getitem("/x")
    before = gitea.ahead
    await gitea.getitem("/x")
    assert before == gitea.ahead


async def test_no_answer_tells_no_time() -> None:
    gitea = client(Server(httpx.ConnectError("x")))
    await failure(gitea.getitem("/x"))
    assert None is gitea.ahead


async def test_a_time_without_a_zone_is_that_of_greenwich() -> None:
    """As HTTP has it, wherever this machine stands."""
    said = datetime.now(UTC) + timedelta(hours=5)
    gitea = client(Server(ok(Date=format_datetime(said.replace(tzinfo=None)))))
    await gitea.getitem("/x")
    assert gitea.ahead is not None
    assert timedelta(hours=4) < gitea.ahead <= timedelta(hours=5)


# What is told to the metrics


async def test_every_request_is_observed_under_its_route() -> None:
    seen = []
    server = Server(httpx.ReadTimeout("x"), httpx.Response(503), moved("/api/v1/x"), ok(1))
    gitea = client(server, observe=lambda *what: seen.append(what))
    await gitea.getitem("/repos/{owner}", owner="acme")
    assert [("GET", "/repos/{owner}", status) for status in (None, 503, 301, 200)] == [
        what[:3] for what in seen
    ]
    assert all(what[3] >= 0 for what in seen)


# The token is a secret


def everything_about(error: BaseException) -> str:
    """What a log could show of an error: its tree, their attributes, frames and locals."""
    told, todo = [], [error]
    while todo:
        one = todo.pop()
        told += [repr(one), str(one), repr(vars(one))]
        told += traceback.TracebackException.from_exception(one, capture_locals=True).format()
        todo += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "".join(told)


LEAKS = {
    **PASSING,
    "401": ok({"message": f"invalid token {TOKEN}"}, status=401),
    "plain 502": httpx.Response(502, text=f"bad gateway for {TOKEN}"),
    "bad header": httpx.LocalProtocolError(f"Illegal header value b'token {TOKEN}'"),
    "scheme": httpx.UnsupportedProtocol(f"x {TOKEN}"),
    "decoding": httpx.DecodingError(TOKEN),
    "time": TimeoutError(TOKEN),
}


@pytest.mark.parametrize("problem", LEAKS.values(), ids=LEAKS)
async def test_no_error_holds_the_token(problem: httpx.Response | Exception) -> None:
    error = await failure(client(Server(problem)).getitem("/x"))
    assert isinstance(error, GiteaError)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert TOKEN not in everything_about(error)


def test_no_repr_holds_the_token() -> None:
    gitea = client(Server(ok()))
    assert "Gitea('https://git.example.org/api/v1')" == repr(gitea)
    assert TOKEN not in repr(vars(gitea))


# Over a real socket


@asynccontextmanager
async def listening(answer: Callable[[web.Request], object]) -> AsyncIterator[str]:
    runner = web.AppRunner(web.Application(client_max_size=0))
    runner.app.router.add_route("*", "/{rest:.*}", answer)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def connected(url: str, **options) -> Gitea:
    options.setdefault("wait", Waits())
    return Gitea(url, SecretStr(TOKEN), **options)


async def test_over_a_socket_nothing_logged_holds_the_token(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"ok": True})

    async with listening(answer) as url, connected(url) as gitea:
        assert {"ok": True} == await gitea.getitem("/user")
    assert [f"token {TOKEN}"] == seen
    assert caplog.records
    assert TOKEN not in caplog.text


async def test_nobody_listening_is_retryable_even_for_a_write() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    waits = Waits()
    async with connected(f"http://127.0.0.1:{port}", wait=waits) as gitea:
        error = await failure(gitea.post("/x", {}))
    assert isinstance(error, Retryable)
    assert "cannot be reached" in str(error)
    assert 2 == len(waits.seconds)


async def test_a_server_that_says_nothing_times_out_and_a_write_is_not_repeated() -> None:
    asked = []
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        await release.wait()
        return web.Response()

    async with listening(answer) as url, connected(url, timeout=0.05) as gitea:
        error = await failure(gitea.post("/x", {}))
        release.set()
    assert isinstance(error, Retryable)
    assert "did not answer in time" in str(error)
    assert ["POST"] == asked


async def test_an_answer_that_drips_is_cut_off() -> None:
    """Each byte comes in time, and the answer would be whole in the end; but not soon."""
    gone = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(300):
                await response.write(b" ")
                await asyncio.sleep(0.01)
        finally:
            gone.set()
        return response

    async with listening(answer) as url, connected(url, timeout=0.05, attempts=1) as gitea:
        error = await failure(gitea.getitem("/x"))
        await gone.wait()
    assert isinstance(error, Retryable)
    assert "did not answer in time" in str(error)


async def test_a_connection_that_breaks_midway_is_retryable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"[")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with listening(answer) as url, connected(url, attempts=1) as gitea:
        error = await failure(gitea.getitem("/x"))
    assert isinstance(error, Retryable)
    assert "broke" in str(error)


async def test_a_compressed_answer_is_bounded_by_its_real_size() -> None:
    async def answer(request: web.Request) -> web.Response:
        response = web.Response(body=b'"' + b"x" * 1_000_000 + b'"')
        response.enable_compression()
        return response

    async with listening(answer) as url, connected(url, max_response=100_000) as gitea:
        error = await failure(gitea.getitem("/x"))
    assert "more than 100000 bytes" in str(error)


async def test_no_more_connections_are_open_than_allowed() -> None:
    inside = most = 0
    full = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 2:
            full.set()
        await full.wait()
        for _ in range(200):  # a third would be let in meanwhile
            await asyncio.sleep(0)
        inside -= 1
        return web.json_response(1)

    async with listening(answer) as url, connected(url, connections=2) as gitea:
        found = await asyncio.gather(*(gitea.getitem("/x") for _ in range(6)))
    assert [1] * 6 == found
    assert 2 == most


async def test_being_cancelled_is_not_mistaken_for_a_failure() -> None:
    started, release, seen = asyncio.Event(), asyncio.Event(), []

    async def answer(request: web.Request) -> web.Response:
        started.set()
        await release.wait()
        return web.Response()

    async with (
        listening(answer) as url,
        connected(url, observe=lambda *what: seen.append(what[2])) as gitea,
    ):
        task = asyncio.create_task(gitea.getitem("/x"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
    assert [None] == seen


# Certificates


def test_a_file_of_certificates_that_cannot_be_read_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.pem"):
        Gitea(URL, SecretStr(TOKEN), ca_file=tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"empty\.pem"):
        Gitea(URL, SecretStr(TOKEN), ca_file=tmp_path / "empty.pem")


def one_authority() -> str:
    """Any real certificate will do."""
    text = Path(certifi.where()).read_text("utf-8")
    end = "-----END CERTIFICATE-----\n"
    return text[text.index("-----BEGIN") : text.index(end) + len(end)]


def test_certificates_are_checked(tmp_path: Path) -> None:
    """Whether with the usual authorities only or with one more."""
    authority = tmp_path / "ca.pem"
    authority.write_text(one_authority())
    for context in (module._certificates(None), module._certificates(authority)):
        assert ssl.CERT_REQUIRED == context.verify_mode
        assert context.check_hostname


def test_another_authority_is_trusted_by_that_client_only(tmp_path: Path) -> None:
    """The others share what they trust."""
    authority = tmp_path / "ca.pem"
    authority.write_text(one_authority())
    assert module._certificates(None) is module._certificates(None)
    assert module._certificates(None) is not module._certificates(authority)
