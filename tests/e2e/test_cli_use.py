"""How every command is called, and how it ends: its help, bad use, and where its output goes."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer

from bot import cli
from bot.cli import ending, usage
from tests.e2e.command_line import command, environment
from tests.e2e.test_cli import given_up, lost

pytestmark = [pytest.mark.counted, pytest.mark.usefixtures("elsewhere")]

PROGRAM = "mosaic-coordinator"
TREE = typer.main.get_command(cli.app)


def walk(group, above=()):
    for name, found in group.commands.items():
        yield (*above, name), found
        if hasattr(found, "commands"):
            yield from walk(found, (*above, name))


ALL = dict(walk(TREE))
every_command = pytest.mark.parametrize("words", ALL, ids=" ".join)


class TestHelp:
    @pytest.mark.parametrize("words", [(), *ALL], ids=" ".join)
    def test_it_is_80_wide_and_without_types(self, run, monkeypatch, words):
        """Nobody is helped by `<bool>`; no line is cut."""
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("TERMINAL_WIDTH", "80")
        done = run(*words, "--help")
        assert (0, "") == (done.status, done.err)
        assert max(map(len, done.out.splitlines())) <= 80
        assert not re.search(r"<\w+(\[\w+\])?>|\\\n", done.out)

    @every_command
    def test_every_command_and_option_is_described(self, words):
        """In a sentence."""
        found = ALL[words]
        assert found.help.partition("\n")[0].endswith(".")
        assert len(found.help.partition("\n")[0]) < 70
        for param in found.params:
            assert param.help.endswith("."), param.name

    @every_command
    def test_every_command_has_examples(self, run, words):
        """In its help, a line each."""
        out = run(*words, "--help").out
        assert "Examples" in out
        for example in shown(words):
            assert f"$ {example}" in out
            assert len(example) < 76

    @every_command
    def test_the_examples_can_be_called(self, words):
        """They are read as they stand there, by the command they name."""
        assert shown(words)
        for example in shown(words):
            arguments = shlex.split(re.split(r" [|<>] ", example)[0])[1:]
            context = TREE.make_context(PROGRAM, list(arguments), resilient_parsing=True)
            name, found, rest = TREE.resolve_command(context, arguments)
            while hasattr(found, "commands") and rest and not rest[0].startswith("-"):
                name, found, rest = found.resolve_command(context, rest)
            found.make_context(name, list(rest))

    def test_one_without_examples_has_none(self):
        """A command need not declare any."""
        assert "" == usage.epilog(lambda: None)

    def test_a_person_sees_it_in_colour(self, run, monkeypatch):
        """Where it is a terminal."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert (0, "") == (run("check", "--help").status, run("check", "--help").err)


def shown(words) -> list[str]:
    """The examples of a command, from the end of its help."""
    return re.findall(r"\$\[/dim\] (.+)", ALL[words].epilog or "")


BAD = {
    ("backup",): [[], ["a", "b"], ["--bogus"]],
    ("check",): [["acme"], ["--bogus"]],
    ("demo",): [["--port", "many"], ["--port", "70000"], ["extra"]],
    ("failures",): [["bogus"], ["--bogus"]],
    ("failures", "retry"): [[], ["x", "--all"], ["--bogus"]],
    ("preview",): [["there-is-none.md"], ["."], ["--bogus"]],
    ("restore",): [[], ["a", "b"], ["--bogus"]],
    ("serve",): [[], ["extra"], ["--bogus"]],
    ("settings",): [["extra"], ["--bogus"]],
    ("template",): [
        [],
        ["pull"],
        ["issue", "--force"],
        ["issue", "--assign", "a b"],
        ["--write", "nowhere"],
    ],
    ("setup",): [["--yes"], ["--yes", "--url", "http://127.0.0.1:9"], ["--bogus"]],
    ("sync",): [[], ["--bogus"]],
}


