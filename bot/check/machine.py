"""Everything that can be looked at without asking Gitea, in parts that do not hinder each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.check import claude, kept, settings, storage, work
from bot.check.finding import Finding, Grade
from bot.config import Settings
from bot.errors import CoordinatorError
from bot.store.database import as_it_is
from bot.store.queries import Store
from bot.store.watching import Watching

log = structlog.get_logger(__name__)

Findings = Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Part:
    """What belongs together: its `name`, as a heading, and what was found."""

    name: str
    findings: Findings


class Machine:
    """Looks at the bot's own side. `mistakes` are those in its settings, which were left out.

    `serving`: it is the bot itself that asks, so there is no need to look for one.
    """

    def __init__(
        self,
        found: Settings,
        mistakes: Sequence[str],
        *,
        now: Callable[[], datetime],
        serving: bool = False,
    ) -> None:
        self._settings = found
        self._mistakes = mistakes
        self._now = now
        self._serving = serving

    async def parts(self) -> list[Part]:
        """All of them, in the order in which a person goes about it."""
        stored = asyncio.ensure_future(asyncio.to_thread(storage.look, self._settings.database_url))
        return list(
            await asyncio.gather(
                part("Settings", self._of_settings),
                part("Storage", lambda: self._of_storage(stored)),
                part("Claude", lambda: claude.look(self._settings)),
                part("Work", lambda: self._work(stored)),
            )
        )

    async def _of_settings(self) -> Findings:
        return [*settings.findings(self._settings, self._mistakes)]

    async def _work(self, stored: Awaitable[storage.Stored]) -> Findings:
        running, found = True, list[Finding]()
        if not self._serving:
            running, found = await work.whether_running(self._settings)
        if not (await stored).current:
            return found
        async with as_it_is(self._settings.database_url) as engine:
            notes, store = Watching(engine, now=self._now), Store(engine, now=self._now)
            every = self._settings.recheck_every
            late = await work.recheck(notes, every, self._now(), running=running)
            tidied = await kept.tidied(notes, self._now(), running=running)
            saved = await kept.saved(notes, self._now())
            return [*found, *late, *await work.given_up(store), *tidied, *saved]

    async def _of_storage(self, stored: Awaitable[storage.Stored]) -> Findings:
        return [*(await stored).findings, *kept.broken_off(self._settings.database_url)]


async def part(name: str, look: Callable[[], Awaitable[Findings]]) -> Part:
    """What a look finds; one that fails takes nothing from the others."""
    try:
        return Part(name, await look())
    except Exception as error:  # the one place that catches all of a look's
        known = isinstance(error, CoordinatorError)
        if not known:
            log.debug("check.failed", part=name, exc_info=error)
        why = str(error) if known else f"internal error ({type(error).__name__})"
        return Part(name, [_unknown(name, why)])


def _unknown(name: str, why: str) -> Finding:
    return Finding(
        f"{name.lower()}.unknown",
        Grade.WRONG,
        f"{name} could not be looked at: {why}",
        "So it is not known whether it is as it should be.",
        "Mend that, and call check again; where it is an internal error, tell its makers.",
    )
