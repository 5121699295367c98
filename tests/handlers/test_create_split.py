"""/create-split: the issues of a proposed split are opened, each once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from inline_snapshot import snapshot

from bot.boxes import SPLIT_MARKER
from bot.commands import discover_commands
from bot.counter import Counter
from bot.desk import Written
from bot.errors import Retryable, UserError
from bot.gitea.models import Comment, Issue
from bot.models import IssueRef
from bot.policy import Policy
from bot.proposal import Proposal
from bot.splitting import Part
from tests.handlers.splits import HERE, NOW, Desk, blocked, do, proposed, shown


def note(outcome) -> str:
    return shown(outcome).partition("\n")[2].strip()


async def test_it_is_not_in_the_help() -> None:
    commands = discover_commands()
    assert "create-split" not in [one.verb for one in commands.shown]
    assert commands.get("create-split")
    assert commands.nearest("create-splitt") is None


async def test_the_issues_are_opened_in_order() -> None:
    desk = Desk()
    await proposed(desk)
    outcome = await do("/create-split", desk)
    assert ["Parser", "Lexer", "Documentation"] == [title for title, _ in desk.issues.values()]
    assert [(2, 20, "alice"), (2, 21, "alice"), (2, 22, "alice")] == desk.linked
    assert (HERE,) == outcome.look
    assert snapshot(
        "created \\#20, \\#21, \\#22. This issue waits for all of them. Assign them to `coordinator` to have them looked after"
    ) == note(outcome)


async def test_the_text_of_one_that_waits() -> None:
    desk = Desk()
    digest = Proposal.found_in(await proposed(desk)).digest
    await do("/create-split", desk)
    assert (
        f"<!-- mosaic-coordinator:part 2 2 {digest} -->\n"
        "Part 2 of 3 of #2.\n\n"
        "Context estimate: 50,000 tokens\n\n"
        "Blocked by #20\n\n---\n\n"
        "@\u200bbob writes it.\n"
    ) == desk.issues[HERE.sibling(21)][1]


async def test_the_first_parts_wait_for_what_the_whole_waits_for() -> None:
    desk = Desk(blocked(HERE.sibling(7), IssueRef("acme", "valves", 5)))
    await proposed(desk)
    await do("/create-split", desk)
    bodies = [body for _, body in desk.issues.values()]
    assert "Blocked by #7, acme/valves#5\n" in bodies[0]
    assert "Blocked by #20\n" in bodies[1]


async def test_nothing_private_is_written_down() -> None:
    desk = Desk(blocked(IssueRef("secret", "plans", 1), private=True))
    await proposed(desk)
    await do("/create-split", desk)
    assert not any("secret" in body for _, body in desk.issues.values())


async def test_twice_is_once() -> None:
    desk = Desk()
    await proposed(desk)
    await do("/create-split", desk)
    outcome = await do("/create-split", desk)
    assert 3 == len(desk.issues)
    assert snapshot(
        "\\#20, \\#21, \\#22 were there already. This issue waits for all of them. Assign them to `coordinator` to have them looked after"
    ) == note(outcome)


@pytest.mark.parametrize("number", [20, 21, 22])
async def test_after_a_crash_only_what_is_missing_is_opened(number) -> None:
    desk = Desk(crash_at=number)
    await proposed(desk)
    with pytest.raises(Retryable):
        await do("/create-split", desk)
    assert [] == desk.linked
    outcome = await do("/create-split", desk)
    assert ["Parser", "Lexer", "Documentation"] == [title for title, _ in desk.issues.values()]
    assert [20, 21, 22] == [on for _, on, _ in desk.linked]
    assert number - 20 == len(outcome.values["there"])


async def test_parts_that_are_there_already_do_not_hold_up_the_others() -> None:
    """A crash after the first link: the whole waits for #20 by then."""
    desk = Desk(crash_at=21, read=(Part("a", "", 1000), Part("b", "", 1000)))
    await proposed(desk)
    with pytest.raises(Retryable):
        await do("/create-split", desk)
    desk.known = blocked(HERE.sibling(20), HERE.sibling(7))
    await do("/create-split", desk)
    assert "Blocked by #7\n" in desk.issues[HERE.sibling(21)][1]
    assert snapshot(
        "\\#20, \\#21 were there already. This issue waits for both of them. Assign them to `coordinator` to have them looked after"
    ) == note(await do("/create-split", desk))


async def test_the_box_that_was_ticked_counts() -> None:
    desk = Desk()
    await proposed(desk, id=31)
    desk.body = "## A\n## B"
    await proposed(desk, id=32, at=NOW + timedelta(days=1))
    await do("/create-split", desk, comment=31)
    assert ["Parser", "Lexer", "Documentation"] == [title for title, _ in desk.issues.values()]
    assert [NOW] == desk.since
    await do("/create-split", desk, comment=99)
    assert ["A", "B"] == [title for title, _ in desk.issues.values()][3:]


