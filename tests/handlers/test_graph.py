"""/graph: the dependencies around an issue, drawn."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from bot.models import RefState
from bot.render import GRAPH_EDGES, GRAPH_NODES
from tests.handlers.questions import Desk, ask, do, ref, standing

SOME = Desk(
    graph=[
        (ref(3), ref(2)),
        (ref(2), ref(1)),
        (ref(2), ref(6)),
        (ref(4), ref(3)),
        (ref(3), ref(8, "secret")),
    ],
    standings=[
        standing(1, state=RefState.CLOSED),
        standing(2, "too-big"),
        standing(3, "blocked", title='Say "hi" --> n9'),
        standing(4, "blocked", held=True),
        standing(8, "hold", repo="secret", title="Hush", held=True),
    ],
)


def drawing(reply: str) -> str:
    """What is said before it, the boxes and the arrows."""
    return "\n".join(
        line for line in reply.splitlines() if "classDef" not in line and "%%" not in line
    )


CASES = {
    "all": (
        "/graph",
        snapshot("""\
**Everything around this**

```mermaid
flowchart LR
  n0["#35;2 Issue 2 · too big"]:::this
  n1["✓ #35;1 Issue 1 · closed"]:::closed
  n2["? #35;6 · not known"]:::unchecked
  n3["#35;3 Say #34;hi#34; --#62; n9 · blocked"]:::open
  n4["acme#47;secret#35;8 · open"]:::open
  n5["#35;4 Issue 4 · on hold"]:::open
  n1 --> n0
  n2 --> n0
  n0 --> n3
  n4 --> n3
  n3 --> n5
```

<sub>An arrow runs from what comes first to what waits for it; ✓ is done.</sub>\
"""),
    ),
    "up": (
        "/graph up",
        snapshot("""\
**What this waits for**

```mermaid
flowchart LR
  n0["#35;2 Issue 2 · too big"]:::this
  n1["✓ #35;1 Issue 1 · closed"]:::closed
  n2["? #35;6 · not known"]:::unchecked
  n1 --> n0
  n2 --> n0
```

<sub>An arrow runs from what comes first to what waits for it; ✓ is done.</sub>\
"""),
    ),
    "down": (
        "/graph DOWN",
        snapshot("""\
**What waits for this**

```mermaid
flowchart LR
  n0["#35;2 Issue 2 · too big"]:::this
  n1["#35;3 Say #34;hi#34; --#62; n9 · blocked"]:::open
  n2["#35;4 Issue 4 · on hold"]:::open
  n0 --> n1
  n1 --> n2
```

<sub>An arrow runs from what comes first to what waits for it; ✓ is done.</sub>\
"""),
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
async def test_what_is_drawn(text, expected) -> None:
    assert expected == drawing(await ask(text, SOME))


async def test_of_another_repository_only_whether_it_is_open() -> None:
    reply = await ask("/graph", SOME)
    assert "Hush" not in reply
    assert "secret#35;8 · open" in reply


@pytest.mark.parametrize(
    ("text", "is_pull", "expected"),
    [
        (
            "/graph",
            True,
            "This pull request is not known to wait for anything, and nothing to wait for it.",
        ),
        ("/graph up", False, "This issue is not known to wait for anything."),
        ("/graph down", False, "Nothing is known to wait for this issue."),
    ],
)
async def test_nothing_to_draw(text, is_pull, expected) -> None:
    assert f"{expected}\n" == await ask(text, Desk(), is_pull=is_pull)


async def test_a_large_graph_is_cut_and_says_so() -> None:
    reply = await ask("/graph", Desk(graph=[(ref(2), ref(n)) for n in range(10, 210)]))
    assert GRAPH_NODES - 1 == reply.count(" --> ") <= GRAPH_EDGES
    assert f"{200 - (GRAPH_NODES - 1)} more arrows are left out." in reply


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("dwon", "`dwon` is no direction; did you mean `down`?"),
        ("sideways", "`sideways` is no direction; say `up`, `down` or `all`, or nothing"),
        ("up down", "`up down` is no direction; say `up`, `down` or `all`, or nothing"),
    ],
)
async def test_wrong_words(words, message) -> None:
    with pytest.raises(UserError) as error:
        await do(f"/graph {words}", Desk())
    assert message == str(error.value)
