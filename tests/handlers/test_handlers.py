"""Recorded deliveries of a real Gitea ▸ the issues that are looked at because of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.gitea.events import Event
from bot.models import IssueRef
from bot.routing import discover
from bot.security import verify

RECORDED = Path(__file__).parent.parent / "data" / "gitea" / "webhooks"
SECRET = SecretStr("s3cr3t-of-the-hook")
HANDLERS = discover("handlers")


class Desk:
    """Knows some issues by number, and writes down what it is told."""

    login = "coordinator"

    def __init__(self, *known: int, judged: Collection[str] = ()) -> None:
        self.known = known
        self.judged = judged
        self.told: list[str] = []

    async def concerns(self, ref: IssueRef) -> bool:
        return ref.number in self.known

    async def gone(self, ref: IssueRef) -> None:
        self.told.append(f"gone {ref}")

    async def wrote(self, ref: IssueRef, login: str) -> None:
        self.told.append(f"{login} wrote {ref}")

    async def deleted(self, forge_id: int, repository: str) -> Collection[IssueRef]:
        self.told.append(f"deleted {forge_id} {repository}")
        return {IssueRef("other", "open", number) for number in self.known}

    async def changed(self, repository: str) -> Collection[IssueRef]:
        self.told.append(f"changed {repository}")
        return {IssueRef.parse(ref) for ref in self.judged}


def recorded(number: int) -> Event:
    """The delivery of that number, its signature checked."""
    [path] = RECORDED.glob(f"{number:02}-*.json")
    request = json.loads(path.read_text(encoding="utf-8"))
    body = request["body"].encode()
    verify((SECRET,), body, request["headers"]["Content-Type"], request["headers"])
    return Event.from_request(request["headers"], body)


ALL = tuple(range(1, 40))


@pytest.mark.parametrize(
    ("number", "unknown", "known"),
    [
        (0, [], [1]),  # opened, nobody assigned
        (2, [], [3]),
        (3, [2], [2]),  # the bot is assigned
        (4, [2], [2]),  # somebody else, beside the bot
        (5, [], [2]),  # the bot is unassigned: only what is known tells
        (6, [], [2]),
        (7, [4], [4]),  # assigned before it is opened
        (8, [4], [4]),
        (9, [], [2]),
        (10, [], [2]),
        (11, [], [2]),
        (12, [], [2]),
        (13, [], [2]),
        (14, [], []),  # a comment: commands are not here yet
        (15, [], []),  # of bob's comment
        (16, [], []),
        (17, [], []),  # the bot's own comment
        (18, [], [2]),  # the bot's own comment, edited by bob
        (19, [], []),
        (20, [], [2]),
        (21, [], [1]),
        (22, [], [1]),
        (23, [], []),
        (24, [], []),
        (25, [], []),
        (26, [], [5]),
        (27, [], []),
        (28, [], []),
        (29, [], [5]),
        (30, [], [1]),
        (31, [], [6]),
        (32, [], []),
        (33, [], [6]),
    ],
)
async def test_a_delivery_has_the_issues_looked_at_that_the_bot_has_to_do_with(
    number: int, unknown: list[int], known: list[int]
) -> None:
    event = recorded(number)
    for desk, expected in ((Desk(), unknown), (Desk(*ALL), known)):
        found = await HANDLERS.route(event, desk)
        assert expected == sorted(ref.number for ref in found), desk.known
        assert {"acme/rocket"} >= {ref.repository for ref in found}


async def test_a_push_makes_the_bot_forget_what_it_knows_of_the_repository() -> None:
    desk = Desk()
    assert set() == await HANDLERS.route(recorded(25), desk)
    assert ["changed acme/rocket"] == desk.told


async def test_after_a_push_all_is_looked_at_that_is_judged_otherwise_by_it() -> None:
    desk = Desk(judged=["acme/rocket#3", "acme/rocket#4"])
    found = await HANDLERS.route(recorded(25), desk)
    assert ["acme/rocket#3", "acme/rocket#4"] == sorted(map(str, found))


async def test_a_deleted_issue_is_remembered_as_gone_if_it_was_known() -> None:
    stranger, friend = Desk(), Desk(6)
    event = recorded(33)
    await HANDLERS.route(event, stranger)
    await HANDLERS.route(event, friend)
    assert ([], ["gone acme/rocket#6"]) == (stranger.told, friend.told)


async def test_a_deleted_repository_is_remembered_as_such_and_concerns_others() -> None:
    desk = Desk(6)
    data: dict[str, Any] = {
        "action": "deleted",
        "repository": {"id": 5, "full_name": "acme/rocket"},
    }
    found = await HANDLERS.route(Event("d", "repository", "repository", "", data), desk)
    assert {IssueRef("other", "open", 6)} == found
    assert ["changed acme/rocket", "deleted 5 acme/rocket"] == sorted(desk.told)


def changed(by: str, changes: object, *, author: object = "alice") -> Event:
    """An event of issue 7, which alice opened."""
    data: dict[str, Any] = {
        "action": "edited",
        "sender": {"login": by},
        "issue": {"number": 7, "user": {"login": author} if author else None},
        "repository": {"full_name": "acme/rocket"},
        "changes": changes,
    }
    return Event("d", "issues", "issues", "", data)


@pytest.mark.parametrize(
    ("expected", "event"),
    [
        (["bob wrote acme/rocket#7"], changed("bob", {"body": {"from": ""}})),
        (["bob wrote acme/rocket#7"], changed("bob", {"title": {"from": "x"}})),
        (["bob wrote acme/rocket#7"], changed("bob", {"body": {"from": "x"}}, author=None)),
        ([], changed("Alice", {"body": {"from": "x"}})),
        ([], changed("bob", {"ref": {"from": "x"}})),
        ([], changed("bob", None)),
    ],
    ids=["text", "title", "nobody is named", "its author", "something else", "nothing"],
)
async def test_who_wrote_in_somebody_elses_text_is_remembered(
    expected: list[str], event: Event
) -> None:
    """Also of an issue that the bot has nothing to do with yet."""
    desk = Desk()
    await HANDLERS.route(event, desk)
    assert expected == desk.told


@pytest.mark.parametrize("action", ["created", ""])
async def test_another_event_of_a_repository_only_has_it_asked_afresh(action: str) -> None:
    desk = Desk(*ALL)
    data: dict[str, Any] = {"action": action, "repository": {"full_name": "acme/rocket"}}
    assert set() == await HANDLERS.route(Event("d", "repository", "repository", "", data), desk)
    assert ["changed acme/rocket"] == desk.told


@pytest.mark.parametrize("name", ["issues", "issue_comment", "pull_request", "push", "repository"])
@pytest.mark.parametrize("action", ["opened", "deleted", "edited", ""])
async def test_an_event_that_lacks_what_it_is_about_has_nothing_looked_at(
    name: str, action: str
) -> None:
    desk = Desk(*ALL)
    event = Event("d", name, name, "system", {"action": action})
    assert set() == await HANDLERS.route(event, desk)
    assert [] == desk.told


@pytest.mark.parametrize(
    ("expected", "assignees"),
    [
        ([7], [{"login": "Coordinator"}]),
        ([7], [{"login": "bob"}, {"login": "coordinator"}]),
        ([], [{"login": "coordinator2"}]),
        ([], None),
    ],
    ids=["another case", "beside others", "a longer name", "nobody"],
)
async def test_the_bot_is_known_among_assignees(
    expected: list[int], assignees: list[dict[str, Any]] | None
) -> None:
    data: dict[str, Any] = {
        "action": "assigned",
        "issue": {"number": 7, "assignees": assignees},
        "repository": {"full_name": "acme/rocket"},
    }
    found = await HANDLERS.route(Event("d", "issues", "issue_assign", "", data), Desk())
    assert expected == [ref.number for ref in found]
