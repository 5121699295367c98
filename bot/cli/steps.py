"""How the steps of a set-up are shown: a line for each, as text or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.cli.printing import one_line, progress

if TYPE_CHECKING:
    from bot.setup.course import Line

MANY = 5  # places; of more, only what is wrong is shown, and a bar
_MARKS = {"done": "✓", "same": "=", "would": "+", "wrong": "✗", "note": "!", "undone": "↩"}
_STYLES = {"done": "green", "same": "dim", "would": "cyan", "wrong": "red", "note": "yellow"}


class Shown:
    """Prints lines as they come; of `places`, where they are many, only what went wrong."""

    def __init__(self, *, as_json: bool, places: int) -> None:
        from rich.console import Console

        self._as_json = as_json
        self._many = places > MANY and not as_json
        # A bar takes over what is printed on a terminal; elsewhere nothing may get into it.
        file = None if sys.stdout.isatty() else sys.stdout
        self._console = Console(file=file, highlight=False, soft_wrap=True)
        self._touched: set[str] = set()
        self._wrong: set[str] = set()

    def __call__(self, line: Line) -> None:
        """Show a line."""
        if line.place:
            self._touched |= {line.place} if line.mark in ("done", "would") else set()
            self._wrong |= {line.place} if line.mark == "wrong" else set()
        if self._as_json:
            print(json.dumps(asdict(line)), flush=True)
        elif not (self._many and line.place) or line.mark in ("wrong", "undone"):
            self._print(line)

    def _print(self, line: Line) -> None:
        from rich.text import Text

        what = one_line(line.what)
        if self._many and line.place and line.place not in what:
            what = f"{line.place}: {what}"
        elif line.mark in ("done", "would", "undone"):
            what = f"{what[:1].upper()}{what[1:]}."
        mark = (_MARKS[line.mark], _STYLES.get(line.mark, ""))
        self._console.print(Text.assemble(mark, f" {what}"))
        for row in line.do.splitlines():
            indent = " " * (len(row) - len(row.lstrip()))
            self._console.print(Text(f"  {indent}{one_line(row)}"))

    def summary(self, places: int, *, dry: bool) -> None:
        """Of many places, how many changed and how many failed."""
        if self._many:
            changed = len(self._touched - self._wrong)
            same = places - changed - len(self._wrong)
            word = "would change" if dry else "changed"
            self._console.print(
                f"{places} places: {changed} {word}, {same} as they were, "
                f"{len(self._wrong)} failed."
            )


@contextmanager
def bar(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar that is there from the first of many on: before, questions may be asked."""
    with ExitStack() as stack:
        shown: list[Callable[[int, int], None]] = []

        def told(done: int, total: int) -> None:
            if total > MANY:
                if not shown:
                    shown.append(stack.enter_context(progress(quiet=quiet)))
                shown[0](done, total)

        yield told
