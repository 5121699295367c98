"""The command line: serve · demo · preview · check · sync · failures.

Exit status: 0 done, 1 failed, 2 bad use or settings. A person's mistake is one line on standard
error, never a traceback.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot import __version__
from bot.errors import ConfigError, CoordinatorError, UserError

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.preview import Text

FAILED, BAD_USE = 1, 2
_MARKS = {"good": "✓", "note": "!", "wrong": "✗"}

app = typer.Typer(
    name="mosaic-coordinator",
    help="A bot user for Gitea that says how much work an issue is, who should take it and what "
    "it waits for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
failures_app = typer.Typer(help="Work that was given up: list it, put it back.")
app.add_typer(failures_app, name="failures")


def main() -> None:
    """Run the command line; the installed command `mosaic-coordinator`."""
    try:
        app()
    except ConfigError as error:
        _fail(str(error), BAD_USE)
    except CoordinatorError as error:
        _fail(str(error), FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str, status: int) -> NoReturn:
    for line in message.splitlines():
        print(f"mosaic-coordinator: {line}", file=sys.stderr)
    sys.exit(status)


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


@app.command()
def serve() -> None:
    """Receive webhooks and keep the reports true, until stopped.

    Needs GITEA_URL, GITEA_TOKEN and GITEA_WEBHOOK_SECRET in the environment.
    """
    from bot.app import require
    from bot.config import load
    from bot.server import serve_forever

    settings = load()
    require(settings)
    _log_as(settings, settings.log_level)
    _run(serve_forever(settings))


def _log_as(settings: Settings, level: str) -> None:
    from bot.logs import configure

    configure(
        level=level,
        style=settings.log_format,
        secrets=[
            settings.gitea.token.get_secret_value(),
            *(secret.get_secret_value() for secret in settings.gitea.secrets),
            settings.ai.api_key.get_secret_value(),
        ],
    )


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the forge's page; unless said, 3000 or any."),
    ] = None,
) -> None:
    """Show the bot at work on a small forge of its own, with nothing else installed."""
    from bot.demo.story import play

    _run(play(once=once, port=port))


@app.command()
def preview(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Issue texts; a first line `# Title` is the title. None: stdin."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line, in and out: repository, number, title, body in; "
            "metadata and report out.",
        ),
    ] = False,
) -> None:
    """Show the report for a text, without any server."""
    from bot.config import load
    from bot.preview import Previewer

    previewer = Previewer(load())
    for text in _texts(files or [], lines_of_json=as_json):
        if as_json:
            print(json.dumps(previewer.as_json(text)), flush=True)
        else:
            _show(previewer.markdown(text))


def _texts(files: Iterable[Path], *, lines_of_json: bool) -> Iterator[Text]:
    from bot.preview import Text

    named = [(str(file), _content(file)) for file in files] or [("standard input", _stdin())]
    for name, content in named:
        if not lines_of_json or content.strip()[:1] not in {"", "{"}:
            yield Text.from_markdown(content)
            continue
        for number, line in enumerate(content.split("\n"), start=1):
            if line.strip():
                try:
                    yield Text.from_json(line)
                except UserError as error:
                    _fail(f"{name}, line {number}: {error}", BAD_USE)


def _content(file: Path) -> str:
    if str(file) == "-":
        return _stdin()
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        _fail(f"{file}: {error.strerror}", BAD_USE)


def _stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace")


def _show(markdown: str) -> None:
    """Print Markdown: drawn on a terminal, as it is where a program reads it."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    if console.is_terminal:
        console.print(Markdown(markdown))
    else:
        print(markdown)


@failures_app.callback(invoke_without_command=True)
def failures(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one object a line.")] = False,
) -> None:
    """List work that was given up, oldest first."""
    if context.invoked_subcommand is None:
        _run(_list_failures(as_json=as_json))


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
        print(f"  {_one_line(one.error)}")
    print("Put one back with: mosaic-coordinator failures retry ID")


