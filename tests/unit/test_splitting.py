"""An issue's text is split into parts that fit; what it says of their order is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.models import FileShare, IssueRef
from bot.pieces import MAX_TEXT, Kind, divide, joined
from bot.splitting import (
    LEAST,
    MAX_PARTS,
    NOTHING_TO_SPLIT_BY,
    TOO_LONG,
    TOO_MANY,
    Part,
    propose,
    reduced,
)

HERE = IssueRef("acme", "rocket", 12)


def titles(text: str) -> list[str]:
    return [piece.title for piece in divide(text, HERE)]


def split(text: str, tokens: int = 150_000, room: int = 100_000, **other) -> tuple[Part, ...]:
    return propose("Engine", text, room, issue=HERE, tokens=tokens, **other)


def order(parts: tuple[Part, ...]) -> dict[str, tuple[int, ...]]:
    return {part.title: part.after for part in parts}


# ---- what a text sets apart ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## Parser\na\n## Lexer\nb", ["Parser", "Lexer"]),
        ("Parser\n---\na\n\nLexer\n---\nb", ["Parser", "Lexer"]),
        ("# Engine\n## Parser\n### Detail\n## Lexer", ["Parser", "Lexer"]),
        ("## Parser\n\n## Background\nx\n\n## Lexer", ["Parser", "Lexer"]),
        ("## Parser\n\n## Blocked by\n#7\n\n## Lexer\n\n## Out of scope\n- x", ["Parser", "Lexer"]),
        ("## 1. Parser\n## 2) Lexer\n## 3 Tree", ["Parser", "Lexer", "Tree"]),
        ("## Phase 1: Parser\n## Phase 2: Lexer", ["Phase 1: Parser", "Phase 2: Lexer"]),
        ("## `src/a.py` **now**\n## Lexer", ["src/a.py now", "Lexer"]),
        ("- [ ] a b\n- [ ] c d", ["a b", "c d"]),
        ("- [ ] a b\n- [x] done\n- [ ] c d", ["a b", "c d"]),
        ("Intro\n\n## Tasks\n- [ ] a\n- [ ] b\n\n## Acceptance criteria\n- [ ] c", ["a", "b"]),
        ("## Tasks\n- a\n- b", ["a", "b"]),
        ("## Tasks\n- a\n- b\n\n## Lexer\nx", ["a", "b", "Lexer"]),
        ("1. first\n2. second", ["first", "second"]),
        ("Change `a/x.py` and `a/y.py`.", ["Change a/x.py", "Change a/y.py"]),
        ("- a\n- b", []),
        ("## Parser\nonly this", []),
        ("- [ ] only this", []),
        ("```\n## Parser\n## Lexer\n- [ ] a\n- [ ] b\n```", []),
        ("> ## Parser\n> ## Lexer", []),
        ("- [x] a\n- [x] b", []),
        ("just words", []),
        ("", []),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str) else "",
)
def test_the_pieces_of_a_text(text, expected) -> None:
    assert expected == titles(text)
    assert expected == titles(text.replace("\n", "\r\n"))


def test_a_piece_keeps_its_text() -> None:
    [parser, lexer] = divide("## Parser\n\nIt `reads`.\n\n- x\n\n### More\ny\n## Lexer\nz", HERE)
    assert "It `reads`.\n\n- x\n\n### More\ny" == parser.text
    assert "z" == lexer.text


def test_a_task_keeps_what_is_nested_in_it() -> None:
    [one, _] = divide("- [ ] Read **it**\n  with care\n  - [ ] first\n- [ ] Write", HERE)
    assert "Read **it**\nwith care\n- [ ] first" == one.text
    assert "Read it" == one.title


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Write the parser. " + "x" * 120, "Write the parser"),
        ("y" * 120, "y" * 99 + "…"),
        ("Write it.", "Write it"),
        ("...", "..."),
    ],
)
def test_a_title_is_short(said, expected) -> None:
    assert expected == titles(f"- [ ] {said}\n- [ ] b")[0]


def test_pieces_are_joined_as_tasks_and_sections() -> None:
    pieces = divide("- [ ] a\n- [ ] b\n- [ ] c\n  d", HERE)
    whole = joined(pieces)
    assert "a and 2 more" == whole.title
    assert "- [ ] a\n- [ ] b\n\n### c\n\nc\nd" == whole.text
    assert Kind.TASK is whole.kind
    assert pieces[0] == joined(pieces[:1])


# ---- how they share the estimate ----


def test_the_parts_share_the_estimate() -> None:
    assert (75_000, 75_000) == tuple(p.estimate for p in split("## A\n## B"))


def test_a_part_keeps_the_estimate_it_declares() -> None:
    parts = split("## A\nContext estimate: 30k tokens\n\n## B\n## C", 150_000)
    assert [30_000, 60_000, 60_000] == [part.estimate for part in parts]


def test_files_weigh_as_they_do_in_the_repository() -> None:
    files = (FileShare("a/x.py", 72_000, 20_000), FileShare("a/y.py", 7_200, 2_000))
    text = "## Parser\nChange `a/x.py`.\n\n## Lexer\nChange `y.py`."
    large, small = split(text, 110_000, files=files)
    assert large.estimate > 5 * small.estimate
    assert 110_000 <= large.estimate + small.estimate <= 110_200


def test_files_that_were_counted_make_the_parts_where_the_text_names_nothing_else() -> None:
    files = (FileShare("a/x.py", 72_000, 20_000), FileShare("a/y.py", 72_000, 20_000))
    parts = split("Change how it starts.", 150_000, files=files)
    assert ["Engine: Change a/x.py", "Engine: Change a/y.py"] == [part.title for part in parts]
    assert ["`a/x.py`", "`a/y.py`"] == [part.body for part in parts]


def test_one_that_is_too_big_is_divided_by_what_stands_in_it() -> None:
    text = "## Parser\n- [ ] read\n- [ ] write\n\n## Lexer\nContext estimate: 10k tokens"
    parts = split(text, 160_000)
    assert ["Parser: read", "Parser: write", "Lexer"] == [part.title for part in parts]
    assert [75_000, 75_000, 10_000] == [part.estimate for part in parts]


def test_one_that_nothing_divides_is_done_in_steps() -> None:
    parts = split("## Parser\n\n## Lexer\nContext estimate: 10k tokens", 260_000)
    assert {
        "Parser (1 of 3)": (),
        "Parser (2 of 3)": (1,),
        "Parser (3 of 3)": (2,),
        "Lexer": (),
    } == order(parts)


def test_small_tasks_of_one_list_are_put_together() -> None:
    text = "".join(f"- [ ] Task {number}\n" for number in range(1, 13))
    parts = split(text, 120_000)
    assert ["Task 1 and 5 more", "Task 7 and 5 more"] == [part.title for part in parts]
    assert "- [ ] Task 7\n- [ ] Task 8" == "\n".join(parts[1].body.split("\n")[:2])


def test_sections_are_not_put_together_unless_there_are_too_many() -> None:
    few = "".join(f"## Section {number}\n" for number in range(1, 13))
    assert 12 == len(split(few, 120_000))
    many = "".join(f"## Section {number}\n" for number in range(1, 31))
    assert 2 == len(split(many, 150_000))


def test_none_of_many_tasks_is_lost() -> None:
    parts = split("".join(f"- [ ] Task {number}!\n" for number in range(400)), 800_000)
    whole = "\n".join(part.body for part in parts)
    assert all(f"Task {number}!" in whole for number in range(400))


# ---- which come first ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A\n## B\n## C", {"A": (), "B": (), "C": ()}),
        ("## 1. A\n## 2. B\n## 3. C", {"A": (), "B": (1,), "C": (2,)}),
        ("## Step 1\n## Step 2", {"Step 1": (), "Step 2": (1,)}),
        (
            "## Phase 1\nContext estimate: 200k tokens\n- [ ] a\n- [ ] b\n- [ ] c\n\n## Phase 2",
            {"Phase 1: a": (), "Phase 1: b": (), "Phase 1: c": (), "Phase 2": (1, 2, 3)},
        ),
        (
            "## Setup\nChange `a.py`\n## UI\n`b.py`\n## More\n`a.py` and `b.py`",
            {"Setup": (), "UI": (), "More": (1, 2)},
        ),
        ("## A\n## B\n## Documentation", {"A": (), "B": (), "Documentation": (1, 2)}),
        ("## A\n## Write the unit tests\n## B", {"A": (), "Write the unit tests": (1,), "B": ()}),
        ("## Documents\n## A", {"Documents": (), "A": ()}),
    ],
    ids=["none", "numbers", "steps", "phases", "files", "documentation", "tests", "a word like it"],
)
def test_what_waits_for_what(text, expected) -> None:
    assert expected == order(split(text))


def test_a_numbered_list_is_done_in_its_order() -> None:
    text = "1. one\n2. two\n3. three"
    assert {"one": (), "two": (1,), "three": (2,)} == order(split(text, 250_000))


def test_two_lists_beside_one_another_are() -> None:
    text = "## A\n### Steps\n1. a\n2. b\n\n## Plan\n1. c\n2. d"
    found = order(split(text, 600_000, 200_000))
    assert {"A": (), "c": (), "d": (2,)} == found


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([set(), {1}, {1, 2}], [(), (1,), (2,)]),
        ([set(), {1}, {1}, {1, 2, 3}], [(), (1,), (1,), (2, 3)]),
        ([set(), set(), {1, 2}], [(), (), (1, 2)]),
        ([], []),
    ],
)
def test_what_follows_from_others_is_left_out(waits, expected) -> None:
    assert expected == reduced(waits)


# ---- what cannot be split ----


@pytest.mark.parametrize(
    ("text", "tokens", "room", "message"),
    [
        ("just words", 150_000, 100_000, NOTHING_TO_SPLIT_BY),
        ("", 150_000, 100_000, NOTHING_TO_SPLIT_BY),
        ("## A\n## B", 100_000_000, 1_000, TOO_MANY),
        ("## A\n## B", 150_000, LEAST - 1, TOO_MANY),
        ("- [ ] a\n" * 501, 800_000, 100_000, TOO_MANY),
        ("## A\n## B\n" + "x" * MAX_TEXT, 150_000, 100_000, TOO_LONG),
        (
            "".join(f"## S{n}\nContext estimate: 90k tokens\n" for n in range(30)),
            1,
            100_000,
            TOO_MANY,
        ),
    ],
    ids=["nothing said", "no text", "endless steps", "no room", "tasks", "too long", "sections"],
)
def test_what_is_refused(text, tokens, room, message) -> None:
    with pytest.raises(UserError) as error:
        split(text, tokens, room)
    assert message == str(error.value)


LINES = st.sampled_from(
    [
        "# Engine",
        "## 1. Parser",
        "## 2. Lexer",
        "## Tasks",
        "### Step 3",
        "## Background",
        "- [ ] read `a/x.py`",
        "- [x] done",
        "  - [ ] nested",
        "1. first",
        "2. second",
        "- bullet",
        "Context estimate: 40k tokens",
        "Blocked by #7",
        "Title\n---",
        "```",
        "> quote",
        "<!--",
        "-->",
        "<details>",
        "",
        "words and `b/y.py`",
        "## Tests",
    ]
)
TEXTS = st.one_of(st.lists(LINES, max_size=25).map("\n".join), st.text(max_size=300))


@given(TEXTS, st.integers(LEAST, 300_000), st.integers(1, 1_000_000))
def test_parts_fit_and_wait_only_for_earlier_ones(text, room, tokens) -> None:
    try:
        parts = split(text, tokens, room)
    except UserError:
        return
    assert 2 <= len(parts) <= MAX_PARTS
    for number, part in enumerate(parts, 1):
        assert part.title.strip()
        assert LEAST <= part.estimate <= room
        assert all(1 <= before < number for before in part.after)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "piece", ["## a\n", "- [ ] a\n", "1. a\n", "#", "`", "- ", "> ", "[", "a/b.py ", "<!--", "**"]
)
def test_long_texts_are_read_to_the_end_of_what_is_read(piece) -> None:
    try:
        parts = split(piece * (MAX_TEXT // len(piece)), 1_000_000, 300_000)
    except UserError:
        return
    assert len(parts) <= MAX_PARTS
