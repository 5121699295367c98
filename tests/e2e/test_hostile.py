"""The bot as it is served, and whoever reaches its port or knows the secret and means harm.

Whatever is sent over a connection of one's own: no answer of 5xx but 503, no error in the log, no
line there that a stranger forged, no secret, and afterwards a delivery is recorded as before. More
of it by `make fuzz`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import load
from bot.demo.forge import Forge
from bot.demo.forge import serve as serve_forge
from bot.door import MOST
from bot.logs import configure
from bot.server import serving
from tests.recorded import SECRET, delivery

BOT, REPOSITORY = "coordinator", "acme/rocket"
KEY = SECRET.get_secret_value()
LIMIT = 60.0  # seconds until an answer is given up
SOON = 0.05  # seconds for one that need not come
LARGEST = 8 * 1024**2  # bytes; as settings have it
GROWTH = 200  # megabytes that all of this may take, in the long form too
FORM = "application/x-www-form-urlencoded"
KINDS = ("application/json", "Application/JSON; charset=utf-7", FORM, f'{FORM}; charset="')
EVENTS = ("issues", "issue_comment", "issue_assign", "pull_request", "push", "repository", "odd")
FORGED = '\n2026-11-22T15:00:00Z [error    ] forged\r\n{"event": "forged", "level": "error"}\x1b[2J\u2028'


class Lines:
    """The log of a process, of which each line is looked at; what is wrong in it is kept."""

    def __init__(self, stream: IO[bytes], hidden: Sequence[str]) -> None:
        self._hidden = hidden
        self.wrong: list[bytes] = []
        self.latest = b""
        self._stream = stream
        self._came = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            if not is_good(line, self._hidden):
                self.wrong.append(line)
            with self._came:
                self.latest = line
                self._came.notify_all()

    def until(self, word: str) -> None:
        """Return when that stood in the latest line."""
        with self._came:
            assert self._came.wait_for(lambda: word.encode() in self.latest, LIMIT)


def is_good(line: bytes, hidden: Sequence[str]) -> bool:
    """Whether a line of the log is whole, mild, and by nobody but us."""
    text = line.decode().removesuffix("\n")
    if not text.replace("\x7f", "").isprintable() or any(one in text for one in hidden):
        return False
    read = json.loads(text)
    mild = read["level"] in {"info", "warning"} or read["event"] == "job.set_aside"
    return mild and read["event"] != "forged" and "exception" not in read


@dataclass
class Served:
    """A bot in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Lines
    sent: int = 0

    @property
    def memory(self) -> float:
        """Megabytes it holds."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * 4096 / 1e6

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), LIMIT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, data: bytes, *, whole: bool = True) -> int:
        """The status that is answered; 0 where, not `whole`, none need come, and none came soon."""
        with closing(self.connect()) as connection:
            connection.settimeout(LIMIT if whole else SOON)
            with suppress(*(() if whole else (ConnectionError, TimeoutError))):
                connection.sendall(data)
                return status_of(connection)
        return 0

    def deliver(self) -> int:
        """What a delivery as Gitea sends it is answered."""
        self.sent += 1
        one = delivery(self.sent % 23)
        return self.send(
            request(one.body, {**one.headers, "X-Gitea-Delivery": f"good-{self.sent}"})
        )


def status_of(connection: socket.socket) -> int:
    answer = b""
    while b"\r\n" not in answer:
        part = connection.recv(65_536)
        if not part:
            raise ConnectionResetError(answer)
        answer += part
    return int(answer.split(b" ", 2)[1])


def request(body: bytes, headers: dict[str, str], *more: bytes, length: int | None = None) -> bytes:
    """A delivery; `more` headers, None: the right length."""
    kept = {n: v for n, v in headers.items() if n != "Content-Length"}
    lines = [f"{name}: {value}".encode("latin-1", "replace") for name, value in kept.items()]
    size = f"Content-Length: {len(body) if length is None else length}".encode()
    begin = [b"POST /webhook/gitea HTTP/1.1", b"Host: x"]
    return b"\r\n".join([*begin, *lines, *more, size, b"", body])


def signed(
    body: bytes, *, kind: str = "application/json", over: bytes | None = None
) -> dict[str, str]:
    """Headers of a delivery by somebody who knows the secret."""
    digest = hmac.new(KEY.encode(), body if over is None else over, hashlib.sha256).hexdigest()
    one = delivery(3).headers
    return one | {
        "X-Gitea-Signature": digest,
        "Content-Type": kind,
        "X-Gitea-Delivery": uuid4().hex,
    }


def furnished() -> tuple[Forge, str]:
    """A forge like the one the recorded deliveries came from, and the bot's token in it."""
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_repository(REPOSITORY)
    for login in ("alice", "bob", "mallory"):
        forge.add_user(login)
    for login in (BOT, "alice", "bob"):
        forge.grant(REPOSITORY, login, "admin")
    for number in range(1, 7):
        forge.act_as("alice", REPOSITORY).open(f"Issue {number}", assignees=[BOT])
    return forge, token


