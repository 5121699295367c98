"""What the bot writes: the words of each state, and that nothing in a title gets out of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from jinja2 import TemplateNotFound, UndefinedError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.models import (
    Agent,
    Assignment,
    ContextSize,
    Dependency,
    Difficulty,
    Estimate,
    FileShare,
    IssueRef,
    Misfit,
    Mistake,
    RefState,
    Report,
    Source,
    Status,
    Verdict,
    Warn,
    WarningKind,
)
from bot.render import (
    GRAPH_EDGES,
    GRAPH_NODES,
    LABEL_LENGTH,
    MARKER,
    TITLE_LENGTH,
    Diagram,
    Renderer,
    code,
    escape,
    long_number,
    mermaid_label,
    money,
    reference,
    rounded_number,
    short_number,
)

RENDERER = Renderer()
EASY, MEDIUM, HARD = Difficulty
OPEN, CLOSED, MERGED, UNSEEN = RefState.OPEN, RefState.CLOSED, RefState.MERGED, RefState.UNSEEN


def ref(number: int, repo: str = "rocket") -> IssueRef:
    return IssueRef("acme", repo, number)


def agent(name: str, limit: int, *difficulties: Difficulty, at_once: int = 2) -> Agent:
    return Agent(
        name=name,
        context_limit=limit,
        price_in=3,
        price_out=15,
        difficulties=frozenset(difficulties),
        at_once=at_once,
    )


HAIKU = agent("haiku", 200_000, EASY)
SONNET = agent("sonnet", 200_000, EASY, MEDIUM)
OPUS = agent("opus", 200_000, EASY, MEDIUM, HARD)
VERDICTS = (
    Verdict(HAIKU, 100_000, 0.057, misfits=(Misfit.DIFFICULTY,)),
    Verdict(SONNET, 100_000, 0.171, busy=1),
    Verdict(OPUS, 100_000, 0.285, misfits=(Misfit.DEARER,)),
)
PUMP = FileShare("src/pump.py", 41_230, 11_453)
RETRY = FileShare("src/retry.py", 8_211, 2_281)

READY = Report(
    issue=ref(2),
    status=Status.READY,
    estimate=Estimate(18_400, Source.FILES, 11_000, 31_000, (PUMP, RETRY), 18_400, Source.FILES),
    size=ContextSize.SMALL,
    difficulty=MEDIUM,
    difficulty_source=Source.AI,
    assignment=Assignment(SONNET, Source.TEXT, VERDICTS),
    share=0.5,
)
BLOCKED = replace(
    READY,
    status=Status.BLOCKED,
    blockers=(
        Dependency(ref(3), CLOSED, (Source.DECLARED,), "Describe the valve protocol"),
        Dependency(ref(1), OPEN, (Source.DECLARED, Source.GITEA), "Measure the pump"),
        Dependency(ref(5, "valves"), OPEN, (Source.AI,), "Valve timing", is_pull=True),
        Dependency(ref(4, "secret"), OPEN, (Source.DECLARED,), "Hush", private=True),
    ),
    waiting=(Dependency(ref(7), OPEN, (Source.DECLARED,), "Alarm", declared_in=ref(7)),),
    proposals=(Dependency(ref(8), OPEN, (Source.AI,), "Simulator"),),
    edges=((ref(2), ref(1)), (ref(2), ref(4, "secret")), (ref(7), ref(2))),
    states={ref(1): OPEN, ref(4, "secret"): OPEN, ref(7): OPEN},
    titles={ref(2): "Retry in the pump driver", ref(1): "Measure the pump", ref(7): "Alarm"},
)
TOO_BIG = replace(
    READY,
    status=Status.TOO_BIG,
    estimate=Estimate(150_000, Source.DECLARED, computed=140_000, computed_from=Source.TEXT),
    size=ContextSize.HUGE,
    difficulty=HARD,
    difficulty_source=Source.DECLARED,
    assignment=Assignment(
        None,
        Source.TEXT,
        (
            Verdict(SONNET, 100_000, 0.675, 2, (Misfit.TOO_SMALL, Misfit.DIFFICULTY, Misfit.BUSY)),
            Verdict(OPUS, 100_000, 1.125, 0, (Misfit.TOO_SMALL,)),
        ),
    ),
    warnings=(Warn(WarningKind.TOO_BIG, numbers=(150_000, 100_000, 50_000)),),
)


# ---- each state, as a person reads it ----


def test_ready():
    """The whole comment: status, where each value comes from, fold-outs, how to end it."""
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**Ready** — `sonnet` should take it.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~18k (11k–31k) tokens · small | worked out from 2 files |
| **Difficulty** | medium | read by Claude |
| **Agent** | `sonnet` | the cheapest that fits |

<details><summary>How the estimate came about</summary>

The text names files, and these are their sizes in the repository; the work itself is added.

| File | Bytes | Tokens |
|:--|--:|--:|
| `src/pump.py` | 41,230 | 11,453 |
| `src/retry.py` | 8,211 | 2,281 |

Tokens are the context an agent has to hold at once, not what it is billed.

</details>
<details><summary>Why this agent and no other</summary>

A task may take 50 % of an agent's context limit. Of the agents that fit, handle the difficulty and have room, the cheapest is chosen, unless one is named.

| Agent | May be given | Cost | Why |
|:--|--:|--:|:--|
| `haiku` | 100k | 0.057 | takes easy work only, and this is medium |
| `sonnet` | 100k | 0.17 | **chosen** |
| `opus` | 100k | 0.28 | fits, but costs more |

</details>

**Tick to have it done**

- [ ] <!-- mosaic:box=parse --> Read this issue again
- [ ] <!-- mosaic:box=recheck --> Check the dependencies again
- [ ] <!-- mosaic:box=hold --> Hold: out of the queue until this is cleared

<sub>This comment is kept up to date. To end that, unassign `coordinator`.</sub>
""") == RENDERER.report(READY)


def test_blocked():
    """Open blockers stand first; a private one shows its reference and state, and no title."""
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**Blocked** — waits for 2 issues and 1 pull request.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~18k (11k–31k) tokens · small | worked out from 2 files |
| **Difficulty** | medium | read by Claude |
| **Agent** | `sonnet` | the cheapest that fits |

