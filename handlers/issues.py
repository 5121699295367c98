"""Issues: whatever happens to one that the bot has to do with, it is looked at afresh.

Deliveries come late and out of order (an assignment before the opening it belongs to), and do not
say who was assigned; so what they say serves only to pass over what cannot concern the bot.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import ISSUE_EVENTS, Desk, Router

router = Router()


@router.on(
    ISSUE_EVENTS,
    "opened",
    "edited",
    "closed",
    "reopened",
    "assigned",
    "unassigned",
    "label_updated",
    "label_cleared",
    "milestoned",
    "demilestoned",
)
async def changed(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Look at it, if it is assigned to the bot or the bot has to do with it."""
    return await concerned(event, desk)


@router.on(ISSUE_EVENTS, "edited")
async def edited(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Remember who wrote in somebody else's text: it counts only as far as both may read."""
    before = event.changes
    text = before.body_before is not None or before.title_before is not None
    if event.issue is not None and text and event.sender.lower() != event.author.lower():
        await desk.wrote(event.issue, event.sender)
    return ()


@router.on(ISSUE_EVENTS, "deleted")
async def deleted(event: Event, desk: Desk) -> Collection[IssueRef]:
    """Nothing waits any longer for an issue that is gone."""
    if event.issue is None or not await desk.concerns(event.issue):
        return ()
    await desk.gone(event.issue)
    return (event.issue,)


async def concerned(event: Event, desk: Desk) -> Collection[IssueRef]:
    """The event's issue, where the bot has to do with it."""
    if event.issue is None:
        return ()
    assigned = desk.login.lower() in (login.lower() for login in event.issue_assignees)
    if assigned or await desk.concerns(event.issue):
        return (event.issue,)
    return ()
