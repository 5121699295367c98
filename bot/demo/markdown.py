"""Markdown of issues and comments as safe HTML, near to what Gitea draws.

Tables, task lists, call-outs, fold-outs, references and Mermaid flow charts are drawn; HTML
comments are hidden, a few harmless tags pass, and all other HTML is shown as it was typed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, MutableMapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from bot.demo.diagram import draw

Locate = Callable[[str, int], str | None]
"""`(owner/repo or "", number)` ▸ the address of that issue, or None where there is none."""

CALLOUTS = ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")
_CALLOUT = re.compile(rf"\[!({'|'.join(CALLOUTS)})\]")
_BOX = re.compile(r"\[([ xX])\](?=\s)")
_REFERENCE = re.compile(r"(?<![\w/&#])(?P<where>[\w.-]+/[\w.-]+)?[#!](?P<number>\d{1,9})\b")
_HARMLESS = re.compile(
    r"<!--.*?-->|</?(?:details|summary|br|sub|sup|kbd)\s*/?>|<details open>",
    re.DOTALL | re.IGNORECASE,
)
Env = MutableMapping[str, object]


def render(text: str, locate: Locate) -> Markup:
    """Safe HTML; each task-list box is a disabled `<input data-box="n">`, counted from 0."""
    tokens = _parser.parse(text)
    boxes = 0
    for at, token in enumerate(tokens):
        if token.type == "blockquote_open":
            _make_callout(tokens, at)
        elif token.type in ("th_open", "td_open"):
            _align_by_class(token)
        elif token.type == "inline" and token.children is not None:
            boxes = _mark_box(tokens, at, boxes)
            token.children = _link_references(token.children, locate)
    # What was not escaped on the way was written by this module or is one of the harmless tags.
    return Markup(_parser.renderer.render(tokens, _parser.options, {}))  # noqa: S704


def ticked(text: str, box: int, *, on: bool) -> str:
    """The text with its task-list box number `box` (from 0) ticked or cleared; LookupError."""
    lines = text.splitlines(keepends=True)
    line = _box_lines(text)[box]
    lines[line] = _BOX.sub(f"[{'x' if on else ' '}]", lines[line], count=1)
    return "".join(lines)


def _box_lines(text: str) -> list[int]:
    tokens = _parser.parse(text)
    return [
        token.map[0]
        for at, token in enumerate(tokens)
        if token.map is not None and _is_box(tokens, at)
    ]


def _is_box(tokens: Sequence[Token], at: int) -> bool:
    return (
        at >= 2
        and tokens[at].type == "inline"
        and tokens[at - 2].type == "list_item_open"
        and _BOX.match(tokens[at].content) is not None
    )


def _mark_box(tokens: Sequence[Token], at: int, number: int) -> int:
    if not _is_box(tokens, at):
        return number
    token, children = tokens[at], tokens[at].children or []
    checked = "" if token.content[1] == " " else " checked"
    box = Token("own_html", "", 0)
    box.content = f'<input type="checkbox" data-box="{number}" disabled{checked}>'
    children[0].content = children[0].content[3:]
    token.children = [box, *children]
    tokens[at - 2].attrSet("class", "task")
    return number + 1


def _align_by_class(cell: Token) -> None:
    # The page allows no styles in attributes.
    side = str(cell.attrs.pop("style", "")).rpartition(":")[2]
    if side in ("right", "center"):
        cell.attrSet("class", f"to-{side}")


def _make_callout(tokens: Sequence[Token], at: int) -> None:
    if at + 2 >= len(tokens) or tokens[at + 2].type != "inline":
        return
    found = _CALLOUT.fullmatch(tokens[at + 2].content.partition("\n")[0].strip())
    if found is None:
        return
    children = tokens[at + 2].children or []
    breaks = [n for n, child in enumerate(children) if child.type in ("softbreak", "hardbreak")]
    title = Token("own_html", "", 0)
    title.content = f"<strong>{found[1].capitalize()}</strong><br>"
    tokens[at].attrSet("class", f"callout {found[1].lower()}")
    tokens[at + 2].children = [title, *(children[breaks[0] + 1 :] if breaks else [])]


def _link_references(children: list[Token], locate: Locate) -> list[Token]:
    linked: list[Token] = []
    inside = 0
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type == "text" and not inside:
            linked += _with_links(child.content, locate)
        else:
            linked.append(child)
    return linked


def _with_links(text: str, locate: Locate) -> list[Token]:
    parts: list[Token] = []
    done = 0
    for match in _REFERENCE.finditer(text):
        address = locate(match["where"] or "", int(match["number"]))
        if address is not None:
            link = f'<a href="{html.escape(address)}">{html.escape(match[0])}</a>'
            parts += [_text(text[done : match.start()]), _own(link)]
            done = match.end()
    return [*parts, _text(text[done:])]


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token


def _own(content: str) -> Token:
    token = Token("own_html", "", 0)
    token.content = content
    return token


def _harmless_only(
    _: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Env
) -> str:
    text, done, kept = tokens[at].content, 0, []
    for match in _HARMLESS.finditer(text):
        kept.append(html.escape(text[done : match.start()]))
        kept.append("" if match[0].startswith("<!--") else match[0].lower())
        done = match.end()
    return "".join(kept) + html.escape(text[done:])


def _as_it_is(
    _: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Env
) -> str:
    return tokens[at].content


def _fence(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Env
) -> str:
    if tokens[at].info.strip() == "mermaid":
        drawn = draw(tokens[at].content)
        if drawn:
            return drawn
    return str(renderer.fence(tokens, at, options, env))


def _build() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(
        ["table", "strikethrough"]
    )
    parser.add_render_rule("html_block", _harmless_only)
    parser.add_render_rule("html_inline", _harmless_only)
    parser.add_render_rule("own_html", _as_it_is)
    parser.add_render_rule("fence", _fence)
    return parser


_parser = _build()
