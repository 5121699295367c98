"""What of all that changed concerns the bot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.changes import Change, Hear, Words, must_look, place, to_hear, was_missed
from bot.gitea.models import Comment, Issue, IssueRepository, PullRequest, User
from bot.models import IssueRef
from bot.render import MARKER
from bot.store.queries import Known

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOT, ALICE = User(id=9, login="coordinator"), User(id=2, login="alice")
ONE = IssueRef("Acme", "Rocket", 1)
URL = "https://git.example.org/Acme/Rocket/issues/1"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def issue(*assignees: User, state: str = "open", pull: bool = False) -> Issue:
    return Issue(
        id=101,
        number=1,
        state=state,
        created_at=NOON,
        updated_at=at(30),
        assignees=assignees,
        pull_request=PullRequest() if pull else None,
        repository=IssueRepository(id=7, name="Rocket", owner="Acme", full_name="Acme/Rocket"),
    )


def change(*assignees: User, state: str = "open", pull: bool = False) -> Change:
    return Change.of(issue(*assignees, state=state, pull=pull), BOT.id)


def test_what_is_read_of_an_issue() -> None:
    expected = Change(
        id=101,
        ref=ONE,
        repository_id=7,
        created_at=NOON,
        updated_at=at(30),
        is_open=True,
        is_pull=False,
        assigned=True,
    )
    assert expected == change(ALICE, BOT)


# ---- looking ----

SEEN = Known(ONE, seen_at=at(30))


@pytest.mark.parametrize(
    ("expected", "changed", "known", "at_edge"),
    [
        (False, change(ALICE), None, False),
        (False, change(BOT, pull=True), None, False),
        (True, change(BOT), None, False),
        (True, change(BOT, state="closed"), None, False),
        (True, change(), None, True),
        (True, change(pull=True), None, True),
        (True, change(), Known(ONE), False),
        (True, change(), replace(SEEN, seen_at=at(0)), False),
        (True, change(), replace(SEEN, seen_at=at(30)), False),
        (True, change(), replace(SEEN, seen_at=at(35)), False),
        (False, change(), replace(SEEN, seen_at=at(35.1)), False),
        (False, change(BOT), replace(SEEN, seen_at=at(35.1)), True),
    ],
    ids=[
        "nobody's",
        "a pull request is not coordinated",
        "assigned",
        "assigned, closed since",
        "waits or is waited for",
        "a pull request that is waited for",
        "known, never seen",
        "seen before that",
        "seen in that second",
        "it may not have shown yet",
        "seen after it",
        "seen after it, whatever else it is",
    ],
)
def test_what_must_be_looked_at(
    expected: bool, changed: Change, known: Known | None, at_edge: bool
) -> None:
    assert expected is must_look(changed, known, at_edge=at_edge)


@pytest.mark.parametrize(
    ("expected", "changed", "known"),
    [
        (True, change(BOT), None),
        (True, change(BOT), Known(ONE, coordinated=False, state="open")),
        (True, change(BOT), Known(ONE, coordinated=True, state="closed")),
        (False, change(BOT), Known(ONE, coordinated=True, state="open")),
        (False, change(BOT, state="closed"), Known(ONE, coordinated=True, state="closed")),
        (False, change(ALICE), None),
        (False, change(BOT, pull=True), None),
    ],
    ids=["unknown", "left once", "reopened", "known", "closed", "not ours", "a pull request"],
)
def test_what_is_assigned_and_was_missed(
    expected: bool, changed: Change, known: Known | None
) -> None:
    assert expected is was_missed(changed, known)


# ---- hearing ----

HELD = Known(ONE, coordinated=True, status="hold", comment_id=5, comment_at=at(9).isoformat())
READY = replace(HELD, status="ready")


def comment(
    body: str = "/hold", by: User = ALICE, *, number: int = 5, edited: float = 9
) -> Comment:
    return Comment(
        id=number, body=body, user=by, created_at=NOON, updated_at=at(edited), issue_url=URL
    )


def words(said: Comment) -> Words | None:
    return Words.of(said, BOT.id)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (True, comment("/hold")),
        (False, comment(f"{MARKER}\n", BOT, edited=0)),
        (True, comment(f"{MARKER}\n", BOT, edited=1)),
        (False, comment().model_copy(update={"issue_url": "", "pull_request_url": ""})),
    ],
    ids=["somebody's", "the bot's, as it was made", "the bot's, edited", "nowhere"],
)
def test_which_comments_may_have_to_be_heard(expected: bool, said: Comment) -> None:
    assert expected is (words(said) is not None)


def report(*boxes: str) -> str:
    lines = (f"- [{box[0]}] <!-- mosaic:box={box[1:]} --> words" for box in boxes)
    return "\n".join([MARKER, "", *lines])


@pytest.mark.parametrize(
    ("expected", "body", "known"),
    [
        (False, report(" parse", " recheck", " hold"), READY),
        (False, report(" parse", "xhold"), HELD),
        (True, report(" parse", "xhold"), READY),
        (True, report(" parse", "xhold"), None),
        (True, report(" parse", " hold"), HELD),
        (True, report("xparse", "xhold"), HELD),
        (True, report("xaccept:acme/rocket#2"), READY),
        (False, report(), HELD),
        (False, "Ended.", HELD),
    ],
    ids=[
        "nothing is ticked",
        "on hold, and says so",
        "hold was ticked",
        "hold was ticked, perhaps",
        "hold was cleared",
        "ticked beside hold",
        "a proposal was accepted",
        "no boxes",
        "no report",
    ],
)
def test_boxes_that_stand_otherwise_than_the_bot_leaves_them_ask_for_something(
    expected: bool, body: str, known: Known | None
) -> None:
    found = words(comment(body, BOT))
    assert found is not None
    assert expected is found.asks(known)


def test_what_a_person_wrote_asks_for_something() -> None:
    found = words(comment("/hold"))
    assert found is not None
    assert found.asks(None)


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        (False, READY),
        (False, replace(READY, comment_at="2026-11-22T13:00:09+01:00")),
        (True, replace(READY, comment_at="2026-11-22T12:00:08Z")),
        (False, replace(READY, comment_id=6, comment_at="2026-11-22T12:00:08Z")),
        (False, replace(READY, comment_at="")),
        (False, None),
    ],
    ids=[
        "as written",
        "in another zone",
        "edited since",
        "another comment",
        "not noted",
        "unknown",
    ],
)
def test_whether_somebody_else_wrote_the_report_last(expected: bool, known: Known | None) -> None:
    found = words(comment(report(), BOT))
    assert found is not None
    assert expected is found.touched(known)


def said(number: int, body: str = "/hold", ref: IssueRef = ONE, edited: float = 9) -> Words:
    url = f"https://x.test/sub/{ref.repository}/issues/{ref.number}"
    found = words(comment(body, number=number, edited=edited).model_copy(update={"issue_url": url}))
    assert found is not None
    return found


def test_what_is_heard_of_an_issue_is_one_thing_in_the_order_it_was_said() -> None:
    two = ONE.sibling(2)
    first, second = to_hear([said(8), said(3), said(5, ref=two)], [change(BOT)])
    assert (ONE, (3, 8), True) == (first.ref, first.comments, first.opening)
    assert (two, (5,), False) == (second.ref, second.comments, second.opening)
    assert () == to_hear([], [])


def test_the_same_words_have_the_same_digest_and_others_have_not() -> None:
    def digest(*comments: Words, opened: tuple[Change, ...] = ()) -> str:
        [found] = to_hear(comments, opened)
        assert isinstance(found, Hear)
        return found.digest

    opened = (change(BOT),)
    others = {
        digest(said(3), said(8)),
        digest(said(3)),
        digest(said(3, "/unhold")),
        digest(said(3, edited=10)),
        digest(said(3), opened=opened),
        digest(opened=opened),
        digest(said(3, ref=ONE.sibling(2))),
    }
    assert 7 == len(others)
    assert digest(said(3), said(8)) == digest(said(8), said(3))
    assert digest(said(3, "/\ud800")) == digest(said(3, "/\ud800"))


@pytest.mark.parametrize(
    ("expected", "field", "url"),
    [
        (ONE, "issue_url", URL),
        (ONE, "issue_url", "http://127.0.0.1:3000/git/Acme/Rocket/issues/1"),
        (ONE, "pull_request_url", URL.replace("issues", "pulls")),
        (None, "issue_url", "https://git.example.org/Acme/Rocket"),
        (None, "issue_url", ""),
    ],
)
def test_where_a_comment_stands(expected: IssueRef | None, field: str, url: str) -> None:
    one = comment().model_copy(update={"issue_url": "", field: url})
    assert expected == place(one)
