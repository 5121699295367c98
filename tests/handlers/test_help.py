"""/help: every command, or one in full."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import Commands
from bot.errors import UserError
from bot.policy import Policy
from tests.handlers.questions import COMMANDS, Desk, ask, command, do

FEW = Desk(commands=Commands([command("graph"), command("hold"), command("pause")]))


async def test_every_command_is_listed() -> None:
    assert snapshot("""\
| Command | Who | Does | Example |
|:--|:--|:--|:--|
| `/graph [up\\|down\\|all]` | anyone | Draw what this waits for (up), what waits for it (down), or everything around it. | `/graph up` |
| `/hold [REASON]` | who may write | Keep this issue out of the queue until further notice. | `/hold waiting for the design review` |
| `/pause [REASON]` | administrators | Go on reading this repository, but write nothing in it. | `/pause we are moving the labels` |

A command stands on a line of its own; `@coordinator` may stand in place of the slash. On pull requests these work: `graph`. Name one after `/help` to have it explained.
""") == await ask("/help", FEW)


async def test_what_is_switched_off_is_named_and_not_listed() -> None:
    few = Desk(commands=FEW.commands, holds=Policy(off=frozenset({"pause", "hold"})))
    reply = await ask("/help", few)
    assert "Switched off in this repository by `.gitea/coordinator.toml`: `hold`, `pause`." in reply
    assert "| `/graph" in reply
    assert "| `/hold" not in reply
    off = "It is switched off in this repository by `.gitea/coordinator.toml`."
    assert off in await ask("/help hold", few)
    assert off not in await ask("/help graph", few)


@pytest.mark.parametrize("words", ["graph", "GRAPH", "/graph"])
async def test_one_command_in_full(words) -> None:
    assert snapshot("""\
**`/graph [up|down|all]`** — Draw what this waits for (up), what waits for it (down), or everything around it.

- **Who:** anyone
- **Where:** issues and pull requests
- **For example:** `/graph` or `/graph up`
""") == await ask(f"/help {words}", FEW)


async def test_one_for_issues_only() -> None:
    assert snapshot("""\
**`/hold [REASON]`** — Keep this issue out of the queue until further notice.

- **Who:** who may write
- **Where:** issues
- **For example:** `/hold` or `/hold waiting for the design review`
""") == await ask("/help hold", FEW, is_pull=True)


@pytest.mark.parametrize("verb", [one.verb for one in COMMANDS])
async def test_each_can_be_explained(verb) -> None:
    reply = await ask(f"/help {verb}", Desk())
    assert f"/{command(verb).usage}" in reply
    assert all(example in reply for example in command(verb).examples)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("grpah", "there is no command `grpah`; did you mean `graph`?"),
        ("dance", "there is no command `dance`; without a word, help lists what there is"),
        ("graph up", "name one command, or none"),
        ("@all", "there is no command `@all`; without a word, help lists what there is"),
    ],
)
async def test_wrong_words(words, message) -> None:
    with pytest.raises(UserError) as error:
        await do(f"/help {words}", FEW)
    assert message == str(error.value)