**Waits for**

- \\#1 — Measure the pump · **open** · declared, set in Gitea
- acme/valves\\#5 — Valve timing · pull request · **open** · read by Claude
- acme/secret\\#4 · **open** · declared
- \\#3 — Describe the valve protocol · **closed** · declared

**Waited for by**

- \\#7 — Alarm · **open** · declared there

```mermaid
%%{init: {"flowchart": {"wrappingWidth": 130, "nodeSpacing": 16, "rankSpacing": 36, "padding": 8}}}%%
flowchart LR
  n0["#35;2 Retry in the pump driver"]:::this
  n1["#35;1 Measure the pump"]:::open
  n2["acme#47;secret#35;4"]:::open
  n3["#35;7 Alarm"]:::open
  n1 --> n0
  n2 --> n0
  n0 --> n3
  classDef this fill:#0969da,stroke:#54aeff,color:#ffffff,stroke-width:2px
  classDef open fill:#bc4c00,stroke:#fb8f44,color:#ffffff
  classDef closed fill:#1a7f37,stroke:#4ac26b,color:#ffffff
  classDef merged fill:#8250df,stroke:#c297ff,color:#ffffff
  classDef unseen fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
  classDef unchecked fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
  classDef gone fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
```

<sub>An arrow runs from what comes first to what waits for it; ✓ is done.</sub>

<details><summary>How the estimate came about</summary>

The text names files, and these are their sizes in the repository; the work itself is added.

| File | Bytes | Tokens |
|:--|--:|--:|
| `src/pump.py` | 41,230 | 11,453 |
| `src/retry.py` | 8,211 | 2,281 |

Tokens are the context an agent has to hold at once, not what it is billed.

</details>
<details><summary>Why this agent and no other</summary>

A task may take 50 % of an agent's context limit. Of the agents that fit, handle the difficulty and have room, the cheapest is chosen, unless one is named.

| Agent | May be given | Cost | Why |
|:--|--:|--:|:--|
| `haiku` | 100k | 0.057 | takes easy work only, and this is medium |
| `sonnet` | 100k | 0.17 | **chosen** |
| `opus` | 100k | 0.28 | fits, but costs more |

</details>

**Claude also reads**

- [ ] <!-- mosaic:box=accept:acme/rocket#8 --> it waits for \\#8 — Simulator — tick if that is so

**Tick to have it done**

- [ ] <!-- mosaic:box=parse --> Read this issue again
- [ ] <!-- mosaic:box=recheck --> Check the dependencies again
- [ ] <!-- mosaic:box=hold --> Hold: out of the queue until this is cleared

<sub>This comment is kept up to date. To end that, unassign `coordinator`.</sub>
""") == RENDERER.report(BLOCKED)


def test_too_big():
    """Says by how much, and of every agent why not."""
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**Too big** — no agent has room for it; split it into smaller issues.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | 150k tokens · huge | declared in the text |
| **Difficulty** | hard | declared in the text |
| **Agent** | none | nobody can take it |

> [!CAUTION]
> It needs 150k tokens of context, 50k more than the 100k the largest agent may be given. Split it into smaller issues.

<details><summary>How the estimate came about</summary>

The text declares 150,000 tokens.
Worked out from the text, it would be about 140k.

Tokens are the context an agent has to hold at once, not what it is billed.

</details>
<details><summary>Why no agent can take it</summary>

A task may take 50 % of an agent's context limit. Of the agents that fit, handle the difficulty and have room, the cheapest is chosen, unless one is named.

| Agent | May be given | Cost | Why |
|:--|--:|--:|:--|
| `sonnet` | 100k | 0.68 | may be given 100k tokens, and this needs 150k; takes easy and medium work only, and this is hard; has 2 of at most 2 issues in progress |
| `opus` | 100k | 1.12 | may be given 100k tokens, and this needs 150k |

</details>

**Tick to have it done**

- [ ] <!-- mosaic:box=parse --> Read this issue again
- [ ] <!-- mosaic:box=recheck --> Check the dependencies again
- [ ] <!-- mosaic:box=split --> Propose a split
- [ ] <!-- mosaic:box=hold --> Hold: out of the queue until this is cleared

<sub>This comment is kept up to date. To end that, unassign `coordinator`.</sub>
""") == RENDERER.report(TOO_BIG)


def test_cycle():
    """The path is shown in the call-out, both edges in the graph."""
    path = (ref(2), ref(7), ref(2))
    edge = Dependency(ref(7), OPEN, (Source.DECLARED,), "Alarm")
    report = replace(
        READY,
        status=Status.BLOCKED,
        blockers=(edge,),
        waiting=(replace(edge, declared_in=ref(7)),),
        edges=(path[:2], path[1:]),
        cycle=path,
        states={ref(7): OPEN},
        titles={ref(7): "Alarm"},
        warnings=(Warn(WarningKind.CYCLE, refs=path),),
    )
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**Blocked** — it stands in a circle of 2 issues that wait for one another.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~18k (11k–31k) tokens · small | worked out from 2 files |
| **Difficulty** | medium | read by Claude |
| **Agent** | `sonnet` | the cheapest that fits |

> [!CAUTION]
> \\#2 → \\#7 → \\#2 wait for one another in a circle, so none of them can begin. Take one of these dependencies away.

**Waits for**

- \\#7 — Alarm · **open** · declared

**Waited for by**

- \\#7 — Alarm · **open** · declared there

```mermaid
%%{init: {"flowchart": {"wrappingWidth": 130, "nodeSpacing": 16, "rankSpacing": 36, "padding": 8}}}%%
flowchart LR
  n0["#35;2"]:::this
  n1["#35;7 Alarm"]:::open
  n1 --> n0
  n0 --> n1
  classDef this fill:#0969da,stroke:#54aeff,color:#ffffff,stroke-width:2px
  classDef open fill:#bc4c00,stroke:#fb8f44,color:#ffffff
  classDef closed fill:#1a7f37,stroke:#4ac26b,color:#ffffff
  classDef merged fill:#8250df,stroke:#c297ff,color:#ffffff
  classDef unseen fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
  classDef unchecked fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
  classDef gone fill:#6e7781,stroke:#afb8c1,color:#ffffff,stroke-dasharray:4
```

