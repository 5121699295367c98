"""What Gitea answers, read without stumbling over its nulls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bot.gitea.models import Comment, Issue, Permission, Repository, User
from bot.models import IssueRef
from tests.recorded import answers

# Seen in Gitea 1.26.3: a native blocker in a repository the one who asks may not see.
INVISIBLE = {
    "id": 0,
    "number": 0,
    "user": None,
    "title": "",
    "body": "",
    "assets": None,
    "labels": None,
    "milestone": None,
    "assignee": None,
    "assignees": None,
    "state": "",
    "is_locked": False,
    "comments": 0,
    "created_at": "0001-01-01T00:00:00Z",
    "updated_at": "0001-01-01T00:00:00Z",
    "closed_at": None,
    "pull_request": None,
    "repository": None,
    "content_version": 0,
}


def issue(**changes: object) -> Issue:
    recorded = answers("GET", "/repos/acme/rocket/issues/2")
    return Issue.model_validate({**recorded, **changes})


def repository(**changes: object) -> Repository:
    recorded = answers("GET", "/repos/acme/rocket")
    return Repository.model_validate({**recorded, **changes})


@pytest.mark.parametrize(
    ("expected", "version"),
    [(False, {"content_version": 0}), (True, {"content_version": 1}), (True, {})],
    ids=["never", "once", "nobody counts"],
)
def test_a_text_may_have_been_edited_unless_gitea_says_that_it_was_not(
    expected: bool, version: dict[str, int]
) -> None:
    recorded = dict(answers("GET", "/repos/acme/rocket/issues/2"))
    del recorded["content_version"]
    assert expected is Issue.model_validate({**recorded, **version}).edited


@pytest.mark.parametrize(
    ("expected", "updated_at"),
    [
        (False, "2026-11-22T15:00:00Z"),
        (False, "2026-11-22T16:00:00+01:00"),
        (True, "2026-11-22T15:00:01Z"),
    ],
)
def test_a_comment_was_edited_when_it_changed_after_it_was_written(
    expected: bool, updated_at: str
) -> None:
    written = {"id": 1, "created_at": "2026-11-22T15:00:00Z", "updated_at": updated_at}
    assert expected is Comment.model_validate(written).edited


def test_a_recorded_issue_is_read() -> None:
    found = issue()
    assert IssueRef("acme", "rocket", 2) == found.ref
    assert ("Retry in the pump driver", "open", 3, 1) == (
        found.title,
        found.state,
        found.comments,
        found.content_version,
    )
    assert datetime(2026, 11, 22, 14, 56, 7, tzinfo=UTC) == found.updated_at
    assert "alice" == found.user.login
    assert found.visible
    assert found.is_open
    assert not found.is_pull
    assert not found.merged
    assert ((), ()) == (found.assignees, found.labels)


def test_a_recorded_pull_request_is_read() -> None:
    found = Issue.model_validate(answers("PATCH", "/repos/acme/rocket/issues/5"))
    assert found.is_pull
    assert not found.merged
    assert found.assigned_to("coordinator")


def test_a_merged_pull_request_is_known() -> None:
    found = issue(pull_request={"merged": True, "merged_at": "2026-11-22T14:56:16Z"})
    assert found.is_pull
    assert found.merged


NULLS = ["body", "title", "user", "assignees", "labels", "closed_at", "pull_request", "html_url"]


@pytest.mark.parametrize("field", NULLS)
def test_null_is_read_as_nothing(field: str) -> None:
    assert not getattr(issue(**{field: None}), field) or field == "user"


@pytest.mark.parametrize(
    "field", [*NULLS, "comments", "is_locked", "content_version", "repository"]
)
def test_a_field_an_older_gitea_does_not_send_is_no_matter(field: str) -> None:
    recorded = answers("GET", "/repos/acme/rocket/issues/2")
    found = Issue.model_validate({key: value for key, value in recorded.items() if key != field})
    assert 2 == found.number


def test_nobody_is_named_where_a_user_is_null() -> None:
    assert User(id=0, login="") == issue(user=None).user


def test_an_issue_the_bot_may_not_see_is_known_as_such() -> None:
    found = Issue.model_validate(INVISIBLE)
    assert not found.visible
    assert not found.is_open
    with pytest.raises(ValueError, match="may not see"):
        _ = found.ref


def test_times_are_utc_whatever_the_server_s_zone() -> None:
    found = issue(updated_at="2026-11-22T16:56:07+02:00")
    assert datetime(2026, 11, 22, 14, 56, 7, tzinfo=UTC) == found.updated_at
    assert UTC is found.updated_at.tzinfo


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        issue(updated_at="2026-11-22T16:56:07")


@pytest.mark.parametrize("login", ["coordinator", "Coordinator", "COORDINATOR"])
def test_assignees_are_found_in_any_case(login: str) -> None:
    found = issue(assignees=[{"id": 1, "login": "bob"}, {"id": 2, "login": "Coordinator"}])
    assert found.assigned_to(login)
    assert not found.assigned_to("coordinato")


def test_nothing_can_be_changed() -> None:
    with pytest.raises(ValidationError):
        issue().title = "x"  # type: ignore[misc]


ON = {
    "issue": ("/repos/acme/rocket/issues/2/comments", 2),
    "pull request": ("/repos/acme/rocket/issues/5/comments", 5),
}


@pytest.mark.parametrize(("path", "number"), ON.values(), ids=ON)
def test_a_comment_knows_what_it_stands_on(path: str, number: int) -> None:
    found = Comment.model_validate(answers("POST", path))
    assert number == found.number


@pytest.mark.parametrize("url", ["", "x", "https://x/issues/", "https://x/issues/٣"])
def test_a_comment_without_a_usable_url_stands_on_nothing_known(url: str) -> None:
    recorded = answers("POST", "/repos/acme/rocket/issues/2/comments")
    assert Comment.model_validate({**recorded, "issue_url": url}).number is None


def test_a_recorded_repository_is_read() -> None:
    found = repository()
    assert ("acme/rocket", "main", "acme") == (
        found.full_name,
        found.default_branch,
        found.owner.login,
    )
    assert (True, False) == (found.permissions.push, found.permissions.admin)
    assert not found.hidden
    assert not found.archived


def test_the_permissions_of_a_repository_in_an_event_may_be_null() -> None:
    assert not repository(permissions=None).permissions.push


PUBLIC = {"id": 6, "login": "acme", "visibility": "public"}
HIDDEN = {
    "public": (False, False, "public", False),
    "private": (True, False, "public", True),
    "internal": (False, True, "private", True),
    "of a limited organisation": (False, False, "limited", True),
    "of a private organisation": (False, False, "private", True),
}


@pytest.mark.parametrize(
    ("private", "internal", "visibility", "hidden"), HIDDEN.values(), ids=HIDDEN
)
def test_what_not_everybody_may_read_is_hidden(
    private: bool, internal: bool, visibility: str, hidden: bool
) -> None:
    owner = {**PUBLIC, "visibility": visibility}
    assert hidden == repository(private=private, internal=internal, owner=owner).hidden


TRACKERS = {
    "on": ({"enable_issue_dependencies": True}, True, True),
    "off": ({"enable_issue_dependencies": False}, True, False),
    "no issues at all": ({"enable_issue_dependencies": True}, False, False),
    "external tracker": (None, True, False),
}


@pytest.mark.parametrize(("tracker", "issues", "kept"), TRACKERS.values(), ids=TRACKERS)
def test_whether_gitea_keeps_dependencies_itself(tracker: object, issues: bool, kept: bool) -> None:
    assert kept == repository(internal_tracker=tracker, has_issues=issues).native_dependencies


RIGHTS = {
    "owner": (True, True, True),
    "admin": (True, True, True),
    "write": (True, True, False),
    "read": (True, False, False),
    "none": (False, False, False),
    "": (False, False, False),
    "something new": (False, False, False),
}


@pytest.mark.parametrize(("name", "rights"), RIGHTS.items(), ids=RIGHTS)
def test_a_permission_includes_the_lesser_ones(name: str, rights: tuple[bool, bool, bool]) -> None:
    found = Permission(permission=name)
    assert rights == (found.can_read, found.can_write, found.can_administer)
