"""The walk in docs/add-a-command.md: its three files make a command, as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.documents import DOCS, ROOT, blocks

FILES = {block.file: block.content for block in blocks(DOCS / "add-a-command.md") if block.file}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with the three files in place; none of them is there already."""
    place = tmp_path_factory.mktemp("copy")
    for name in ("bot", "handlers", "templates", "tests", "pyproject.toml", "bot.toml"):
        source, target = ROOT / name, place / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "data"))
        else:
            shutil.copy(source, target)
    for name, content in FILES.items():
        assert not (place / name).exists()
        (place / name).write_text(content, encoding="utf-8")
    return place


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module of Python, on the copy."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_they_are_a_module_a_template_and_a_test() -> None:
    assert [
        "handlers/commands/room.py",
        "templates/replies/room.md.j2",
        "tests/handlers/test_room.py",
    ] == list(FILES)


def test_the_command_passes_its_test_and_those_of_every_command(copy: Path) -> None:
    """With nothing else changed."""
    of_every = "tests/handlers/test_every_command.py"
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", list(FILES)[-1], of_every)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_help_speaks_of_it(copy: Path) -> None:
    """As of every command that is found."""
    code = "from bot.commands import discover_commands as d; print(*(c.verb for c in d().shown))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "room" in done.stdout.split()


def test_the_files_are_in_the_style_of_the_others(copy: Path) -> None:
    """As `make lint` would say."""
    python = [name for name in FILES if name.endswith(".py")]
    checked, formatted = (
        run(copy, "ruff", "check", *python),
        run(copy, "ruff", "format", "--check", *python),
    )
    assert (0, 0) == (checked.returncode, formatted.returncode), checked.stdout + formatted.stdout
