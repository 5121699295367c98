"""Repositories, collaborators, branches and milestones."""

from __future__ import annotations

from aiohttp import web

from bot.demo import repositories, shapes
from bot.demo.api.call import Call, answer, counted, nothing, paged
from bot.demo.api.instance import Route, find_organization
from bot.demo.records import File, Repository, Right, User
from bot.demo.refusals import NOT_REPOSITORY_WRITER, Refused, forbidden, not_found
from bot.demo.repositories import Settings

ONLY_ADMINS = (
    "Only admins can query all permissions, repo admins can query all repo permissions, "
    "collaborators can query only their own"
)


def _shown(call: Call, repo: Repository) -> shapes.Json:
    return shapes.repository(call.world.state, repo, call.world.state.right(call.doer, repo))


async def show(call: Call) -> web.Response:
    """A repository."""
    return answer(_shown(call, call.repository))


async def show_by_id(call: Call) -> web.Response:
    """A repository, whatever it is called; 404 where the asker may not see it."""
    wanted = call.number("id")
    seen = call.world.state.visible(call.user)
    found = next((one for one in seen if one.id == wanted), None)
    if found is None:
        raise not_found()
    return answer(_shown(call, found))


async def create_mine(call: Call) -> web.Response:
    """A repository of the asker."""
    return _create(call, call.user)


async def create_in_organization(call: Call) -> web.Response:
    """A repository of an organisation."""
    return _create(call, find_organization(call))


def _create(call: Call, owner: User) -> web.Response:
    name = call.body.text("name") or ""
    readme = {"README.md": File.of(f"# {name}\n\n")} if call.body.flag("auto_init") else None
    made = repositories.create_repository(
        call.world,
        call.user,
        owner,
        name,
        private=bool(call.body.flag("private")),
        default_branch=call.body.text("default_branch") or "main",
        files=readme,
    )
    return answer(_shown(call, made), 201)


async def edit(call: Call) -> web.Response:
    """Rename, hide, describe, archive, or switch parts on and off."""
    repo, body = call.repository, call.body
    tracker = body.part("internal_tracker")
    wish = Settings(
        name=body.text("name"),
        private=body.flag("private"),
        description=body.text("description"),
        archived=body.flag("archived"),
        default_branch=body.text("default_branch"),
        has_issues=body.flag("has_issues"),
        dependencies_on=bool(tracker.flag("enable_issue_dependencies")) if tracker.fields else None,
    )
    repositories.edit_repository(call.world, call.user, repo, wish)
    return answer(_shown(call, repo))


async def transfer(call: Call) -> web.Response:
    """Give to another owner."""
    repo, login = call.repository, call.body.text("new_owner") or ""
    repositories.transfer_repository(call.world, call.user, repo, login)
    return answer(_shown(call, repo), 202)


async def delete(call: Call) -> web.Response:
    """Delete."""
    repositories.delete_repository(call.world, call.user, call.repository)
    return nothing()


async def collaborators(call: Call) -> web.Response:
    """Everybody who was added."""
    state = call.world.state
    known = {user.id: user for user in state.users.values()}
    people = [known[number] for number in call.repository.collaborators]
    return paged(call, people, lambda who: shapes.user(state, who, call.doer))


async def is_collaborator(call: Call) -> web.Response:
    """204 for somebody who was added, else 404."""
    login = call.text("login")
    who = call.world.person(login, Refused(422, f"user does not exist [uid: 0, name: {login}]"))
    if who.id not in call.repository.collaborators:
        raise not_found()
    return nothing()


async def add_collaborator(call: Call) -> web.Response:
    """Grant a right."""
    word = call.body.text("permission") or ""
    repositories.grant(call.world, call.user, call.repository, call.text("login"), word)
    return nothing()


async def remove_collaborator(call: Call) -> web.Response:
    """Take a right back."""
    repositories.grant(call.world, call.user, call.repository, call.text("login"), None)
    return nothing()


async def permission(call: Call) -> web.Response:
    """What somebody may do: one's own right, or anybody's for an administrator."""
    repo, login = call.repository, call.text("login")
    if login.lower() != call.user.login.lower() and call.right < Right.ADMIN:
        raise forbidden(ONLY_ADMINS)
    who = call.world.state.user(login)
    if who is None:
        raise Refused(404, f"user does not exist [uid: 0, name: {login}]", plain=True)
    word = call.world.state.right(who, repo).word
    shown = shapes.user(call.world.state, who, repo.owner)
    return answer({"permission": word, "role_name": word, "user": shown})


async def assignees(call: Call) -> web.Response:
    """Who can be assigned: everybody with a right of their own, and the owners."""
    state, repo = call.world.state, call.repository
    people = [
        who
        for who in state.users.values()
        if not who.is_organization
        and (repo.collaborators.get(who.id, Right.NONE) >= Right.WRITE or who in repo.owner.owners)
    ]
    shown = [who for who in people if who is not repo.owner]
    owner = [] if repo.owner.is_organization else [repo.owner]
    ordered = sorted(owner + shown, key=lambda who: who.login)
    return answer([shapes.user(state, who, call.doer) for who in ordered])


async def branches(call: Call) -> web.Response:
    """All branches."""
    repo = call.repository
    if not repo.branches:
        return counted(None, 0)
    names = sorted(repo.branches)
    return paged(call, names, lambda name: shapes.branch(call.world.state, repo, name, call.right))


async def show_branch(call: Call) -> web.Response:
    """One branch."""
    repo, name = call.repository, call.text("branch")
    if name not in repo.branches:
        raise not_found()
    return answer(shapes.branch(call.world.state, repo, name, call.right))


async def milestones(call: Call) -> web.Response:
    """All milestones."""
    repo = call.repository
    return paged(
        call, list(repo.milestones.values()), lambda one: shapes.milestone(repo, one), link=True
    )


async def show_milestone(call: Call) -> web.Response:
    """One milestone."""
    found = call.repository.milestones.get(call.number("id"))
    if found is None:
        raise not_found()
    return answer(shapes.milestone(call.repository, found))


async def create_milestone(call: Call) -> web.Response:
    """A new milestone."""
    call.world.demand(call.user, call.repository, Right.WRITE, NOT_REPOSITORY_WRITER)
    title = call.body.text("title") or ""
    made = repositories.create_milestone(call.world, call.user, call.repository, title)
    return answer(shapes.milestone(call.repository, made), 201)


HOME = "/repos/{owner}/{repo}"
ROUTES: list[Route] = [
    ("GET", HOME, show),
    ("GET", "/repositories/{id}", show_by_id),
    ("PATCH", HOME, edit),
    ("DELETE", HOME, delete),
    ("POST", f"{HOME}/transfer", transfer),
    ("POST", "/user/repos", create_mine),
    ("POST", "/orgs/{org}/repos", create_in_organization),
    ("GET", f"{HOME}/collaborators", collaborators),
    ("GET", f"{HOME}/collaborators/{{login}}", is_collaborator),
    ("PUT", f"{HOME}/collaborators/{{login}}", add_collaborator),
    ("DELETE", f"{HOME}/collaborators/{{login}}", remove_collaborator),
    ("GET", f"{HOME}/collaborators/{{login}}/permission", permission),
    ("GET", f"{HOME}/assignees", assignees),
    ("GET", f"{HOME}/branches", branches),
    ("GET", f"{HOME}/branches/{{branch:.+}}", show_branch),
    ("GET", f"{HOME}/milestones", milestones),
    ("POST", f"{HOME}/milestones", create_milestone),
    ("GET", f"{HOME}/milestones/{{id}}", show_milestone),
]
