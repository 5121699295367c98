"""The command line, as people and programs use it: what it prints and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from dbos import DBOS

from bot import __version__, config
from bot.cli import printing
from bot.demo import story
from bot.demo.forge import Forge, serve
from bot.demo.story import BOT, REPOSITORY, staged
from bot.gitea.scopes import SCOPES
from bot.jobs import Job
from bot.store.database import opened
from bot.store.queries import Failure, Store
from tests.e2e.command_line import Done, command, environment
from tests.gitea_server import free_port

NEEDED = {
    "GITEA_URL": "http://127.0.0.1:9",  # nobody listens there
    "GITEA_TOKEN": "t0ken",
    "GITEA_WEBHOOK_SECRET": "s3cr3t-of-the-hook",
    "HOST": "127.0.0.1",
    "PORT": "0",
}
ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123"
WAIT = 60.0  # seconds until what does not come is given up


pytestmark = [pytest.mark.counted, pytest.mark.usefixtures("elsewhere")]


@contextmanager
def serving(**environ: str) -> Iterator[subprocess.Popen[str]]:
    """`serve` in a process of its own, once it serves; its log is JSON on standard error."""
    process = subprocess.Popen(
        command("serve"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(**NEEDED | environ),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if '"serving"' in line:
                break
        else:
            pytest.fail("it did not begin to serve")
        yield process
    finally:
        process.kill()
        process.communicate()


class TestUse:
    def test_it_says_its_version(self, run):
        """On standard output."""
        assert Done(0, f"mosaic-coordinator {__version__}\n", "") == run("--version")

    @pytest.mark.parametrize("wanted", [["--help"], ["-h"]])
    def test_it_says_what_it_can_do(self, run, wanted):
        """Every command, in a line each."""
        done = run(*wanted)
        assert 0 == done.status
        for name in ("serve", "demo", "preview", "sync", "failures"):
            assert name in done.out

    @pytest.mark.parametrize(
        "arguments",
        [[], ["bogus"], ["preview", "--bogus"], ["demo", "--port", "many"], ["demo", "--port", "70000"], ["failures", "retry"]],
        ids=" ".join,
    )  # fmt: skip
    def test_bad_use_ends_with_2(self, run, arguments):
        """With what is wrong, and no traceback."""
        done = run(*arguments)
        assert 2 == done.status
        assert done.err or "Usage" in done.out
        assert "Traceback" not in done.err

    def test_the_module_is_the_command(self):
        """`python -m bot`."""
        done = subprocess.run(command("--version"), capture_output=True, text=True, check=True, env=environment())  # fmt: skip
        assert f"mosaic-coordinator {__version__}\n" == done.stdout

    def test_help_is_quick_to_come(self):
        """The heavy parts are read only by what needs them."""
        code = "import sys, bot.cli; print([m for m in ('dbos', 'sqlalchemy', 'aiohttp', 'anthropic') if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())  # fmt: skip
        assert "[]\n" == done.stdout


class TestSettings:
    def test_serve_without_settings_names_every_missing_variable(self, run):
        """With what each is."""
        done = run("serve")
        assert (2, "") == (done.status, done.out)
        lines = done.err.splitlines()
        assert ["GITEA_URL", "GITEA_TOKEN", "GITEA_WEBHOOK_SECRET"] == [
            line.removeprefix("mosaic-coordinator: ").split()[0] for line in lines
        ]
        assert all(" is not set: " in line for line in lines)

    def test_serve_names_only_what_is_missing(self, run):
        """A secret of commas is none."""
        done = run("serve", **NEEDED | {"GITEA_WEBHOOK_SECRET": " , "})
        assert 2 == done.status
        assert done.err.startswith("mosaic-coordinator: GITEA_WEBHOOK_SECRET is not set")
        assert 1 == len(done.err.splitlines())

    @pytest.mark.parametrize("arguments", [["serve"], ["preview"], ["failures"]], ids=" ".join)
    def test_an_unknown_key_of_the_file_ends_with_2_and_the_nearest(self, run, arguments):
        """Whatever was to be done."""
        Path("bot.toml").write_text('[ai]\nmodell = "x"\n', encoding="utf-8")
        expected = (
            "mosaic-coordinator: bot.toml: there is no setting ai.modell; did you mean ai.model?\n"
        )
        assert Done(2, "", expected) == run(*arguments, **NEEDED)

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"GITEA_TOKEN": "two words"}, "GITEA_TOKEN is empty or holds characters no token has"),
            ({"GITEA_URL": "http://user:pass@h"}, "GITEA_URL must hold no name or password"),
            ({"DATABASE_URL": "sqlite:////dev/null/x.db"}, "database_url: /dev/null/x.db cannot be used"),
        ],
        ids=["token", "url", "database"],
    )  # fmt: skip
    def test_what_shows_only_when_it_is_used_ends_with_2_too(self, run, environ, expected):
        """One line, no traceback."""
        done = run("serve", **NEEDED | environ)
        assert 2 == done.status
        assert expected in done.err
        assert "Traceback" not in done.err
        assert "pass@" not in done.err

    def test_a_port_that_is_taken_ends_with_2(self, run):
        """And says which variable to change."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("serve", **NEEDED | {"PORT": str(port), "LOG_LEVEL": "error"})
        assert 2 == done.status
        assert f"cannot listen on 127.0.0.1:{port}: " in done.err
        assert "address already in use; set HOST or PORT" in done.err
        assert "Traceback" not in done.err


