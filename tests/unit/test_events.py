"""Webhook requests become events, or a refusal that says why; nothing else."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import DeliveryError
from bot.gitea.events import MAX_DEPTH, MAX_VALUES, Event, _Sound, _sound
from bot.models import MAX_ISSUE_NUMBER, IssueRef
from tests.recorded import Delivery, deliveries, delivery, form_delivery

HEADERS = {"Content-Type": "application/json", "X-Gitea-Event": "issues"}
REPOSITORY = {"full_name": "acme/rocket"}
ROCKET = "acme/rocket"
AT = "2026-11-22T15:04:05+01:00"
OPENED = {"number": 1, "created_at": AT}

# number of the delivery: name, type, action, issue, sender
EXPECTED: dict[int, tuple[str, str, str, int | None, str]] = {
    0: ("issues", "issues", "opened", 1, "alice"),
    1: ("issues", "issues", "opened", 2, "alice"),
    2: ("issues", "issues", "opened", 3, "alice"),
    3: ("issues", "issue_assign", "assigned", 2, "alice"),
    4: ("issues", "issue_assign", "assigned", 2, "alice"),
    5: ("issues", "issue_assign", "unassigned", 2, "alice"),
    6: ("issues", "issue_assign", "unassigned", 2, "alice"),
    7: ("issues", "issue_assign", "assigned", 4, "alice"),
    8: ("issues", "issues", "opened", 4, "alice"),
    9: ("issues", "issues", "edited", 2, "alice"),
    10: ("issues", "issues", "edited", 2, "alice"),
    11: ("issues", "issue_label", "label_updated", 2, "bob"),
    12: ("issues", "issue_label", "label_updated", 2, "bob"),
    13: ("issues", "issue_label", "label_updated", 2, "bob"),
    14: ("issue_comment", "issue_comment", "created", 2, "bob"),
    15: ("issue_comment", "issue_comment", "edited", 2, "bob"),
    16: ("issue_comment", "issue_comment", "deleted", 2, "bob"),
    17: ("issue_comment", "issue_comment", "created", 2, "coordinator"),
    18: ("issue_comment", "issue_comment", "edited", 2, "bob"),
    19: ("issue_comment", "issue_comment", "created", 2, "mallory"),
    20: ("issues", "issue_milestone", "milestoned", 2, "alice"),
    21: ("issues", "issues", "closed", 1, "alice"),
    22: ("issues", "issues", "reopened", 1, "alice"),
    23: ("issue_comment", "issue_comment", "created", 2, "coordinator"),
    24: ("create", "create", "", None, "bob"),
    25: ("push", "push", "", None, "bob"),
    26: ("pull_request", "pull_request", "opened", 5, "bob"),
    27: ("issue_comment", "pull_request_comment", "created", 5, "bob"),
    28: ("pull_request", "pull_request_assign", "assigned", 5, "alice"),
    29: ("pull_request", "pull_request", "closed", 5, "alice"),
    30: ("issues", "issues", "closed", 1, "alice"),
    31: ("issues", "issues", "opened", 6, "alice"),
    32: ("push", "push", "", None, "alice"),
    33: ("issues", "issues", "deleted", 6, "alice"),
}
ASSIGNEES = {
    3: ("coordinator",),
    4: ("coordinator", "bob"),
    5: ("bob",),
    7: ("coordinator",),
    8: ("coordinator",),
    28: ("coordinator",),
    29: ("coordinator",),
}
PULLS = {26, 27, 28, 29}


def read(number: int) -> Event:
    one = delivery(number)
    return Event.from_request(one.headers, one.body)


def event(data: Any, **headers: str) -> Event:
    return Event.from_request(HEADERS | headers, json.dumps(data).encode())


def refused(body: bytes, **headers: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        Event.from_request(HEADERS | headers, body)
    return caught.value


def test_the_table_names_every_recorded_delivery() -> None:
    assert len(EXPECTED) == len(deliveries()) == 34


@pytest.mark.parametrize("number", EXPECTED)
def test_every_recorded_delivery_is_understood(number: int) -> None:
    name, kind, action, issue, sender = EXPECTED[number]
    found = read(number)
    assert (name, kind, action) == (found.name, found.type, found.action)
    assert sender == found.sender
    assert (ROCKET, 1) == (found.repository, found.repository_id)
    assert (issue and IssueRef("acme", "rocket", issue)) == found.issue
    assert ASSIGNEES.get(number, ()) == found.issue_assignees
    assert (number in PULLS) == found.is_pull
    assert (number == 29) == found.merged
    assert "repository" == found.target
    assert delivery(number).headers["X-Gitea-Delivery"] == found.delivery


@pytest.mark.parametrize("one", deliveries(), ids=lambda one: one.name)
def test_an_event_comes_back_from_the_queue_as_it_went_in(one: Delivery) -> None:
    before = Event.from_request(one.headers, one.body)
    after = Event.load(before.dump())
    assert before == after
    assert before.issue == after.issue
    assert json.loads(one.body) == after.data


def test_a_form_says_the_same_as_json() -> None:
    one = form_delivery()
    found = Event.from_request(one.headers, one.body)
    assert IssueRef("acme", "hooks", 5) == found.issue
    assert "tïtle + & = % 🚀" == found.data["issue"]["title"]  # type: ignore[index, call-overload]


@pytest.mark.parametrize("number", [2, 14, 29])
def test_any_delivery_reads_the_same_as_a_form(number: int) -> None:
    one = delivery(number)
    headers = one.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"payload={quote_plus(one.body.decode())}".encode()
    assert read(number) == Event.from_request(headers, body)


@pytest.mark.parametrize("number", [3, 17])
def test_header_names_are_read_in_any_case(number: int) -> None:
    one = delivery(number)
    headers = {name.lower(): value for name, value in one.headers.items()}
    assert read(number) == Event.from_request(headers, one.body)


def test_a_comment_is_known_with_its_author() -> None:
    """Bob ticked a box in the bot's comment: he sent it, the bot wrote it."""
    found = read(18)
    assert found.comment is not None
    assert ("bob", "coordinator", 16) == (found.sender, found.comment.author, found.comment.id)
    assert "- [x] Re-read this issue" in found.comment.body
    assert "- [ ] Re-read this issue" in (found.changes.body_before or "")


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        (datetime(2026, 11, 22, 14, 4, 5, tzinfo=UTC), {"comment": {"id": 1, "updated_at": AT}}),
        (datetime(2026, 11, 22, 14, 4, 5, tzinfo=UTC), {"action": "opened", "issue": OPENED}),
        (None, {"action": "edited", "issue": OPENED}),
        (None, {"action": "opened", "issue": {**OPENED, "created_at": None}}),
        (None, {"comment": {"id": 1}}),
        (None, {"comment": {"id": 1, "updated_at": "yesterday"}}),
        (None, {"comment": {"id": 1, "updated_at": "0001-01-01T00:00:00+23:00"}}),
        (None, {"action": "created"}),
    ],
    ids=["comment", "opened", "edited", "null", "untold", "nonsense", "before time", "no issue"],
)
def test_when_it_was_said(expected: datetime | None, data: dict[str, Any]) -> None:
    data = {"repository": {"full_name": "a/b"}, **data}
    assert expected == Event("d", "issues", "issues", "", data).said_at


