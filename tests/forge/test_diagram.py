"""Flow charts as SVG."""

from __future__ import annotations

import re

import pytest

from bot.demo.diagram import Node, draw, place, read

CHART = """\
%%{init: {"flowchart": {}}}%%
flowchart LR
  n1["#35;1 One"]:::open
  n2["#quot;Two#quot; <b>"]
  n1 --> n2
  n2 --> n3
  classDef open fill:#0969da
"""


def test_boxes_and_arrows_are_read() -> None:
    nodes, arrows = read(CHART)
    assert {"n1": Node("#1 One", "open"), "n2": Node('"Two" <b>'), "n3": Node("n3")} == nodes
    assert [("n1", "n2"), ("n2", "n3")] == arrows


def test_words_are_escaped() -> None:
    assert "<title>&quot;Two&quot; &lt;b&gt;</title>" in draw(CHART)


def test_a_long_title_is_cut_to_two_lines() -> None:
    drawn = draw(f'a["{"word " * 40}"]\na --> b')
    assert 3 == drawn.count("<text")
    assert " …</text>" in drawn


@pytest.mark.parametrize(
    "text",
    ["", "flowchart LR", 'a["x"]', "\n".join(f"a --> b{n}" for n in range(70))],
    ids=["nothing", "no boxes", "no arrows", "too much"],
)
def test_nothing_is_drawn(text: str) -> None:
    assert "" == draw(text)


@pytest.mark.parametrize(
    ("arrows", "columns"),
    [
        ("ab bc", {"a": 0, "b": 1, "c": 2}),
        ("ab cb", {"a": 0, "b": 1, "c": 0}),
        ("ab bc ac", {"a": 0, "b": 1, "c": 2}),
        ("aa ab", {"a": 0, "b": 1}),
    ],
)
def test_what_an_arrow_leads_to_stands_further_right(arrows: str, columns: dict[str, int]) -> None:
    pairs = [(pair[0], pair[1]) for pair in arrows.split()]
    places = place(list(columns), pairs)
    order = sorted({x for x, _ in places.values()})
    assert columns == {name: order.index(x) for name, (x, _) in places.items()}
    assert len(columns) == len(set(places.values())), "no two in one place"


def test_a_circle_ends() -> None:
    drawn = draw("a --> b\nb --> c\nc --> a")
    assert (3, 3) == (drawn.count("<rect"), drawn.count('class="arrow"'))
    assert 3 == len(set(re.findall(r'<rect x="\d+" y="\d+"', drawn)))
