"""The command line: serve · demo · preview · check · sync · failures.

Exit status: 0 done, 1 failed, 2 bad use or settings. A person's mistake is one line on standard
error, never a traceback. Each command is a module of its own here.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot import __version__
from bot.cli.check import check
from bot.cli.demo import demo
from bot.cli.failures import failures_app
from bot.cli.preview import preview
from bot.cli.printing import BAD_USE, FAILED, fail
from bot.cli.serve import serve
from bot.cli.settings import settings
from bot.cli.sync import sync
from bot.errors import ConfigError, CoordinatorError

app = typer.Typer(
    name="mosaic-coordinator",
    help="A bot user for Gitea that says how much work an issue is, who should take it and what "
    "it waits for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (serve, demo, preview, check, sync, settings):
    app.command()(command)
app.add_typer(failures_app, name="failures")


def main() -> None:
    """Run the command line; the installed command `mosaic-coordinator`."""
    try:
        app()
    except ConfigError as error:
        fail(str(error), BAD_USE)
    except CoordinatorError as error:
        fail(str(error), FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mosaic-coordinator {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass
