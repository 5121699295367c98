"""Comments: commands in them are done.

The report is put right when somebody edits it, and made anew when it is deleted.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import Desk, Router

router = Router()


@router.on("issue_comment", "edited", "deleted")
async def touched(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Look at the issue again when the comment is the bot's own."""
    if event.issue is None or event.comment is None:
        return ()
    mine = event.comment.author.lower() == desk.login.lower()
    if mine and await desk.concerns(event.issue):
        return (event.issue,)
    return ()


@router.on("issue_comment", "created")
async def written(_event: Event, _desk: Desk) -> Collection[IssueRef]:
    """Nothing by itself; the commands in it are done, and say what to look at."""
    return ()