<sub>An arrow runs from what comes first to what waits for it; ✓ is done.</sub>

""") == above_folds(RENDERER.report(report))


def test_closed():
    report = replace(READY, status=Status.CLOSED)
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**Closed** — there is nothing left to do here.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~18k (11k–31k) tokens · small | worked out from 2 files |
| **Difficulty** | medium | read by Claude |
| **Agent** | `sonnet` | the cheapest that fits |

""") == above_folds(RENDERER.report(report))


def test_in_progress_with_an_open_blocker():
    report = replace(
        READY,
        status=Status.IN_PROGRESS,
        blockers=BLOCKED.blockers[:2],
        warnings=(Warn(WarningKind.BEGUN_BLOCKED, refs=(ref(1),)),),
    )
    assert snapshot("""\
<!-- mosaic-coordinator:report -->

**In progress** — work on it has begun, though 1 of what it waits for is still open.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~18k (11k–31k) tokens · small | worked out from 2 files |
| **Difficulty** | medium | read by Claude |
| **Agent** | `sonnet` | the cheapest that fits |

> [!WARNING]
> Work has begun, but \\#1 is still open. Finish that first, or take the dependency out.

**Waits for**

- \\#1 — Measure the pump · **open** · declared, set in Gitea
- \\#3 — Describe the valve protocol · **closed** · declared

""") == above_folds(RENDERER.report(report))


def test_declared_far_from_computed():
    """The number in use is the declared one; the computed one stands in the fold-out."""
    estimate = replace(READY.estimate, tokens=4_000, source=Source.DECLARED, low=None, high=None)
    report = replace(
        READY,
        estimate=estimate,
        difficulty_source=Source.COMMAND,
        assignment=Assignment(SONNET, Source.DECLARED, VERDICTS),
        warnings=(Warn(WarningKind.FAR_OFF, numbers=(4_000, 18_400)),),
    )
    assert (
        snapshot("""\
<!-- mosaic-coordinator:report -->

**Ready** — `sonnet` should take it.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | 4k tokens · small | declared in the text |
| **Difficulty** | medium | set by a person |
| **Agent** | `sonnet` | declared in the text |

> [!WARNING]
> The text declares 4k tokens of context, but 18k were worked out, 5 times as much. Check the number, or take it out.

<details><summary>How the estimate came about</summary>

The text declares 4,000 tokens.
Worked out from 2 files, it would be about 18k.

| File | Bytes | Tokens |
|:--|--:|--:|
| `src/pump.py` | 41,230 | 11,453 |
| `src/retry.py` | 8,211 | 2,281 |

Tokens are the context an agent has to hold at once, not what it is billed.

</details>
""")
        == RENDERER.report(report).partition("<details><summary>Why")[0]
    )


def test_without_claude():
    report = replace(
        READY,
        estimate=Estimate(22_000, Source.TEXT, 9_000, 54_000),
        difficulty_source=Source.TEXT,
        warnings=(Warn(WarningKind.AI_FAILED, texts=("the budget for today is used up",)),),
    )
    assert (
        snapshot("""\
<!-- mosaic-coordinator:report -->

**Ready** — `sonnet` should take it.

| What | Value | Where it comes from |
|:--|:--|:--|
| **Context** | ~22k (9k–54k) tokens · small | worked out from the text |
| **Difficulty** | medium | worked out from the text |
| **Agent** | `sonnet` | the cheapest that fits |

> [!NOTE]
> This was made without Claude (the budget for today is used up), so what is not declared was worked out. Declare it in the text if it is wrong.

<details><summary>How the estimate came about</summary>

The text names no file that is in the repository, so this rests on its length and wording.

Tokens are the context an agent has to hold at once, not what it is billed.

</details>
""")
        == RENDERER.report(report).partition("<details><summary>Why")[0]
    )


@pytest.mark.parametrize("by", [None, "alice"])
def test_ended(by: str | None):
    """Carries the same marker, so that starting anew finds the comment again."""
    expected = {
        None: snapshot("""\
<!-- mosaic-coordinator:report -->

**Ended** — `coordinator` was unassigned, so it no longer watches this issue; its labels are gone, and so are the dependencies that it set. Assign it again to go on; what people set by commands is kept.
"""),
        "alice": snapshot("""\
<!-- mosaic-coordinator:report -->

**Ended** — `coordinator` was unassigned by `alice`, so it no longer watches this issue; its labels are gone, and so are the dependencies that it set. Assign it again to go on; what people set by commands is kept.
"""),
    }
    assert expected[by] == RENDERER.ended(issue=ref(2), bot="coordinator", by=by)


def above_folds(text: str) -> str:
    return text.partition("<details>")[0]


# ---- the first sentence ----


def first(report: Report) -> str:
    return RENDERER.report(report).splitlines()[2]


