"""`settings`: what is in force, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.printing import one_line
from bot.cli.usage import examples

if TYPE_CHECKING:
    from bot.origins import InForce


@examples(
    ("settings", "every setting"),
    ("settings --changed", "what is not as by default"),
    ("settings --json | jq -r 'select(.changed).setting'", "for a program"),
)
def settings(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not as by default.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one setting a line.")] = False,
) -> None:
    """Show the settings in force, and where each value comes from.

    Of secrets it says only whether they are set. It needs no Gitea, and starts nothing.
    """
    from bot.config import given, settings_of
    from bot.origins import in_force, missing

    found = given()
    settings = settings_of(found)
    shown = [one for one in in_force(found, settings) if one.changed or not changed]
    if as_json:
        for one in shown:
            print(one.as_json())
        return
    _print(shown)
    if lacking := missing(settings):
        print(f"\nNeeded to serve, and not set: {', '.join(lacking)}.")


def _print(shown: Sequence[InForce]) -> None:
    """As a table on a terminal; else as columns, a line for each."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [(one.name, one_line(one.shown), one_line(str(one.origin))) for one in shown]
    console = Console()
    if not shown:
        print("Everything is as by default.")
    elif console.is_terminal:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("Setting", no_wrap=True)
        table.add_column("Value")
        table.add_column("From")
        for one, row in zip(shown, rows, strict=True):
            style = "" if one.changed else "dim"
            table.add_row(*(Text(cell, style, overflow="fold") for cell in row))
        console.print(table)
    else:
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for name, value, origin in rows:
            print(f"{name:{widths[0]}}  {value:{min(widths[1], 40)}}  {origin}")