async def serve(directory: str) -> None:
    """Serve until it is killed; prints the port and the token."""
    forge, token = furnished()
    async with serve_forge(forge) as url:
        chosen = load(
            {
                "GITEA_URL": url,
                "GITEA_TOKEN": token,
                "GITEA_WEBHOOK_SECRET": KEY,
                "DATABASE_URL": f"sqlite:///{directory}/bot.db",
                "HOST": "127.0.0.1",
                "PORT": "0",
                "BOT_CONFIG": "",
            }
        )
        configure(level="info", style="json", secrets=chosen.hidden)
        async with serving(chosen) as (_, port):
            print(port, token, flush=True)  # noqa: T201 - for who started it
            await asyncio.Event().wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """For all tests here."""
    place = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.e2e.test_hostile", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            port, token = process.stdout.readline().decode().split()
            yield Served(process, int(port), Lines(process.stderr, (KEY, token)))
        finally:
            process.kill()


@pytest.fixture
def served(running: Served) -> Iterator[Served]:
    """And afterwards it is as it was: nothing wrong was logged, and it receives."""
    before = running.memory
    yield running
    assert 200 == running.deliver()
    assert [] == running.log.wrong
    assert running.memory - before < GROWTH


# ---- somebody who can only reach the port ----


def test_those_who_say_nothing_keep_nobody_away(served: Served) -> None:
    with ExitStack() as stack:
        for begun in (b"", b"POST /webhook/gitea HT", request(b"x" * 99, {}, length=10**6)):
            for _ in range(MOST):
                connection = stack.enter_context(closing(served.connect()))
                with suppress(ConnectionError):
                    connection.sendall(begun)
        assert 200 == served.deliver()


def packed(wbits: int) -> bytes:
    """64 MB of nothing, as gzip (31), zlib (15) or deflate (-15)."""
    one = zlib.compressobj(9, wbits=wbits)
    return b"".join(one.compress(b"\0" * 2**20) for _ in range(64)) + one.flush()


