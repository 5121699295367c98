"""Repositories: what was remembered of one is asked again when it changes."""

from __future__ import annotations

from collections.abc import Collection

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import Desk, Router

router = Router()


@router.on(("push", "repository"))
async def changed(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Forget its files and who may read it."""
    if event.repository is not None:
        desk.changed(event.repository)
    return ()
