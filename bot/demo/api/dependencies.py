"""Native dependencies, from both ends."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.demo import dependencies, shapes
from bot.demo.api.call import PAGE, Call, answer, paged
from bot.demo.api.instance import Route
from bot.demo.api.issues import ONE, shown
from bot.demo.records import Issue, Right, User
from bot.demo.refusals import not_found
from bot.demo.shapes import Json
from bot.demo.world import World


def _issue(call: Call) -> Issue:
    return dependencies.issue_of(call.repository, call.number("index"))


def _shown_issue(call: Call) -> Issue:
    found = _issue(call)
    if found not in call.repository.shown_issues:
        raise not_found()
    return found


def _meant(call: Call) -> Issue:
    return dependencies.meant_issue(
        call.world,
        call.repository,
        call.body.text("owner") or "",
        call.body.text("repo") or "",
        call.body.number("index") or 0,
    )


async def list_dependencies(call: Call) -> web.Response:
    """What an issue waits for; those the asker may not see stand there without their names.

    404 without a word where dependencies are switched off, also for an unknown issue.
    """
    if not call.repository.dependencies_on:
        raise not_found()
    issue, state = _shown_issue(call), call.world.state
    reader = call.right < Right.WRITE

    def entry(blocker: Issue) -> Json:
        if not _readable(call, blocker):
            return shapes.hidden_issue(state, from_reader=reader)
        return shown(call, blocker)

    found = dependencies.in_order(issue.repository, issue.blocked_by)
    return paged(call, found, entry, link=True)


def _readable(call: Call, issue: Issue) -> bool:
    repository = issue.repository
    may = call.world.state.right(call.doer, repository) >= Right.READ
    return may and issue in repository.shown_issues


async def list_blocks(call: Call) -> web.Response:
    """What waits for an issue; not counted, and without those the asker may not see.

    Also where dependencies are switched off: then it is what waited when they were not.
    """
    issue = _shown_issue(call)
    page, size = call.page(most=10**9)
    size = PAGE if size <= 1 else size
    found = dependencies.in_order(issue.repository, call.world.state.blocks(issue))
    part = found[(page - 1) * size : page * size]
    return answer([shown(call, one) for one in part if _readable(call, one)])


Change = Callable[[World, User, Issue, Issue], None]


def _changes(change: Change, *, turned: bool) -> Callable[[Call], web.Response]:
    def respond(call: Call) -> web.Response:
        if not turned:
            call.world.demand_live(call.repository)
        here = _issue(call)
        there = _meant(call)
        waiting, blocker = (there, here) if turned else (here, there)
        change(call.world, call.user, waiting, blocker)
        return answer(shown(call, here), 201)

    return respond


_ADD, _REMOVE = dependencies.add_dependency, dependencies.remove_dependency


async def add_dependency(call: Call) -> web.Response:
    """Let the issue of the path wait for the one in the body."""
    return _changes(_ADD, turned=False)(call)


async def remove_dependency(call: Call) -> web.Response:
    """Take that back; 201, as Gitea has it."""
    return _changes(_REMOVE, turned=False)(call)


async def add_block(call: Call) -> web.Response:
    """Let the issue in the body wait for the one of the path."""
    return _changes(_ADD, turned=True)(call)


async def remove_block(call: Call) -> web.Response:
    """Take that back."""
    return _changes(_REMOVE, turned=True)(call)


ROUTES: list[Route] = [
    ("GET", f"{ONE}/dependencies", list_dependencies),
    ("POST", f"{ONE}/dependencies", add_dependency),
    ("DELETE", f"{ONE}/dependencies", remove_dependency),
    ("GET", f"{ONE}/blocks", list_blocks),
    ("POST", f"{ONE}/blocks", add_block),
    ("DELETE", f"{ONE}/blocks", remove_block),
]
