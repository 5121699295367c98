"""`preview`: the report for a text, without any server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.printing import BAD_USE, fail
from bot.cli.usage import examples
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.preview import Text


@examples(
    ("preview issue.md", "a text whose first line may be its title, `# Title`"),
    ("preview < issue.md", "the same, from standard input"),
    ("preview --json issue.md | jq .metadata.blocked_by", "for a program"),
)
def preview(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", help="Issue texts, in Markdown; unless said, or -, standard input."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="As JSON, one object a line: what was read, and the report. Lines of JSON are "
            "taken too, with repository, number, title and body.",
        ),
    ] = False,
) -> None:
    """Show the report for a text, without any server.

    Everything the text waits for counts as open.
    """
    from bot.config import load
    from bot.preview import Previewer

    previewer = Previewer(load())
    for text in _texts(files or [], lines_of_json=as_json):
        if as_json:
            print(json.dumps(previewer.as_json(text)), flush=True)
        else:
            _show(previewer.markdown(text))


def _texts(files: Iterable[Path], *, lines_of_json: bool) -> Iterator[Text]:
    from bot.preview import Text

    named = [(str(file), _content(file)) for file in files] or [("standard input", _stdin())]
    for name, content in named:
        if not lines_of_json or content.strip()[:1] not in {"", "{"}:
            yield Text.from_markdown(content)
            continue
        for number, line in enumerate(content.split("\n"), start=1):
            if line.strip():
                try:
                    yield Text.from_json(line)
                except UserError as error:
                    fail(f"{name}, line {number}: {error}", BAD_USE)


def _content(file: Path) -> str:
    if str(file) == "-":
        return _stdin()
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        fail(f"{file}: {error.strerror}", BAD_USE)


def _stdin() -> str:
    if sys.stdin is None:  # closed by whoever called
        return ""
    if sys.stdin.isatty():
        print("Type the text; Ctrl-D on a line of its own ends it.", file=sys.stderr)
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace")


def _show(markdown: str) -> None:
    """Print Markdown: drawn on a terminal, as it is where a program reads it."""
    from rich.console import Console
    from rich.markdown import Markdown

    from bot.on_terminal import drawable

    console = Console()
    if console.is_terminal:
        console.print(Markdown(drawable(markdown, unfolded=True)))
    else:
        print(markdown)
