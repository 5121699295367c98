"""The command line: what one can do is in `COMMANDS`.

Exit status: 0 done, 1 failed, 2 bad use or settings, 130 interrupted. A person's mistake is one
line on standard error, never a traceback. Each command is a module of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from bot import __version__
from bot.cli.backup import backup, restore
from bot.cli.check import check
from bot.cli.demo import demo
from bot.cli.ending import ended
from bot.cli.failures import failures, failures_app
from bot.cli.preview import preview
from bot.cli.serve import serve
from bot.cli.settings import settings
from bot.cli.setup import setup
from bot.cli.sync import sync
from bot.cli.template import template
from bot.cli.usage import PROGRAM, Command, Group, epilog

SET_UP, RUN, TRY = "Set up", "Run", "Try"
COMMANDS: Mapping[str, tuple[Callable[..., None], ...]] = {
    SET_UP: (setup, check, settings, template),
    RUN: (serve, sync, backup, restore),
    TRY: (demo, preview),
}
"""The commands, in the order and under the headings in which the help shows them."""

app = typer.Typer(
    name=PROGRAM,
    cls=Group,
    help="A bot user for Gitea that says how much work an issue is, who should take it and what "
    "it waits for.",
    epilog=f"{PROGRAM} COMMAND --help says more of each, with examples.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(cls=Command, rich_help_panel=panel, epilog=epilog(command))(command)
app.add_typer(
    failures_app, name="failures", cls=Group, rich_help_panel=RUN, epilog=epilog(failures)
)


def main() -> None:
    """Run the command line; the installed command `mosaic-coordinator`."""
    ended(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass
