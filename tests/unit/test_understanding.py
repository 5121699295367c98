"""What an issue's text says: read beside the loop when long, and by Claude what is left."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from bot import understanding
from bot.errors import AIError
from bot.gitea.models import Issue, IssueRepository
from bot.models import Difficulty, IssueRef, Metadata, Reading
from bot.reading import AskError, Wanted
from bot.understanding import LONG, Understanding, Understood

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
DECLARED = "Difficulty: easy\nContext estimate: 9k tokens\n"


def issue(body: str, state: str = "open") -> Issue:
    return Issue(
        id=1,
        number=1,
        title="Pump",
        body=body,
        state=state,
        created_at=NOW,
        updated_at=NOW,
        repository=IssueRepository(id=1, name="rocket", owner="acme", full_name="acme/rocket"),
    )


class Claude:
    """Answers, or fails; keeps what it was asked for."""

    def __init__(self, error: AIError | None = None) -> None:
        self.asked: list[frozenset[Wanted]] = []
        self.error = error
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(
        self, *, title: str, body: str, issue: IssueRef, wanted: frozenset[Wanted]
    ) -> Reading:
        self.asked.append(wanted)
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return Reading(difficulty=Difficulty.HARD)


@pytest.mark.parametrize(
    ("expected", "length"), [(True, LONG), (False, LONG + 1)], ids=["short", "long"]
)
async def test_a_long_text_does_not_hold_up_the_loop(
    monkeypatch: pytest.MonkeyPatch, *, expected: bool, length: int
) -> None:
    """Reading 3 MB takes two seconds, in which no webhook would be answered."""
    threads: list[threading.Thread] = []
    real = understanding.parse

    def parse(*args: str, **values: IssueRef) -> Metadata:
        threads.append(threading.current_thread())
        return real(*args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(understanding, "parse", parse)
    found = await Understanding(None, frozenset()).of(issue(DECLARED.ljust(length)), 1.0)
    assert Difficulty.EASY is found.metadata.difficulty
    assert [expected] == [thread is threading.main_thread() for thread in threads]


DEPENDS = "Blocked by #2"


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (set(), DECLARED + DEPENDS),
        ({Wanted.DEPENDENCIES}, DECLARED),
        ({Wanted.DIFFICULTY, Wanted.CONTEXT}, DEPENDS),
        (set(Wanted), "Words."),
    ],
)
async def test_claude_is_asked_only_for_what_is_not_declared(
    expected: set[Wanted], text: str
) -> None:
    claude = Claude()
    found = await Understanding(claude, frozenset()).of(issue(text), 1.0)
    assert ([expected] if expected else []) == claude.asked
    assert bool(expected) is (found.reading is not None)


async def test_of_a_closed_issue_claude_is_not_asked() -> None:
    claude = Claude()
    found = await Understanding(claude, frozenset()).of(issue("Words.", "closed"), 1.0)
    assert ([], None, None) == (claude.asked, found.reading, found.failure)


async def test_why_claude_could_not_be_asked_is_kept_for_the_report() -> None:
    claude = Claude(AIError("the day's budget is used up"))
    found = await Understanding(claude, frozenset()).of(issue("Words."), None)
    assert "the day's budget is used up" == found.failure


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (True, AskError("no answer", "unreachable")),
        (True, AskError("no answer", "paused")),
        (False, AskError("the key is wrong", "rejected")),
        (False, AskError("the day's budget is used up", "budget")),
        (False, AIError("no")),
    ],
)
async def test_it_is_told_whether_asking_again_may_help(expected: bool, error: AIError) -> None:
    found = await Understanding(Claude(error), frozenset()).of(issue("Words."), None)
    assert expected is found.passing


async def test_who_has_no_patience_is_told_when_claude_has_answered() -> None:
    claude = Claude()
    claude.may_answer.clear()
    found = await Understanding(claude, frozenset()).of(issue("Words."), 0)
    assert found.reading is None
    assert found.under_way is not None
    assert not found.under_way.done()
    claude.may_answer.set()
    await found.under_way


@pytest.mark.parametrize(
    ("expected", "body", "state", "error"),
    [
        (False, "Pump it.", "open", None),
        (True, "Pump it.", "open", AIError("No.")),
        (True, "Pump it.", "closed", None),
        (False, "Blocked by #2", "open", AIError("No.")),
    ],
    ids=["read", "failed", "closed", "declared"],
)
async def test_it_is_told_whether_what_it_waits_for_is_still_to_be_read(
    *, expected: bool, body: str, state: str, error: AIError | None
) -> None:
    found = await Understanding(Claude(error), frozenset()).of(issue(body, state), None)
    assert expected is found.unread


def test_what_a_text_names_follows_where_it_is_now() -> None:
    old, new, other = (IssueRef("acme", name, 5) for name in ("old", "new", "other"))
    metadata = Metadata(blocked_by=(old, new, other), blocks=(old,))
    understood = Understood(metadata, Reading(blocked_by=(old,)))
    assert {old, new, other} == understood.refs
    found = understood.called({old: new})
    assert ((new, other), (new,)) == (found.metadata.blocked_by, found.metadata.blocks)
    assert found.reading is not None
    assert (new,) == found.reading.blocked_by
    assert Understood(Metadata()) == Understood(Metadata()).called({old: new})


async def test_where_claude_is_not_to_be_asked_it_is_not() -> None:
    claude = Claude()
    found = await Understanding(claude, frozenset()).of(issue("Words."), None, ask=False)
    assert (None, None, False) == (found.reading, found.under_way, found.unread)
    assert [] == claude.asked
