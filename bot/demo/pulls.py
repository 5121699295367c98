"""Pull requests within one repository: opening and merging."""

from __future__ import annotations

from bot.demo.commits import announce_push, new_commit
from bot.demo.issues import find_issue, new_record, set_state, touch
from bot.demo.notices import tell
from bot.demo.records import Issue, Pull, Repository, Right, User
from bot.demo.references import closed_by
from bot.demo.refusals import Refused, internal, not_found, required
from bot.demo.world import World

STYLES = ("merge", "rebase", "rebase-merge", "squash", "fast-forward-only", "manually-merged")


def find_pull(repository: Repository, number: int) -> Issue:
    """A pull request by number; raises the plain 404 also for a plain issue."""
    issue = find_issue(repository, number)
    if issue.pull is None:
        raise not_found()
    return issue


def open_pull(
    world: World,
    doer: User,
    repository: Repository,
    *,
    title: str,
    head: str,
    base: str,
    body: str = "",
) -> Issue:
    """Propose to merge branch `head` into `base`."""
    world.demand(doer, repository, Right.READ)
    world.demand_live(repository)
    if not title:
        raise required("Title")
    if head not in repository.branches or base not in repository.branches:
        raise not_found()
    for other in repository.issues.values():
        pull = other.pull
        if pull and other.is_open and (pull.head, pull.base) == (head, base):
            raise Refused(
                409,
                f"pull request already exists for these targets [id: {pull.id}, "
                f"issue_id: {other.id}, head_repo_id: {repository.id}, "
                f"base_repo_id: {repository.id}, head_branch: {head}, base_branch: {base}]",
            )
    issue = new_record(world, doer, repository, title, body)
    issue.pull = Pull(
        id=world.state.next_id("pull"),
        head=head,
        base=base,
        head_sha=repository.branches[head].sha,
        base_sha=repository.branches[base].sha,
    )
    tell(world, "opened", issue, doer)
    return issue


def merge(world: World, doer: User, issue: Issue, style: str) -> None:
    """Merge a pull request; sends its `closed`, those of issues it closes, and `push`."""
    pull, repository = issue.pull, issue.repository
    assert pull is not None
    world.demand_live(repository)
    if style not in STYLES:
        raise Refused(422, "[Do]: In")
    if world.state.right(doer, repository) < Right.WRITE:
        raise Refused(405, "User not allowed to merge PR")
    if pull.merged_at is not None:
        raise Refused(405, "The PR is already merged")
    if not issue.is_open:
        raise not_found()
    if any(blocker.is_open for blocker in issue.blocked_by):
        raise internal()
    before, head = repository.branches[pull.base], repository.branches[pull.head]
    message = f"Merge pull request '{issue.title}' (#{issue.number}) from {pull.head}"
    commit = new_commit(
        world, doer, before, before.files | head.files, f"{message} into {pull.base}"
    )
    repository.branches[pull.base] = commit
    pull.merged_at = issue.closed_at = world.state.now()
    pull.merged_by, pull.merge_sha = doer, commit.sha
    touch(world, issue)
    tell(world, "closed", issue, doer)
    for other in _to_close(world, issue, head.message):
        set_state(world, doer, other, "closed", commit=commit.sha)
    announce_push(
        world,
        doer,
        repository,
        pull.base,
        before=before,
        commits=[commit, head],
        old=before.files,
    )


def _to_close(world: World, issue: Issue, commit_message: str) -> list[Issue]:
    text = f"{issue.title}\n{issue.body}\n{commit_message}"
    found = dict.fromkeys(closed_by(world.state, text, issue.repository))
    return [one for one in found if one.is_open and not one.held_open]
