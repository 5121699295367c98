"""The calls the bot makes: the right route, the right words, and the answer's corners."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot.errors import Conflict, Forbidden, GiteaError, NotFound, Permanent, Retryable
from bot.gitea import api as module
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.gitea.models import NativeDependencies, Tree
from bot.models import IssueRef
from tests.recorded import exchanges
from tests.unit.test_gitea_models import INVISIBLE

REF = IssueRef("acme", "rocket", 2)
SINCE = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
REPO = "acme/rocket"


class Replay:
    """Answers each request as was recorded last; `extra` comes first, by method and path."""

    def __init__(self, **extra: tuple[int, Any]) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.known = {
            f"{one['method']} {one['path'].partition('?')[0]}": (one["status"], one["response"])
            for one in exchanges()
        }
        self.known |= extra

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path.removeprefix('/api/v1')}"
        data = json.loads(request.content) if request.content else None
        self.requests.append((name, dict(request.url.params), data))
        status, response = self.known.get(name, (404, {"message": "not found"}))
        if callable(response):
            response = response(request)
        return httpx.Response(status, json=response) if response != "" else httpx.Response(status)


def over(replay: Callable[[httpx.Request], httpx.Response]) -> GiteaAPI:
    client = Gitea(
        "https://git.example.org",
        SecretStr("0123456789abcdef"),
        transport=httpx.MockTransport(replay),
        attempts=1,
    )
    return GiteaAPI(client)


def api(answers: dict[str, tuple[int, Any]] | None = None) -> GiteaAPI:
    return over(Replay(**(answers or {})))


async def failure(awaitable: Awaitable[object]) -> GiteaError:
    with pytest.raises(GiteaError) as caught:
        await awaitable
    return caught.value


async def listed(items) -> list:
    return [one async for one in items]


Ask = Callable[[GiteaAPI], Any]
P = {"limit": "50", "page": "1"}
ONE = {"limit": "1", "page": "1"}
ISSUE = "/repos/acme/rocket/issues/2"
META = {"owner": "acme", "repo": "rocket", "index": 1}

CALLS: dict[str, tuple[Ask, str, dict[str, str], Any]] = {
    "me": (lambda a: a.me(), "GET /user", {}, None),
    "version": (lambda a: a.version(), "GET /version", {}, None),
    "settle": (lambda a: a.settle(), "GET /settings/api", {}, None),
    "repository": (lambda a: a.repository("acme", "rocket"), "GET /repos/acme/rocket", {}, None),
    "tree": (
        lambda a: a.tree(REPO, "main"),
        "GET /repos/acme/rocket/git/trees/main",
        {"recursive": "true", "page": "1", "per_page": "1000"},
        None,
    ),
    "policy_sha": (
        lambda a: a.policy_sha(REPO),
        f"GET /repos/{REPO}/contents/.gitea/coordinator.toml",
        {},
        None,
    ),
    "issue": (lambda a: a.issue(REF), f"GET {ISSUE}", {}, None),
    "issues_since": (
        lambda a: listed(a.issues_since(REPO, SINCE)),
        "GET /repos/acme/rocket/issues",
        {"state": "all", "since": "2026-11-22T15:00:00Z", **P},
        None,
    ),
    "assigned_issues": (
        lambda a: listed(a.assigned_issues()),
        "GET /repos/issues/search",
        {"assigned": "true", "state": "open", **P},
        None,
    ),
    "assigned_issues since": (
        lambda a: listed(a.assigned_issues(SINCE)),
        "GET /repos/issues/search",
        {"assigned": "true", "state": "open", "since": "2026-11-22T15:00:00Z", **P},
        None,
    ),
    "count_assigned": (
        lambda a: a.count_assigned(SINCE),
        "GET /repos/issues/search",
        {"assigned": "true", "state": "open", "since": "2026-11-22T15:00:00Z", **ONE},
        None,
    ),
    "open_issues": (
        lambda a: listed(a.open_issues(REPO)),
        "GET /repos/acme/rocket/issues",
        {"state": "open", **P},
        None,
    ),
    "count_open": (
        lambda a: a.count_open(REPO),
        "GET /repos/acme/rocket/issues",
        {"state": "open", **ONE},
        None,
    ),
    "native_dependencies": (
        lambda a: a.native_dependencies(REF),
        f"GET {ISSUE}/dependencies",
        P,
        None,
    ),
    "native_blocking": (
        lambda a: a.native_blocking(REF.sibling(1)),
        "GET /repos/acme/rocket/issues/1/blocks",
        P,
        None,
    ),
    "comments": (lambda a: listed(a.comments(REF)), f"GET {ISSUE}/comments", P, None),
    "create_comment": (
        lambda a: a.create_comment(REF, "a\x00b 🚀\r\n"),
        f"POST {ISSUE}/comments",
        {},
        {"body": "ab 🚀\r\n"},
    ),
    "edit_comment": (
        lambda a: a.edit_comment(REPO, 15, "b"),
        "PATCH /repos/acme/rocket/issues/comments/15",
        {},
        {"body": "b"},
    ),
    "delete_comment": (
        lambda a: a.delete_comment(REPO, 15),
        "DELETE /repos/acme/rocket/issues/comments/15",
        {},
        None,
    ),
    "react": (lambda a: a.react(REF, "eyes"), f"POST {ISSUE}/reactions", {}, {"content": "eyes"}),
    "react_to_comment": (
        lambda a: a.react_to_comment(REPO, 16, "+1"),
        "POST /repos/acme/rocket/issues/comments/16/reactions",
        {},
        {"content": "+1"},
    ),
    "labels": (lambda a: a.labels(REPO), "GET /repos/acme/rocket/labels", P, None),
}


@pytest.mark.parametrize(("ask", "request_", "query", "data"), CALLS.values(), ids=CALLS)
async def test_each_call_asks_what_was_recorded_and_reads_the_answer(
    ask: Ask, request_: str, query: dict[str, str], data: Any
) -> None:
    replay = Replay()
    await ask(over(replay))
    assert [(request_, query, data)] == replay.requests


async def test_who_the_bot_is_and_what_it_talks_to() -> None:
    assert "coordinator" == (await api().me()).login
    assert "1.26.3" == await api().version()


def numbered(*numbers: int) -> Callable[[httpx.Request], httpx.Response]:
    """Answers every request with the page it asks for of a list of issues."""
    like = Replay().known[f"GET {ISSUE}"][1]

    def answer(request: httpx.Request) -> httpx.Response:
        page, size = (int(request.url.params[name]) for name in ("page", "limit"))
        shown = [like | {"id": n, "number": n} for n in numbers[(page - 1) * size : page * size]]
        return httpx.Response(200, json=shown, headers={"X-Total-Count": str(len(numbers))})

    return answer


LISTS: dict[str, Ask] = {
    "open_issues": lambda a: listed(a.open_issues(REPO)),
    "assigned_issues": lambda a: listed(a.assigned_issues()),
    "assigned_issues since": lambda a: listed(a.assigned_issues(SINCE)),
}


@pytest.mark.parametrize("ask", LISTS.values(), ids=LISTS)
async def test_lists_are_read_to_their_end(ask: Ask) -> None:
    found = await ask(over(numbered(*range(60, 0, -1))))
    assert list(range(60, 0, -1)) == [issue.number for issue in found]


COUNTS: dict[str, Ask] = {
    "count_open": lambda a: a.count_open(REPO),
    "count_assigned": lambda a: a.count_assigned(SINCE),
}


@pytest.mark.parametrize("ask", COUNTS.values(), ids=COUNTS)
async def test_how_many_there_are_is_told_without_reading_them(ask: Ask) -> None:
    assert 60 == await ask(over(numbered(*range(60))))
    silent = over(lambda _: httpx.Response(200, json=[]))
    assert None is await ask(silent)


@pytest.mark.parametrize(
    ("ahead", "theirs"),
    [
        (timedelta(minutes=3), datetime(2026, 11, 22, 15, 3, tzinfo=UTC)),
        (timedelta(hours=-1), datetime(2026, 11, 22, 14, 0, tzinfo=UTC)),
        (None, None),
    ],
    ids=["ahead", "behind", "not told"],
)
def test_a_time_of_ours_is_told_by_the_clock_of_gitea(
    ahead: timedelta | None, theirs: datetime | None
) -> None:
    gitea = api()
    gitea.client.ahead = ahead
    assert theirs == gitea.time(SINCE)


@pytest.mark.parametrize(("most", "size"), [(20, 20), (50, 50), (1000, 50)])
async def test_pages_are_no_larger_than_the_server_gives(most: int, size: int) -> None:
    gitea = api({"GET /settings/api": (200, {"max_response_items": most})})
    await gitea.settle()
    assert size == gitea.client.page_size


# Native dependencies


async def test_blockers_the_bot_may_not_see_are_counted() -> None:
    seen = next(
        one["response"]
        for one in exchanges()
        if one["path"] == f"{ISSUE}/dependencies" and one["method"] == "GET"
    )
    gitea = api({f"GET {ISSUE}/dependencies": (200, [*seen, INVISIBLE, INVISIBLE])})
    found = await gitea.native_dependencies(REF)
    assert [REF.sibling(1)] == [issue.ref for issue in found.issues]
    assert 2 == found.unseen
    assert [REF.sibling(1)] == [issue.ref for issue in await gitea.native_blockers(REF)]


async def test_dependencies_switched_off_are_none() -> None:
    gitea = api({f"GET {ISSUE}/dependencies": (404, {"message": "not found"})})
    assert NativeDependencies(off=True) == await gitea.native_dependencies(REF)


async def test_dependencies_that_cannot_be_read_are_not_taken_for_none() -> None:
    gitea = api({f"GET {ISSUE}/dependencies": (503, "")})
    assert isinstance(await failure(gitea.native_dependencies(REF)), Retryable)


async def test_a_dependency_is_added_and_removed() -> None:
    replay = Replay(
        **{f"POST {ISSUE}/dependencies": (201, {}), f"DELETE {ISSUE}/dependencies": (201, {})}
    )
    gitea = over(replay)
    await gitea.add_dependency(REF, REF.sibling(1))
    await gitea.remove_dependency(REF, REF.sibling(1))
    assert [
        (f"POST {ISSUE}/dependencies", {}, META),
        (f"DELETE {ISSUE}/dependencies", {}, META),
    ] == replay.requests


DEPENDING = {
    "add": lambda a: a.add_dependency(REF, REF.sibling(1)),
    "remove": lambda a: a.remove_dependency(REF, REF.sibling(1)),
}


@pytest.mark.parametrize("ask", DEPENDING.values(), ids=DEPENDING)
async def test_gitea_s_wordless_500_is_a_conflict(ask: Ask) -> None:
    wordless = (500, {"message": "", "url": "https://x/api/swagger"})
    error = await failure(
        ask(api({f"POST {ISSUE}/dependencies": wordless, f"DELETE {ISSUE}/dependencies": wordless}))
    )
    assert isinstance(error, Conflict)
    assert error.path == f"{ISSUE}/dependencies"
    assert "the dependency is" in str(error)


@pytest.mark.parametrize("ask", DEPENDING.values(), ids=DEPENDING)
@pytest.mark.parametrize("answer", [(500, {"message": "database is locked"}), (502, "")], ids=str)
async def test_any_other_failure_may_pass(ask: Ask, answer: tuple[int, Any]) -> None:
    gitea = api({f"POST {ISSUE}/dependencies": answer, f"DELETE {ISSUE}/dependencies": answer})
    error = await failure(ask(gitea))
    assert isinstance(error, Retryable)
    assert answer[0] == error.status


# Comments


async def test_a_comment_is_read() -> None:
    recorded = next(one["response"] for one in exchanges() if one["path"] == f"{ISSUE}/comments")
    gitea = api({"GET /repos/acme/rocket/issues/comments/15": (200, recorded)})
    found = await gitea.comment(REPO, 15)
    assert ("/status\n\nand some prose", "bob", 2) == (found.body, found.user.login, found.number)


async def test_comments_since_are_those_of_the_whole_repository() -> None:
    recorded = next(
        one["response"]
        for one in exchanges()
        if one["path"] == f"{ISSUE}/comments" and one["method"] == "GET"
    )
    replay = Replay(**{"GET /repos/acme/rocket/issues/comments": (200, recorded)})
    found = await listed(over(replay).comments_since(REPO, SINCE))
    assert [16, 17, 24] == [comment.id for comment in found]
    assert {"since": "2026-11-22T15:00:00Z", **P} == replay.requests[0][1]


async def test_deleting_what_is_gone_is_no_failure() -> None:
    await api().delete_comment(REPO, 999)


async def test_editing_what_is_gone_is_not_found() -> None:
    assert isinstance(await failure(api().edit_comment(REPO, 999, "x")), NotFound)


async def test_a_comment_of_somebody_else_may_not_be_edited() -> None:
    gitea = api({"PATCH /repos/acme/rocket/issues/comments/16": (403, "")})
    assert isinstance(await failure(gitea.edit_comment(REPO, 16, "x")), Forbidden)


# Labels


LABEL = {"id": 1, "name": "status/ready", "color": "00ff00", "exclusive": True, "description": "d"}


async def test_a_label_is_made_with_colour_and_description() -> None:
    replay = Replay(**{"POST /repos/acme/rocket/labels": (201, LABEL)})
    found = await over(replay).create_label(REPO, "status/ready", "#00ff00", "d")
    assert ("status/ready", True, "d") == (found.name, found.exclusive, found.description)
    sent = {"name": "status/ready", "color": "#00ff00", "description": "d", "exclusive": True}
    assert sent == replay.requests[0][2]


async def test_a_colour_that_is_none_is_a_conflict_with_gitea_s_words() -> None:
    error = await failure(api().create_label(REPO, "x", "red", ""))
    assert isinstance(error, Conflict)
    assert "invalid color: #red" in str(error)


async def test_adding_labels_gives_all_the_issue_has_afterwards() -> None:
    replay = Replay(**{f"POST {ISSUE}/labels": (200, [LABEL, {**LABEL, "id": 7, "name": "bug"}])})
    found = await over(replay).add_labels(REF, [1, 999])
    assert ["status/ready", "bug"] == [label.name for label in found]
    assert {"labels": [1, 999]} == replay.requests[0][2]


@pytest.mark.parametrize("answer", [None, []])
async def test_no_labels_afterwards_is_an_empty_list(answer: object) -> None:
    gitea = api({f"POST {ISSUE}/labels": (200, answer)})
    assert [] == await gitea.add_labels(REF, [999])


async def test_labels_of_another_shape_are_refused() -> None:
    gitea = api({f"POST {ISSUE}/labels": (200, [{"id": "one"}])})
    error = await failure(gitea.add_labels(REF, [1]))
    assert isinstance(error, Permanent)
    assert "0.id" in str(error)


async def test_labels_are_removed_by_id() -> None:
    replay = Replay(
        **{f"DELETE {ISSUE}/labels/7": (204, ""), f"DELETE /repos/{REPO}/labels/7": (204, "")}
    )
    await over(replay).remove_label(REF, 7)
    await over(replay).delete_label(REPO, 7)
    assert [f"DELETE {ISSUE}/labels/7", f"DELETE /repos/{REPO}/labels/7"] == [
        name for name, _, _ in replay.requests
    ]


async def test_a_label_that_exists_nowhere_is_a_conflict() -> None:
    answer = (422, {"message": "label does not exist [label_id: 0]"})
    error = await failure(api({f"DELETE {ISSUE}/labels/9": answer}).remove_label(REF, 9))
    assert isinstance(error, Conflict)


# Permission


PERMISSION = f"GET /repos/{REPO}/collaborators/bob/permission"


async def test_a_permission_is_looked_up() -> None:
    answer = (200, {"permission": "write", "role_name": "write", "user": None})
    assert (await api({PERMISSION: answer}).permission(REPO, "bob")).can_write


async def test_a_permission_the_bot_may_not_look_up_is_forbidden_with_the_reason() -> None:
    error = await failure(api().permission(REPO, "bob"))
    assert isinstance(error, Forbidden)
    assert "Only admins can query all permissions" in str(error)


async def test_a_repository_is_found_by_its_id() -> None:
    shown = {"id": 5, "full_name": "acme/vessel", "owner": {"id": 1}}
    found = await api({"GET /repositories/5": (200, shown)}).repository_by_id(5)
    assert (5, "acme/vessel") == (found.id, found.full_name)


# Tree


def tree_pages(pages: int) -> Callable[[httpx.Request], Any]:
    """A tree of that many pages, of one directory and one file each."""

    def answer(request: httpx.Request) -> Any:
        page = int(request.url.params["page"])
        entries = [
            {"path": f"d{page}", "type": "tree", "size": 0},
            {"path": f"d{page}/f", "type": "blob", "size": page},
        ]
        return {"tree": entries, "truncated": page < pages, "page": page, "total_count": 2 * pages}

    return answer


TREE = f"GET /repos/{REPO}/git/trees/HEAD"


@pytest.mark.parametrize("pages", [1, 2, 7])
async def test_a_tree_is_read_over_all_its_pages(pages: int) -> None:
    replay = Replay(**{TREE: (200, tree_pages(pages))})
    found = await over(replay).tree(REPO)
    assert Tree({f"d{n}/f": n for n in range(1, pages + 1)}) == found
    assert pages == len(replay.requests)


async def test_an_endless_tree_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TREE_PAGES", 3)
    found = await api({TREE: (200, tree_pages(9))}).tree(REPO)
    assert (3, True) == (len(found.sizes), found.truncated)


async def test_a_page_past_the_end_ends_the_tree() -> None:
    gitea = api({TREE: (200, {"tree": None, "truncated": True, "total_count": 0})})
    assert Tree({}) == await gitea.tree(REPO)


async def test_a_branch_with_a_slash_is_one_name() -> None:
    found = Replay(**{f"GET /repos/{REPO}/git/trees/feature/x": (200, tree_pages(1))})
    assert {"d1/f": 1} == (await over(found).tree(REPO, "feature/x")).sizes


@pytest.mark.parametrize("status", [400, 409])
async def test_a_repository_without_commits_has_no_files(status: int) -> None:
    gitea = api({TREE: (status, {"message": "sha not found [HEAD]"})})
    assert Tree({}) == await gitea.tree(REPO)


@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, NotFound), (503, Retryable)])
async def test_a_tree_that_cannot_be_read_is_not_taken_for_empty(status: int, kind: type) -> None:
    assert kind is type(await failure(api({TREE: (status, "")}).tree(REPO)))


@pytest.mark.parametrize(
    ("expected", "answer"),
    [("", (200, [])), ("directory", (200, [{"sha": "abc"}])), ("abc", (200, {"sha": "abc"}))],
    ids=["no commits", "directory", "file"],
)
async def test_a_repository_s_own_file_has_a_name_where_there_is_one(
    expected: str, answer: tuple[int, Any]
) -> None:
    route = f"GET /repos/{REPO}/contents/.gitea/coordinator.toml"
    assert expected == await api({route: answer}).policy_sha(REPO)


BLOB = f"GET /repos/{REPO}/git/blobs/abc"


@pytest.mark.parametrize(
    ("expected", "answer"),
    [(b"x = 1\n", {"content": "eCA9IDEK"}), (b"", {"content": None}), (b"", {"content": ""})],
    ids=["a file", "too large to say", "empty"],
)
async def test_a_file_comes_in_base64(expected: bytes, answer: object) -> None:
    assert expected == await api({BLOB: (200, answer)}).blob(REPO, "abc")


async def test_a_file_in_no_base64_cannot_be_read() -> None:
    assert Permanent is type(await failure(api({BLOB: (200, {"content": "§"})}).blob(REPO, "abc")))


# Answers of another shape


async def test_an_answer_that_is_not_understood_names_fields_but_no_private_values() -> None:
    answer = {"id": 1, "number": "secret plan", "title": "secret plan"}
    error = await failure(api({f"GET {ISSUE}": (200, answer)}).issue(REF))
    assert isinstance(error, Permanent)
    assert "number" in str(error)
    assert "secret plan" not in str(error)
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("answer", [None, [], "x", 5], ids=str)
async def test_an_answer_that_is_no_object_is_refused(answer: object) -> None:
    assert isinstance(await failure(api({f"GET {ISSUE}": (200, answer)}).issue(REF)), Permanent)


async def test_what_the_bot_may_not_see_is_not_found() -> None:
    error = await failure(api().issue(IssueRef("acme", "secret", 1)))
    assert isinstance(error, NotFound)
    assert "GET /repos/acme/secret/issues/1: 404 not found" == str(error)


@pytest.mark.parametrize("repo", ["rocket", "", "/", "acme/", "../x"])
async def test_a_repository_that_can_be_none_is_not_found_without_asking(repo: str) -> None:
    replay = Replay()
    assert isinstance(await failure(over(replay).labels(repo)), NotFound)
    assert [] == replay.requests


class Timeline:
    """One of so many entries, of which each page tells the number of its own only."""

    def __init__(self, entries: int) -> None:
        self.left = entries
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        size = min(self.left, int(request.url.params["limit"]))
        self.left -= size
        page = [{"id": n, "type": "add_dependency", "user": {"id": 9}} for n in range(size)]
        return httpx.Response(200, json=page or None, headers={"X-Total-Count": str(size)})


@pytest.mark.parametrize(("asked", "entries"), [(1, 0), (1, 3), (2, 50), (3, 120), (20, 5000)])
async def test_a_timeline_is_read_to_its_end_within_bounds(asked: int, entries: int) -> None:
    answers = Timeline(entries)
    found = await listed(over(answers).timeline(REF))
    assert asked == answers.asked
    assert min(entries, 1000) == len(found)
    assert all(9 == one.user.id for one in found)
