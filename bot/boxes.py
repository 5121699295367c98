"""The boxes at the end of a report: what is ticked, and the command that a tick stands for.

A box is a line of the bot's own comment, `- [ ] <!-- mosaic:box=ACTION --> words`. Gitea keeps the
HTML comment when somebody ticks the box on its page, and sends the text before and after.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.commands import Said
from bot.models import IssueRef
from bot.render import MARKER

SPLIT_MARKER = "<!-- mosaic-coordinator:split -->"
MAX_BOXES = 60

_BOX = re.compile(
    r"^- \[([ xX])\] <!-- mosaic:box=([a-z-]{1,30}(?::[^\s<>]{1,250})?) -->", re.MULTILINE
)
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "parse": ("parse", "--force"),
    "recheck": ("recheck", ""),
    "split": ("split", ""),
    "hold": ("hold", ""),
    "unhold": ("unhold", ""),
    "create-split": ("create-split", ""),
}


def boxes(body: str) -> dict[str, bool]:
    """The boxes of one of the bot's comments: whether each is ticked, by action."""
    if not body.startswith((MARKER, SPLIT_MARKER)):
        return {}
    found = _BOX.findall(body)[:MAX_BOXES]
    return {action: mark != " " for mark, action in found}


def ticked(before: str, after: str) -> list[str]:
    """The actions that an edit asks for, in order.

    Only boxes that stood there before count: nobody adds one by editing. Clearing the one that
    says the issue is on hold asks for `unhold`; clearing another one asks for nothing.
    """
    old, new = boxes(before), boxes(after)
    actions = []
    for action, was in old.items():
        now = new.get(action, was)
        if now and not was:
            actions.append(action)
        elif was and not now and action == "hold":
            actions.append("unhold")
    return actions


def command_for(action: str, line: int = 0) -> Said | None:
    """The command that a box stands for; None for a box that the bot does not make."""
    name, _, about = action.partition(":")
    if name == "accept" and about:
        try:
            return Said(line, "blocked-by", str(IssueRef.parse(about)))
        except ValueError:
            return None
    if about or name not in _COMMANDS:
        return None
    verb, words = _COMMANDS[name]
    return Said(line, verb, words)


def commands_of(before: str, after: str) -> tuple[Said, ...]:
    """The commands that an edit of one of the bot's comments stands for."""
    found = (command_for(action, line) for line, action in enumerate(ticked(before, after)))
    return tuple(said for said in found if said)
