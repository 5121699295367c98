"""An issue's Markdown as a flat run of blocks, with everything hidden that its author does not say.

Not said are: code (fenced, indented, in spans), quotes (but not call-outs, `> [!NOTE]`), HTML
comments and what raw HTML sets apart. Struck text is kept aside: it says *no longer*. One pass over
the lines, no recursion, no backtracking: the time is linear in the text whatever stands in it.

In a block's text each code span is one character of a private plane (`CODE`), to be put back by
`Block.plain`, and `BOLD` stands where bold begins or ends.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

BOLD = "\ue002"
ESCAPED = "\ue003"
CODE_FIRST, CODE_LAST = 0xF0000, 0xF7FFF
CODE = f"[{chr(CODE_FIRST)}-{chr(CODE_LAST)}]"

_PRIVATE = re.compile("[\ue000-\ue01f\U000f0000-\U0010ffff\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\ufe0f\0]"
)


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


def clean(text: str) -> str:
    """The text with plain line ends, and without characters nobody sees or this module uses."""
    text = (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u00a0", " ")
    )
    text = _INVISIBLE.sub("", text)
    return _PRIVATE.sub("\ufffd", text)


# --- inline -------------------------------------------------------------------------------------

_RUN = re.compile(r"(?<!\\)`+")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:\s[^<>]{0,500})?)/?>")
_LINK = re.compile(
    r"(!?)\[((?:[^\[\]]|\[[^\[\]]{0,60}\]){0,300})\]"
    r"\(\s*<?([^()\s<>]{0,500})>?(?:\s+[\"'][^\"'\n]{0,200}[\"'])?\s*\)"
)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.I)
_ANCHOR = re.compile(r"\ue004([^\ue004\ue005]{0,500})\ue005([^\ue004-\ue006]{0,500})\ue006")
_TRACKER = re.compile(
    r"https?://\S+?/(?:issues|pulls?|merge_requests|pull-requests|browse|issue)/[\w-]+", re.I
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
_HTML_CODE = re.compile(r"<(code|kbd|samp|tt|q|pre)>([^<]{0,2000})</\1>", re.I)


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
        return (
            label
            if _REFERENCE.fullmatch(label) or not url.startswith("http")
            else f"{label} ({url})"
        )
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


def inline(kind: Kind, text: str, depth: int = 0) -> Block:
    """A block of this text, its inline markup read."""
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


# --- blocks -------------------------------------------------------------------------------------

_FENCE = re.compile(r"(`{3,}|~{3,})([^`]*)$")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*?)|(?=[^\W\d])(.*?))?(?:[ \t]+#+)?[ \t]*$")
_HTML_HEADING = re.compile(r"<h([1-6])[^<>]{0,200}>(.{0,500}?)</h\1>\s*$", re.I)
_SUMMARY = re.compile(
    r"(?:<details[^<>]{0,100}>)?\s*<summary[^<>]{0,100}>(.{0,500}?)</summary>", re.I
)
_RULE = re.compile(r"([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*$")
_BULLET = re.compile(
    r"([-*+•◦▪▫‣⁃∙●○■□►▶–—]|\d{1,9}[.)])(?:([ \t]+)|(?=\[[ xX]?\])|$)|([•◦▪‣●])(?=\S)|<li>"
)
_BOX = re.compile(r"\[([ xX✓✔]?)\](?!\()[ \t]*|([☐⬜🔲◻])[ \t]*|([☑✅✔🗹])[ \t]*")
_STRUCK_BOX = re.compile(r"(~{1,2})\[[ xX]?\][ \t]*")
_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELLS = re.compile(r"(?<!\\)\|")
_CALLOUT = re.compile(r">[ \t]*\[!\w{1,20}\]", re.I)
_RAW = re.compile(r"<(pre|script|style|textarea|blockquote|template)\b[^<>]{0,300}>", re.I)
_META_LINE = re.compile(
    r"[\w.-][\w. -]{0,60}[ \t]*:(?:[ \t]|$)|[ \t]*- |[ \t]+\S|#|[ \t]*$|[ \t]*[\]}]"
)
_META_LINES = 200


class _Scanner:
    """Reads the lines once; what is open (fence, comment, quote, list, paragraph) is its state."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.blocks: list[Block] = []
        self.at = 0
        self.paragraph: list[str] = []
        self.opened = Block(Kind.TEXT)  # kind, depth and box of the paragraph
        self.offsets: list[int] = []  # where the content of each open list item begins
        self.blank = True
        self.quoted = False  # the line before was a quote's paragraph
        self.callout = False
        self.last_comment_end = max(
            (i for i, line in enumerate(self.lines) if "-->" in line), default=-1
        )

    def run(self) -> list[Block]:
        self._front_matter()
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if "<" in line:
                line = self._without_raw(line)
            self.at += 1
            self._line(line)
        self._flush()
        return self.blocks

    def _front_matter(self) -> None:
        mark = self.lines[0].rstrip() if self.lines else ""
        if mark not in ("---", "+++"):
            return
        for end, line in enumerate(self.lines[1:_META_LINES], 1):
            if line.rstrip() in (mark, "..." if mark == "---" else mark):
                break
            if mark == "---" and not _META_LINE.match(line):
                return
        else:
            return
        if not any(":" in line or "=" in line for line in self.lines[1:end]):
            return
        for line in self.lines[1:end]:
            if line.strip() and not line.lstrip().startswith("# "):
                depth = len(line) - len(line.lstrip())
                self.blocks.append(Block(Kind.META, line.strip(), depth))
        self.blocks.append(Block(Kind.RULE))
        self.at = end + 1

    # what hides lines

    def _without_raw(self, line: str) -> str:
        """The line without comments and set-apart HTML; moves on to where they end."""
        fence = _FENCE.match(line.lstrip(" \t>"))
        if fence or (line.startswith("    ") and self.blank):
            return line
        out, at = [], 0
        while (start := self._raw_start(line, at)) is not None:
            begin, name, inside = start
            out.append(line[at:begin])
            end = line.find(name, inside) if name == "-->" else self._tag_end(line, name, inside)
            if end < 0:
                line, end = self._find_later(line, name)
                if end < 0:
                    return "".join(out)
            at = end + len(name)
        out.append(line[at:])
        return " ".join(out)

    def _raw_start(self, line: str, at: int) -> tuple[int, str, int] | None:
        """(where it begins, what ends it, where its content begins) of the next hidden part."""
        while True:
            comment = line.find("<!--", at)
            raw = _RAW.search(line, at)
            if comment < 0 and not raw:
                return None
            begin = min(x for x in (comment, raw.start() if raw else -1) if x >= 0)
            if line.count("`", 0, begin) % 2 and "`" in line[begin:]:
                at = line.index("`", begin)  # it stands in a code span
                continue
            if begin == comment:
                closed = line.find("-->", begin + 4) >= 0 or self.last_comment_end > self.at
                if not closed and line[:begin].strip():
                    return None
                return begin, "-->", begin + 4
            assert raw is not None
            return begin, f"</{raw[1].lower()}>", raw.end()

    @staticmethod
    def _tag_end(line: str, name: str, at: int) -> int:
        return (
            line.lower().find(name, at) if len(line.lower()) == len(line) else line.find(name, at)
        )

    def _find_later(self, line: str, name: str) -> tuple[str, int]:
        """The first later line that ends the hidden part, and where; (…, -1) when none does."""
        depth, opening = 1, "<" + name[2:-1]
        while self.at + 1 < len(self.lines):
            self.at += 1
            line = self.lines[self.at]
            low = line.lower()
            if name == "</blockquote>":
                depth += low.count(opening) - low.count(name)
                if depth <= 0:
                    return line, low.rfind(name)
            elif name in low:
                return line, low.find(name)
        return line, -1

    def _skip_fence(self, fence: re.Match[str], indent: int) -> None:
        """Moves past a fenced block; it ends with its list item, too."""
        mark, base = fence[1], self.offsets[-1] if self.offsets else 0
        end = re.compile(rf"[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
        content = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if base and line.strip() and _column(line) < min(base, indent):
                break
            self.at += 1
            if end.match(line):
                break
            content.append(line)
        self.blocks.append(Block(Kind.FENCE, "\n".join(content), indent))

    # one line

    def _line(self, line: str) -> None:
        text = line.strip()
        if not text:
            self._flush()
            self.blank, self.quoted, self.callout = True, False, False
            return
        indent = _column(line)
        blank, self.blank = self.blank, False
        if self.paragraph and indent and self._continues(text):
            self.paragraph.append(text)
            return
        if not self.paragraph or _BULLET.match(text):
            while self.offsets and indent < self.offsets[-1]:
                self.offsets.pop()
        base = self.offsets[-1] if self.offsets else 0
        if text[0] == ">" and indent - base < 4:
            text = self._quote(text)
            if not text:
                return
        elif self.quoted and self._continues(text):
            return
        elif indent - base >= 4 and blank and not self.paragraph:
            self.blank = True
            return
        else:
            self.callout = False
        self.quoted = False
        self._content(text, indent)

    def _quote(self, text: str) -> str:
        """What a quoted line says by itself: nothing, except in a call-out."""
        if _CALLOUT.match(text):
            self._flush()
            self.callout = True
            return _CALLOUT.sub("", text, count=1).strip()
        if self.callout:
            return text[1:].strip()
        self._flush()
        self.quoted = bool(text.strip("> \t"))
        return ""

    @staticmethod
    def _continues(text: str) -> bool:
        """Whether a line can only go on with the paragraph before it."""
        return not (
            text[0] in "#>|<~`"
            or _BULLET.match(text)
            or _RULE.match(text)
            or _UNDERLINE.match(text)
        )

    def _content(self, text: str, indent: int) -> None:
        if fence := _FENCE.match(text):
            self._flush()
            self._skip_fence(fence, indent)
        elif heading := _HEADING.match(text):
            self._emit(Kind.HEADING, heading[2] or heading[3] or "", len(heading[1]))
        elif text[0] == "<" and (heading := _HTML_HEADING.match(text)):
            self._emit(Kind.HEADING, heading[2], int(heading[1]))
        elif text[0] == "<" and (summary := _SUMMARY.match(text)):
            self._emit(Kind.HEADING, summary[1], 7)
            if rest := text[summary.end() :].strip():
                self.paragraph = [rest]
        elif self.paragraph and _UNDERLINE.match(text) and self.opened.kind is Kind.TEXT:
            lines, self.paragraph = self.paragraph, []
            self._emit(Kind.HEADING, " ".join(lines), 1 if text[0] == "=" else 2)
        elif _RULE.match(text) or text.lower().startswith("</details"):
            self._emit(Kind.RULE, "", 7 if text[0] == "<" else 0)
        elif "|" in text and self._table(text):
            pass
        elif bullet := _BULLET.match(text):
            self._item(text, bullet, indent)
        else:
            if not self.paragraph:
                self.opened = Block(Kind.TEXT, depth=indent)
            self.paragraph.append(text)

    def _item(self, text: str, bullet: re.Match[str], indent: int) -> None:
        self._flush()
        rest = text[bullet.end() :]
        while self.offsets and self.offsets[-1] > indent:
            self.offsets.pop()
        self.offsets.append(indent + max(2, min(bullet.end(), 5)))
        while inner := _BULLET.match(rest):
            if not rest[inner.end() :] or _RULE.match(rest):
                break
            rest = rest[inner.end() :]
        self.opened = Block(Kind.ITEM, depth=indent)
        if box := _BOX.match(rest):
            self.opened.checked = bool(box[3] or (box[1] or "").strip())
            rest = rest[box.end() :]
        else:
            rest = _STRUCK_BOX.sub(r"\1", rest, count=1)
        if rest.startswith(">"):
            self.quoted = True
        elif fence := _FENCE.match(rest):
            self._skip_fence(fence, indent + bullet.end())
        elif heading := _HEADING.match(rest):
            self._emit(Kind.HEADING, heading[2] or heading[3] or "", len(heading[1]))
        else:
            self.paragraph = [rest]

    def _table(self, text: str) -> bool:
        """Takes the rows that begin here, if this is a table."""
        following = self.lines[self.at].strip() if self.at < len(self.lines) else ""
        ruled = "-" in following and "|" in following + text and _DELIMITER.match(following)
        if not ruled and not (text[0] == "|" and text[-1] == "|" and len(text) > 1):
            return False
        self._flush()
        rows = [_cells(text)]
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            if "|" not in line or _FENCE.match(line) or (line[0] != "|" and not ruled):
                if not (_DELIMITER.match(line) and line and len(rows) == 1):
                    break
            self.at += 1
            if not _DELIMITER.match(line):
                rows.append(_cells(line))
        self.blocks.append(Block(Kind.TABLE, rows=rows))
        return True

    def _emit(self, kind: Kind, text: str, depth: int) -> None:
        self._flush()
        self.blocks.append(inline(kind, text, depth))
        self.offsets.clear()

    def _flush(self) -> None:
        if not self.paragraph:
            return
        block = inline(self.opened.kind, "\n".join(self.paragraph), self.opened.depth)
        block.checked = self.opened.checked
        self.blocks.append(block)
        self.paragraph = []


def _column(line: str) -> int:
    if line[:1] not in (" ", "\t"):
        return 0
    lead = line[: len(line) - len(line.lstrip(" \t"))]
    return len(lead.expandtabs(4))


def _cells(line: str) -> list[Block]:
    line = line.strip()
    line = line[1:] if line.startswith("|") else line
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    return [inline(Kind.TEXT, cell) for cell in _CELLS.split(line)[:40]]


def blocks(text: str) -> list[Block]:
    """The blocks of a text that `clean` has been through, in order."""
    return _Scanner(text).run()


def lines(block: Block) -> Iterator[str]:
    """The block's text by what its author meant as lines: hard-wrapped ones are joined again."""
    held = ""
    for line in block.text.split("\n"):
        line = line.strip()
        if not held:
            held = line
        elif _goes_on(held, line):
            held = f"{held} {line}"
        else:
            yield held
            held = line
    if held:
        yield held


_OPEN_END = re.compile(
    r"(?:,|\b(?:and|or|by|on|of|the|a|for|to|until|after|behind|with|in|from|issue|pr|is|be))$",
    re.I,
)
_KEYED = re.compile(rf"{BOLD}|[\w][\w -]{{0,40}}[:：]")


def _goes_on(before: str, line: str) -> bool:
    if not line or _KEYED.match(line):
        return False
    return bool(line[0].islower() or _OPEN_END.search(before[-12:]) or len(before) >= 60)
