"""Comments and reactions."""

from __future__ import annotations

from aiohttp import web

from bot.demo import comments, shapes
from bot.demo.api.call import Call, answer, counted, nothing, paged
from bot.demo.api.instance import Route
from bot.demo.api.issues import ONE, within
from bot.demo.api.repositories import HOME
from bot.demo.records import Comment, Issue, Reaction
from bot.demo.refusals import internal, not_found, required
from bot.demo.shapes import Json

COMMENT = f"{HOME}/issues/comments/{{id}}"


def issue_or_500(call: Call) -> Issue:
    """The issue of the path; 500, not 404, where comments of an unknown one are asked for."""
    repository = call.repository
    found = repository.issues.get(call.number("index"))
    if found is None:
        raise internal()
    if found not in repository.shown_issues:
        raise not_found()
    return found


def _shown(call: Call, comment: Comment) -> Json:
    return shapes.comment(call.world.state, comment)


async def list_of_issue(call: Call) -> web.Response:
    """All comments of an issue, oldest first: this list is not paged, whatever is asked."""
    since, before = call.moment("since"), call.moment("before")
    found = [c for c in issue_or_500(call).comments if within(c.updated, since, before)]
    return counted([_shown(call, comment) for comment in found], len(found))


async def list_of_repository(call: Call) -> web.Response:
    """All comments of a repository, oldest first, paged."""
    since, before = call.moment("since"), call.moment("before")
    found = [
        comment
        for issue in call.repository.shown_issues
        for comment in issue.comments
        if within(comment.updated, since, before)
    ]
    found.sort(key=lambda comment: comment.id)
    return paged(call, found, lambda comment: _shown(call, comment))


async def create(call: Call) -> web.Response:
    """Comment on an issue."""
    text = call.body.text("body") or ""
    if not text:
        raise required("Body")
    made = comments.add_comment(call.world, call.user, issue_or_500(call), text)
    return answer(_shown(call, made), 201)


async def show(call: Call) -> web.Response:
    """One comment."""
    return answer(_shown(call, _comment(call)))


async def edit(call: Call) -> web.Response:
    """Change a comment."""
    comment = _comment(call)
    comments.edit_comment(call.world, call.user, comment, call.body.text("body") or "")
    return answer(_shown(call, comment))


async def delete(call: Call) -> web.Response:
    """Delete a comment."""
    comments.delete_comment(call.world, call.user, _comment(call))
    return nothing()


def _comment(call: Call) -> Comment:
    return comments.find_comment(call.repository, call.number("id"))


def _reactions(call: Call, reactions: list[Reaction]) -> list[Json] | None:
    state = call.world.state
    return [shapes.reaction(state, one, call.doer) for one in reactions] or None


async def issue_reactions(call: Call) -> web.Response:
    """Reactions to an issue; null where there are none."""
    found = call.issue.reactions
    return counted(_reactions(call, found), len(found))


async def comment_reactions(call: Call) -> web.Response:
    """Reactions to a comment; null where there are none."""
    return answer(_reactions(call, _comment(call).reactions))


async def react_to_issue(call: Call) -> web.Response:
    """React to an issue: 201, or 200 for a reaction that is there."""
    return _react(call, call.issue, call.issue.reactions)


async def react_to_comment(call: Call) -> web.Response:
    """React to a comment."""
    comment = _comment(call)
    return _react(call, comment.issue, comment.reactions)


def _react(call: Call, issue: Issue, reactions: list[Reaction]) -> web.Response:
    content = call.body.text("content") or ""
    one, new = comments.react(call.world, call.user, issue, reactions, content)
    return answer(shapes.reaction(call.world.state, one, call.user), 201 if new else 200)


async def unreact_to_issue(call: Call) -> web.Response:
    """Take a reaction to an issue back."""
    return _unreact(call, call.issue, call.issue.reactions)


async def unreact_to_comment(call: Call) -> web.Response:
    """Take a reaction to a comment back."""
    comment = _comment(call)
    return _unreact(call, comment.issue, comment.reactions)


def _unreact(call: Call, issue: Issue, reactions: list[Reaction]) -> web.Response:
    content = call.body.text("content") or ""
    comments.unreact(call.world, call.user, issue, reactions, content)
    return nothing()


ROUTES: list[Route] = [
    ("GET", f"{HOME}/issues/comments", list_of_repository),
    ("GET", COMMENT, show),
    ("PATCH", COMMENT, edit),
    ("DELETE", COMMENT, delete),
    ("GET", f"{COMMENT}/reactions", comment_reactions),
    ("POST", f"{COMMENT}/reactions", react_to_comment),
    ("DELETE", f"{COMMENT}/reactions", unreact_to_comment),
    ("GET", f"{ONE}/comments", list_of_issue),
    ("POST", f"{ONE}/comments", create),
    ("GET", f"{ONE}/reactions", issue_reactions),
    ("POST", f"{ONE}/reactions", react_to_issue),
    ("DELETE", f"{ONE}/reactions", unreact_to_issue),
]
