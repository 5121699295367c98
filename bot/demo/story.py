"""`mosaic-coordinator demo`: a forge, the bot, and a short story, all on this machine.

Nothing is faked but Gitea itself: the bot is the one that `serve` runs, with its queue and its
database in a directory that goes away at the end, and hears of everything through webhooks.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from bot.app import Bot
from bot.config import Settings, load
from bot.demo.actor import Actor
from bot.demo.forge import Forge, serve
from bot.errors import ConfigError, CoordinatorError
from bot.logs import configure
from bot.on_terminal import drawable
from bot.server import serving

BOT = "coordinator"
REPOSITORY = "acme/rocket"
USUAL_PORT = 3000
QUIET_LIMIT = 30.0  # seconds
FILES = {
    "pump/driver.py": 18_400,
    "pump/interface.py": 6_100,
    "pump/telemetry.py": 9_900,
    "tests/test_driver.py": 14_200,
    "README.md": 2_300,
}

PUMP = """\
## Objective

One interface for every pump, in `pump/interface.py`.

## Difficulty

easy

## Dependencies

- Blocks: #2
"""
RETRY = """\
## Objective

Retry in `pump/driver.py` when a valve does not answer.

## Context Estimate

- Files to modify: 3
- Implementation complexity: medium (20000)
- Test requirements: 10000
- **Total estimated: 46000 tokens**
- Recommended agent: sonnet

## Difficulty

medium

## Dependencies

- Blocked by: #1
"""
COMPUTER = """\
Rewrite the flight computer, all of it.

