"""What every API request passes: faults, the token and its scopes, errors as JSON, the log."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.demo.api.call import Call, Handler, Moved, answer, nothing, read_body
from bot.demo.faults import Asked, Fault, Faults, RequestLog
from bot.demo.records import Token
from bot.demo.refusals import Refused
from bot.demo.world import World

PREFIX = "/api/v1"

CATEGORIES = {
    "user": "user",
    "users": "user",
    "orgs": "organization",
    "teams": "organization",
    "repositories": "repository",
    "admin": "admin",
    "version": "misc",
    "settings": "misc",
}
SWITCHED_OFF = "This account is prohibited from signing in, please contact your site administrator."
ISSUE_PARTS = {"issues", "labels", "milestones"}


class Gate:
    """Turns a `Handler` into what aiohttp calls."""

    def __init__(self, world: World, faults: Faults, log: RequestLog) -> None:
        self._world = world
        self._faults = faults
        self._log = log

    def __call__(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The same route, guarded and logged."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            path = request.path.removeprefix(PREFIX)
            response = await self._with_faults(request, path, handler)
            self._note(request, path, response, time.perf_counter() - started)
            if response is None:
                return _cut(request)
            return response

        return guarded

    async def _with_faults(
        self, request: web.Request, path: str, handler: Handler
    ) -> web.StreamResponse | None:
        fault = self._faults.take(request.method, path)
        if fault is None:
            return await self._answer(request, handler)
        # The body is read first: a client would otherwise see its upload break, not its answer.
        await request.read()
        done = await self._answer(request, handler) if fault.after else None
        await asyncio.sleep(fault.delay)
        if fault.half:
            await _begin(request)
        if fault.close:
            return None
        if fault.status is not None:
            return self._failed(fault)
        return done or await self._answer(request, handler)

    def _failed(self, fault: Fault) -> web.Response:
        response = self._refusal(Refused(fault.status or 500, fault.message, plain=True))
        response.headers.update(dict(fault.headers))
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            token = self._token(request)
            _check_scope(token, request)
            call = Call(request, self._world, token)
            if request.method != "GET":
                call.user  # noqa: B018 - raises the 401
            call.body = await read_body(request)
            return await handler(call)
        except Refused as refused:
            return self._refusal(refused)
        except Moved as moved:
            return web.Response(status=moved.status, headers={"Location": moved.location})

    def _token(self, request: web.Request) -> Token | None:
        kind, text = _credentials(request)
        if not kind:
            return None
        state = self._world.state
        found = state.tokens.get(text)
        if found is None and kind == "basic":
            login, _, password = text.partition(":")
            user = state.user(login)
            if user and user.password and user.password == password:
                return Token(user)
            found = state.tokens.get(password) or state.tokens.get(login)
        if found is None:
            raise Refused(401, "invalid username, password or token")
        if found.user.switched_off:
            raise Refused(403, SWITCHED_OFF)
        return found

    def _refusal(self, refused: Refused) -> web.Response:
        if refused.bare:
            return nothing(refused.status)
        if refused.only_words:
            return answer(refused.message, refused.status)
        body: dict[str, object] = {
            "message": refused.message,
            "url": f"{self._world.state.url}/api/swagger",
        }
        if refused.status == 404 and not refused.plain:
            body = {"errors": refused.errors, **body}
        return answer(body, refused.status)

    def _note(
        self,
        request: web.Request,
        path: str,
        response: web.StreamResponse | None,
        seconds: float,
    ) -> None:
        text = _credentials(request)[1].rpartition(":")[2]
        token = self._world.state.tokens.get(text)
        self._log.add(
            Asked(
                method=request.method,
                path=path,
                query=request.query_string,
                status=0 if response is None else response.status,
                user=token.user.login if token else "",
                seconds=seconds,
            )
        )


def _credentials(request: web.Request) -> tuple[str, str]:
    """How somebody signs in, in lower case, and with what: a token, or `name:password`."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        known = kind.lower() in ("", "token", "bearer")
        return kind.lower(), text.strip() if known else ""
    try:
        return "basic", base64.b64decode(text, validate=True).decode()
    except ValueError:
        return "basic", ""


async def _begin(request: web.Request) -> None:
    """Begin with an answer that will not come to its end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 1000
    await response.prepare(request)
    await response.write(b'[{"id": 1')


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _check_scope(token: Token | None, request: web.Request) -> None:
    """Raise the 403 of a token whose scopes do not cover the route."""
    if token is None or "all" in token.scopes:
        return
    category = _category(request.path.removeprefix(PREFIX).strip("/").split("/"))
    if category == "misc":
        return
    level = "read" if request.method == "GET" else "write"
    if f"write:{category}" in token.scopes or f"{level}:{category}" in token.scopes:
        return
    has = ",".join(sorted(token.scopes))
    raise Refused(
        403,
        "token does not have at least one of required scope(s), "
        f"required=[{level}:{category}], token scope={has}",
    )


def _category(parts: list[str]) -> str:
    if parts[0] == "repos":
        return "issue" if ISSUE_PARTS & set(parts[1:2] + parts[3:4]) else "repository"
    return CATEGORIES.get(parts[0], "misc")
