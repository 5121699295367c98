"""Telling hooks what happened to an issue or a comment."""

from __future__ import annotations

from bot.demo import payloads
from bot.demo.records import Comment, Issue, User
from bot.demo.shapes import Json
from bot.demo.world import World


def tell(
    world: World,
    action: str,
    issue: Issue,
    doer: User,
    part: str = "",
    *,
    changes: dict[str, str] | None = None,
    commit: str = "",
    unsaved: bool = False,
    labels: list[Json] | None = None,
) -> None:
    """Announce an event; `part` is `assign`, `label` or `milestone` where it is about that.

    `changes` is what stood there before, `labels` what is shown in place of the real ones.
    """
    payload = payloads.issue_event(
        world.state,
        action,
        issue,
        doer,
        changes=changes,
        commit=commit,
        unsaved=unsaved,
        labels=labels,
    )
    world.announce(issue.repository, _event_type(issue, part), payload)


def tell_comment(
    world: World, action: str, comment: Comment, doer: User, *, was: str | None = None
) -> None:
    """Announce what happened to a comment; `was` is its text before an edit."""
    payload = payloads.comment_event(world.state, action, comment, doer, was=was)
    world.announce(comment.issue.repository, _event_type(comment.issue, "comment"), payload)


def _event_type(issue: Issue, part: str) -> str:
    if issue.pull is not None:
        return f"pull_request_{part}" if part else "pull_request"
    return f"issue_{part}" if part else "issues"
