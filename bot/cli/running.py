"""How the commands run: to the end or to a signal, with a log that holds no secret."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.config import Settings


def log_as(settings: Settings, level: str) -> None:
    """Write log lines from this level on, without the secrets of these settings."""
    from bot.logs import configure

    configure(level=level, style=settings.log_format, secrets=settings.hidden)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Do the work of a command; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupted)
    asyncio.run(work)


def _interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
