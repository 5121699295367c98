"""The bot, all of `serve`, whose work does nothing; a process for `ack.py`.

    python bench/bot_receiver.py PORT SECRET DIRECTORY POLL

POLL says how often its queue looks for work: `50ms` as usual; with `1h` not at all, nor when work
is recorded, for then nobody rings its bell.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.bell import Bell
from bot.config import load
from bot.logs import configure
from bot.server import serve_forever
from bot.worker import Worker

IDLE = "1h"


async def nothing(*_: object) -> None: ...


def silent(*_: object) -> None: ...


def main(port: str, secret: str, directory: str, poll: str) -> None:
    Worker.work = nothing  # type: ignore[assignment]
    if poll == IDLE:
        Bell.ring = silent  # type: ignore[assignment]
    toml = Path(directory, "bot.toml")
    toml.touch()
    settings = load(
        {
            "GITEA_URL": "http://127.0.0.1:9",
            "GITEA_TOKEN": "t0ken",
            "GITEA_WEBHOOK_SECRET": secret,
            "DATABASE_URL": f"sqlite:///{directory}/bot.db",
            "HOST": "127.0.0.1",
            "PORT": port,
            "MOSAIC_RECHECK_EVERY": "365d",
            "MOSAIC_QUEUE__POLL": poll,
        },
        toml,
    )
    configure(level="info", style="json", secrets=settings.hidden)
    asyncio.run(serve_forever(settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
