"""What an issue's text says: what it declares, and what Claude reads of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.errors import AIError
from bot.gitea.models import Issue
from bot.models import IssueRef, Metadata, Reading
from bot.parser import parse
from bot.reading import PASSING, AskError, Wanted

log = structlog.get_logger(__name__)

LONG = 50_000  # characters; reading more holds the event loop for longer than an answer may take


class TextReader(Protocol):
    """Claude, as far as this is concerned."""

    async def read(
        self, *, title: str, body: str, issue: IssueRef, wanted: frozenset[Wanted]
    ) -> Reading:
        """What stands in the text; raises AIError."""

    async def forget(self, *, title: str, body: str) -> None:
        """Ask afresh the next time."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text declares, and what came of asking Claude.

    That is a reading, a `failure` fit for the report, or nothing yet: then `under_way` is done
    when Claude has answered. None of them where there was nothing to ask. `unread`: what the issue
    waits for is to be read by Claude, and was not read in this text so far. `passing`: the failure
    is one that passes by itself.
    """

    metadata: Metadata
    reading: Reading | None = None
    failure: str | None = None
    under_way: asyncio.Task[None] | None = None
    unread: bool = False
    passing: bool = False

    @property
    def refs(self) -> frozenset[IssueRef]:
        """Every issue that the text names among its dependencies, or is read to wait for."""
        read = self.reading.blocked_by if self.reading else ()
        return frozenset({*self.metadata.blocked_by, *self.metadata.blocks, *read})

    def called(self, now: Mapping[IssueRef, IssueRef]) -> Understood:
        """The same, with issues by where they are now; those absent are where they were."""

        def there(refs: tuple[IssueRef, ...]) -> tuple[IssueRef, ...]:
            return tuple(dict.fromkeys(now.get(ref, ref) for ref in refs))

        metadata, reading = self.metadata, self.reading
        metadata = metadata.model_copy(
            update={"blocked_by": there(metadata.blocked_by), "blocks": there(metadata.blocks)}
        )
        if reading:
            reading = reading.model_copy(update={"blocked_by": there(reading.blocked_by)})
        return replace(self, metadata=metadata, reading=reading)


class Understanding:
    """Reads texts. `hosts` are this Gitea's; without `reader`, only what is declared counts."""

    def __init__(self, reader: TextReader | None, hosts: frozenset[str]) -> None:
        self._reader = reader
        self._hosts = hosts

    async def of(self, issue: Issue, patience: float | None, *, ask: bool = True) -> Understood:
        """What the text says, waiting for Claude for `patience` seconds (None: to the end).

        Without `ask` the text is not sent to Claude.
        """
        metadata = await self._declared(issue)
        wanted = _wanted(metadata)
        if self._reader is None or not ask or not wanted:
            return Understood(metadata)
        unread = Wanted.DEPENDENCIES in wanted
        if not issue.is_open:
            return Understood(metadata, unread=unread)
        asked = asyncio.ensure_future(
            self._reader.read(title=issue.title, body=issue.body, issue=issue.ref, wanted=wanted)
        )
        try:
            await asyncio.wait([asked], timeout=patience)
            if not asked.done():
                under_way = asyncio.create_task(_ended(asked))
                return Understood(metadata, under_way=under_way, unread=unread)
            return Understood(metadata, reading=asked.result())
        except AIError as error:
            log.warning("ai.failed", issue=str(issue.ref), error=str(error))
            passing = isinstance(error, AskError) and error.outcome in PASSING
            return Understood(metadata, failure=str(error), unread=unread, passing=passing)

    async def forget(self, issue: Issue) -> None:
        """Have Claude asked about this text again, though it has answered."""
        if self._reader is not None:
            await self._reader.forget(title=issue.title, body=issue.body)

    async def _declared(self, issue: Issue) -> Metadata:
        def declared() -> Metadata:
            return parse(issue.body, issue=issue.ref, title=issue.title, hosts=self._hosts or None)

        # Gitea takes 3 MB of text, which takes two seconds, and waits five for its webhooks.
        return await asyncio.to_thread(declared) if len(issue.body) > LONG else declared()


async def _ended(asked: asyncio.Future[Reading]) -> None:
    """Return when an answer, or that there is none, is there."""
    await asyncio.wait([asked])
    if not asked.cancelled():
        asked.exception()  # seen: the look that follows asks again, and tells


def _wanted(metadata: Metadata) -> frozenset[Wanted]:
    missing = set()
    if metadata.difficulty is None:
        missing.add(Wanted.DIFFICULTY)
    if metadata.estimated_context is None:
        missing.add(Wanted.CONTEXT)
    if not metadata.blocked_by and not metadata.unreadable:
        missing.add(Wanted.DEPENDENCIES)
    return frozenset(missing)
