"""What a set-up works with: who is signed in, and how to ask and to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from bot.gitea.admin import AdminAPI
from bot.gitea.client import Gitea
from bot.setup.course import Course

SignIn = Callable[[SecretStr], Gitea]
"""Gives a client for a token."""

AskToken = Callable[[str], Awaitable[SecretStr | None]]
"""Asks for a token of a user; None where nobody can be asked."""

Confirm = Callable[[str], Awaitable[bool]]
"""Asks a question that is answered with yes or no."""

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Means:
    """`gitea` is signed in as who sets the bot up, with `secret`."""

    gitea: Gitea
    secret: SecretStr
    course: Course
    sign_in: SignIn
    confirm: Confirm
    ask_token: AskToken
    progress: Progress

    @property
    def api(self) -> AdminAPI:
        """Gitea, as they see it."""
        return AdminAPI(self.gitea)


def untold(_done: int, _total: int) -> None:
    """Progress of what is only a part."""
