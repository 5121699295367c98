"""What is to be set up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.labels import LabelSpec
from bot.setup.places import Place

SCOPES = ("write:issue", "read:repository", "read:user")
"""What the bot's token may: the least with which everything works."""

WEBHOOK = "/webhook/gitea"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be there in the end.

    `bot`: its login. `email`: of a user that is made. `address`: under which Gitea reaches the
    bot. `labels`: those it may set. `token`: one the bot has already, and `secret`: its webhook's;
    empty where there is none. `host`: the name of this machine, for the token's name.
    """

    url: str
    places: Sequence[Place]
    bot: str
    email: str
    address: str
    labels: Sequence[LabelSpec]
    token: SecretStr
    secret: SecretStr
    host: str
    env: Path
    adding: bool = False

    @property
    def target(self) -> str:
        """Where the webhooks send to."""
        return self.address.rstrip("/") + WEBHOOK
