"""The files around the code agree with it and with each other."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.config import SHORT_NAMES, load, setting_paths

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
OURS = {*SHORT_NAMES, "BOT_CONFIG"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """Project ▸ pinned version, in a lock file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", read(name), re.MULTILINE)
    return {canonicalize_name(project): version for project, version in found}


def pyproject() -> dict:
    return tomllib.loads(read("pyproject.toml"))


class TestLocks:
    @pytest.mark.parametrize(
        ("lock", "wanted"),
        [
            ("requirements.lock", lambda p: p["project"]["dependencies"]),
            ("requirements-build.lock", lambda p: p["build-system"]["requires"]),
            (
                "requirements-dev.lock",
                lambda p: [
                    *p["project"]["dependencies"],
                    *p["project"]["optional-dependencies"]["dev"],
                ],
            ),
        ],
        ids=LOCKS,
    )
    def test_every_requirement_is_locked(self, lock, wanted):
        """At a version that pyproject.toml allows: else `make lock` was forgotten."""
        locked = pins(lock)
        for requirement in map(Requirement, wanted(pyproject())):
            version = locked.get(canonicalize_name(requirement.name))
            assert version, f"{requirement.name} is not in {lock}: run `make lock`"
            assert requirement.specifier.contains(version), f"{requirement}: run `make lock`"

    @pytest.mark.parametrize("lock", LOCKS)
    def test_every_line_has_a_hash_and_none_an_address(self, lock):
        """What is installed is what was locked, from whichever index there is."""
        text = read(lock)
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert re.fullmatch(
                r"[A-Za-z0-9._-]+==\S+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry
            )
        assert "://" not in text

    @pytest.mark.parametrize("other", LOCKS[1:])
    def test_the_locks_agree(self, other):
        """They are installed into one environment."""
        ours, theirs = pins("requirements.lock"), pins(other)
        assert {p: v for p, v in ours.items() if p in theirs and theirs[p] != v} == {}

    def test_development_needs_no_second_resolution(self):
        """The lock for development holds all of the other two."""
        needed = set(pins("requirements.lock")) | set(pins("requirements-build.lock"))
        assert needed <= set(pins("requirements-dev.lock"))

    def test_conditions_in_the_locks_are_readable(self):
        """Universal: one lock for every Python and system, by markers."""
        for lock in LOCKS:
            for condition in re.findall(r"==\S+ ; ([^\\\n]+?) \\", read(lock)):
                assert Marker(condition)

    def test_the_oldest_python_is_the_same_everywhere(self):
        """In pyproject.toml, in the Makefile's check and in its lock."""
        (oldest,) = re.findall(r"\d+\.\d+", pyproject()["project"]["requires-python"])
        assert f"--python-version {oldest} " in read("Makefile")
        assert f"sys.version_info < ({oldest.replace('.', ', ')})" in read("Makefile")


