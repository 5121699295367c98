"""The bot, and aiohttp with nothing but the signature checked; processes for `ack.py`.

    python bench/receivers.py bot|idle|bare|synced PORT SECRET DIRECTORY

`bot` is all of `serve`; what it recorded is taken up, but the work does nothing. In `idle` it is
not taken up. `synced` also writes the body, and waits for the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import sys
from pathlib import Path

from aiohttp import web

ROOM = 64 * 1024**2  # bytes; a file that has its size needs no more than one sync


def bot(port: str, secret: str, directory: Path, poll: str) -> None:
    from bot.config import load
    from bot.logs import configure
    from bot.server import serve_forever
    from bot.worker import Worker

    async def nothing(*_: object) -> None: ...

    Worker.work = nothing  # type: ignore[method-assign]
    (directory / "bot.toml").touch()
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
        directory / "bot.toml",
    )
    configure(level="info", style="json", secrets=settings.hidden)
    asyncio.run(serve_forever(settings))


def bare(port: str, secret: str, disk: int | None) -> None:
    key, at = secret.encode(), 0

    async def receive(request: web.Request) -> web.Response:
        nonlocal at
        body = await request.read()
        expected = hmac.new(key, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Gitea-Signature", "")):
            return web.Response(status=401)
        if disk is not None:
            os.pwrite(disk, body, at % (ROOM - 2**20))
            os.fdatasync(disk)
            at += len(body)
        return web.Response(text="recorded")

    app = web.Application()
    app.router.add_post("/webhook/gitea", receive)
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


def room(directory: Path) -> int:
    """A file on disk that has its size already."""
    disk = os.open(directory / "room", os.O_RDWR | os.O_CREAT)
    os.write(disk, b"\1" * ROOM)
    os.fsync(disk)
    return disk


def main(kind: str, port: str, secret: str, directory: str) -> None:
    if kind in ("bot", "idle"):
        bot(port, secret, Path(directory), "50ms" if kind == "bot" else "1h")
    else:
        bare(port, secret, room(Path(directory)) if kind == "synced" else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
