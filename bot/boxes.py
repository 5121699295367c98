"""The boxes at the end of a report: what is ticked, and the command that a tick stands for.

A box is a line of the bot's own comment, `- [ ] <!-- mosaic:box=ACTION --> words`. Gitea keeps the
HTML comment when somebody ticks the box on its page, and sends the text before and after. A box
that the bot itself ticked says so, `- [x] <!-- mosaic:box=hold on -->`; so the text alone tells
what people ticked and cleared since it was written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from bot.commands import Said
from bot.models import IssueRef
from bot.render import MARKER

REPLY = "<!-- mosaic-coordinator:reply"  # how the bot's replies begin
SPLIT_MARKER = "<!-- mosaic-coordinator:split -->"
MAX_BOXES = 60

_BOX = re.compile(
    r"^- \[([ xX])\] <!-- mosaic:box=([a-z-]{1,30}(?::[^\s<>]{1,250})?)( on)? -->", re.MULTILINE
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
    return {action: now for action, now, _ in _boxes(body)}


def _boxes(body: str) -> list[tuple[str, bool, bool]]:
    """Of each box the action, whether it is ticked, and whether the bot had ticked it."""
    if not _has_boxes(body):
        return []
    found = _BOX.findall(body)[:MAX_BOXES]
    return [(action, mark != " ", bool(was)) for mark, action, was in found]


def _has_boxes(body: str) -> bool:
    """Whether it is a report or holds a proposed split."""
    return body.startswith(MARKER) or holds_split(body)


def holds_split(body: str) -> bool:
    """Whether it is one of the bot's comments that hold a proposed split.

    In a reply the marker is a line of its own: the second one, or a later one where the reply
    begins with what came of other commands. No title or reason makes such a line, for they are
    escaped and stand within one.
    """
    if body.startswith(SPLIT_MARKER):
        return True
    return body.startswith(REPLY) and f"\n{SPLIT_MARKER}\n" in body.replace("\r\n", "\n")


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


def standing(body: str) -> tuple[Said, ...]:
    """The commands for which people ticked or cleared boxes since the bot wrote a comment."""
    actions = []
    for action, now, was in _boxes(body):
        if now and not was:
            actions.append(action)
        elif was and not now and action == "hold":
            actions.append("unhold")
    return _commands(actions)


def still_asked(said: Collection[Said], *, on_hold: bool) -> tuple[Said, ...]:
    """Without what is so already: `on_hold` tells whether the issue is."""
    return tuple(one for one in said if one.verb != ("hold" if on_hold else "unhold"))


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
    return _commands(ticked(before, after))


def _commands(actions: Sequence[str]) -> tuple[Said, ...]:
    found = (command_for(action, line) for line, action in enumerate(actions))
    return tuple(said for said in found if said)