**Estimated context:** 180k tokens
**Difficulty:** hard
"""
EGG = "The hen lays it.\n\nBlocked by #5"
HEN = "It hatches from the egg.\n\nBlocked by #4"


@dataclass
class Stage:
    """A forge with a bot at it, and people who act."""

    forge: Forge
    bot: Bot
    port: int
    shown: dict[int, str] = field(default_factory=dict)

    @property
    def alice(self) -> Actor:
        """Alice, who runs the repository."""
        return self.forge.act_as("alice", REPOSITORY)

    async def quiet(self) -> None:
        """Return when all webhooks are delivered and all work is done."""
        try:
            async with asyncio.timeout(QUIET_LIMIT):
                await self._quiet()
        except TimeoutError:
            raise CoordinatorError(f"the bot was not done within {QUIET_LIMIT:g} s") from None

    async def _quiet(self) -> None:
        still = 0
        while still < 2:
            await self.forge.settled()
            busy = any((await self.bot.engine.counts()).values())
            still = 0 if busy else still + 1
            await asyncio.sleep(0.02)

    def news(self) -> list[tuple[int, str, str, list[str]]]:
        """Reports that changed since the last call: number, title, text, labels."""
        found = []
        for number, issue in sorted(self.forge.repository(REPOSITORY).issues.items()):
            for comment in self.forge.comments(REPOSITORY, number, by=BOT):
                if self.shown.get(comment.id) != comment.body:
                    self.shown[comment.id] = comment.body
                    labels = self.forge.labels(REPOSITORY, number)
                    found.append((number, issue.title, comment.body, labels))
        return found


@dataclass(frozen=True)
class Scene:
    """One step of the story: what is told, and what people do."""

    told: str
    act: Callable[[Actor], object]


def _open_all(alice: Actor) -> None:
    alice.open("One interface for all pumps", PUMP)
    alice.open("Retry in the pump driver", RETRY)
    alice.open("Rewrite the flight computer", COMPUTER)
    alice.open("The egg", EGG)
    alice.open("The hen", HEN)
    alice.assign(2, BOT)


def _assign_both(alice: Actor) -> None:
    alice.assign(4, BOT)
    alice.assign(5, BOT)


SCENES = (
    Scene(
        "Alice opens five issues and assigns #2 to the bot. It waits for #1.",
        _open_all,
    ),
    Scene("#1 is finished. Nothing holds #2 back now.", lambda alice: alice.close(1)),
    Scene(
        "Alice assigns #3. It needs more than any agent can hold.",
        lambda alice: alice.assign(3, BOT),
    ),
    Scene(
        "Alice assigns #4 and #5, which wait for one another.",
        _assign_both,
    ),
    Scene(
        "She edits the hen: it need not wait.",
        lambda alice: alice.edit(5, body="It hatches from an egg bought elsewhere."),
    ),
)


async def play(*, once: bool, port: int | None) -> None:
    """Play the story; then stay up for a visitor, unless `once`.

    Raises CoordinatorError when the bot did not do as the story says.
    """
    console = Console()
    configure(level="error", style="text")
    async with staged(port) as stage:
        console.print(f"[bold]The forge:[/bold] {stage.forge.url}/{REPOSITORY}/issues")
        for scene in SCENES:
            console.rule(scene.told, align="left")
            scene.act(stage.alice)
            await stage.quiet()
            for number, title, body, labels in stage.news():
                _show(console, number, title, body, labels)
        _check(stage)
        console.rule("The end")
        if not once:
            await _stay(console, stage)


@asynccontextmanager
async def staged(port: int | None = 0) -> AsyncIterator[Stage]:
    """A forge with a repository and people, and a bot that hears of everything there."""
    forge = Forge()
    forge.add_user("alice")  # the first one is who a visitor is
    token = forge.add_user(BOT)
    forge.add_user("bob")
    forge.add_user("mallory")
    forge.add_repository(REPOSITORY, files=FILES)
    for login, right in ((BOT, "admin"), ("alice", "admin"), ("bob", "write"), ("mallory", "read")):
        forge.grant(REPOSITORY, login, right)
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="mosaic-demo-") as directory:
        async with _forge_on(forge, port):
            settings = _settings(forge.url, token, secret, Path(directory))
            async with serving(settings) as (bot, bot_port):
                hook = f"http://127.0.0.1:{bot_port}/webhook/gitea"
                forge.add_hook(hook, secret=secret, repository=REPOSITORY)
                yield Stage(forge, bot, bot_port)


@asynccontextmanager
async def _forge_on(forge: Forge, port: int | None) -> AsyncIterator[None]:
    """Serve the forge on the port; None: the usual one, or any where that is taken."""
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serve(forge, port=USUAL_PORT if port is None else port))
        except OSError as error:
            if port is not None:
                raise ConfigError(
                    f"port {port} cannot be used: {error.strerror}; say --port"
                ) from None
            await stack.enter_async_context(serve(forge))
        yield


def _settings(url: str, token: str, secret: str, directory: Path) -> Settings:
    return load(
        {
            "GITEA_URL": url,
            "GITEA_TOKEN": token,
            "GITEA_WEBHOOK_SECRET": secret,
            "DATABASE_URL": f"sqlite:///{directory}/demo.db",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "BOT_CONFIG": _empty(directory),
        }
    )


def _empty(directory: Path) -> str:
    """A settings file without settings: the demo shows the defaults, wherever it is run."""
    path = directory / "bot.toml"
    path.write_text("", encoding="utf-8")
    return str(path)


def _show(console: Console, number: int, title: str, body: str, labels: list[str]) -> None:
    console.print(
        Panel(
            Markdown(drawable(body, unfolded=False)),
            title=Text(f"#{number} {title}"),
            title_align="left",
            subtitle=Text("  ".join(labels)),
            subtitle_align="left",
        )
    )


def _check(stage: Stage) -> None:
    """The story's end, as it must be."""
    expected = {2: "status/ready", 3: "status/too-big", 4: "status/blocked", 5: "status/ready"}
    for number, label in expected.items():
        labels = stage.forge.labels(REPOSITORY, number)
        if label not in labels:
            raise CoordinatorError(f"#{number} should carry {label}, but has {labels}")


async def _stay(console: Console, stage: Stage) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    console.print(
        f"\nNow try it: open [bold]{stage.forge.url}/[/bold] in a browser. Open, edit, assign and "
        f"close issues there, and see the bot answer.\nThe bot itself is at "
        f"http://127.0.0.1:{stage.port}/ready. Ctrl-C ends both."
    )
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
        for number, title, body, labels in stage.news():
            _show(console, number, title, body, labels)
