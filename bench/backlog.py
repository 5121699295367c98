"""Many coordinated issues: in the embedded forge, and in the bot's memory, without a look at each.

For `recheck.py`. In each block of eight issues the 1st and the 5th are waited for, the two after
them wait, one of these also for an issue of another repository, and the 8th is closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.config import Settings
from bot.demo.actor import Actor
from bot.demo.faults import Asked, RequestLog
from bot.demo.forge import Forge
from bot.demo.issues import new_record
from bot.judgement import judgement
from bot.models import IssueRef, RefState, Source, Status
from bot.recheck import JUDGEMENT
from bot.store import tables
from bot.store.database import opened
from bot.store.watching import Watch, Watching
from bot.watermark import Clocks

BOT, ALICE = "coordinator", "alice"
BLOCK = 8
SAYS = "Context estimate: 9k tokens\nDifficulty: easy"
LATER = "later"  # a label that people put on issues
KINDS = ("close", "reopen", "edit", "depend", "label")

Act = tuple[str, str, int]
"""What somebody does: its kind, the repository, and the first number of the block."""


@dataclass
class Clock:
    """The forge's, set back so far: what lies in the past is made before what is measured."""

    back: timedelta = timedelta(hours=2)

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.back


class Calls(RequestLog):
    """Counts all requests: of the log itself only the latest are kept."""

    total = 0

    def add(self, asked: Asked) -> None:
        super().add(asked)
        self.total += 1


@dataclass
class Backlog:
    """The issues: who waits for whom, and what is changed."""

    issues: int
    repositories: int
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.names = [f"acme/repo{n}" for n in range(self.repositories)]
        self.each = self.issues // self.repositories
        self.issues = self.each * self.repositories
        self.forge = Forge(self.clock)
        self.forge.requests = self.calls = Calls()
        self.token = self.forge.add_user(BOT)
        self.forge.add_user(ALICE)
        for name in self.names:
            self.forge.add_repository(name)
            for login in (BOT, ALICE):
                self.forge.grant(name, login, "admin")
            self.actor(name).create_label(LATER)
        for ref in self.refs():
            self._write(ref)

    def _write(self, ref: IssueRef) -> None:
        """An issue in the forge, without a thought for webhooks."""
        forge, title = self.forge, f"Task {ref.number}"
        home = forge.repository(ref.repository)
        issue = new_record(forge.world, forge.user(ALICE), home, title, self.text(ref))
        issue.assignees.append(forge.user(BOT))
        issue.closed_at = issue.created if is_closed(ref.number) else None

    def actor(self, name: str) -> Actor:
        return self.forge.act_as(ALICE, name)

    def refs(self) -> Iterator[IssueRef]:
        for name in self.names:
            for number in range(1, self.each + 1):
                yield IssueRef.parse(f"{name}#{number}")

    def blockers(self, ref: IssueRef) -> list[IssueRef]:
        """Every second issue waits: for the first of its four, or for that and one elsewhere."""
        place = ref.number % 4
        if place not in {2, 3}:
            return []
        first = ref.number - place + 1
        names = [ref.repository]
        if place == 3 and self.repositories > 1:
            names.append(self.names[(self.names.index(ref.repository) + 1) % self.repositories])
        return [IssueRef.parse(f"{name}#{first}") for name in names]

    def text(self, ref: IssueRef) -> str:
        return "\n".join([*(f"Depends on: {on}" for on in self.blockers(ref)), SAYS])

    def plan(self, part: float) -> list[Act]:
        """What is done until such a part of them changed; no issue is touched twice."""
        left, found = round(self.issues * part), list[Act]()
        for nth in range(self.each // BLOCK * len(KINDS) * self.repositories):
            if left <= 0:
                break
            step, at = divmod(nth, self.repositories)
            kind = KINDS[(step + at) % len(KINDS)]
            found.append((kind, self.names[at], step // len(KINDS) * BLOCK + 1))
            left -= 2 if kind == "depend" else 1
        return found

    def act(self, kind: str, name: str, first: int) -> None:
        """Somebody changes an issue of a block; each kind another one."""
        alice = self.actor(name)
        if kind == "close":
            alice.close(first)
        elif kind == "reopen":
            alice.reopen(first + 7)
        elif kind == "edit":
            alice.edit(first + 5, body=SAYS)
        elif kind == "depend":
            alice.block(first + 3, by=first + 4)
        else:
            alice.label(first + 6, LATER)

    def changed(self, since: datetime) -> set[IssueRef]:
        """The issues that changed in Gitea since then."""
        return {
            IssueRef.parse(f"{one.repository.full_name}#{one.number}")
            for one in self.forge.state.issues()
            if one.updated >= since
        }

    # -- what the bot remembers of them -------------------------------------------------------

    async def remember(self, settings: Settings) -> None:
        """All of it, as if every issue had been looked at an hour after it was written."""
        self.clock.back = timedelta(hours=1)
        seen = self.forge.state.now()
        async with opened(settings.database_url) as engine:
            async with engine.begin() as connection:
                issues = [self._issue_row(ref, seen) for ref in self.refs()]
                edges = [_edge_row(ref, on) for ref in self.refs() for on in self.blockers(ref)]
                await connection.execute(sa.insert(tables.issues), issues)
                await connection.execute(sa.insert(tables.edges), edges)
            watching = Watching(engine, now=lambda: datetime.now(UTC))
            await watching.keep_note(JUDGEMENT, judgement(settings))
            mark = Clocks(datetime.now(UTC), seen).watermark
            for name in self.names:
                await watching.keep(Watch(name, mark, self.forge.repository(name).id))

    def _issue_row(self, ref: IssueRef, seen: datetime) -> dict[str, object]:
        waits = {str(on): RefState.OPEN.value for on in self.blockers(ref)}
        status = Status.CLOSED if is_closed(ref.number) else Status.READY
        return {
            "repository": ref.key[0],
            "number": ref.number,
            "shown": ref.repository,
            "coordinated": True,
            "title": f"Task {ref.number}",
            "state": "closed" if is_closed(ref.number) else "open",
            "status": (Status.BLOCKED if waits else status).value,
            "stood": json.dumps(waits),
            "seen_at": seen,
        }


def is_closed(number: int) -> bool:
    return number % BLOCK == 0


def _edge_row(waits: IssueRef, on: IssueRef) -> dict[str, object]:
    return {
        "repository": waits.key[0],
        "number": waits.number,
        "for_repository": on.key[0],
        "for_number": on.number,
        "said_repository": waits.key[0],
        "said_number": waits.number,
        "source": Source.DECLARED.value,
        "shown": waits.repository,
        "for_shown": on.repository,
    }
