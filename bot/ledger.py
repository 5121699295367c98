"""What was done already, and so what of a request is left to do.

A command is kept under place, line and words, with what came of it and the request whose reply
speaks of it. An edit moves lines, so where no command of these words is kept at this line, one at
another line of the same place stands for it; each for one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.commands import Said
from bot.models import IssueRef
from bot.requests import PASSED, Request, Result, Wanted, digest, name_of
from bot.sayings import Overrides, Pause

NOBODY = ""  # who gives what is noted beside commands
OVER, SAID = "over", "said"  # notes of a request: all of it is done; it was answered
_REST = re.compile(r"(?:([0-9]+):)?([0-9a-f]{16})")  # of a key, behind the place


class Notes(Protocol):
    """Where it is noted what was done."""

    async def begin_command(self, key: str, by: str) -> bool:
        """Note that a command is begun; False when it was before."""

    async def finish_command(self, key: str, result: str) -> None:
        """Note what came of it."""

    async def result_of(self, key: str) -> str | None:
        """What came of it, or None while that is not known."""

    async def finished(self, prefix: str) -> Mapping[str, str]:
        """What came of every command whose key begins so, by key."""


class Ledger(Notes, Protocol):
    """What was done already, and what bears on doing it."""

    async def commands_since(self, by: str, since: datetime) -> int:
        """How many commands somebody gave since then."""

    async def paused(self, repository: str) -> Pause | None:
        """Whether nothing is to be written in a repository."""

    async def overrides(self, issue: IssueRef) -> Overrides:
        """All that is set on an issue."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that is over; without a result where it was passed over."""

    key: str
    line: int
    digest: str
    result: Result | None


async def note(ledger: Notes, key: str, what: str) -> None:
    """Note something beside commands."""
    await ledger.begin_command(key, NOBODY)
    await ledger.finish_command(key, what)


async def is_noted(ledger: Notes, what: str, name: str) -> bool:
    """Whether a request was answered, or is over."""
    return await ledger.result_of(f"{what}:{name}") is not None


async def pass_over(ledger: Notes, wanted: Iterable[Wanted]) -> None:
    """Have commands not done when they are found by asking."""
    for one in wanted:
        await note(ledger, f"{PASSED}:{one.key}", PASSED)


async def left_of_event(request: Request, ledger: Notes) -> Request:
    """Without what another request did, which found it by asking, and speaks of it.

    What this one did itself, before the process ended, stays: its reply is to speak of it.
    """
    text = sorted((*request.said, *request.beside), key=lambda said: said.line)
    done = pair(text, await _entries(ledger, request.origin))
    kept = (_own(one, done.get(one.said), request.name) for one in request.wanted)
    return replace(request, wanted=tuple(one for one in kept if one))


def _own(one: Wanted, entry: Entry | None, name: str) -> Wanted | None:
    if entry is None or entry.result is None:
        return one
    by = entry.result.request
    if by == name or (not by and entry.key == one.key):
        return replace(one, key=entry.key)
    return None


async def left_to_hear(request: Request, ledger: Notes) -> list[Request]:
    """What is left to do of what was found by asking: nothing that was passed over, or is over.

    A request that was answered is finished under its own name. One that did something and came to
    no answer is gone on with: the name of the rest is its name, so that there is one reply.
    """
    passed = await _entries(ledger, f"{PASSED}:{request.origin}")
    done = pair(request.said, [*passed, *await _entries(ledger, request.origin)])
    answered, rest, name = dict[str, list[Wanted]](), list[Wanted](), ""
    for one in request.wanted:
        entry = done.get(one.said)
        if entry is None:
            rest.append(one)
        elif entry.result and not await _is_over(entry.result.request, ledger):
            by, kept = entry.result.request, replace(one, key=entry.key)
            if await is_noted(ledger, SAID, by):
                answered.setdefault(by, []).append(kept)
            else:
                name = name or by
                rest.append(kept)
    left = [replace(request, wanted=tuple(them), name=by) for by, them in answered.items()]
    if rest:
        name = name or name_of(request.origin, [one.said for one in rest])
        left.append(replace(request, wanted=tuple(rest), name=name))
    return left


def pair(text: Sequence[Said], entries: Iterable[Entry]) -> dict[Said, Entry]:
    """Which commands of a text are kept, and as what; of two kept at one line the later counts."""
    kept = {(entry.line, entry.digest): entry for entry in entries}
    digests = {said: digest(said.text) for said in text}
    found = {
        said: kept.pop((said.line, digests[said]))
        for said in text
        if (said.line, digests[said]) in kept
    }
    elsewhere = defaultdict[str, list[Entry]](list)
    for _, entry in sorted(kept.items()):
        elsewhere[entry.digest].append(entry)
    for said in text:
        if said not in found and elsewhere[digests[said]]:
            found[said] = elsewhere[digests[said]].pop(0)
    return found


async def _entries(ledger: Notes, place: str) -> list[Entry]:
    found = await ledger.finished(f"{place}:")
    entries = []
    for key, result in found.items():
        rest = _REST.fullmatch(key.removeprefix(f"{place}:"))
        if rest:
            what = None if result == PASSED else Result.load(result)
            entries.append(Entry(key, int(rest[1] or 0), rest[2], what))
    return entries


async def _is_over(name: str, ledger: Notes) -> bool:
    return not name or await is_noted(ledger, OVER, name)
