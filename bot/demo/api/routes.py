"""All routes, put on an application."""

from __future__ import annotations

from aiohttp import web

from bot.demo.api import (
    comments,
    dependencies,
    files,
    hooks,
    instance,
    issues,
    labels,
    pulls,
    repositories,
    teams,
    timeline,
    tokens,
)
from bot.demo.api.gate import PREFIX, Gate

# Fixed words (`/issues/search`, `/issues/comments`) come before the patterns that would take them.
EVERYTHING = [
    *instance.ROUTES,
    *tokens.ROUTES,
    *teams.ROUTES,
    *comments.ROUTES,
    *issues.ROUTES,
    *dependencies.ROUTES,
    *timeline.ROUTES,
    *labels.ROUTES,
    *pulls.ROUTES,
    *files.ROUTES,
    *hooks.ROUTES,
    *repositories.ROUTES,
]


def add_routes(app: web.Application, gate: Gate) -> None:
    """Put the API on an application."""
    for method, path, handler in EVERYTHING:
        if method == "GET":
            app.router.add_get(PREFIX + path, gate(handler), allow_head=False)
        else:
            app.router.add_route(method, PREFIX + path, gate(handler))
