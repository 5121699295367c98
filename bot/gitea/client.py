"""The one way to Gitea: a small client over httpx, in the manner of gidgethub."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
from pydantic import SecretStr

from bot import __version__
from bot.errors import ConfigError, GiteaError, Permanent, Retryable
from bot.gitea import sansio
from bot.gitea.sansio import JSON, Param

Observer: TypeAlias = Callable[[str, str, int | None, float], None]
"""Told of each request: method, route template, status (None: no answer), seconds."""

MAX_RESPONSE = 32 * 1024 * 1024
MAX_ERROR = 64 * 1024
MAX_PAGES = 1000
MAX_REDIRECTS = 3
LONGEST_WAIT = 30.0  # seconds; longer is for the queue, which holds no connection meanwhile
WHOLE_ANSWER = 6  # a whole answer may take so many times as long as a single wait for bytes

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)


class _Token(httpx.Auth):
    """Sets the header as late as can be, so that no frame or log on the way holds it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"token {self._token.get_secret_value()}"
        yield request


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    route: str
    path: str
    query: dict[str, str]
    content: bytes | None

    @property
    def safe(self) -> bool:
        return self.method == "GET"


class _Unanswered(Retryable):
    """There was no answer; `sent` says whether Gitea may have done what was asked."""

    sent: bool = True


