"""aiohttp, with nothing but the signature checked; a process for `ack.py`.

    python bench/bare_receiver.py PORT SECRET [DIRECTORY]

With a DIRECTORY it also writes the body to a file there, and waits for the disk.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from pathlib import Path

from aiohttp import web

ROOM = 64 * 1024**2  # bytes; a file that has its size needs no more than one sync


def application(secret: str, disk: int | None) -> web.Application:
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
    return app


def room(directory: str) -> int:
    """A file on disk that has its size already."""
    disk = os.open(Path(directory, "room"), os.O_RDWR | os.O_CREAT)
    os.write(disk, b"\1" * ROOM)
    os.fsync(disk)
    return disk


def main(port: str, secret: str, directory: str = "") -> None:
    app = application(secret, room(directory) if directory else None)
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
