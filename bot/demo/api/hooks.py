"""Webhooks of a repository, an organisation and the system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.demo import hooks, shapes
from bot.demo.api.call import Body, Call, answer, nothing, paged
from bot.demo.api.instance import (
    Route,
    demand_organization_owner,
    demand_site_admin,
    find_organization,
)
from bot.demo.api.repositories import HOME
from bot.demo.hooks import HookWish
from bot.demo.records import Hook, Repository, Right, User
from bot.demo.refusals import NOT_REPOSITORY_ADMIN, forbidden, not_found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hook stands; neither is the system."""

    repository: Repository | None = None
    organization: User | None = None

    def holds(self, hook: Hook) -> bool:
        """Whether a hook stands here."""
        return hook.repository is self.repository and hook.organization is self.organization


def _on_repository(call: Call) -> Place:
    repository = call.repository
    if call.right < Right.ADMIN:
        raise forbidden(NOT_REPOSITORY_ADMIN)
    return Place(repository=repository)


def _on_organization(call: Call) -> Place:
    organization = find_organization(call)
    demand_organization_owner(call, organization)
    return Place(organization=organization)


def _on_system(call: Call) -> Place:
    demand_site_admin(call)
    return Place()


def _wish(body: Body) -> HookWish:
    config = body.part("config")
    return HookWish(
        kind=body.text("type") or "",
        url=config.text("url"),
        content_type=config.text("content_type"),
        secret=config.text("secret") or "",
        events=tuple(body.texts("events") or ()),
        active=body.flag("active"),
        branch_filter=body.text("branch_filter") or "",
        authorization=body.text("authorization_header") or "",
        name=body.text("name") or "",
    )


def _find(call: Call, place: Place) -> Hook:
    hook = call.world.state.hooks.get(call.number("id"))
    if hook is None or not place.holds(hook):
        raise not_found()
    return hook


def routes_at(prefix: str, where: Callable[[Call], Place]) -> list[Route]:
    """The same routes for each kind of place."""

    async def list_hooks(call: Call) -> web.Response:
        place = where(call)
        found = [hook for hook in call.world.state.hooks.values() if place.holds(hook)]
        return paged(call, found, shapes.hook, link=True)

    async def create(call: Call) -> web.Response:
        place = where(call)
        made = hooks.create_hook(
            call.world,
            _wish(call.body),
            repository=place.repository,
            organization=place.organization,
        )
        return answer(shapes.hook(made), 201)

    async def show(call: Call) -> web.Response:
        return answer(shapes.hook(_find(call, where(call))))

    async def edit(call: Call) -> web.Response:
        hook = _find(call, where(call))
        hooks.edit_hook(call.world, hook, _wish(call.body))
        return answer(shapes.hook(hook))

    async def delete(call: Call) -> web.Response:
        del call.world.state.hooks[_find(call, where(call)).id]
        return nothing()

    one = f"{prefix}/{{id}}"
    return [
        ("GET", prefix, list_hooks),
        ("POST", prefix, create),
        ("GET", one, show),
        ("PATCH", one, edit),
        ("DELETE", one, delete),
    ]


async def test(call: Call) -> web.Response:
    """Send a test delivery."""
    place = _on_repository(call)
    hook = _find(call, place)
    hooks.test_delivery(call.world, call.user, hook, call.repository)
    return nothing()


ROUTES: list[Route] = [
    *routes_at(f"{HOME}/hooks", _on_repository),
    *routes_at("/orgs/{org}/hooks", _on_organization),
    *routes_at("/admin/hooks", _on_system),
    ("POST", f"{HOME}/hooks/{{id}}/tests", test),
]
