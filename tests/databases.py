"""Databases to test on: a SQLite file for each test, and PostgreSQL where one is at hand.

PostgreSQL's programs are looked for in `PG_BIN`, by `pg_config`, and where Debian puts them. One
server serves the whole session, on loopback in a directory of its own; each test gets a fresh
database in it. What tests of the store start with is migrated once and copied. PostgreSQL refuses to run as root, so then it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bot.store.database import opened

ABSENT = "no PostgreSQL: set PG_BIN to the directory of `initdb`, or install postgresql"


def find_postgres() -> Path | None:
    """The directory of `initdb` and `pg_ctl`, or None."""
    config = shutil.which("pg_config")
    places = [
        os.environ.get("PG_BIN", ""),
        subprocess.check_output([config, "--bindir"], text=True).strip() if config else "",
        *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
    ]
    return next((Path(one) for one in places if one and (Path(one) / "initdb").exists()), None)


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `url` is that of its database `postgres`."""

    url: str
    run: Callable[[list[str]], None]

    def restart(self, mode: str) -> None:
        """End all connections and begin again; mode: fast, or immediate (as after a crash)."""
        self.run(["-m", mode, "restart"])


@contextmanager
def run_postgres(programs: Path) -> Iterator[PostgresServer]:
    """A server of its own."""
    user = _user()
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="mosaic-pg-") as directory:
        if user:
            os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
        data = f"{directory}/data"
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {directory} -c fsync=off"
        options += " -c max_connections=400"  # the fault harness has nine replicas at once
        for command in (
            ["initdb", "-D", data, "-U", "mosaic", "-A", "trust", "-E", "UTF8", "--no-sync"],
            ["pg_ctl", "-D", data, "-w", "-l", f"{directory}/log", "-o", options, "start"],
        ):
            _run(programs, command, user, directory)

        def control(args: list[str]) -> None:
            command = ["pg_ctl", "-D", data, "-w", "-l", f"{directory}/log", "-o", options, *args]
            _run(programs, command, user, directory)

        try:
            url = f"postgresql://mosaic@127.0.0.1:{port}/postgres"
            yield PostgresServer(url, control)
        finally:
            control(["-m", "immediate", "stop"])


def _run(programs: Path, command: list[str], user: str | None, directory: str) -> None:
    subprocess.run(
        [programs / command[0], *command[1:]],
        user=user,
        cwd=directory,
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )


def _user() -> str | None:
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fresh_database(server: str, like: str = "template1") -> Iterator[str]:
    """The URL of a copy of a database, an empty one unless named; it goes away at the end."""
    name = f"t{uuid4().hex}"
    _ask(server, f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    yield server.rpartition("/")[0] + f"/{name}"
    _ask(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _ask(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server; the test is skipped where there is none."""
    programs = find_postgres()
    if programs is None:
        pytest.skip(ABSENT)
    with run_postgres(programs) as server:
        yield server.url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """`DATABASE_URL` of a file that does not exist yet."""
    return f"sqlite:///{tmp_path}/bot.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """`DATABASE_URL` of an empty database: SQLite's first, then PostgreSQL's."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with fresh_database(request.getfixturevalue("postgres")) as url:
        yield url


def migrate(url: str) -> None:
    """Make the tables, in a loop of its own, since that of a test may be running."""

    async def run() -> None:
        async with opened(url):
            pass

    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(asyncio.run, run()).result()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables in it, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "bot.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: str) -> Iterator[str]:
    """The name of a database with the tables in it, to be copied."""
    with fresh_database(postgres) as url:
        migrate(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, migrated_file: Path, tmp_path: Path) -> str:
    """`DATABASE_URL` of a file with the tables in it, and nothing in them."""
    shutil.copyfile(migrated_file, tmp_path / "bot.db")
    return sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """`DATABASE_URL` of a database with the tables in it: SQLite's first, then PostgreSQL's."""
    if request.param == "sqlite":
        yield request.getfixturevalue("migrated_sqlite_url")
        return
    server, like = map(request.getfixturevalue, ("postgres", "migrated_database"))
    with fresh_database(server, like) as url:
        yield url
