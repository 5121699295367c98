"""What is wrong, missing or unwise in the settings."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from bot.agents import room
from bot.check.finding import Finding, Grade
from bot.config import NEEDED, AISettings, Settings, as_duration, lacking
from bot.envfile import ENV_FILE
from bot.models import Difficulty

SHORTEST_SECRET = 16  # characters
LONGEST_RECHECK = timedelta(hours=1)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def findings(settings: Settings, mistakes: Sequence[str]) -> Iterator[Finding]:
    """What there is to say of the settings that hold; `mistakes` were left out of them."""
    if not mistakes:
        yield Finding("settings.known", Grade.GOOD, "Every setting is known, and can be used.")
    yield from map(_mistaken, mistakes)
    told = " ".join(mistakes)
    missing = [name for name in lacking(settings) if name not in told]
    yield from [_not_set_up()] if len(missing) == len(NEEDED) else map(_missing, missing)
    found = [*_secrets(settings), *_times(settings), *_agents(settings), *_claude(settings)]
    yield from [*found, *_address(settings)]


def _mistaken(mistake: str) -> Finding:
    return Finding(
        "settings.mistake",
        Grade.WRONG,
        mistake,
        "The bot does not start with a setting that it does not understand.",
        "Correct it, or take it out. docs/settings.md names every setting.",
    )


def _not_set_up() -> Finding:
    return Finding(
        "settings.missing",
        Grade.WRONG,
        f"None of {', '.join(NEEDED)} is set.",
        "The bot does not serve without. Perhaps it is not set up yet, or in another folder.",
        "mosaic-coordinator setup sets them. Where they stand in a .env already, call this in the "
        "folder of the bot.",
    )


def _missing(name: str) -> Finding:
    return Finding(
        "settings.missing",
        Grade.WRONG,
        f"{name} is not set.",
        "The bot does not serve without.",
        f"Set it in the environment or in .env: {NEEDED[name]}. mosaic-coordinator setup does so "
        "as well.",
    )


def _secrets(settings: Settings) -> Iterator[Finding]:
    if any(len(one.get_secret_value()) < SHORTEST_SECRET for one in settings.gitea.secrets):
        yield Finding(
            "settings.secret-short",
            Grade.NOTE,
            f"The webhook's secret is shorter than {SHORTEST_SECRET} characters.",
            "Who guesses it can tell the bot that things happened in Gitea which did not.",
            "Make another one with `openssl rand -hex 32`, and set it as GITEA_WEBHOOK_SECRET and "
            "in Gitea's webhook.",
        )
    if ENV_FILE.is_file() and ENV_FILE.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding(
            "settings.env-readable",
            Grade.NOTE,
            f"Others on this machine may read {ENV_FILE.absolute()}.",
            "The bot's token and secrets stand in it.",
            f"chmod 600 {ENV_FILE.absolute()}",
        )


def _times(settings: Settings) -> Iterator[Finding]:
    every, reach = settings.recheck_every, settings.catch_up
    if reach < every:
        yield Finding(
            "settings.catch-up",
            Grade.NOTE,
            f"catch_up ({as_duration(reach)}) is shorter than recheck_every "
            f"({as_duration(every)}).",
            "A command whose webhook was lost may be too old to be done when it is found.",
            f"Set catch_up to more than {as_duration(every)}.",
        )
    if every > LONGEST_RECHECK:
        yield Finding(
            "settings.recheck-long",
            Grade.NOTE,
            f"What webhooks missed is looked for only every {as_duration(every)}.",
            "Gitea sends nothing twice; until then, reports are not true.",
            "Set recheck_every to an hour or less; 5m is usual.",
        )


def _agents(settings: Settings) -> Iterator[Finding]:
    share = settings.limits.share
    for difficulty in Difficulty:
        able = [one for one in settings.roster if difficulty in one.difficulties]
        if not able:
            yield Finding(
                "settings.agents-difficulty",
                Grade.NOTE,
                f"No agent takes work that is {difficulty.value}.",
                "Such an issue is given to nobody, unless a person names somebody.",
                f'Put "{difficulty.value}" into the difficulties of an agent under [agents].',
            )
            continue
        most = max(room(one, share) for one in able)
        if most < settings.limits.small:
            yield Finding(
                "settings.agents-room",
                Grade.NOTE,
                f"No agent takes work that is {difficulty.value} and of more than {most:,} tokens.",
                f"That is less than what counts as small ({settings.limits.small:,}), so nearly "
                "every such issue is given to nobody.",
                "Correct context_limit of the agents, or limits.share.",
            )


def _claude(settings: Settings) -> Iterator[Finding]:
    ai, usual = settings.ai, AISettings()
    about = {"api_key", "enabled"}
    changed = ai.model_dump(exclude=about) != usual.model_dump(exclude=about)
    if changed and ai.enabled and not ai.api_key.get_secret_value():
        yield Finding(
            "settings.ai-no-key",
            Grade.NOTE,
            "Something is set under [ai], but there is no key.",
            "Without one, Claude is not asked, and none of it counts.",
            "Set ANTHROPIC_API_KEY; or leave it, where texts are to be read without AI.",
        )


def _address(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    try:
        address = urlsplit(server.url)
        port = address.port or {"http": 80, "https": 443}.get(address.scheme)
    except ValueError:
        address, port = None, None
    if server.url and (address is None or port is None or not address.hostname):
        yield Finding(
            "settings.url",
            Grade.NOTE,
            "server.url is no address.",
            "It is where Gitea reaches the bot.",
            f"Write it like http://this-machine:{server.port}.",
        )
    elif address and address.hostname in _LOOPBACK and server.port not in (0, port):
        yield Finding(
            "settings.url-port",
            Grade.NOTE,
            f"server.url says port {port}, but the bot listens on port {server.port}.",
            "On the same machine nothing stands in between: Gitea's webhooks go elsewhere.",
            f"Set PORT to {port}, or server.url to port {server.port}.",
        )
