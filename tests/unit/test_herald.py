"""Notices: what they say, whom they mention, and that they are posted once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from inline_snapshot import snapshot

from bot.decide import Facts, decide
from bot.errors import Forbidden
from bot.gitea.models import Comment, Issue, IssueRepository, User
from bot.herald import Herald
from bot.models import Agent, Difficulty, IssueRef
from bot.render import Renderer
from bot.transitions import NO_LONGER, Notice, Turn

WHEN = datetime(2026, 11, 22, tzinfo=UTC)
ME = IssueRef("acme", "rocket", 1)
TWO, FAR = ME.sibling(2), IssueRef("other", "place", 5)
BOT, ALICE, BOB = (
    User(id=n, login=name) for n, name in ((9, "coordinator"), (1, "alice"), (2, "bob"))
)
SONNET = Agent(
    name="sonnet",
    context_limit=200_000,
    price_in=3,
    price_out=15,
    difficulties=frozenset(Difficulty),
    at_once=3,
)


class Comments:
    """The comments of one issue; `asked` counts listings."""

    def __init__(self) -> None:
        self.there: list[Comment] = []
        self.asked = 0

    async def comments(self, _ref: IssueRef) -> AsyncIterator[Comment]:
        self.asked += 1
        for one in self.there:
            yield one

    async def create_comment(self, _ref: IssueRef, body: str) -> Comment:
        made = Comment(id=len(self.there), body=body, user=BOT, created_at=WHEN, updated_at=WHEN)
        self.there.append(made)
        return made


def issue(*assignees: User) -> Issue:
    return Issue(
        id=1,
        number=1,
        created_at=WHEN,
        updated_at=WHEN,
        assignees=assignees,
        repository=IssueRepository(id=1, name="rocket", owner="acme", full_name="acme/rocket"),
    )


def notice(*about: tuple[IssueRef, str], turn: Turn = Turn.READY) -> Notice:
    return Notice(turn, "t0ken", about)


async def told(one: Notice, *assignees: User, agents: tuple[Agent, ...] = (SONNET,)) -> str:
    comments = Comments()
    report = decide(Facts(ME, text="x", agents=agents))
    await Herald(comments, Renderer(), BOT).tell(issue(*assignees), one, report, again=False)
    assert 0 == comments.asked
    [comment] = comments.there
    return comment.body


async def test_it_names_what_unblocked_it_who_should_take_it_and_the_assignees() -> None:
    said = await told(notice((TWO, "closed"), (FAR, "merged")), BOT, ALICE, BOB)
    assert said == snapshot(
        """\
<!-- mosaic-coordinator:notice t0ken -->
**Ready** — \\#2 is closed and other/place\\#5 is merged: nothing holds this back now. `sonnet` should take it next.

@alice @bob
"""
    )


@pytest.mark.parametrize(
    ("expected", "one"),
    [
        ("`#2` was deleted: nothing", notice((TWO, "gone"))),
        (
            r"\#2 and \#3 are closed and `#4` was deleted: nothing",
            notice((TWO, "closed"), (ME.sibling(3), "closed"), (ME.sibling(4), "gone")),
        ),
        ("it waits for `other/place#5` no longer: nothing", notice((FAR, NO_LONGER))),
        ("**Ready** — nothing holds this back now.", notice()),
        (
            r"\#2, \#3, \#4, \#5, \#6 and 2 more are closed: nothing",
            notice(*((ME.sibling(n), "closed") for n in range(2, 9))),
        ),
        (
            "**Blocked again** — \\#2 was reopened, and this waits for it.",
            notice((TWO, "open"), turn=Turn.BLOCKED),
        ),
        (
            "\\#2 and other/place\\#5 were reopened, and this waits for them.",
            notice((TWO, "open"), (FAR, "open"), turn=Turn.BLOCKED),
        ),
    ],
)
async def test_it_says_what_became_of_what_it_waited_for(expected: str, one: Notice) -> None:
    assert expected in await told(one)


async def test_where_nobody_can_take_it_the_report_is_pointed_to() -> None:
    assert "No agent can take it now; the report says why." in await told(notice(), agents=())


async def test_nobody_is_mentioned_where_only_the_bot_is_assigned() -> None:
    assert "@" not in await told(notice((TWO, "closed")), BOT)


@pytest.mark.parametrize(("expected", "again"), [(2, False), (1, True)])
async def test_one_that_was_tried_before_is_looked_for_first(expected: int, again: bool) -> None:
    """Whether it was posted before the bot died can only be told from what stands there."""
    comments = Comments()
    herald = Herald(comments, Renderer(), BOT)
    report = decide(Facts(ME, text="x"))
    await herald.tell(issue(), notice(), report, again=False)
    await herald.tell(issue(), notice(), report, again=again)
    assert expected == len(comments.there)


async def test_another_one_that_stands_there_is_not_taken_for_it() -> None:
    comments = Comments()
    herald = Herald(comments, Renderer(), BOT)
    report = decide(Facts(ME, text="x"))
    await comments.create_comment(ME, "<!-- mosaic-coordinator:notice other -->\nReady.")
    await herald.tell(issue(), notice(), report, again=True)
    assert 2 == len(comments.there)


async def test_where_no_comment_is_taken_it_is_left_and_holds_nothing_up() -> None:
    """A locked issue takes comments only from those who may write; edits it takes from all."""

    class Locked(Comments):
        async def create_comment(self, _ref: IssueRef, body: str) -> Comment:
            raise Forbidden("locked", status=403)

    report = decide(Facts(ME, text="x"))
    await Herald(Locked(), Renderer(), BOT).tell(issue(), notice(), report, again=False)
