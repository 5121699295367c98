"""A report on a terminal: what can be drawn there stays, what cannot goes."""

from __future__ import annotations

import pytest

from bot.config import load
from bot.on_terminal import drawable
from bot.preview import Previewer, Text

BODY = "Retry in `pump/driver.py`.\n\n**Estimated context:** 180k\n\nBlocked by #1, #2\n"


@pytest.fixture
def report() -> str:
    """With all there is: a warning, a diagram, fold-outs, boxes."""
    return Previewer(load({})).markdown(Text.from_markdown(f"# Retry\n\n{BODY}"))


def test_nothing_of_a_web_page_is_left(report):
    """No HTML, no diagram, and no boxes: nobody can tick them here."""
    assert all(part in report for part in ("<!--", "```mermaid", "<details>", "- [ ]", "<sub>"))
    for unfolded in (True, False):
        text = drawable(report, unfolded=unfolded)
        for part in ("<", "mermaid", "flowchart", "An arrow", "- [ ]", "Tick to", "[!", "\n\n\n"):
            assert part not in text


def test_what_it_says_stays(report):
    """From the first line to the last, and the warnings by their kind."""
    text = drawable(report, unfolded=False)
    assert text.startswith("**Blocked** — waits for 2 issues.")
    assert text.endswith("To end that, unassign `coordinator`.")
    assert "> **CAUTION**\n>" in text
    assert "\n**Waits for**\n" in text


def test_fold_outs_are_unfolded_where_one_reads_once(report):
    """Under their headings."""
    text = drawable(report, unfolded=True)
    assert "\n**How the estimate came about**\n\n" in text
    assert "\n**Why this agent and no other**\n\n" in text or "\n**Why no agent" in text
    assert "How the estimate" not in drawable(report, unfolded=False)


def test_what_claude_reads_is_told():
    """Though its boxes cannot be ticked here."""
    body = "**Claude also reads**\n\n- [ ] <!-- mosaic:box=accept:a/b#1 --> it waits for #1\n"
    assert "**Claude also reads**\n\n- [ ]  it waits for #1" == drawable(body, unfolded=True)


def test_a_preview_has_no_number_of_its_own(report):
    """It stands in the diagram as what it is."""
    assert 'n0["this issue: Retry"]:::this' in report
