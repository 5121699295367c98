"""`serve`: receive webhooks and keep the reports true."""

from __future__ import annotations

from bot.cli.running import log_as, run
from bot.cli.usage import examples


@examples(
    ("serve", "with the settings of the environment and bot.toml"),
    ("settings", "what these are, before"),
)
def serve() -> None:
    """Receive webhooks and keep the reports true, until stopped.

    Needs GITEA_URL, GITEA_TOKEN and GITEA_WEBHOOK_SECRET. Ctrl-C or SIGTERM ends it, when the work
    at hand is done.
    """
    from bot.app import require
    from bot.config import load
    from bot.server import serve_forever

    settings = load()
    require(settings)
    log_as(settings, settings.log_level)
    run(serve_forever(settings))
