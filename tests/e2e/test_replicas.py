"""What docs/replicas.md says of a replica that dies: what it had begun waits for one of its name."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.forge import Forge, serve
from tests.databases import postgres
from tests.e2e.test_postgresql import BOT, REPO, SIZE, postgresql_url
from tests.gitea_server import free_port

__all__ = ["postgres", "postgresql_url"]

LARGE = "\n\nContext estimate: 60k tokens\nDifficulty: easy"
ENOUGH = 60.0  # seconds


async def until(holds: Callable[[], object]) -> None:
    """Return once that is so."""
    async with asyncio.timeout(ENOUGH):
        while not holds():  # another process does it
            await asyncio.sleep(0.05)


@dataclass
class Replicas:
    """Processes of the bot on one database; webhooks go to the one that was started last."""

    forge: Forge
    environ: dict[str, str]

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A replica of that name; stopped at the end, if it is not dead."""
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"),
            env={**self.environ, "MOSAIC_QUEUE__EXECUTOR": name, "PORT": str(port)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await self._until_it_listens(port)
            self.forge.state.hooks.clear()
            hook = f"http://127.0.0.1:{port}/webhook/gitea"
            self.forge.add_hook(hook, secret="secret", repository=REPO)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def _until_it_listens(self, port: int) -> None:
        async with asyncio.timeout(ENOUGH):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return


async def test_what_a_dead_replica_had_begun_waits_and_all_else_goes_on(
    postgresql_url: str, tmp_path: Path
) -> None:
    forge = Forge()
    token = forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    for login in (BOT, "alice"):
        forge.grant(REPO, login, "admin")
    alice = forge.act_as("alice", REPO)
    (tmp_path / "bot.toml").write_text("", encoding="utf-8")
    async with serve(forge) as url:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GITEA_URL": url,
            "GITEA_TOKEN": token,
            "GITEA_WEBHOOK_SECRET": "secret",
            "DATABASE_URL": postgresql_url,
            "HOST": "127.0.0.1",
            "BOT_CONFIG": str(tmp_path / "bot.toml"),
        }
        replicas = Replicas(forge, environ)
        async with replicas.running("one") as one:
            alice.open("First", SIZE, assignees=[BOT])
            await until(lambda: "context/small" in forge.labels(REPO, 1))
            slow = forge.faults.add("GET", "/issues/1$", delay=ENOUGH, times=9)
            alice.edit(1, body=f"Changed.{LARGE}")
            await until(lambda: slow.times < 9)
            one.kill()
            await one.wait()
        forge.faults.clear()
        async with replicas.running("two"):
            alice.open("Second", SIZE, assignees=[BOT])
            await until(lambda: "status/ready" in forge.labels(REPO, 2))
            assert "context/small" in forge.labels(REPO, 1), "it waits"
            async with replicas.running("one"):
                await until(lambda: "context/large" in forge.labels(REPO, 1))
