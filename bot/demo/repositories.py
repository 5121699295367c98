"""Users, organisations, repositories, and who may do what in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.demo import payloads
from bot.demo.commits import new_commit
from bot.demo.records import File, Milestone, Repository, Right, Team, User
from bot.demo.refusals import (
    NOT_REPOSITORY_ADMIN,
    NOT_REPOSITORY_WRITER,
    Refused,
    forbidden,
    internal,
    required,
)
from bot.demo.world import World

NO_NEW_OWNER = "The new owner does not exist or cannot be found"
RIGHTS = {"read": Right.READ, "write": Right.WRITE, "admin": Right.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to change about a repository; None leaves a thing as it is."""

    name: str | None = None
    private: bool | None = None
    description: str | None = None
    archived: bool | None = None
    default_branch: str | None = None
    has_issues: bool | None = None
    dependencies_on: bool | None = None


def create_user(
    world: World, login: str, *, admin: bool = False, email: str = "", password: str = ""
) -> User:
    """A new person (or bot); 422 when the name is taken."""
    made = _new_user(world, login)
    made.password = password
    made.is_admin, made.email = admin, email or f"{login}@example.test"
    return made


def create_organization(world: World, owner: User, login: str, full_name: str = "") -> User:
    """A new organisation that `owner` owns."""
    made = _new_user(world, login)
    made.is_organization, made.full_name = True, full_name
    made.owners.append(owner)
    create_team(world, made, "Owners", Right.OWNER, all_repositories=True).members.append(owner)
    return made


def delete_user(world: World, doer: User, user: User) -> None:
    """Delete a person, who may own nothing and be in no organisation; what they wrote stays."""
    if user.is_organization:
        raise Refused(422, f"{user.login} is an organization not a user")
    if user is doer:
        raise Refused(422, "you cannot delete yourself")
    if any(repo.owner is user for repo in world.state.repositories.values()):
        raise Refused(422, f"user still has ownership of repositories [uid: {user.id}]")
    if any(user in team.members for team in world.state.teams.values()):
        raise Refused(422, f"user still has membership of organizations [uid: {user.id}]")
    world.state.drop_user(user)


def _new_user(world: World, login: str) -> User:
    if not login:
        raise required("UserName")
    if world.state.user(login) is not None:
        raise Refused(422, f"user already exists [name: {login}]")
    user = User(world.state.next_id("user"), login, world.state.now())
    world.state.file_user(user, login)
    return user


def create_team(
    world: World,
    organization: User,
    name: str,
    right: Right,
    *,
    description: str = "",
    all_repositories: bool = False,
) -> Team:
    """A new team; 422 when the name is taken there."""
    if not name:
        raise required("Name")
    if name.lower() in {team.name.lower() for team in world.state.teams_of(organization)}:
        raise Refused(422, f"team already exists [org_id: {organization.id}, name: {name}]")
    number = world.state.next_id("team")
    made = Team(number, organization, name, right, description, all_repositories)
    world.state.teams[number] = made
    return made


def rename_organization(world: World, organization: User, login: str) -> None:
    """Give an organisation another name; the old one redirects. No webhook tells of it."""
    if not login:
        raise required("NewName")
    if world.state.user(login) not in (None, organization):
        raise Refused(422, f"user already exists [name: {login}]")
    world.state.file_user(organization, login)


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


def edit_repository(world: World, doer: User, repository: Repository, wish: Settings) -> None:
    """Rename, hide, describe, archive; no webhook tells of it, and no `updated_at` moves.

    Dependencies are switched off and on with the issues: issues switched on again have them.
    """
    world.demand(doer, repository, Right.ADMIN, NOT_REPOSITORY_ADMIN)
    if wish.name is not None and wish.name != repository.name:
        _demand_free(world, repository, repository.owner, wish.name)
        world.state.file_repository(repository, wish.name)
    if wish.private is not None:
        repository.private = wish.private
    if wish.description is not None:
        repository.description = wish.description
    if wish.default_branch in repository.branches:
        repository.default_branch = wish.default_branch
    if wish.archived is not None:
        repository.archived_at = world.state.now() if wish.archived else None
    if wish.has_issues is not None:
        repository.dependencies_on |= not wish.has_issues
        repository.has_issues = wish.has_issues
        if wish.has_issues and wish.dependencies_on is not None:
            repository.dependencies_on = wish.dependencies_on


def _demand_free(world: World, taker: Repository | None, owner: User, name: str) -> None:
    if world.state.repositories.get(f"{owner.login}/{name}".lower()) not in (None, taker):
        raise Refused(422, f"repository already exists [uname: {owner.login}, name: {name}]")


def transfer_repository(world: World, doer: User, repository: Repository, login: str) -> None:
    """Give a repository to another owner at once, who need not agree; no webhook tells of it."""
    _demand_owner(world, doer, repository)
    owner = world.state.user(login)
    if owner is None:
        raise Refused(404, NO_NEW_OWNER, plain=True)
    _demand_free(world, None, owner, repository.name)
    world.state.file_repository(repository, repository.name, owner)


def delete_repository(world: World, doer: User, repository: Repository) -> None:
    """Delete a repository with its issues and hooks; its own hooks are not told of it."""
    _demand_owner(world, doer, repository)
    for hook in [h for h in world.state.hooks.values() if h.repository is repository]:
        del world.state.hooks[hook.id]
    payload = payloads.repository_event(world.state, "deleted", repository, doer)
    world.announce(repository, "repository", payload)
    world.state.drop_repository(repository)
    world.state.untie(repository.issues.values())


def _demand_owner(world: World, doer: User, repository: Repository) -> None:
    world.demand(doer, repository, Right.OWNER, "user should be the owner of the repo")


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
