"""The embedded forge against what a real Gitea 1.26.3 answered and sent, byte by recorded byte.

The recording is one session, played again in its order: each exchange must give the same status,
headers and shape, each delivery must carry every key the recorded one has, with the same type.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo.deliveries import Delivery, as_go_writes, request_headers, sign
from bot.demo.forge import Forge, serve
from bot.demo.records import Hook
from tests.forges import SECRET, Clock, client_of

DATA = Path(__file__).parent.parent / "data" / "gitea"
EXCHANGES: list[dict[str, Any]] = json.loads((DATA / "api.json").read_text())
RECORDED: list[dict[str, Any]] = [
    json.loads(path.read_text()) for path in sorted((DATA / "webhooks").iterdir())
]
PEOPLE = ("coordinator", "alice", "bob", "mallory")
NOT_SERVED = ("/timeline", "/issue_config", "/issue_templates")  # nothing of the bot asks for them
HEADERS = ("link", "x-total-count", "access-control-expose-headers", "content-type")


@dataclass
class Session:
    """What the embedded forge answered, and the webhooks it queued, in order."""

    answers: list[httpx.Response | None]
    deliveries: list[Delivery]
    url: str


@pytest.fixture
async def session() -> Session:
    clock = Clock()
    forge = Forge(clock)
    tokens = {"root": forge.admin_token} | {login: forge.add_user(login) for login in PEOPLE}
    answers: list[httpx.Response | None] = []
    renumbered: dict[int, int] = {}
    async with serve(forge) as url, client_of(url) as client:
        for exchange in EXCHANGES:
            clock.advance()
            if exchange["path"].endswith(NOT_SERVED):
                answers.append(None)
                continue
            answer = await client.request(
                exchange["method"],
                _with_our_numbers(exchange["path"], renumbered),
                json=exchange["request"],
                headers={"Authorization": f"token {tokens[exchange['as']]}"},
            )
            if exchange["method"] == "POST" and exchange["path"].endswith("/comments"):
                renumbered[exchange["response"]["id"]] = answer.json()["id"]
            answers.append(answer)
        return Session(answers, list(forge.deliveries.log), url)


def _with_our_numbers(path: str, renumbered: dict[int, int]) -> str:
    # Gitea counts comments together with the other entries of a timeline.
    for theirs, ours in renumbered.items():
        path = path.replace(f"/issues/comments/{theirs}", f"/issues/comments/{ours}")
    return path


def differences(recorded: object, ours: object, at: str = "") -> list[str]:
    """Where the shape of `ours` is another than the recorded one's."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        found = [f"{at}.{key} is missing" for key in recorded.keys() - ours.keys()]
        found += [f"{at}.{key} is new" for key in ours.keys() - recorded.keys()]
        for key in recorded.keys() & ours.keys():
            found += differences(recorded[key], ours[key], f"{at}.{key}")
        return found
    if isinstance(recorded, list) and isinstance(ours, list):
        if len(recorded) != len(ours):
            return [f"{at} has {len(ours)} entries, not {len(recorded)}"]
        pairs = enumerate(zip(recorded, ours, strict=True))
        return [d for n, (one, other) in pairs for d in differences(one, other, f"{at}[{n}]")]
    same = type(recorded) is type(ours)
    return [] if same else [f"{at} is {ours!r}, was {recorded!r}"]


def body(answer: httpx.Response) -> object:
    return answer.json() if answer.content else ""


async def test_every_exchange_has_the_recorded_status(session: Session) -> None:
    assert [e["status"] for e, a in zip(EXCHANGES, session.answers, strict=True) if a] == [
        answer.status_code for answer in session.answers if answer
    ]


async def test_every_exchange_has_the_recorded_shape(session: Session) -> None:
    found = {
        f"{exchange['method']} {exchange['path']}": differences(exchange["response"], body(answer))
        for exchange, answer in zip(EXCHANGES, session.answers, strict=True)
        if answer
    }
    assert {} == {request: wrong for request, wrong in found.items() if wrong}


async def test_every_exchange_has_the_recorded_headers(session: Session) -> None:
    for exchange, answer in zip(EXCHANGES, session.answers, strict=True):
        if answer is None or not answer.content:
            continue
        ours = {name: answer.headers.get(name) for name in HEADERS}
        theirs = {
            name: value and value.replace("http://127.0.0.1:3000", session.url)
            for name, value in ((name, exchange["headers"].get(name)) for name in HEADERS)
        }
        assert theirs == ours, exchange["path"]


