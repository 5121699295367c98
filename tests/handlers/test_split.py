"""/split: parts of an issue that is too big."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.boxes import boxes
from bot.commands import find
from bot.errors import AIError, UserError
from bot.models import Estimate, FileShare, Source
from bot.proposal import Proposal
from bot.splitting import NOTHING_TO_SPLIT_BY, Part
from tests.handlers.splits import COMMANDS, FITS, HERE, TOO_BIG, Desk, do, proposed

NOT_TOO_BIG = "this issue is not too big: it needs 18,400 tokens of context"
HIDDEN = re.compile(r"proposal [A-Za-z0-9+/=]+")
READ = (Part("Read | it", "x", 20_000), Part("/deploy @bob", "y", 30_000, (1,)))


def visible(body: str) -> str:
    """The reply, what it hides made short."""
    return HIDDEN.sub("proposal …", body)


async def test_parts_by_the_text() -> None:
    assert snapshot("""\
<!-- mosaic-coordinator:reply comment:7 verb=split -->
<!-- mosaic-coordinator:split -->
<!-- mosaic-coordinator:proposal … -->

**A split into 3 parts** of at most 100k tokens of context each, by the sections, tasks and files of the text.

| | Part | Context | Waits for |
|--:|:--|--:|:--|
| 1 | Parser | 50k | nothing |
| 2 | Lexer | 50k | 1 |
| 3 | Documentation | 50k | 2 |

- [ ] <!-- mosaic:box=create-split --> Create these issues

This issue then waits for all of them. What is not right can be changed in the issues, or in the text of this one before it is split again.
""") == visible(await proposed(Desk()))


async def test_parts_by_claude() -> None:
    desk = Desk(read=READ)
    assert snapshot("""\
<!-- mosaic-coordinator:reply comment:7 verb=split -->
<!-- mosaic-coordinator:split -->
<!-- mosaic-coordinator:proposal … -->

**A split into 2 parts** of at most 100k tokens of context each, as Claude reads the text.

| | Part | Context | Waits for |
|--:|:--|--:|:--|
| 1 | Read \\| it | 20k | nothing |
| 2 | /&#8203;deploy @&#8203;bob | 30k | 1 |

- [ ] <!-- mosaic:box=create-split --> Create these issues

This issue then waits for all of them. What is not right can be changed in the issues, or in the text of this one before it is split again.
""") == visible(await proposed(desk))
    assert [(100_000, 150_000)] == desk.asked


async def test_by_the_text_when_claude_cannot_be_asked() -> None:
    body = await proposed(Desk(read=AIError("Claude is *overloaded*")))
    assert (
        snapshot(
            "**A split into 3 parts** of at most 100k tokens of context each, by the sections, tasks and files of the text; Claude could not be asked (Claude is \\*overloaded\\*)."
        )
        == visible(body).split("\n\n")[1]
    )


async def test_by_the_text_when_it_gives_claude_nothing_to_go_by() -> None:
    assert "by the sections, tasks and files of the text." in await proposed(Desk(read=()))


async def test_by_the_files_that_were_counted() -> None:
    files = (FileShare("a.py", 9_000, 2_500), FileShare("b.py", 9_000, 2_500))
    big = replace(TOO_BIG, estimate=Estimate(150_000, Source.FILES, 1, 2, files))
    assert "| Engine: Change a.py | 75k | nothing |" in await proposed(Desk(big, "words"))


@pytest.mark.parametrize("read", [None, READ], ids=["text", "claude"])
async def test_the_reply_holds_the_parts_and_one_box(read) -> None:
    body = await proposed(Desk(read=read))
    assert {"create-split": False} == boxes(body)
    assert {"create-split": True} == boxes(body.replace("- [ ]", "- [x]"))
    found = Proposal.found_in(body)
    assert found is not None
    assert HERE.number == found.issue
    assert read is None or read == found.parts
    assert [] == find(body, bot="coordinator", known=[one.verb for one in COMMANDS])


async def test_a_reply_stays_within_what_is_posted() -> None:
    odd = Part("*[|#1" * 60, "x" * 9_000, 1_000, ())
    body = await proposed(Desk(read=(odd,) * 20))
    assert len(body) < 60_000
    assert Proposal.found_in(body)


@pytest.mark.parametrize(
    ("line", "desk", "message"),
    [
        (
            "/split",
            Desk(FITS),
            f"{NOT_TOO_BIG}, and an agent may be given 100,000",
        ),
        ("/split", Desk(None), "this issue is not assigned to `coordinator`; assign it first"),
        ("/split 3", Desk(), "nothing may follow on that line"),
        ("/split", Desk(body="words"), NOTHING_TO_SPLIT_BY),
        ("/split", Desk(body="words", read=AIError("no")), NOTHING_TO_SPLIT_BY),
    ],
    ids=["fits", "not coordinated", "a word", "nothing to split by", "nor by Claude"],
)
async def test_what_is_refused(line, desk, message) -> None:
    with pytest.raises(UserError) as error:
        await do(line, desk)
    assert message == str(error.value)


async def test_without_agents_nothing_is_said_of_their_room() -> None:
    nobody = replace(FITS, assignment=replace(FITS.assignment, agent=None, verdicts=()))
    with pytest.raises(UserError) as error:
        await do("/split", Desk(nobody))
    assert NOT_TOO_BIG == str(error.value)


async def test_nothing_is_changed() -> None:
    desk = Desk()
    outcome = await do("/split", desk)
    assert () == outcome.look
    assert ({}, []) == (desk.issues, desk.linked)
