"""`sync`: bring every issue up to date, now."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot.cli.printing import BAD_USE, FAILED, fail, one_line, progress
from bot.cli.running import log_as, run
from bot.cli.usage import examples
from bot.errors import UserError


@examples(
    ("sync", "every issue that is assigned to the bot, or that it knows"),
    ("sync acme/rocket", "those of one repository"),
)
def sync(
    repositories: Annotated[
        list[str] | None,
        typer.Argument(metavar="OWNER/REPO", help="Repositories; unless said, all there are."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as a JSON object.")] = False,
) -> None:
    """Bring every issue up to date, now.

    That is, those that are assigned to the bot or that it knows; beside a bot that is at work, too.
    Status 1 when an issue failed. Needs GITEA_URL and GITEA_TOKEN.
    """
    run(_sync(repositories or [], as_json=as_json))


async def _sync(repositories: list[str], *, as_json: bool) -> None:
    from bot.config import load
    from bot.sync import sync as bring_up_to_date

    settings = load()
    log_as(settings, "error")
    with progress(quiet=as_json) as told:
        try:
            outcome = await bring_up_to_date(settings, repositories, told)
        except UserError as error:
            fail(str(error), BAD_USE)
    if as_json:
        print(outcome.as_json())
    else:
        print(f"Brought up to date: {outcome.issues - len(outcome.failed)} of {outcome.issues}.")
        for issue, why in outcome.failed.items():
            print(f"✗ {one_line(issue)}: {one_line(why)}")
    if outcome.failed:
        sys.exit(FAILED)