class Gitea:
    """A Gitea's API, as JSON values.

    Routes are templates below `/api/v1`, `"/repos/{owner}/{repo}"`: keyword arguments the
    template names are quoted into it, the others make the query (None is left out). All
    methods raise a `GiteaError`: Retryable where asking again later may help, else Permanent.

    Requests are repeated, with growing, jittered waits, only where that cannot do a thing
    twice: reads, and anything that was not sent because there was no connection.

    `url`: of the Gitea, which may live under a path. `timeout`: seconds to connect and between
    bytes; a whole answer may take six times that. `connections`: at most so many at once.
    `attempts`: tries per request. `max_response`: bytes. `ca_file`: certificates to trust
    beside the usual ones. `page_size`: the server's `max_response_items`.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        timeout: float = 10.0,
        connections: int = 20,
        attempts: int = 3,
        max_response: int = MAX_RESPONSE,
        ca_file: Path | None = None,
        page_size: int = sansio.PAGE_SIZE,
        transport: httpx.AsyncBaseTransport | None = None,
        observe: Observer | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base = _base(url)
        self._token = _checked(token)
        self._timeout = timeout
        self._attempts = attempts
        self._max_response = max_response
        self.page_size = page_size
        self._observe = observe or (lambda *_: None)
        self._wait = wait
        self._jitter = jitter
        self._http = httpx.AsyncClient(
            auth=_Token(self._token),
            timeout=timeout,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            verify=_certificates(ca_file),
            transport=transport,
            headers={"User-Agent": f"mosaic-coordinator/{__version__}"},
        )

    def __repr__(self) -> str:
        return f"Gitea({str(self._base)!r})"

    async def __aenter__(self) -> Gitea:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; the client cannot be used afterwards."""
        await self._http.aclose()

    async def getitem(self, route: str, /, **params: Param) -> JSON:
        """What a GET answers."""
        return self._value(await self._request("GET", route, params), route)

    async def getiter(
        self, route: str, /, *, limit: int | None = None, **params: Param
    ) -> AsyncIterator[dict[str, JSON]]:
        """The items of a list, over all its pages, each once; at most `limit` of them."""
        pages = sansio.Pages(self.page_size)
        left = limit
        for _ in range(MAX_PAGES):
            asked = {**params, "limit": self.page_size, "page": pages.page}
            answer = await self._request("GET", route, asked)
            for item in pages.take(self._items(answer, route), answer.headers):
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield item
            if pages.page is None or left == 0:
                return
        raise Permanent(f"more than {MAX_PAGES} pages", method="GET", path=route)

    async def post(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a POST of `data` answers."""
        return self._value(await self._request("POST", route, params, data), route)

    async def patch(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a PATCH with `data` answers."""
        return self._value(await self._request("PATCH", route, params, data), route)

    async def put(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a PUT of `data` answers."""
        return self._value(await self._request("PUT", route, params, data), route)

    async def delete(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a DELETE answers: None, mostly."""
        return self._value(await self._request("DELETE", route, params, data), route)

    async def _request(
        self, method: str, route: str, params: dict[str, Param], data: JSON = None
    ) -> _Answer:
        path, query = sansio.target(route, params)
        content = None if data is None else sansio.encode(data)
        call = _Call(method, route, path, query, content)
        for attempt in range(1, self._attempts + 1):
            failure = await self._try(call)
            if isinstance(failure, _Answer):
                return failure
            wait = self._pause(call, failure, attempt)
            if wait is None:
                raise failure
            await self._wait(wait)
        raise AssertionError("unreachable")  # pragma: no cover

    def _pause(self, call: _Call, failure: GiteaError, attempt: int) -> float | None:
        """Seconds until the next try; None where there is none."""
        unsent = isinstance(failure, _Unanswered) and not failure.sent
        if attempt == self._attempts or not (call.safe or unsent):
            return None
        if not isinstance(failure, Retryable):
            return None
        wait = 0.25 * 2**attempt * (0.5 + self._jitter())
        wait = max(wait, failure.retry_after or 0.0)
        return wait if wait <= LONGEST_WAIT else None

    async def _try(self, call: _Call) -> _Answer | GiteaError:
        url = self._base.copy_with(raw_path=self._base.raw_path + call.path.encode("ascii"))
        url = url.copy_merge_params(call.query) if call.query else url
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._send(call, url)
            if isinstance(answer, GiteaError) or answer.status < 300:
                return answer
            if not 300 <= answer.status < 400:
                return self._error(call, answer)
            moved = self._moved(call, url, answer)
            if isinstance(moved, GiteaError):
                return moved
            url = moved
        return self._refused(call, "redirects without end")

    def _moved(self, call: _Call, url: httpx.URL, answer: _Answer) -> httpx.URL | GiteaError:
        """Where a renamed repository is now (301, 307), if the token may be sent there."""
        try:
            there = url.join(answer.headers.get("Location", ""))
        except (httpx.InvalidURL, ValueError):
            return self._refused(call, "redirects to nowhere", answer.status)
        if not call.safe:
            return self._refused(call, f"has moved to {there.path}", answer.status)
        base = self._base
        same = (there.scheme, there.host, there.port) == (base.scheme, base.host, base.port)
        if not same or there.userinfo or not there.path.startswith(base.path + "/"):
            return self._refused(call, "redirects to another place", answer.status)
        return there

    async def _send(self, call: _Call, url: httpx.URL) -> _Answer | GiteaError:
        """One request, one answer; no exception of httpx gets out, nor into a context."""
        started = time.monotonic()
        status: int | None = None
        try:
            async with (
                asyncio.timeout(self._timeout * WHOLE_ANSWER),
                self._http.stream(
                    call.method, url, content=call.content, headers=_content_type(call)
                ) as response,
            ):
                status = response.status_code
                most = self._max_response if response.is_success else MAX_ERROR
                body = await _read(response, most)
                if body is None and response.is_success:
                    return self._refused(call, f"answers with more than {most} bytes", status)
                return _Answer(status, response.headers, body or b"")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as problem:
            failure = _unanswered(call, problem)
        finally:
            self._observe(call.method, call.route, status, time.monotonic() - started)
        return failure

    def _error(self, call: _Call, answer: _Answer) -> GiteaError:
        return sansio.error_of(
            answer.status,
            answer.headers,
            answer.body.replace(self._token.get_secret_value().encode(), b"***"),
            method=call.method,
            path=call.path,
            now=datetime.now(UTC),
        )

    @staticmethod
    def _refused(call: _Call, message: str, status: int | None = None) -> Permanent:
        return Permanent(message, status=status, method=call.method, path=call.path)

    @staticmethod
    def _value(answer: _Answer, route: str) -> JSON:
        try:
            return sansio.decode(answer.body)
        except ValueError:
            pass
        kind = sansio.media_type(answer.headers.get("Content-Type")) or "something"
        what = f"answered with {kind} that is not JSON; is this the address of a Gitea?"
        raise Permanent(what, status=answer.status, path=route)

    def _items(self, answer: _Answer, route: str) -> list[dict[str, JSON]]:
        value = self._value(answer, route)
        items = [] if value is None else value
        if isinstance(items, list):
            found = [item for item in items if isinstance(item, dict)]
            if len(found) == len(items):
                return found
        raise Permanent("did not answer with a list", status=answer.status, path=route)


def _base(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url.strip().rstrip("/") + "/api/v1")
    except httpx.InvalidURL:
        base = httpx.URL("")
    if base.scheme not in {"http", "https"} or not base.host or base.query or base.fragment:
        raise ConfigError(
            "GITEA_URL is not the address of a Gitea; write it like https://git.example.org/"
        )
    if base.userinfo:
        raise ConfigError("GITEA_URL must hold no name or password; the token is in GITEA_TOKEN")
    return base


def _checked(token: SecretStr) -> SecretStr:
    text = token.get_secret_value().strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(
            "GITEA_TOKEN is empty or holds characters no token has; make one in Gitea under "
            "Settings, Applications"
        )
    return SecretStr(text)


def _certificates(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigError(f"cannot read certificates from {ca_file}: {problem}") from problem
    return context


def _content_type(call: _Call) -> dict[str, str]:
    return {"Content-Type": "application/json"} if call.content is not None else {}


async def _read(response: httpx.Response, most: int) -> bytes | None:
    """The body; None where it is longer than `most` bytes."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _unanswered(call: _Call, problem: Exception) -> GiteaError:
    """The words are ours: httpx's own may quote a header or a whole URL."""
    if isinstance(problem, httpx.TimeoutException | TimeoutError):
        what = "Gitea did not answer in time"
    elif isinstance(problem, httpx.ConnectError):
        what = "Gitea cannot be reached"
    elif isinstance(
        problem, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError
    ):
        return Permanent("is not a request that can be sent", method=call.method, path=call.path)
    else:
        what = "the connection to Gitea broke"
    failure = _Unanswered(what, method=call.method, path=call.path)
    failure.sent = not isinstance(problem, _UNSENT)
    return failure
