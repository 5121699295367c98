"""The documents, read: their links, their headings, their tables and what stands in them as code.

A block of code says after its language what a test does with it: `run` is run by a shell in an
empty folder, `file=PATH` is the content of that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


@dataclass(frozen=True)
class Block:
    """A block of code: `marks` are the words after its language, `line` counts from 1."""

    document: Path
    line: int
    language: str
    marks: tuple[str, ...]
    content: str

    @property
    def name(self) -> str:
        """Where it stands, for people."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.content.splitlines()

    @property
    def file(self) -> str:
        """Which file this is the content of; empty for none."""
        return next((m.removeprefix("file=") for m in self.marks if m.startswith("file=")), "")


def read(path: Path) -> str:
    """The text of a file."""
    return path.read_text(encoding="utf-8")


@cache
def tokens(path: Path) -> tuple[Token, ...]:
    """Every token of the Markdown, those within a line too; a document is read once for all tests."""
    lines = MarkdownIt("commonmark").enable("table").parse(read(path))
    return tuple(one for token in lines for one in (token, *(token.children or ())))


def blocks(path: Path) -> Iterator[Block]:
    """The blocks of code; one that is only indented has no language."""
    for token in tokens(path):
        if token.type in ("fence", "code_block"):
            language, *marks = token.info.split() or [""]
            line = token.map[0] + 1 if token.map else 0
            yield Block(path, line, language, tuple(marks), token.content)


def every_block(*languages: str) -> list[Block]:
    """The blocks of all documents in one of these languages."""
    return [b for path in DOCUMENTS for b in blocks(path) if b.language in languages]


def code(path: Path) -> str:
    """Everything that stands as code, in a line or as a block."""
    kinds = ("code_inline", "code_block", "fence")
    return "\n".join(token.content for token in tokens(path) if token.type in kinds)


def spans(path: Path) -> list[str]:
    """What stands as code within a line."""
    return [token.content for token in tokens(path) if token.type == "code_inline"]


@cache
def links(path: Path) -> frozenset[str]:
    """Where links and pictures lead, those in HTML too."""
    found = {str(t.attrs[k]) for t in tokens(path) for k in ("href", "src") if k in t.attrs}
    html = "".join(t.content for t in tokens(path) if t.type in ("html_block", "html_inline"))
    return frozenset(found) | set(re.findall(r'(?:href|src|srcset)="([^"]+)"', html))


def headings(path: Path) -> list[str]:
    """The headings, outside of code."""
    found = tokens(path)
    return [found[n + 1].content for n, t in enumerate(found) if t.type == "heading_open"]


@cache
def anchors(path: Path) -> frozenset[str]:
    """The names under which headings can be reached, as Gitea makes them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(path))
    return frozenset(heading.strip().replace(" ", "-") for heading in plain)


def table(path: Path, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with this word; cells without their backticks."""
    _, _, rest = read(path).partition(f"\n| {first} |")
    assert rest, f"{path.name} has no table {first!r}"
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
