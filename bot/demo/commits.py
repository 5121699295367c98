"""Commits: writing files, closing the issues a message says to close, and telling hooks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bot.demo import payloads
from bot.demo.issues import set_state, touch
from bot.demo.records import Commit, File, Repository, Right, User
from bot.demo.references import closed_by, mentioned
from bot.demo.refusals import Refused, forbidden
from bot.demo.world import World


def new_commit(
    world: World, author: User, parent: Commit | None, files: dict[str, File], message: str
) -> Commit:
    """A commit of all these files, named as git would: by everything that went into it."""
    now = world.state.now()
    seed = f"{world.state.next_id('commit')} {parent.sha if parent else ''} {message} {now}"
    sha = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
    return Commit(sha, message, author, now, files, parent.sha if parent else None)


def write_files(
    world: World,
    doer: User,
    repository: Repository,
    changes: Mapping[str, File | None],
    *,
    branch: str = "",
    new_branch: str = "",
    message: str = "",
) -> Commit:
    """Commit files (None deletes one) to a branch, or to a new one made from it.

    Sends `create` for a new branch, `closed` for what that closes, and `push`.
    """
    world.demand_live(repository, "is not allowed to edit")
    if world.state.right(doer, repository) < Right.WRITE:
        raise forbidden("user should have a permission to write to the target branch")
    base = branch or repository.default_branch
    before = repository.branches.get(base)
    if before is None and repository.branches:
        words = f"branch does not exist [repo_id: {repository.id} name: {base}]"
        raise Refused(404, words, plain=True)
    old = dict(before.files) if before else {}
    files = {path: file for path, file in (old | dict(changes)).items() if file is not None}
    commit = new_commit(world, doer, before, files, message or f"Change {', '.join(changes)}")
    target = new_branch or base
    created = target not in repository.branches
    repository.branches[target] = commit
    repository.updated = world.state.now()
    if created:
        payload = payloads.create_branch(world.state, repository, target, doer)
        world.announce(repository, "create", payload)
    _act_on_issues(world, doer, repository, commit, close=target == repository.default_branch)
    announce_push(
        world,
        doer,
        repository,
        target,
        before=None if created else before,
        commits=[commit],
        old=old,
    )
    return commit


def _act_on_issues(
    world: World, doer: User, repository: Repository, commit: Commit, *, close: bool
) -> None:
    """Move `updated_at` of what a message names, and close what it says to close.

    At one that cannot be closed because it waits Gitea stops, whatever the message names after it.
    """
    state, message = world.state, commit.message
    ending = set(closed_by(state, message, repository)) if close else set()
    for issue in dict.fromkeys(mentioned(state, message, repository)):
        right = state.right(doer, issue.repository)
        if right < Right.READ:
            continue
        touch(world, issue)
        may = right >= Right.WRITE or issue.poster is doer
        if issue not in ending or issue.pull is not None or not may:
            continue
        if issue.held_open:
            return
        set_state(world, doer, issue, "closed", commit=commit.sha)


def announce_push(
    world: World,
    doer: User,
    repository: Repository,
    branch: str,
    *,
    before: Commit | None,
    commits: list[Commit],
    old: Mapping[str, File],
) -> None:
    """Send `push` for commits, newest first; `old` is what was there before them."""
    shown = [(commit, _changed(old, commit.files)) for commit in commits]
    payload = payloads.push(world.state, repository, branch, doer, before=before, commits=shown)
    world.announce(repository, "push", payload)


def _changed(old: Mapping[str, File], new: Mapping[str, File]) -> dict[str, list[str]]:
    return {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "modified": sorted(path for path in set(old) & set(new) if old[path] != new[path]),
    }
