"""`serve`: receive webhooks and keep the reports true."""

from __future__ import annotations

import asyncio
import signal

from bot.cli.running import log_as
from bot.cli.usage import examples


@examples(
    ("serve", "with the settings of the environment and bot.toml"),
    ("settings", "what these are, before"),
)
def serve() -> None:
    """Receive webhooks and keep the reports true, until stopped.

    Needs GITEA_URL, GITEA_TOKEN and GITEA_WEBHOOK_SECRET. Ctrl-C or SIGTERM ends it, when the work
    at hand is done; said again, at once, and the work is left for the next start.
    """
    signal.signal(signal.SIGTERM, _not_begun)
    from bot.app import require
    from bot.config import load
    from bot.server import serve_forever

    settings = load()
    require(settings)
    log_as(settings, settings.log_level)
    asyncio.run(serve_forever(settings))


def _not_begun(_number: int, _frame: object) -> None:
    """Before it serves, and after, there is nothing to finish."""
    raise SystemExit(0)
