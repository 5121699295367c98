"""What a reply keeps of a split is believed only as it was written; an issue says what it needs."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import discover_commands, find
from bot.models import IssueRef
from bot.parser import parse
from bot.proposal import (
    MAX_DATA,
    MAX_TITLE,
    Proposal,
    disarmed,
    issue_body,
    issue_title,
    part_of,
)
from bot.splitting import LEAST, MAX_PARTS, Part

HERE = IssueRef("acme", "rocket", 12)
PARTS = (
    Part("Parser", "Read `a.py`.", 24_000),
    Part("Lexer", "Write it.", 30_000),
    Part("Tests", "", 9_000, (1, 2)),
)
KEPT = Proposal.of(HERE, PARTS)


def hidden(data: object) -> str:
    said = data if isinstance(data, bytes) else json.dumps(data).encode()
    return f"<!-- mosaic-coordinator:proposal {base64.b64encode(said).decode()} -->"


def changed(**parts: object) -> dict[str, object]:
    return KEPT.model_dump() | parts


def kept(**values: object) -> dict[str, object]:
    first, *rest = KEPT.model_dump()["kept"]
    return changed(kept=[first | values, *rest])


# ---- as it is kept ----


def test_a_proposal_is_read_back() -> None:
    found = Proposal.found_in(f"first\n{KEPT.hidden}\r\nlast")
    assert KEPT == found
    assert PARTS == found.parts
    assert 12 == found.issue
    assert KEPT.digest == found.digest


def test_another_proposal_has_another_digest() -> None:
    assert KEPT.digest != Proposal.of(HERE, PARTS[:2]).digest
    assert KEPT.digest != Proposal.of(HERE.sibling(13), PARTS).digest


@pytest.mark.parametrize(
    "body",
    [
        "",
        "words",
        f"> {KEPT.hidden}",
        KEPT.hidden.replace(" -->", ""),
        KEPT.hidden[:60] + " -->",
        "<!-- mosaic-coordinator:proposal !!!! -->",
        "<!-- mosaic-coordinator:proposal " + "A" * 40_000 + " -->",
        hidden(b"\xff\xfe"),
        hidden(b"[" * 3000),
        hidden([]),
        hidden(None),
        hidden(changed(version=2)),
        hidden(changed(issue="12")),
        hidden(changed(issue=0)),
        hidden(changed(more=1)),
        hidden(changed(kept=[])),
        hidden(changed(kept=KEPT.model_dump()["kept"][:1])),
        hidden(changed(kept=[KEPT.model_dump()["kept"][0]] * (MAX_PARTS + 1))),
        hidden(kept(title="")),
        hidden(kept(title="  ")),
        hidden(kept(title="x" * (MAX_TITLE + 1))),
        hidden(kept(title=7)),
        hidden(kept(body=None)),
        hidden(kept(estimate=0)),
        hidden(kept(estimate=10**9)),
        hidden(kept(estimate="24000")),
        hidden(kept(estimate=1.5)),
        hidden(kept(after=[1])),
        hidden(kept(after=[0])),
        hidden(kept(after=[-1])),
        hidden(kept(by="mallory")),
    ],
)
def test_what_was_changed_is_not_read(body) -> None:
    assert Proposal.found_in(body) is None


@given(st.text(max_size=300), st.binary(max_size=300))
def test_no_text_makes_reading_raise(text, data) -> None:
    assert Proposal.found_in(text) is None
    assert Proposal.found_in(hidden(data)) is None


@given(
    st.lists(st.tuples(st.text(max_size=300), st.text()), min_size=2, max_size=MAX_PARTS),
    st.sampled_from(["", "x" * 30_000, "🚀" * 20_000, '"\\\n' * 10_000, "\x00" * 30_000]),
)
def test_whatever_the_parts_say_they_can_be_kept(texts, more) -> None:
    parts = [Part(title, body + more, 1_000) for title, body in texts]
    proposal = Proposal.of(HERE, parts)
    assert len(proposal.model_dump_json().encode()) <= MAX_DATA
    assert proposal == Proposal.found_in(proposal.hidden)
    assert len(texts) == len(proposal.parts)


def test_a_long_text_is_cut_at_a_line() -> None:
    [one, _] = Proposal.of(HERE, [Part("a", "one line\n" * 5_000, 1000), Part("b", "", 1000)]).parts
    assert one.body.endswith("one line\n\n…")


# ---- as issues ----


def test_the_text_of_an_issue() -> None:
    waits = [HERE.sibling(13), IssueRef("acme", "valves", 5)]
    assert (
        f"<!-- mosaic-coordinator:part 12 1 {KEPT.digest} -->\n"
        "Part 1 of 3 of #12.\n\n"
        "Context estimate: 24,000 tokens\n\n"
        "Blocked by #13, acme/valves#5\n\n"
        "---\n\n"
        "Read `a.py`.\n"
    ) == issue_body(KEPT, 1, HERE, waits)


def test_a_part_without_words_says_where_they_are() -> None:
    body = issue_body(KEPT, 3, HERE, [])
    assert body.endswith("tokens\n\n---\n\nWhat to do stands in #12.\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Context estimate: 24k tokens\n\nDo it.", "Context estimate: 24k tokens\n\nDo it."),
        ("Total tokens: 300k", "> Total tokens: 300k"),
        ("Blocked by #12", "> Blocked by #12"),
    ],
    ids=["the same number", "another total", "the whole itself"],
)
def test_words_that_would_declare_otherwise_are_quoted(text, expected) -> None:
    proposal = Proposal.of(HERE, [Part("a", text, 24_000), PARTS[1]])
    assert expected == issue_body(proposal, 1, HERE, []).partition("---\n\n")[2].strip()


DECLARING = st.sampled_from(
    [
        "Total: 300k tokens",
        "| Total | 400k |\n|--|--|\n| Context estimate | 7k |",
        "Blocked by #12",
        "## Blocked by\n- #12\n- #99",
        "```",
        "<!--",
        "-->",
        "<pre>",
        "---\nestimated_context: 5\n---",
        "## Estimate\nTotal: 90k",
        "/deploy",
        "@alice hello",
        "> quote",
        "words",
        "",
    ]
)
WORDS = st.one_of(st.lists(DECLARING, max_size=10).map("\n".join), st.text(max_size=200))


@given(WORDS, st.integers(LEAST, 10_000_000))
def test_an_issue_declares_what_its_part_needs(text, estimate) -> None:
    proposal = Proposal.of(HERE, [Part("a", text, estimate), PARTS[1]])
    waits = [HERE.sibling(13), HERE.sibling(14)]
    body = issue_body(proposal, 1, HERE, waits)
    found = parse(body, issue=HERE.sibling(20))
    assert estimate == found.estimated_context
    assert set(waits) <= set(found.blocked_by)
    assert HERE not in found.blocked_by
    assert (12, 1, proposal.digest) == part_of(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<!-- mosaic-coordinator:part 12 3 0123456789ab -->\nx", (12, 3, "0123456789ab")),
        ("<!-- mosaic-coordinator:part 12 3 0123456789ab -->\r\nx", (12, 3, "0123456789ab")),
        ("x\n<!-- mosaic-coordinator:part 12 3 0123456789ab -->\n", None),
        ("<!-- mosaic-coordinator:part 12 3 0123456789a -->\n", None),
        ("<!-- mosaic-coordinator:part 12 3 -->\n", None),
        ("", None),
    ],
)
def test_which_part_an_issue_is(body, expected) -> None:
    assert expected == part_of(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/deploy now", "\\/deploy now"),
        ("  /deploy", "  \\/deploy"),
        ("- [ ] /deploy", "- [ ] \\/deploy"),
        ("> /deploy", "> \\/deploy"),
        ("see /etc/passwd", "see /etc/passwd"),
        ("@alice and (@bob), me@example.org", "@\u200balice and (@\u200bbob), me@example.org"),
        ("`@dataclass` @alice", "`@dataclass` @\u200balice"),
        ("```py\n@dataclass\n/x\n```\n/y", "```py\n@dataclass\n/x\n```\n\\/y"),
        ("~~~\n```\n@a\n~~~\n@b", "~~~\n```\n@a\n~~~\n@\u200bb"),
        ("- x\n  ```\n/deploy", "- x\n  ```\n\\/deploy"),
        ("``` a`b\n/deploy", "``` a`b\n\\/deploy"),
        ("    @indented", "    @indented"),
        ("a ` b\n` @alice `", "a ` b\n` @\u200balice `"),
        ("\\` @alice `", "\\` @\u200balice `"),
        ("a <!-- hidden --> b", "a  b"),
        ("a\n<!-- one\n/two\n```\n-->\nb", "a\nb"),
        ("a <!-- never closed\nb", "a"),
        ("a --> b", "a --> b"),
        ("```\n<!-- shown -->\n```", "```\n<!-- shown -->\n```"),
        ("plain #7", "plain #7"),
        ("", ""),
    ],
)
def test_copied_words_call_nobody(text, expected) -> None:
    assert expected == disarmed(text)


@given(WORDS)
def test_no_copied_words_are_a_command(text) -> None:
    known = [command.verb for command in discover_commands()] + ["deploy"]
    assert [] == find(disarmed(text), bot="coordinator", known=known)


def test_a_title_mentions_nobody() -> None:
    assert "Ask @\u200balice" == issue_title(Part("Ask @alice", "", 1000))
