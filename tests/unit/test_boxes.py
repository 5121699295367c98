"""A tick in the bot's own comment is a command; nothing but the bot's own boxes is one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.boxes import (
    MAX_BOXES,
    REPLY,
    SPLIT_MARKER,
    boxes,
    command_for,
    commands_of,
    holds_split,
    standing,
    still_asked,
    ticked,
)
from bot.commands import Said
from bot.models import IssueRef
from bot.render import MARKER, Renderer, code, escape, mermaid_label
from bot.splitting import Part


def box(action: str, mark: str = " ") -> str:
    return f"- [{mark}] <!-- mosaic:box={action} --> words"


def report(*lines: str) -> str:
    return "\n".join([MARKER, "", *lines, ""])


REPLIED = f"{REPLY} comment:7 verb=split -->"
SPLIT = box("create-split")

# ---- which comments have boxes ----


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (report(box("parse"), box("hold", "x")), {"parse": False, "hold": True}),
        (report(box("parse", "X")), {"parse": True}),
        (report(box("accept:acme/rocket#7")), {"accept:acme/rocket#7": False}),
        (report(box("parse")).replace("\n", "\r\n"), {"parse": False}),
        (f"{SPLIT_MARKER}\n\n{SPLIT}\n", {"create-split": False}),
        (f"{REPLIED}\n{SPLIT_MARKER}\n\n{SPLIT}\n", {"create-split": False}),
        (f"{REPLIED}\r\n{SPLIT_MARKER}\r\n\r\n{SPLIT}\r\n", {"create-split": False}),
        (f"{REPLIED}\n- ✓ `hold`\n\n{SPLIT_MARKER}\n{SPLIT}\n", {"create-split": False}),
        (f"{REPLIED}\n{SPLIT}\n", {}),
        (f"{REPLIED}\nsee {SPLIT_MARKER}\n{SPLIT}\n", {}),
        (f"{REPLIED}\n> {SPLIT_MARKER}\n{SPLIT}\n", {}),
        (f"hello\n{MARKER}\n{box('parse')}\n", {}),
        (f"hello\n{SPLIT_MARKER}\n{SPLIT}\n", {}),
        (f" {MARKER}\n{box('parse')}\n", {}),
        (box("parse"), {}),
        ("", {}),
    ],
    ids=[
        "of a report",
        "a capital X",
        "a proposal's",
        "line ends of the web page",
        "of a split",
        "of a reply that is a split",
        "the same from the web page",
        "of a reply with results before the split",
        "of any other reply",
        "the marker within a line",
        "the marker quoted",
        "a report's marker further down",
        "a split's marker in no reply",
        "a blank before the marker",
        "no marker",
        "nothing",
    ],
)
def test_the_boxes_of_a_comment(body, expected) -> None:
    assert expected == boxes(body)


@pytest.mark.parametrize(
    "line",
    [
        "- [] <!-- mosaic:box=parse -->",
        "- [y] <!-- mosaic:box=parse -->",
        "* [ ] <!-- mosaic:box=parse -->",
        "  - [ ] <!-- mosaic:box=parse -->",
        "- [ ] words <!-- mosaic:box=parse -->",
        "- [ ] <!-- mosaic:box=PARSE -->",
        "- [ ] <!-- mosaic:box=parse --",
        "- [ ] <!-- mosaic:box= -->",
        "- [ ] <!-- mosaic:box=accept:a b -->",
        f"- [ ] <!-- mosaic:box=accept:{'a' * 251} -->",
        f"- [ ] <!-- mosaic:box={'a' * 31} -->",
        "> - [ ] <!-- mosaic:box=parse -->",
        "- [ ] &lt;!-- mosaic:box=parse -->",
    ],
)
def test_what_is_no_box(line) -> None:
    assert {} == boxes(report(line))


def test_boxes_are_bounded() -> None:
    many = [box(f"accept:acme/rocket#{number}") for number in range(1, 500)]
    assert MAX_BOXES == len(boxes(report(*many)))


def test_a_split_is_told_from_a_report() -> None:
    assert not holds_split(report(SPLIT))
    assert holds_split(f"{REPLIED}\n{SPLIT_MARKER}\n")


# ---- what an edit asks for ----


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([box("parse")], [box("parse", "x")], ["parse"]),
        (
            [box("parse"), box("recheck"), box("hold")],
            [box("parse", "x"), box("recheck"), box("hold", "x")],
            ["parse", "hold"],
        ),
        (
            [box("recheck"), box("parse")],
            [box("parse", "x"), box("recheck", "x")],
            ["recheck", "parse"],
        ),
        ([box("hold", "x")], [box("hold")], ["unhold"]),
        ([box("parse", "x")], [box("parse")], []),
        ([box("parse", "x")], [box("parse", "x")], []),
        ([], [box("parse", "x")], []),
        ([box("parse")], [], []),
        ([box("hold", "x")], [], []),
        ([box("parse")], [box("parse", "x"), box("split", "x")], ["parse"]),
    ],
    ids=[
        "one tick",
        "two in one edit",
        "in the order they stood in",
        "clearing hold",
        "clearing another",
        "no change",
        "a box put there by the edit",
        "a box taken out",
        "hold taken out",
        "a tick beside one put there",
    ],
)
def test_what_an_edit_asks_for(before, after, expected) -> None:
    assert expected == ticked(report(*before), report(*after))


def test_the_box_of_a_split_is_ticked() -> None:
    before = f"{REPLIED}\n{SPLIT_MARKER}\n\n{SPLIT}\n"
    after = before.replace("- [ ]", "- [x]")
    assert (Said(0, "create-split", ""),) == commands_of(before, after)
    assert () == commands_of(after, before)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("parse", ("parse", "--force")),
        ("recheck", ("recheck", "")),
        ("split", ("split", "")),
        ("hold", ("hold", "")),
        ("unhold", ("unhold", "")),
        ("create-split", ("create-split", "")),
        ("accept:acme/rocket#7", ("blocked-by", "acme/rocket#7")),
        ("accept:acme/rocket!7", ("blocked-by", "acme/rocket#7")),
        ("accept:#7", None),
        ("accept:acme/rocket#", None),
        ("accept:", None),
        ("accept", None),
        ("parse:acme/rocket#7", None),
        ("pause", None),
        ("", None),
    ],
)
def test_what_a_box_stands_for(action, expected) -> None:
    said = command_for(action, 3)
    assert expected == (said and (said.verb, said.words))
    assert said is None or said.line == 3


def test_two_ticks_are_told_apart_by_their_place() -> None:
    before = report(box("parse"), box("dance"), box("recheck"))
    after = before.replace("- [ ]", "- [x]")
    assert ["parse", "recheck"] == [said.verb for said in commands_of(before, after)]
    assert [0, 2] == [said.line for said in commands_of(before, after)]


# ---- whatever people write ----

ODD = st.lists(
    st.sampled_from([*"-[]xX <>!=:#/\\`&\r\n\t*_a", "<!--", "-->", "mosaic:box=", "parse", "hold"]),
    max_size=60,
).map("".join)
ANY = st.one_of(st.text(max_size=200), ODD)


@given(ANY, ANY)
def test_no_edit_raises(before, after) -> None:
    for start in ("", MARKER, f"{REPLIED}\n{SPLIT_MARKER}\n"):
        for said in commands_of(start + before, start + after):
            assert re.fullmatch(r"[a-z-]+", said.verb)


SMUGGLED = st.one_of(
    ANY,
    st.builds(
        lambda start, mark, action, end: f"{start}- [{mark}] <!-- mosaic:box={action} -->{end}",
        st.sampled_from(
            ["", "\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\x1c", "-->\n", "\\\n"]
        ),
        st.sampled_from(" xX"),
        st.sampled_from(["parse", "hold", "create-split", "accept:acme/rocket#7"]),
        ANY,
    ),
    st.builds(lambda start: f"{start}\n{SPLIT_MARKER}\n{SPLIT}\n", ANY),
)


@given(SMUGGLED)
def test_no_title_smuggles_a_box_in(title) -> None:
    """Wherever a filter puts it: at a line's start, behind a list's mark, behind a box's."""
    for shown in (escape(title), code(title), mermaid_label(title)):
        for start in ("", "- ", "- [ ] ", "| "):
            assert {} == boxes(report(f"{start}{shown}"))
            assert {} == boxes(f"{REPLIED}\n{start}{shown}\n\n{SPLIT}\n")
            assert {} == boxes(f"{SPLIT_MARKER}\n{start}{shown}\n")


