"""Replicas that share a PostgreSQL database: who is dead, and who does its work then.

Each replica says every few seconds that it lives. One that is not heard of for long enough is
dead: what it had begun goes back into the queue, and the others do it. It may only have been
stopped for a while: so it asks its lease before it writes anything, finds it lost, breaks off all
that it was at, and goes on under another name. For how long another one was not heard of, each
tells by its own clock, which nobody sets. docs/decisions/0017-replicas.md says why so.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.errors import StoreError
from bot.lease import Lease

log = structlog.get_logger(__name__)

BEATS = 5  # in the time after which a replica is dead
KEPT = 2 / 3  # of that time the lease is good for: it ends before others take over
NAMELESS = timedelta(minutes=10)  # what one that never beat has begun is left to it for so long


class Queue(Protocol):
    """The durable queue, as far as replicas need it."""

    @property
    def executor(self) -> str:
        """The name under which this process holds work."""

    @property
    def holds_work(self) -> bool:
        """Whether it ended, and what it had begun could not be put back."""

    async def take_over(self, names: Collection[str]) -> int:
        """Put what these had begun back into the queue; how many pieces of work that is."""

    async def orphans(self, known: Collection[str], older: timedelta) -> list[str]:
        """Who else has begun something, longer ago than that."""

    def break_off(self) -> None:
        """Break off what runs, and begin nothing, until `rename`."""

    async def rename(self, executor: str) -> None:
        """Go on under another name, with nothing begun."""


class Replicas(Protocol):
    """Who was heard of."""

    async def beat(self, name: str) -> None:
        """Say that a replica is at work."""

    async def beats(self) -> dict[str, datetime]:
        """When each was heard of last."""

    async def gone(self, names: Collection[str]) -> None:
        """Forget them."""


def lease_of(dead_after: timedelta) -> Lease:
    """A lease that ends well before others may take over."""
    return Lease(dead_after.total_seconds() * KEPT)


def process_name(name: str) -> str:
    """A name that no other process has, not even the next one that is started under `name`."""
    return f"{name}:{uuid.uuid4().hex[:8]}"


class Heartbeat:
    """Says that this replica lives, and takes over from those that do not."""

    def __init__(
        self, *, name: str, queue: Queue, replicas: Replicas, lease: Lease, dead_after: timedelta
    ) -> None:
        self._name = name
        self._queue = queue
        self._replicas = replicas
        self._lease = lease
        self._dead_after = dead_after
        self._beats: dict[str, tuple[datetime, float]] = {}  # of each the last, seen first at
        self._beating: asyncio.Task[None] | None = None
        self._silent = False

    async def start(self) -> None:
        """Be heard of, before any work is begun; then again and again. Raises StoreError."""
        begun = self._lease.now()
        await self._replicas.beat(self._queue.executor)
        self._lease.renew(begun)
        self._beating = asyncio.create_task(self._beat_on())

    async def stop(self) -> None:
        """Say good-bye: what is left of this replica's work is for the others, at once.

        Where the queue could not put it back, it says nothing: they find it as that of a dead one.
        """
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.wait([self._beating])
        if self._queue.holds_work:
            return
        with contextlib.suppress(StoreError):  # then they find out
            await self._replicas.gone([self._queue.executor])

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._dead_after.total_seconds() / BEATS)
            try:
                await self.beat()
                self._silent = False
            except StoreError as error:
                if not self._silent:
                    log.warning("replica.not_heard", error=str(error))
                self._silent = True
            except Exception:
                log.exception("replica.not_heard")

    async def beat(self) -> None:
        """Be heard of once, and see who is not. Raises StoreError."""
        if not self._lease.held:
            await self._begin_again()
        begun = self._lease.now()
        await self._replicas.beat(self._queue.executor)
        self._lease.extend(begun)
        await self._take_over()

    async def _begin_again(self) -> None:
        """Others may do by now what was begun here: leave it all to the queue, as it is there."""
        old, new = self._queue.executor, process_name(self._name)
        self._queue.break_off()
        begun = self._lease.now()
        await self._replicas.beat(new)
        self._lease.renew(begun)
        try:
            await self._queue.rename(new)
        except BaseException:  # else it would say for ever that it works, and do nothing
            self._lease.lose()
            raise
        taken = await self._queue.take_over([old])
        await self._replicas.gone([old])
        log.warning("replica.was_away", replica=new, before=old, work=taken)

    async def _take_over(self) -> None:
        beats, now = await self._replicas.beats(), self._lease.now()
        before = self._beats
        self._beats = {
            name: before[name] if name in before and before[name][0] == at else (at, now)
            for name, at in beats.items()
        }
        longest = self._dead_after.total_seconds()
        silent = [name for name, (_, since) in self._beats.items() if now - since > longest]
        dead = [*sorted(silent), *await self._queue.orphans(list(beats), NAMELESS)]
        if dead:
            taken = await self._queue.take_over(dead)
            await self._replicas.gone(dead)
            log.warning("replica.dead", replicas=dead, work=taken)
