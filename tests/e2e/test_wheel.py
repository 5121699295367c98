"""What is shipped works away from the checkout: the wheel, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import __version__

CHECKOUT = Path(__file__).resolve().parents[2]

ISSUE = """\
# Retry in the pump driver

## Context Estimate

- **Total estimated: 46000 tokens**

## Difficulty

medium

## Dependencies

- Blocked by: #157
"""


def run(*command: object, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A program, without anything in the environment that could lead back to the checkout."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={name: os.environ[name] for name in kept if name in os.environ},
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    dist = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist, cwd=CHECKOUT)
    assert built.returncode == 0, built.stderr
    (wheel,) = dist.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and an empty folder to be in."""

    bin: Path
    cwd: Path

    def run(self, *command: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A program of that environment."""
        return run(self.bin / str(command[0]), *command[1:], cwd=self.cwd, stdin=stdin)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment; its dependencies are those of the one that runs the tests.

    They are lent through a `.pth` file: of what a folder lent like that holds, `.pth` files are
    not followed, so the editable installation of the checkout does not come along.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=os.name != "nt")
    bin_ = home / ("Scripts" if os.name == "nt" else "bin")
    paths = {"base": str(home), "platbase": str(home)}
    site_packages = Path(sysconfig.get_path("purelib", "venv", paths))
    done = run(
        *(sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-index", "--no-deps"),
        *("--no-cache", "--python", bin_ / "python", wheel),
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    lent = Path(sysconfig.get_path("purelib"))
    (site_packages / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    return Installed(bin_, tmp_path_factory.mktemp("elsewhere"))


def test_the_wheel_holds_all_that_is_needed(wheel):
    """Code, handlers, templates and migrations as in the checkout; no tests, no caches."""
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(CHECKOUT).as_posix())
        for package in ("bot", "handlers", "templates")
        for path in (CHECKOUT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in names if ".dist-info/" not in name}
    assert expected == shipped
    assert any(name.startswith("bot/store/migrations/versions/0") for name in shipped)
    assert "bot/store/migrations/script.py.mako" in shipped
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)


def test_the_code_comes_from_the_wheel(installed):
    """Every package is imported from the new environment, not from the checkout."""
    code = "import bot, handlers; print(bot.__file__); print(handlers.__file__)"
    done = installed.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        assert Path(line).is_relative_to(installed.bin.parent)


def test_it_says_its_version(installed):
    """The installed command runs."""
    done = installed.run("mosaic-coordinator", "--version")
    assert (0, f"mosaic-coordinator {__version__}\n") == (done.returncode, done.stdout)


def test_it_previews_a_file(installed):
    """Templates are found, and no bot.toml is needed."""
    (installed.cwd / "issue.md").write_text(ISSUE, encoding="utf-8")
    done = installed.run("mosaic-coordinator", "preview", "issue.md")
    assert done.returncode == 0, done.stderr
    assert "46k" in done.stdout
    assert "157" in done.stdout


def test_it_previews_standard_input_as_json(installed):
    """One JSON object for the text, with what was read in it."""
    line = json.dumps({"repository": "acme/pump", "number": 2, "title": "Retry", "body": ISSUE})
    done = installed.run("mosaic-coordinator", "preview", "--json", stdin=line)
    assert done.returncode == 0, done.stderr
    assert "46000" in done.stdout
    assert json.loads(done.stdout)


def test_it_gives_the_issue_templates(installed):
    """They come with the wheel."""
    done = installed.run("mosaic-coordinator", "template", "--write")
    assert done.returncode == 0, done.stderr
    written = installed.cwd / ".gitea" / "ISSUE_TEMPLATE"
    assert {"coordinator.md", "coordinator-form.yaml"} == {path.name for path in written.iterdir()}


def test_the_module_runs_as_the_command_does(installed):
    """`python -m bot` is `mosaic-coordinator`."""
    done = installed.run("python", "-m", "bot", "--version")
    assert (0, f"mosaic-coordinator {__version__}\n") == (done.returncode, done.stdout)


def test_the_migrations_run(installed):
    """A database is made from the migrations of the wheel."""
    code = (
        "import asyncio\n"
        "from bot.store.database import opened\n"
        "async def main():\n"
        "    async with opened('sqlite:///data/coordinator.db'):\n"
        "        print('migrated')\n"
        "asyncio.run(main())\n"
    )
    done = installed.run("python", "-c", code)
    assert (0, "migrated") == (done.returncode, done.stdout.strip()), done.stderr
    assert (installed.cwd / "data" / "coordinator.db").exists()
