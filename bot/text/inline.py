"""One run of text with its inline markup read: code, links, emphasis, what is struck, HTML.

In a block's text each code span is one character of a private plane, to be put back by
`Block.plain`, and `BOLD` stands where bold begins or ends. Struck text is kept aside: it says *no
longer*. Every pattern is bounded, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum

BOLD = "\ue002"
ESCAPED = "\ue003"
CODE_FIRST, CODE_LAST = 0xF0000, 0xF7FFF
CODE = f"[{chr(CODE_FIRST)}-{chr(CODE_LAST)}]"


class Kind(Enum):
    """What a block is."""

    HEADING = "heading"
    ITEM = "item"
    TEXT = "text"
    TABLE = "table"
    META = "meta"  # a line of front matter
    RULE = "rule"  # a horizontal rule, or the end of a fold-out
    FENCE = "fence"  # a fenced block: only its file lists are of use


@dataclass(slots=True)
class Block:
    """One leaf of the document.

    `depth` is a heading's level (7 for a fold-out's summary), else the column it begins at.
    `checked` is None where there is no box. `struck` is what was struck out of `text`;
    `struck_first` says that the block begins with it. `rows` are a table's cells, heading first.
    """

    kind: Kind
    text: str = ""
    depth: int = 0
    checked: bool | None = None
    struck: str = ""
    struck_first: bool = False
    codes: tuple[str, ...] = ()
    rows: list[list[Block]] = field(default_factory=list)

    def plain(self, text: str | None = None) -> str:
        """The text (or a part of it) as a person sees it: code put back, bold dropped."""
        text = self.text if text is None else text
        if self.codes:
            text = re.sub(CODE, lambda m: self.codes[ord(m[0]) - CODE_FIRST], text)
        return text.replace(BOLD, "")


_RUN = re.compile(r"(?<!\\)`+")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:\s[^<>]{0,500})?)/?>")
_LINK = re.compile(
    r"(!?)\[((?:[^\[\]]|\[[^\[\]]{0,60}\]){0,300})\]"
    r"\(\s*<?([^()\s<>]{0,500})>?(?:\s+[\"'][^\"'\n]{0,200}[\"'])?\s*\)"
)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_ANCHOR = re.compile(r"\ue004([^\ue004\ue005]{0,500})\ue005([^\ue004-\ue006]{0,500})\ue006")
_TRACKER = re.compile(
    r"https?://\S+?/(?:issues|pulls?|merge_requests|pull-requests|browse|issue)/[\w-]+",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"(?:\.{1,2}/)*(?:-/)?(?:issues|pulls?)/(\d{1,10})(?:[/#?].*)?")
_ROOTED = re.compile(r"/([\w.-]+)/([\w.-]+)/(?:issues|pulls?)/(\d{1,10})(?:[/#?].*)?")
_REFERENCE = re.compile(r"\s*(?:[\w.-]+/[\w.-]+)?[#!]\d{1,10}\s*")
_STRIKE = re.compile(r"(?<!~)~{1,2}(?!~)|[\ue007\ue008]")
_STAR = re.compile(r"\*+")
_UNDER = re.compile(r"(?<![^\W_])_{1,3}(?=[^\s_])|(?<=[^\s_])_{1,3}(?![^\W_])")

_STRIKING = frozenset({"del", "s", "strike"})
_BREAKING = frozenset({"br", "p", "div", "li", "tr", "hr", "dd", "dt", "ul", "ol", "summary"})
_CODING = frozenset({"code", "kbd", "samp", "tt", "q", "pre"})
_HTML_CODE = re.compile(r"<(code|kbd|samp|tt|q|pre)>([^<]{0,2000})</\1>", re.IGNORECASE)


def _code_spans(text: str, codes: list[str]) -> str:
    """Each code span as one character; a run of backticks ends at the next run as long."""
    runs = list(_RUN.finditer(text))
    later: dict[int, deque[int]] = defaultdict(deque)
    for index, run in enumerate(runs):
        later[len(run[0])].append(index)
    out, at, index = [], 0, 0
    while index < len(runs):
        run = runs[index]
        same = later[len(run[0])]
        while same and same[0] <= index:
            same.popleft()
        if not same:
            index += 1
            continue
        close = runs[same[0]]
        out.append(text[at : run.start()])
        out.append(_as_code(text[run.end() : close.start()], codes))
        at, index = close.end(), same[0] + 1
    out.append(text[at:])
    return "".join(out)


def _as_code(content: str, codes: list[str]) -> str:
    if CODE_FIRST + len(codes) > CODE_LAST:
        return " "
    codes.append(content.strip())
    return chr(CODE_FIRST + len(codes) - 1)


def _tag(match: re.Match[str]) -> str:
    closing, name, rest = match[1], match[2].lower(), match[3]
    if name in _STRIKING:
        return "\ue008" if closing else "\ue007"
    if name == "a":
        href = None if closing else _HREF.search(rest)
        return "\ue006" if closing else f"\ue004{href[1] if href else ''}\ue005"
    if name in ("b", "strong"):
        return BOLD
    return "\n" if name in _BREAKING else ""


def _linked(label: str, url: str) -> str:
    """What a link says: the issue its address names, with its label after it, else the label."""
    relative, rooted = _RELATIVE.fullmatch(url), _ROOTED.fullmatch(url)
    if relative:
        url = f"#{relative[1]}"
    elif rooted:
        url = f"{rooted[1]}/{rooted[2]}#{rooted[3]}"
    elif not _TRACKER.match(url):
        if _REFERENCE.fullmatch(label) or url.startswith(("#", "mailto:")):
            return label
        return f"{label} ({url})"
    if _REFERENCE.fullmatch(label) or label.strip() == url:
        return url
    return f"{url} ({label.replace('(', ' ').replace(')', ' ')})"


def _split_struck(text: str) -> tuple[str, str, bool]:
    """(what stands, what is struck, whether it begins struck); `~~x~~`, `~x~`, `<del>x</del>`."""
    kept, struck, at, first = [], [], 0, False
    opened: dict[str, int] = {}
    for mark in _STRIKE.finditer(text):
        here, kind = mark.start(), mark[0]
        if here < at:
            continue
        before, after = text[here - 1 : here], text[mark.end() : mark.end() + 1]
        if kind == "\ue007":
            opened[kind] = here
            continue
        opener = "\ue007" if kind == "\ue008" else kind
        closes = kind == "\ue008" or (before.strip() != "" and not after.isalnum())
        if opener in opened and closes:
            start = opened[opener]
            kept.append(text[at:start])
            struck.append(text[start + len(opener) : here])
            first = first or not "".join(kept).strip(f" {BOLD}*")
            at = mark.end()
            opened.clear()
        elif kind != "\ue008" and after.strip() and not before.isalnum():
            opened[kind] = here
    kept.append(text[at:])
    return " ".join(kept), " ; ".join(struck), first


def _emphasis(text: str) -> str:
    text = _STAR.sub(lambda m: BOLD if len(m[0]) > 1 else "", text) if "*" in text else text
    if "_" in text:
        text = _UNDER.sub(lambda m: BOLD if len(m[0]) > 1 else "", text)
    return text


_SPECIAL = re.compile(r"[`\\<&~*_]|\]\(")


def inline(kind: Kind, text: str, depth: int = 0) -> Block:
    """A block of this text, its inline markup read."""
    if not _SPECIAL.search(text):
        return Block(kind, text.strip(), depth)
    codes: list[str] = []
    struck, first = "", False
    if "`" in text:
        text = _code_spans(text, codes)
    if "\\" in text:
        text = _ESCAPE.sub(lambda m: ESCAPED if m[1] in "#!`" else m[1], text)
    if "<" in text:
        text = _HTML_CODE.sub(lambda m: _as_code(m[2], codes), text)
        text = _TAG.sub(_tag, text)
        if "\ue004" in text:
            text = _ANCHOR.sub(lambda m: _linked(m[2], m[1]), text)
            text = re.sub("[\ue004-\ue006]", " ", text)
    if "](" in text:
        for _ in range(2):
            text = _LINK.sub(lambda m: " " if m[1] else _linked(m[2], m[3]), text)
    if "~" in text or "\ue007" in text:
        text, struck, first = _split_struck(text)
    if "&" in text:
        text = (
            text.replace("&nbsp;", " ")
            .replace("&amp;", "&")
            .replace("&gt;", ">")
            .replace("&lt;", "<")
        )
    text = _emphasis(text)
    return Block(kind, text.strip(), depth, None, _emphasis(struck), first, tuple(codes))