class TestStatus:
    @pytest.mark.parametrize(
        "arguments", [[*words, *more] for words, each in BAD.items() for more in each], ids=" ".join
    )
    def test_bad_use_ends_with_2(self, run, arguments):
        """And says why on standard error, without a traceback."""
        done = run(*arguments)
        assert (2, "") == (done.status, done.out)
        assert done.err
        assert "Traceback" not in done.err

    def test_every_command_is_in_that_table(self):
        assert set(ALL) == set(BAD)

    @every_command
    def test_wrong_settings_end_with_2(self, run, words):
        """In every command that reads them; two read none, and `check` tells them and goes on."""
        if words in {("demo",), ("template",), ("check",)}:
            return
        Path("bot.toml").write_text("recheck_evry = 1", encoding="utf-8")
        needed = {"retry": ["--all"], "backup": ["a.backup"], "restore": ["a.backup"]}
        done = run(*words, *needed.get(words[-1], []))
        assert (2, "") == (done.status, done.out)
        assert "did you mean recheck_every?" in done.err

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [(["serv"], "serve"), (["setings"], "settings"), (["failures", "retyr"], "retry")],
        ids=" ".join,
    )
    def test_a_mistyped_command_names_the_nearest(self, run, typed, meant):
        done = run(*typed)
        assert 2 == done.status
        assert f"Did you mean '{meant}'?" in done.err

    def test_no_command_at_all_shows_the_help(self, run):
        done = run()
        assert 2 == done.status
        assert "Usage" in done.out + done.err

    @pytest.mark.parametrize(
        ("raised", "expected"),
        [
            (None, 0),
            (SystemExit(), 0),
            (SystemExit(7), 7),
            (SystemExit("why"), 1),
            (KeyboardInterrupt(), 130),
            (OSError(errno.EACCES, "Permission denied", "/x"), 1),
            (OSError("odd"), 1),
        ],
        ids=str,
    )
    def test_it_ends_with_a_status_whatever_happens(self, raised, expected, capsys):
        """And without a traceback where it is not the program's own mistake."""

        def work():
            if raised is not None:
                raise raised

        with pytest.raises(SystemExit) as ended:
            ending.ended(work)
        assert expected == ended.value.code
        said = capsys.readouterr().err
        if isinstance(raised, OSError):
            assert said in (
                "mosaic-coordinator: /x: Permission denied\n",
                "mosaic-coordinator: odd\n",
            )

    def test_a_database_that_cannot_be_used_is_told(self, capsys):
        """Whatever was wanted of it, in a line."""

        def work():
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("database is\n locked"))

        with pytest.raises(SystemExit) as ended:
            ending.ended(work)
        assert 1 == ended.value.code
        expected = "mosaic-coordinator: the database cannot be used: database is locked\n"
        assert expected == capsys.readouterr().err

    def test_a_queue_that_is_no_database_is_told(self, run):
        """The second file of SQLite, which only some commands open."""
        given_up(lost(2))
        Path("data/coordinator.queue.db").write_bytes(b"no database" * 1000)
        done = run("failures", "retry", "--all")
        assert (1, "") == (done.status, done.out)
        assert (
            "mosaic-coordinator: the database cannot be used: file is not a database\n" == done.err
        )

    def test_a_mistake_of_the_program_is_not_hidden(self):
        """Its traceback is what one reports."""
        with pytest.raises(ZeroDivisionError):
            ending.ended(lambda: 1 / 0)


def printed(*arguments: str, to: int | None = None, **environ: str):
    """A command run as a program of its own."""
    return subprocess.run(
        command(*arguments), stdout=subprocess.PIPE if to is None else to, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, env=environment(**environ), check=False, timeout=60,
    )  # fmt: skip


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


class TestPrograms:
    """What they read."""

    def test_work_that_is_put_back_is_named(self, run):
        """An object a line, and nothing else."""
        given_up(lost(2), lost(3))
        done = run("failures", "retry", "--all", "--json")
        assert (0, "") == (done.status, done.err)
        about = [json.loads(line)["about"] for line in done.out.splitlines()]
        assert ["acme/rocket#2", "acme/rocket#3"] == about
        assert ("", 0) == (run("failures", "retry", "--all", "--json").out, 0)

    def test_every_command_that_tells_something_tells_it_as_json(self):
        """All but those that serve, draw or print a file."""
        without = {
            words
            for words, one in ALL.items()
            if "--json" not in {o for p in one.params for o in p.opts}
        }
        assert {("serve",), ("demo",), ("template",)} == without


