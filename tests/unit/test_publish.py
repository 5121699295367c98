"""One comment and the bot's own labels, whatever stands there already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Conflict, Forbidden, NotFound, Retryable
from bot.gitea.models import Comment, Issue, IssueRepository, Label, User
from bot.labels import LabelBook, LabelSpec, Scopes
from bot.models import IssueRef
from bot.publish import LOCK_TRIES, Labels, StickyComment
from bot.render import MARKER

WHEN = datetime(2026, 11, 22, tzinfo=UTC)
REF = IssueRef("acme", "rocket", 7)
BOT, ALICE = User(id=9, login="coordinator"), User(id=1, login="alice")
REPORT = f"{MARKER}\n\nAll is well.\n"


def comment(id: int, body: str = REPORT, user: User = BOT, number: int = 7) -> Comment:  # noqa: A002
    url = f"https://git.example/acme/rocket/issues/{number}"
    return Comment(id=id, body=body, user=user, created_at=WHEN, updated_at=WHEN, issue_url=url)


def issue(*labels: Label, comments: int = 0) -> Issue:
    return Issue(
        id=1,
        number=7,
        created_at=WHEN,
        updated_at=WHEN,
        labels=labels,
        comments=comments,
        repository=IssueRepository(id=1, name="rocket", owner="acme", full_name="acme/rocket"),
    )


class Comments:
    """The comments of one issue; writes down what is asked."""

    def __init__(self, *there: Comment) -> None:
        self.there = {one.id: one for one in there}
        self.asked: list[str] = []
        self.gone_before_edit = False

    async def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        self.asked.append("list")
        for one in list(self.there.values()):
            yield one

    async def comment(self, repo: str, comment_id: int) -> Comment:
        self.asked.append(f"read {comment_id}")
        if comment_id not in self.there:
            raise NotFound("no", status=404)
        return self.there[comment_id]

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        self.asked.append("create")
        made = comment(100, body)
        self.there[made.id] = made
        return made

    async def edit_comment(self, repo: str, comment_id: int, body: str) -> Comment:
        self.asked.append(f"edit {comment_id}")
        if self.gone_before_edit:
            del self.there[comment_id]
            raise NotFound("no", status=404)
        self.there[comment_id] = self.there[comment_id].model_copy(update={"body": body})
        return self.there[comment_id]

    async def delete_comment(self, repo: str, comment_id: int) -> None:
        self.asked.append(f"delete {comment_id}")
        del self.there[comment_id]


# ---- the comment ----


@pytest.mark.parametrize(
    ("expected", "remembered", "there"),
    [
        (None, None, comment(5)),
        (5, 5, comment(5)),
        (5, 5, comment(5, "Edited by somebody.")),
        (None, 6, comment(5)),
        (None, 5, comment(5, user=ALICE)),
        (None, 5, comment(5, number=8)),
    ],
    ids=["nothing remembered", "it is there", "edited", "deleted", "of another", "elsewhere"],
)
async def test_a_remembered_comment_counts_while_it_is_the_bot_s_on_this_issue(
    expected: int | None, remembered: int | None, there: Comment
) -> None:
    found = await StickyComment(Comments(there), BOT).remembered(REF, remembered)
    assert expected == (found.id if found else None)


@pytest.mark.parametrize(
    ("expected", "there"),
    [
        (5, [comment(5)]),
        (5, [comment(5, f"\r\n {MARKER}\r\n\r\nCRLF, as a browser saves it.\r\n")]),
        (None, [comment(5, "Just a word of the bot.")]),
        (None, [comment(5, REPORT, ALICE)]),
        (None, [comment(5, f"> {MARKER}\n\nQuoted.", ALICE)]),
        (None, [comment(5, f"A reply that quotes\n> {MARKER}")]),
        (6, [comment(5, REPORT, ALICE), comment(6)]),
        (None, []),
    ],
    ids=[
        "it",
        "CRLF",
        "another word",
        "somebody else's",
        "quoted",
        "quoted by the bot",
        "both",
        "nothing",
    ],
)
async def test_a_comment_is_found_by_marker_and_author(
    expected: int | None, there: list[Comment]
) -> None:
    found = await StickyComment(Comments(*there), BOT).find(issue(comments=len(there)))
    assert expected == (found.id if found else None)


async def test_further_reports_of_the_bot_are_deleted_and_nobody_else_s() -> None:
    theirs = comment(4, REPORT, ALICE)
    gitea = Comments(theirs, comment(5), comment(6), comment(7))
    found = await StickyComment(gitea, BOT).find(issue(comments=4))
    assert found is not None
    assert (5, {4, 5}) == (found.id, set(gitea.there))


async def test_an_issue_without_comments_is_not_asked_for_them() -> None:
    gitea = Comments()
    assert await StickyComment(gitea, BOT).find(issue(comments=0)) is None
    assert [] == gitea.asked


async def test_a_comment_that_says_it_already_is_left_alone() -> None:
    gitea = Comments(comment(5))
    found, written = await StickyComment(gitea, BOT).put(issue(), comment(5), REPORT)
    assert (5, False) == (found.id, written)
    assert [] == gitea.asked


@pytest.mark.parametrize(
    ("expected", "current", "gone", "asked"),
    [
        ((100, True), None, False, ["create"]),
        ((5, True), comment(5, "old"), False, ["edit 5"]),
        ((100, True), comment(5, "old"), True, ["edit 5", "create"]),
    ],
    ids=["none", "another text", "deleted between read and edit"],
)
async def test_a_comment_is_made_or_put_right(
    expected: tuple[int, bool], current: Comment | None, asked: list[str], *, gone: bool
) -> None:
    gitea = Comments(comment(5, "old"))
    gitea.gone_before_edit = gone
    found, written = await StickyComment(gitea, BOT).put(issue(), current, REPORT)
    assert expected == (found.id, written)
    assert asked == gitea.asked
    assert REPORT == gitea.there[expected[0]].body


# ---- labels ----


class LabelStore:
    """The labels of one repository and one issue, as Gitea keeps them."""

    def __init__(self, *names: str) -> None:
        self.made = [Label(id=n, name=name) for n, name in enumerate(names, 1)]
        self.on_issue: list[Label] = []
        self.asked: list[str] = []
        self.forbidden: set[str] = set()
        self.removal_error: Exception | None = None

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what.split(maxsplit=1)[0] in self.forbidden:
            raise Forbidden("no", status=403)

    async def labels(self, repo: str) -> list[Label]:
        self._ask("list")
        await asyncio.sleep(0)
        return list(self.made)

    async def create_label(
        self, repo: str, name: str, color: str, description: str, *, exclusive: bool = True
    ) -> Label:
        self._ask(f"create {name}")
        await asyncio.sleep(0)
        label = Label(id=100 + len(self.made), name=name, exclusive=exclusive)
        self.made.append(label)
        return label

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        self._ask(f"add {len(ids)}")
        for label in (one for one in self.made if one.id in ids):
            if label.exclusive:
                scope = label.name.rpartition("/")[0]
                others = [one for one in self.on_issue if one.exclusive]
                same = [one for one in others if one.name.rpartition("/")[0] == scope]
                self.on_issue = [one for one in self.on_issue if one not in same]
            if label not in self.on_issue:
                self.on_issue.append(label)
        return list(self.on_issue)

    async def remove_label(self, ref: IssueRef, label_id: int) -> None:
        self._ask("remove")
        if self.removal_error:
            raise self.removal_error
        self.on_issue = [one for one in self.on_issue if one.id != label_id]


class Locks:
    """A lock over processes."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    async def lock(self, name: str, holder: str, keep: timedelta) -> bool:
        return self.held.setdefault(name, holder) == holder

    async def unlock(self, name: str, holder: str) -> None:
        if self.held.get(name) == holder:
            del self.held[name]


