"""Which handlers an event goes to."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import Desk, Router, discover

ONE, TWO = IssueRef("a", "b", 1), IssueRef("a", "b", 2)


class Nobody:
    login = "bot"

    async def concerns(self, ref: IssueRef) -> bool:
        return False

    async def gone(self, ref: IssueRef) -> None:
        raise NotImplementedError

    async def wrote(self, ref: IssueRef, login: str) -> None:
        raise NotImplementedError

    async def deleted(self, forge_id: int, repository: str) -> Collection[IssueRef]:
        raise NotImplementedError

    def changed(self, repository: str) -> None:
        raise NotImplementedError


def event(name: str, action: str = "") -> Event:
    return Event("d", name, name, "repository", {"action": action})


def says(*refs: IssueRef) -> object:
    async def handler(event: Event, desk: Desk) -> Collection[IssueRef]:
        return refs

    return handler


async def _fails(event: Event, desk: Desk) -> Collection[IssueRef]:
    raise ValueError(event.action)


@pytest.mark.parametrize(
    ("expected", "name", "action"),
    [
        ({ONE}, "issues", "opened"),
        ({ONE, TWO}, "issues", "closed"),
        ({TWO}, "issue_label", "closed"),
        ({ONE}, "push", ""),
        ({ONE}, "push", "anything"),
        (set(), "issues", "pinned"),
        (set(), "fork", ""),
    ],
)
async def test_events_are_routed_by_name_and_action(
    expected: set[IssueRef], name: str, action: str
) -> None:
    router = Router()
    one, two = says(ONE), says(TWO)
    router.on("issues", "opened", "closed")(one)  # type: ignore[arg-type]
    router.on(("issues", "issue_label"), "closed")(two)  # type: ignore[arg-type]
    router.on("push")(one)  # type: ignore[arg-type]
    found = event(name, action)
    assert expected == await router.route(found, Nobody())
    assert bool(expected) is bool(router.handlers(found))


def test_a_handler_of_an_action_and_of_all_is_called_once() -> None:
    router = Router()
    one = says(ONE)
    router.on("issues", "opened")(one)  # type: ignore[arg-type]
    router.on("issues")(one)  # type: ignore[arg-type]
    assert [one] == router.handlers(event("issues", "opened"))


async def test_routers_compose_and_leave_their_parts_alone() -> None:
    first, second = Router(), Router()
    first.on("issues", "opened")(says(ONE))  # type: ignore[arg-type]
    second.on("issues", "opened")(says(TWO))  # type: ignore[arg-type]
    both = Router(first, second)
    both.on("push")(says(ONE))  # type: ignore[arg-type]
    assert {ONE, TWO} == await both.route(event("issues", "opened"), Nobody())
    assert {ONE} == await first.route(event("issues", "opened"), Nobody())
    assert [] == first.handlers(event("push"))


async def test_all_handlers_run_when_one_fails_and_the_failure_is_raised() -> None:
    ran: list[str] = []

    async def runs(event: Event, desk: Desk) -> Collection[IssueRef]:
        ran.append(event.action)
        return (ONE,)

    router = Router()
    router.on("issues", "opened")(_fails)
    router.on("issues", "opened")(runs)
    with pytest.raises(ValueError, match="opened"):
        await router.route(event("issues", "opened"), Nobody())
    assert ["opened"] == ran


@pytest.mark.parametrize(
    ("handled", "name", "action"),
    [
        (True, "issues", "assigned"),
        (True, "issue_assign", "unassigned"),
        (True, "issue_label", "label_cleared"),
        (True, "issue_milestone", "milestoned"),
        (True, "issues", "deleted"),
        (True, "issue_comment", "deleted"),
        (True, "pull_request", "closed"),
        (True, "push", ""),
        (True, "repository", "deleted"),
        (False, "pull_request", "review_requested"),
        (False, "issues", "pinned"),
        (False, "star", "created"),
    ],
)
def test_the_bot_s_handlers_are_found(*, handled: bool, name: str, action: str) -> None:
    assert handled is bool(discover("handlers").handlers(event(name, action)))
