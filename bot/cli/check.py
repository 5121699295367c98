"""`check`: what may keep the bot from working."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from bot.cli.printing import BAD_USE, FAILED, fail, one_line
from bot.cli.running import run
from bot.cli.usage import examples

_MARKS = {"good": "✓", "note": "!", "wrong": "✗"}


@examples(
    ("check", "in every repository where issues are assigned to the bot"),
    ("check acme/rocket acme/valves", "in these"),
    ("check --json | jq 'select(.grade == \"wrong\")'", "for a program"),
)
def check(
    repositories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OWNER/REPO",
            help="Repositories to look at; unless said, where issues are assigned to the bot.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one finding a line.")] = False,
) -> None:
    """Look for what may keep the bot from working.

    Says of each thing what is wrong, why that matters and what to do. Status 1 when something is
    wrong. Needs GITEA_URL and GITEA_TOKEN.
    """
    run(_check(repositories or [], as_json=as_json))


async def _check(repositories: list[str], *, as_json: bool) -> None:
    from bot.app import gitea_client, utc_now
    from bot.check.finding import Grade
    from bot.check.forge import forge_findings
    from bot.config import load

    for name in repositories:
        if len(name.split("/")) != 2 or not all(name.split("/")):
            fail(f"{name} is no repository; write owner/repo", BAD_USE)
    found = await forge_findings(load(), repositories, connect=gitea_client, now=utc_now())
    for one in found:
        if as_json:
            print(json.dumps(asdict(one), ensure_ascii=False))
            continue
        print(f"{_MARKS[one.grade]} {one_line(one.what)}")
        for line in (one.why, *one.do.splitlines()):
            if line:
                indent = len(line) - len(line.lstrip())
                print(f"  {' ' * indent}{one_line(line)}")
    if any(one.grade is Grade.WRONG for one in found):
        sys.exit(FAILED)
