"""/agent: who should take the work."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.models import Difficulty, Report
from bot.policy import Policy
from tests.handlers.changes import AGENTS, Desk, do, looks, note, refused, report


def hard(**facts: object) -> Report:
    return report(override_estimate=46_000, override_difficulty=Difficulty.HARD, **facts)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("agent sonnet by alice", "sonnet"),
        ("agent sonnet by alice", "@Sonnet"),
        ("agent sonnet by alice", "claude-sonnet-4-5"),
        ("agent big one by alice", "Big One"),
        ("agent big one by alice", "big-one"),
        ("agent given back", "auto"),
        ("agent given back", "Auto"),
    ],
)
async def test_it_is_named_or_given_back(expected: str, words: str) -> None:
    desk = Desk()
    outcome = await do(f"/agent {words}", desk)
    assert ([expected], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


async def test_one_that_does_not_fit_is_obeyed_and_warned_about() -> None:
    desk = Desk(decided=hard())
    outcome = await do("/agent haiku", desk)
    assert (["agent haiku by alice"], ["#3"]) == (desk.told, looks(outcome))
    assert snapshot(
        "set, though it does not fit: `haiku` may be given 25k tokens, and this needs 46k; takes easy and medium work only, and this is hard"
    ) == note(outcome)


async def test_one_that_is_busy_is_warned_about() -> None:
    outcome = await do("/agent sonnet", Desk(decided=hard(busy={"sonnet": 2})))
    assert snapshot(
        "set, though it does not fit: `sonnet` has 2 of at most 2 issues in progress"
    ) == note(outcome)


async def test_one_that_was_named_before_and_does_not_fit_is_warned_about_again() -> None:
    """It is the chosen one, so its verdict says nothing against it; the report's warning does."""
    outcome = await do("/agent haiku", Desk(decided=hard(override_agent="haiku")))
    assert snapshot(
        "set, though it does not fit: `haiku` may be given 25k tokens, and this needs 46k; takes easy and medium work only, and this is hard"
    ) == note(outcome)


async def test_a_warning_of_another_agent_is_not_taken_for_one_of_this() -> None:
    outcome = await do("/agent sonnet", Desk(decided=hard(override_agent="haiku")))
    assert "" == note(outcome)


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("name one agent, or say `auto`") == await refused("/agent", Desk())
    assert snapshot("name one agent, or say `auto`") == await refused(
        "/agent sonnet please", Desk()
    )
    assert snapshot("there is no agent `sonnte`; did you mean `sonnet`?") == await refused(
        "/agent sonnte", Desk()
    )
    assert snapshot(
        "there is no agent x\\`y; there are: `haiku`, `sonnet`, `big one`"
    ) == await refused("/agent x`y", Desk())
    assert snapshot("there is no agent `x`; none is set up") == await refused(
        "/agent x", Desk(agents=())
    )


async def test_one_that_may_not_work_in_this_repository_is_refused() -> None:
    desk = Desk(holds=Policy(agents=AGENTS[1:], barred=AGENTS[:1]))
    assert snapshot(
        "`haiku` may not work in this repository, by `.gitea/coordinator.toml`; there are: "
        "`sonnet`, `big one`"
    ) == await refused("/agent haiku", desk)
    await do("/agent sonnet", desk)
    assert ["agent sonnet by alice"] == desk.told
