"""/why: the numbers behind the choice of an agent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from bot.models import (
    Assignment,
    Dependency,
    Estimate,
    Misfit,
    RefState,
    Source,
    Status,
    Verdict,
)
from tests.handlers.questions import HARD, OPUS, READY, SONNET, VERDICTS, Desk, ask, do, ref

BLOCKED = replace(
    READY,
    status=Status.BLOCKED,
    blockers=(
        Dependency(ref(1), RefState.OPEN, (Source.DECLARED,), "Measure"),
        Dependency(ref(5, "valves"), RefState.UNSEEN, (Source.DECLARED,)),
        Dependency(ref(6), RefState.UNCHECKED, (Source.GITEA,)),
        Dependency(ref(7), RefState.CLOSED, (Source.GITEA,)),
    ),
    hidden_blockers=2,
)
TOO_BIG = replace(
    READY,
    status=Status.TOO_BIG,
    estimate=Estimate(150_000, Source.DECLARED, computed=90_000, computed_from=Source.TEXT),
    difficulty=HARD,
    assignment=Assignment(
        None,
        Source.TEXT,
        (
            Verdict(SONNET, 100_000, 0.675, 2, (Misfit.TOO_SMALL, Misfit.DIFFICULTY, Misfit.BUSY)),
            Verdict(OPUS, 100_000, 1.125, 0, (Misfit.TOO_SMALL,)),
        ),
    ),
)
NAMED = replace(
    READY,
    assignment=Assignment(
        OPUS,
        Source.COMMAND,
        (
            VERDICTS[0],
            replace(VERDICTS[1], misfits=(Misfit.NOT_NAMED,)),
            replace(VERDICTS[2], misfits=()),
        ),
    ),
)
CASES = {
    "ready": (
        READY,
        snapshot("""\
**Ready** — `sonnet` should take it.

- **Context:** ~18k tokens, between 11k and 31k; worked out from the text
- **Difficulty:** medium; read by Claude
- **Agent:** `sonnet`; the cheapest that fits

A task may take 50 % of an agent's context limit.

| Agent | Limit | May be given | Takes | In progress | Cost | Why |
|:--|--:|--:|:--|--:|--:|:--|
| `haiku` | 200k | 100k | easy | 0 of 2 | 0.057 | takes easy work only, and this is medium |
| `sonnet` | 200k | 100k | easy and medium | 1 of 2 | 0.17 | **chosen** |
| `opus` | 200k | 100k | easy, medium and hard | 1 of 2 | 0.28 | fits, but costs more |
"""),
    ),
    "blocked": (
        BLOCKED,
        snapshot("""\
**Blocked** — waits for 3 issues.

- **Context:** ~18k tokens, between 11k and 31k; worked out from the text
- **Difficulty:** medium; read by Claude
- **Agent:** `sonnet`; the cheapest that fits
- **Open blockers:** 5: \\#1, `acme/valves#5` (cannot be seen), \\#6 (could not be checked), 2 may not be shown here

A task may take 50 % of an agent's context limit.

| Agent | Limit | May be given | Takes | In progress | Cost | Why |
|:--|--:|--:|:--|--:|--:|:--|
| `haiku` | 200k | 100k | easy | 0 of 2 | 0.057 | takes easy work only, and this is medium |
| `sonnet` | 200k | 100k | easy and medium | 1 of 2 | 0.17 | **chosen** |
| `opus` | 200k | 100k | easy, medium and hard | 1 of 2 | 0.28 | fits, but costs more |
"""),
    ),
    "hidden blockers only": (
        replace(BLOCKED, blockers=()),
        snapshot("""\
**Blocked** — not everything it waits for is known.

- **Context:** ~18k tokens, between 11k and 31k; worked out from the text
- **Difficulty:** medium; read by Claude
- **Agent:** `sonnet`; the cheapest that fits
- **Open blockers:** 2: 2 may not be shown here

A task may take 50 % of an agent's context limit.

| Agent | Limit | May be given | Takes | In progress | Cost | Why |
|:--|--:|--:|:--|--:|--:|:--|
| `haiku` | 200k | 100k | easy | 0 of 2 | 0.057 | takes easy work only, and this is medium |
| `sonnet` | 200k | 100k | easy and medium | 1 of 2 | 0.17 | **chosen** |
| `opus` | 200k | 100k | easy, medium and hard | 1 of 2 | 0.28 | fits, but costs more |
"""),
    ),
    "too big": (
        TOO_BIG,
        snapshot("""\
**Too big** — no agent has room for it; split it into smaller issues.

- **Context:** 150,000 tokens; declared in the text (worked out from the text, it would be 90k)
- **Difficulty:** hard; read by Claude
- **Agent:** none; nobody can take it
- **Over by:** 50,000 tokens, for the most that any agent may be given is 100,000

A task may take 50 % of an agent's context limit.

