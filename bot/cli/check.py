"""`check`: what may keep the bot from working."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.printing import BAD_USE, FAILED, fail, one_line
from bot.cli.running import run
from bot.cli.usage import examples

if TYPE_CHECKING:
    from bot.check.finding import Finding
    from bot.check.machine import Part
    from bot.config import Settings

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

    Looks at the settings, the storage, Claude, the work, and Gitea. Says of each thing what is
    wrong, why that matters and what to do. Status 1 when something is wrong. It changes nothing.
    """
    names = repositories or []
    for name in names:
        if len(name.split("/")) != 2 or not all(name.split("/")):
            fail(f"{name} is no repository; write owner/repo", BAD_USE)
    run(_check(names, as_json=as_json))


async def _check(named: Collection[str], *, as_json: bool) -> None:
    from bot.app import utc_now
    from bot.check.finding import Grade
    from bot.check.machine import Machine, part
    from bot.check.salvage import salvaged
    from bot.logs import configure

    settings, _, mistakes = salvaged()
    configure(level="error", style=settings.log_format, secrets=settings.hidden)
    parts = await Machine(settings, mistakes, now=utc_now).parts()
    if settings.gitea.url and settings.gitea.token.get_secret_value():
        parts.append(await part("Gitea", lambda: _gitea(settings, named)))
    for one in parts:
        _print_json(one) if as_json else _print(one)
    grades = Counter(one.grade for part in parts for one in part.findings)
    if not as_json:
        print(_summed_up(grades[Grade.WRONG], grades[Grade.NOTE]))
    if grades[Grade.WRONG]:
        sys.exit(FAILED)


async def _gitea(settings: Settings, named: Collection[str]) -> Sequence[Finding]:
    from bot.app import gitea_client, utc_now
    from bot.check.forge import forge_findings

    found = await forge_findings(settings, named, connect=gitea_client, now=utc_now())
    return [one for one in found if one.id != "secret.unset"]  # is told among the settings


def _print_json(part: Part) -> None:
    for one in part.findings:
        print(json.dumps(asdict(one), ensure_ascii=_is_ascii()))


def _is_ascii() -> bool:
    """Whether what is printed has to be: a character that is replaced changes what is said."""
    return (sys.stdout.encoding or "").lower().replace("-", "") not in ("utf8", "utf16")


def _summed_up(wrong: int, notes: int) -> str:
    worth = f"{notes} worth knowing (!)" if notes else ""
    if not wrong:
        return f"Nothing is wrong; {worth}." if notes else "All is well."
    return ", ".join(filter(None, [f"{wrong} to be mended (✗)", worth])) + "."


def _print(part: Part) -> None:
    if not part.findings:
        return
    print(part.name)
    for one in part.findings:
        print(f"  {_MARKS[one.grade]} {one_line(one.what)}")
        for line in (one.why, *one.do.splitlines()):
            if line:
                indent = len(line) - len(line.lstrip())
                print(f"    {' ' * indent}{one_line(line)}")
