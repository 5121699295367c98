"""`demo`: the bot on a small forge of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.running import run


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the forge's page; unless said, 3000 or any."),
    ] = None,
) -> None:
    """Show the bot at work on a small forge of its own, with nothing else installed."""
    from bot.demo.story import play

    run(play(once=once, port=port))