@pytest.mark.parametrize(
    ("line", "desk", "message"),
    [
        ("/create-split now", Desk(), "nothing may follow on that line"),
        (
            "/create-split",
            Desk(None),
            "this issue is not assigned to `coordinator`; assign it first",
        ),
        (
            "/create-split",
            Desk(is_paused=True),
            "I write nothing in this repository for now; say `resume` first",
        ),
        ("/create-split", Desk(), "no split is proposed here; say `split` first"),
        (
            "/create-split",
            Desk(written=[Written(1, f"{SPLIT_MARKER}\nnothing\n", NOW)]),
            "that proposal was changed and cannot be read; say `split` again",
        ),
        (
            "/create-split",
            Desk(
                written=[
                    Written(
                        1,
                        Proposal.of(
                            HERE.sibling(9), [Part("a", "", 1000), Part("b", "", 1)]
                        ).hidden,
                        NOW,
                    )
                ]
            ),
            "that proposal was changed and cannot be read; say `split` again",
        ),
    ],
    ids=["a word", "not coordinated", "paused", "none", "changed", "another issue's"],
)
async def test_what_is_refused(line, desk, message) -> None:
    with pytest.raises(UserError) as error:
        await do(line, desk)
    assert message == str(error.value)
    assert {} == desk.issues


# ---- how the desk finds them in Gitea ----


def user(login: str) -> dict[str, Any]:
    return {"id": 9, "login": login}


def issue(number: int, body: str, by: str = "coordinator", **other: Any) -> Issue:
    return Issue.model_validate(
        {
            "id": number,
            "number": number,
            "title": "t",
            "body": body,
            "state": "open",
            "user": user(by),
            "created_at": NOW,
            "updated_at": NOW,
            "repository": {"id": 1, "name": "rocket", "owner": "acme", "full_name": "acme/rocket"},
            **other,
        }
    )


def comment(number: int, body: str, by: str = "coordinator") -> Comment:
    return Comment.model_validate(
        {"id": number, "body": body, "user": user(by), "created_at": NOW, "updated_at": NOW}
    )


class Gitea:
    def __init__(self, issues: list[Issue] = (), comments: list[Comment] = ()) -> None:
        self._issues, self._comments = issues, comments
        self.since: list[tuple[str, datetime]] = []

    async def issue(self, ref: IssueRef) -> Issue:
        return issue(ref.number, "the text", "bob")

    async def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        for one in self._comments:
            yield one

    async def issues_since(self, repo: str, since: datetime) -> AsyncIterator[Issue]:
        self.since.append((repo, since))
        for one in self._issues:
            yield one


class Splitter:
    async def split(self, **asked: object) -> tuple[Part, ...]:
        self.asked = asked
        return (Part("a", "", 1000),)


def counter(gitea: Gitea, splitter: Splitter | None = None, *, ai: bool = True) -> Counter:
    none: Any = SimpleNamespace()

    async def policy(_repository: str) -> Policy:
        return Policy(ai=ai)

    return Counter(
        store=none,
        sayings=Mock(),
        gitea=gitea,
        examiner=none,
        surveyor=none,
        agents=(),
        commands=discover_commands(),
        bot="coordinator",
        references=none,
        put_back=none,
        policy=policy,
        splitter=splitter,
    )


def mark(parent: int, part: int, digest: str = "0123456789ab") -> str:
    return f"<!-- mosaic-coordinator:part {parent} {part} {digest} -->\nPart."


async def test_the_parts_are_the_bots_own_issues() -> None:
    gitea = Gitea(
        [
            issue(31, mark(2, 1)),
            issue(30, mark(2, 1)),
            issue(29, mark(2, 2), state="closed"),
            issue(28, mark(2, 3), by="mallory"),
            issue(27, mark(3, 4)),
            issue(26, mark(2, 5, "ffffffffffff")),
            issue(25, "words"),
            issue(24, mark(2, 6), pull_request={"merged": False}),
        ]
    )
    found = await counter(gitea).parts(HERE, "0123456789ab", NOW)
    assert {1: HERE.sibling(30), 2: HERE.sibling(29)} == found
    assert [("acme/rocket", NOW)] == gitea.since


async def test_the_proposals_are_the_bots_own_replies() -> None:
    body = await proposed(Desk())
    gitea = Gitea(
        comments=[
            comment(1, body),
            comment(2, body, by="mallory"),
            comment(3, "words"),
            comment(4, body),
        ]
    )
    found = await counter(gitea).proposals(HERE)
    assert [Written(1, body, NOW), Written(4, body, NOW)] == list(found)


async def test_claude_is_asked_where_there_is_a_key() -> None:
    splitter = Splitter()
    assert (Part("a", "", 1000),) == await counter(Gitea(), splitter).divided(HERE, 100, 200)
    assert {
        "title": "t",
        "body": "the text",
        "issue": HERE,
        "room": 100,
        "tokens": 200,
    } == splitter.asked
    assert None is await counter(Gitea()).divided(HERE, 100, 200)


async def test_where_claude_is_not_to_be_asked_it_reads_no_parts() -> None:
    splitter = Splitter()
    assert await counter(Gitea([]), splitter, ai=False).divided(HERE, 1000, 2000) is None
    assert not hasattr(splitter, "asked")