class TestOutput:
    def test_a_terminal_that_knows_only_ascii_is_served(self):
        """What it lacks is replaced by what is nearest."""
        Path("issue.md").write_text("# ж\n\nBlocked by #1\n", encoding="utf-8")
        done = printed("preview", "issue.md", **ASCII)
        assert (0, b"") == (done.returncode, done.stderr)
        assert b"**Blocked** - waits for 1 issue." in done.stdout
        assert done.stdout.isascii()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("✓ a — b…", b"+ a - b..."), ("✗ ж", b"x ?"), ("Settings ▸ Hooks", b"Settings > Hooks")],
    )
    def test_what_is_nearest(self, text, expected):
        """Of the signs that are in use here; else a question mark."""
        ending._print_anything()
        assert expected == text.encode("ascii", "plain")

    def test_so_is_one_without_a_single_sign(self):
        """Of standard error, too."""
        done = printed("check", "ж", **ASCII)
        assert 2 == done.returncode
        assert b"is no repository" in done.stderr

    def test_bytes_that_cannot_be_read_are_no_matter_of_printing(self):
        """Only what is printed is replaced."""
        with pytest.raises(UnicodeDecodeError):
            ending._plain(UnicodeDecodeError("ascii", b"\xff", 0, 1, "bad"))

    @pytest.mark.parametrize("arguments", [["settings"], ["--help"], ["settings", "--json"]])
    def test_a_reader_who_left_is_no_error_to_talk_about(self, arguments):
        """`| head -0`."""
        read, write = os.pipe()
        os.close(read)
        try:
            done = printed(*arguments, to=write)
        finally:
            os.close(write)
        assert (1, b"") == (done.returncode, done.stderr)

    @pytest.mark.parametrize("closed", [0, 1])
    def test_standard_input_or_output_may_be_closed(self, closed):
        """`<&-`: there is nothing to read, or nowhere to print."""
        done = subprocess.run(
            command("preview"), close_fds=True, capture_output=True, check=False, env=environment(),
            preexec_fn=lambda: os.close(closed),
        )  # fmt: skip
        assert (0, b"") == (done.returncode, done.stderr)

    def test_a_full_disk_is_told(self):
        """Not as success."""
        if not Path("/dev/full").exists():
            pytest.skip("there is no /dev/full here")
        with Path("/dev/full").open("wb") as full:
            done = printed("settings", to=full.fileno())
        assert 1 == done.returncode
        assert b"mosaic-coordinator: " in done.stderr
        assert b"No space left on device" in done.stderr
        assert b"Traceback" not in done.stderr

    @pytest.mark.parametrize(
        ("environ", "coloured"),
        [
            ({"TERM": "xterm-256color"}, True),
            ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
            ({"TERM": "dumb"}, False),
        ],
        ids=["terminal", "NO_COLOR", "dumb"],
    )
    def test_colours_are_for_terminals_that_want_them(self, environ, coloured):
        """And only for these: a number of a colour stands in no other output."""
        colour = re.compile(rb"\x1b\[(?:\d+;)*3[0-7](?:;\d+)*m")
        on_terminal = terminal("serv", **environ)
        assert coloured == bool(colour.search(on_terminal)), on_terminal
        assert b"\x1b" not in printed("serv", **environ).stderr

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (OSError(errno.ENOSPC, "No space left on device"), "standard output: No space left on device"),
            (BrokenPipeError(), ""),
        ],
        ids=["full", "nobody reads"],
    )  # fmt: skip
    def test_lines_that_are_printed_last_are_not_lost(self, monkeypatch, capsys, error, expected):
        """What could not be flushed is told, unless nobody reads it, and the status says so."""

        class Full(io.StringIO):
            def flush(self):
                raise error

            def fileno(self):
                return os.open(os.devnull, os.O_WRONLY)

        monkeypatch.setattr(sys, "stdout", Full())
        with pytest.raises(SystemExit) as ended:
            ending.ended(lambda: None)
        assert 1 == ended.value.code
        assert expected in capsys.readouterr().err


def terminal(*arguments: str, **environ: str) -> bytes:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**environ)
    )
    os.close(theirs)
    found = b""
    try:
        while part := os.read(ours, 65536):
            found += part
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(ours)
        process.wait(60)
    return found


COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}"); COMP_CWORD=$(( $# - 2 ))
_mosaic_coordinator_completion mosaic-coordinator
printf '%s\\n' "${COMPREPLY[@]}"
"""


class TestCompletion:
    @pytest.fixture
    def program(self, tmp_path) -> Path:
        """The program by its name, on a PATH of its own."""
        place = tmp_path / "bin" / PROGRAM
        place.parent.mkdir()
        place.write_text(
            f"#!{sys.executable}\nfrom bot.cli import main\nmain()\n", encoding="utf-8"
        )
        place.chmod(0o755)
        return place

    def environ(self, program: Path, **more: str) -> dict[str, str]:
        return environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}", **more)

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_each_shell_has_a_script(self, program, shell):
        """Which names the program."""
        done = subprocess.run(
            [program], capture_output=True, text=True, check=False,
            env=self.environ(program, _MOSAIC_COORDINATOR_COMPLETE=f"source_{shell}"),
        )  # fmt: skip
        assert (0, "") == (done.returncode, done.stderr)
        assert PROGRAM in done.stdout

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            (["s"], {"setup", "settings", "serve", "sync"}),
            (["failures", "r"], {"retry"}),
            (["settings", "--c"], {"--changed"}),
            (["template", ""], {"issue", "form"}),
        ],
        ids=["command", "below", "option", "argument"],
    )
    def test_bash_completes(self, program, tmp_path, typed, expected):
        """Commands and options, in a real one."""
        bash = shutil.which("bash")
        if bash is None:
            pytest.skip("there is no bash here")
        script = tmp_path / "completion.sh"
        environ = self.environ(program)
        script.write_bytes(
            subprocess.run(
                [program], capture_output=True, check=True,
                env=environ | {"_MOSAIC_COORDINATOR_COMPLETE": "source_bash"},
            ).stdout
        )  # fmt: skip
        done = subprocess.run(
            [bash, "--norc", "-c", COMPLETE, "-", script, PROGRAM, *typed],
            capture_output=True, text=True, check=True, env=environ,
        )  # fmt: skip
        assert expected == set(done.stdout.split())
