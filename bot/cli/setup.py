"""`setup`: make the bot at home in a Gitea, or take it away again."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from bot.cli.asking import (
    Answers,
    Asker,
    address_of,
    answers,
    default_address,
    default_email,
    email_of,
    login_of,
    machine,
)
from bot.cli.printing import BAD_USE, FAILED, fail
from bot.cli.running import run
from bot.cli.steps import Shown, bar
from bot.cli.usage import examples

if TYPE_CHECKING:
    from bot.config import Given, Settings
    from bot.gitea.client import Gitea
    from bot.setup.places import Place
    from bot.setup.wish import Wish

BOT = "coordinator"
_SECRETS = ("GITEA_TOKEN", "GITEA_WEBHOOK_SECRET")


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line."""

    places: Sequence[str]
    system: bool
    add: bool
    remove: bool
    labels: bool
    user: bool
    url: str
    login: str
    bot: str
    email: str
    bot_url: str
    dry: bool
    as_json: bool


@examples(
    ("setup acme/rocket", "Ask what is needed, and set the bot up for one repository"),
    ("setup --dry-run acme", "Show what would be done for an organisation"),
    ("setup --yes --system", "For the whole Gitea, asking nothing"),
    ("setup --add acme/lander acme/probe", "For more repositories"),
    ("setup --remove", "Take it away from everywhere"),
)
def setup(
    *,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLACE", help="owner/repo, or an organisation."),
    ] = None,
    system: Annotated[bool, typer.Option("--system", help="For the whole Gitea.")] = False,
    add: Annotated[
        bool, typer.Option("--add", help="For more places; the bot is set up already.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it away: from there, else from everywhere.")
    ] = False,
    labels: Annotated[
        bool, typer.Option("--labels", help="With --remove: its labels too.")
    ] = False,
    user: Annotated[bool, typer.Option("--user", help="With --remove: its user too.")] = False,
    url: Annotated[str, typer.Option(help="Address of Gitea, as people open it.")] = "",
    login: Annotated[
        str, typer.Option(help="Sign in with this name and a password, not with a token.")
    ] = "",
    bot: Annotated[
        str, typer.Option(help=f"Login of the bot's user; unless said, {BOT}.", show_default=False)
    ] = "",
    email: Annotated[str, typer.Option(help="E-mail of the bot's user, if it is made.")] = "",
    bot_url: Annotated[str, typer.Option(help="Address under which Gitea reaches the bot.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one step a line.")] = False,
) -> None:
    """Set the bot up in a Gitea.

    That is its user, its token, its right, the webhook, the labels, and `.env`.

    Needs a token of an administrator of the site, or of the repository: in GITEA_ADMIN_TOKEN, or
    in the file that GITEA_ADMIN_TOKEN_FILE names, else it is asked for. What is there already is
    left as it is. Status 1 when a step fails; then what was made is taken back.
    """
    options = Options(
        places or [], system, add, remove, labels, user, url, login, bot, email, bot_url,
        dry_run, as_json,
    )  # fmt: skip
    if add and remove:
        fail("--add and --remove do not go together", BAD_USE)
    if (labels or user) and not remove:
        fail("--labels and --user are for --remove", BAD_USE)
    if user and (places or system):
        fail("--user is for --remove from everywhere: name no places with it", BAD_USE)
    with _alone():
        run(_setup(Asker(yes=yes), options))


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the folder: two at once would each take away the token that the other one made."""
    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        fail("another setup is at work in this folder; wait until it has ended", FAILED)
    try:
        yield
    finally:
        os.close(folder)


async def _setup(asker: Asker, options: Options) -> None:
    from bot.config import given, settings_of
    from bot.errors import CoordinatorError, UserError
    from bot.setup.course import Course
    from bot.setup.means import Means
    from bot.setup.removal import Extent, Removal
    from bot.setup.run import Setup

    found = given()
    settings = settings_of(found)
    try:
        who = answers(
            asker, found.environ, url=options.url or settings.gitea.url, login=options.login
        )
        places = _places(asker, options)
        asker.demand()
        wish = await _wish(asker, options, found, who, places)
    except UserError as error:
        fail(str(error), BAD_USE)
    shown = Shown(as_json=options.as_json, places=len(places))
    course = Course(shown, dry=options.dry)
    with bar(quiet=options.as_json) as told:
        async with _client(settings, who.url, who.login, who.secret) as gitea:
            means = Means(
                gitea=gitea,
                secret=who.secret,
                course=course,
                sign_in=partial(_client, settings, who.url, "token"),
                confirm=asker.confirm,
                ask_token=asker.other_token,
                progress=told,
            )
            extent = Extent(options.labels, options.user)
            try:
                await (Removal(wish, means, extent) if options.remove else Setup(wish, means)).run()
            except CoordinatorError:
                sys.exit(FAILED)
    shown.summary(len(places), dry=options.dry)
    if course.wrong:
        sys.exit(FAILED)
    if not options.as_json:
        _next(course.changed, wish.bot, options)


def _places(asker: Asker, options: Options) -> list[Place]:
    from bot.setup.places import SYSTEM, places_of

    named = list(options.places)
    if not named and not options.system and not options.remove:
        named = asker.text(
            "Where? owner/repo, or an organisation",
            "",
            lacking="Where? Name owner/repo or an organisation, or give --system.",
        ).split()
    return [*places_of(named), *([SYSTEM] if options.system else [])]


async def _wish(
    asker: Asker, options: Options, found: Given, who: Answers, places: Sequence[Place]
) -> Wish:
    from bot.config import settings_of
    from bot.envfile import ENV_FILE
    from bot.labels import label_book
    from bot.setup.wish import WRITTEN, Wish

    settings = settings_of(found)
    holder = "" if options.bot else await _holder(settings, who.url)
    bot = (
        login_of(options.bot)
        if options.bot
        else holder or asker.text("Login of the bot's user", BOT, lacking="", right=login_of)
    )
    known = address_of(options.bot_url) if options.bot_url else settings.server.url
    address = known or asker.text(
        "Where Gitea reaches the bot",
        default_address(who.url, settings),
        lacking="",
        right=address_of,
    )
    return Wish(
        url=who.url,
        places=places,
        bot=bot,
        email=email_of(options.email) if options.email else default_email(bot, who.url),
        address=address.rstrip("/"),
        labels=tuple(label_book(settings).specs.values()) if settings.labels.enabled else (),
        token=settings.gitea.token,
        secrets=settings.gitea.secrets,
        listens=(settings.server.host, settings.server.port),
        host=machine(),
        env=ENV_FILE,
        former=settings.server.url,
        adding=options.add,
        from_files=frozenset(n for n in _SECRETS if found.environ.get(f"{n}_FILE")),
        environ={name: os.environ[name] for name in WRITTEN if os.environ.get(name)},
    )


async def _holder(settings: Settings, url: str) -> str:
    """Whose token is set already; empty where it is nobody's."""
    from bot.errors import CoordinatorError
    from bot.gitea.admin import AdminAPI

    if not settings.gitea.token.get_secret_value():
        return ""
    try:
        async with _client(settings, url, "token", settings.gitea.token) as client:
            return (await AdminAPI(client).me()).login
    except CoordinatorError:
        return ""


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


def _next(changed: int, bot: str, options: Options) -> None:
    from bot.envfile import ENV_FILE, read_env

    if options.dry:
        print("\nNothing was changed.")
    elif not changed:
        print("\nNothing was there." if options.remove else "\nEverything was there already.")
    elif not options.remove:
        print(f"\nStart the bot: mosaic-coordinator serve\nThen assign an issue to {bot}.")
        port = os.environ.get("PORT")  # one that stands in .env alone, `serve` reads there
        if port and port != read_env({}, ENV_FILE).get("PORT"):
            print(
                "PORT is not the same in this shell and in .env: set it where the bot starts, too."
            )
