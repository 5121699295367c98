"""A real Gitea for tests: started in a directory of its own, on loopback, and stopped at the end.

`GITEA_BIN` names the program (else `gitea` on PATH), `GITEA_STATIC_ROOT` the directory that holds
its `public`, `templates` and `options` where they are not built into it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ADMIN = "root"
START_LIMIT = 60.0  # seconds
STOP_LIMIT = 15.0  # seconds

CONFIG = """\
APP_NAME = Gitea under test
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {work}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
DOMAIN = localhost
ROOT_URL = http://127.0.0.1:{port}/
{static}OFFLINE_MODE = true
DISABLE_SSH = true
LFS_START_SERVER = false

[database]
DB_TYPE = sqlite3
PATH = {work}/gitea.db

[repository]
ROOT = {work}/repositories
DEFAULT_BRANCH = main

[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-tests
PASSWORD_HASH_ALGO = pbkdf2$1$10
MIN_PASSWORD_LENGTH = 6

[service]
DISABLE_REGISTRATION = true
NO_REPLY_ADDRESS = noreply.localhost
ALLOW_CROSS_REPOSITORY_DEPENDENCIES = {cross_repository}

[webhook]
ALLOWED_HOST_LIST = loopback
SKIP_TLS_VERIFY = true
DELIVER_TIMEOUT = {deliver_timeout}

[mailer]
ENABLED = false

[log]
MODE = file
LEVEL = {log_level}
ROOT_PATH = {work}/log

[indexer]
ISSUE_INDEXER_TYPE = db

[actions]
ENABLED = false

[cron]
ENABLED = false
"""


@dataclass
class GiteaServer:
    """A running Gitea: its address (without a slash at the end), and an administrator's token."""

    url: str
    admin_token: str
    process: subprocess.Popen[bytes]
    work: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def create_user(self, name: str, *, admin: bool = False) -> str:
        """A user who may do everything with the token that is returned; once per name."""
        if name not in self.tokens:
            self.tokens[name] = self._new_user(name, admin=admin)
        return self.tokens[name]

    def _new_user(self, name: str, *, admin: bool) -> str:
        with httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=30) as client:
            made = client.post(
                "/admin/users",
                headers={"Authorization": f"token {self.admin_token}"},
                json={
                    "username": name,
                    "email": f"{name}@example.test",
                    "password": _password(name),
                    "must_change_password": False,
                },
            )
            made.raise_for_status()
            if admin:
                client.patch(
                    f"/admin/users/{name}",
                    headers={"Authorization": f"token {self.admin_token}"},
                    json={"admin": True, "source_id": 0, "login_name": name},
                ).raise_for_status()
        return self.create_token(name, ["all"])

    def create_token(self, name: str, scopes: Sequence[str]) -> str:
        """An access token of a user made here, with these scopes (`all`, `read:issue` …)."""
        with httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=30) as client:
            made = client.post(
                f"/users/{name}/tokens",
                auth=(name, _password(name)),
                json={"name": f"tests {time.monotonic_ns()}", "scopes": list(scopes)},
            )
            made.raise_for_status()
            return str(made.json()["sha1"])


def _password(name: str) -> str:
    return f"pass-word-of-{name}"


def find_gitea() -> Path | None:
    """The program: `GITEA_BIN`, else `gitea` on PATH, else None."""
    found = os.environ.get("GITEA_BIN") or shutil.which("gitea")
    return Path(found) if found else None


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_gitea(
    work: Path, *, deliver_timeout: int = 5, cross_repository: bool = True
) -> Iterator[GiteaServer]:
    """Start Gitea in `work` and stop it again.

    `deliver_timeout` (seconds) is for its webhooks, `cross_repository` says whether an issue can
    wait natively for one of another repository.
    """
    program = find_gitea()
    if program is None:
        raise RuntimeError("no Gitea: set GITEA_BIN, or put `gitea` on PATH")
    config = _write_config(program, work, deliver_timeout, cross_repository=cross_repository)
    port = int(config.read_text().split("HTTP_PORT = ")[1].split()[0])
    token = _make_admin(program, config, work)
    with (work / "gitea.out").open("wb") as out:
        process = subprocess.Popen(
            [program, "web", "--config", config, "--quiet"],
            cwd=work,
            env=_environment(work),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        server = GiteaServer(f"http://127.0.0.1:{port}", token, process, work, {ADMIN: token})
        _wait_until_it_answers(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_config(
    program: Path, work: Path, deliver_timeout: int, *, cross_repository: bool
) -> Path:
    static = os.environ.get("GITEA_STATIC_ROOT")
    path = work / "app.ini"
    path.write_text(
        CONFIG.format(
            user=_user_name(),
            work=work,
            port=free_port(),
            static=f"STATIC_ROOT_PATH = {static}\n" if static else "",
            deliver_timeout=deliver_timeout,
            cross_repository=str(cross_repository).lower(),
            log_level=_log_level(program),
        )
    )
    return path


def _log_level(program: Path) -> str:
    """Nothing for Gitea 1.22, else warnings.

    1.22 reads Go's labels of a goroutine with each line that it logs, as Go no longer keeps them:
    built with Go 1.26 it ended at start, "concurrent map read and map write".
    """
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return "none" if " 1.22." in said.stdout else "warn"


def _user_name() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _environment(work: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GITEA_")}
    return kept | {"GITEA_WORK_DIR": str(work), "HOME": str(work), "USER": _user_name()}


def _make_admin(program: Path, config: Path, work: Path) -> str:
    base = [str(program), "--config", str(config)]
    _run([*base, "migrate"], work)
    _run(
        [
            *base,
            *("admin", "user", "create", "--admin", "--username", ADMIN),
            *("--password", _password(ADMIN), "--email", "admin@example.test"),
            "--must-change-password=false",
        ],
        work,
    )
    # Gitea 1.22 gives no token with scopes while it makes a user
    return _run(
        [
            *base,
            *("admin", "user", "generate-access-token", "--username", ADMIN),
            *("--scopes", "all", "--raw"),
        ],
        work,
    ).split()[-1]


def _run(command: list[str], work: Path) -> str:
    done = subprocess.run(
        command, cwd=work, env=_environment(work), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[3:6])} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _wait_until_it_answers(server: GiteaServer) -> None:
    until = time.monotonic() + START_LIMIT
    with httpx.Client(trust_env=False) as client:
        while True:
            if server.process.poll() is not None:
                raise RuntimeError((server.work / "gitea.out").read_text(errors="replace")[-4000:])
            try:
                client.get(f"{server.url}/api/v1/version").raise_for_status()
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)  # another program's start cannot be awaited otherwise
            else:
                return
