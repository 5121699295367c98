"""Pull requests."""

from __future__ import annotations

from aiohttp import web

from bot.demo import pulls, shapes
from bot.demo.api.call import Call, answer, nothing, paged
from bot.demo.api.instance import Route
from bot.demo.api.repositories import HOME
from bot.demo.records import Issue
from bot.demo.refusals import Refused, not_found
from bot.demo.shapes import Json

ONE_PULL = f"{HOME}/pulls/{{index}}"


def _shown(call: Call, issue: Issue) -> Json:
    return shapes.pull(call.world.state, issue, call.doer)


def _pull(call: Call) -> Issue:
    return pulls.find_pull(call.repository, call.number("index"))


async def list_pulls(call: Call) -> web.Response:
    """Pull requests, newest first."""
    state = call.query("state") or "open"
    found = [
        issue
        for issue in reversed(call.repository.issues.values())
        if issue.pull is not None and (state == "all" or issue.is_open == (state == "open"))
    ]
    return paged(call, found, lambda issue: _shown(call, issue), link=True)


async def show(call: Call) -> web.Response:
    """One pull request."""
    return answer(_shown(call, _pull(call)))


async def create(call: Call) -> web.Response:
    """Open a pull request."""
    body = call.body
    made = pulls.open_pull(
        call.world,
        call.user,
        call.repository,
        title=body.text("title") or "",
        head=body.text("head") or "",
        base=body.text("base") or "",
        body=body.text("body") or "",
    )
    return answer(_shown(call, made), 201)


async def merge(call: Call) -> web.Response:
    """Merge a pull request; 200 without a body."""
    try:
        issue = _pull(call)
    except Refused:
        gone = (
            "pull request does not exist [id: 0, issue_id: 0, head_repo_id: 0, "
            f"base_repo_id: {call.repository.id}, head_branch: , base_branch: ]"
        )
        raise not_found("GetPullRequestByIndex", gone) from None
    pulls.merge(call.world, call.user, issue, call.body.text("Do") or "")
    return nothing(200)


async def is_merged(call: Call) -> web.Response:
    """204 when it is merged, else 404."""
    pull = _pull(call).pull
    if pull is None or pull.merged_at is None:
        raise not_found()
    return nothing()


ROUTES: list[Route] = [
    ("GET", f"{HOME}/pulls", list_pulls),
    ("POST", f"{HOME}/pulls", create),
    ("GET", ONE_PULL, show),
    ("GET", f"{ONE_PULL}/merge", is_merged),
    ("POST", f"{ONE_PULL}/merge", merge),
]
