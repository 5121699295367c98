"""What an issue says of who waits for whom, and where that comes from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.dependencies import Edge
from bot.models import IssueRef, Metadata, Reading, Source
from bot.said import Said, said_by
from bot.sayings import Heard, Link, LinkKind

ME = IssueRef("acme", "rocket", 1)
TWO, THREE, FAR = ME.sibling(2), ME.sibling(3), IssueRef("other", "place", 5)
DECLARED, COMMAND, AI = Source.DECLARED, Source.COMMAND, Source.AI
ADDED, IGNORED = LinkKind.ADDED, LinkKind.IGNORED


def heard(*links: tuple[IssueRef, IssueRef, LinkKind]) -> Heard:
    when = datetime(2026, 11, 22, tzinfo=UTC)
    return Heard(
        links=tuple(
            Link(waits, on, kind, "alice", when, ME.repository) for waits, on, kind in links
        )
    )


@pytest.mark.parametrize(
    ("expected", "metadata", "reading", "said", "claude"),
    [
        pytest.param(
            {(ME, TWO): {DECLARED}, (ME, FAR): {DECLARED}},
            Metadata(blocked_by=(TWO, FAR)),
            None,
            heard(),
            "propose",
            id="a text",
        ),
        pytest.param(
            {(TWO, ME): {DECLARED}},
            Metadata(blocks=(TWO, FAR)),
            None,
            heard(),
            "propose",
            id="that others wait is believed within a repository",
        ),
        pytest.param({}, Metadata(blocked_by=(ME,)), None, heard(), "propose", id="itself"),
        pytest.param(
            {(ME, TWO): {DECLARED, COMMAND}, (FAR, ME): {COMMAND}},
            Metadata(blocked_by=(TWO,)),
            None,
            heard((ME, TWO, ADDED), (FAR, ME, ADDED)),
            "propose",
            id="commands",
        ),
        pytest.param(
            {},
            Metadata(blocked_by=(TWO,)),
            Reading(blocked_by=(TWO,)),
            heard((ME, TWO, IGNORED)),
            "accept",
            id="taken away by a command",
        ),
        pytest.param(
            {(ME, TWO): {AI}},
            Metadata(),
            Reading(blocked_by=(TWO,)),
            heard(),
            "accept",
            id="Claude",
        ),
        pytest.param(
            {}, Metadata(), Reading(blocked_by=(TWO,)), heard(), "propose", id="Claude proposes"
        ),
        pytest.param(
            {}, Metadata(), Reading(blocked_by=(TWO,)), heard(), "ignore", id="Claude is ignored"
        ),
    ],
)
def test_every_edge_says_where_it_comes_from(
    expected: dict[Edge, set[Source]],
    metadata: Metadata,
    reading: Reading | None,
    said: Heard,
    claude: str,
) -> None:
    found = said_by(ME, metadata, reading, said, claude=claude)
    assert expected == {edge: set(sources) for edge, sources in found.edges.items()}


def test_what_claude_reads_is_proposed_until_somebody_said_a_word() -> None:
    reading = Reading(blocked_by=(TWO, THREE, FAR))
    said = heard((ME, TWO, ADDED), (ME, THREE, IGNORED))
    assert (FAR,) == said_by(ME, Metadata(), reading, said, claude="propose").proposed


def test_named_is_what_text_and_commands_name_and_nobody_took_away() -> None:
    metadata = Metadata(blocked_by=(TWO, ME), blocks=(FAR,))
    found = said_by(ME, metadata, None, heard((ME, THREE, ADDED), (ME, TWO, IGNORED)), claude="")
    assert {THREE, FAR} == found.named


def test_what_commands_said_can_be_taken_back() -> None:
    said = Said({(ME, TWO): frozenset({COMMAND}), (ME, FAR): frozenset({COMMAND, DECLARED})})
    left = said.without_commands({(ME, TWO), (ME, FAR)})
    assert {(ME, FAR): {DECLARED}} == left.edges


def test_what_claude_read_before_is_said_still() -> None:
    said = Said({(ME, TWO): frozenset({COMMAND})}).and_read({(ME, TWO), (ME, FAR)})
    assert {(ME, TWO): {COMMAND, AI}, (ME, FAR): {AI}} == said.edges
