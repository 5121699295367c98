"""`setup`: make the bot at home in a Gitea."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from bot.cli.asking import Asker, answers, default_address, default_email, machine
from bot.cli.printing import BAD_USE, FAILED, fail, one_line, progress
from bot.cli.running import run
from bot.cli.usage import examples

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.gitea.client import Gitea
    from bot.setup.course import Line

_MARKS = {"done": "✓", "same": "=", "would": "+", "wrong": "✗", "note": "!", "undone": "↩"}
_STYLES = {"done": "green", "same": "dim", "would": "cyan", "wrong": "red", "note": "yellow"}


@examples(
    ("setup acme/rocket", "Ask what is needed, and set the bot up for one repository"),
    ("setup --dry-run acme", "Show what would be done for an organisation"),
    ("setup --yes --system", "For the whole Gitea, asking nothing"),
    ("setup --add acme/lander acme/probe", "For more repositories"),
)
def setup(  # noqa: PLR0917 - typer's way
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLACE]...", help="owner/repo, or an organisation."),
    ] = None,
    system: Annotated[bool, typer.Option("--system", help="For the whole Gitea.")] = False,
    add: Annotated[
        bool, typer.Option("--add", help="For more places; the bot is set up already.")
    ] = False,
    url: Annotated[str, typer.Option(help="Address of Gitea, as people open it.")] = "",
    login: Annotated[
        str, typer.Option(help="Sign in with this name and a password, not with a token.")
    ] = "",
    bot: Annotated[str, typer.Option(help="Login of the bot's user.")] = "coordinator",
    email: Annotated[str, typer.Option(help="E-mail of the bot's user, if it is made.")] = "",
    bot_url: Annotated[str, typer.Option(help="Address under which Gitea reaches the bot.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one step a line.")] = False,
) -> None:
    """Set the bot up in a Gitea: its user, token, right, webhook, labels, and `.env`.

    Needs a token of an administrator of the site, or of the repository: in GITEA_ADMIN_TOKEN, or
    in the file that GITEA_ADMIN_TOKEN_FILE names, else it is asked for. What is there already is
    left as it is. Status 1 when a step fails; then what was made is taken back.
    """
    asker = Asker(yes=yes)
    run(
        _setup(
            asker, places or [], system=system, add=add, url=url, login=login, bot=bot,
            email=email, bot_url=bot_url, dry=dry_run, as_json=as_json,
        )
    )  # fmt: skip


async def _setup(
    asker: Asker,
    named: list[str],
    *,
    system: bool,
    add: bool,
    url: str,
    login: str,
    bot: str,
    email: str,
    bot_url: str,
    dry: bool,
    as_json: bool,
) -> None:
    from bot.app import label_book
    from bot.config import given, settings_of
    from bot.envfile import ENV_FILE
    from bot.errors import CoordinatorError, UserError
    from bot.setup.course import Course
    from bot.setup.places import SYSTEM, places_of
    from bot.setup.run import Setup
    from bot.setup.wish import Wish

    found = given()
    settings = settings_of(found)
    try:
        who = answers(asker, found.environ, url=url or settings.gitea.url, login=login)
        if not named and not system:
            named = asker.text(
                "Where? owner/repo, or an organisation",
                "",
                lacking="Where? Name owner/repo or an organisation, or give --system.",
            ).split()
        places = [*places_of(named), *([SYSTEM] if system else [])]
    except UserError as error:
        fail(str(error), BAD_USE)
    address = asker.text(
        "Address under which Gitea reaches the bot",
        bot_url or settings.server.url or default_address(who.url, settings),
        lacking="",
    )
    wish = Wish(
        url=who.url,
        places=places,
        bot=bot,
        email=email or default_email(bot, who.url),
        address=address.rstrip("/"),
        labels=tuple(label_book(settings).specs.values()) if settings.labels.enabled else (),
        token=settings.gitea.token,
        secret=next(iter(settings.gitea.secrets), SecretStr("")),
        host=machine(),
        env=ENV_FILE,
        adding=add,
    )
    course = Course(_json if as_json else _print, dry=dry)
    with progress(quiet=as_json) as told:
        async with _client(settings, who.url, who.login, who.secret) as gitea:
            try:
                await Setup(
                    wish,
                    gitea,
                    who.secret,
                    course=course,
                    sign_in=lambda token: _client(settings, who.url, "token", token),
                    confirm=asker.confirm,
                    progress=told,
                ).run()
            except CoordinatorError:
                sys.exit(FAILED)
    if not as_json:
        _next(course.changed, wish.bot, dry=dry)
    if course.wrong:
        sys.exit(FAILED)


def _client(settings: Settings, url: str, login: str, secret: SecretStr) -> Gitea:
    from bot.gitea.client import Gitea

    return Gitea(
        url,
        secret,
        login=login,
        timeout=settings.gitea.timeout.total_seconds(),
        connections=settings.gitea.connections,
        ca_file=settings.gitea.ca_file,
    )


def _json(line: Line) -> None:
    print(json.dumps(asdict(line), ensure_ascii=False), flush=True)


def _print(line: Line) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    style = _STYLES.get(line.mark, "")
    what = one_line(line.what)
    if line.mark in ("done", "would", "undone"):
        what = what[:1].upper() + what[1:] + "."
    console.print(Text.assemble((_MARKS[line.mark], style), f" {what}"))
    if line.do:
        console.print(Text(f"  {one_line(line.do)}"))


def _next(changed: int, bot: str, *, dry: bool) -> None:
    if dry:
        print("\nNothing was changed.")
    elif not changed:
        print("\nEverything was there already.")
    else:
        print(f"\nStart the bot: mosaic-coordinator serve\nThen assign an issue to {bot}.")
