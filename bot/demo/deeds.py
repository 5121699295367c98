"""What the forms of an issue's page do, each by its name in the address."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.demo.actor import Actor
from bot.demo.records import Issue
from bot.demo.refusals import Refused, not_found
from bot.demo.visit import Visit, named

NEW_LABEL_COLOR = "#6e7781"


def _edit(visit: Visit, issue: Issue) -> None:
    title, body = visit.text("title"), visit.text("body")
    visit.actor.edit(
        issue.number,
        title=None if title == issue.title else title,
        body=None if body == issue.body else body,
    )


def _comment(visit: Visit, issue: Issue) -> None:
    visit.actor.comment(issue.number, visit.text("body"))


def _edit_comment(visit: Visit, _: Issue) -> None:
    visit.actor.edit_comment(_whole(visit, "comment"), visit.text("body"))


def _delete_comment(visit: Visit, _: Issue) -> None:
    visit.actor.delete_comment(_whole(visit, "comment"))


def _tick(visit: Visit, _: Issue) -> None:
    try:
        visit.actor.tick(_whole(visit, "comment"), _whole(visit, "box"), on=bool(visit.text("on")))
    except LookupError:
        raise not_found("That box is no longer there.") from None


def _label(visit: Visit, issue: Issue) -> None:
    name = visit.text("name").strip()
    if not name:
        raise Refused(422, "A label needs a name.")
    if all(label.name != name for label in issue.repository.labels.values()):
        visit.actor.create_label(name, NEW_LABEL_COLOR, exclusive="/" in name)
    visit.actor.label(issue.number, name)


def _unlabel(visit: Visit, issue: Issue) -> None:
    visit.actor.unlabel(issue.number, visit.text("name"))


def _depend(visit: Visit, issue: Issue) -> None:
    other = _other(visit)
    if other is issue:
        raise Refused(422, "An issue cannot depend on itself.")
    if other in issue.blocked_by:
        raise Refused(422, f"It depends on {named(other)} already.")
    if issue in other.blocked_by:
        raise Refused(422, f"{named(other)} depends on this one: each would wait for the other.")
    visit.actor.block(issue.number, other)


def _undepend(visit: Visit, issue: Issue) -> None:
    _untie(visit, issue, _other(visit))


def _unblock(visit: Visit, issue: Issue) -> None:
    _untie(visit, _other(visit), issue)


def _untie(visit: Visit, waiting: Issue, blocker: Issue) -> None:
    if blocker not in waiting.blocked_by:
        raise Refused(422, f"{named(waiting)} does not depend on {named(blocker)}.")
    Actor(visit.world, visit.user, waiting.repository).unblock(waiting.number, blocker)


def _other(visit: Visit) -> Issue:
    """The issue a field names, as `1`, `#1` or `owner/repo#1`."""
    match = re.fullmatch(r"(?:([\w.-]+/[\w.-]+)#|#)?(\d{1,9})", visit.text("issue").strip())
    if match is None:
        raise Refused(422, "Name the issue by its number, or as owner/repo#1.")
    found = visit.find(match[1] or "", int(match[2]))
    if found is None:
        raise not_found("There is no such issue, or you may not see it.")
    return found


def _whole(visit: Visit, name: str) -> int:
    text = visit.text(name)
    if not text.isascii() or not text.isdigit():
        raise Refused(422, f"{name} should be a number.")
    return int(text)


DEEDS: dict[str, Callable[[Visit, Issue], object]] = {
    "edit": _edit,
    "comment": _comment,
    "edit-comment": _edit_comment,
    "delete-comment": _delete_comment,
    "tick": _tick,
    "label": _label,
    "unlabel": _unlabel,
    "depend": _depend,
    "undepend": _undepend,
    "unblock": _unblock,
    "assign": lambda visit, issue: visit.actor.assign(issue.number, visit.text("login")),
    "unassign": lambda visit, issue: visit.actor.unassign(issue.number, visit.text("login")),
    "close": lambda visit, issue: visit.actor.close(issue.number),
    "reopen": lambda visit, issue: visit.actor.reopen(issue.number),
}