def test_a_comment_may_have_lost_its_author() -> None:
    found = event({"repository": REPOSITORY, "comment": {"id": 1, "user": None}})
    assert found.comment is not None
    assert "" == found.comment.author


def test_what_an_edit_replaced_is_known() -> None:
    assert "Retry in the fuel pump driver" == read(10).changes.title_before
    assert read(10).changes.body_before is None
    assert (read(9).changes.body_before or "").startswith("## Objective")
    assert read(9).changes.title_before is None
    assert (None, None) == (read(0).changes.title_before, read(0).changes.body_before)


def test_text_edited_from_nothing_is_not_text_unedited() -> None:
    changes = event({"changes": {"body": {"from": ""}}}).changes
    assert "" == changes.body_before


FORGES = {
    "Forgejo": {"X-Forgejo-Event": "issues", "X-Forgejo-Delivery": "11111111-aaaa"},
    "GitHub": {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "11111111-aaaa"},
    "Gogs": {"X-Gogs-Event": "issues", "X-Gogs-Delivery": "11111111-aaaa"},
}


@pytest.mark.parametrize("headers", FORGES.values(), ids=FORGES)
def test_headers_of_related_forges_are_understood(headers: dict[str, str]) -> None:
    found = Event.from_request({"Content-Type": "application/json", **headers}, b"{}")
    assert ("issues", "issues", "11111111-aaaa") == (found.name, found.type, found.delivery)


