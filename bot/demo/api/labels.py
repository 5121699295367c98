"""Labels of a repository and of its issues."""

from __future__ import annotations

from aiohttp import web

from bot.demo import labels, shapes
from bot.demo.api.call import Call, answer, nothing, paged
from bot.demo.api.instance import Route
from bot.demo.api.issues import ONE
from bot.demo.api.repositories import HOME
from bot.demo.records import Label, Right
from bot.demo.refusals import Refused
from bot.demo.shapes import Json


def _shown(call: Call, label: Label) -> Json:
    return shapes.label(call.world.state, call.repository, label)


def _of_issue(call: Call) -> web.Response:
    return answer(shapes.labels(call.world.state, call.issue))


async def list_labels(call: Call) -> web.Response:
    """All labels of a repository, by name."""
    found = sorted(call.repository.labels.values(), key=lambda label: label.name)
    return paged(call, found, lambda label: _shown(call, label))


async def create(call: Call) -> web.Response:
    """A new label."""
    body = call.body
    made = labels.create_label(
        call.world,
        call.user,
        call.repository,
        name=body.text("name") or "",
        color=body.text("color") or "",
        description=body.text("description") or "",
        exclusive=bool(body.flag("exclusive")),
    )
    return answer(_shown(call, made), 201)


async def show(call: Call) -> web.Response:
    """One label."""
    return answer(_shown(call, labels.find_label(call.repository, call.number("id"))))


async def edit(call: Call) -> web.Response:
    """Change a label."""
    label, body = labels.find_label(call.repository, call.number("id")), call.body
    labels.edit_label(
        call.world,
        call.user,
        call.repository,
        label,
        name=body.text("name"),
        color=body.text("color"),
        description=body.text("description"),
        exclusive=body.flag("exclusive"),
    )
    return answer(_shown(call, label))


async def delete(call: Call) -> web.Response:
    """Delete a label."""
    labels.delete_label(call.world, call.user, call.repository, call.number("id"))
    return nothing()


async def of_issue(call: Call) -> web.Response:
    """The labels of an issue."""
    return _of_issue(call)


async def add(call: Call) -> web.Response:
    """Put labels on an issue."""
    issue = call.issue
    labels.label_issue(call.world, call.user, issue, _wanted(call))
    return _of_issue(call)


async def replace(call: Call) -> web.Response:
    """Make these the labels of an issue."""
    issue = call.issue
    labels.label_issue(call.world, call.user, issue, _wanted(call), replace=True)
    return _of_issue(call)


def _wanted(call: Call) -> list[int | str]:
    call.world.demand(call.user, call.repository, Right.WRITE, "write permission is required")
    found = call.body.items("labels") or []
    numbers = [one for one in found if isinstance(one, int) and not isinstance(one, bool)]
    names = [one for one in found if isinstance(one, str)]
    if len(numbers) + len(names) != len(found):
        raise Refused(400, "a label must be an integer or a string")
    if numbers and names:
        raise Refused(400, "labels should be an array of strings or integers")
    return [*numbers, *names]


async def remove(call: Call) -> web.Response:
    """Take one label off an issue."""
    labels.unlabel_issue(call.world, call.user, call.issue, call.number("id"))
    return nothing()


async def clear(call: Call) -> web.Response:
    """Take all labels off an issue."""
    labels.clear_labels(call.world, call.user, call.issue)
    return nothing()


ROUTES: list[Route] = [
    ("GET", f"{HOME}/labels", list_labels),
    ("POST", f"{HOME}/labels", create),
    ("GET", f"{HOME}/labels/{{id}}", show),
    ("PATCH", f"{HOME}/labels/{{id}}", edit),
    ("DELETE", f"{HOME}/labels/{{id}}", delete),
    ("GET", f"{ONE}/labels", of_issue),
    ("POST", f"{ONE}/labels", add),
    ("PUT", f"{ONE}/labels", replace),
    ("DELETE", f"{ONE}/labels", clear),
    ("DELETE", f"{ONE}/labels/{{id}}", remove),
]
