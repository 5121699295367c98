"""Whatever the text: reading it never fails, invents nothing, and takes time in proportion."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import IssueRef, Metadata
from bot.parser import MAX_TEXT, parse, references

pytestmark = pytest.mark.no_cover
ISSUE = IssueRef("acme", "rocket", 100)

PIECES = [
    "Blocked by", "Depends on:", "Blocks", "needs", "requires", "once", "first", "before this",
    "this", "not", "#5", "#6", "#12-#15", "other/lib#7", "https://x.org/a/b/issues/8", "!9", ",",
    "and", "(", ")", "[", "]", "](", "`", "``", "```", "~~", "~", "**", "_", "|", "<!--", "-->",
    "<pre>", "</pre>", "<del>", "</del>", "<b>", "<a href='x'>", "</a>", "\\", "\n", "\n\n",
    "\n- ", "\n- [x] ", "\n- [ ] ", "\n> ", "\n    ", "\n## Dependencies\n", "\n### Blocks\n",
    "\n|---|---|\n", "\n---\n", "\n===\n", "\n```\n", "\n~~~\n", "Difficulty: hard", "Agent:",
    "Estimated context: 20k", ":", "?", ".", "“", "”", '"', "'", "→", "\r\n", "\r", "\0", "\t",
    "\ud800", "\u202e", "\u2028", "İ", "ß", "\ue002", "\U000f0000", "\U00100000", "依存", "：",
]  # fmt: skip

texts = st.one_of(
    st.text(st.characters(), max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
)
lines = st.text(st.characters(exclude_characters="\n\r`~<>"), max_size=40).filter(str.strip)


def edges(found: Metadata) -> set[IssueRef]:
    return {*found.blocked_by, *found.blocks}


@given(texts, texts)
def test_never_fails_and_invents_nothing(body: str, title: str) -> None:
    """Every reference reported stands in the text, ranges and GitHub's sign included."""
    found = parse(body, issue=ISSUE, title=title)
    digits = set(
        "".join(c if c.isascii() and c.isdigit() else " " for c in f"{body} {title}").split()
    )
    for ref in {*edges(found), *found.resolved}:
        inside_range = 12 <= ref.number <= 15
        assert inside_range or any(int(d) == ref.number for d in digits)
    for text in found.unreadable:
        text.encode()


@given(texts)
def test_edges_are_among_the_references_of_the_text(body: str) -> None:
    """Whatever is an edge is also found by the reader of any reference."""
    # Markup may part what reads as one word, as in `#1**2**`: only plain texts can be compared.
    plain = "".join(c for c in body if (c not in "*_`~\\<>[]()" and c.isprintable()) or c == "\n")
    assert edges(parse(plain, issue=ISSUE)) <= set(references(plain, issue=ISSUE))


@given(st.lists(lines, max_size=8), st.sampled_from(["```", "~~~", "````"]))
def test_nothing_from_a_fence(held: list[str], mark: str) -> None:
    body = f"{mark}\n" + "\n".join([*held, "Blocked by #5"]) + f"\n{mark}\n\nBlocked by #6"
    assert {ISSUE.sibling(6)} == edges(parse(body, issue=ISSUE))


@given(st.lists(lines, max_size=8))
def test_nothing_from_a_quote(held: list[str]) -> None:
    quoted = "".join(f"> {line}\n" for line in ["said:", *held, "Blocked by #5"])
    assert {ISSUE.sibling(6)} == edges(parse(f"{quoted}\nBlocked by #6", issue=ISSUE))


@given(st.lists(lines.filter(lambda line: "--" not in line), max_size=8), st.booleans())
def test_nothing_from_a_comment(held: list[str], closed: bool) -> None:
    hidden = "<!--\n" + "\n\n".join([*held, "Blocked by #5"])
    body = f"Blocked by #6\n\n{hidden}" + ("\n-->" if closed else "")
    assert {ISSUE.sibling(6)} == edges(parse(body, issue=ISSUE))


@given(texts)
def test_reading_twice_says_the_same(body: str) -> None:
    assert parse(body, issue=ISSUE) == parse(body, issue=ISSUE)


@given(texts)
def test_line_ends_do_not_matter(body: str) -> None:
    unix = body.replace("\r\n", "\n").replace("\r", "\n")
    assert parse(unix, issue=ISSUE) == parse(unix.replace("\n", "\r\n"), issue=ISSUE)


HOSTILE = {
    "brackets": "[", "backticks": "`a ``b ", "quotes": "> ", "items": "- a\n", "emphasis": "**a *b ",
    "sentences": "Blocked by #5, ", "references": "#5 ", "nested quotes": "> a\n>> b\n",
    "rows": "| #5 | x |\n", "comments": "<!-- a ", "closed comments": "`<!-- a --> ",
    "raw": "<pre>\n", "raw closed": "<pre>a</pre> ", "fences": "```\n~~~\n", "word": "a",
    "phrases": "blocked waiting depends needs requires ", "headings": "# a\n", "digits": "1",
    "addresses": "https://a/b/c/issues/5 ", "path": "issues/", "tildes": "~a ~b ", "tags": "<b>",
    "anchors": "<a href='x'>", "links": "[[a](b) ", "escapes": "\\#", "stars": "*", "keys": "a: b\n",
    "key list": "Difficulty: x, ", "apostrophes": "'a ", "open brackets": "#5 ( ", "spaces": " ",
    "lines": "\n", "bars": "|", "set text": "a\n===\n", "no word breaks": "依存", "arrows": "#5 -> ",
    "once": "once #5 ", "and": "#5 and ", "notes": "#5 (blocked by #6) ", "ranges": "#1-#40 ",
    "negated": "not blocked by #5. ", "amounts": "20k - ", "relative": "see #5 which is blocked by #6, ",
    "files": "a/b.py ", "dots": ".", "nul": "\0", "surrogates": "\ud800", "marks": "\u202e",
    "boxes": "- [x] easy\n", "struck": "~~#5~~\n", "deeper": "  - a\n    ",
}  # fmt: skip


def work(run: Callable[[], object]) -> int:
    """How many calls of functions it takes, those of C included: a count that no load changes."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_twice_the_text_is_at_most_about_twice_the_work(piece: str) -> None:
    def reading(size: int) -> int:
        text = "## Dependencies\n" + (piece * (size // len(piece)))
        return work(lambda: (parse(text, issue=ISSUE), references(text, issue=ISSUE)))

    assert reading(20_000) <= 2.5 * reading(10_000) + 2_000


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, 60_000) for name in HOSTILE),
        *((name, 250_000) for name in ("references", "items", "lines", "keys")),
    ],
)
def test_a_lot_of_anything_is_read(name: str, size: int) -> None:
    """Larger than any bound of what is read, where there is one: of lines, matches and claims."""
    piece = HOSTILE[name]
    text = piece * (size // len(piece))
    assert isinstance(parse(text, issue=ISSUE), Metadata)


def test_what_follows_the_bound_is_not_read() -> None:
    assert () == parse(" " * MAX_TEXT + "Blocked by #5", issue=ISSUE).blocked_by


def test_what_follows_three_megabytes_is_read() -> None:
    log = "```\n" + "2026-11-22 15:00 GET /health 200\n" * 90_000 + "```\n"
    assert (ISSUE.sibling(5),) == parse(log + "\nBlocked by #5", issue=ISSUE).blocked_by


def test_a_long_line_is_read_in_pieces_that_cut_no_reference() -> None:
    words = "word " * 3_000
    found = parse(f"{words}. Blocked by #12345. {words}", issue=ISSUE)
    assert (ISSUE.sibling(12345),) == found.blocked_by
