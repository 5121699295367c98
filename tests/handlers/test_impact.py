"""/impact: what closing an issue would make ready."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from bot.models import RefState
from tests.handlers.questions import Desk, ask, do, ref, standing

CHAIN = [(ref(3), ref(2)), (ref(4), ref(3)), (ref(5), ref(2)), (ref(5), ref(9))]
CASES = {
    "at once and later": (
        Desk(
            graph=CHAIN,
            standings=[
                standing(3, "blocked", priority="p1", agent="opus"),
                standing(4, "blocked"),
                standing(5, "blocked"),
                standing(9),
            ],
        ),
        snapshot("""\
Closing this would make **1** issue ready at once, and **2** in the end.

**At once**

- \\#3 — Issue 3 · **p1** · `opus`

**Later, as those are closed in their turn**

- \\#4 — Issue 4

**Not yet**

- \\#5 — Issue 5 · also waits for \\#9
"""),
    ),
    "one on hold, one begun": (
        Desk(
            graph=[(ref(3), ref(2)), (ref(4), ref(2)), (ref(5), ref(2))],
            standings=[
                standing(3, "hold", held=True),
                standing(4, "in-progress"),
                standing(5, "ready"),
            ],
        ),
        snapshot("""\
Closing this would make nothing else ready.

**Not yet**

- \\#3 — Issue 3 · on hold
"""),
    ),
    "in other repositories": (
        Desk(
            graph=[(ref(3, "secret"), ref(2)), (ref(4, "secret"), ref(2))],
            standings=[
                standing(3, "blocked", repo="secret", title="Hush", agent="opus", priority="p0"),
                standing(4, "hold", repo="secret", held=True),
            ],
        ),
        snapshot("""\
Closing this would make **1** issue ready at once.

**At once**

- acme/secret\\#3
"""),
    ),
    "held back by what may not be shown": (
        Desk(
            graph=CHAIN,
            standings=[standing(number, "blocked") for number in (3, 4, 5)] + [standing(9)],
            kept_back={ref(3): 1, ref(5): 2, ref(9): 1},
        ),
        snapshot("""\
Closing this would make nothing else ready.

**Not yet**

- \\#3 — Issue 3 · also waits for 1 issue that may not be shown here
- \\#5 — Issue 5 · also waits for \\#9 and 2 issues that may not be shown here
"""),
    ),
    "nobody waits": (
        Desk(standings=[standing(2)]),
        snapshot("Closing this would make nothing else ready.\n"),
    ),
    "it is closed": (
        Desk(graph=CHAIN, standings=[standing(2, state=RefState.CLOSED), standing(3, "blocked")]),
        snapshot("This issue is closed already, so closing it changes nothing.\n"),
    ),
}


@pytest.mark.parametrize(("desk", "expected"), CASES.values(), ids=CASES)
async def test_what_closing_it_would_do(desk, expected) -> None:
    assert expected == await ask("/impact", desk)


async def test_long_lists_are_cut_and_say_so() -> None:
    free, stuck = range(10, 40), range(100, 130)
    desk = Desk(
        graph=[*((ref(n), ref(2)) for n in (*free, *stuck)), *((ref(n), ref(9)) for n in stuck)],
        standings=[standing(n, "blocked") for n in (*free, *stuck)],
    )
    lines = (await ask("/impact", desk)).splitlines()
    assert 2 == lines.count("- and 10 more")
    assert 42 == sum(line.startswith("- ") for line in lines)


async def test_words_are_refused() -> None:
    with pytest.raises(UserError, match=r"^this takes no words$"):
        await do("/impact now", Desk())
