"""Markdown as safe HTML: what is drawn, what is hidden, what is shown as typed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.markdown import render, ticked


def nowhere(_: str, __: int) -> None:
    return None


def html(text: str) -> str:
    return str(render(text, nowhere)).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a** `b` ~~c~~", "<p><strong>a</strong> <code>b</code> <s>c</s></p>"),
        ("a <!-- hidden --> b", "<p>a  b</p>"),
        ("<!-- whole\n\nblock -->\n\nb", "<p>b</p>"),
        ("x<sub>1</sub> <sup>2</sup><br><kbd>k</kbd>", None),
        ("/hold\n/priority p1", "<p>/hold<br />\n/priority p1</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<details onclick=x>y", "&lt;details onclick=x&gt;y"),
        ('<img src=x onerror="y">', "&lt;img src=x onerror=&quot;y&quot;&gt;"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("```\n<b>#1\n```", "<pre><code>&lt;b&gt;#1\n</code></pre>"),
    ],
)
def test_only_harmless_html_passes(text: str, expected: str | None) -> None:
    if expected is None:
        expected = f"<p>{text}</p>"
    assert expected == html(text)


def test_fold_outs_hold_markdown() -> None:
    drawn = html("<details><summary>More</summary>\n\n| a |\n|--:|\n| 1 |\n\n</details>")
    assert drawn.startswith("<details><summary>More</summary>")
    assert '<td class="to-right">1</td>' in drawn
    assert drawn.endswith("</details>")


def test_text_in_a_block_of_html_is_escaped_too() -> None:
    assert "<details>\n&lt;script&gt;" in html("<details>\n<script>")
    assert "<details open>" == html("<DETAILS open>")


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"])
def test_callouts_have_a_title(kind: str) -> None:
    drawn = html(f"> [!{kind}]\n> Look **out**.")
    assert f'<blockquote class="callout {kind.lower()}">' in drawn
    assert f"<strong>{kind.capitalize()}</strong><br>Look <strong>out</strong>." in drawn


@pytest.mark.parametrize(
    "text", ["> [!OTHER]\n> x", "> plain", ">", "> - x", "> [!NOTE] more", "[!NOTE]"]
)
def test_other_quotes_are_plain(text: str) -> None:
    assert "callout" not in html(text)


def test_a_callout_may_have_nothing_to_say() -> None:
    assert "<strong>Note</strong><br></p>" in html("> [!NOTE]")


def test_a_callout_may_hold_several_paragraphs() -> None:
    assert "<p>two</p>" in html("> [!NOTE]\n> one\n>\n> two")


def test_boxes_are_numbered_in_order() -> None:
    drawn = html("- [ ] a\n- [x] **b**\n  - [X] c\n- plain [ ] d\n\n1. [ ] e\n\n[ ] f")
    assert [("0", ""), ("1", " checked"), ("2", " checked"), ("3", "")] == re.findall(
        r'<input type="checkbox" data-box="(\d)" disabled( checked)?>', drawn
    )
    assert (
        '<li class="task"><input type="checkbox" data-box="1" disabled checked> <strong>' in drawn
    )


BOXES = "# t\n- [ ] a <!-- id -->\n```\n- [ ] code\n```\n- [x] b\n\n  more [ ]\n> - [ ] quoted\n"


@pytest.mark.parametrize(
    ("box", "on", "old", "new"),
    [
        (0, True, "- [ ] a", "- [x] a"),
        (1, False, "- [x] b", "- [ ] b"),
        (1, True, "- [x] b", "- [x] b"),
        (2, True, "> - [ ] quoted", "> - [x] quoted"),
    ],
)
def test_one_box_is_ticked_and_nothing_else(box: int, on: bool, old: str, new: str) -> None:
    assert BOXES.replace(old, new) == ticked(BOXES, box, on=on)


def test_a_box_that_is_not_there_cannot_be_ticked() -> None:
    with pytest.raises(LookupError):
        ticked(BOXES, 3, on=True)


def test_references_lead_to_issues_that_exist() -> None:
    def locate(where: str, number: int) -> str | None:
        return f"/{where or 'here'}/{number}" if number < 10 else None

    drawn = str(render('#1, a/b#2 and a/b!3; not #10, `#4`, x#5, [#6](/"x") or /x#7', locate))
    assert ["/here/1", "/a/b/2", "/a/b/3"] == re.findall(r'href="(/(?:here|a)[^"]*)"', drawn)
    assert "#10" in drawn


def test_a_flow_chart_is_drawn_and_another_chart_shown() -> None:
    assert "<svg" in html("```mermaid\nflowchart LR\n  a --> b\n```")
    other = html("```mermaid\npie\n```")
    assert '<pre><code class="language-mermaid">pie' in other
    assert '<code class="language-py">' in html("```py\nx\n```")


class Tags(HTMLParser):
    """Every tag and attribute a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}
        self.seen |= {"javascript:" for _, value in attrs if "javascript:" in (value or "")}


HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "<script>",
                "</script>",
                "<img src=x onerror=y>",
                "<!--",
                "-->",
                "<details",
                ">",
                "<",
            ),
            *("<svg onload=x>", "\n\n", "\n", "- [ ] ", "> [!NOTE]\n> ", "#1", "`", "```mermaid\n"),
            *(
                "a --> b\n",
                'a["',
                '"]:::x" onload="y',
                "<sub onclick=x>",
                "[x](javascript:y)",
                "|a|\n",
            ),
            *(
                "|-|\n",
                '"',
                "'",
                "&lt;",
                "&#60;script>",
                " ",
                "x",
                "<a href='javascript:x'>",
                "</p>",
            ),
        ]
    ),
    max_size=25,
).map("".join)


@given(HOSTILE)
def test_hostile_text_brings_no_tag_or_handler_along(text: str) -> None:
    tags = Tags()
    tags.feed(str(render(text, lambda _, number: f"/i/{number}")))
    forbidden = {"script", "img", "onerror", "onload", "onclick", "style", "javascript:"}
    assert set() == tags.seen & forbidden


@given(HOSTILE, st.booleans())
def test_ticking_keeps_the_number_of_boxes(text: str, on: bool) -> None:
    boxes = len(re.findall("data-box", html(text)))
    for box in range(boxes):
        text = ticked(text, box, on=on)
    drawn = html(text)
    assert (boxes, boxes * on) == (drawn.count("data-box"), drawn.count(" checked>"))