PULL = Dependency(ref(9), OPEN, (Source.GITEA,), is_pull=True)
ISSUE = Dependency(ref(1), OPEN, (Source.GITEA,))
NOT_THERE = Dependency(ref(99), UNSEEN, (Source.DECLARED,))
NOBODY = Assignment(None, Source.TEXT, VERDICTS)


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("**Ready** — `sonnet` should take it.", {}),
        ("**Ready** — but no agent can take it now.", {"assignment": NOBODY}),
        ("**Blocked** — waits for 1 issue.", {"status": Status.BLOCKED, "blockers": (ISSUE,)}),
        (
            "**Blocked** — waits for 1 pull request.",
            {"status": Status.BLOCKED, "blockers": (PULL,)},
        ),
        (
            "**Blocked** — waits for 2 issues and 1 pull request.",
            {"status": Status.BLOCKED, "blockers": (ISSUE, PULL, NOT_THERE)},
        ),
        ("**Blocked** — not everything it waits for is known.", {"status": Status.BLOCKED}),
        (
            "**On hold** — a person set it aside, so nobody should take it yet.",
            {"status": Status.HOLD},
        ),
        ("**In progress** — work on it has begun.", {"status": Status.IN_PROGRESS}),
        (
            "**In progress** — work on it has begun, though 2 of what it waits for are still open.",
            {"status": Status.IN_PROGRESS, "blockers": (ISSUE, PULL)},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_first_sentence(expected: str, changes: dict):
    assert expected == first(replace(READY, **changes))


@pytest.mark.parametrize("status", Status)
def test_first_line_is_the_marker(status: Status):
    assert MARKER == RENDERER.report(replace(READY, status=status)).splitlines()[0]


# ---- the warnings ----


def callouts(*warnings: Warn, report: Report = READY) -> str:
    text = above_folds(RENDERER.report(replace(report, warnings=warnings)))
    return "\n".join(line for line in text.splitlines() if line.startswith(">"))


ONE, TWO = (ref(4),), (ref(4), ref(5, "valves"))
W = WarningKind


@pytest.mark.parametrize(
    ("warning", "expected"),
    [
        (
            Warn(W.CYCLE, refs=(ref(2), ref(3), ref(2))),
            snapshot("""\
> [!CAUTION]
> \\#2 → \\#3 → \\#2 wait for one another in a circle, so none of them can begin. Take one of these dependencies away.\
"""),
        ),
        (
            Warn(W.CYCLE, refs=(ref(2), *(ref(n) for n in range(10, 30)), ref(2))),
            snapshot("""\
> [!CAUTION]
> \\#2 → \\#10 → \\#11 → \\#12 → \\#13 → \\#14 → \\#15 → \\#16 → \\#17 → \\#18 → \\#19 → \\#20 → … → \\#2 wait for one another in a circle, so none of them can begin. Take one of these dependencies away.\
"""),
        ),
        (
            Warn(W.ITSELF),
            snapshot("""\
> [!CAUTION]
> The text says that this issue waits for itself. Take that reference out, or put the right number in.\
"""),
        ),
        (
            Warn(W.UNSEEN, refs=ONE),
            snapshot("""\
> [!WARNING]
> `acme/rocket#4` cannot be seen, so it counts as open. Correct the reference.\
"""),
        ),
        (
            Warn(W.UNSEEN, refs=TWO),
            snapshot("""\
> [!WARNING]
> `acme/rocket#4` and `acme/valves#5` cannot be seen, so they count as open. Correct the references. One into another repository counts if whoever wrote it here can read that, or if somebody who can says `/blocked-by acme/valves#5`; `coordinator` must be an administrator there to find out.\
"""),
        ),
        (
            Warn(W.UNCHECKED, refs=ONE),
            snapshot("""\
> [!WARNING]
> Gitea could not say whether \\#4 is still open, so it counts as open. This is looked up again without your doing.\
"""),
        ),
        (
            Warn(W.UNCHECKED, refs=TWO),
            snapshot("""\
> [!WARNING]
> Gitea could not say whether \\#4 and acme/valves\\#5 are still open, so they count as open. This is looked up again without your doing.\
"""),
        ),
        (
            Warn(W.GONE, refs=ONE),
            snapshot("""\
> [!NOTE]
> `acme/rocket#4` has been deleted and no longer blocks this. Take the reference out of the text.\
"""),
        ),
        (
            Warn(W.GONE, refs=TWO),
            snapshot("""\
> [!NOTE]
> `acme/rocket#4` and `acme/valves#5` have been deleted and no longer block this. Take the references out of the text.\
"""),
        ),
        (
            Warn(W.UNREADABLE, texts=("PLAN-12",)),
            snapshot("""\
> [!WARNING]
> `PLAN-12` stands among the dependencies but names no issue here, so it was left out. Write `#12` or `owner/repo#12`.\
"""),
        ),
        (
            Warn(W.UNREADABLE, texts=("PLAN-12", "the valves")),
            snapshot("""\
> [!WARNING]
> `PLAN-12` and `the valves` stand among the dependencies but name no issue here, so they were left out. Write `#12` or `owner/repo#12`.\
"""),
        ),
        (
            Warn(W.TOO_BIG, numbers=(250_000, 100_000, 150_000)),
            snapshot("""\
> [!CAUTION]
> It needs 250k tokens of context, 150k more than the 100k the largest agent may be given. Split it into smaller issues.\
"""),
        ),
        (
            Warn(W.NOBODY),
            snapshot("""\
> [!WARNING]
> No agent takes it now: those with room for it do not take medium work, or have enough in progress. Wait for one of them, or name an agent in the text.\
"""),
        ),
        (
            Warn(W.UNKNOWN_AGENT, texts=("sonett", "sonnet")),
            snapshot("""\
> [!WARNING]
> The agent named for it, `sonett`, is not set up. Did you mean `sonnet`? Correct the name or take it out.\
"""),
        ),
        (
            Warn(W.UNKNOWN_AGENT, texts=("zebra", "")),
            snapshot("""\
> [!WARNING]
> The agent named for it, `zebra`, is not set up. Correct the name or take it out.\
"""),
        ),
        (
            Warn(W.AGENT_MISFIT, texts=("haiku",)),
            snapshot("""\
> [!WARNING]
> The agent named for it, `haiku`, does not fit this work. Name another one, or none.\
"""),
        ),
        (
            Warn(W.AGENT_MISFIT, texts=("haiku", "difficulty", "busy")),
            snapshot("""\
> [!WARNING]
> The agent named for it, `haiku`, does not fit this work: it takes easy work only, and this is medium; has 0 of at most 2 issues in progress. Name another one, or none.\
"""),
        ),
        (
            Warn(W.FAR_OFF, numbers=(4_000, 18_400)),
            snapshot("""\
> [!WARNING]
> The text declares 4k tokens of context, but 18k were worked out, 5 times as much. Check the number, or take it out.\
"""),
        ),
        (
            Warn(W.FAR_OFF, numbers=(180_000, 18_400)),
            snapshot("""\
> [!WARNING]
> The text declares 180k tokens of context, but 18k were worked out, 10 times less. Check the number, or take it out.\
"""),
        ),
        (
            Warn(W.FAR_OFF, numbers=(0, 18_400)),
            snapshot("""\
> [!WARNING]
> The text declares 0 tokens of context, but 18k were worked out, which is far off. Check the number, or take it out.\
"""),
        ),
        (
            Warn(W.AI_FAILED, texts=("over @budget",)),
            snapshot("""\
> [!NOTE]
> This was made without Claude (over @&#8203;budget), so what is not declared was worked out. Declare it in the text if it is wrong.\
"""),
        ),
        (
            Warn(W.AI_FAILED),
            snapshot("""\
> [!NOTE]
> This was made without Claude, so what is not declared was worked out. Declare it in the text if it is wrong.\
"""),
        ),
        (
            Warn(W.BEGUN_BLOCKED, refs=ONE),
            snapshot("""\
> [!WARNING]
> Work has begun, but \\#4 is still open. Finish that first, or take the dependency out.\
"""),
        ),
        (
            Warn(W.BEGUN_BLOCKED, refs=TWO),
            snapshot("""\
> [!WARNING]
> Work has begun, but \\#4 and acme/valves\\#5 are still open. Finish those first, or take the dependencies out.\
"""),
        ),
        (
            Warn(W.CLOSED_BLOCKED, refs=ONE),
            snapshot("""\
> [!NOTE]
> It is closed, but \\#4, which it waits for, is still open. Reopen it if that was a mistake.\
"""),
        ),
        (
            Warn(W.CLOSED_BLOCKED, refs=TWO),
            snapshot("""\
> [!NOTE]
> It is closed, but \\#4 and acme/valves\\#5, which it waits for, are still open. Reopen it if that was a mistake.\
"""),
        ),
        (
            Warn(W.TOO_MANY, numbers=(1_240, 200)),
            snapshot("""\
> [!NOTE]
> It waits for 1,240 issues, of which only 200 were looked at. Split it, or shorten the list.\
"""),
        ),
        (
            Warn(W.UNBLOCKED, texts=("alice", "the *mock* will do", "2026-11-22 15:04 UTC")),
            snapshot("""\
> [!NOTE]
> `alice` said on 2026-11-22 15:04 UTC that it need not wait: the \\*mock\\* will do. That ends when the text or what it waits for changes.\
"""),
        ),
        (
            Warn(W.UNBLOCKED, texts=("", "it will do", "2026-11-22 15:04 UTC")),
            snapshot("""\
> [!NOTE]
> Somebody said on 2026-11-22 15:04 UTC that it need not wait: it will do. That ends when the text or what it waits for changes.\
"""),
        ),
        (
            Warn(W.HELD, texts=("alice", "the review")),
            snapshot("""\
> [!NOTE]
> `alice` set it aside: the review. It stays so until somebody lets it go.\
"""),
        ),
        (
            Warn(W.HELD, texts=("", "")),
            snapshot("""\
> [!NOTE]
> Somebody set it aside. It stays so until somebody lets it go.\
"""),
        ),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Warn) else "",
)
def test_warning(warning: Warn, expected: str):
    """Each says what is so and what to do next."""
    assert expected == callouts(warning)


@pytest.mark.parametrize("kind", WarningKind)
def test_every_kind_has_a_sentence(kind: WarningKind):
    warning = Warn(kind, refs=TWO, texts=("one", "two", "three"), numbers=(3, 2, 1))
    assert len(callouts(warning).splitlines()[1]) > 20


def test_warnings_stand_together_by_gravity():
    """The gravest call-out first; several of one kind as a list."""
    assert snapshot("""\
> [!CAUTION]
> The text says that this issue waits for itself. Take that reference out, or put the right number in.
> [!WARNING]
> - `acme/rocket#4` cannot be seen, so it counts as open. Correct the reference.
> - No agent takes it now: those with room for it do not take medium work, or have enough in progress. Wait for one of them, or name an agent in the text.
> [!NOTE]
> This was made without Claude, so what is not declared was worked out. Declare it in the text if it is wrong.\
""") == callouts(Warn(W.AI_FAILED), Warn(W.UNSEEN, refs=ONE), Warn(W.NOBODY), Warn(W.ITSELF))


def test_no_call_out_without_a_warning():
    assert "[!" not in RENDERER.report(READY)


def test_the_box_that_the_bot_ticks_says_so():
    """So a tick of its own is told from somebody's."""
    box = "- [{}] <!-- mosaic:box=hold{} --> Hold"
    assert box.format("x", " on") in RENDERER.report(replace(READY, status=Status.HOLD))
    assert box.format(" ", "") in RENDERER.report(READY)


# ---- lists and fold-outs ----


def test_a_dependency_declared_in_a_third_issue_names_it():
    """Words after the reference: Gitea replaces one that ends a list item by its title."""
    waiting = (Dependency(ref(7), OPEN, (Source.DECLARED,), "Alarm", declared_in=ref(8)),)
    assert r"- \#7 — Alarm · **open** · \#8 declares it" in RENDERER.report(
        replace(READY, waiting=waiting)
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RefState.OPEN, r"- \#7 · **open** · set in Gitea"),
        (RefState.CLOSED, r"- \#7 · **closed** · set in Gitea"),
        (RefState.MERGED, r"- \#7 · **merged** · set in Gitea"),
        (RefState.UNSEEN, "- `acme/rocket#7` · **cannot be seen** · set in Gitea"),
        (RefState.GONE, "- `acme/rocket#7` · **deleted** · set in Gitea"),
        (RefState.UNCHECKED, r"- \#7 · **could not be checked** · set in Gitea"),
    ],
)
def test_states_are_said_in_words(state: RefState, expected: str):
    """What leads nowhere is no link."""
    text = RENDERER.report(replace(READY, blockers=(Dependency(ref(7), state, (Source.GITEA,)),)))
    assert expected in text.splitlines()