class TestServe:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
    def test_it_stops_when_told_to(self, number):
        """With 0: that is how it is meant to end. Gitea need not be there."""
        with serving() as process:
            process.send_signal(number)
            _, err = process.communicate(timeout=WAIT)
        assert 0 == process.returncode
        events = [json.loads(line)["event"] for line in err.splitlines()]
        assert ["stopping", "stopped"] == [e for e in events if e.startswith("stop")]

    def test_told_before_it_serves_it_ends_as_well(self, run, monkeypatch):
        """As the first process of a container it would not hear of it otherwise."""
        told = partial(signal.raise_signal, signal.SIGTERM)
        monkeypatch.setattr(config, "load", told)
        assert Done(0, "", "") == run("serve")

    def test_a_second_one_on_the_same_database_does_not_start(self, run):
        """Two would take each other's work; the first goes on."""
        with serving() as process:
            done = run("serve", **NEEDED)
            assert process.poll() is None
        assert 2 == done.status
        assert "another mosaic-coordinator is at work on data/coordinator.db" in done.err
        assert "PostgreSQL" in done.err

    def test_secrets_are_not_in_its_log(self):
        """Not even where it looks for mistakes."""
        with serving(LOG_LEVEL="debug") as process:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=WAIT)
        assert not {NEEDED["GITEA_TOKEN"], NEEDED["GITEA_WEBHOOK_SECRET"]} & set(
            (out + err).split('"')
        )


ISSUE = {"repository": "acme/rocket", "number": 2, "title": "Retry", "body": "Blocked by #1"}


