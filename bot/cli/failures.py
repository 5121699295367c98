"""`failures`: work that was given up."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.cli.printing import BAD_USE, fail, one_line
from bot.cli.running import run
from bot.cli.usage import Command, epilog, examples
from bot.errors import UserError

failures_app = typer.Typer(rich_markup_mode="rich")


@failures_app.callback(invoke_without_command=True)
@examples(
    ("failures", "what was given up, and why"),
    ("failures --json | jq -r .id", "the IDs alone"),
    ("failures retry --all", "put all of it back"),
)
def failures(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one object a line.")] = False,
) -> None:
    """List work that was given up, oldest first; `retry` puts it back.

    Looks where DATABASE_URL points: call it in the folder of the bot, and with its settings.
    """
    if context.invoked_subcommand is None:
        run(_list_failures(as_json=as_json))


async def _list_failures(*, as_json: bool) -> None:
    from bot.app import utc_now
    from bot.config import load
    from bot.store.database import opened
    from bot.store.queries import Store

    async with opened(load().database_url) as engine:
        found = await Store(engine, now=utc_now).failures()
    if as_json:
        for one in found:
            row = {"id": one.id, "about": one.about, "error": one.error, "attempts": one.attempts}
            print(json.dumps({**row, "failed_at": one.failed_at.isoformat()}))
        return
    if not found:
        print("Nothing was given up.")
        return
    for one in found:
        print(one.id)
        print(f"  {one.about}, {one.attempts} tries, given up {one.failed_at:%Y-%m-%d %H:%M} UTC")
        print(f"  {one_line(one.error)}")
    print("Put one back with: mosaic-coordinator failures retry ID")


@examples(
    ("failures retry look:5f0c:acme/rocket#2", "one, by the ID that `failures` prints"),
    ("failures retry --all", "all of it"),
)
def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Which work, as `failures` prints it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of it.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, one object a line for what was put back.")
    ] = False,
) -> None:
    """Put work back in the queue; a running bot takes it up at once."""
    if not ids and not everything:
        fail("say which work to put back, by its ID, or --all", BAD_USE)
    if ids and everything:
        fail("say IDs or --all, not both", BAD_USE)
    run(_retry(ids or [], everything=everything, as_json=as_json))


failures_app.command("retry", cls=Command, epilog=epilog(retry))(retry)


async def _retry(ids: list[str], *, everything: bool, as_json: bool) -> None:
    from bot.app import utc_now
    from bot.config import load
    from bot.recorder import Recorder
    from bot.store.database import opened
    from bot.store.queries import Store
    from bot.worker import retried

    settings = load()
    async with opened(settings.database_url) as engine:
        store = Store(engine, now=utc_now)
        there = {one.id: one for one in await store.failures()}
        wanted = dict.fromkeys(ids)
        unknown = [one for one in wanted if one not in there]
        if unknown:
            raise UserError(f"no work {unknown[0]} was given up; `failures` lists what was")
        chosen = list(there.values()) if everything else [there[one] for one in wanted]
        if not chosen:
            _say("Nothing was given up.", unless=as_json)
            return
        recorder = Recorder(settings.database_url)
        try:
            for failure in chosen:
                await recorder.record(retried(failure, utc_now()))
                await store.forget_failure(failure.id)
                if as_json:
                    print(json.dumps({"id": failure.id, "about": failure.about}))
        finally:
            await recorder.close()
        _say(f"Put back: {len(chosen)}.", unless=as_json)


def _say(line: str, *, unless: bool) -> None:
    if not unless:
        print(line)
