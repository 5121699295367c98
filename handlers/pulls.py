"""Pull requests: issues wait for them, too."""

from __future__ import annotations

from collections.abc import Collection

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import Desk, Router

router = Router()


@router.on("pull_request", "opened", "edited", "closed", "reopened")
async def changed(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Look at it, if an issue waits for it; merging one arrives as closing it."""
    if event.issue is not None and await desk.concerns(event.issue):
        return (event.issue,)
    return ()
