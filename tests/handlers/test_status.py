"""/status: three lines on where an issue stands, why, and what would change it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from bot.models import (
    Assignment,
    Dependency,
    Estimate,
    RefState,
    Report,
    Source,
    Status,
    Warn,
    WarningKind,
)
from tests.handlers.questions import READY, Desk, ask, do, ref, standing

NO_AGENT = replace(READY.assignment, agent=None)


def waits_for(*states: RefState) -> tuple[Dependency, ...]:
    return tuple(Dependency(ref(n), s, (Source.DECLARED,)) for n, s in enumerate(states, 10))


def blocked(*states: RefState, **other) -> Report:
    return replace(READY, status=Status.BLOCKED, blockers=waits_for(*states), **other)


OPEN, UNSEEN, UNCHECKED = RefState.OPEN, RefState.UNSEEN, RefState.UNCHECKED
CASES = {
    "not coordinated": (
        None,
        snapshot("""\
- **Not coordinated** — nothing is kept up to date here.
- **Why:** `coordinator` is not among the assignees.
- **What would change it:** assign `coordinator`, and its report follows.
"""),
    ),
    "ready": (
        READY,
        snapshot("""\
- **Ready** — `sonnet` should take it.
- **Why:** nothing that it waits for is open. It needs 18k tokens of context; `sonnet` may be given 100k (50 % of 200k).
- **What would change it:** beginning it. It is blocked once something that it waits for is reopened or added.
"""),
    ),
    "ready, nobody free": (
        replace(READY, assignment=NO_AGENT),
        snapshot("""\
- **Ready** — but no agent can take it now.
- **Why:** nothing that it waits for is open. But no agent with room for 18k tokens of medium work is free.
- **What would change it:** an agent that gets free, or one named with `/agent`; `/why` shows what each lacks.
"""),
    ),
    "ready, no agent set up": (
        replace(READY, assignment=Assignment(None, Source.TEXT, ())),
        snapshot("""\
- **Ready** — but no agent can take it now.
- **Why:** nothing that it waits for is open. But no agent is set up.
- **What would change it:** an agent that gets free, or one named with `/agent`; `/why` shows what each lacks.
"""),
    ),
    "ready all the same": (
        replace(
            READY,
            blockers=waits_for(OPEN, UNSEEN),
            warnings=(Warn(WarningKind.UNBLOCKED, texts=("bob", "*agreed* @all", "today")),),
        ),
        snapshot("""\
- **Ready** — `sonnet` should take it.
- **Why:** `bob` said that it need not wait for \\#10 and `acme/rocket#11`: \\*agreed\\* @&#8203;all. It needs 18k tokens of context; `sonnet` may be given 100k (50 % of 200k).
- **What would change it:** another text, or other blockers: then it waits again.
"""),
    ),
    "blocked": (
        blocked(OPEN, RefState.CLOSED, OPEN),
        snapshot("""\
- **Blocked** — waits for 2 issues.
- **Why:** \\#10 is open and \\#12 is open.
- **What would change it:** closing \\#10 and \\#12. If it need not wait: `/unblock` with the reason.
"""),
    ),
    "blocked by many": (
        blocked(*[OPEN] * 8),
        snapshot("""\
- **Blocked** — waits for 8 issues.
- **Why:** \\#10 is open, \\#11 is open, \\#12 is open, \\#13 is open, \\#14 is open and 3 more.
- **What would change it:** closing \\#10, \\#11, \\#12, \\#13, \\#14 and 3 more. If it need not wait: `/unblock` with the reason.
"""),
    ),
    "blocked by what is not known": (
        blocked(
            UNSEEN,
            UNCHECKED,
            hidden_blockers=2,
            warnings=(Warn(WarningKind.TOO_MANY, numbers=(70, 50)),),
        ),
        snapshot("""\
- **Blocked** — waits for more than 2 issues.
- **Why:** `acme/rocket#10` cannot be seen, \\#11 could not be checked, 2 in repositories that not everyone here can read and 20 were not looked at.
- **What would change it:** Correcting what cannot be seen, or a `/blocked-by` for it from somebody who can see it. What could not be checked is looked up again by itself. If it need not wait: `/unblock` with the reason.
"""),
    ),
    "blocked in a circle": (
        blocked(OPEN, cycle=(ref(2), ref(10), ref(2))),
        snapshot("""\
