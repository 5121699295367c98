"""Whether a bot is at work here, and how it gets on: its rechecks, and what it gave up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import httpx

from bot.assigned import Notes, progress_in
from bot.check.finding import Finding, Grade
from bot.config import Settings, as_duration
from bot.store.queries import Failure

PATIENCE = 3.0  # seconds
SHOWN = 3  # pieces of work given up of which the reason is told
LEAST = timedelta(minutes=15)  # a recheck of many issues takes a while
LONGEST_REASON = 200  # characters; Gitea's words may be in it


class Failures(Protocol):
    """Where work that was given up is kept."""

    async def failures(self) -> list[Failure]:
        """All of it, oldest first."""


async def whether_running(settings: Settings) -> tuple[bool, list[Finding]]:
    """Whether a bot serves on this machine, where these settings say."""
    server = settings.server
    if not server.port:
        return False, []
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(server.host, server.host)  # noqa: S104 - what is listened on
    where = f"{host}:{server.port}"
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            answer = await client.get(f"http://{where}/health")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        silent = isinstance(error, httpx.TimeoutException)
        return False, [_silent(where) if silent else _stopped(where)]
    if answer.status_code == httpx.codes.OK and b'"status": "ok"' in answer.content[:100]:
        return True, [Finding("work.running", Grade.GOOD, f"A bot is at work on {where}.")]
    return False, [_taken(where, server.port)]


async def recheck(notes: Notes, every: timedelta, now: datetime, *, running: bool) -> list[Finding]:
    """When the bot last looked for what it missed."""
    progress = await progress_in(notes)
    if progress is None:
        return []
    ago = now - progress.mark.asked_at
    if not running or ago <= max(3 * every, LEAST):
        when = f"{progress.mark.asked_at:%Y-%m-%d %H:%M} UTC"
        return [
            Finding("work.recheck", Grade.GOOD, f"It last looked for what it missed at {when}.")
        ]
    return [
        Finding(
            "work.recheck-late",
            Grade.WRONG,
            f"The bot has not looked for what it missed for {_rounded(ago)}; it should every "
            f"{as_duration(every)}.",
            "What no webhook told it is not seen, so reports may not be true.",
            "Look in its log for schedule.failed and job.retry. Restart it where nothing is there.",
        )
    ]


async def given_up(store: Failures) -> list[Finding]:
    """The work that was given up, and the first reasons."""
    found = await store.failures()
    if not found:
        return [Finding("work.none-given-up", Grade.GOOD, "No work was given up.")]
    reasons = "; ".join(f"{one.about}: {_short(one.error)}" for one in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    pieces = "1 piece of work was" if len(found) == 1 else f"{len(found)} pieces of work were"
    return [
        Finding(
            "work.given-up",
            Grade.WRONG,
            f"{pieces} given up: {reasons}{more}.",
            "What they were to do has not been done, and nobody does it by itself.",
            "Mend the reason, then: mosaic-coordinator failures retry --all (failures lists them).",
        )
    ]


def _short(error: str) -> str:
    words = " ".join(error.split())
    return words if len(words) <= LONGEST_REASON else f"{words[: LONGEST_REASON - 1]}…"


def _rounded(ago: timedelta) -> str:
    minutes = int(ago.total_seconds()) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _stopped(where: str) -> Finding:
    return Finding(
        "work.stopped",
        Grade.NOTE,
        f"No bot is at work on {where}.",
        "Until one is, webhooks are lost; it looks for what it missed when it starts.",
        "Start it: mosaic-coordinator serve. Where it runs elsewhere, such as in a container, call "
        "check there.",
    )


def _silent(where: str) -> Finding:
    return Finding(
        "work.silent",
        Grade.WRONG,
        f"What listens on {where} does not answer within {PATIENCE:g} s.",
        "Gitea gives up on a webhook after five.",
        "Look at the bot's log, and at how busy the machine is; restart the bot where it hangs.",
    )


def _taken(where: str, port: int) -> Finding:
    return Finding(
        "work.port-taken",
        Grade.WRONG,
        f"What answers on {where} is not the bot.",
        "The bot cannot listen there, and Gitea's webhooks reach another program.",
        f"End that program (ss -ltnp 'sport = :{port}' names it), or set PORT to another port.",
    )