class TestMakefile:
    @pytest.mark.parametrize(
        "target", ["demo", "test", "install", "run", "lint", "lock", "clean", "help"]
    )
    def test_it_has_what_the_readme_promises(self, target):
        """And says so in `make help`."""
        help_ = subprocess.run(
            ["make", "--no-print-directory", "help"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert re.search(rf"^{target} ", help_.stdout, re.MULTILINE)

    @pytest.mark.parametrize(
        ("python", "said"),
        [
            ("no-such-python", "there is no no-such-python here"),
            ("./old", "is Python 3.8.1, but 3.11 or newer is needed"),
            ("./bare", "apt install python3-venv"),
        ],
        ids=["none", "too old", "without venv"],
    )
    def test_a_python_that_will_not_do_is_told_in_a_sentence(self, tmp_path, python, said):
        """Not in a traceback, and nothing half-made is left."""
        (tmp_path / "Makefile").write_text(read("Makefile"), encoding="utf-8")
        for lock in (*LOCKS, "pyproject.toml"):
            (tmp_path / lock).touch()
        stubs = {
            "old": 'case "$1" in -V) echo Python 3.8.1;; *) exit 1;; esac',
            "bare": 'case "$1" in -m) mkdir .venv; exit 1;; esac',
        }
        for name, body in stubs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            (tmp_path / name).chmod(0o755)
        done = subprocess.run(
            ["make", "install", f"PYTHON={python}"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert said in done.stderr
        assert not (tmp_path / ".venv").exists()

    def test_ci_runs_lint_and_test(self):
        """Stopping at the first that fails."""
        lines = read(".ci/run").splitlines()
        assert "set -euo pipefail" in lines
        assert lines.index("make lint") < lines.index("make test")
        assert os.access(ROOT / ".ci/run", os.X_OK)


def instructions() -> list[list[str]]:
    """The Dockerfile's instructions, as words."""
    text = re.sub(r"^\s*#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


class TestDockerfile:
    def test_what_it_copies_is_there_and_not_ignored(self):
        """Every source of COPY exists, and .dockerignore lets it through."""
        let_through = {line[1:] for line in read(".dockerignore").splitlines() if line[:1] == "!"}
        sources = {
            source
            for name, *words in instructions()
            if name == "COPY" and not words[0].startswith("--from")
            for source in words[:-1]
        }
        assert {source for source in sources if not (ROOT / source).exists()} == set()
        assert let_through == sources

    def test_the_last_stage_is_not_root_and_has_no_build_tools(self):
        """A number as the user, so Kubernetes can see that it is not root."""
        words = instructions()
        starts = [n for n, (name, *_) in enumerate(words) if name == "FROM"]
        assert len(starts) == 2
        last = words[starts[-1] :]
        (user,) = [rest for name, *rest in last if name == "USER"]
        assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user[0])
        said = " ".join(" ".join(line) for line in last)
        assert not re.search(r"\b(pip|apt-get|apt|uv)\b[^&]*\binstall\b", said)
        assert "requirements-dev.lock" not in read("Dockerfile")

    def test_it_is_healthy_when_health_answers_and_keeps_its_data(self):
        """The check needs nothing but Python; the data is in a volume."""
        text = read("Dockerfile")
        (check,) = re.findall(r"HEALTHCHECK[^\[]*(\[.*\])", text)
        _python, _c, code = yaml.safe_load(check)
        assert "/health" in code
        compile(code, "HEALTHCHECK", "exec")
        assert "VOLUME /data" in text
        assert "DATABASE_URL=sqlite:////data/" in text

    def test_every_setting_it_makes_is_one(self):
        """Names as in the settings."""
        (env,) = [rest for name, *rest in instructions() if name == "ENV" and "USER" not in rest][
            1:
        ]
        names = {pair.split("=")[0] for pair in env} - {"PATH", "PYTHONUNBUFFERED"}
        assert names <= OURS


class TestCompose:
    def test_every_variable_of_the_bot_is_one(self):
        """Short names, or `MOSAIC_…` of an existing setting; the settings load with them."""
        environment = yaml.safe_load(read("compose.yaml"))["services"]["coordinator"]["environment"]
        long = {"MOSAIC_" + "__".join(path).upper() for path in setting_paths()}
        assert set(environment) <= OURS | long
        plain = {n: re.sub(r"\$\{\w+:-(.*)\}", r"\1", v) for n, v in environment.items()}
        settings = load(plain)
        assert settings.gitea.url == "http://gitea:3000"
        assert "localhost:3000" in settings.gitea.hosts

    def test_gitea_may_call_the_bot(self):
        """By the name the bot has in there."""
        services = yaml.safe_load(read("compose.yaml"))["services"]
        allowed = services["gitea"]["environment"]["GITEA__webhook__ALLOWED_HOST_LIST"]
        assert "coordinator" in allowed.split(",")
        assert "coordinator" in services

    def test_no_secret_stands_in_it(self):
        """They come from .env."""
        for service in yaml.safe_load(read("compose.yaml"))["services"].values():
            for name, value in service.get("environment", {}).items():
                if re.search("TOKEN|SECRET|KEY|PASSWORD", name):
                    assert re.fullmatch(r"\$\{\w+:-\}", value)

    def test_postgres_is_a_profile_and_everything_is_waited_for(self):
        """Whoever does not ask for PostgreSQL does not get it."""
        services = yaml.safe_load(read("compose.yaml"))["services"]
        assert services["postgres"]["profiles"] == ["postgres"]
        assert all("healthcheck" in services[name] for name in ("gitea", "postgres"))
        waited = services["coordinator"]["depends_on"]
        assert {"service_healthy"} == {wait["condition"] for wait in waited.values()}
        assert waited["postgres"]["required"] is False


class TestExampleEnvironment:
    def test_it_names_every_variable_with_a_line_on_each(self):
        """All that have a short name, and the password compose.yaml needs."""
        named = set()
        lines = read(".env.example").splitlines()
        for before, line in itertools.pairwise(lines):
            if variable := re.match(r"#?([A-Z][A-Z_]+)=", line):
                named.add(variable[1])
                assert before.startswith("# ")
        assert OURS | {"POSTGRES_PASSWORD"} == named

    def test_every_variable_of_compose_is_in_it(self):
        """What can be set is shown."""
        used = set(re.findall(r"\$\{(\w+)", read("compose.yaml")))
        assert used <= set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))

    def test_it_is_read_by_a_shell(self):
        """As `make run` does; and the settings load with it."""
        done = subprocess.run(
            ["sh", "-euc", "set -a; . ./.env.example; env"],
            cwd=ROOT, capture_output=True, text=True, check=True, env={},
        )  # fmt: skip
        values = dict(line.split("=", 1) for line in done.stdout.splitlines())
        assert load(values).gitea.url == "http://localhost:3000"


def test_the_licence_is_the_one_that_is_declared():
    """MIT, by the contributors."""
    assert pyproject()["project"]["license"] == "MIT"
    assert read("LICENSE").startswith("MIT License")
    assert "Mosaic Coordinator contributors" in read("LICENSE")
