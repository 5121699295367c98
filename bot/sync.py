"""`mosaic-coordinator sync`: bring issues up to date by hand, and follow it until it is done.

Beside a bot that is at work on a SQLite file the looks are recorded for it; else they are done
here, by the bot's own parts.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.app import Bot, at_work, executor_of, gitea_client, require, utc_now
from bot.config import Settings
from bot.errors import CoordinatorError, NotFound, UserError
from bot.gitea.api import GiteaAPI
from bot.jobs import Job
from bot.models import IssueRef
from bot.recorder import Recorder
from bot.store.alone import Taken, alone
from bot.store.database import opened, sqlite_path
from bot.store.queries import Failure, Store
from bot.store.watching import Watching
from bot.worker import LOOK, PACE, look

POLL = 0.2  # seconds
HELD = timedelta(minutes=2)  # how long another sync is kept out by one that was killed
RENEW = 30.0  # seconds

Told = Callable[[int, int], None]
"""Told how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many issues were looked at, and what went wrong with which."""

    issues: int
    failed: Mapping[str, str]

    def as_json(self) -> str:
        """One JSON object."""
        failed = [{"issue": issue, "error": error} for issue, error in self.failed.items()]
        return json.dumps({"issues": self.issues, "failed": failed})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the looks are done; `check` is called again and again meanwhile, `finish` at the end.

    `pace`: seconds from look to look, so that others find a place.
    """

    gitea: GiteaAPI
    store: Store
    watching: Watching
    record: Callable[[Job, float], Awaitable[None]]
    left: Callable[[str], Awaitable[int]]
    check: Callable[[], Awaitable[None]]
    finish: Callable[[], Awaitable[None]]
    pace: float = 0.0


async def sync(settings: Settings, repositories: Sequence[str], told: Told) -> Outcome:
    """Bring up to date what is assigned to the bot and what it knows, in these repositories or all.

    Raises UserError for a name that is none of a repository, ConfigError, GiteaError, StoreError.
    """
    require(settings, receiving=False)
    for name in repositories:
        if not re.fullmatch(r"[^\s/#!]+/[^\s/#!]+", name):
            raise UserError(f"{name} is no repository; write owner/repo")
    async with _place(settings) as place:
        refs = await _wanted(place, await _names(place.gitea, repositories))
        return await _bring_up_to_date(place, refs, told)


async def _names(gitea: GiteaAPI, repositories: Sequence[str]) -> set[str] | None:
    """The repositories by all names they may be known under, in lower case; None: all."""
    names = set[str]()
    for name in repositories:
        owner, _, repo = name.partition("/")
        try:
            found = await gitea.repository(owner, repo)
        except NotFound:
            raise UserError(f"there is no {name}, or the bot may not see it") from None
        names |= {name.lower(), found.full_name.lower()}
    return names or None


async def _wanted(place: _Place, names: Collection[str] | None) -> list[IssueRef]:
    assigned = [issue async for issue in place.gitea.assigned_issues() if not issue.is_pull]
    here = [one.ref for one in assigned if names is None or one.ref.key[0] in names]
    return sorted({*here, *await place.watching.known(names)})


async def _bring_up_to_date(place: _Place, refs: Sequence[IssueRef], told: Told) -> Outcome:
    prefix = f"look:sync-{uuid.uuid4().hex[:8]}/"
    before = await _failures(place.store)
    jobs = [replace(look(ref, stamp=""), id=f"{prefix}{n}") for n, ref in enumerate(refs)]
    await asyncio.gather(*(place.record(job, n * place.pace) for n, job in enumerate(jobs)))
    while left := await place.left(prefix):
        told(len(refs) - left, len(refs))
        await place.check()
        await asyncio.sleep(POLL)
    told(len(refs), len(refs))
    await place.finish()
    now = await _failures(place.store)
    failed = [now[ref] for ref in refs if ref in now and now[ref] != before.get(ref)]
    return Outcome(len(refs), {one.about: one.error for one in failed})


async def _failures(store: Store) -> dict[IssueRef, Failure]:
    """The looks that were given up, by their issues."""
    failures = [one for one in await store.failures() if one.id.startswith(f"{LOOK}:")]
    return {IssueRef.parse(one.about): one for one in failures}


# -- where it is done -------------------------------------------------------------------------


@asynccontextmanager
async def _place(settings: Settings) -> AsyncIterator[_Place]:
    beside = _is_taken(settings.database_url)
    async with _beside(settings) if beside else _here(settings) as place:
        yield place


def _is_taken(database_url: str) -> bool:
    """Whether a bot is at work on a SQLite file."""
    try:
        with alone(database_url):
            return False
    except Taken:
        return True


@asynccontextmanager
async def _beside(settings: Settings) -> AsyncIterator[_Place]:
    """Beside a bot at work, which does it."""
    url = settings.database_url

    async def still_there() -> None:
        if not _is_taken(url):
            raise CoordinatorError(
                "the bot was stopped before all was done; it does the rest when it is started"
            )

    async with opened(url) as database, gitea_client(settings) as client:
        recorder = Recorder(url)
        try:
            yield _Place(
                gitea=GiteaAPI(client),
                store=Store(database, now=utc_now),
                watching=Watching(database, now=utc_now),
                record=recorder.record,
                left=recorder.left,
                check=still_there,
                finish=_nothing,
                pace=PACE,
            )
        finally:
            await recorder.close()


@asynccontextmanager
async def _here(settings: Settings) -> AsyncIterator[_Place]:
    """In this process, under a name of its own: others may be at work on the same PostgreSQL."""
    executor, is_shared = f"{executor_of(settings)}/sync", not sqlite_path(settings.database_url)
    async with (
        at_work(settings, executor=executor) as (bot, _),
        _alone(bot.store, executor) as still,
    ):
        await bot.core()

        async def record(job: Job, delay: float) -> None:
            await bot.engine.submit(job, delay=delay)

        async def all_done() -> None:
            """What the looks led to is done as well, where nobody else would do it."""
            while not is_shared and await _busy(bot):  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(POLL)

        yield _Place(
            gitea=bot.gitea,
            store=bot.store,
            watching=bot.watching,
            record=record,
            left=bot.engine.left,
            check=still,
            finish=all_done,
        )


@asynccontextmanager
async def _alone(store: Store, name: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Keep out another one of the name, whose work this one would take; gives what goes on with it.

    Raises CoordinatorError where there is one.
    """
    holder, until = uuid.uuid4().hex, 0.0

    async def still() -> None:
        nonlocal until
        if time.monotonic() < until:
            return
        if not await store.lock(f"sync:{name}", holder, HELD):
            raise CoordinatorError(
                "another sync is at work, or was killed within the last two minutes"
            )
        until = time.monotonic() + RENEW

    await still()
    try:
        yield still
    finally:
        await store.unlock(f"sync:{name}", holder)


async def _busy(bot: Bot) -> bool:
    found = await bot.engine.counts()
    return bool(found["waiting"] or found["running"])


async def _nothing() -> None:
    pass
