"""The Messages API on loopback: answers as its documentation says, and refuses what it refuses.

What is refused with 400 (sampling parameters, bounds in a schema, `effort` on models without it)
and how errors look is from platform.claude.com/docs: API errors, structured outputs, effort, and
the migration guide of Claude Sonnet 5.5.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

API_KEY = "sk-ant-api03-of-the-tests"
MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-haiku-4-5", "claude-sonnet-4-5")
WITHOUT_EFFORT = ("claude-haiku-4-5", "claude-sonnet-4-5")
UNSUPPORTED = {"minimum", "maximum", "minLength", "maxLength", "maxItems", "multipleOf"}

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}

Behaviour = Callable[[web.Request, dict], Awaitable[web.StreamResponse]]

NOTHING = {"difficulty": None, "estimated_context": None, "blocked_by": [], "blocks": []}


@dataclass
class ClaudeServer:
    """What was asked (`requests`, `headers`), and what will be answered.

    Behaviours queued in `next` come first, one request each; then `otherwise` for good, which
    finds nothing unless it is set.
    """

    url: str = ""
    requests: list[dict] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    next: deque[Behaviour] = field(default_factory=deque)
    otherwise: Behaviour | None = None
    released: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def then(self, *behaviours: Behaviour) -> ClaudeServer:
        """Queue behaviours for the next requests."""
        self.next.extend(behaviours)
        return self

    @property
    def questions(self) -> list[str]:
        """The user messages, in order."""
        return [request["messages"][0]["content"] for request in self.requests]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/messages`."""
        body = await request.json()
        self.requests.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.reached.set()
        if key_in(request) != API_KEY:
            return error_response(401, "invalid x-api-key")
        if problem := invalid(request, body):
            return error_response(400, problem)
        if body["model"] not in MODELS:
            return error_response(404, f"model: {body['model']}")
        behaviour = self.next.popleft() if self.next else self.otherwise or answers()
        return await behaviour(request, body)

    async def model(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/models/{model_id}`."""
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if key_in(request) != API_KEY:
            return error_response(401, "invalid x-api-key")
        if self.next:
            return await self.next.popleft()(request, {})
        name = request.match_info["model"]
        if name not in MODELS:
            return error_response(404, f"model: {name}")
        created = "2026-09-29T00:00:00Z"
        about = {"id": name, "display_name": name, "created_at": created}
        return web.json_response({"type": "model", **about})


THE_SERVER = web.AppKey("claude", ClaudeServer)


@asynccontextmanager
async def claude_server() -> AsyncIterator[ClaudeServer]:
    """A running server; hanging requests are let go at the end."""
    claude = ClaudeServer()
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/v1/messages", claude.handle)
    app.router.add_get("/v1/models/{model}", claude.model)
    app[THE_SERVER] = claude
    async with TestServer(app) as server:
        claude.url = str(server.make_url("")).rstrip("/")
        yield claude
        claude.released.set()


def key_in(request: web.Request) -> str:
    """The key, in either header that the API takes it from."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer


def invalid(request: web.Request, body: dict) -> str:
    """Why the API refuses a request, or nothing."""
    if "anthropic-version" not in request.headers:
        return "anthropic-version: header is required"
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            return f"{name}: Field required"
    for name in ("temperature", "top_p", "top_k"):
        if name in body:
            return f"{name}: not supported by this model"
    config = body.get("output_config", {})
    if "effort" in config and body["model"].startswith(WITHOUT_EFFORT):
        return "This model does not support the effort parameter."
    schema = config.get("format", {}).get("schema", {"type": "object"})
    return schema_problem(schema)


def schema_problem(schema: object) -> str:
    """What structured output does not support in a schema, or nothing."""
    if isinstance(schema, list):
        return next(filter(None, map(schema_problem, schema)), "")
    if not isinstance(schema, dict):
        return ""
    if unsupported := UNSUPPORTED & set(schema):
        return f"output_config.format.schema: {sorted(unsupported)} is not supported"
    if "properties" in schema and schema.get("additionalProperties") is not False:
        return "output_config.format.schema: 'additionalProperties' must be false"
    return next(filter(None, map(schema_problem, schema.values())), "")


def error_response(
    status: int,
    message: str = "it failed",
    headers: dict[str, str] | None = None,
    code: str | None = None,
) -> web.Response:
    """An error as the API sends it."""
    error: dict[str, object] = {"type": ERRORS.get(status, "api_error"), "message": message}
    if code:
        error["details"] = {"error_code": code}
    return web.json_response(
        {"type": "error", "error": error, "request_id": "req_011"},
        status=status,
        headers={"request-id": "req_011", **(headers or {})},
    )


def message(
    text: str, stop_reason: str = "end_turn", tokens_in: int = 900, tokens_out: int = 60
) -> dict:
    """A message as the API sends it: thinking first, its words left out, then the text."""
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [
            {"type": "thinking", "thinking": "", "signature": "c2ln"},
            {"type": "text", "text": text},
        ],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def says(text: str, stop_reason: str = "end_turn", **usage: int) -> Behaviour:
    """Answers with any text."""

    async def behave(_request: web.Request, _body: dict) -> web.Response:
        return web.json_response(message(text, stop_reason, **usage))

    return behave


def answers(**fields: object) -> Behaviour:
    """Answers in the agreed form; what is not given is null or empty."""
    return says(json.dumps(NOTHING | fields))


def refuses() -> Behaviour:
    """Declines, as a safety classifier does."""
    return says("", "refusal", tokens_out=4)


def cuts_off() -> Behaviour:
    """Ends in the middle, at `max_tokens`."""
    return says('{"difficulty": "ea', "max_tokens", tokens_out=500)


def fails(status: int, headers: dict[str, str] | None = None, code: str | None = None) -> Behaviour:
    """Answers with an error status."""

    async def behave(_request: web.Request, _body: dict) -> web.Response:
        return error_response(status, headers=headers, code=code)

    return behave


def sends(body: bytes, content_type: str = "application/json", status: int = 200) -> Behaviour:
    """Answers with any bytes, as a proxy in between might."""

    async def behave(_request: web.Request, _body: dict) -> web.Response:
        return web.Response(body=body, content_type=content_type, status=status)

    return behave


def redirects(to: str) -> Behaviour:
    """Sends the client elsewhere."""

    async def behave(_request: web.Request, _body: dict) -> web.Response:
        return web.Response(status=307, headers={"location": to})

    return behave


def hangs(then: Behaviour | None = None) -> Behaviour:
    """Does not answer before `released` is set."""

    async def behave(request: web.Request, body: dict) -> web.StreamResponse:
        await request.app[THE_SERVER].released.wait()
        return await (then or answers())(request, body)

    return behave


def drips() -> Behaviour:
    """Sends a byte now and then, never all: each read succeeds, the answer does not come."""

    async def behave(request: web.Request, _body: dict) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        while not request.app[THE_SERVER].released.is_set() and request.transport is not None:
            await response.write(b" ")
            await asyncio.sleep(0.01)
        return response

    return behave


def hangs_up(*, after: bytes = b"") -> Behaviour:
    """Closes the connection, at once or in the middle of the answer."""

    async def behave(request: web.Request, _body: dict) -> web.StreamResponse:
        assert request.transport is not None
        response = web.StreamResponse(headers={"content-length": "1000"})
        if after:
            await response.prepare(request)
            await response.write(after)
        request.transport.abort()
        return response

    return behave
