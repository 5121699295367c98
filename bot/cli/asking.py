"""What `setup` has to know: from options and variables, else asked for, secrets unseen."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import ConfigError, UserError
from bot.variables import value_of

if TYPE_CHECKING:
    from bot.config import Settings

TOKEN, PASSWORD = "GITEA_ADMIN_TOKEN", "GITEA_ADMIN_PASSWORD"
_LOGIN = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the Gitea is, and who signs in there with what."""

    url: str
    login: str
    secret: SecretStr


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C, and the end of the input, end a question that stands in a running loop."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)  # the shell's prompt begins on a line of its own
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


class Asker:
    """Asks on the terminal; where it may not (`--yes`, or none), see `demand`."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._may = not yes and sys.stdin.isatty()
        self._lacking: list[str] = []

    def demand(self) -> None:
        """Raise ConfigError for everything that was to be asked, and could not be."""
        if self._lacking:
            raise ConfigError("\n".join(self._lacking))

    def text(
        self,
        question: str,
        default: str,
        *,
        lacking: str,
        right: Callable[[str], str] = lambda said: said,
    ) -> str:
        """A line of text. `right` raises UserError for one that cannot be: it is asked again."""
        from rich.prompt import Prompt

        if not self._may:
            if not default:
                self._lacking.append(lacking)
            return default
        with _interruptible():
            while True:
                said = (Prompt.ask(question, default=default or None) or "").strip()
                try:
                    if said:
                        return right(said)
                except UserError as error:
                    print(error, file=sys.stderr)

    def secret(self, question: str, *, lacking: str) -> SecretStr:
        """A line that is not shown."""
        from rich.prompt import Prompt

        if not self._may:
            self._lacking.append(lacking)
            return SecretStr("")
        said = ""
        with _interruptible():
            while not said:
                said = Prompt.ask(f"{question} (not shown)", password=True).strip()
        return SecretStr(said)

    async def other_token(self, login: str) -> SecretStr | None:
        """A token that somebody has; None where nobody can be asked."""
        return self.secret(f"Token of {login}", lacking="") if self._may else None

    async def confirm(self, question: str) -> bool:
        """Yes or no; with `--yes` it is yes, and without a terminal no."""
        from rich.prompt import Confirm

        if not self._may:
            return self._yes
        with _interruptible():
            return Confirm.ask(question, default=False)


def answers(asker: Asker, environ: Mapping[str, str], *, url: str, login: str) -> Answers:
    """What is needed to sign in."""
    url = (
        address_of(url)
        if url
        else asker.text(
            "Address of Gitea",
            "",
            lacking="Which Gitea? Give --url, or set GITEA_URL.",
            right=address_of,
        )
    )
    if login:
        found = value_of(PASSWORD, environ)
        secret = (
            SecretStr(found)
            if found
            else asker.secret(
                f"Password of {login}", lacking=f"Set {PASSWORD}, or {PASSWORD}_FILE."
            )
        )
        return Answers(url, login, secret)
    found = (value_of(TOKEN, environ) or "").strip()
    secret = (
        SecretStr(found)
        if found
        else asker.secret(
            "Token of an administrator of the site, or of the repository",
            lacking=f"Who sets it up? Set {TOKEN}, or {TOKEN}_FILE: a token of an administrator of "
            f"the site, or of the repository. Or give --login NAME, and set {PASSWORD}.",
        )
    )
    return Answers(url, "token", secret)


def address_of(said: str) -> str:
    """An address, without a slash at its end. Raises UserError."""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", said):
        raise UserError(f"{said} is no address; write one such as https://git.example.org")
    return said.rstrip("/")


def login_of(said: str) -> str:
    """A name that Gitea allows. Raises UserError."""
    if not _LOGIN.fullmatch(said) or len(said) > 40:
        raise UserError(
            f"{said} can be no user's name: letters and digits, and one - _ or . between them"
        )
    return said


def email_of(said: str) -> str:
    """An e-mail address. Raises UserError."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", said):
        raise UserError(f"{said} is no e-mail address; write one such as coordinator@example.org")
    return said


def default_address(url: str, settings: Settings) -> str:
    """Under which Gitea probably reaches the bot: on the same machine, or by this one's name."""
    host = urlsplit(url).hostname or ""
    here = "127.0.0.1" if _is_here(host) else socket.getfqdn()
    return f"http://{here}:{settings.server.port}"


def default_email(login: str, url: str) -> str:
    """An address that nobody reads."""
    host = urlsplit(url).hostname or "localhost"
    return f"{login}@noreply.{'localhost' if _is_address(host) else host}"


def machine() -> str:
    """The name of this machine."""
    return os.environ.get("HOSTNAME") or socket.gethostname()


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