def test_long_lists_are_cut_and_say_so():
    many = tuple(Dependency(ref(n), OPEN, (Source.GITEA,)) for n in range(10, 40))
    text = RENDERER.report(replace(READY, blockers=many, proposals=many))
    assert 20 == text.count("· set in Gitea")
    assert "- and 10 more" in text
    assert 10 == text.count("<!-- mosaic:box=accept:")


def test_long_file_lists_are_cut_and_summed():
    files = tuple(FileShare(f"src/f{n}.py", 1_000, 300) for n in range(20))
    text = RENDERER.report(replace(READY, estimate=replace(READY.estimate, files=files)))
    assert "worked out from 20 files" in text
    assert "| and 5 more | 5,000 | 1,500 |" in text
    assert 15 == text.count("| `src/f")


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(46_000, Source.COMMAND), "A person set it to 46,000 tokens."),
        (
            Estimate(46_400, Source.AI, 23_000, 92_000),
            "Claude read the text and took it for about 46k tokens.",
        ),
        (
            Estimate(46_400, Source.TEXT, 23_000, 92_000),
            "The text names no file that is in the repository, so this rests on its length and wording.",
        ),
    ],
)
def test_where_the_estimate_comes_from(estimate: Estimate, expected: str):
    assert expected in RENDERER.report(replace(READY, estimate=estimate)).splitlines()