- **Blocked** — it stands in a circle of 2 issues that wait for one another.
- **Why:** \\#2 → \\#10 → \\#2 wait for one another.
- **What would change it:** taking one of these dependencies away, with `/unlink` or in the text.
"""),
    ),
    "blocked in a large circle": (
        blocked(OPEN, cycle=(ref(2), *map(ref, range(10, 22)), ref(2))),
        snapshot("""\
- **Blocked** — it stands in a circle of 13 issues that wait for one another.
- **Why:** \\#2, \\#10, \\#11, \\#12, \\#13, \\#14, \\#15 and \\#16 wait for one another.
- **What would change it:** taking one of these dependencies away, with `/unlink` or in the text.
"""),
    ),
    "too big": (
        replace(
            READY,
            status=Status.TOO_BIG,
            estimate=Estimate(150_000, Source.DECLARED),
            assignment=NO_AGENT,
        ),
        snapshot("""\
- **Too big** — no agent has room for it; split it into smaller issues.
- **Why:** it needs 150k tokens of context, and the most that any agent may be given is 100k (50 % of its limit).
- **What would change it:** splitting it: `/split` proposes how. If the number is wrong: `/estimate` with the right one.
"""),
    ),
    "on hold": (
        replace(
            READY,
            status=Status.HOLD,
            warnings=(Warn(WarningKind.HELD, texts=("bob", "until *Monday*")),),
        ),
        snapshot("""\
- **On hold** — a person set it aside, so nobody should take it yet.
- **Why:** `bob` set it aside: until \\*Monday\\*.
- **What would change it:** `/unhold`, by somebody who may write here.
"""),
    ),
    "on hold, no reason": (
        replace(READY, status=Status.HOLD, warnings=(Warn(WarningKind.HELD, texts=("bob", "")),)),
        snapshot("""\
- **On hold** — a person set it aside, so nobody should take it yet.
- **Why:** `bob` set it aside.
- **What would change it:** `/unhold`, by somebody who may write here.
"""),
    ),
    "in progress": (
        replace(READY, status=Status.IN_PROGRESS),
        snapshot("""\
- **In progress** — work on it has begun.
- **Why:** its label says that work has begun, and `sonnet` is the agent for it.
- **What would change it:** closing it, or taking that label away.
"""),
    ),
    "closed": (
        replace(READY, status=Status.CLOSED),
        snapshot("""\
- **Closed** — there is nothing left to do here.
- **Why:** it was closed.
- **What would change it:** reopening it.
"""),
    ),
}


@pytest.mark.parametrize(("report", "expected"), CASES.values(), ids=CASES)
async def test_where_it_stands(report, expected) -> None:
    reply = await ask("/status", Desk(report))
    assert expected == reply
    assert 3 == len(reply.splitlines())


WAITING = ((ref(3), ref(2)), (ref(4), ref(2)), (ref(5), ref(2)), (ref(2), ref(6)))
PULLS = {
    "two wait": (
        [standing(3), standing(4), standing(5, state=RefState.CLOSED), standing(6)],
        snapshot("""\
- **Pull request** — 2 issues wait for it.
- **Why:** \\#3 and \\#4 are open and wait for it.
- **What would change it:** merging or closing it; then those issues wait for it no longer.
"""),
    ),
    "one waits": (
        [standing(4)],
        snapshot("""\
- **Pull request** — 1 issue waits for it.
- **Why:** \\#4 is open and waits for it.
- **What would change it:** merging or closing it; then that issue waits for it no longer.
"""),
    ),
    "nobody waits": (
        [],
        snapshot("""\
- **Pull request** — no issue is known to wait for it.
- **Why:** none that is open has it among its dependencies.
- **What would change it:** `/blocks` with the issue that has to wait for it.
"""),
    ),
}


@pytest.mark.parametrize(("standings", "expected"), PULLS.values(), ids=PULLS)
async def test_who_waits_for_a_pull_request(standings, expected) -> None:
    reply = await ask("/status", Desk(graph=WAITING, standings=standings), is_pull=True)
    assert expected == reply
    assert 3 == len(reply.splitlines())


async def test_words_are_refused() -> None:
    with pytest.raises(UserError, match=r"^this takes no words$"):
        await do("/status please", Desk(READY))