| Agent | Limit | May be given | Takes | In progress | Cost | Why |
|:--|--:|--:|:--|--:|--:|:--|
| `sonnet` | 200k | 100k | easy and medium | 2 of 2 | 0.68 | may be given 100k tokens, and this needs 150k; takes easy and medium work only, and this is hard; has 2 of at most 2 issues in progress |
| `opus` | 200k | 100k | easy, medium and hard | 0 of 2 | 1.12 | may be given 100k tokens, and this needs 150k |
"""),
    ),
    "no agents": (
        replace(READY, assignment=Assignment(None, Source.TEXT, ())),
        snapshot("""\
**Ready** — but no agent can take it now.

- **Context:** ~18k tokens, between 11k and 31k; worked out from the text
- **Difficulty:** medium; read by Claude
- **Agent:** none; nobody can take it

No agent is set up. Add one to `bot.toml`.
"""),
    ),
}


@pytest.mark.parametrize(("report", "expected"), CASES.values(), ids=CASES)
async def test_why_it_was_decided_so(report, expected) -> None:
    assert expected == await ask("/why", Desk(report))


AGENTS = {
    "not hard enough": (
        READY,
        "haiku",
        snapshot("""\
**`haiku` cannot take it.**

- ✓ **Context:** this needs 18,400 tokens; it may be given 100,000, 50 % of its 200,000. That leaves 81,600.
- ✗ **Difficulty:** this is medium; it takes easy work.
- ✓ **In progress:** it has 0 other issues, of at most 2.
- **Cost:** 0.057; `sonnet` costs 0.17.
"""),
    ),
    "the chosen one": (
        READY,
        "Sonnet",
        snapshot("""\
**`sonnet` is chosen**: the cheapest that fits.

- ✓ **Context:** this needs 18,400 tokens; it may be given 100,000, 50 % of its 200,000. That leaves 81,600.
- ✓ **Difficulty:** this is medium; it takes easy and medium work.
- ✓ **In progress:** it has 1 other issue, of at most 2.
- **Cost:** 0.17.
"""),
    ),
    "dearer": (
        READY,
        "@opus",
        snapshot("""\
**`opus` could take it**, but `sonnet` can too and costs less.

- ✓ **Context:** this needs 18,400 tokens; it may be given 100,000, 50 % of its 200,000. That leaves 81,600.
- ✓ **Difficulty:** this is medium; it takes easy, medium and hard work.
- ✓ **In progress:** it has 1 other issue, of at most 2.
- **Cost:** 0.28; `sonnet` costs 0.17.
"""),
    ),
    "too small and busy": (
        TOO_BIG,
        "sonnet",
        snapshot("""\
**`sonnet` cannot take it.**

- ✗ **Context:** this needs 150,000 tokens; it may be given 100,000, 50 % of its 200,000. That is 50,000 too few.
- ✗ **Difficulty:** this is hard; it takes easy and medium work.
- ✗ **In progress:** it has 2 other issues, of at most 2.
- **Cost:** 0.68.
"""),
    ),
    "another was named": (
        NAMED,
        "sonnet",
        snapshot("""\
**`sonnet` could take it**, but `opus` was named.

- ✓ **Context:** this needs 18,400 tokens; it may be given 100,000, 50 % of its 200,000. That leaves 81,600.
- ✓ **Difficulty:** this is medium; it takes easy and medium work.
- ✓ **In progress:** it has 1 other issue, of at most 2.
- **Cost:** 0.17; `opus` costs 0.28.
"""),
    ),
    "named by a person": (
        NAMED,
        "opus",
        snapshot("""\
**`opus` is chosen**: set by a person.

- ✓ **Context:** this needs 18,400 tokens; it may be given 100,000, 50 % of its 200,000. That leaves 81,600.
- ✓ **Difficulty:** this is medium; it takes easy, medium and hard work.
- ✓ **In progress:** it has 1 other issue, of at most 2.
- **Cost:** 0.28.
"""),
    ),
}


@pytest.mark.parametrize(("report", "name", "expected"), AGENTS.values(), ids=AGENTS)
async def test_why_this_one_or_not(report, name, expected) -> None:
    assert expected == await ask(f"/why {name}", Desk(report))


@pytest.mark.parametrize(
    ("words", "desk", "message"),
    [
        ("sonet", Desk(READY), "there is no agent `sonet`; did you mean `sonnet`?"),
        ("gpt", Desk(READY), "there is no agent `gpt`; there are `haiku`, `sonnet`, `opus`"),
        ("gpt", Desk(READY, agents=()), "there is no agent `gpt`; none is set up"),
        ("opus now", Desk(READY), "name one agent, or none"),
        (
            "opus",
            Desk(),
            "nothing was decided here, for `coordinator` is not assigned; assign it first",
        ),
    ],
)
async def test_wrong_words(words, desk, message) -> None:
    with pytest.raises(UserError) as error:
        await do(f"/why {words}", desk)
    assert message == str(error.value)
