"""The bodies of webhooks, one function per family of events.

Shapes and quirks as recorded from 1.26.3: an assignment made while an issue is opened carries
the times of 1970; replaced labels are announced with an empty list, cleared ones with the old.
"""

from __future__ import annotations

from bot.demo import shapes
from bot.demo.records import Comment, Commit, Issue, Repository, Right, User
from bot.demo.shapes import EPOCH, Json
from bot.demo.state import State

NO_COMMIT = "0" * 40
WITH_SENDERS_RIGHTS = {"assigned", "unassigned", "milestoned", "demilestoned", "deleted"}


def issue_event(
    state: State,
    action: str,
    issue: Issue,
    sender: User,
    *,
    changes: dict[str, str] | None = None,
    commit: str = "",
    unsaved: bool = False,
    labels: list[Json] | None = None,
) -> Json:
    """`issues`, `issue_assign`, `issue_label` and `issue_milestone`, or those of a pull request.

    `changes` maps `title` or `body` to what stood there; `labels` is shown in place of its labels.
    """
    if issue.pull is not None:
        return _pull_event(state, action, issue, sender, changes=changes, commit=commit)
    shown = shapes.issue(state, issue, sender)
    if labels is not None:
        shown["labels"] = labels
    if unsaved:
        shown |= {"created_at": EPOCH, "updated_at": EPOCH}
    return {
        "action": action,
        "number": issue.number,
        **_changes(changes),
        "issue": shown,
        "repository": _repository_of(state, action, issue, sender),
        "sender": shapes.user(state, sender),
        "commit_id": commit,
    }


def _pull_event(
    state: State,
    action: str,
    issue: Issue,
    sender: User,
    *,
    changes: dict[str, str] | None,
    commit: str,
) -> Json:
    return {
        "action": action,
        "number": issue.number,
        **_changes(changes),
        "pull_request": shapes.pull(state, issue, sender),
        "requested_reviewer": None,
        "repository": _repository_of(state, action, issue, sender),
        "sender": shapes.user(state, sender),
        "commit_id": commit,
        "review": None,
    }


def comment_event(
    state: State, action: str, comment: Comment, sender: User, *, was: str | None = None
) -> Json:
    """`issue_comment` and `pull_request_comment`; `was` is the body before an edit."""
    issue = comment.issue
    on_pull = issue.pull is not None
    return {
        "action": action,
        "issue": shapes.issue(state, issue, sender),
        **({"pull_request": shapes.pull(state, issue, sender)} if on_pull else {}),
        "comment": shapes.comment(state, comment),
        **_changes(None if was is None else {"body": was}),
        "repository": _repository(state, issue.repository, sender),
        "sender": shapes.user(state, sender),
        "is_pull": on_pull,
    }


def push(
    state: State,
    repo: Repository,
    branch: str,
    sender: User,
    *,
    before: Commit | None,
    commits: list[tuple[Commit, dict[str, list[str]]]],
) -> Json:
    """`push`: the commits, newest first, each with the paths it changed."""
    shown = [shapes.push_commit(state, repo, one, changed) for one, changed in commits]
    after = commits[0][0]
    start = before.sha if before else after.parent or NO_COMMIT
    return {
        "ref": f"refs/heads/{branch}",
        "before": before.sha if before else NO_COMMIT,
        "after": after.sha,
        "compare_url": f"{state.url}/{repo.full_name}/compare/{start}...{after.sha}",
        "commits": shown,
        "total_commits": len(shown),
        "head_commit": shown[0],
        "repository": shapes.repository(state, repo, Right.OWNER),
        "pusher": shapes.user(state, sender),
        "sender": shapes.user(state, sender),
    }


def create_branch(state: State, repo: Repository, branch: str, sender: User) -> Json:
    """`create`, for a branch."""
    return {
        "sha": repo.branches[branch].sha,
        "ref": branch,
        "ref_type": "branch",
        "repository": shapes.repository(state, repo, Right.NONE),
        "sender": shapes.user(state, sender),
    }


def repository_event(state: State, action: str, repo: Repository, sender: User) -> Json:
    """`repository`: created or deleted."""
    return {
        "action": action,
        "repository": shapes.repository(state, repo, Right.OWNER),
        "organization": shapes.user(state, repo.owner),
        "sender": shapes.user(state, sender),
    }


def _repository_of(state: State, action: str, issue: Issue, sender: User) -> Json:
    # Gitea shows the rights of the sender for some actions, of the issue's author for others.
    merged = issue.pull is not None and issue.pull.merged_at is not None
    whose = sender if action in WITH_SENDERS_RIGHTS or merged else issue.poster
    return _repository(state, issue.repository, whose)


def _repository(state: State, repo: Repository, seen_by: User) -> Json:
    return shapes.repository(state, repo, state.right(seen_by, repo))


def _changes(old: dict[str, str] | None) -> Json:
    if old is None:
        return {}
    parts: Json = {key: {"from": value} for key, value in old.items()}
    return {"changes": {**parts, "added_labels": None, "removed_labels": None}}