def _one_line(text: str) -> str:
    """An error may hold what a stranger wrote: nothing of it moves the cursor."""
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else "\ufffd" for char in words)


@failures_app.command("retry")
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Which work, by its ID.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of it.")] = False,
) -> None:
    """Put work back in the queue; a running bot takes it up at once."""
    if not ids and not everything:
        _fail("say which work to put back, or --all", BAD_USE)
    _run(_retry(ids or [], everything=everything))


async def _retry(ids: list[str], *, everything: bool) -> None:
    from bot.app import utc_now
    from bot.config import load
    from bot.engine import Recorder
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
            print("Nothing was given up.")
            return
        recorder = Recorder(settings.database_url)
        try:
            for failure in chosen:
                await recorder.record(retried(failure, utc_now()))
                await store.forget_failure(failure.id)
        finally:
            await recorder.close()
        print(f"Put back: {len(chosen)}.")


@app.command()
def check(
    repositories: Annotated[
        list[str] | None,
        typer.Argument(help="owner/repo …; unless said, where issues are assigned to the bot."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one finding a line.")] = False,
) -> None:
    """Look for what may keep the bot from working; status 1 when something is wrong.

    Needs GITEA_URL and GITEA_TOKEN in the environment.
    """
    _run(_check(repositories or [], as_json=as_json))


async def _check(repositories: list[str], *, as_json: bool) -> None:
    from bot.app import gitea_client, utc_now
    from bot.check import Check, Grade
    from bot.config import load
    from bot.gitea.api import GiteaAPI
    from bot.mirror import Mode

    for name in repositories:
        if len(name.split("/")) != 2 or not all(name.split("/")):
            _fail(f"{name} is no repository; write owner/repo", BAD_USE)
    settings = load()
    mode = Mode(settings.gitea.dependencies)
    async with gitea_client(settings) as client:
        found = await Check(GiteaAPI(client), mode=mode, now=utc_now()).findings(repositories)
    for one in found:
        if as_json:
            print(json.dumps(asdict(one), ensure_ascii=False))
            continue
        print(f"{_MARKS[one.grade]} {_one_line(one.what)}")
        for line in (one.why, one.do):
            if line:
                print(f"  {_one_line(line)}")
    if any(one.grade is Grade.WRONG for one in found):
        sys.exit(FAILED)


@app.command()
def sync(
    repositories: Annotated[
        list[str] | None, typer.Argument(help="owner/repo …; unless said, all there are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as a JSON object.")] = False,
) -> None:
    """Bring every issue up to date, now, that is assigned to the bot or that it knows.

    Beside a bot that is at work, too; status 1 when an issue failed. Needs GITEA_URL and
    GITEA_TOKEN in the environment.
    """
    _run(_sync(repositories or [], as_json=as_json))


async def _sync(repositories: list[str], *, as_json: bool) -> None:
    from bot.config import load
    from bot.sync import sync as bring_up_to_date

    settings = load()
    _log_as(settings, "error")
    with _progress(quiet=as_json) as told:
        try:
            outcome = await bring_up_to_date(settings, repositories, told)
        except UserError as error:
            _fail(str(error), BAD_USE)
    if as_json:
        print(outcome.as_json())
    else:
        print(f"Brought up to date: {outcome.issues - len(outcome.failed)} of {outcome.issues}.")
        for issue, why in outcome.failed.items():
            print(f"✗ {_one_line(issue)}: {_one_line(why)}")
    if outcome.failed:
        sys.exit(FAILED)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Shows how many are done, of how many: as a bar on a terminal, else a line for each tenth."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield (lambda _done, _total: None) if quiet else _lines()
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Callable[[int, int], None]:
    shown = -1

    def told(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total if total else 10
        if tenth > shown:
            shown = tenth
            print(f"{done} of {total}", file=sys.stderr, flush=True)

    return told


def _run(work: Coroutine[Any, Any, None]) -> None:
    signal.signal(signal.SIGTERM, _interrupted)
    asyncio.run(work)


def _interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