@given(SMUGGLED)
def test_no_title_changes_the_boxes_of_a_reply(title) -> None:
    body = Renderer().reply(
        "replies/split",
        issue=IssueRef("acme", "rocket", 2),
        marker=SPLIT_MARKER,
        hidden="",
        parts=(Part(title, title, 1000), Part("b", "", 1000, (1,))),
        room=1000,
        by_claude=False,
        failure=title,
    )
    assert {"create-split": False} == boxes(f"{REPLIED}\n{body}")


@pytest.mark.parametrize(
    "piece",
    [
        "- [ ] <!-- mosaic:box=",
        "- [ ] <!-- mosaic:box=parse --",
        "- [ ] <!-- mosaic:box=accept:aaaa",
        "- [ ",
        "- [ ] <!-- mosaic:box=parse -->\n",
        f"\n{SPLIT_MARKER}",
        "\r\n",
        "- [ ] <!-- mosaic:box=accept:" + "a" * 250,
    ],
)
def test_long_texts_take_no_longer_than_their_length(piece) -> None:
    """No line makes the search look back: a megabyte of the beginning of a box is read through."""
    for start in (MARKER, f"{REPLIED}\n{SPLIT_MARKER}\n"):
        body = start + piece * (1_000_000 // len(piece))
        assert len(boxes(body)) <= 1


# ---- what stands in a comment by itself ----


def written(action: str, mark: str = "x") -> str:
    """A box that the bot itself ticked, as it stands now."""
    return f"- [{mark}] <!-- mosaic:box={action} on --> words"


@pytest.mark.parametrize(
    ("expected", "lines"),
    [
        ([], [box("parse"), box("hold")]),
        (["/parse --force"], [box("parse", "x"), box("hold")]),
        (["/hold", "/parse --force"], [box("hold", "X"), box("parse", "x")]),
        (["/blocked-by acme/rocket#7"], [box("accept:acme/rocket#7", "x")]),
        ([], [box("dance", "x"), box("accept:", "x")]),
        ([], [written("hold")]),
        (["/unhold"], [written("hold", " ")]),
        ([], [written("parse", " ")]),
        (["/recheck"], [written("hold"), box("recheck", "x")]),
    ],
    ids=[
        "as the bot wrote it",
        "one ticked",
        "two, in their order",
        "a proposal",
        "no box of the bot's",
        "ticked by the bot",
        "cleared by somebody",
        "another one that is cleared",
        "beside what the bot ticked",
    ],
)
def test_what_people_ticked_shows_without_what_stood_there_before(expected, lines) -> None:
    assert expected == [said.text for said in standing(report(*lines))]


def test_what_a_box_asks_for_is_left_out_where_it_is_so_already() -> None:
    hold, unhold, parse = (Said(0, verb, "") for verb in ("hold", "unhold", "parse"))
    assert (unhold, parse) == still_asked([hold, unhold, parse], on_hold=True)
    assert (hold, parse) == still_asked([hold, unhold, parse], on_hold=False)


def test_a_box_that_the_bot_ticked_is_cleared_and_ticked_again_by_events() -> None:
    on, off = report(written("hold")), report(written("hold", " "))
    assert {"hold": True} == boxes(on)
    assert ["unhold"] == ticked(on, off)
    assert ["hold"] == ticked(off, on)
