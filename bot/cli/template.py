"""`template`: an issue template and an issue form, for Gitea to offer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.printing import BAD_USE, fail
from bot.cli.usage import examples
from bot.errors import UserError


@examples(
    ("template issue", "print the template"),
    ("template form > form.yaml", "the form, into a file"),
    ("template --write ../rocket", "both, into a clone of a repository"),
    ("template --write --assign coordinator", "issues made from them are assigned to the bot"),
)
def template(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="issue|form|FOLDER",
            autocompletion=lambda: ["issue", "form"],
            help="What to print; with --write the repository's folder, unless said this one.",
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write both to .gitea/ISSUE_TEMPLATE of the folder.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --write: overwrite what is there.")
    ] = False,
    assign: Annotated[
        str, typer.Option(metavar="LOGIN", help="Assign issues made from it to this user.")
    ] = "",
) -> None:
    """Give an issue template and an issue form that the bot reads well.

    Commit them to the default branch: Gitea then offers both for a new issue. No settings and no
    Gitea are needed.
    """
    from bot.issue_templates import NAMES, text_of
    from bot.issue_templates import write as write_both

    try:
        if write:
            for path in write_both(Path(what or "."), assign=assign, force=force):
                print(path)
            return
        if what is not None and what in NAMES and not force:
            sys.stdout.write(text_of(what, assign=assign))
            return
    except UserError as error:
        fail(str(error), BAD_USE)
    fail("say issue or form, to print it, or --write, to write both", BAD_USE)
