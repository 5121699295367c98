"""An issue's timeline: its comments, and who added and removed its native dependencies.

Gitea's shows more: everything that happened to the issue. And it shows everybody what stands at
the other end of a dependency, title and text, also in a repository they may not see.
"""

from __future__ import annotations

from aiohttp import web

from bot.demo import shapes
from bot.demo.api.call import Call, counted
from bot.demo.api.comments import issue_or_500
from bot.demo.api.instance import Route
from bot.demo.api.issues import ONE, shown, within
from bot.demo.records import Comment, Entry, Issue, Right
from bot.demo.shapes import Json, moment

NOTHING_ELSE: Json = {
    "old_project_id": 0,
    "project_id": 0,
    "old_milestone": None,
    "milestone": None,
    "tracked_time": None,
    "old_title": "",
    "new_title": "",
    "old_ref": "",
    "new_ref": "",
    "ref_issue": None,
    "ref_comment": None,
    "ref_action": "none",
    "ref_commit_sha": "",
    "review_id": 0,
    "label": None,
    "assignee": None,
    "assignee_team": None,
    "removed_assignee": False,
    "resolve_doer": None,
}


async def timeline(call: Call) -> web.Response:
    """What happened, oldest first; null where nothing did. The total is that of the page."""
    issue = issue_or_500(call)
    since, before = call.moment("since"), call.moment("before")
    comments: list[Comment | Entry] = [
        comment for comment in issue.comments if within(comment.updated, since, before)
    ]
    entries = [entry for entry in issue.entries if within(entry.created, since, before)]
    found = sorted([*comments, *entries], key=lambda one: one.id)
    page, size = call.page()
    part = [_shown(call, issue, one) for one in found[(page - 1) * size : page * size]]
    return counted(part or None, len(part))


def _shown(call: Call, issue: Issue, one: Comment | Entry) -> Json:
    state = call.world.state
    if isinstance(one, Comment):
        kind, who, body, updated, other = "comment", one.poster, one.body, one.updated, None
    else:
        kind, who, body, updated = one.kind, one.doer, "", one.created
        other = _dependent(call, one.dependent)
    return {
        "id": one.id,
        "type": kind,
        **shapes.place_in_thread(state, issue, one.id),
        "user": shapes.user(state, who),
        "body": body,
        "created_at": moment(one.created),
        "updated_at": moment(updated),
        **NOTHING_ELSE,
        "dependent_issue": other,
    }


def _dependent(call: Call, other: Issue) -> Json | None:
    seen = call.world.state.right(call.doer, other.repository) >= Right.READ
    return shown(call, other) if seen else None


ROUTES: list[Route] = [("GET", f"{ONE}/timeline", timeline)]
