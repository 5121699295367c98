"""Gitea's side as a whole, by the settings: from an address that is not set to a delivery."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.check.address import WHY, not_set
from bot.check.finding import Finding, Grade
from bot.check.gitea import Check
from bot.check.token import ANEW, told_by
from bot.check.webhooks import TRIED
from bot.config import Settings, as_duration
from bot.errors import ConfigError, Forbidden, GiteaError
from bot.gitea.admin import AdminAPI
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.gitea.hooks import WEBHOOK, HooksAPI
from bot.gitea.scopes import scopes_of
from bot.models import Mode
from bot.receiving import Receiver, receiving

NAME = "token"  # to sign in with: any will do


class Connect(Protocol):
    """Gives a client with the bot's token; with `login`, signed in with a name."""

    def __call__(self, settings: Settings, /, *, login: str = "") -> Gitea:
        """See above. Raises ConfigError."""


async def forge_findings(
    settings: Settings,
    named: Collection[str] = (),
    *,
    connect: Connect,
    now: datetime,
    try_out: bool = True,
) -> Sequence[Finding]:
    """What there is to say of Gitea, and of the repositories `named`; see `Check.findings`.

    With `try_out`, Gitea is made to send a delivery, and it is seen what becomes of it.
    """
    if missing := _missing(settings):
        return missing
    try:
        client = connect(settings)
    except ConfigError as error:
        return [Finding("gitea.setting", Grade.WRONG, str(error), WHY, "Set it right in .env.")]
    tries = try_out and bool(settings.gitea.secrets)
    async with client:
        check = Check(
            GiteaAPI(client),
            mode=Mode(settings.gitea.dependencies),
            now=now,
            hooks=HooksAPI(client),
            scopes=partial(_scopes, settings, connect, client),
            receiving=partial(_receiving, settings) if tries else None,
            url=settings.gitea.url,
            target=target_of(settings),
            every=as_duration(settings.recheck_every),
            shared=settings.database_url.startswith("postgres"),
        )
        return [*_without_secret(settings), *await check.findings(named)]


def target_of(settings: Settings) -> str:
    """Where webhooks are to send; empty where it is not set."""
    address = settings.server.url.rstrip("/")
    return address + WEBHOOK if address else ""


def _missing(settings: Settings) -> Sequence[Finding]:
    if not settings.gitea.url:
        do = "Set GITEA_URL to the address at which people open Gitea: https://git.example.org"
        return [not_set("address", "GITEA_URL is not set.", do)]
    if not settings.gitea.token.get_secret_value().strip():
        return [not_set("token", "GITEA_TOKEN is not set.", ANEW)]
    return []


def _without_secret(settings: Settings) -> Sequence[Finding]:
    if settings.gitea.secrets:
        return []
    return [
        Finding(
            "secret.unset",
            Grade.WRONG,
            "GITEA_WEBHOOK_SECRET is not set.",
            "The bot does not start without: it could not tell Gitea from somebody else.",
            "mosaic-coordinator setup owner/repo makes one, and the webhook with it.",
        )
    ]


def _receiving(settings: Settings) -> AbstractAsyncContextManager[Receiver]:
    server = settings.server
    return receiving(
        server.url.rstrip("/"), server.host, server.port, settings.gitea.secrets, event=TRIED
    )


async def _scopes(
    settings: Settings, connect: Connect, client: Gitea, login: str
) -> frozenset[str] | None:
    """Its list of tokens tells, or else the refusal of what the bot's token need not be able to."""
    async with connect(settings, login=NAME) as signed_in:
        found = await scopes_of(AdminAPI(signed_in), login, settings.gitea.token)
    if found is not None:
        return found
    try:
        await client.getitem("/admin/hooks", limit=1)
    except Forbidden as error:
        return told_by(error)
    except GiteaError:
        return None
    return None
