"""`backup` and `restore`: all that the bot keeps, in one file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.running import log_as, run
from bot.cli.usage import examples


@examples(
    ("backup /backup/coordinator.backup", "into this file, which must not be there yet"),
    ("backup /backup", "into this folder, named by the moment"),
    ("backup --force /backup/latest", "in place of the one that is there"),
)
def backup(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write; or the folder for it.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file, if there is one.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as a JSON object.")] = False,
) -> None:
    """Save all that the bot keeps in one file, also while it runs.

    The file is there as a whole or not at all, and only you may read it. Of PostgreSQL it is what
    pg_dump writes. Call it in the folder of the bot, and with its settings.
    """
    run(_backup(file, force=force, as_json=as_json))


async def _backup(file: str, *, force: bool, as_json: bool) -> None:
    from bot.backup.making import make
    from bot.backup.noting import note
    from bot.config import load

    settings = load()
    log_as(settings, "error")
    made = make(settings.database_url, file, datetime.now(UTC), replace=force)
    await note(settings.database_url, made)
    if as_json:
        row = {"file": str(made.file), "taken_at": made.taken_at.isoformat(), "size": made.size}
        print(json.dumps(row))
    else:
        print(f"Saved in {made.file} ({made.size / 1024:,.0f} KiB).")


@examples(
    ("restore /backup/coordinator.backup", "what is there now stays beside it"),
)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as a JSON object.")] = False,
) -> None:
    """Put a backup back, while the bot is stopped.

    What is there now stays beside it, under another name. Call it in the folder of the bot, and
    with its settings; then start the bot: it finds what happened since, except for boxes that were
    ticked and comments that were deleted.
    """
    from bot.backup.restoring import restore as put_back
    from bot.config import load

    done = put_back(load().database_url, file, datetime.now(UTC))
    before = [str(one) for one in done.before]
    if as_json:
        print(json.dumps({"taken_at": done.taken_at.isoformat(), "before": before}))
        return
    print(f"Put back as it was at {done.taken_at:%Y-%m-%d %H:%M:%S} UTC.")
    if before:
        print(f"What was there before: {', '.join(before)}")
    print(
        "Boxes that were ticked since, and commands in comments that were deleted since, are not "
        "found again: tick them, and say them, again."
    )
    print("Now start the bot.")