class Standard:
    """Standard input with these bytes in it."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


class TestPreview:
    @pytest.fixture
    def stdin(self, monkeypatch):
        return lambda data: monkeypatch.setattr(sys, "stdin", Standard(data))

    def test_a_file_gives_its_report(self, run):
        """As Markdown, where it is not a terminal."""
        Path("issue.md").write_text("# Retry\n\nBlocked by #1\n", encoding="utf-8")
        done = run("preview", "issue.md")
        assert (0, "") == (done.status, done.err)
        assert done.out.startswith("<!-- mosaic-coordinator:report -->")

    def test_a_terminal_gets_it_drawn(self, run, monkeypatch):
        """Not as Markdown."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        Path("issue.md").write_text("# Retry\n\nBlocked by #1\n", encoding="utf-8")
        done = run("preview", "issue.md")
        assert 0 == done.status
        assert "\x1b[" in done.out
        assert "<!--" not in done.out

    def test_standard_input_is_read_where_no_file_is_named(self, run, stdin):
        """Bytes that are no text are replaced."""
        stdin(b"# Retry\n\n**Difficulty:** hard \xff\n")
        done = run("preview")
        assert 0 == done.status
        assert "| hard |" in done.out

    def test_a_dash_is_standard_input(self, run, stdin):
        stdin(b"**Difficulty:** hard")
        assert "| hard |" in run("preview", "-").out

    def test_every_line_of_json_is_answered_in_order(self, run, stdin):
        """Empty lines are none."""
        lines = [json.dumps(ISSUE), "", json.dumps(ISSUE | {"number": 3, "body": "wide"})]
        stdin("\n".join(lines).encode())
        done = run("preview", "--json")
        found = [json.loads(line) for line in done.out.splitlines()]
        assert (0, ["acme/rocket#2", "acme/rocket#3"]) == (
            done.status,
            [one["issue"] for one in found],
        )
        assert [[1], []] == [one["metadata"]["blocked_by"] for one in found]

    def test_a_byte_order_mark_is_no_part_of_it(self, run):
        """Some editors write one."""
        Path("issue.json").write_text(json.dumps(ISSUE), encoding="utf-8-sig")
        assert "acme/rocket#2" == json.loads(run("preview", "--json", "issue.json").out)["issue"]

    def test_plain_texts_are_answered_in_json_too(self, run):
        """One object for each file."""
        Path("one.md").write_text("Blocked by #4", encoding="utf-8")
        Path("two.md").write_text("# T\nBlocked by #5", encoding="utf-8")
        found = [
            json.loads(line)
            for line in run("preview", "--json", "one.md", "two.md").out.splitlines()
        ]
        assert [[4], [5]] == [one["metadata"]["blocked_by"] for one in found]

    def test_no_input_has_no_answer_in_json(self, run, stdin):
        """A program that asked nothing is told nothing."""
        stdin(b" \n")
        assert Done(0, "", "") == run("preview", "--json")

    def test_a_bad_line_is_named(self, run, stdin):
        """Where it stands; what came before it is answered."""
        stdin(f"{json.dumps(ISSUE)}\n\n{{oops\n".encode())
        done = run("preview", "--json")
        assert 2 == done.status
        assert "mosaic-coordinator: standard input, line 3: not JSON\n" == done.err
        assert 1 == len(done.out.splitlines())

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("none.md", "none.md: No such file or directory"), (".", ".: Is a directory")],
    )
    def test_a_file_that_cannot_be_read_is_named_before_anything_is_answered(
        self, run, name, expected
    ):
        """2: the others may be meant to go with it."""
        Path("issue.md").write_text("x", encoding="utf-8")
        assert Done(2, "", f"mosaic-coordinator: {expected}\n") == run("preview", "issue.md", name)

    def test_whatever_it_prints_to_takes_it(self):
        """Half a character, and an output that knows only ASCII."""
        line = json.dumps(ISSUE | {"repository": "acme/\ud800", "body": "Blocked by #1 – «ж»"})
        done = subprocess.run(
            command("preview", "--json"), input=line, capture_output=True, text=True, check=False,
            env=environment(PYTHONIOENCODING="ascii"),
        )  # fmt: skip
        assert (0, "") == (done.returncode, done.stderr)
        assert "acme/\ud800#2" == json.loads(done.stdout)["issue"]

    @pytest.mark.parametrize("wanted", [["--json"], []], ids=["json", "markdown"])
    def test_a_reader_who_has_seen_enough_is_no_error_to_talk_about(self, wanted):
        """`preview … | head -1`."""
        lines = "\n".join([json.dumps(ISSUE)] * 3000)
        Path("issues").write_text(lines, encoding="utf-8")
        files = ["issues"] * (1 if wanted else 300)
        process = subprocess.Popen(
            command("preview", *wanted, *files), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(),
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        with process.stderr as err:
            assert b"" == err.read()
        assert 1 == process.wait(WAIT)

    def test_it_can_be_interrupted(self):
        """Quietly, as shells expect it."""
        process = subprocess.Popen(
            command("preview"), stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        assert process.stdin is not None
        process.stdin.write(b"x" * 200_000)  # more than a pipe holds: it is reading
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT)
        assert (130, b"") == (process.returncode, err.replace(b"Aborted.\n", b""))


def lost(number: int, error: str = "POST /x: 403 no") -> Failure:
    """Work that was given up."""
    job = Job(f"look:1:acme/rocket#{number}", "look", f"acme/rocket#{number}", f"acme/rocket#{number}", attempt=12)  # fmt: skip
    when = datetime(2026, 11, 22, 15, number, tzinfo=UTC)
    return Failure(job.id, job.dump(), f"acme/rocket#{number}", error, 12, when)


def given_up(*failures: Failure) -> None:
    """Have that stand in the database of this folder."""

    async def write() -> None:
        async with opened("sqlite:///data/coordinator.db") as engine:
            store = Store(engine, now=lambda: datetime.now(UTC))
            for failure in failures:
                await store.set_aside(failure)

    asyncio.run(write())
    DBOS.migrate("sqlite:///data/coordinator.queue.db")


def queued() -> list[str]:
    """The ids of the work that waits in the queue of this folder."""
    if not Path("data/coordinator.queue.db").exists():
        return []
    connection = sqlite3.connect("data/coordinator.queue.db")
    try:
        return [
            one
            for (one,) in connection.execute("SELECT workflow_uuid FROM workflow_status ORDER BY 1")
        ]
    finally:
        connection.close()


class TestFailures:
    def test_nothing_given_up_is_said(self, run):
        """Also where there is no database yet."""
        assert Done(0, "Nothing was given up.\n", "") == run("failures")
        assert Done(0, "", "") == run("failures", "--json")
        assert Done(0, "Nothing was given up.\n", "") == run("failures", "retry", "--all")

    def test_work_is_listed_oldest_first(self, run):
        """In full, so that an id can be copied; whatever stands in the reason."""
        given_up(lost(2, "it said [/red]\nno\x1b[2J"), lost(1))
        done = run("failures")
        assert (0, "") == (done.status, done.err)
        assert [
            "look:1:acme/rocket#1",
            "  acme/rocket#1, 12 tries, given up 2026-11-22 15:01 UTC",
            "  POST /x: 403 no",
            "look:1:acme/rocket#2",
            "  acme/rocket#2, 12 tries, given up 2026-11-22 15:02 UTC",
            "  it said [/red] no\ufffd[2J",
            "Put one back with: mosaic-coordinator failures retry ID",
        ] == done.out.splitlines()

    def test_programs_get_an_object_a_line(self, run):
        """With everything that is known."""
        given_up(lost(1), lost(2))
        first, second = map(json.loads, run("failures", "--json").out.splitlines())
        assert {
            "id": "look:1:acme/rocket#1",
            "about": "acme/rocket#1",
            "error": "POST /x: 403 no",
            "attempts": 12,
            "failed_at": "2026-11-22T15:01:00+00:00",
        } == first
        assert "look:1:acme/rocket#2" == second["id"]

    def test_one_is_put_back(self, run):
        """In the queue once, though it is named twice; the list no longer has it."""
        given_up(lost(1), lost(2))
        name = lost(1).id
        assert Done(0, "Put back: 1.\n", "") == run("failures", "retry", name, name)
        (put,) = queued()
        assert put.startswith(f"{name}@")
        assert [lost(2).id] == [
            json.loads(o)["id"] for o in run("failures", "--json").out.splitlines()
        ]

    def test_all_are_put_back(self, run):
        """Each once."""
        given_up(lost(1), lost(2))
        assert Done(0, "Put back: 2.\n", "") == run("failures", "retry", "--all")
        assert [lost(1).id, lost(2).id] == [one.partition("@")[0] for one in queued()]

    def test_an_unknown_one_ends_with_1_and_nothing_is_done(self, run):
        """Not even with the others that were named."""
        given_up(lost(1))
        done = run("failures", "retry", lost(1).id, "nonsense")
        expected = "mosaic-coordinator: no work nonsense was given up; `failures` lists what was\n"
        assert Done(1, "", expected) == done
        assert [] == queued()

    async def test_a_running_bot_takes_up_what_is_put_back(self):
        """And does it: the whole way round."""
        async with staged() as stage:
            stage.forge.faults.add("POST", "/comments$", status=403, times=9)
            stage.alice.open("Retry", "x", assignees=[BOT])
            await stage.quiet()
            assert [] == stage.forge.comments(REPOSITORY, 1, by=BOT)
            lost = await stage.bot.store.failures()
            stage.forge.faults.clear()
            process = await asyncio.create_subprocess_exec(
                *command("failures", "retry", *(one.id for one in lost)),
                env=environment(DATABASE_URL=stage.bot.settings.database_url),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            await stage.quiet()
            assert (0, f"Put back: {len(lost)}.\n") == (process.returncode, out.decode())
            assert 1 == len(stage.forge.comments(REPOSITORY, 1, by=BOT))
            assert [] == await stage.bot.store.failures()


class TestDemo:
    def test_once_it_plays_the_story_and_ends(self, run):
        """With 0; every report is shown, and nothing but the story."""
        done = run("demo", "--once", "--port", "0")
        assert (0, "") == (done.status, done.err)
        for expected in ("waits for #1", "status/too-big", "status/blocked", "The end"):
            assert expected in done.out

    def test_a_port_that_is_taken_ends_with_2(self, run):
        """As with serve."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("demo", "--once", "--port", port)
        assert 2 == done.status
        assert f"port {port} cannot be used" in done.err
        assert "Traceback" not in done.err

    def test_a_story_that_goes_wrong_ends_with_1(self, run, monkeypatch):
        """So that it can serve as a check."""
        monkeypatch.setattr(story, "SCENES", story.SCENES[:1])
        done = run("demo", "--once", "--port", "0")
        assert 1 == done.status
        assert "mosaic-coordinator: #2 should carry status/ready, but has [" in done.err

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
    def test_it_stays_up_until_told_to_stop(self, number):
        """With 0, and without a word on standard error."""
        process = subprocess.Popen(
            command("demo", "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment(),
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        process.send_signal(number)
        _, err = process.communicate(timeout=WAIT)
        assert (0, "") == (process.returncode, err)

    def test_it_can_be_interrupted_in_the_middle(self):
        """Quietly, with what shells expect; nothing is left behind."""
        process = subprocess.Popen(
            command("demo", "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment(TMPDIR=str(Path.cwd())),
        )  # fmt: skip
        assert process.stdout is not None
        assert "The forge:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT)
        assert (130, "") == (process.returncode, err.replace("Aborted.\n", ""))
        assert [] == list(Path.cwd().glob("mosaic-demo-*"))


# ---- check ----


async def check_with(url: str, token: str, *arguments: str, port: int) -> Done:
    """`check`, run as a program of its own, for the forge answers on this loop."""
    ours = {"GITEA_URL": url, "GITEA_TOKEN": token, "GITEA_WEBHOOK_SECRET": SECRET}
    return await asked({**ours, "PORT": str(port), "PATH": os.environ["PATH"]}, *arguments)


async def asked(environ: dict[str, str], *arguments: str) -> Done:
    """`check` with just this environment."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "check",
        *arguments,
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(program.communicate(), WAIT)
    return Done(program.returncode or 0, out.decode(), err.decode())


async def test_check_says_what_is_wrong_why_that_matters_and_what_to_do():
    forge, port = Forge(), free_port()
    token = forge.add_user(BOT, scopes=SCOPES)
    forge.add_user("alice")
    forge.add_repository("acme/rocket")
    forge.grant("acme/rocket", "alice", "admin")
    forge.grant("acme/rocket", BOT, "admin")
    alice = forge.act_as("alice", "acme/rocket")
    alice.open("One", "", assignees=[BOT])
    checked = partial(check_with, port=port)
    async with serve(forge) as url:
        forge.add_hook(f"http://127.0.0.1:{port}/webhook/gitea", secret=SECRET)
        good = await checked(url, token)
        forge.grant("acme/rocket", BOT, "write")
        alice.switch_dependencies(on=False)
        wrong = await checked(url, token)
        as_json = await checked(url, token, "--json")
        nowhere = await checked(url, token, "acme/nowhere")
        bad = await checked(url, token, "acme")
        stranger = await checked(url, "no-such-token")
    assert (0, "") == (good.status, good.err)
    assert ["Settings", "Storage", "Claude", "Work", "Gitea"] == [
        line for line in good.out.splitlines()[:-1] if not line.startswith(" ")
    ]
    assert "✓ Gitea 1.26.3 answers, and the bot is coordinator.\n" in good.out
    assert "\n  ✓ acme/rocket: the bot is an administrator.\n" in good.out
    assert "✓ acme/rocket: a delivery arrived, and its signature is right." in good.out
    assert 1 == wrong.status
    assert "✗ acme/rocket: the bot may write, but is no administrator.\n    Only" in wrong.out
    assert "! acme/rocket: dependencies are switched off.\n    What texts" in wrong.out
    assert " to be mended (✗), " in wrong.out.splitlines()[-1]
    rows = [json.loads(line) for line in as_json.out.splitlines()]
    assert {"good", "wrong", "note"} == {row["grade"] for row in rows}
    assert {"settings.known", "storage.new", "claude.none"} <= {row["id"] for row in rows}
    assert all(row["do"] for row in rows if row["grade"] != "good")
    assert (1, True) == (nowhere.status, "✗ acme/nowhere cannot be seen." in nowhere.out)
    assert Done(2, "", "mosaic-coordinator: acme is no repository; write owner/repo\n") == bad
    assert (1, True) == (stranger.status, "does not accept the token" in stranger.out)


def test_check_tells_all_mistakes_in_the_settings_and_goes_on():
    """With 1, for that is what it found; no secret is in it, and no character that is lost."""
    Path("bot.toml").write_text('[ai]\nmodell = "ä"\n[server]\nport = "x"\n', encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii", "GITEA_TOKEN": "t0ken-ä"}
    shown = asyncio.run(
        asked(environ | {"GITEA_URL": "http://127.0.0.1:9", "MOSAIC_SERVER__PORT": "0"})
    )
    as_json = asyncio.run(asked(environ | {"DATABASE_URL": "sqlite:///ü/bot.db"}, "--json"))
    assert (1, "") == (shown.status, shown.err)
    assert "x bot.toml: there is no setting ai.modell; did you mean ai.model?" in shown.out
    assert "x GITEA_WEBHOOK_SECRET is not set." in shown.out
    assert "\nStorage\n  ! There is no " in shown.out
    assert "\nGitea\n  x GITEA_TOKEN is empty or holds" in shown.out
    assert "t0ken" not in shown.out
    rows = [json.loads(line) for line in as_json.out.splitlines()]
    assert (1, "") == (as_json.status, as_json.err)
    assert 2 == len([row for row in rows if row["id"] == "settings.mistake"])
    assert "ü/bot.db" in next(row["what"] for row in rows if row["id"] == "storage.new")
    assert not Path("data").exists()


def test_serve_logs_what_check_would_find():
    """After it serves, and without ending for it."""
    with serving(GITEA_WEBHOOK_SECRET="short") as process:
        assert process.stderr is not None
        found = {}
        for line in process.stderr:
            entry = json.loads(line)
            if entry["event"] == "check":
                found[entry["id"]] = entry
            if "address.refused" in found:
                break
        process.terminate()
        process.communicate(timeout=WAIT)
        assert 0 == process.returncode
    assert {"settings.secret-short", "address.refused"} <= found.keys()
    assert not any(name.startswith(("work.", "storage.unwritable")) for name in found)
    one = found["settings.secret-short"]
    assert ("warning", True, True) == (one["level"], bool(one["what"]), bool(one["do"]))


class TestProgress:
    """How far `sync` is."""

    def test_a_program_reads_a_line_for_each_tenth(self, capsys):
        """On standard error; standard output is for what came of it."""
        with printing.progress(quiet=False) as told:
            for done in range(26):
                told(done, 25)
        lines = capsys.readouterr().err.splitlines()
        assert ("0 of 25", "25 of 25", 11) == (lines[0], lines[-1], len(lines))

    def test_nothing_to_do_is_done(self, capsys):
        with printing.progress(quiet=False) as told:
            told(0, 0)
        assert "0 of 0\n" == capsys.readouterr().err

    def test_quiet_is_quiet(self, capsys):
        """As with `--json`."""
        with printing.progress(quiet=True) as told:
            told(1, 2)
        assert ("", "") == capsys.readouterr()

    def test_a_person_sees_a_bar(self, capsys, monkeypatch):
        """On a terminal."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        with printing.progress(quiet=False) as told:
            told(12, 25)
        assert "12/25" in capsys.readouterr().err
