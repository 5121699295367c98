"""The instance itself, users and organisations."""

from __future__ import annotations

from aiohttp import web

from bot.demo import repositories, shapes
from bot.demo.api.call import Call, Handler, answer, nothing, paged
from bot.demo.records import Right, User
from bot.demo.refusals import Refused, forbidden

VERSION = "1.26.3"
Route = tuple[str, str, Handler]


async def version(_: Call) -> web.Response:
    """Which Gitea this behaves like."""
    return answer({"version": VERSION})


async def api_settings(_: Call) -> web.Response:
    """The sizes of pages."""
    return answer(
        {
            "max_response_items": 50,
            "default_paging_num": 30,
            "default_git_trees_per_page": 1000,
            "default_max_blob_size": 10485760,
            "default_max_response_size": 104857600,
        }
    )


async def myself(call: Call) -> web.Response:
    """Who the token belongs to."""
    return answer(shapes.user(call.world.state, call.user, call.user))


async def show_user(call: Call) -> web.Response:
    """Somebody by login."""
    who = call.world.state.user(call.text("login"))
    if who is None:
        raise call.no_user(call.text("login"))
    return answer(shapes.user(call.world.state, who, call.doer))


async def create_user(call: Call) -> web.Response:
    """A new user, by an administrator."""
    demand_site_admin(call)
    made = repositories.create_user(
        call.world,
        call.body.text("username") or "",
        email=call.body.text("email") or "",
        password=call.body.text("password") or "",
    )
    return answer(shapes.user(call.world.state, made, call.user), 201)


async def edit_user(call: Call) -> web.Response:
    """Make somebody an administrator or none, or switch them off, by an administrator."""
    demand_site_admin(call)
    who = find_user(call)
    admin, off = call.body.flag("admin"), call.body.flag("prohibit_login")
    who.is_admin = who.is_admin if admin is None else admin
    who.switched_off = who.switched_off if off is None else off
    who.login_name = call.body.text("login_name") or ""
    return answer(shapes.user(call.world.state, who, call.user))


async def delete_user(call: Call) -> web.Response:
    """Delete somebody, by an administrator."""
    demand_site_admin(call)
    repositories.delete_user(call.world, call.user, find_user(call))
    return nothing()


async def create_organization(call: Call) -> web.Response:
    """A new organisation of the asker."""
    made = repositories.create_organization(
        call.world,
        call.user,
        call.body.text("username") or "",
        call.body.text("full_name") or "",
    )
    return answer(shapes.organization(call.world.state, made), 201)


async def show_organization(call: Call) -> web.Response:
    """An organisation by name."""
    return answer(shapes.organization(call.world.state, find_organization(call)))


async def rename_organization(call: Call) -> web.Response:
    """Give an organisation another name."""
    organization = find_organization(call)
    demand_organization_owner(call, organization)
    login = call.body.text("new_name") or ""
    repositories.rename_organization(call.world, organization, login)
    return nothing()


async def my_repositories(call: Call) -> web.Response:
    """The repositories the asker owns, or may do more in than everybody."""
    state = call.world.state
    mine = [
        repo
        for repo in state.visible(call.user)
        if repo.owner is call.user
        or call.user in repo.owner.owners
        or repo.collaborators.get(call.user.id, Right.NONE) > state.right(None, repo)
    ]
    return paged(
        call,
        mine,
        lambda repo: shapes.repository(state, repo, state.right(call.user, repo)),
        link=True,
    )


async def organizations_of(call: Call) -> web.Response:
    """The organisations in which somebody is in a team."""
    who, state = find_user(call), call.world.state
    teams = [team for team in state.teams.values() if who in team.members]
    found = list({team.organization.id: team.organization for team in teams}.values())
    return paged(call, found, lambda one: shapes.organization(state, one), link=True)


async def repositories_of(call: Call) -> web.Response:
    """The repositories of an organisation that the asker may see."""
    organization, state = find_organization(call), call.world.state
    found = [repo for repo in state.visible(call.doer) if repo.owner is organization]
    return paged(
        call,
        found,
        lambda repo: shapes.repository(state, repo, state.right(call.doer, repo)),
        link=True,
    )


def find_user(call: Call) -> User:
    """The user or organisation of the path; raises its 404."""
    found = call.world.state.user(call.text("login"))
    if found is None:
        raise call.no_user(call.text("login"), "GetUserByName")
    return found


def find_organization(call: Call) -> User:
    """The organisation of the path; raises its 404."""
    found = call.world.state.user(call.text("org"))
    if found is None or not found.is_organization:
        raise call.no_user(call.text("org"), "GetOrgByName")
    return found


def demand_site_admin(call: Call) -> None:
    """Raise the 403 of `/admin`."""
    if not call.user.is_admin:
        raise forbidden("user should be the site admin")


def demand_organization_owner(call: Call, organization: User) -> None:
    """Raise the 403 of an organisation's settings."""
    if not call.user.is_admin and call.user not in organization.owners:
        raise Refused(403, "Must be an organization owner")


ROUTES: list[Route] = [
    ("GET", "/version", version),
    ("GET", "/settings/api", api_settings),
    ("GET", "/user", myself),
    ("GET", "/user/repos", my_repositories),
    ("GET", "/users/{login}", show_user),
    ("GET", "/users/{login}/orgs", organizations_of),
    ("POST", "/admin/users", create_user),
    ("PATCH", "/admin/users/{login}", edit_user),
    ("DELETE", "/admin/users/{login}", delete_user),
    ("POST", "/orgs", create_organization),
    ("GET", "/orgs/{org}", show_organization),
    ("GET", "/orgs/{org}/repos", repositories_of),
    ("POST", "/orgs/{org}/rename", rename_organization),
]
