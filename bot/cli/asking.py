"""What `setup` has to know: from options and variables, else asked for, secrets unseen."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import ConfigError
from bot.variables import value_of

if TYPE_CHECKING:
    from bot.config import Settings

TOKEN, PASSWORD = "GITEA_ADMIN_TOKEN", "GITEA_ADMIN_PASSWORD"


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the Gitea is, and who signs in there with what."""

    url: str
    login: str
    secret: SecretStr


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

    def text(self, question: str, default: str, *, lacking: str) -> str:
        """A line of text."""
        from rich.prompt import Prompt

        if not self._may:
            if not default:
                self._lacking.append(lacking)
            return default
        while not (said := Prompt.ask(question, default=default or None)):
            pass
        return said.strip()

    def secret(self, question: str, *, lacking: str) -> SecretStr:
        """A line that is not shown."""
        from rich.prompt import Prompt

        if not self._may:
            self._lacking.append(lacking)
            return SecretStr("")
        while not (said := Prompt.ask(f"{question} (not shown)", password=True)):
            pass
        return SecretStr(said.strip())

    async def other_token(self, login: str) -> SecretStr | None:
        """A token that somebody has; None where nobody can be asked."""
        return self.secret(f"Token of {login}", lacking="") if self._may else None

    async def confirm(self, question: str) -> bool:
        """Yes or no; with `--yes` it is yes, and without a terminal no."""
        from rich.prompt import Confirm

        if not self._may:
            return self._yes
        return Confirm.ask(question, default=False)


def answers(asker: Asker, environ: Mapping[str, str], *, url: str, login: str) -> Answers:
    """What is needed to sign in."""
    url = asker.text(
        "Address of Gitea", url, lacking="Which Gitea? Give --url, or set GITEA_URL."
    ).rstrip("/")
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
    found = value_of(TOKEN, environ)
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
