"""The one way to Gitea: a small client over httpx, in the manner of gidgethub."""

from __future__ import annotations

import asyncio
import base64
import itertools
import math
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

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
MAX_PAGES = 10_000  # half a million items of one list: more than anybody has
MAX_REDIRECTS = 3
SHORTEST_SECRET = 6  # bytes
LONGEST_WAIT = 30.0  # seconds; longer is for the queue, which holds no connection meanwhile
WHOLE_ANSWER = 6  # a whole answer may take so many times as long as a single wait for bytes

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Token(httpx.Auth):
    """Sets the header as late as can be, so that no frame or log on the way holds it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header(self._token.get_secret_value())
        yield request

    def _header(self, secret: str) -> str:
        return f"token {secret}"


class _Basic(_Token):
    """The same for a name with its password, or with a token in its place."""

    def __init__(self, login: str, secret: SecretStr) -> None:
        super().__init__(secret)
        self._login = login

    def _header(self, secret: str) -> str:
        return "Basic " + base64.b64encode(f"{self._login}:{secret}".encode()).decode()


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

    def refused(self, message: str, status: int | None = None) -> Permanent:
        return Permanent(message, status=status, method=self.method, path=self.path)


class Redirected(Permanent):
    """Gitea sends elsewhere, where the token is not sent to: `there` is the address of a Gitea."""

    def __init__(self, call: _Call, url: httpx.URL, status: int) -> None:
        message = "redirects to another place; is GITEA_URL right?"
        super().__init__(message, status=status, method=call.method, path=call.path)
        place, api, _ = str(url.copy_with(userinfo=b"", query=None, fragment=None)).partition(
            "/api/v1/"
        )
        self.there = place if api else f"{url.scheme}://{url.netloc.decode()}"


@dataclass(frozen=True, slots=True)
class _Answer:
    call: _Call
    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)  # private text, and no bound on its length


class Silence(StrEnum):
    """Why there was no answer."""

    NAME = "there is no such host"
    REFUSED = "nobody listens there"
    CERTIFICATE = "its certificate is not trusted"
    TLS = "there is no HTTPS"
    TIME = "it did not answer in time"
    BROKEN = "the connection broke"


class NoAnswer(Retryable):
    """Gitea did not answer, and `why`."""

    why = Silence.BROKEN


class _Unsent(NoAnswer):
    """There was no connection, so Gitea cannot have done what was asked."""


class Gitea:
    """A Gitea's API, as JSON values.

    Routes are templates below `/api/v1`, `"/repos/{owner}/{repo}"`: keyword arguments the
    template names are quoted into it, the others make the query (None is left out). All
    methods raise a `GiteaError`: Retryable where asking again later may help, else Permanent.

    Requests are repeated, with growing, jittered waits, only where that cannot do a thing
    twice: reads, and anything that was not sent because there was no connection.

    `ahead` is how far Gitea's clock is before this machine's, by the `Date` of its last answer;
    never more than it really is, and up to a second less. None as long as it has not said.

    `url`: of the Gitea, which may live under a path. `timeout`: seconds to connect and between
    bytes; a whole answer may take six times that. `connections`: at most so many at once.
    `attempts`: tries per request. `max_response`: bytes. `ca_file`: certificates to trust
    beside the usual ones. `page_size`: the server's `max_response_items`. `login`: sign in with
    this name; the token may then be a password, and tokens can be listed and made. `may_write`
    is called before each request that changes something, and raises where none may be sent.
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
        login: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        observe: Observer | None = None,
        may_write: Callable[[], None] | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base = _base(url)
        self._token = token if login else _checked(token)
        self._timeout = timeout
        self._attempts = attempts
        self._max_response = max_response
        self.page_size = page_size
        self._observe = observe or (lambda *_: None)
        self._may_write = may_write or (lambda: None)
        self._wait = wait
        self._jitter = jitter
        self.ahead: timedelta | None = None
        self._http = httpx.AsyncClient(
            auth=_Basic(login, self._token) if login else _Token(self._token),
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
        return _value(await self._request("GET", route, params))

    async def getiter(
        self, route: str, /, *, limit: int | None = None, **params: Param
    ) -> AsyncIterator[dict[str, JSON]]:
        """The items of a list, over all its pages, each once; at most `limit` of them."""
        left = math.inf if limit is None else limit
        size = int(min(self.page_size, max(1, left)))
        pages = sansio.Pages(size)
        for _ in range(MAX_PAGES):
            if left <= 0 or pages.page is None:
                return
            asked = {**params, "limit": size, "page": pages.page}
            answer = await self._request("GET", route, asked)
            for item in pages.take(_items(answer), answer.headers):
                if left <= 0:
                    return
                left -= 1
                yield item
        if pages.page is not None:
            raise Permanent(f"more than {MAX_PAGES} pages", method="GET", path=route)

    async def count(self, route: str, /, **params: Param) -> int | None:
        """How many items a list has, from one request; None where that is not told."""
        answer = await self._request("GET", route, {**params, "limit": 1, "page": 1})
        return sansio.total_count(answer.headers)

    async def post(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a POST of `data` answers."""
        return _value(await self._request("POST", route, params, data))

    async def patch(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a PATCH with `data` answers."""
        return _value(await self._request("PATCH", route, params, data))

    async def put(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a PUT of `data` answers."""
        return _value(await self._request("PUT", route, params, data))

    async def delete(self, route: str, /, data: JSON = None, **params: Param) -> JSON:
        """What a DELETE answers: None, mostly."""
        return _value(await self._request("DELETE", route, params, data))

    async def _request(
        self, method: str, route: str, params: dict[str, Param], data: JSON = None
    ) -> _Answer:
        path, query = sansio.target(route, params)
        content = None if data is None else sansio.encode(data)
        call = _Call(method, route, path, query, content)
        for attempt in itertools.count(1):
            try:
                return await self._follow(call)
            except Retryable as failure:
                wait = self._pause(call, failure, attempt)
                if wait is None:
                    raise
            await self._wait(wait)
        raise AssertionError  # pragma: no cover

    def _pause(self, call: _Call, failure: Retryable, attempt: int) -> float | None:
        """Seconds until the next try; None where there is none."""
        unsent = isinstance(failure, _Unsent)
        if attempt >= self._attempts or not (call.safe or unsent):
            return None
        wait = 0.25 * 2**attempt * (0.5 + self._jitter())
        wait = max(wait, failure.retry_after or 0.0)
        return wait if wait <= LONGEST_WAIT else None

    async def _follow(self, call: _Call) -> _Answer:
        """The answer, after the redirects of a renamed repository."""
        url = self._base.copy_with(raw_path=self._base.raw_path + call.path.encode("ascii"))
        url = url.copy_merge_params(call.query) if call.query else url
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._send(call, url)
            if answer.status < 300:
                return answer
            if answer.status >= 400:
                raise self._error(answer)
            url = self._moved(answer, url)
        raise call.refused("redirects without end")

    def _moved(self, answer: _Answer, url: httpx.URL) -> httpx.URL:
        """Where to go instead (301, 307), if the token may be sent there."""
        call, base, status = answer.call, self._base, answer.status
        there = url.join(answer.headers.get("Location", ""))  # httpx refused what is no URL
        if not call.safe:
            raise call.refused("has moved; its repository may have been renamed", status)
        same = (there.scheme, there.host, there.port) == (base.scheme, base.host, base.port)
        if not same or not there.path.startswith(f"{base.path}/"):
            raise Redirected(call, there, status)
        return there

    async def _send(self, call: _Call, url: httpx.URL) -> _Answer:
        """One request, one answer; no exception of httpx gets out, nor into a context."""
        if not call.safe:
            self._may_write()
        started = time.monotonic()
        status: int | None = None
        headers = {} if call.content is None else {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(self._timeout * WHOLE_ANSWER),
                self._http.stream(
                    call.method, url, content=call.content, headers=headers
                ) as response,
            ):
                status = response.status_code
                self._set_clock(response.headers.get("Date"))
                most = self._max_response if response.is_success else MAX_ERROR
                body = await _read(response, most)
        except (httpx.HTTPError, TimeoutError) as problem:
            failure = _unanswered(call, problem)
        else:
            if body is None and response.is_success:
                raise call.refused(f"answers with more than {most} bytes", status)
            return _Answer(call, status, response.headers, body or b"")
        finally:
            self._observe(call.method, call.route, status, time.monotonic() - started)
        raise failure

    def _set_clock(self, date: str | None) -> None:
        said = sansio.http_date(date)
        if said is not None:
            self.ahead = said - datetime.now(UTC)

    def _error(self, answer: _Answer) -> GiteaError:
        return sansio.error_of(
            answer.status,
            answer.headers,
            _without(answer.body, self._token),
            method=answer.call.method,
            path=answer.call.path,
            now=datetime.now(UTC),
        )


def _base(url: str) -> httpx.URL:
    try:
        urlsplit(url)  # stricter than httpx about hosts
        base = httpx.URL(url.strip().rstrip("/") + "/api/v1")
    except (httpx.InvalidURL, ValueError):
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


def _without(body: bytes, secret: SecretStr) -> bytes:
    """What Gitea answered, without what it was signed in with; a short word is left to stand."""
    hidden = secret.get_secret_value().encode()
    return body.replace(hidden, b"***") if len(hidden) >= SHORTEST_SECRET else body


@cache
def _common_certificates() -> ssl.SSLContext:
    """Those that every program here trusts; to read them takes as long as several requests."""
    return httpx.create_ssl_context()


def _certificates(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _common_certificates()
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigError(f"cannot read certificates from {ca_file}: {problem}") from problem
    return context


def _value(answer: _Answer) -> JSON:
    try:
        return sansio.decode(answer.body)
    except ValueError:
        pass
    kind = sansio.media_type(answer.headers.get("Content-Type")) or "something"
    what = f"answered with {kind} that is not JSON; is GITEA_URL the address of a Gitea?"
    raise answer.call.refused(what, answer.status)


def _items(answer: _Answer) -> list[dict[str, JSON]]:
    value = _value(answer) or []
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        if len(items) == len(value):
            return items
    raise answer.call.refused("did not answer with a list of objects", answer.status)


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
    if isinstance(problem, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return call.refused("is not a request that can be sent")
    what = "the connection to Gitea broke"
    if isinstance(problem, httpx.TimeoutException | TimeoutError):
        what = "Gitea did not answer in time"
    elif isinstance(problem, httpx.ConnectError):
        what = "Gitea cannot be reached"
    kind = _Unsent if isinstance(problem, _UNSENT) else NoAnswer
    failure = kind(what, method=call.method, path=call.path)
    failure.why = _why(problem)
    return failure


_SIGNS: Sequence[tuple[type[BaseException], Silence]] = (
    (socket.gaierror, Silence.NAME),
    (ssl.SSLCertVerificationError, Silence.CERTIFICATE),
    (ssl.SSLError, Silence.TLS),
    (ConnectionRefusedError, Silence.REFUSED),
    (httpx.TimeoutException, Silence.TIME),
    (TimeoutError, Silence.TIME),
)


def _why(problem: BaseException | None) -> Silence:
    """By what lies behind it; of several addresses that were tried, by the first."""
    while problem is not None:
        for kind, why in _SIGNS:
            if isinstance(problem, kind):
                return why
        within = problem.exceptions[0] if isinstance(problem, BaseExceptionGroup) else None
        problem = within or problem.__cause__ or problem.__context__
    return Silence.BROKEN