BOMBS = {
    "gzip": (415, packed(31), {"Content-Encoding": "gzip"}),
    "deflate": (415, packed(-15), {"Content-Encoding": "deflate"}),
    "zlib": (415, packed(15), {"Content-Encoding": "deflate"}),
    "too long": (413, b"x" * (LARGEST + 1), {}),
    "ampersands": (401, b"&" * LARGEST, {"Content-Type": FORM}),
    "fields": (401, b"ab&" * (LARGEST // 3), {"Content-Type": FORM}),
    "escapes": (401, b"payload=" + b"%41" * (LARGEST // 3 - 9), {"Content-Type": FORM}),
}


@pytest.mark.parametrize(("expected", "body", "headers"), BOMBS.values(), ids=BOMBS)
def test_what_grows_is_refused_before_it_does(
    served: Served, expected: int, body: bytes, headers: dict[str, str]
) -> None:
    before = served.memory
    assert expected == served.send(request(body, {**delivery(3).headers, **headers}))
    assert served.memory - before < GROWTH


HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
EXTRA = st.sampled_from(
    [
        b"Transfer-Encoding: chunked",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"Content-Encoding: br",
        b"Content-Type: \xff; charset=utf-7",
        b"Expect: 100-continue",
        b"Connection: Upgrade\r\nUpgrade: h2c",
        b"X-Gitea-Signature: " + b"f" * 64,
        b"Cookie: " + b"a=b; " * 1500,
        b"X: " + b"a" * 9000,
        b"X-%d: 1" * 50,
    ]
)


@st.composite
def nonsense(draw: st.DrawFn) -> bytes:
    """A delivery whose bytes were tampered with, wherever: in its line, its headers, its chunks."""
    one = delivery(draw(st.integers(0, 33)))
    headers = {**one.headers, draw(st.sampled_from(sorted(one.headers))): draw(HEADER)}
    length = draw(st.none() | st.integers(-5, 10**6))
    data = request(one.body, headers, *draw(st.lists(EXTRA, max_size=2)), length=length)
    if draw(st.booleans()):
        chunks = draw(st.lists(st.binary(max_size=20), max_size=4))
        head = data.partition(b"\r\n\r\n")[0].replace(b"Content-Length", b"X-Length")
        size = draw(
            st.sampled_from([b"%x", b"%x;a=b", b"-%x", b"0x%x", b"fffffffffffffffff%x", b" %x"])
        )
        coded = b"".join(size % len(one) + b"\r\n" + one + b"\r\n" for one in chunks)
        data = head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"
    at = draw(st.integers(0, min(len(data), 1500)))
    until = draw(st.just(at) | st.integers(at, at + 50))
    cut = draw(st.none() | st.integers(0, len(data)))
    return (data[:at] + draw(st.binary(max_size=9)) + data[until:])[:cut]


@given(nonsense())
@settings(suppress_health_check=list(HealthCheck))
def test_no_bytes_break_it(served: Served, data: bytes) -> None:
    assert served.send(data, whole=False) in {
        0,
        100,
        200,
        400,
        401,
        404,
        405,
        408,
        413,
        415,
        417,
        422,
    }


# ---- somebody who knows the secret, or writes what others will read ----

WORDS = st.sampled_from(
    ["/hold", "@coordinator status", "Blocked by #1", "/estimate 5k", FORGED, "@alice #1 http://x",
     "</details><script>alert(1)</script>", "\0\ud83d", "%s%n{0}", KEY[:5], "- [x] <!-- mosaic:box=reread -->"]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | WORDS | st.lists(WORDS, max_size=4).map("\n".join)
    | st.integers() | st.sampled_from([2**31, 2**63, -1, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """What Gitea sends, with anything in the place of anything, or cut off."""
    data = json.loads(delivery(draw(st.integers(0, 33))).body)
    for _ in range(draw(st.integers(1, 4))):
        inner = data
        while inner:
            key = draw(st.sampled_from(sorted(inner)))
            if isinstance(inner[key], dict) and draw(st.integers(0, 4)):
                inner = inner[key]
                continue
            text = isinstance(inner[key], str) and draw(st.booleans())
            inner[key] = draw(WORDS | st.lists(WORDS).map("\n".join) if text else ODD)
            break
    body = json.dumps(data, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return body[: draw(st.none() | st.integers(0, len(body)))]


@given(payloads(), st.sampled_from(EVENTS), st.sampled_from(KINDS))
@settings(suppress_health_check=list(HealthCheck))
def test_no_payload_breaks_it(served: Served, body: bytes, event: str, kind: str) -> None:
    form = kind.startswith(FORM)
    sent = f"payload={quote_plus(body)}".encode() if form else body
    headers = signed(sent, kind=kind, over=body) | {
        "X-Gitea-Event": event,
        "X-Gitea-Event-Type": event,
    }
    assert served.send(request(sent, headers)) in {200, 422}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 200_000,
        b"[" * LARGEST,
        b'{"a": ' + b"9" * 4_000_000 + b"}",
        b'{"a": [' + b"0," * (LARGEST // 2 - 9) + b"0]}",
        b'{"a": "' + b"\\u0000" * (LARGEST // 6 - 9) + b'"}',
        b'{"a": "\xff\xfe"}',
    ],
    ids=["deep", "deeper", "digits", "values", "escapes", "no UTF-8"],
)
def test_large_nonsense_is_refused_or_taken_in_bounded_memory(served: Served, body: bytes) -> None:
    before = served.memory
    assert served.send(request(body, signed(body))) in {200, 422}
    assert served.memory - before < GROWTH


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
