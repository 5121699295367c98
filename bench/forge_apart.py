"""The embedded forge as a process of its own, for benches that are not to share its time.

    python bench/forge_apart.py     # prints where it is, and tokens, as a line of JSON

It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.demo.forge import Forge, serve
from tests.forges import PEOPLE, ForgeServer, client_of


@dataclass
class Apart:
    """The forge's process, and what it said first."""

    process: subprocess.Popen[bytes]
    url: str
    tokens: dict[str, str]

    def token(self, login: str, _scopes: Sequence[str]) -> str:
        return self.tokens[login]


async def run() -> None:
    forge = Forge()
    tokens = {login: forge.add_user(login) for login in PEOPLE} | {"root": forge.admin_token}
    async with serve(forge) as url:
        print(json.dumps({"url": url, "tokens": tokens}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def forge_apart() -> AsyncIterator[ForgeServer]:
    """The forge at work, as the tests speak to it."""
    process = subprocess.Popen(  # noqa: ASYNC220 - there is nothing else to do
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        told = json.loads(await asyncio.to_thread(process.stdout.readline))
        apart = Apart(process, **told)
        async with client_of(apart.url) as client:
            yield ForgeServer(
                "embedded",
                apart.url,
                apart.tokens["root"],
                client,
                apart.token,
                asyncio.sleep,
                None,
                dict(apart.tokens),
            )
    finally:
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    asyncio.run(run())
