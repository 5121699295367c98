"""How quickly a delivery is answered: the bot, and receivers that do less for it.

    make bench                 # makes an interpreter with FastAPI (.venv-bench) first
    python bench/ack.py PYTHON [ROUNDS] [DIRECTORY]

Side by side in one run, each a process of its own on loopback, in turns: *bot*, all of `serve`,
with each delivery on disk (SQLite, synchronous=FULL) before it is answered, and its queue busy
with work that does nothing; *bot, queue idle*, the same while nothing is taken up; *fastapi*, the
receiver this project began as, which verifies, parses, logs a line, as the bot does, and keeps
nothing; *aiohttp*, which only checks the signature; *aiohttp + sync*, which also writes the body to
a file that has its size, and waits for the disk. What is sent are deliveries recorded from a real
Gitea, 6 to 17 kB, each with an id of its own. PYTHON is the interpreter that has FastAPI.

Prints milliseconds one after another, as Gitea sends, over a kept connection and over new ones
(median and 99th of 100), deliveries per second with 16 on their way at once, microseconds of a
processor that each of those took, and memory at the end; each also as a ratio to fastapi's. The
disk's own time for one sync stands below. DIRECTORY says on which disk: a folder in /dev/shm tells
what is left where a sync costs nothing. A machine that does other things too shows in the 99th
first, and least in the microseconds. What the bot has still to do after a round is waited for
before the next one is measured, and said.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
SECRET = "s3cr3t-of-the-hook"  # the recorded deliveries are signed with it
KEPT, NEW, MANY, AT_ONCE = 400, 200, 2000, 16
PATIENCE = 30.0  # seconds for a process to listen


def recorded() -> Iterator[bytes]:
    """Requests as Gitea sends them, again and again, each with an id of its own."""
    files = sorted((HERE.parent / "tests/data/gitea/webhooks").glob("*issue*.json"))
    kept = [json.loads(path.read_text("utf-8")) for path in files]
    for one in itertools.cycle(kept):
        body, fresh = one["body"].encode(), str(uuid.uuid4())
        named = {n: fresh if n.endswith("-Delivery") else v for n, v in one["headers"].items()}
        lines = [f"{name}: {value}" for name, value in named.items() if name != "Content-Length"]
        head = ["POST /webhook/gitea HTTP/1.1", "Host: bot", *lines, f"Content-Length: {len(body)}"]
        yield "\r\n".join([*head, "", ""]).encode() + body


@dataclass
class Receiver:
    """One of them, and what was measured."""

    name: str
    command: list[str]
    port: int
    process: subprocess.Popen[bytes] | None = None
    kept: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)

    def listening(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def spent(self) -> float:
        """Seconds of a processor, so far."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2]
        return sum(map(int, status.split()[11:13])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def figures(self) -> tuple[float, ...]:
        kept, new = statistics.quantiles(self.kept, n=100), statistics.quantiles(self.new, n=100)
        milli = [1000 * one for one in (kept[49], kept[98], new[49], new[98])]
        micro = 1e6 * statistics.median(self.processor)
        return (*milli, statistics.median(self.per_second), micro, self.memory)


@contextmanager
def running(receiver: Receiver, log: Path) -> Iterator[None]:
    """The process, from when it listens."""
    with log.open("wb") as stderr:
        receiver.process = subprocess.Popen(receiver.command, stdout=stderr, stderr=stderr)
        end = time.monotonic() + PATIENCE
        try:
            while not receiver.listening():
                assert time.monotonic() < end, log.read_text("utf-8")
                time.sleep(0.05)
            yield
        finally:
            receiver.process.terminate()
            receiver.process.wait()


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def connected(port: int) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def ask(connection: socket.socket, request: bytes) -> None:
    """Send a request, and read the whole answer; it has to be one of success."""
    connection.sendall(request)
    answer = b""
    while not whole(answer):
        part = connection.recv(65536)
        assert part, "the connection was closed"
        answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer


def whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    return len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0])


def one_by_one(port: int, requests: Iterator[bytes], count: int) -> Iterator[float]:
    with connected(port) as connection:
        for request in itertools.islice(requests, count):
            begun = time.perf_counter()
            ask(connection, request)
            yield time.perf_counter() - begun


