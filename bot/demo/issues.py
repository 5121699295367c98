"""Opening, editing, assigning, closing, locking and deleting issues (and pull requests)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.demo.labels import add_labels, known_labels
from bot.demo.notices import tell
from bot.demo.records import Issue, Milestone, Repository, Right, User
from bot.demo.references import touch_mentioned
from bot.demo.refusals import (
    NOT_REPOSITORY_ADMIN,
    Refused,
    forbidden,
    internal,
    not_found,
    required,
)
from bot.demo.world import World

STILL_BLOCKED = "cannot close this issue or pull request because it still has open dependencies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What to change about an issue; None leaves a thing as it is."""

    title: str | None = None
    body: str | None = None
    state: str | None = None
    assignees: Sequence[str] | None = None
    milestone: int | None = None
    content_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue to open."""

    title: str
    body: str = ""
    assignees: Sequence[str] = ()
    labels: Sequence[int] = ()
    milestone: int = 0
    closed: bool = False


def find_issue(repository: Repository, number: int) -> Issue:
    """By number; raises the plain 404."""
    try:
        return repository.issues[number]
    except KeyError:
        raise not_found() from None


def touch(world: World, issue: Issue) -> None:
    """Move `updated_at`."""
    issue.updated = world.state.now()


def new_record(world: World, doer: User, repository: Repository, title: str, body: str) -> Issue:
    """An issue with the next number of its repository, nobody told yet."""
    repository.last_number += 1
    now = world.state.now()
    issue = Issue(
        id=world.state.next_id("issue"),
        repository=repository,
        number=repository.last_number,
        poster=doer,
        title=title,
        body=body,
        created=now,
        updated=now,
    )
    repository.issues[issue.number] = issue
    touch_mentioned(world.state, f"{title}\n{body}", issue)
    return issue


def open_issue(world: World, doer: User, repository: Repository, draft: Draft) -> Issue:
    """Open an issue; who may not write cannot assign, label or plan it, which is ignored.

    With assignees, `issue_assign` goes out before `issues`/`opened`, for each of them.
    """
    world.demand(doer, repository, Right.READ)
    world.demand_live(repository)
    if not draft.title.strip():
        raise required("Title")
    writer = world.state.right(doer, repository) >= Right.WRITE
    people = _assignable(world, repository, draft.assignees) if writer else []
    issue = new_record(world, doer, repository, draft.title, draft.body)
    if writer:
        issue.milestone = repository.milestones.get(draft.milestone)
        issue.labels = known_labels(repository, draft.labels)
    for person in people:
        issue.assignees.append(person)
        tell(world, "assigned", issue, doer, "assign", unsaved=True)
    tell(world, "opened", issue, doer)
    if issue.labels:
        labels, issue.labels = issue.labels, []
        add_labels(world, issue, labels)
        tell(world, "label_updated", issue, doer, "label")
    if draft.closed:
        set_state(world, doer, issue, "closed")
    return issue


def _assignable(world: World, repository: Repository, logins: Sequence[str]) -> list[User]:
    people: list[User] = []
    for login in dict.fromkeys(logins):
        unknown = Refused(422, f"Assignee does not exist: [name: {login}]")
        person = world.person(login, unknown)
        if world.state.right(person, repository) < Right.READ:
            raise Refused(
                422,
                f"user doesn't have access to repo [user_id: {person.id}, "
                f"repo_name: {repository.name}]",
            )
        people.append(person)
    return people


def edit_issue(world: World, doer: User, issue: Issue, edit: Edit) -> None:
    """Change an issue, in Gitea's order: title, body, assignees, milestone, state.

    Its author may change text and state, a writer everything; what an author may not is ignored.
    Raises 409 for a stale `content_version`, and 412 for closing with open dependencies.
    """
    writer = world.state.right(doer, issue.repository) >= Right.WRITE
    if doer is not issue.poster and not writer:
        raise forbidden()
    if edit.content_version not in (None, issue.content_version):
        raise Refused(409, "the issue is already changed")
    if edit.title:
        _retitle(world, doer, issue, edit.title)
    if edit.body is not None:
        _rewrite(world, doer, issue, edit.body)
    if writer and edit.assignees is not None:
        assign(world, doer, issue, edit.assignees)
    if writer and edit.milestone is not None:
        _plan(world, doer, issue, edit.milestone)
    if edit.state is not None:
        if issue.pull is not None and issue.pull.merged_at is not None:
            raise Refused(412, "cannot change state of this pull request, it was already merged")
        set_state(world, doer, issue, edit.state)


def _retitle(world: World, doer: User, issue: Issue, title: str) -> None:
    if title == issue.title:
        return
    was, issue.title = issue.title, title
    touch(world, issue)
    touch_mentioned(world.state, title, issue)
    tell(world, "edited", issue, doer, changes={"title": was})


def _rewrite(world: World, doer: User, issue: Issue, body: str) -> None:
    # Gitea counts and announces a body that is sent again unchanged as well.
    was, issue.body = issue.body, body
    issue.content_version += 1
    touch(world, issue)
    touch_mentioned(world.state, body, issue)
    tell(world, "edited", issue, doer, changes={"body": was})


def assign(world: World, doer: User, issue: Issue, logins: Sequence[str]) -> None:
    """Make exactly these people the assignees; one event for each that goes or comes."""
    names = dict.fromkeys(login.lower() for login in logins)
    people = [world.person(name, internal()) for name in names]
    for person in [p for p in issue.assignees if p not in people]:
        issue.assignees.remove(person)
        touch(world, issue)
        tell(world, "unassigned", issue, doer, "assign")
    for person in [p for p in people if p not in issue.assignees]:
        if world.state.right(person, issue.repository) < Right.READ:
            raise internal()
        issue.assignees.append(person)
        touch(world, issue)
        tell(world, "assigned", issue, doer, "assign")


def _plan(world: World, doer: User, issue: Issue, milestone_id: int) -> None:
    before = issue.milestone
    wanted: Milestone | None = issue.repository.milestones.get(milestone_id)
    if milestone_id and wanted is None:
        raise internal()
    if wanted is before:
        return
    issue.milestone = wanted
    touch(world, issue)
    tell(world, "milestoned" if wanted else "demilestoned", issue, doer, "milestone")


def set_state(world: World, doer: User, issue: Issue, state: str, *, commit: str = "") -> None:
    """Close or reopen; nothing happens when it is so already."""
    if state not in ("open", "closed"):
        raise Refused(412, f"unknown state: {state}")
    if (state == "open") == issue.is_open:
        return
    if state == "closed" and issue.held_open:
        raise Refused(412, STILL_BLOCKED)
    issue.closed_at = world.state.now() if state == "closed" else None
    touch(world, issue)
    tell(world, "closed" if state == "closed" else "reopened", issue, doer, commit=commit)


def delete_issue(world: World, doer: User, issue: Issue) -> None:
    """Delete an issue with everything on it; takes an administrator of the repository."""
    world.demand(doer, issue.repository, Right.ADMIN, NOT_REPOSITORY_ADMIN)
    del issue.repository.issues[issue.number]
    world.state.untie([issue])
    tell(world, "deleted", issue, doer)


def set_lock(world: World, doer: User, issue: Issue, *, locked: bool) -> None:
    """Lock or unlock; no webhook tells of it."""
    world.demand(doer, issue.repository, Right.ADMIN, NOT_REPOSITORY_ADMIN)
    if issue.locked != locked:
        issue.locked = locked
        touch(world, issue)
