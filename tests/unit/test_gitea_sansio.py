"""URLs, errors and pages, as values."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Conflict, Forbidden, NotFound, Permanent, Retryable
from bot.gitea import sansio
from bot.gitea.sansio import Pages, decode, encode, error_of, form_payload, retry_after, target
from tests.recorded import exchanges

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ROUTE = "/repos/{owner}/{repo}/issues/{number}"
AT = {"owner": "acme", "repo": "rocket", "number": 7}


def test_parameters_of_the_template_go_into_the_path_and_the_others_into_the_query() -> None:
    path, query = target(ROUTE, {**AT, "state": "all", "page": 2, "left_out": None})
    assert "/repos/acme/rocket/issues/7" == path
    assert {"state": "all", "page": "2"} == query


SEGMENTS = {
    "slash": ("feature/x", "feature%2Fx"),
    "question mark and hash": ("a?b#c", "a%3Fb%23c"),
    "percent": ("100%", "100%25"),
    "climbing": ("../../user", "..%2F..%2Fuser"),
    "blank": ("a b", "a%20b"),
    "umlaut": ("übung", "%C3%BCbung"),
    "dots inside": ("a..b", "a..b"),
}


@pytest.mark.parametrize(("value", "quoted"), SEGMENTS.values(), ids=SEGMENTS)
def test_no_name_can_reach_another_route(value: str, quoted: str) -> None:
    path, _ = target("/repos/{owner}/x", {"owner": value})
    assert f"/repos/{quoted}/x" == path


@pytest.mark.parametrize("value", ["", ".", "..", "x" * 256, "\ud83d"])
def test_what_can_be_no_name_is_not_found(value: str) -> None:
    with pytest.raises(NotFound) as caught:
        target(ROUTE, {**AT, "repo": value})
    assert (404, ROUTE) == (caught.value.status, caught.value.path)
    assert len(str(caught.value)) < 200


TEXTS = {
    "true": (True, "true"),
    "false": (False, "false"),
    "number": (5, "5"),
    "UTC": (NOW, "2026-11-22T15:00:00Z"),
    "elsewhere": (NOW.astimezone(timezone(timedelta(hours=2))), "2026-11-22T15:00:00Z"),
    "text": ("a&b=c", "a&b=c"),
}


@pytest.mark.parametrize(("value", "text"), TEXTS.values(), ids=TEXTS)
def test_query_values_are_written_as_gitea_reads_them(value: sansio.Param, text: str) -> None:
    assert {"x": text} == target("/y", {"x": value})[1]


def test_a_body_is_utf8_and_half_characters_become_question_marks() -> None:
    assert '{"body": "🚀 ?"}'.encode() == encode({"body": "🚀 \ud83d"})


def test_an_empty_answer_is_none() -> None:
    assert decode(b"") is None
    assert decode(b" \n") is None
    assert decode(b"[1]") == [1]


@pytest.mark.parametrize(
    "body", [b"<html>", b"\xff", b"[" * 100_000], ids=["html", "bytes", "deep"]
)
def test_an_answer_that_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(body)


def error(status: int, body: bytes = b"", **headers: str) -> Permanent | Retryable:
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    found = error_of(status, headers, body, method="GET", path="/x", now=NOW)
    assert isinstance(found, Permanent | Retryable)
    return found


KINDS = {
    400: Permanent,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: Permanent,
    408: Retryable,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    413: Permanent,
    422: Conflict,
    423: Conflict,
    425: Retryable,
    429: Retryable,
    500: Retryable,
    502: Retryable,
    503: Retryable,
    504: Retryable,
}


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_the_status_decides_the_kind_of_error(status: int, kind: type) -> None:
    found = error(status)
    assert kind is type(found)
    assert (status, "GET", "/x") == (found.status, found.method, found.path)


REFUSED = [one for one in exchanges() if one["status"] >= 400]


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: f"{one['status']} {one['path']}")
def test_gitea_s_own_message_is_kept(one: dict) -> None:
    body = json.dumps(one["response"]).encode() if one["response"] != "" else b""
    found = error(one["status"], body, **{"Content-Type": "application/json"})
    told = one["response"]["message"] if one["response"] else ""
    assert found.message.startswith(told)
    assert bool(told) == bool(found.message)


JSON_TYPE = "application/json"
MESSAGES = {
    "message and errors": (
        b'{"message": "not found", "errors": ["comment does not exist [id: 24]"]}',
        JSON_TYPE,
        "not found: comment does not exist [id: 24]",
    ),
    "no errors": (b'{"message": "no", "errors": null}', JSON_TYPE, "no"),
    "errors of another shape": (b'{"message": 5, "errors": [1, "x", {}]}', JSON_TYPE, "x"),
    "words alone": (
        b'"CrossRepositoryDependencies not enabled"',
        JSON_TYPE,
        "CrossRepositoryDependencies not enabled",
    ),
    "a list": (b"[1]", JSON_TYPE, ""),
    "empty": (b"", JSON_TYPE, ""),
    "broken": (b'{"message": "x', JSON_TYPE, ""),
    "too deep": (b"[" * 100_000, JSON_TYPE, ""),
    "a page": (b"<html>Bad Gateway</html>", "text/html", ""),
    "plain text": (b"404 page not found\n", "text/plain; charset=utf-8", "404 page not found"),
    "lines and control characters": (b"a\r\n\x1b[31mb\x00", "text/plain", "a [31mb"),
}


@pytest.mark.parametrize(("body", "kind", "message"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_one_line_of_gitea_s_words(body: bytes, kind: str, message: str) -> None:
    assert message == error(400, body, **{"Content-Type": kind}).message


def test_a_long_message_is_cut() -> None:
    body = json.dumps({"message": "x" * 100_000}).encode()
    message = error(400, body).message
    assert (500, "…") == (len(message), message[-1])


WAITS = {
    "seconds": ("7", 7.0),
    "blanks": (" 7 ", 7.0),
    "date": ("Sun, 22 Nov 2026 15:00:30 GMT", 30.0),
    "date of another zone": ("Sun, 22 Nov 2026 16:00:30 +0100", 30.0),
    "date without a zone": ("Sun, 22 Nov 2026 15:00:30 -0000", 30.0),
    "date gone by": ("Sun, 22 Nov 2026 14:00:00 GMT", 0.0),
    "negative": ("-5", None),
    "fraction": ("1.5", None),
    "nonsense": ("soon", None),
    "absurd": ("9" * 400, None),
    "absurd date": ("Sun, 22 Nov 99999999999999 15:00:00 GMT", None),
    "date past the end of time": ("Fri, 31 Dec 9999 23:59:59 -1400", None),
    "none": (None, None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("value", "seconds"), WAITS.values(), ids=WAITS)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert seconds == retry_after(value, NOW)


@given(st.text())
def test_retry_after_never_fails(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or found >= 0


def test_gitea_s_wish_to_wait_is_kept_with_the_error() -> None:
    found = error(429, Retry_After="12")
    assert isinstance(found, Retryable)
    assert 12.0 == found.retry_after


FORMS = {
    "only": (b"payload=%7B%22a%22%3A+1%7D", b'{"a": 1}'),
    "among others": (b"x=1&payload=a%26b&y=2", b"a&b"),
    "first of two": (b"payload=a&payload=b", b"a"),
    "equals sign inside": (b"payload=a=b", b"a=b"),
    "bytes that are no UTF-8": (b"payload=%ff", b"\xff"),
    "empty": (b"payload=", b""),
    "none": (b"x=1", None),
    "name that only ends so": (b"xpayload=1", None),
}


@pytest.mark.parametrize(("body", "payload"), FORMS.values(), ids=FORMS)
def test_the_payload_of_a_form_is_decoded_byte_for_byte(body: bytes, payload: bytes | None) -> None:
    assert payload == form_payload(body)


@given(
    st.binary(),
    st.lists(st.sampled_from([b"=", b"\r\n", b"+", b"%41", b"%3d", b"_", b" ", b"\t\n"])),
)
def test_whatever_a_form_holds_it_is_decoded_as_others_do(data: bytes, parts: list[bytes]) -> None:
    assert data == form_payload(b"a=b&payload=" + quote_plus(data).encode() + b"&c")
    plain = b"".join(parts)
    assert unquote_to_bytes(plain.replace(b"+", b" ")) == form_payload(b"payload=" + plain)


@pytest.mark.parametrize("body", [b"&" * 2**20, b"ab&" * 2**19, b"payload=" + b"%41" * 2**19])
def test_a_form_takes_little_memory_whoever_sent_it(body: bytes) -> None:
    tracemalloc.start()
    try:
        form_payload(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(body)


class Listing:
    """A list on a server that gives pages, and may change between two of them."""

    def __init__(self, count: int, *, most: int = 50, total: bool = True, link: bool = False):
        self.ids = list(range(1, count + 1))
        self.most = most
        self.total = total
        self.link = link
        self.asked: list[int] = []

    def page(self, number: int, size: int) -> tuple[list[dict], dict[str, str]]:
        self.asked.append(number)
        size = min(size, self.most)
        first = (number - 1) * size
        headers = {"x-total-count": str(len(self.ids))} if self.total else {}
        if self.link and first + size < len(self.ids):
            headers["Link"] = '<http://x/?page=2>; rel="next",<http://x/?page=9>; rel="last"'
        return [{"id": one} for one in self.ids[first : first + size]], headers


def walk(listing: Listing, between=lambda _page: None, size: int = 50) -> list[int]:
    pages, found = Pages(size), []
    while pages.page is not None and len(listing.asked) < 100:
        asked = pages.page
        found += [item["id"] for item in pages.take(*listing.page(asked, size))]
        between(asked)
    return found


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 101])
@pytest.mark.parametrize("total", [True, False], ids=["total", "no total"])
def test_all_pages_are_read_and_no_more_than_needed(count: int, total: bool) -> None:
    listing = Listing(count, total=total)
    assert listing.ids == walk(listing)
    full, rest = divmod(count, 50)
    needed = max(1, full + bool(rest)) if total else full + 1
    assert needed == len(listing.asked)


@pytest.mark.parametrize("count", [20, 45, 61])
@pytest.mark.parametrize(("total", "link"), [(True, False), (False, True)], ids=["total", "link"])
def test_a_server_with_shorter_pages_is_read_to_the_end(
    count: int, total: bool, link: bool
) -> None:
    listing = Listing(count, most=20, total=total, link=link)
    assert listing.ids == walk(listing)


def test_what_is_added_meanwhile_makes_nothing_come_twice() -> None:
    """Newest first: three new ones push three that were read onto the next page."""
    listing = Listing(120)
    before = list(listing.ids)

    def add(page: int) -> None:
        if page == 1:
            listing.ids = [1001, 1002, 1003, *listing.ids]

    assert before == walk(listing, add)


def test_what_is_removed_meanwhile_makes_nothing_be_missed() -> None:
    """Two of the first page go; two of the second slide onto the first."""
    listing = Listing(120)
    before = list(listing.ids)

    def remove(page: int) -> None:
        if listing.asked == [1]:
            listing.ids = listing.ids[2:]

    assert before == sorted(walk(listing, remove))
    assert [1, 2, 1, 2, 3] == listing.asked


def test_a_route_that_gives_everything_on_every_page_is_asked_once() -> None:
    """`…/issues/{n}/comments` answers 60 of 60 to any page."""
    pages = Pages(50)
    items = [{"id": one} for one in range(1, 61)]
    assert items == pages.take(items, {"X-Total-Count": "60"})
    assert pages.page is None


def test_a_route_without_total_that_repeats_itself_ends() -> None:
    pages, items = Pages(50), [{"id": one} for one in range(1, 51)]
    assert items == pages.take(items, {})
    assert [] == pages.take(items, {})
    assert pages.page is None


def test_blank_items_are_never_taken_for_one_another() -> None:
    """Blockers the bot may not see all come with id 0."""
    blank = [{"id": 0}, {"id": 0}, {"id": None}, {}]
    assert blank == Pages().take(blank, {"X-Total-Count": "4"})


@pytest.mark.parametrize("total", ["", "many", "-1", "9" * 50])
def test_a_total_that_is_no_number_is_as_good_as_none(total: str) -> None:
    pages = Pages(50)
    pages.take([{"id": 1}], {"X-Total-Count": total})
    assert pages.page is None


def test_a_total_that_promises_more_than_there_is_ends_at_an_empty_page() -> None:
    pages = Pages(2)
    pages.take([{"id": 1}, {"id": 2}], {"X-Total-Count": "9"})
    assert 2 == pages.page
    assert [] == pages.take([], {"X-Total-Count": "9"})
    assert pages.page is None


@given(
    st.integers(0, 300),
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=4),
)
def test_however_the_list_changes_what_stays_is_found_once(
    count: int, changes: list[tuple[bool, int]]
) -> None:
    listing = Listing(count)
    steps = iter(changes)
    fresh = iter(range(10_000, 99_999))
    removed: set[int] = set()

    def change(_page: int) -> None:
        add, where = next(steps, (None, 0))
        if add:
            listing.ids.insert(0, next(fresh))
        elif add is False and where < len(listing.ids):
            removed.add(listing.ids.pop(where))

    found = walk(listing, change)
    assert len(found) == len(set(found))
    assert set(range(1, count + 1)) - removed <= set(found)
