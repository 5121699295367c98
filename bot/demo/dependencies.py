"""Native dependencies: no webhook tells of them, but `updated_at` of both ends moves."""

from __future__ import annotations

from bot.demo.records import Issue, Repository, Right, User
from bot.demo.refusals import Refused, internal, no_issue, not_found
from bot.demo.world import World


def meant_issue(world: World, owner: str, name: str, number: int) -> Issue:
    """The issue another route's body names; raises the 404s of that route."""
    repository = world.state.repositories.get(f"{owner}/{name}".lower())
    if repository is None:
        raise not_found(
            "IsErrRepoNotExist",
            f"repository does not exist [id: 0, uid: 0, owner_name: {owner}, name: {name}]",
        )
    return issue_of(repository, number)


def issue_of(repository: Repository, number: int) -> Issue:
    """By number, with the 404 of the dependency routes."""
    issue = repository.issues.get(number)
    if issue is None:
        raise no_issue(repository.id, number)
    return issue


def add_dependency(world: World, doer: User, waiting: Issue, blocker: Issue) -> None:
    """Let one issue wait for another; 500 when it does already, or the other way round."""
    _demand_ends(world, doer, waiting, blocker)
    if blocker in waiting.blocked_by or (waiting in blocker.blocked_by and waiting is not blocker):
        raise _unexplained(doer)
    waiting.blocked_by.append(blocker)
    _touch(world, waiting, blocker)


def remove_dependency(world: World, doer: User, waiting: Issue, blocker: Issue) -> None:
    """Take a dependency back; 500 when there is none."""
    _demand_ends(world, doer, waiting, blocker)
    if blocker not in waiting.blocked_by:
        raise _unexplained(doer)
    waiting.blocked_by.remove(blocker)
    _touch(world, waiting, blocker)


def _demand_ends(world: World, doer: User, waiting: Issue, blocker: Issue) -> None:
    may_write = world.state.right(doer, waiting.repository) >= Right.WRITE
    may_read = world.state.right(doer, blocker.repository) >= Right.READ
    if not (may_write and may_read):
        raise not_found()


def _touch(world: World, *ends: Issue) -> None:
    for issue in ends:
        issue.updated = world.state.now()


def _unexplained(doer: User) -> Refused:
    return Refused(500, "issue dependency refused") if doer.is_admin else internal()
