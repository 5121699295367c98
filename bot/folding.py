"""Long Markdown: as much of it as is shown at once, and the rest for a fold-out."""

from __future__ import annotations

from collections.abc import Collection

from markdown_it import MarkdownIt

SHOWN = 10_000  # characters of a reply that are shown at once
LONGEST = 60_000  # characters of a reply; Gitea takes more, people do not

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_ITEMS = {"list_item_open"}
_ROWS = {"tr_open", *_ITEMS}


def folded(text: str) -> tuple[str, str]:
    """What is shown of a text, and the rest; cut between blocks, or the items of a list.

    The rest is empty for a text that is not long. What exceeds `LONGEST` is left out.
    """
    if len(text) <= SHOWN:
        return text, ""
    at = _cut(text, SHOWN, _ITEMS)
    shown, rest = text[:at].strip(), text[at:].strip()
    if len(rest) > LONGEST:
        rest = f"{rest[: _cut(rest, LONGEST, _ROWS)].strip()}\n\n…"
    return shown, rest


def _cut(text: str, most: int, between: Collection[str]) -> int:
    """The last place within `most` characters where a block, or one of those parts, begins."""
    ends = [0]
    for line in text.split("\n"):
        ends.append(ends[-1] + len(line) + 1)
    starts = {
        token.map[0]
        for token in _MARKDOWN.parse(text)
        if token.map
        and token.nesting >= 0
        and (token.level == 0 or (token.level <= 2 and token.type in between))
    }
    return max((ends[line] for line in starts if ends[line] <= most), default=0)