ODD_IDS = ["", "short", "x" * 65, "a b c d e f g h", "../../etc/passwd", "ä" * 20, "12345678\n"]


@pytest.mark.parametrize("odd", [None, *ODD_IDS])
def test_without_a_usable_id_a_delivery_is_known_by_its_body(odd: str | None) -> None:
    headers = {} if odd is None else {"X-Gitea-Delivery": odd}
    found = event({}, **headers)
    assert f"sha256:{hashlib.sha256(b'{}').hexdigest()}" == found.delivery


UNREADABLE = {
    "nothing": (b"", "not JSON"),
    "no JSON": (b"<html>", "not JSON"),
    "cut short": (delivery(0).body[:-10], "not JSON"),
    "not UTF-8": (b'{"action": "\xff"}', "not UTF-8"),
    "UTF-16": ('{"action": ""}'.encode("utf-16"), "not UTF-8"),
    "list": (b"[]", "not an object"),
    "null": (b"null", "not an object"),
    "text": (b'"x"', "not an object"),
    "NaN": (b'{"a": NaN}', "not JSON"),
    "number without end": (b'{"a": [1e999]}', "number without end"),
    "endless digits": (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    "deep lists": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
    "a little too deep": (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "nested"),
    "too many values": (b'{"a": [' + b"[]," * MAX_VALUES + b"[]]}", "values"),
    "too many keys": (json.dumps({"a": dict.fromkeys(range(MAX_VALUES))}).encode(), "values"),
}


@pytest.mark.parametrize(("body", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_bodies_are_422(body: bytes, says: str) -> None:
    error = refused(body)
    assert 422 == error.status
    assert says in str(error)


def test_nesting_up_to_the_limit_is_read() -> None:
    body = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert Event.from_request(HEADERS, body).data


def test_as_many_values_as_allowed_are_read() -> None:
    body = b'{"a": [' + b"0," * (MAX_VALUES - 2) + b"0]}"
    assert Event.from_request(HEADERS, body).data


MISSHAPEN = {
    "action is a number": ({"action": 7}, "action"),
    "action is null": ({"action": None}, "action"),
    "sender is a text": ({"sender": "bob"}, "sender"),
    "login is a number": ({"sender": {"login": 7}}, "sender.login"),
    "repository is a list": ({"repository": [REPOSITORY]}, "repository"),
    "repository without name": ({"repository": {}}, "repository.full_name"),
    "name without owner": ({"repository": {"full_name": "rocket"}}, "repository.full_name"),
    "name with two slashes": ({"repository": {"full_name": "a/b/c"}}, "repository.full_name"),
    "name with newline": ({"repository": {"full_name": "a/b\n"}}, "repository.full_name"),
    "issue is a number": ({"repository": REPOSITORY, "issue": 7}, "issue"),
    "issue without number": ({"repository": REPOSITORY, "issue": {}}, "issue.number"),
    "number is a text": ({"repository": REPOSITORY, "issue": {"number": "7"}}, "issue.number"),
    "number is true": ({"repository": REPOSITORY, "issue": {"number": True}}, "issue.number"),
    "number is a fraction": ({"repository": REPOSITORY, "issue": {"number": 1.0}}, "issue.number"),
    "number is 0": ({"repository": REPOSITORY, "issue": {"number": 0}}, "issue.number"),
    "number is negative": ({"repository": REPOSITORY, "issue": {"number": -1}}, "issue.number"),
    "number is too large": (
        {"repository": REPOSITORY, "issue": {"number": MAX_ISSUE_NUMBER + 1}},
        "issue.number",
    ),
    "assignees are a text": (
        {"repository": REPOSITORY, "issue": {"number": 1, "assignees": "bob"}},
        "issue.assignees",
    ),
    "assignees hold null": (
        {"repository": REPOSITORY, "issue": {"number": 1, "assignees": [None]}},
        "issue.assignees.0",
    ),
    "comment id is a text": ({"comment": {"id": "7"}}, "comment.id"),
    "comment id is huge": ({"comment": {"id": 2**63}}, "comment.id"),
    "comment body is null": ({"comment": {"id": 7, "body": None}}, "comment.body"),
    "old body is a list": ({"changes": {"body": {"from": []}}}, "changes.body.from"),
    "is_pull is a text": ({"is_pull": "yes"}, "is_pull"),
    "issue without repository": ({"issue": {"number": 1}}, "an issue without its repository"),
    "pull without repository": ({"pull_request": {"number": 1}}, "an issue without its repository"),
}


@pytest.mark.parametrize(("data", "says"), MISSHAPEN.values(), ids=MISSHAPEN)
def test_payloads_of_another_shape_are_422_and_name_the_place(data: Any, says: str) -> None:
    error = refused(json.dumps(data).encode())
    assert 422 == error.status
    assert str(error).startswith("not a Gitea payload: ")
    assert says in str(error)


def test_the_largest_issue_number_is_read() -> None:
    found = event({"repository": REPOSITORY, "issue": {"number": MAX_ISSUE_NUMBER}})
    assert IssueRef("acme", "rocket", MAX_ISSUE_NUMBER) == found.issue


def test_unknown_fields_and_missing_ones_are_no_matter() -> None:
    found = event({"brand_new": {"a": [1]}, "repository": None, "sender": None, "issue": None})
    assert (None, "", None, (), False) == (
        found.repository,
        found.sender,
        found.issue,
        found.issue_assignees,
        found.is_pull,
    )


def test_an_assignee_counts_where_no_list_is_sent() -> None:
    issue = {"number": 1, "assignee": {"login": "bob"}, "assignees": None}
    assert ("bob",) == event({"repository": REPOSITORY, "issue": issue}).issue_assignees


def test_a_comment_on_a_merged_pull_request_is_known_by_the_issue() -> None:
    issue = {"number": 1, "pull_request": {"merged": True}}
    found = event({"repository": REPOSITORY, "issue": issue})
    assert found.is_pull
    assert found.merged


def test_half_characters_and_nul_are_replaced_everywhere() -> None:
    body = rb'{"a\u0000": "x\ud83dy", "b": ["\u0000", {"c": "\udc00\ud83d\ude80"}]}'
    found = Event.from_request(HEADERS, body)
    assert {"a�": "x�y", "b": ["�", {"c": "�🚀"}]} == found.data
    assert found == Event.load(found.dump())


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_other_content_types_are_415(kind: str) -> None:
    assert 415 == refused(b"{}", **{"Content-Type": kind}).status


def test_no_content_type_is_415() -> None:
    with pytest.raises(DeliveryError) as caught:
        Event.from_request({"X-Gitea-Event": "issues"}, b"{}")
    assert 415 == caught.value.status


def test_a_charset_is_accepted() -> None:
    assert event({}, **{"Content-Type": "application/json; charset=utf-8"}).name == "issues"


def test_a_form_without_payload_is_422() -> None:
    error = refused(b"other=1", **{"Content-Type": "application/x-www-form-urlencoded"})
    assert (422, True) == (error.status, "`payload`" in str(error))


@pytest.mark.parametrize("name", [None, "", "Issues!", "x" * 65, "issues\n", "ä"])
def test_a_request_without_an_event_name_is_422(name: str | None) -> None:
    headers = {"Content-Type": "application/json"}
    if name is not None:
        headers["X-Gitea-Event"] = name
    with pytest.raises(DeliveryError) as caught:
        Event.from_request(headers, b"{}")
    assert 422 == caught.value.status
    assert "X-Gitea-Event" in str(caught.value)


def test_a_refusal_does_not_repeat_the_payload() -> None:
    secret = "a private title"
    error = refused(json.dumps({"sender": {"login": [secret]}, "action": {"x": secret}}).encode())
    assert secret not in str(error)


ODD_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    found = [path] if path else []
    return found + [place for key in keys for place in places(value[key], (*path, key))]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[dict[str, str], bytes]:
    """A recorded delivery with up to three of its values replaced by anything."""
    one = draw(st.sampled_from(deliveries()))
    data = copy.deepcopy(json.loads(one.body))
    for _ in range(draw(st.integers(1, 3))):
        everywhere = places(data)
        near = [place for place in everywhere if len(place) <= 2]
        *way, last = draw(st.sampled_from(near) | st.sampled_from(everywhere))
        inner = data
        for key in way:
            inner = inner[key]
        inner[last] = draw(ODD_VALUES)
    return one.headers, json.dumps(data).encode()


def use(headers: dict[str, str], body: bytes) -> None:
    """Read it, and whatever can be read of it; only a refusal may come out."""
    refusal = None
    try:
        found = Event.from_request(headers, body)
    except DeliveryError as error:
        refusal = error
    if refusal is not None:
        assert refusal.status in {415, 422}
        assert len(str(refusal)) < 500
        return
    again = Event.load(found.dump())
    assert found == again
    for name in ("action", "sender", "repository", "issue", "issue_assignees", "comment"):
        assert getattr(found, name) == getattr(again, name)
    assert (found.is_pull, found.merged, found.changes) == (
        again.is_pull,
        again.merged,
        again.changes,
    )
    found.dump().encode("ascii")
    json.dumps(found.data, ensure_ascii=False).encode("utf-8")


@given(mutated())
def test_whatever_stands_in_a_payload_only_a_refusal_is_raised(
    request_: tuple[dict[str, str], bytes],
) -> None:
    use(*request_)


@given(ODD_VALUES, st.booleans())
def test_where_the_bytes_tell_that_a_payload_is_sound_nothing_would_be_found_in_it(
    value: Any, plain: bool
) -> None:
    body = json.dumps({"a": value}, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    found = refused_or_read(body)
    if isinstance(found, dict) and _sound(body):
        assert found == _Sound().mapping(json.loads(body), 1)


def refused_or_read(body: bytes) -> dict[str, Any] | DeliveryError:
    try:
        return Event.from_request(HEADERS, body).data
    except DeliveryError as error:
        return error


@pytest.mark.parametrize("one", deliveries(), ids=lambda one: one.name)
def test_of_what_gitea_sends_the_bytes_tell_that_it_is_sound(one: Delivery) -> None:
    assert _sound(one.body)


@given(st.sampled_from(deliveries()), st.data())
def test_whatever_bytes_arrive_only_a_refusal_is_raised(one: Delivery, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(one.body)))
    junk = data.draw(st.binary(max_size=8))
    until = data.draw(st.integers(at, len(one.body)) | st.just(at))
    kind = data.draw(
        st.sampled_from(["application/json", "application/x-www-form-urlencoded"]) | st.text()
    )
    use(one.headers | {"Content-Type": kind}, one.body[:at] + junk + one.body[until:])
    use({"Content-Type": kind, "X-Gitea-Event": "issues"}, junk)


@given(st.dictionaries(st.sampled_from(sorted(delivery(0).headers)), st.text()))
def test_whatever_the_headers_say_only_a_refusal_is_raised(headers: dict[str, str]) -> None:
    use(delivery(0).headers | headers, delivery(0).body)
