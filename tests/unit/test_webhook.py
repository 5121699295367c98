"""POST /webhook/gitea: what is let in, what is refused and how, and that nothing breaks it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import urlencode

import pytest
import structlog
from aiohttp import StreamReader, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.errors import StoreError
from bot.gitea.events import Event
from bot.webhook import LARGE_AT_ONCE, SMALL, Webhook

FILES = sorted((Path(__file__).resolve().parents[1] / "data/gitea/webhooks").glob("*.json"))
SECRET = "s3cr3t-of-the-hook"
MAX_BODY = 200_000
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Recorded:
    """A delivery as a real Gitea sent it."""

    name: str
    headers: dict[str, str]
    body: bytes

    @property
    def delivery(self) -> str:
        return self.headers["X-Gitea-Delivery"]


def recorded(path: Path) -> Recorded:
    read = json.loads(path.read_text(encoding="utf-8"))
    return Recorded(path.stem, read["headers"], read["body"].encode())


ALL = [recorded(path) for path in FILES]
ONE = next(one for one in ALL if one.name.startswith("03-assign"))


@dataclass
class Receiver:
    """A webhook on a port, with an `accept` that does as it is told."""

    client: TestClient
    outcome: str | Exception = "recorded"
    accepted: list[Event] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)

    async def accept(self, event: Event) -> str:
        self.accepted.append(event)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def delivery(self, event: str, outcome: str) -> None:
        self.counted.append((event, outcome))

    async def post(
        self, body: bytes = ONE.body, headers: dict[str, str] | None = None, **changed: str | None
    ) -> tuple[int, dict]:
        """Status and JSON of the answer; `changed` headers with `_` for `-`, None: left out."""
        sent = dict(ONE.headers if headers is None else headers)
        for name, value in changed.items():
            sent.pop(name.replace("_", "-"), None)
            if value is not None:
                sent[name.replace("_", "-")] = value
        async with self.client.post("/webhook/gitea", data=body, headers=sent) as answer:
            return answer.status, await answer.json()

    async def signed(self, body: bytes, **headers: str) -> tuple[int, dict]:
        """As `post`, rightly signed."""
        return await self.post(body, signatures(body), **headers)


def signatures(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of `ONE`, with the signature of another body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        name: value.replace(ONE.headers["X-Gitea-Signature"], digest)
        for name, value in ONE.headers.items()
    }


MakeReceiver = Callable[..., Awaitable[Receiver]]


@pytest.fixture
async def receiving() -> AsyncIterator[MakeReceiver]:
    """Makes receivers; with other secrets, or in less time."""
    clients = []

    async def make(*secrets: str, **limits: float) -> Receiver:
        app = web.Application()
        client = TestClient(TestServer(app))
        receiver = Receiver(client)
        webhook = Webhook(
            secrets=[SecretStr(secret) for secret in secrets or (SECRET,)],
            max_body=MAX_BODY,
            accept=receiver.accept,
            observer=receiver,
            **limits,
        )
        app.router.add_post("/webhook/gitea", webhook.handle)
        await client.start_server()
        clients.append(client)
        return receiver

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def receiver(receiving: MakeReceiver) -> Receiver:
    return await receiving()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
class TestRecorded:
    """Every delivery that a real Gitea sent."""

    async def test_it_is_accepted_as_it_was_sent(self, receiver, one):
        """Signed over the raw bytes."""
        status, answer = await receiver.post(one.body, one.headers)
        assert (200, {"status": "recorded", "delivery": one.delivery}) == (status, answer)
        (event,) = receiver.accepted
        assert json.loads(one.body) == event.data
        assert [(one.headers["X-Gitea-Event-Type"], "recorded")] == receiver.counted

    async def test_it_is_accepted_as_a_form(self, receiver, one):
        """Signed over the decoded payload."""
        form = urlencode({"payload": one.body.decode()}).encode()
        status, answer = await receiver.post(form, one.headers, Content_Type=FORM)
        assert (200, one.delivery) == (status, answer["delivery"])
        assert json.loads(one.body) == receiver.accepted[0].data

    async def test_one_changed_byte_is_refused(self, receiver, one):
        """Wherever it is."""
        for place in (0, len(one.body) // 2, len(one.body) - 1):
            changed = bytearray(one.body)
            changed[place] ^= 1
            status, _ = await receiver.post(bytes(changed), one.headers)
            assert 401 == status
        assert [] == receiver.accepted


class TestSignature:
    @pytest.mark.parametrize(
        "kept", ["X-Gitea-Signature", "X-Hub-Signature-256"], ids=["Gitea", "Hub 256"]
    )
    async def test_each_header_is_enough(self, receiver, kept):
        """Proxies and forks send only one."""
        others = {n: v for n, v in ONE.headers.items() if n == kept or "Signature" not in n}
        assert 200 == (await receiver.post(headers=others))[0]

    async def test_a_forgejo_is_welcome(self, receiver):
        """It says its own name everywhere."""
        named = {
            name.replace("Gitea", "Forgejo"): value
            for name, value in ONE.headers.items()
            if not name.startswith(("X-GitHub", "X-Gogs", "X-Hub"))
        }
        status, answer = await receiver.post(headers=named)
        assert (200, ONE.delivery) == (status, answer["delivery"])

    @pytest.mark.parametrize("secret", ["old-secret", "new-secret"])
    async def test_two_secrets_hold_while_one_replaces_the_other(self, receiving, secret):
        """Hooks are changed one after another."""
        receiver = await receiving("old-secret", "new-secret")
        assert 200 == (await receiver.post(headers=signatures(ONE.body, secret)))[0]
        assert 401 == (await receiver.post())[0]

    @pytest.mark.parametrize(
        ("changed", "hint"),
        [
            ({"X_Gitea_Signature": "0" * 64}, "does not match"),
            ({"X_Gitea_Signature": "no digest \xe4"}, "does not match"),
            ({"X_Gitea_Signature": "", "X_Hub_Signature_256": ""}, "give the hook the secret"),
            ({"X_Gitea_Signature": None, "X_Hub_Signature_256": None}, "give the hook the secret"),
        ],
        ids=["wrong", "odd", "empty", "none"],
    )
    async def test_without_the_right_one_it_is_refused(self, receiver, changed, hint):
        """With what to do about it, and nothing of what was sent."""
        status, answer = await receiver.post(**changed)
        assert (401, "refused", None) == (status, answer["status"], answer["delivery"])
        assert hint in answer["message"]
        assert [("unknown", "refused")] == receiver.counted

    async def test_what_is_not_signed_is_not_parsed(self, receiver):
        """401 comes before 422."""
        assert 401 == (await receiver.post(b"{"))[0]


class TestSize:
    def body(self, size: int) -> bytes:
        return b'{"x": "' + b"x" * (size - 9) + b'"}'

    async def test_up_to_the_limit_it_is_read(self, receiver):
        """To the byte."""
        status, _ = await receiver.signed(self.body(MAX_BODY))
        assert 200 == status

    async def test_a_declared_length_over_it_is_refused(self, receiver):
        """The message names the setting."""
        status, answer = await receiver.signed(self.body(MAX_BODY + 1))
        assert (413, "refused") == (status, answer["status"])
        assert "[server] max_body" in answer["message"]

    async def test_a_declared_length_is_believed_unread(self, receiver):
        """The answer comes before the body does."""
        reader, writer = await raw(receiver, head(f"Content-Length: {2**40}"))
        assert b"HTTP/1.1 413 " == (await reader.readline())[:13]
        writer.close()
        await writer.wait_closed()

    async def test_more_than_the_limit_without_a_length_is_refused(self, receiver):
        """It is cut off as it comes."""

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield b"x" * 65_536

        status, answer = await receiver.post(chunks())
        assert (413, "refused") == (status, answer["status"])
        assert [] == receiver.accepted

    async def test_without_a_length_it_is_read_too(self, receiver):
        """Proxies send it in chunks."""

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(ONE.body), 1000):
                yield ONE.body[start : start + 1000]

        assert 200 == (await receiver.post(chunks()))[0]

    async def test_a_compressed_body_is_refused_in_little_memory(self, receiver):
        """What is signed is what was sent; a kilobyte may stand for a megabyte."""
        bomb = zlib.compressobj(9, wbits=31)
        packed = b"".join(bomb.compress(b"\0" * 2**20) for _ in range(64)) + bomb.flush()
        tracemalloc.start()
        try:
            status, answer = await receiver.signed(packed, Content_Encoding="gzip")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (415, "refused") == (status, answer["status"])
        assert "Content-Encoding" in answer["message"]
        assert peak < 8 * 2**20

    async def test_of_large_ones_only_so_much_is_held_at_once(self):
        """What is small is taken all the same, and all of them when the large ones are gone."""
        to = Accepting()
        webhook = Webhook(
            secrets=[SecretStr(SECRET)], max_body=SMALL + 9, accept=to.accept, observer=to
        )
        large = [open_ended(b"x" * (SMALL + 1)) for _ in range(LARGE_AT_ONCE)]
        held = [asyncio.create_task(webhook.handle(posted(stream))) for stream in large]
        while webhook._large < LARGE_AT_ONCE * (SMALL + 1):
            await asyncio.sleep(0)
        refused = await webhook.handle(posted(whole(b"x" * (SMALL + 9))))
        assert 503 == refused.status
        assert 200 == (await webhook.handle(posted(whole(ONE.body)))).status
        for stream in large:
            stream.feed_eof()
        assert {401} == {answer.status for answer in await asyncio.gather(*held)}
        assert 0 == webhook._large


def posted(stream: StreamReader) -> web.Request:
    """A request like ONE with another body."""
    headers = {**ONE.headers, "Content-Type": JSON}
    return make_mocked_request("POST", "/webhook/gitea", headers=headers, payload=stream)


def open_ended(content: bytes) -> StreamReader:
    """A request's body of which that has come so far."""
    stream = StreamReader(Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    stream.feed_data(content)
    return stream


def head(*lines: str) -> bytes:
    """The head of a request like ONE."""
    headers = [f"{name}: {value}" for name, value in ONE.headers.items()]
    return "\r\n".join(
        ["POST /webhook/gitea HTTP/1.1", "Host: x", *headers, *lines, "", ""]
    ).encode()


async def raw(receiver: Receiver, data: bytes):
    """A connection on which that was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.client.server.port)
    writer.write(data)
    await writer.drain()
    return reader, writer


class TestOddSenders:
    async def test_a_slow_one_is_told_so(self, receiving):
        """It would hold a connection for nothing."""
        receiver = await receiving(read_seconds=0.02)
        reader, writer = await raw(receiver, head(f"Content-Length: {len(ONE.body)}") + b"{")
        answer = await reader.readuntil(b"}")
        assert b"HTTP/1.1 408 " == answer[:13]
        assert b"took longer than" in answer
        writer.close()
        await writer.wait_closed()
        assert [("unknown", "refused")] == receiver.counted

    async def test_one_that_goes_away_leaves_no_trace(self, receiving, caplog):
        """Not even an error in the log."""
        caplog.set_level(logging.DEBUG)
        receiver = await receiving()
        begun = head("Expect: 100-continue", f"Content-Length: {len(ONE.body)}")
        reader, writer = await raw(receiver, begun)
        assert b"100 Continue" in await reader.readline()  # it waits for the body
        writer.write(ONE.body[:99])
        await writer.drain()
        writer.transport.abort()
        assert 200 == (await receiver.post())[0]
        await receiver.client.close()
        assert [("issue_assign", "recorded")] == receiver.counted
        assert [] == [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]

    @pytest.mark.parametrize(
        "body",
        [b"zz\r\n{}\r\n0\r\n\r\n", b"-5\r\n{}\r\n"],
        ids=["no number", "negative"],
    )
    async def test_broken_chunks_are_no_fault_of_ours(self, receiving, caplog, body):
        """4xx, and no error in the log: anybody could fill it."""
        receiver = await receiving(read_seconds=0.02)
        begun = head("Expect: 100-continue", "Transfer-Encoding: chunked")
        reader, writer = await raw(receiver, begun)
        await reader.readuntil(b"\r\n\r\n")  # it waits for the body
        writer.write(body)
        assert re.match(rb"HTTP/1.1 4(08|22) ", await reader.readline())
        writer.close()
        await writer.wait_closed()
        assert [] == [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]

    async def test_a_body_that_cannot_be_read_is_refused(self):
        """As aiohttp says it of encodings that are broken half-way."""
        to = Accepting()
        webhook = Webhook(secrets=[], max_body=MAX_BODY, accept=to.accept, observer=to)
        stream = whole(b"")
        stream.set_exception(web.RequestPayloadError("broken"))
        answer = await webhook.handle(make_mocked_request("POST", "/", payload=stream))
        assert (422, ["refused"]) == (answer.status, to.counted)
        assert b"cannot be read" in answer.body


class TestContent:
    @pytest.mark.parametrize(
        "kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"]
    )
    async def test_neither_json_nor_form_is_refused(self, receiver, kind):
        """With what to set."""
        status, answer = await receiver.post(Content_Type=kind)
        assert 415 == status
        assert "content type" in answer["message"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"\xff\xfe",
            b'{"action": 1}',
            b'{"issue": {"number": "1"}, "repository": {"full_name": "a/b"}}',
            b'{"issue": {"number": 1}}',
            b'{"issue": {"number": -1}, "repository": {"full_name": "a/b"}}',
            b'{"issue": {"number": 99999999999}, "repository": {"full_name": "a/b"}}',
            b'{"repository": {"full_name": "a"}}',
            b'{"sender": []}',
            b'{"comment": {"id": 1e400}}',
            b'{"x": NaN}',
            b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
            b"[" * 100_000,
        ],
        ids=lambda body: body[:30].decode("latin-1"),
    )
    async def test_what_is_no_payload_is_refused(self, receiver, body):
        """Though rightly signed."""
        status, answer = await receiver.signed(body)
        assert (422, "refused") == (status, answer["status"])
        assert answer["message"].startswith("not a Gitea payload")
        assert [] == receiver.accepted

    async def test_a_form_without_payload_is_refused(self, receiver):
        """Signed over nothing."""
        status, _ = await receiver.post(b"x=1", signatures(b""), Content_Type=FORM)
        assert 422 == status

    async def test_without_an_event_it_is_refused(self, receiver):
        """It is no Gitea then."""
        plain = {n: v for n, v in ONE.headers.items() if "Event" not in n}
        status, answer = await receiver.post(headers=plain)
        assert 422 == status
        assert "X-Gitea-Event" in answer["message"]

    async def test_without_a_delivery_id_the_hash_is_one(self, receiver):
        """So that a repeat is known."""
        plain = {n: v for n, v in ONE.headers.items() if "Delivery" not in n}
        _, answer = await receiver.post(headers=plain)
        assert f"sha256:{hashlib.sha256(ONE.body).hexdigest()}" == answer["delivery"]


class TestOutcome:
    @pytest.mark.parametrize("outcome", ["recorded", "own", "ignored"])
    async def test_the_answer_says_what_became_of_it(self, receiver, outcome):
        """All of them are 200: there is nothing for Gitea to do."""
        receiver.outcome = outcome
        assert (200, {"status": outcome, "delivery": ONE.delivery}) == await receiver.post()
        assert [("issue_assign", outcome)] == receiver.counted

    @pytest.mark.parametrize(
        "error", [StoreError("disk full: /secret/place"), ValueError("odd")], ids=["storage", "bug"]
    )
    async def test_what_cannot_be_recorded_is_no_success(self, receiver, error):
        """503, whatever it was; the reason is for the log, with the delivery's id."""
        receiver.outcome = error
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
            status, answer = await receiver.post()
        assert (503, "not-recorded", ONE.delivery) == (status, answer["status"], answer["delivery"])
        assert str(error) not in json.dumps(answer)
        assert [("issue_assign", "not-recorded")] == receiver.counted
        assert [("delivery.not_recorded", ONE.delivery)] == [
            (line["event"], line.get("delivery")) for line in logs
        ]

    async def test_every_delivery_leaves_one_line(self, receiver):
        """With its id, and what it was about."""
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
            await receiver.post()
            await receiver.post(X_Gitea_Signature="0" * 64)
        accepted, refused = logs
        assert {
            "event": "delivery", "log_level": "info", "delivery": ONE.delivery, "outcome": "recorded",
            "event_type": "issue_assign", "action": "assigned", "issue": "acme/rocket#2",
        } == accepted  # fmt: skip
        assert ("delivery.refused", 401) == (refused["event"], refused["status"])

    async def test_other_methods_are_none(self, receiver):
        """405."""
        async with receiver.client.get("/webhook/gitea") as answer:
            assert 405 == answer.status


# -- whatever is sent ------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded payload in which anything was replaced by anything, or cut."""
    payload = json.loads(draw(st.sampled_from(ALL)).body)
    for _ in range(draw(st.integers(1, 4))):
        at = payload
        while isinstance(at, dict) and at:
            key = draw(st.sampled_from(sorted(at)))
            if not isinstance(at[key], dict) or draw(st.booleans()):
                at[key] = draw(JUNK)
                break
            at = at[key]
    body = json.dumps(payload, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    cut = draw(st.none() | st.integers(0, len(body)))
    return body[:cut]


class Accepting:
    """Takes every event, and counts."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    async def accept(self, event: Event) -> str:
        assert Event.load(event.dump()) == event
        return "recorded"

    def delivery(self, event: str, outcome: str) -> None:
        self.counted.append(outcome)


@given(body=mutated() | st.binary(max_size=300), form=st.booleans())
@settings(suppress_health_check=list(HealthCheck))
async def test_no_payload_breaks_it(body, form):
    """200 or 422, in JSON; never an exception."""
    to = Accepting()
    webhook = Webhook(secrets=[SecretStr(SECRET)], max_body=MAX_BODY, accept=to.accept, observer=to)
    content = urlencode({"payload": body}).encode() if form else body
    headers = signatures(body) | {"Content-Type": FORM if form else JSON}
    request = make_mocked_request("POST", "/webhook/gitea", headers=headers, payload=whole(content))
    answer = await webhook.handle(request)
    assert answer.status in (200, 422)
    assert {200: "recorded", 422: "refused"}[answer.status] == json.loads(answer.text)["status"]
    assert ["recorded" if answer.status == 200 else "refused"] == to.counted


def whole(content: bytes) -> StreamReader:
    """A request's body that is all there."""
    stream = open_ended(content)
    stream.feed_eof()
    return stream
