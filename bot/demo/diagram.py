"""Mermaid flow charts of the plainest kind as SVG: boxes in ranks, arrows between them.

Reads lines like `a["#3 Title"]:::open` and `a --> b`; whatever else a chart may hold is ignored,
and a text without a single arrow is not drawn.
"""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass

_NODE = re.compile(r"^\s*(?P<id>\w+)\s*[\[({]+\"?(?P<label>.*?)\"?[\])}]+(?::::(?P<look>\w+))?\s*$")
_ARROW = re.compile(r"^\s*(\w+)\s*-+>\s*(\w+)\s*;?\s*$")
_ENTITY = re.compile(r"#(\w+);")

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 168, 56, 56, 18, 4
LETTERS, LINES = 22, 2
MOST = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A box: its words and what it looks like (a CSS class)."""

    label: str
    look: str = ""


def draw(text: str) -> str:
    """The chart as SVG; empty where there is nothing to draw."""
    nodes, arrows = read(text)
    if not arrows or len(nodes) > MOST:
        return ""
    places = place(list(nodes), arrows)
    width = max(x for x, _ in places.values()) + WIDTH + EDGE
    height = max(y for _, y in places.values()) + HEIGHT + EDGE
    parts = [_arrow(places[first], places[then]) for first, then in arrows]
    parts += [_box(nodes[name], *places[name]) for name in nodes]
    return (
        f'<div class="diagram"><svg viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(parts)}</svg></div>\n"
    )


def read(text: str) -> tuple[dict[str, Node], list[tuple[str, str]]]:
    """The boxes by name, and the arrows between them, in order of appearance."""
    nodes: dict[str, Node] = {}
    arrows: list[tuple[str, str]] = []
    for line in text.splitlines():
        arrow, node = _ARROW.match(line), _NODE.match(line)
        if arrow:
            arrows.append((arrow[1], arrow[2]))
        elif node:
            nodes[node["id"]] = Node(_plain(node["label"]), node["look"] or "")
    for name in [end for arrow_ in arrows for end in arrow_]:
        nodes.setdefault(name, Node(name))
    return nodes, arrows


def _plain(label: str) -> str:
    named = _ENTITY.sub(lambda m: f"&#{m[1]};" if m[1].isdigit() else f"&{m[1]};", label)
    return html.unescape(named)


def place(names: list[str], arrows: list[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Left top corners: what an arrow leads to stands further right, except back in a circle."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for first, then in arrows:
            if first != then and ranks[then] <= ranks[first] < len(names) - 1:
                ranks[then] = ranks[first] + 1
    order = sorted(set(ranks.values()))
    filled = dict.fromkeys(order, 0)
    places = {}
    for name in names:
        column, row = order.index(ranks[name]), filled[ranks[name]]
        filled[ranks[name]] += 1
        places[name] = (EDGE + column * (WIDTH + GAP_X), EDGE + row * (HEIGHT + GAP_Y))
    return places


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0] - 2, end[1] + HEIGHT // 2
    bend = max(24, abs(x2 - x1) // 2)
    curve = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return f'<path class="arrow" marker-end="url(#tip)" d="{curve}"/>'


def _box(node: Node, x: int, y: int) -> str:
    lines = textwrap.wrap(node.label, LETTERS, max_lines=LINES, placeholder=" …") or [""]
    first = y + HEIGHT / 2 + 5 - 8.5 * (len(lines) - 1)
    words = "".join(
        f'<text x="{x + WIDTH // 2}" y="{first + 17 * n:g}">{html.escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    title = f"<title>{html.escape(node.label)}</title>"
    box = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
    return f'<g class="node {html.escape(node.look)}">{title}{box}{words}</g>'
