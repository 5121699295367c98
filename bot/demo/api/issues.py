"""Issues: lists, search, opening, editing, locking, deleting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from aiohttp import web

from bot.demo import dependencies, issues, shapes
from bot.demo.api.call import Call, answer, nothing, paged
from bot.demo.api.instance import Route
from bot.demo.api.repositories import HOME
from bot.demo.issues import Draft, Edit
from bot.demo.records import Issue, Right, User
from bot.demo.refusals import NOT_REPOSITORY_ADMIN, Refused, forbidden
from bot.demo.shapes import Json

ONE = f"{HOME}/issues/{{index}}"


def shown(call: Call, issue: Issue) -> Json:
    """An issue as the asker sees it."""
    return shapes.issue(call.world.state, issue, call.doer)


async def list_issues(call: Call) -> web.Response:
    """Issues and pull requests of a repository, newest first; closed ones when asked for."""
    found = list(_chosen(call, call.repository.shown_issues))
    found.sort(key=lambda issue: issue.number, reverse=True)
    return paged(call, found, lambda issue: shown(call, issue), link=True)


async def search(call: Call) -> web.Response:
    """Issues of every repository the asker may read, newest first."""
    state = call.world.state
    everywhere = [i for repo in state.visible(call.doer) for i in repo.issues.values()]
    found = list(_chosen(call, everywhere))
    found.sort(key=lambda issue: issue.id, reverse=True)
    return paged(call, found, lambda issue: shown(call, issue), link=True)


def _chosen(call: Call, candidates: Iterable[Issue]) -> Iterable[Issue]:
    tests: list[Callable[[Issue], bool]] = [_state_test(call.query("state"))]
    kind = call.query("type")
    if kind in ("issues", "pulls"):
        tests.append(lambda issue: (issue.pull is not None) == (kind == "pulls"))
    since, before = call.moment("since"), call.moment("before")
    tests.append(lambda issue: within(issue.updated, since, before))
    tests += _label_test(call)
    tests += _people_tests(call)
    return (issue for issue in candidates if all(test(issue) for test in tests))


def _state_test(state: str) -> Callable[[Issue], bool]:
    if state == "all":
        return lambda _: True
    return lambda issue: issue.is_open == (state != "closed")


def within(time: datetime, since: datetime | None, before: datetime | None) -> bool:
    """Whether a time is not earlier than `since` and not later than `before`."""
    return (since is None or time >= since) and (before is None or time <= before)


def _label_test(call: Call) -> list[Callable[[Issue], bool]]:
    # Names that exist nowhere in the repository are ignored, here as everywhere.
    wanted = [name for name in call.query("labels").split(",") if name]

    def carries(issue: Issue) -> bool:
        known = {label.name for label in issue.repository.labels.values()}
        mine = {label.name for label in issue.labels}
        return all(name in mine for name in wanted if name in known)

    return [carries] if wanted else []


def _people_tests(call: Call) -> list[Callable[[Issue], bool]]:
    def flag(name: str) -> bool:
        return call.query(name).lower() in ("1", "true", "on")

    def named(name: str) -> User | None:
        return call.world.state.user(call.query(name))

    tests: list[Callable[[Issue], bool]] = []
    if flag("assigned") or call.query("assigned_by"):
        assignee = call.doer if flag("assigned") else named("assigned_by")
        tests.append(lambda issue: assignee in issue.assignees)
    if flag("created") or call.query("created_by"):
        author = call.doer if flag("created") else named("created_by")
        tests.append(lambda issue: author is issue.poster)
    return tests


async def show(call: Call) -> web.Response:
    """One issue or pull request."""
    return answer(shown(call, call.issue))


async def create(call: Call) -> web.Response:
    """Open an issue."""
    body = call.body
    single = body.text("assignee")
    draft = Draft(
        title=body.text("title") or "",
        body=body.text("body") or "",
        assignees=[*([single] if single else []), *(body.texts("assignees") or [])],
        labels=[one for one in body.items("labels") or [] if isinstance(one, int)],
        milestone=body.number("milestone") or 0,
        closed=bool(body.flag("closed")),
    )
    made = issues.open_issue(call.world, call.user, call.repository, draft)
    return answer(shown(call, made), 201)


async def edit(call: Call) -> web.Response:
    """Change an issue; 201, as Gitea has it."""
    issue, body = call.issue, call.body
    people, single = body.texts("assignees"), body.text("assignee")
    if single is not None:
        people = [*([single] if single else []), *(people or [])]
    change = Edit(
        title=body.text("title"),
        body=body.text("body"),
        state=body.text("state"),
        assignees=people,
        milestone=body.number("milestone"),
        content_version=body.number("content_version"),
    )
    issues.edit_issue(call.world, call.user, issue, change)
    return answer(shown(call, issue), 201)


async def delete(call: Call) -> web.Response:
    """Delete an issue."""
    _demand_admin(call)
    try:
        issue = dependencies.issue_of(call.repository, call.number("index"))
    except Refused as refused:
        refused.message = "not found"
        raise
    issues.delete_issue(call.world, call.user, issue)
    return nothing()


async def lock(call: Call) -> web.Response:
    """Lock an issue."""
    _demand_admin(call)
    issues.set_lock(call.world, call.user, call.issue, locked=True)
    return nothing()


async def unlock(call: Call) -> web.Response:
    """Unlock an issue."""
    _demand_admin(call)
    issues.set_lock(call.world, call.user, call.issue, locked=False)
    return nothing()


def _demand_admin(call: Call) -> None:
    if call.right < Right.ADMIN:
        raise forbidden(NOT_REPOSITORY_ADMIN)


ROUTES: list[Route] = [
    ("GET", "/repos/issues/search", search),
    ("GET", f"{HOME}/issues", list_issues),
    ("POST", f"{HOME}/issues", create),
    ("GET", ONE, show),
    ("PATCH", ONE, edit),
    ("DELETE", ONE, delete),
    ("PUT", f"{ONE}/lock", lock),
    ("DELETE", f"{ONE}/lock", unlock),
]
