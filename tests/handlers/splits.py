"""A desk for the tests of splitting: an issue that is too big, and a repository to open others in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.boxes import REPLY
from bot.commands import Call, Outcome, Right, discover_commands
from bot.desk import Written
from bot.errors import AIError, Retryable
from bot.models import (
    Dependency,
    Estimate,
    IssueRef,
    RefState,
    Report,
    Source,
    Status,
    Warn,
    WarningKind,
)
from bot.proposal import part_of
from bot.render import Renderer
from bot.sayings import Pause
from bot.splitting import Part
from tests.handlers.questions import READY

HERE = IssueRef("acme", "rocket", 2)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMMANDS = discover_commands()
BODY = (
    "## 1. Parser\nChange `a.py`.\n\n## 2. Lexer\n@bob writes it.\n\n## Documentation\nAll of it."
)

FITS = READY
TOO_BIG = replace(
    READY,
    status=Status.TOO_BIG,
    estimate=Estimate(150_000, Source.DECLARED),
    warnings=(Warn(WarningKind.TOO_BIG, numbers=(150_000, 100_000, 50_000)),),
)


def blocked(*refs: IssueRef, private: bool = False) -> Report:
    blockers = [Dependency(r, RefState.OPEN, (Source.DECLARED,), private=private) for r in refs]
    return replace(TOO_BIG, blockers=tuple(blockers))


@dataclass
class Desk:
    """Knows what it was given; opens issues from #20 on, and stops before it opens `crash_at`."""

    known: Report | None = TOO_BIG
    body: str = BODY
    read: tuple[Part, ...] | AIError | None = None
    written: list[Written] = field(default_factory=list)
    issues: dict[IssueRef, tuple[str, str]] = field(default_factory=dict)
    linked: list[tuple[int, int, str]] = field(default_factory=list)
    crash_at: int | None = None
    is_paused: bool = False
    since: list[datetime] = field(default_factory=list)
    bot: str = "coordinator"
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def report(self, issue: IssueRef) -> Report | None:
        return self.known

    async def text(self, issue: IssueRef) -> str:
        return f"Engine\n\n{self.body}"

    async def paused(self, repository: str) -> Pause | None:
        return Pause(repository, "bob", NOW) if self.is_paused else None

    async def divided(self, issue: IssueRef, room: int, tokens: int) -> tuple[Part, ...] | None:
        self.asked.append((room, tokens))
        if isinstance(self.read, AIError):
            raise self.read
        return self.read

    async def proposals(self, issue: IssueRef) -> Sequence[Written]:
        return self.written

    async def parts(self, issue: IssueRef, digest: str, since: datetime) -> Mapping[int, IssueRef]:
        self.since.append(since)
        found = {ref: part_of(body) for ref, (_, body) in self.issues.items()}
        return {said[1]: ref for ref, said in found.items() if said and said[2] == digest}

    async def create_issue(self, repository: str, title: str, body: str) -> IssueRef:
        assert HERE.repository == repository
        number = 20 + len(self.issues)
        if number == self.crash_at:
            self.crash_at = None
            raise Retryable("gone")
        self.issues[HERE.sibling(number)] = (title, body)
        return HERE.sibling(number)

    async def link(
        self, waits: IssueRef, on: IssueRef, *, by: str, at: IssueRef | None = None
    ) -> None:
        assert waits == at, "it is said where the whole is"
        self.linked.append((waits.number, on.number, by))


async def do(line: str, desk: Desk, *, comment: int | None = None) -> Outcome:
    """What comes of a command of alice's."""
    verb, _, rest = line.removeprefix("/").partition(" ")
    command = COMMANDS.get(verb)
    assert command is not None
    call = Call(HERE, verb, rest, "alice", right=Right.WRITE, comment=comment)
    return await command.do(call, desk)


def shown(outcome: Outcome) -> str:
    """A reply as it is posted."""
    text = Renderer().reply(outcome.template, issue=HERE, **outcome.values)
    return f"{REPLY} comment:7 verb=split -->\n{text}"


async def proposed(desk: Desk, *, id: int = 31, at: datetime = NOW) -> str:  # noqa: A002
    """Have a split proposed, and posted."""
    body = shown(await do("/split", desk))
    desk.written.append(Written(id, body, at))
    return body
