"""What the commands print: a person's mistake, a line that is safe to show, how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

FAILED, BAD_USE = 1, 2


def fail(message: str, status: int) -> NoReturn:
    """End with this status, and say why on standard error."""
    sys.exit(tell(message, status))


def tell(message: str, status: int) -> int:
    """Say on standard error why it will end with this status, which is returned."""
    for line in message.splitlines():
        print(f"mosaic-coordinator: {line}", file=sys.stderr)
    return status


def one_line(text: str) -> str:
    """An error may hold what a stranger wrote: nothing of it moves the cursor."""
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else "\ufffd" for char in words)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Shows how many are done, of how many: as a bar on a terminal, else a line for each tenth."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield (lambda _done, _total: None) if quiet else _lines()
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Callable[[int, int], None]:
    shown = -1

    def told(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total if total else 10
        if tenth > shown:
            shown = tenth
            print(f"{done} of {total}", file=sys.stderr, flush=True)

    return told