def test_says_that_context_is_not_what_is_billed():
    assert "Tokens are the context an agent has to hold at once, not what it is billed." in (
        RENDERER.report(READY)
    )


@pytest.mark.parametrize(
    ("misfits", "expected"),
    [
        ((Misfit.TOO_SMALL,), "may be given 8k tokens, and this needs 18.4k"),
        ((Misfit.DIFFICULTY,), "takes easy and hard work only, and this is medium"),
        ((Misfit.BUSY,), "has 3 of at most 1 issue in progress"),
        ((Misfit.DEARER,), "fits, but costs more"),
        ((Misfit.NOT_NAMED,), "another one was named"),
        (
            (Misfit.BUSY, Misfit.DEARER),
            "has 3 of at most 1 issue in progress; fits, but costs more",
        ),
    ],
)
def test_why_another_agent_was_not_chosen(misfits: tuple[Misfit, ...], expected: str):
    small = agent("small", 16_000, EASY, HARD, at_once=1)
    verdicts = (*VERDICTS, Verdict(small, 8_000, 0.0, 3, misfits))
    text = RENDERER.report(replace(READY, assignment=Assignment(SONNET, Source.TEXT, verdicts)))
    assert f"| `small` | 8k | 0.00 | {expected} |" in text.splitlines()


def test_without_agents_there_is_nothing_to_explain():
    text = RENDERER.report(replace(READY, assignment=Assignment(None, Source.TEXT, ())))
    assert "| **Agent** | none | nobody can take it |" in text
    assert "Why " not in text


def test_nobody_is_another_matter_when_no_agent_is_set_up():
    bare = replace(READY, assignment=Assignment(None, Source.TEXT, ()))
    assert "> No agent is set up, so nobody can take it. Add one to `bot.toml`." in callouts(
        Warn(W.NOBODY), report=bare
    )


# ---- the graph ----


def test_no_graph_for_a_single_edge():
    assert "mermaid" not in RENDERER.report(replace(READY, edges=((ref(2), ref(1)),)))


def test_graph_is_bounded_and_says_what_is_left_out():
    edges = tuple((ref(n), ref(2)) for n in range(10, 60))
    diagram = Diagram.of(replace(READY, edges=edges))
    assert (GRAPH_NODES, GRAPH_NODES - 1, 21) == (
        len(diagram.nodes),
        len(diagram.arrows),
        diagram.left_out,
    )
    assert "21 more arrows are left out." in RENDERER.report(replace(READY, edges=edges))


def test_graph_has_at_most_so_many_arrows():
    dense = tuple((ref(a), ref(b)) for a in range(2, 12) for b in range(2, 12) if a < b)
    diagram = Diagram.of(replace(READY, edges=dense))
    assert (GRAPH_EDGES, len(dense) - GRAPH_EDGES) == (len(diagram.arrows), diagram.left_out)


@pytest.mark.parametrize(
    ("expected", "edges"),
    [
        ("LR", ((2, 1), (7, 2))),
        ("LR", tuple((n, 2) for n in range(3, 20))),
        ("TB", ((2, 1), (1, 10), (10, 11), (11, 12))),
        ("TB", ((3, 2), (4, 3), (5, 4), (6, 5))),
    ],
    ids=["chain of three", "fan", "long way before it", "long way after it"],
)
def test_graph_runs_down_when_it_has_many_steps(expected: str, edges: tuple):
    edges = tuple((ref(a), ref(b)) for a, b in edges)
    assert expected == Diagram.of(replace(READY, edges=edges)).direction


def test_a_private_title_is_never_drawn():
    titles = {**BLOCKED.titles, ref(4, "secret"): "Hush"}
    assert "Hush" not in RENDERER.report(replace(BLOCKED, titles=titles))


def test_graph_marks_what_is_done_and_what_is_unknown():
    """Colour alone would not do for everybody."""
    report = replace(
        READY,
        edges=((ref(2), ref(1)), (ref(2), ref(3)), (ref(2), ref(4)), (ref(2), ref(5))),
        states={ref(1): OPEN, ref(3): MERGED, ref(4): UNSEEN},
    )
    boxes = re.findall(r'\["(.*?)"\]:::(\w+)', RENDERER.report(report))
    assert [
        ("#35;2", "this"),
        ("#35;1", "open"),
        ("✓ #35;3", "merged"),
        ("? #35;4", "unseen"),
        ("? #35;5", "unchecked"),
    ] == boxes


@given(st.text())
@example('"]; click n0 "javascript:alert(1)"')
@example("```\n</details>")
@example("`**bold**`")
def test_a_label_cannot_leave_its_quotes(title: str):
    label = mermaid_label(title)
    assert not set(re.sub(r"#\d+;", "", label)) & set("\"'`[](){}<>|&;#\\\n%") - {"'"}
    assert len(re.sub(r"#\d+;", "x", label)) <= LABEL_LENGTH