def each_anew(port: int, requests: Iterator[bytes], count: int) -> Iterator[float]:
    for request in itertools.islice(requests, count):
        begun = time.perf_counter()
        with connected(port) as connection:
            ask(connection, request)
        yield time.perf_counter() - begun


class Sender(asyncio.Protocol):
    """Sends the next one when the one before is answered."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._answer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if whole(self._answer):
            assert self._answer.startswith(b"HTTP/1.1 200"), self._answer
            self._answer = b""
            self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._transport.write(request)


async def at_once(port: int, requests: Iterator[bytes], count: int) -> float:
    """Deliveries per second."""
    several, loop = iter(list(itertools.islice(requests, count))), asyncio.get_running_loop()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Sender(several), "127.0.0.1", port)
        for _ in range(AT_ONCE)
    ]
    await asyncio.gather(*(sender.done for _, sender in made))
    return count / (time.perf_counter() - begun)


def measure(receiver: Receiver, requests: Iterator[bytes]) -> None:
    list(one_by_one(receiver.port, requests, 30))  # what is only done once, is done
    receiver.kept += one_by_one(receiver.port, requests, KEPT)
    receiver.new += each_anew(receiver.port, requests, NEW)
    before = receiver.spent
    receiver.per_second.append(asyncio.run(at_once(receiver.port, requests, MANY)))
    receiver.processor.append((receiver.spent - before) / MANY)
    if receiver.name == "bot":  # what it has still to do would slow down who comes next
        begun = time.perf_counter()
        while waiting(receiver.port):
            assert time.perf_counter() < begun + 600, "the bot does not come to an end"
            time.sleep(0.1)
        receiver.behind.append(time.perf_counter() - begun)


def waiting(port: int) -> float:
    """How many jobs the bot's queue holds."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        found = re.findall(rb"^mosaic_queue{[^}]*} (\S+)$", page.read(), re.MULTILINE)
    assert found
    return sum(map(float, found))


def syncs(directory: Path) -> float:
    """Milliseconds for a few kilobytes to reach the disk: median."""
    took = []
    with (directory / "sync").open("wb") as file:
        file.write(b"\1" * 2**20)
        os.fsync(file.fileno())
        for _ in range(200):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"\2" * 8192, 0)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    return 1000 * statistics.median(took)


def receivers(python: str, directory: Path) -> list[Receiver]:
    ours, made = sys.executable, []
    for name, (interpreter, program, *more) in {
        "bot": (ours, "bot_receiver.py", str(directory / "bot"), "50ms"),
        "bot, queue idle": (ours, "bot_receiver.py", str(directory / "idle"), "1h"),
        "fastapi": (python, "fastapi_receiver.py"),
        "aiohttp": (ours, "bare_receiver.py"),
        "aiohttp + sync": (ours, "bare_receiver.py", str(directory)),
    }.items():
        port = free_port()
        command = [interpreter, str(HERE / program), str(port), SECRET, *more]
        made.append(Receiver(name, command, port))
    for place in ("bot", "idle"):
        (directory / place).mkdir()
    return made


HEAD = ("kept p50", "p99", "new p50", "p99", "per second", "µs each", "MB")


def table(found: list[Receiver]) -> None:
    base = next(one for one in found if one.name == "fastapi").figures()
    print(f"{'':<16}{''.join(f'{name:>17}' for name in HEAD)}")
    for one in found:
        cells = [
            f"{value:.{0 if column >= 4 else 2}f} ({value / base[column]:.2f}x)"
            for column, value in enumerate(one.figures())
        ]
        print(f"{one.name:<16}{''.join(f'{cell:>17}' for cell in cells)}")


def main(python: str, rounds: str = "3", where: str | None = None) -> None:
    requests = recorded()
    with tempfile.TemporaryDirectory(dir=where) as name, ExitStack() as stack:
        directory = Path(name)
        found = receivers(python, directory)
        for one in found:
            stack.enter_context(running(one, directory / f"{one.name}.log"))
        disk = [syncs(directory)]
        for _ in range(int(rounds)):
            for one in found:
                measure(one, requests)
            disk.append(syncs(directory))
        table(found)
        behind = statistics.median(found[0].behind)
        print(f"\nthe bot has done all that came {behind:.1f} s after the last answer of a round")
        load = os.getloadavg()[0]
        print(
            f"one sync: {statistics.median(disk):.2f} ms; {os.cpu_count()} cores, load {load:.1f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
