"""Repositories: what was remembered of one is asked again when it changes.

Gitea tells when one is made or deleted, not when it is renamed, moved, archived or made private.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import Desk, Router

router = Router()


@router.on(("push", "repository"))
async def changed(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Forget its files and who may read it; a push may change how its issues are judged.

    Which branch it was for is not believed: what stands on the default one is asked for.
    """
    return await desk.changed(event.repository) if event.repository else ()


@router.on("repository", "deleted")
async def deleted(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Nothing waits any longer for issues that are gone with it."""
    if event.repository is None:
        return ()
    return await desk.deleted(event.repository_id, event.repository)
