"""An issue's Markdown as a flat run of blocks, with everything hidden that its author does not say.

Not said are: code (fenced, indented, in spans), quotes (but not call-outs, `> [!NOTE]`), HTML
comments and what raw HTML sets apart. One pass over the lines, no recursion, no backtracking: the
time is linear in the text whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.text.inline import BOLD, Block, Kind, inline

_PRIVATE = re.compile("[\ue000-\ue01f\U000f0000-\U0010ffff\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\ufe0f\0]"
)


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


_FENCE = re.compile(r"(`{3,}|~{3,})([^`]*)$")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*?)|(?=[^\W\d])(.*?))?(?:[ \t]+#+)?[ \t]*$")
_HTML_HEADING = re.compile(r"<h([1-6])[^<>]{0,200}>(.{0,500}?)</h\1>\s*$", re.IGNORECASE)
_SUMMARY = re.compile(
    r"(?:<details[^<>]{0,100}>)?\s*<summary[^<>]{0,100}>(.{0,500}?)</summary>", re.IGNORECASE
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
_CALLOUT = re.compile(r">[ \t]*\[!\w{1,20}\]", re.IGNORECASE)
_HIDING = re.compile(
    r"<!--|<(pre|script|style|textarea|blockquote|template)\b[^<>]{0,300}>|`+", re.IGNORECASE
)
_META_LINE = re.compile(
    r"[\w.-][\w. -]{0,60}[ \t]*:(?:[ \t]|$)|[ \t]*- |[ \t]+\S|#|[ \t]*$|[ \t]*[\]}]"
)
_META_LINES = 200
_CUTS = " 。，、"

MAX_LINES = 25_000  # lines that are not hidden; what follows is not read
MAX_LINE = 2_000  # characters
MAX_ROWS = 1_000  # of a table
MAX_FENCE = 500  # lines kept of a fenced block


def _same_length_lower(line: str) -> str:
    low = line.lower()
    return low if len(low) == len(line) else line


def _after_code(line: str, run: re.Match[str], unclosed: set[str]) -> int:
    """Where to look on after a run of backticks: past the code span that it opens, if it does."""
    close = -1 if run[0] in unclosed else line.find(run[0], run.end())
    if close < 0:
        unclosed.add(run[0])
        return run.end()
    return close + len(run[0])


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
        self.said = 0  # lines that are not hidden, so far
        self.last_comment_end = max(
            (i for i, line in enumerate(self.lines) if "-->" in line), default=-1
        )

    def run(self) -> list[Block]:
        self._front_matter()
        while self.at < len(self.lines) and self.said < MAX_LINES:
            line = self.lines[self.at]
            if "<" in line:
                line = self._without_raw(line)
            self.at += 1
            self._line(line)
        self._flush()
        return self.blocks

    def _front_matter(self) -> None:
        mark = self.lines[0].rstrip()
        ends = {"---": ("---", "..."), "+++": ("+++",)}.get(mark, ())
        held = self.lines[1:_META_LINES]
        end = next((i for i, line in enumerate(held) if line.rstrip() in ends), None)
        if end is None or not any(":" in line or "=" in line for line in held[:end]):
            return
        if mark == "---" and not all(_META_LINE.match(line) for line in held[:end]):
            return
        for line in held[:end]:
            if line.strip() and not line.lstrip().startswith("# "):
                self.blocks.append(Block(Kind.META, line.strip(), _column(line)))
        self.blocks.append(Block(Kind.RULE))
        self.at = end + 2

    # what hides lines

    def _without_raw(self, line: str) -> str:
        """The line without comments and set-apart HTML; moves on to where they end."""
        if _FENCE.match(line.lstrip(" \t>")) or (line.startswith("    ") and self.blank):
            return line
        out, at, look, low = [], 0, 0, _same_length_lower(line)
        unclosed: set[str] = set()
        while found := _HIDING.search(line, look):
            ends = "-->" if found[0] == "<!--" else f"</{(found[1] or '').lower()}>"
            if found[0][0] == "`":
                look = _after_code(line, found, unclosed)
                continue
            end = -1 if ends in unclosed else low.find(ends, found.end())
            if end < 0 and self._is_literal(line, found):
                look = found.end()
                unclosed.add(ends)
                continue
            out.append(line[at : found.start()])
            if end < 0:
                line, end = self._find_later(line, ends)
                low = _same_length_lower(line)
                unclosed.clear()
            if end < 0:
                return " ".join(out)
            at = look = end + len(ends)
        out.append(line[at:])
        return " ".join(out)

    def _is_literal(self, line: str, found: re.Match[str]) -> bool:
        """Whether `<!--` stands in mid-line and is closed nowhere."""
        inside = found[0] == "<!--" and bool(line[: found.start()].strip())
        return inside and self.last_comment_end <= self.at

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
        self.blocks.append(Block(Kind.FENCE, "\n".join(content[:MAX_FENCE]), indent))

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
            self.said += 1
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
        self.said += 1
        if fence := _FENCE.match(text):
            self._flush()
            self._skip_fence(fence, indent)
        elif heading := _HEADING.match(text):
            self._emit(Kind.HEADING, heading[2] or heading[3] or "", len(heading[1]))
        elif text[0] == "<" and self._html(text):
            pass
        elif self.paragraph and _UNDERLINE.match(text) and self.opened.kind is Kind.TEXT:
            lines, self.paragraph = self.paragraph, []
            self._emit(Kind.HEADING, " ".join(lines), 1 if text[0] == "=" else 2)
        elif _RULE.match(text):
            self._emit(Kind.RULE, "", 0)
        elif "|" in text and self._table(text):
            pass
        elif bullet := _BULLET.match(text):
            self._item(text, bullet, indent)
        else:
            if not self.paragraph:
                self.opened = Block(Kind.TEXT, depth=indent)
            self.paragraph.append(text)

    def _html(self, text: str) -> bool:
        """Takes a heading, or the summary or end of a fold-out, written in HTML."""
        if heading := _HTML_HEADING.match(text):
            self._emit(Kind.HEADING, heading[2], int(heading[1]))
        elif summary := _SUMMARY.match(text):
            self._emit(Kind.HEADING, summary[1], 7)
            self.paragraph = [rest] if (rest := text[summary.end() :].strip()) else []
        elif text.lower().startswith("</details"):
            self._emit(Kind.RULE, "", 7)
        else:
            return False
        return True

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
        ruled = "-" in following and bool(_DELIMITER.match(following))
        if not ruled and not (text[0] == "|" and text[-1] == "|" and len(text) > 1):
            return False
        self._flush()
        rows = [_cells(text)]
        while self.at < len(self.lines) and len(rows) < MAX_ROWS:
            row = self.lines[self.at].strip()
            delimits = bool(row) and bool(_DELIMITER.match(row))
            if not (delimits and len(rows) == 1) and not _is_row(row, ruled=ruled):
                break
            self.at += 1
            if not delimits:
                rows.append(_cells(row))
        self.said += len(rows)
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


def _is_row(line: str, *, ruled: bool) -> bool:
    return "|" in line and not _FENCE.match(line) and (ruled or line[0] == "|")


def _column(line: str) -> int:
    if line[:1] not in (" ", "\t"):
        return 0
    lead = line[: len(line) - len(line.lstrip(" \t"))]
    return len(lead.expandtabs(4))


def _cells(line: str) -> list[Block]:
    line = line.strip()
    line = line.removeprefix("|")
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    return [inline(Kind.TEXT, cell) for cell in _CELLS.split(line)[:40]]


def blocks(text: str) -> list[Block]:
    """The blocks of a text that `clean` has been through, in order."""
    return _Scanner(text).run()


def lines(block: Block) -> Iterator[str]:
    """The block's text by what its author meant as lines: hard-wrapped ones are joined again.

    A line over `MAX_LINE` characters comes in pieces.
    """
    held = ""
    for line in block.text.split("\n"):
        for piece in _pieces(line.strip()):
            if held and len(held) < MAX_LINE and _goes_on(held, piece):
                held = f"{held} {piece}"
            else:
                if held:
                    yield held
                held = piece
    if held:
        yield held


def _pieces(line: str) -> Iterator[str]:
    """The line, cut between words where it is too long; a longer word is left out."""
    while len(line) > MAX_LINE:
        cut = max(line.rfind(mark, 0, MAX_LINE) for mark in _CUTS)
        if cut < 0:
            following = [at for mark in _CUTS if (at := line.find(mark)) >= 0]
            line = line[min(following) + 1 :] if following else ""
        else:
            yield line[: cut + 1]
            line = line[cut + 1 :]
    yield line


_OPEN_END = re.compile(
    r"(?:,|\b(?:and|or|by|on|of|the|a|for|to|until|after|behind|with|in|from|issue|pr|is|be))$",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:[\w.-]+/[\w.-]+)?[#!]\d+[,;]?$")
_KEYED = re.compile(rf"{BOLD}|[\w][\w -]{{0,40}}[:：]")


def _goes_on(before: str, line: str) -> bool:
    if not line or _KEYED.match(line):
        return False
    if _BARE.match(line) and _BARE.match(before.rpartition(" ")[2]):
        return True  # one reference a line
    return bool(line[0].islower() or _OPEN_END.search(before[-12:]) or len(before) >= 60)
