"""Webhooks signed and sent as Gitea does: one after another, once each, never again.

Facts (1.26.3): 5 s to answer; the signature is the hex HMAC-SHA256 of the payload, for the form
content type of the decoded `payload` field; without a secret the signature headers are empty.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import uuid
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from bot.demo.records import Hook, Repository
from bot.demo.shapes import Json
from bot.demo.state import State

KEPT = 1000
DELIVER_TIMEOUT = 5.0  # seconds

ISSUE_TYPES = ("issue_assign", "issue_label", "issue_milestone", "issue_comment")
PULL_TYPES = (
    "pull_request_assign",
    "pull_request_label",
    "pull_request_milestone",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_sync",
    "pull_request_review_request",
)
HEADER_EVENTS = {
    "issue_assign": "issues",
    "issue_label": "issues",
    "issue_milestone": "issues",
    "pull_request_assign": "pull_request",
    "pull_request_label": "pull_request",
    "pull_request_milestone": "pull_request",
    "pull_request_comment": "issue_comment",
}
PLAIN_TYPES = (
    *("create", "push", "delete", "fork", "repository", "wiki", "release", "package", "status"),
    *("workflow_run", "workflow_job"),
)


def subscribed(asked: list[str]) -> frozenset[str]:
    """The event types a hook gets: `issues` and `pull_request` stand for their whole family."""
    wanted = {name.lower() for name in asked} or {"push"}
    found = {name for name in PLAIN_TYPES if name in wanted}
    for family, types in (("issues", ISSUE_TYPES), ("pull_request", PULL_TYPES)):
        if family in wanted:
            found |= {family, *types}
        elif f"{family}_only" in wanted:
            found.add(family)
        found |= wanted & set(types)
    return frozenset(found)


@dataclass(slots=True, eq=False)
class Delivery:
    """One webhook request: what is sent, and, later, what came back.

    `status` is None while it waits, 0 when there was no answer (`error` says why).
    """

    hook: Hook
    event_type: str
    payload: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: int | None = None
    error: str = ""

    @property
    def event(self) -> str:
        """The family its type belongs to, as in `X-Gitea-Event`."""
        return HEADER_EVENTS.get(self.event_type, self.event_type)

    @property
    def body(self) -> Json:
        """The payload, read."""
        read: Json = json.loads(self.payload)
        return read


class Deliveries:
    """The queue of webhooks; `log` holds the latest thousand, sent or not."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.log: deque[Delivery] = deque(maxlen=KEPT)
        self.timeout = DELIVER_TIMEOUT

    def announce(self, repository: Repository, event_type: str, payload: Json) -> None:
        """Queue a payload for every active hook of the repository, its owner and the system."""
        hooks = [hook for hook in self._hooks_of(repository) if event_type in hook.events]
        if hooks:
            text = as_go_writes(payload)
            for hook in hooks:
                self.queue(Delivery(hook, event_type, text))

    def queue(self, delivery: Delivery) -> None:
        """Send a delivery when those before it are done."""
        self.log.append(delivery)
        self._waiting.append(delivery)
        self._idle.clear()
        self._arrived.set()

    def _hooks_of(self, repository: Repository) -> list[Hook]:
        active = [hook for hook in self._state.hooks.values() if hook.active]
        here = [h for h in active if h.repository is repository]
        owner = [h for h in active if h.organization is repository.owner]
        return here + owner + [h for h in active if h.target == "system"]

    async def settled(self) -> None:
        """Return when nothing waits and nothing is on its way."""
        await self._idle.wait()

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run(), name="forge deliveries")

    async def stop(self) -> None:
        """Stop sending; what waits stays in the queue."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        async with aiohttp.ClientSession(trust_env=False) as session:
            while True:
                await self._arrived.wait()
                while self._waiting:
                    await self._send(session, self._waiting[0])
                    self._waiting.popleft()
                self._arrived.clear()
                self._idle.set()

    async def _send(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        if not delivery.hook.active:
            delivery.status = 0
            return
        try:
            async with asyncio.timeout(self.timeout):
                answer = await session.post(
                    delivery.hook.url,
                    data=io.BytesIO(request_body(delivery)),
                    headers=request_headers(delivery),
                    allow_redirects=False,
                )
                delivery.status = answer.status
                await answer.read()
        except (OSError, aiohttp.ClientError) as error:  # TimeoutError is an OSError
            delivery.status = delivery.status or 0
            delivery.error = str(error) or type(error).__name__


def as_go_writes(payload: Json) -> str:
    """JSON as Go indents and escapes it, so that signatures cover the bytes Gitea would send."""
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def request_body(delivery: Delivery) -> bytes:
    """The bytes on the wire, by the hook's content type."""
    if delivery.hook.content_type == "form":
        return urlencode({"payload": delivery.payload}).encode()
    return delivery.payload.encode()


def request_headers(delivery: Delivery) -> dict[str, str]:
    """All the headers Gitea sends, the ones under its older names included."""
    hook = delivery.hook
    sha1, sha256 = (sign(hook.secret, delivery.payload, name) for name in ("sha1", "sha256"))
    form = hook.content_type == "form"
    headers = {
        "User-Agent": "Go-http-client/1.1",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "X-Hub-Signature": f"sha1={sha1}",
        "X-Hub-Signature-256": f"sha256={sha256}",
        "X-Gitea-Signature": sha256,
        "X-Gogs-Signature": sha256,
    }
    for prefix in ("X-Gitea", "X-GitHub", "X-Gogs"):
        headers[f"{prefix}-Delivery"] = delivery.uuid
        headers[f"{prefix}-Event"] = delivery.event
        headers[f"{prefix}-Event-Type"] = delivery.event_type
        if prefix != "X-Gogs":
            headers[f"{prefix}-Hook-Installation-Target-Type"] = hook.target
    if hook.authorization:
        headers["Authorization"] = hook.authorization
    return headers


def sign(secret: str, payload: str, algorithm: str) -> str:
    """Hex HMAC of the payload; empty without a secret."""
    if not secret:
        return ""
    return hmac.new(secret.encode(), payload.encode(), getattr(hashlib, algorithm)).hexdigest()