@pytest.mark.parametrize(
    "keys",
    [
        ("message", "errors"),
        ("number", "title", "body", "state", "content_version", "is_locked", "comments"),
        ("name", "color", "description", "exclusive"),
        ("content",),
        ("login", "is_admin", "active", "email"),
        ("version", "max_response_items", "default_paging_num", "default_git_trees_per_page"),
        ("private", "full_name", "default_branch", "permissions", "has_issues"),
        ("merged", "mergeable", "draft"),
        ("truncated", "page", "total_count"),
    ],
    ids=lambda keys: str(keys[0]),
)
async def test_what_does_not_depend_on_the_machine_is_the_same(
    session: Session, keys: tuple[str, ...]
) -> None:
    def chosen(thing: object) -> object:
        if isinstance(thing, list):
            return [chosen(one) for one in thing]
        return {k: thing[k] for k in keys if k in thing} if isinstance(thing, dict) else None

    compared = 0
    for exchange, answer in zip(EXCHANGES, session.answers, strict=True):
        if answer is not None and "content" not in exchange["path"]:
            assert chosen(exchange["response"]) == chosen(body(answer)), exchange["path"]
            compared += bool(chosen(body(answer)))
    assert compared > 0


def _name(event_type: str, payload: dict[str, Any]) -> tuple[str, str, object]:
    issue = payload.get("issue") or payload.get("pull_request") or {}
    return event_type, payload.get("action", ""), issue.get("number")


def _recorded() -> list[tuple[dict[str, str], dict[str, Any]]]:
    return [(one["headers"], json.loads(one["body"])) for one in RECORDED]


async def test_the_same_webhooks_go_out_in_the_same_order(session: Session) -> None:
    """Gitea notices a push in the background, so pushes are compared apart from the rest."""
    ours = [_name(one.event_type, one.body) for one in session.deliveries]
    theirs = [_name(headers["X-Gitea-Event-Type"], payload) for headers, payload in _recorded()]
    # The recording ends before the last exchange that sends one.
    assert ("issue_label", "label_updated", 2) == ours.pop()
    for wanted in (True, False):
        assert [n for n in theirs if (n[0] == "push") == wanted] == [
            n for n in ours if (n[0] == "push") == wanted
        ]


async def test_every_webhook_has_the_recorded_shape(session: Session) -> None:
    waiting = defaultdict(list)
    for one in session.deliveries:
        waiting[_name(one.event_type, one.body)].append(one.body)
    found = {}
    for headers, payload in _recorded():
        name = _name(headers["X-Gitea-Event-Type"], payload)
        found[name] = differences(payload, waiting[name].pop(0))
    assert {} == {name: wrong for name, wrong in found.items() if wrong}


async def test_webhooks_say_the_same_of_whom_and_what(session: Session) -> None:
    waiting = defaultdict(list)
    for one in session.deliveries:
        waiting[_name(one.event_type, one.body)].append(one.body)

    def told(payload: dict[str, Any]) -> object:
        issue = payload.get("issue") or payload.get("pull_request") or {}
        comment = payload.get("comment") or {}
        return (
            payload["sender"]["login"],
            payload["repository"]["permissions"],
            payload.get("changes"),
            payload.get("is_pull"),
            [who["login"] for who in issue.get("assignees") or []],
            [label["name"] for label in issue.get("labels") or []],
            [issue.get(key) for key in ("state", "title", "body", "comments", "content_version")],
            [comment.get("body"), (comment.get("user") or {}).get("login")],
        )

    for headers, payload in _recorded():
        name = _name(headers["X-Gitea-Event-Type"], payload)
        assert told(payload) == told(waiting[name].pop(0)), name


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["headers"]["X-Gitea-Event"])
def test_a_recorded_payload_would_be_sent_as_it_was(recorded: dict[str, Any]) -> None:
    """Bytes and signature: the payload read and written again is what Gitea sent."""
    again = as_go_writes(json.loads(recorded["body"]))
    assert recorded["body"] == again
    assert recorded["headers"]["X-Gitea-Signature"] == sign(SECRET, again, "sha256")


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["headers"]["X-Gitea-Event"])
def test_a_recorded_delivery_would_have_the_same_headers(recorded: dict[str, Any]) -> None:
    theirs = recorded["headers"]
    clock = Clock()
    forge = Forge(clock)
    repository = forge.add_repository("acme/rocket")
    hook = Hook(1, "http://127.0.0.1:9/", clock(), clock(), SECRET, repository=repository)
    delivery = Delivery(hook, theirs["X-Gitea-Event-Type"], recorded["body"])
    delivery.uuid = theirs["X-Gitea-Delivery"]
    assert theirs == request_headers(delivery)
