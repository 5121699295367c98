"""`demo`: the bot on a small forge of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.running import run
from bot.cli.usage import examples


@examples(
    ("demo", "then open the address it prints; Ctrl-C ends it"),
    ("demo --once", "only the story"),
)
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Port of the forge's page; unless said, 3000, or any where that is taken.",
        ),
    ] = None,
) -> None:
    """Show the bot at work on a small forge of its own.

    Needs nothing else: no Gitea, no settings. Nothing is kept, and nothing leaves this machine.
    """
    from bot.demo.story import play

    run(play(once=once, port=port))
