"""What is to be set up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from bot.gitea.hooks import WEBHOOK
from bot.labels import LabelSpec
from bot.setup.places import Place

WRITTEN = ("GITEA_URL", "GITEA_TOKEN", "GITEA_WEBHOOK_SECRET", "MOSAIC_SERVER__URL")
"""What stands in `.env` afterwards."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be there in the end. `former`: the address that the bot had before.

    `bot`: its login. `email`: of a user that is made. `address`: under which Gitea reaches the
    bot, `listens`: where it listens on its machine. `labels`: those it may set. `token`: one the
    bot has already, and `secrets`: its webhook's; empty where there is none. `host`: the name of
    this machine, for the token's name. `from_files`: variables that name a file with a secret;
    `environ`: those that are set around the bot, and win over `.env`.
    """

    url: str
    places: Sequence[Place]
    bot: str
    email: str
    address: str
    labels: Sequence[LabelSpec]
    token: SecretStr
    secrets: Sequence[SecretStr]
    listens: tuple[str, int]
    host: str
    env: Path
    former: str = ""
    adding: bool = False
    from_files: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Where the webhooks send to."""
        return self.address.rstrip("/") + WEBHOOK

    @property
    def former_target(self) -> str:
        """Where they sent to before."""
        return self.former.rstrip("/") + WEBHOOK