BOOK = LabelBook(Scopes(), ["opus", "Sonnet"])


def spec(name: str) -> LabelSpec:
    return BOOK.specs[name]


READY, BLOCKED, SMALL = map(spec, ("status/ready", "status/blocked", "context/small"))


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


class Mine:
    """The labels of the bot, put where all that the book owns is its own."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self.refused = labels.refused

    async def put(
        self, issue: Issue, wanted: Sequence[LabelSpec], *, drop: Collection[str] = ()
    ) -> bool:
        return await self._labels.put(issue, wanted, owned={*BOOK.owned, *drop})


def labels_of(gitea: LabelStore, locks: Locks | None = None) -> Mine:
    return Mine(Labels(gitea, locks or Locks(), sleep=_no_wait))


def names(gitea: LabelStore) -> list[str]:
    return sorted(label.name for label in gitea.on_issue)


async def test_labels_are_made_when_first_needed_and_looked_up_once() -> None:
    gitea = LabelStore("kind/bug", "status/ready")
    labels = labels_of(gitea)
    assert await labels.put(issue(), [READY, SMALL])
    assert ["context/small", "status/ready"] == names(gitea)
    assert ["create context/small"] == [one for one in gitea.asked if one.startswith("create")]
    gitea.asked.clear()
    gitea.on_issue.clear()
    assert await labels.put(issue(), [READY, SMALL])
    assert ["add 2"] == gitea.asked


async def test_what_is_right_already_is_not_written() -> None:
    gitea = LabelStore()
    there = [Label(id=1, name="Status/READY"), Label(id=2, name="kind/bug")]
    assert not await labels_of(gitea).put(issue(*there), [READY])
    assert [] == gitea.asked


async def test_only_the_bot_s_own_labels_are_taken_away() -> None:
    gitea = LabelStore("status/blocked", "kind/bug", "agent/opus", "agent/alice", "status/custom")
    gitea.on_issue = list(gitea.made)
    assert await labels_of(gitea).put(issue(*gitea.made), [READY])
    assert ["agent/alice", "kind/bug", "status/custom", "status/ready"] == names(gitea)


async def test_labels_of_one_name_twice_are_one_on_the_issue() -> None:
    gitea = LabelStore("status/ready", "status/ready")
    gitea.on_issue = list(gitea.made)
    assert await labels_of(gitea).put(issue(*gitea.made), [READY])
    assert [1] == [label.id for label in gitea.on_issue]


async def test_of_several_labels_of_one_name_the_first_made_is_used() -> None:
    gitea = LabelStore("Status/Ready", "status/ready")
    gitea.made.reverse()
    await labels_of(gitea).put(issue(), [READY])
    assert [1] == [label.id for label in gitea.on_issue]


async def test_a_label_deleted_meanwhile_is_made_anew() -> None:
    gitea = LabelStore()
    labels = labels_of(gitea)
    await labels.put(issue(), [READY])
    gitea.made.clear()
    gitea.on_issue.clear()
    assert await labels.put(issue(), [READY])
    assert ["status/ready"] == names(gitea)


async def test_a_label_renamed_meanwhile_is_left_alone_and_the_right_one_made() -> None:
    gitea = LabelStore()
    labels = labels_of(gitea)
    await labels.put(issue(), [READY])
    gitea.made = [one.model_copy(update={"name": "status/go"}) for one in gitea.made]
    gitea.on_issue.clear()
    assert await labels.put(issue(), [READY])
    assert "status/ready" in names(gitea)
    assert not await labels.put(issue(*gitea.on_issue), [READY])


async def test_a_label_that_cannot_be_set_is_tried_twice_and_left() -> None:
    """Deleted again and again under our hands: the next look tries again."""
    gitea = LabelStore()

    async def nothing(ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        gitea.asked.append("add")
        return []

    gitea.add_labels = nothing  # type: ignore[method-assign]
    assert await labels_of(gitea).put(issue(), [READY])
    assert 2 == gitea.asked.count("add")


@pytest.mark.parametrize("error", [NotFound("no"), Conflict("no label")])
async def test_a_label_that_is_gone_when_it_is_taken_away_is_no_failure(error: Exception) -> None:
    gitea = LabelStore("status/blocked")
    gitea.removal_error = error
    assert await labels_of(gitea).put(issue(*gitea.made), [])


@pytest.mark.parametrize("forbidden", ["list", "create", "add", "remove"])
async def test_where_labels_are_refused_it_is_told_until_they_are_not(forbidden: str) -> None:
    gitea = LabelStore("status/blocked")
    gitea.on_issue = list(gitea.made)
    gitea.forbidden = {forbidden}
    labels = labels_of(gitea)
    assert labels.refused("Acme/Rocket") is None
    assert not await labels.put(issue(*gitea.made), [READY])
    assert labels.refused("ACME/rocket") is True
    gitea.forbidden = set()
    assert await labels.put(issue(*gitea.made), [READY])
    assert labels.refused("acme/rocket") is False


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_label_is_made_once_by_many_at_once(processes: int) -> None:
    """Five issues of one repository in each process, each asking for labels nobody has made."""
    gitea, locks = LabelStore(), Locks()
    bots = [labels_of(gitea, locks) for _ in range(processes)]
    await asyncio.gather(
        *(bot.put(issue(), [READY, SMALL, BLOCKED]) for bot in bots for _ in range(5))
    )
    assert ["context/small", "status/blocked", "status/ready"] == sorted(
        label.name for label in gitea.made
    )
    assert {} == locks.held


async def test_who_does_not_get_to_make_labels_tries_again_later() -> None:
    gitea, locks = LabelStore(), Locks()
    locks.held["labels:acme/rocket"] = "a process that hangs"
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    with pytest.raises(Retryable, match="another process"):
        await Labels(gitea, locks, sleep=sleep).put(issue(), [READY], owned=BOOK.owned)
    assert LOCK_TRIES == len(waits)
    assert [] == gitea.made


async def test_the_lock_is_given_back_when_making_labels_fails() -> None:
    gitea, locks = LabelStore(), Locks()
    gitea.forbidden = {"create"}
    await labels_of(gitea, locks).put(issue(), [READY])
    assert {} == locks.held


# ---- priorities: the bot's only where a command spoke of one ----


@pytest.mark.parametrize(
    ("expected", "there", "wanted", "drop"),
    [
        (["priority/p1"], ["priority/p1"], [], False),
        ([], ["priority/p1"], [], True),
        ([], ["PRIORITY/P1", "priority/p3"], [], True),
        (["priority/p0"], ["priority/p1"], ["priority/p0"], True),
        (["priority/p0"], ["priority/p0"], ["priority/p0"], True),
        (["priority/high"], ["priority/high"], [], True),
    ],
    ids=["by hand", "given back", "however written", "replaced", "kept", "not one of the bot's"],
)
async def test_priorities_go_only_where_that_is_said(
    expected: list[str], there: list[str], wanted: list[str], *, drop: bool
) -> None:
    """Here Gitea replaces nothing: a label made by hand need not be exclusive."""
    gitea = LabelStore(*there)
    gitea.on_issue = list(gitea.made)
    names_of_drop = BOOK.priorities if drop else ()
    await labels_of(gitea).put(issue(*gitea.made), [spec(n) for n in wanted], drop=names_of_drop)
    assert expected == names(gitea)
