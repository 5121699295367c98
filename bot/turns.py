"""Whose turn it is: what one person says of one issue is done in the order it was said.

Jobs of an issue are done as they were recorded, but one that failed is tried again later, and what
was said after it must not overtake it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.gitea.events import Event
from bot.ticks import moment

_OPENED = datetime.min.replace(tzinfo=UTC), 0


def said_before(event: Event, others: Iterable[Event]) -> list[Event]:
    """Those in which the same person said something about the same issue before, in order."""
    mine = _said_at(event)
    same = (one for one in others if one.sender.lower() == event.sender.lower())
    return sorted((one for one in same if _said_at(one) < mine), key=_said_at)


def _said_at(event: Event) -> tuple[datetime, int]:
    """When, to the second, and which comment; a text that was opened is before all comments."""
    if event.comment is None:
        return _OPENED
    return moment(event.comment.updated_at) or _OPENED[0], event.comment.id
