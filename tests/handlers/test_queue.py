"""/queue: what should be taken next, and what has to wait."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from tests.handlers.questions import Desk, ask, do, ref, standing

SOME = Desk(
    standings=[
        standing(4, agent="sonnet"),
        standing(5, priority="p0", title="Stop *it* @all #9"),
        standing(6),
        standing(7, "blocked", priority="p2"),
        standing(8, "blocked"),
        standing(9, "blocked"),
        standing(10, "hold"),
        standing(11, held=True),
        standing(12, "in-progress"),
        standing(13, "too-big"),
    ],
    graph=[
        (ref(8), ref(6)),
        (ref(8), ref(1, "valves")),
        *((ref(9), ref(n)) for n in range(20, 28)),
    ],
)
CASES = {
    "some of everything": (
        "/queue",
        SOME,
        snapshot("""\
**Queue** — 3 ready, 3 blocked, 1 in progress, 2 on hold, 1 too big.

**Ready, to be taken in this order**

1. \\#5 — Stop \\*it\\* @&#8203;all #&#8203;9 · **p0**
1. \\#6 — Issue 6 · 1 waits for it
1. \\#4 — Issue 4 · `sonnet`

**Blocked**

- \\#7 — Issue 7 · **p2** · waits for what is not shown here
- \\#8 — Issue 8 · waits for \\#6 and acme/valves\\#1
- \\#9 — Issue 9 · waits for \\#20, \\#21, \\#22, \\#23, \\#24 and 3 more
"""),
    ),
    "one of each": (
        "/queue 1",
        SOME,
        snapshot("""\
**Queue** — 3 ready, 3 blocked, 1 in progress, 2 on hold, 1 too big.

**Ready, to be taken in this order**

1. \\#5 — Stop \\*it\\* @&#8203;all #&#8203;9 · **p0**

and 2 more

**Blocked**

- \\#7 — Issue 7 · **p2** · waits for what is not shown here

and 2 more
"""),
    ),
    "nothing": (
        "/queue",
        Desk(),
        snapshot("""\
**Queue** — 0 ready, 0 blocked.

Nothing is ready to be taken.
"""),
    ),
    "only blocked": (
        "/queue",
        Desk(standings=[standing(7, "blocked")]),
        snapshot("""\
**Queue** — 0 ready, 1 blocked.

Nothing is ready to be taken.

**Blocked**

- \\#7 — Issue 7 · waits for what is not shown here
"""),
    ),
}


@pytest.mark.parametrize(("text", "desk", "expected"), CASES.values(), ids=CASES)
async def test_the_queue_of_the_repository(text, desk, expected) -> None:
    assert expected == await ask(text, desk, is_pull=True)
    assert {"acme/rocket"} == set(desk.asked)


@pytest.mark.parametrize(("text", "rows"), [("/queue", 10), ("/queue 50", 50), ("/queue 3", 3)])
async def test_each_list_is_bounded(text, rows) -> None:
    many = [standing(n) for n in range(60)]
    many += [standing(n, "blocked") for n in range(100, 160)]
    lines = (await ask(text, Desk(standings=many))).splitlines()
    assert rows == sum(line.startswith("1. ") for line in lines)
    assert rows == sum(line.startswith("- ") for line in lines)
    assert 2 == lines.count(f"and {60 - rows} more")


@pytest.mark.parametrize("words", ["0", "51", "-1", "ten", "5 6", "٣", "1e1", "99999999999999999"])
async def test_wrong_words(words) -> None:
    with pytest.raises(UserError) as error:
        await do(f"/queue {words}", Desk())
    assert "say how many issues to list, 1 to 50, or nothing for 10" == str(error.value)
