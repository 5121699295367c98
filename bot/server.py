"""Serving until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiohttp import web

from bot.app import Bot, gitea_client, running
from bot.check.finding import Grade
from bot.check.forge import forge_findings
from bot.check.machine import Machine, part
from bot.config import Settings
from bot.errors import ConfigError

log = structlog.get_logger(__name__)


async def serve_forever(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let work finish, and return."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as (bot, port):
        log.info("serving", host=settings.server.host, port=port)
        looking = asyncio.create_task(look_at_everything(bot))
        await stop.wait()
        bot.stopping = True
        log.info("stopping")
        looking.cancel()
        await asyncio.wait([looking])
    log.info("stopped")


async def look_at_everything(bot: Bot) -> None:
    """Log what `check` would find, as far as it is not as it should be."""
    machine = Machine(bot.settings, (), now=bot.now, serving=True)
    gitea = partial(
        forge_findings, bot.settings, connect=gitea_client, now=bot.now(), try_out=False
    )
    for one in [*await machine.parts(), await part("Gitea", gitea)]:
        for found in one.findings:
            if found.grade is not Grade.GOOD:
                log.warning("check", id=found.id, what=found.what, why=found.why, do=found.do)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Bot, int]]:
    """A bot that receives on its port; yields the bot and the port it got."""
    async with running(settings) as (bot, app):
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.server.host, settings.server.port)
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(
                    f"cannot listen on {settings.server.host}:{settings.server.port}: "
                    f"{error.strerror}; set HOST or PORT"
                ) from None
            yield bot, runner.addresses[0][1]
        finally:
            await runner.cleanup()