# ---- titles ----


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Retry in the pump driver", "Retry in the pump driver"),
        ("C# (v2): 50 % faster!", "C# (v2): 50 % faster!"),
        ("ping @alice", "ping @&#8203;alice"),
        ("like #12 and acme/valves!3", "like #&#8203;12 and acme/valves!&#8203;3"),
        ("see https://x.test", "see https:&#8203;//x.test"),
        ("see www.x.test", "see www&#8203;.x.test"),
        ("a@b.test", "a@&#8203;b.test"),
        (":smile: 12:30", r"\:&#8203;smile: 12:&#8203;30"),
        ("[x](y) ![z](w)", "&#91;x&#93;(y) !&#91;z&#93;(w)"),
        ("[[wiki]]", "&#91;&#8203;&#91;wiki&#93;&#93;"),
        ("a | b", r"a \| b"),
        ("<b>&amp;", r"\<b>\&amp;"),
        ("*a* _b_ ~~c~~ `d` $e$", r"\*a\* \_b\_ \~\~c\~\~ \`d\` \$e\$"),
        (r"\(x\)", "&#92;(x&#92;)"),
        ("revert 0123abc", "revert 0&#8203;123abc"),
        ("deadbeef" * 5, "d&#8203;" + "eadbeef" + "deadbeef" * 4),
        ("abcdef", "abcdef"),
        ("- item", r"\- item"),
        ("+ item", r"\+ item"),
        ("# head", r"\# head"),
        ("> quote", r"\> quote"),
        ("1. item", r"1\. item"),
        ("12) item", r"12\) item"),
        ("===", r"\==="),
        (": defined", r"\: defined"),
        ("/hold", "/&#8203;hold"),
        ("@coordinator hold", "@&#8203;coordinator hold"),
        ("two\nlines\r\n\u2028here", "two lines here"),
        ("\u202eleft\u200b\x00\u0085\ufeff", "left"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("  ", ""),
    ],
)
def test_escape(title: str, expected: str):
    """Only what could be taken for something is touched."""
    assert expected == escape(title)


def test_a_long_title_is_cut():
    assert "x" * (TITLE_LENGTH - 1) + "…" == escape("x" * 500)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("src/pump.py", "`src/pump.py`"),
        ("a\nb", "`a b`"),
        ("a|b", r"a\|b"),
        ("`@bob`", r"\`@&#8203;bob\`"),
        ("\u202e", ""),
    ],
)
def test_code(name: str, expected: str):
    assert expected == code(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#7", r"\#7"),
        ("acme/my_repo#7", r"acme/my\_repo\#7"),
        ("ac<b>/x#7", r"ac\<b>/x#&#8203;7"),
    ],
)
def test_reference(text: str, expected: str):
    """Gitea links `\\#7`, but does not note it in the timeline of the other issue."""
    assert expected == reference(text)


HOSTILE_TEXT = r"""
@bob #12 !3 acme/valves#4 https://x.test www.x.test a@b.test :smile: [a](b) ![a](b) [x] [[w]] [^1]
<b> <!-- --> </details> &amp; | || ` ``` * ** _ ~~ $ $$ \ - + 1. # > === --- {#id} ]( : ;
/hold javascript: 0123abcdef0123abcdef0123abcdef0123abcdef
"""
HOSTILE_SPACE = ("\n", "\n\n", "\t", "\r", "    ", " ", "", "\u202e")
HOSTILE = st.lists(
    st.one_of(
        st.sampled_from([*HOSTILE_TEXT.split(), *HOSTILE_SPACE]),
        st.text(max_size=4),
    ),
    max_size=12,
).map("".join)

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shape(tokens: list[Token]) -> list[str]:
    """What kinds of things a text consists of, without its words."""
    words = ("text", "text_special", "entity", "softbreak")
    return [
        token.type + (token.tag or "")
        for block in tokens
        for token in [block, *(block.children or [])]
        if token.type not in words
    ]


def words_of(tokens: list[Token]) -> list[str]:
    """Running text as Gitea's post-processing sees it: per inline run, without code and HTML."""
    runs = []
    for token in tokens:
        parts = [c.content if c.type.startswith("text") else "\0" for c in token.children or []]
        runs += "".join(parts).split("\0")
    return runs


# The patterns Gitea 1.26 looks for in a page's text, loosened.
LIVE = re.compile(
    r"(?<!\w)@[-\w]|[#!]\d+\b|https?://|www\.|\w@\w|:[-+\w]+:|\[\["
    r"|(?:\s|^|[(\[])[0-9a-f]{7,64}(?:\s|$|[)\].,:])",
    re.ASCII,
)
KNOWN = re.compile(r"(?:acme/\w+)?#\d+")


def report_with(title: str) -> Report:
    blockers = tuple(replace(d, title=title) for d in BLOCKED.blockers)
    return replace(
        BLOCKED,
        blockers=blockers,
        waiting=tuple(replace(d, title=title) for d in BLOCKED.waiting),
        proposals=tuple(replace(d, title=title) for d in BLOCKED.proposals),
        titles={ref(1): title, ref(2): title},
    )


PLAIN_SHAPE = shape(MARKDOWN.parse(RENDERER.report(report_with("plain"))))


@given(HOSTILE)
def test_a_title_adds_nothing_to_the_page(title: str):
    """No link, image, HTML, cell, heading, list or break: the same things, in the same order."""
    title = title if escape(title) else "plain"
    assert PLAIN_SHAPE == shape(MARKDOWN.parse(RENDERER.report(report_with(title))))


@given(HOSTILE)
def test_a_title_holds_nothing_live(title: str):
    """No mention, address, reference, emoji code, wiki link or commit that Gitea would link."""
    for run in words_of(MARKDOWN.parse(RENDERER.report(report_with(title)))):
        assert [] == LIVE.findall(KNOWN.sub("", run, count=1))


@given(HOSTILE)
def test_an_escaped_title_alone_on_a_line_is_a_paragraph(title: str):
    shaped = shape(MARKDOWN.parse(escape(title)))
    assert (["paragraph_openp", "inline", "paragraph_closep"] if shaped else []) == shaped


