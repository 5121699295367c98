"""Serving until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog
from aiohttp import web

from bot.app import Bot, gitea_client, running
from bot.check.finding import Grade
from bot.check.forge import forge_findings
from bot.check.machine import Machine, part
from bot.config import Settings
from bot.door import Door, malformed
from bot.errors import ConfigError

log = structlog.get_logger(__name__)


SIGNALS = (signal.SIGTERM, signal.SIGINT)
REQUEST_SECONDS = 5.0  # that a request may still take when no further ones are taken


async def serve_forever(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let work finish, and return.

    Another signal breaks off what still runs: it is left for the next start.
    """
    stop, at_once = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (at_once if stop.is_set() else stop).set()

    with _told(signalled):
        async with serving(settings) as (bot, port):
            log.info("serving", host=settings.server.host, port=port)
            looking = asyncio.create_task(look_at_everything(bot))
            await stop.wait()
            log.info("stopping")
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await _rest(bot, at_once)
        log.info("stopped")


@contextmanager
def _told(signalled: Callable[[], object]) -> Iterator[None]:
    """Have it called when a signal comes; afterwards they mean what they did before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, signalled)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _rest(bot: Bot, at_once: asyncio.Event) -> None:
    """Let what runs finish. Until then deliveries are recorded: Gitea sends nothing twice."""
    bot.stopping = True
    resting = asyncio.create_task(bot.engine.rest(bot.settings.server.shutdown))
    told = asyncio.create_task(at_once.wait())
    await asyncio.wait([resting, told], return_when=asyncio.FIRST_COMPLETED)
    if not resting.done():
        log.info("stopping.at_once")
        bot.engine.break_off()
    told.cancel()
    await asyncio.wait([resting, told])


async def look_at_everything(bot: Bot) -> None:
    """Log what `check` would find, as far as it is not as it should be; never raises."""
    try:
        await _look(bot)
    except Exception:
        log.exception("check.failed")


async def _look(bot: Bot) -> None:
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
        door = Door(app)
        runner = web.AppRunner(
            app, access_log=None, logger=malformed(), shutdown_timeout=REQUEST_SECONDS
        )
        await runner.setup()
        try:
            listening = await _listen(door, runner, settings)
            try:
                yield bot, listening.sockets[0].getsockname()[1]
            finally:
                listening.close()
        finally:
            await runner.cleanup()


async def _listen(door: Door, runner: web.AppRunner, settings: Settings) -> asyncio.Server:
    host, port = settings.server.host, settings.server.port
    assert runner.server is not None
    try:
        return await door.listen(runner.server, host, port)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; set HOST or PORT"
        ) from None
