"""What stands in the documents to be typed or copied works."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.cli import app
from bot.cli.printing import BAD_USE
from bot.config import SHORT_NAMES, Settings, load
from bot.store.database import revisions
from tests.unit.documents import (
    DOCS,
    DOCUMENTS,
    README,
    ROOT,
    blocks,
    code,
    each_document,
    every_block,
    read,
    table,
)

PROGRAM: Any = typer.main.get_command(app)
WRONG: type[Exception] = typer.BadParameter.__base__  # type: ignore[assignment]
UNIT = DOCS / "examples" / "mosaic-coordinator.service"
INSTALL = DOCS / "install.md"
RUN = sorted({block.document for block in every_block("sh") if "run" in block.marks})
ENOUGH = 60.0  # seconds
ISSUE = "# Retry in the pump driver\n\nContext estimate: 9k tokens\nBlocked by #12\n"

LANGUAGES = (
    *("sh", "bash", "toml", "json", "yaml", "yml", "ini", "python"),  # looked at here
    *("markdown", "jinja", "nginx", "caddyfile", "text", ""),
)


def each(*languages: str) -> pytest.MarkDecorator:
    """A test for each block in one of these languages."""
    found = every_block(*languages)
    return pytest.mark.parametrize("block", found, ids=[block.name for block in found])


# -- the command line ------------------------------------------------------------------------


def typed(text: str) -> Iterator[list[str]]:
    """The words after each `mosaic-coordinator`, up to what ends a command for a shell.

    Where it is a user, an image or a unit, other words follow, or none.
    """
    joined = re.sub(r"\\\n\s*", " ", text)
    for found in re.finditer(r"(?<!-\w )\bmosaic-coordinator +([a-z-][^\n]*)", joined):
        words = shlex.shlex(found[1], posix=True, punctuation_chars="|&;<>()")
        words.whitespace_split = True
        taken: list[str] = []
        for word in words:
            if set(word) & set("|&;<>()"):
                break
            taken.append(word)
        yield taken


def parsed(words: Sequence[str]) -> None:
    """Raise where the command line does not take these words; nothing is done.

    What an option does by itself, such as `--install-completion`, is not done either.
    """
    name, command, context = "mosaic-coordinator", PROGRAM, None
    rest = list(words)
    while rest:
        does_it = {opt for one in command.params if one.callback for opt in one.opts}
        if does_it & set(rest):
            return
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        if rest:
            name, command, rest = command.resolve_command(context, rest)
            rest = rest or ["--"]


def meant(words: Sequence[str]) -> list[str]:
    """The words without what stands for others; in brackets is what may be left out."""
    to = words.index("COMMAND") if "COMMAND" in words else len(words)
    return [word.strip("[]….") for word in words[:to] if word != "[OPTIONS]"]


@each_document
def test_every_command_line_is_understood(document, monkeypatch, tmp_path):
    """Its command and options are there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for words in typed(code(document)):
        parsed(meant(words))
    assert [] == list(tmp_path.iterdir()), "something was done"


@pytest.mark.parametrize("words", ["sing", "serve --loud", "failures forget", "demo --port much"])
def test_a_command_line_that_is_none_is_found(words):
    with pytest.raises(WRONG):
        parsed(words.split())


def test_every_command_of_the_command_line_is_in_the_readme():
    named = {row[0].split()[1] for row in table(README, "Command")}
    assert set(PROGRAM.commands) == named


# -- files to copy ---------------------------------------------------------------------------


@each("toml")
def test_settings_load(block, tmp_path):
    """A block of TOML is a `bot.toml`; those of repositories have a page, and tests, of their own."""
    tomllib.loads(block.content)
    if block.document.name != "repository-settings.md":
        (tmp_path / "bot.toml").write_text(block.content, encoding="utf-8")
        load({}, tmp_path / "bot.toml")


@each("json")
def test_json_is_json(block):
    for line in [block.content] if block.content.startswith("{\n") else block.content.splitlines():
        json.loads(line)


@each("yaml", "yml")
def test_yaml_is_yaml(block):
    """And what a service of compose is given are settings of the bot, of a service that is there."""
    found = yaml.safe_load(block.content)
    compose = yaml.safe_load(read(ROOT / "compose.yaml"))
    for name, service in (found.get("services") or {}).items():
        assert name in compose["services"]
        files = {variable.removesuffix("_FILE") for variable in service["environment"]}
        assert files <= set(SHORT_NAMES)
        assert set(service["secrets"]) == set(found["secrets"])


@each("ini")
def test_ini_is_ini(block):
    configparser.ConfigParser().read_string(block.content)


@each("python")
def test_python_compiles(block):
    compile(block.content, block.name, "exec")


@each_document
def test_every_language_is_one_that_is_looked_at(document):
    """So that no block goes unread by chance."""
    assert {block.language for block in blocks(document)} <= set(LANGUAGES)


@pytest.mark.parametrize("language", ["nginx", "caddyfile"])
def test_a_proxy_lets_only_the_webhook_pass(language):
    """And as much as the bot takes; both were tried with the real programs."""
    (block,) = every_block(language)
    passing = re.findall(
        r"(?:location =|handle) (\S+) \{\s*(?:proxy_pass|reverse_proxy)", block.content
    )
    assert ["/webhook/gitea"] == passing
    assert 1 == len(re.findall("proxy_pass|reverse_proxy", block.content))
    assert "404" in block.content
    size = re.search(r"client_max_body_size (\d+)m;", block.content)
    assert size is None or int(size[1]) * 1024**2 == Settings().server.max_body