@given(HOSTILE)
def test_an_escaped_title_still_reads_the_same(title: str):
    """A person sees every visible character."""
    tokens = MARKDOWN.parseInline(escape(title))
    seen = "".join(c.content for t in tokens for c in t.children or []).replace("\u200b", "")
    assert len(seen) <= TITLE_LENGTH
    assert re.findall(r"[!-~]", title)[:40] == re.findall(r"[!-~]", seen)[:40]


@given(HOSTILE)
def test_no_line_begins_with_a_command(title: str):
    """Wherever a stranger's words may stand, the bot never commands itself or others."""
    report = replace(
        report_with(title),
        assignment=Assignment(agent(title, 9, EASY), Source.TEXT, VERDICTS),
        bot=title,
        estimate=replace(READY.estimate, files=(FileShare(title, 1, 1),)),
        warnings=(
            Warn(W.AI_FAILED, texts=(title,)),
            Warn(W.UNREADABLE, texts=(title, title)),
            Warn(W.UNKNOWN_AGENT, texts=(title, title)),
        ),
    )
    text = RENDERER.report(report) + RENDERER.ended(issue=ref(2), bot=title, by=title)
    assert [] == re.findall(r"^[\s>*-]*[/@]\w.*", text, re.MULTILINE)
    assert text.count(MARKER) == 2


@given(HOSTILE)
def test_a_path_or_agent_name_adds_no_cell(name: str):
    """Rows keep their cells, whatever a file or an agent is called."""
    report = replace(
        READY,
        assignment=Assignment(agent(name, 9, EASY), Source.TEXT, VERDICTS),
        estimate=replace(READY.estimate, files=(FileShare(name, 1, 1), PUMP)),
    )
    cells = [k for k in shape(MARKDOWN.parse(RENDERER.report(report))) if k.startswith("t")]
    assert [k for k in shape(MARKDOWN.parse(RENDERER.report(READY))) if k.startswith("t")] == cells


# ---- numbers ----


@pytest.mark.parametrize(
    ("number", "short", "rounded", "long"),
    [
        (0, "0", "0", "0"),
        (999, "999", "999", "999"),
        (1_000, "1k", "1k", "1,000"),
        (8_250, "8.25k", "8.2k", "8,250"),
        (46_000, "46k", "46k", "46,000"),
        (46_380, "46.4k", "46k", "46,380"),
        (100_000, "100k", "100k", "100,000"),
        (128_400, "128k", "130k", "128,400"),
        (999_999, "1M", "1M", "999,999"),
        (1_234_567, "1.23M", "1.2M", "1,234,567"),
    ],
)
def test_numbers(number: int, short: str, rounded: str, long: str):
    assert (short, rounded, long) == (
        short_number(number),
        rounded_number(number),
        long_number(number),
    )


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0.0, "0.00"),
        (0.0000123, "0.000012"),
        (0.057, "0.057"),
        (0.171, "0.17"),
        (3.5, "3.50"),
        (1234.5, "1,234.50"),
    ],
)
def test_money(amount: float, expected: str):
    assert expected == money(amount)


# ---- templates ----


def test_a_missing_value_is_an_error_and_not_a_gap():
    with pytest.raises(UndefinedError):
        RENDERER.reply("ended", issue=ref(2))


def test_an_unknown_template_is_an_error():
    with pytest.raises(TemplateNotFound):
        RENDERER.reply("no-such-reply")


def test_ends_with_one_line_end_and_no_gaps():
    text = RENDERER.report(BLOCKED)
    assert text.endswith(">\n")
    assert not re.search(r"\n\n\n|[ \t]$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("expected", "off", "changed"),
    [
        (["recheck", "split", "hold"], {"parse"}, {}),
        (["parse", "recheck", "hold"], {"split"}, {}),
        (["parse", "recheck", "split"], {"hold"}, {}),
        (["parse", "recheck", "split", "hold"], {"hold"}, {"status": Status.HOLD}),
        (["parse", "recheck", "split"], {"unhold"}, {"status": Status.HOLD}),
        ([], {"parse", "recheck", "split", "hold"}, {}),
    ],
    ids=["parse", "split", "hold", "on hold", "on hold for good", "all"],
)
def test_there_is_no_box_for_a_command_that_is_switched_off(
    expected: list[str], off: set[str], changed: dict[str, object]
) -> None:
    text = RENDERER.report(replace(TOO_BIG, off=frozenset(off), **changed))
    assert expected == re.findall(r"mosaic:box=([a-z]+)", text)
    assert bool(expected) == ("Tick to have it done" in text)


def test_a_proposal_that_nobody_may_accept_has_no_box() -> None:
    proposals = (Dependency(ref(7), RefState.OPEN, (Source.AI,), title="Pumps"),)
    report = replace(READY, proposals=proposals)
    assert "- [ ] <!-- mosaic:box=accept:" in RENDERER.report(report)
    off = RENDERER.report(replace(report, off=frozenset({"blocked-by"})))
    assert "\n- it waits for \\#7 — Pumps\n" in off


def test_mistakes_in_the_repositorys_file_are_told_as_text() -> None:
    mistakes = [Mistake(f'there is no setting "@alice{n}"', line=n) for n in range(1, 8)]
    warn = Warn(WarningKind.SETTINGS, mistakes=tuple(mistakes))
    text = RENDERER.report(replace(READY, warnings=(warn,)))
    assert "@alice" not in text
    assert 'line 1: there is no setting "@&#8203;alice1"; line 2:' in text
    assert 'alice5"; and 2 more.\n' in text
    assert "What is wrong in it counts as if it did not stand there, the rest counts." in text
    asks = replace(warn, mistakes=(Mistake("there is no x; did you mean ai?", line=1),))
    assert "did you mean ai?\n" in RENDERER.report(replace(READY, warnings=(asks,)))
    whole = replace(warn, mistakes=(Mistake("it is not UTF-8", whole=True),))
    text = RENDERER.report(replace(READY, warnings=(whole,)))
    assert (
        "`.gitea/coordinator.toml` cannot be read, so the bot's own settings count here, and no text is sent to Claude."
        in text
    )
    assert "until it is mended: it is not UTF-8.\n" in text
