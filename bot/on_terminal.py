"""A report on a terminal: its Markdown, without what only a web page can show."""

from __future__ import annotations

import re

_DIAGRAM = re.compile(r"```mermaid\n.*?```\n+(?:<sub>[^\n]*\n)?", re.DOTALL)
_FOLD_OUT = re.compile(r"<details><summary>([^\n]*?)</summary>\n(.*?)</details>\n?", re.DOTALL)
_BOXES = re.compile(r"\*\*[^*\n]+\*\*\n\n(?:- \[.\] <!-- mosaic:box=(?!accept)[^\n]*\n?)+")
_HIDDEN = re.compile(r"<!--.*?-->|</?\w+>", re.DOTALL)
_CALL_OUT = re.compile(r"\[!(\w+)\]")


def drawable(body: str, *, unfolded: bool) -> str:
    """The Markdown of a comment of the bot's, fit to be drawn.

    No diagram, and no boxes, for nobody can tick them here; what is folded away stands under its
    heading where it is to be `unfolded`, else not at all.
    """
    text = _DIAGRAM.sub("", body)
    text = _FOLD_OUT.sub(r"**\1**\n\2" if unfolded else "", text)
    text = _HIDDEN.sub("", _BOXES.sub("", text))
    text = _CALL_OUT.sub(r"**\1**\n>", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
