"""Users, organisations, repositories, and who may do what in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.demo import payloads
from bot.demo.commits import new_commit
from bot.demo.records import File, Milestone, Repository, Right, User
from bot.demo.refusals import (
    NOT_REPOSITORY_ADMIN,
    NOT_REPOSITORY_WRITER,
    Refused,
    forbidden,
    internal,
    required,
)
from bot.demo.world import World

RIGHTS = {"read": Right.READ, "write": Right.WRITE, "admin": Right.ADMIN}


def create_user(world: World, login: str, *, admin: bool = False, email: str = "") -> User:
    """A new person (or bot); 422 when the name is taken."""
    made = _new_user(world, login)
    made.is_admin, made.email = admin, email or f"{login}@example.test"
    return made


def create_organization(world: World, owner: User, login: str, full_name: str = "") -> User:
    """A new organisation that `owner` owns."""
    made = _new_user(world, login)
    made.is_organization, made.full_name = True, full_name
    made.owners.append(owner)
    return made


def _new_user(world: World, login: str) -> User:
    if not login:
        raise required("UserName")
    if world.state.user(login) is not None:
        raise Refused(422, f"user already exists [name: {login}]")
    user = User(world.state.next_id("user"), login, world.state.now())
    world.state.users[login.lower()] = user
    return user


def create_repository(
    world: World,
    doer: User,
    owner: User,
    name: str,
    *,
    private: bool = False,
    default_branch: str = "main",
    files: Mapping[str, File] | None = None,
) -> Repository:
    """A new repository; empty without `files`."""
    if owner is not doer and doer not in owner.owners and not doer.is_admin:
        raise forbidden("User is not allowed to create repositories in this organization.")
    if not re.fullmatch(r"[\w.-]+", name):
        raise Refused(422, "[Name]: AlphaDashDot" if name else "[Name]: Required")
    if f"{owner.login}/{name}".lower() in world.state.repositories:
        raise Refused(409, "The repository with the same name already exists.")
    now = world.state.now()
    repository = Repository(
        world.state.next_id("repository"), owner, name, now, now, private=private
    )
    repository.default_branch = default_branch
    world.state.file_repository(repository, name)
    if files is not None:
        first = new_commit(world, doer, None, dict(files), "Initial commit")
        repository.branches[default_branch] = first
    payload = payloads.repository_event(world.state, "created", repository, doer)
    world.announce(repository, "repository", payload)
    return repository


def edit_repository(
    world: World,
    doer: User,
    repository: Repository,
    *,
    name: str | None = None,
    private: bool | None = None,
    description: str | None = None,
) -> None:
    """Rename (the old name redirects), hide or describe a repository; no webhook tells of it."""
    world.demand(doer, repository, Right.ADMIN, NOT_REPOSITORY_ADMIN)
    if name is not None and name != repository.name:
        if f"{repository.owner.login}/{name}".lower() in world.state.repositories:
            owner = repository.owner.login
            raise Refused(422, f"repository already exists [uname: {owner}, name: {name}]")
        world.state.file_repository(repository, name)
    repository.private = repository.private if private is None else private
    repository.description = repository.description if description is None else description
    repository.updated = world.state.now()


def delete_repository(world: World, doer: User, repository: Repository) -> None:
    """Delete a repository with its issues and hooks."""
    world.demand(doer, repository, Right.OWNER, "user should be the owner of the repo")
    payload = payloads.repository_event(world.state, "deleted", repository, doer)
    world.announce(repository, "repository", payload)
    del world.state.repositories[repository.full_name.lower()]
    for hook in [h for h in world.state.hooks.values() if h.repository is repository]:
        del world.state.hooks[hook.id]
    for issue in world.state.issues():
        issue.blocked_by = [b for b in issue.blocked_by if b.repository is not repository]


def grant(world: World, doer: User, repository: Repository, login: str, word: str | None) -> None:
    """Make somebody a collaborator (`read`, `write`, `admin`; empty is `write`), or none (None)."""
    world.demand(doer, repository, Right.ADMIN, NOT_REPOSITORY_ADMIN)
    person = world.person(login, Refused(422, f"user does not exist [uid: 0, name: {login}]"))
    if word is None:
        repository.collaborators.pop(person.id, None)
        return
    right = RIGHTS.get(word or "write")
    if right is None:
        raise internal()
    repository.collaborators[person.id] = right


def create_milestone(world: World, doer: User, repository: Repository, title: str) -> Milestone:
    """A new milestone."""
    world.demand(doer, repository, Right.WRITE, NOT_REPOSITORY_WRITER)
    made = Milestone(world.state.next_id("milestone"), title, world.state.now())
    repository.milestones[made.id] = made
    return made
