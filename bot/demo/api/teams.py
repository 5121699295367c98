"""Teams of an organisation."""

from __future__ import annotations

from aiohttp import web

from bot.demo import repositories, shapes
from bot.demo.api.call import Call, answer, nothing, paged
from bot.demo.api.instance import (
    Route,
    demand_organization_owner,
    find_organization,
    find_user,
)
from bot.demo.records import Team
from bot.demo.refusals import internal, not_found
from bot.demo.repositories import RIGHTS


async def list_teams(call: Call) -> web.Response:
    """All teams of an organisation."""
    organization, state = find_organization(call), call.world.state
    return paged(
        call, state.teams_of(organization), lambda team: shapes.team(state, team), link=True
    )


async def create_team(call: Call) -> web.Response:
    """A new team; one of less than administrators would need its units."""
    organization, body = find_organization(call), call.body
    demand_organization_owner(call, organization)
    right = RIGHTS.get(body.text("permission") or "")
    if right is not RIGHTS["admin"]:
        raise internal()
    made = repositories.create_team(
        call.world,
        organization,
        body.text("name") or "",
        right,
        description=body.text("description") or "",
        all_repositories=bool(body.flag("includes_all_repositories")),
    )
    return answer(shapes.team(call.world.state, made, whole=True), 201)


async def delete_team(call: Call) -> web.Response:
    """Delete a team."""
    team = _team(call)
    demand_organization_owner(call, team.organization)
    del call.world.state.teams[team.id]
    return nothing()


async def list_members(call: Call) -> web.Response:
    """Who is in a team."""
    state = call.world.state
    return paged(
        call, _team(call).members, lambda who: shapes.user(state, who, call.doer), link=True
    )


async def add_member(call: Call) -> web.Response:
    """Put somebody into a team."""
    team, who = _team(call), find_user(call)
    demand_organization_owner(call, team.organization)
    if who not in team.members:
        team.members.append(who)
    return nothing()


async def drop_member(call: Call) -> web.Response:
    """Take somebody out of a team."""
    team, who = _team(call), find_user(call)
    demand_organization_owner(call, team.organization)
    if who in team.members:
        team.members.remove(who)
    return nothing()


def _team(call: Call) -> Team:
    found = call.world.state.teams.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


ROUTES: list[Route] = [
    ("GET", "/orgs/{org}/teams", list_teams),
    ("POST", "/orgs/{org}/teams", create_team),
    ("DELETE", "/teams/{id}", delete_team),
    ("GET", "/teams/{id}/members", list_members),
    ("PUT", "/teams/{id}/members/{login}", add_member),
    ("DELETE", "/teams/{id}/members/{login}", drop_member),
]