# -- shells ----------------------------------------------------------------------------------


@each("sh", "bash")
def test_a_shell_reads_it(block):
    """Whether or not it can be run in a test."""
    done = subprocess.run(
        ["sh", "-n"], input=block.content, capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page is tried: an issue's text, a database, and the programs it calls."""
    (tmp_path / "issue.md").write_text(ISSUE, encoding="utf-8")
    (tmp_path / "data").mkdir()
    for name in ("coordinator", "coordinator.queue"):
        with closing(sqlite3.connect(tmp_path / "data" / f"{name}.db")) as connection:
            connection.execute("CREATE TABLE mosaic_version (version_num TEXT)")
            connection.execute("INSERT INTO mosaic_version VALUES (?)", (revisions()[0],))
            connection.commit()
    return tmp_path


@pytest.mark.parametrize("document", RUN, ids=lambda path: path.name)
def test_what_can_be_run_runs(document, folder):
    """The blocks of a page marked `run`, one after another, in a folder of their own."""
    programs = Path(sys.executable).parent
    for block in (one for one in blocks(document) if "run" in one.marks):
        for program in ("openssl", "sqlite3"):
            if program in block.content and not shutil.which(program):
                pytest.skip(f"there is no {program} here")
        done = subprocess.run(
            ["sh", "-euc", block.content],
            cwd=folder,
            env={
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "HOME": str(folder),
            },
            capture_output=True,
            text=True,
            timeout=ENOUGH,
            check=False,
        )
        assert 0 == done.returncode, f"{block.name}: {done.stderr}"


def test_enough_is_run():
    """So that the marks are not lost by chance."""
    assert {"setup.md", "backup.md", "writing-issues.md"} <= {path.name for path in RUN}


# -- the service -----------------------------------------------------------------------------


def unit() -> dict[str, list[str]]:
    """The settings of the unit, the commented ones too; each with its values, in order."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^#?([A-Z][A-Za-z]+)=(.*)$", read(UNIT), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("secrets", ["in the environment", "in files"])
def test_systemd_takes_the_unit(secrets, tmp_path):
    """Every setting is one that it knows; with the credentials, too, that are commented out."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    text = re.sub(r"(?m)^ExecStart=.*", f"ExecStart={sys.executable}", read(UNIT))
    if secrets == "in files":
        text = re.sub(r"(?m)^#(?=[A-Z][A-Za-z]+=)", "", text)
    copy = tmp_path / UNIT.name
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_the_unit_runs_what_the_page_installs():
    """Program, user, folder and file are the same on the page and in the script beside it."""
    found, page, script = unit(), read(INSTALL), read(UNIT.with_suffix(".sh"))
    program, *words = found["ExecStart"][0].split()
    user, folder = found["User"][0], found["WorkingDirectory"][0]
    parsed(words)
    assert "serve" == words[0]
    assert f"exec runuser -u {user} -- {program} " in script
    assert f"cd {folder}\n" in script
    assert f"env={found['EnvironmentFile'][0].removeprefix('-')}\n" in script
    assert f"/nologin {user}\n" in page
    assert f"-o {user} -g {user} -m {found['StateDirectoryMode'][0]} {folder}\n" in page
    assert program.removesuffix("/bin/mosaic-coordinator") in page
    assert f"/var/lib/{found['StateDirectory'][0]}" == folder


def test_the_unit_fits_the_program():
    """It gives up where a setting is wrong, waits for the work, and names variables that are read."""
    found = unit()
    assert [str(BAD_USE)] == found["RestartPreventExitStatus"]
    assert int(found["TimeoutStopSec"][0]) > Settings().server.shutdown.total_seconds()
    credentials = {value.partition(":")[0] for value in found["LoadCredential"]}
    for variable, name in re.findall(r"(\w+)_FILE=%d/([\w-]+)", " ".join(found["Environment"])):
        assert variable in SHORT_NAMES
        assert name in credentials


@pytest.mark.parametrize("script", sorted((DOCS / "examples").glob("*.sh")), ids=lambda p: p.name)
def test_a_shell_reads_the_scripts(script):
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_the_script_calls_a_command_as_the_service_does(tmp_path):
    """As its user, in its folder, with its settings; every word as it was given."""
    folder, env = tmp_path / "folder", tmp_path / "env"
    folder.mkdir()
    env.write_text("GITEA_URL=https://git.test\nGITEA_TOKEN='a b'\n", encoding="utf-8")
    runuser = tmp_path / "runuser"
    shown = """printf '%s\\n' "$PWD" "$GITEA_URL" "$GITEA_TOKEN" "$@"\n"""
    runuser.write_text(f"#!/bin/sh\n{shown}", encoding="utf-8")
    runuser.chmod(0o755)
    script = read(UNIT.with_suffix(".sh"))
    script = script.replace("/etc/mosaic-coordinator/env", str(env))
    script = script.replace("/var/lib/mosaic-coordinator", str(folder))
    done = subprocess.run(
        ["sh", "-c", script, "sh", "preview", "two words.md"],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    program = "/opt/mosaic-coordinator/bin/mosaic-coordinator"
    as_user = ["-u", "mosaic-coordinator", "--", program, "preview", "two words.md"]
    assert [str(folder), "https://git.test", "a b", *as_user] == done.stdout.splitlines()


def test_every_example_is_spoken_of():
    """A file that no page names is found by nobody."""
    linked = "".join(map(read, DOCUMENTS))
    for path in (DOCS / "examples").iterdir():
        assert f"examples/{path.name}" in linked
