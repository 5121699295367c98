"""Native dependencies: no webhook tells of them, but `updated_at` of both ends moves.

What a repository has stays when they are switched off in it, and counts again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.demo.records import Entry, Issue, Repository, Right, User
from bot.demo.refusals import Refused, internal, no_issue, not_found
from bot.demo.world import World


def meant_issue(world: World, here: Repository, owner: str, name: str, number: int) -> Issue:
    """The issue the body of a request in `here` names; raises the 404s of that route.

    Where crossing repositories is forbidden, a name in another case is another repository.
    """
    if (owner, name) == (here.owner.login, here.name):
        return issue_of(here, number)
    if not world.state.cross_repository:
        raise Refused(400, "CrossRepositoryDependencies not enabled", only_words=True)
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
    _note(world, doer, "add_dependency", waiting, blocker)


def remove_dependency(world: World, doer: User, waiting: Issue, blocker: Issue) -> None:
    """Take a dependency back; 500 when there is none."""
    _demand_ends(world, doer, waiting, blocker)
    if blocker not in waiting.blocked_by:
        raise _unexplained(doer)
    waiting.blocked_by.remove(blocker)
    _note(world, doer, "remove_dependency", waiting, blocker)


def in_order(home: Repository, issues: Iterable[Issue]) -> list[Issue]:
    """As Gitea lists them: those of the same repository first, and the newest."""

    def place(issue: Issue) -> tuple[int, float, int]:
        where = 0 if issue.repository is home else issue.repository.id
        return where, -issue.created.timestamp(), issue.id

    return sorted(issues, key=place)


def _demand_ends(world: World, doer: User, waiting: Issue, blocker: Issue) -> None:
    if waiting.repository.archived or not waiting.repository.dependencies_on:
        raise not_found()
    may_write = world.state.right(doer, waiting.repository) >= Right.WRITE
    may_read = world.state.right(doer, blocker.repository) >= Right.READ
    if not (may_write and may_read):
        raise not_found()


def _note(world: World, doer: User, kind: str, waiting: Issue, blocker: Issue) -> None:
    """Move both ends, and let the timeline of each name the other."""
    for issue, other in ((waiting, blocker), (blocker, waiting)):
        issue.updated = world.state.now()
        number = world.state.next_id("comment")
        waits = issue is waiting
        issue.entries.append(Entry(number, kind, doer, issue.updated, other, waits))


def _unexplained(doer: User) -> Refused:
    return Refused(500, "issue dependency refused") if doer.is_admin else internal()
