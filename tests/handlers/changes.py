"""A desk for the commands that change something: holds a small state, and writes down changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.commands import Call, Commands, Outcome, Right, discover_commands
from bot.decide import Facts, decide
from bot.dependencies import Graph, would_close_cycle
from bot.desk import Standing
from bot.errors import UserError
from bot.models import Agent, Dependency, Difficulty, IssueRef, RefState, Report, Source
from bot.policy import Policy
from bot.render import Renderer
from bot.sayings import Field, Link, LinkKind, Override, Overrides, Pause
from bot.text.references import references

NOW = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
HERE = IssueRef("acme", "rocket", 3)
COMMANDS = discover_commands()
EVERY = frozenset(Difficulty)


def agent(name: str, limit: int, *, at_once: int = 2, hard: bool = True) -> Agent:
    """An agent; dearer the more it holds."""
    can = EVERY if hard else EVERY - {Difficulty.HARD}
    return Agent(
        name=name,
        context_limit=limit,
        price_in=limit / 100_000,
        price_out=limit / 10_000,
        difficulties=can,
        at_once=at_once,
    )


AGENTS = (agent("haiku", 50_000, hard=False), agent("sonnet", 200_000), agent("big one", 400_000))


def ref(text: str) -> IssueRef:
    """`#7` of the same repository, or `owner/repo#7`."""
    return HERE.sibling(int(text[1:])) if text.startswith("#") else IssueRef.parse(text)


def waits_for(text: str, *sources: Source, state: RefState = RefState.OPEN) -> Dependency:
    """The other end of an edge."""
    return Dependency(ref(text), state, sources or (Source.DECLARED,))


def report(**facts: object) -> Report:
    """What is decided of the issue, from some facts."""
    return decide(Facts(issue=HERE, agents=AGENTS, **facts))  # type: ignore[arg-type]


@dataclass
class Desk:
    """`told` is every change, in words; `rights` what the sender may in other repositories."""

    decided: Report | None = field(default_factory=report)
    body: str = "Title\n\nText"
    rights: Mapping[str, Right | None] = field(default_factory=dict)
    missing: Collection[str] = ()
    around: Sequence[tuple[str, str]] = ()
    closed: Collection[str] = ()
    said: dict[tuple[IssueRef, IssueRef], LinkKind] = field(default_factory=dict)
    set: dict[Field, str] = field(default_factory=dict)
    failed: int = 0
    waiting: Collection[str] = ()
    is_paused: bool = False
    told: list[str] = field(default_factory=list)

    holds: Policy = field(default_factory=Policy)

    bot = "coordinator"
    agents: Sequence[Agent] = AGENTS
    commands: Commands = COMMANDS

    def references(self, text: str, *, issue: IssueRef) -> tuple[IssueRef, ...]:
        return references(text, issue=issue, hosts=frozenset({"git.test"}))

    async def policy(self, repository: str) -> Policy:
        assert HERE.repository == repository
        return self.holds

    async def report(self, issue: IssueRef) -> Report | None:
        assert HERE == issue
        return self.decided

    async def text(self, issue: IssueRef) -> str:
        assert HERE == issue
        return self.body

    async def overrides(self, issue: IssueRef) -> Overrides:
        return Overrides(tuple(Override(f, v, "bob", NOW) for f, v in self.set.items()))

    async def override(
        self, issue: IssueRef, field: Field, value: str, *, by: str, reason: str = ""
    ) -> None:
        self.set[field] = value
        self.told.append(f"{field} {value} by {by}" + (f": {reason}" if reason else ""))

    async def give_back(self, issue: IssueRef, field: Field) -> bool:
        self.told.append(f"{field} given back")
        return self.set.pop(field, None) is not None

    async def link(
        self, waits: IssueRef, on: IssueRef, *, by: str, at: IssueRef | None = None
    ) -> None:
        assert HERE == at
        self.told.append(f"{waits.seen_from(HERE)} waits for {on.seen_from(HERE)}, by {by}")

    async def ignore(self, waits: IssueRef, on: IssueRef, *, by: str) -> None:
        self.told.append(f"{waits.seen_from(HERE)} ▸ {on.seen_from(HERE)} ignored, by {by}")

    async def unlink(self, waits: IssueRef, on: IssueRef) -> bool:
        self.told.append(f"{waits.seen_from(HERE)} ▸ {on.seen_from(HERE)} taken away")
        return True

    async def links(self, issue: IssueRef) -> Sequence[Link]:
        return [Link(waits, on, kind, "bob", NOW) for (waits, on), kind in self.said.items()]

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        return [(ref(waits), ref(on)) for waits, on in self.around]

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> Sequence[IssueRef]:
        assert HERE == at
        states = {ref(one): RefState.CLOSED for one in self.closed}
        graph = Graph([*await self.edges(at), *also], states)
        return would_close_cycle(graph, (waits, on))

    async def standing(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Standing]:
        return {
            one: Standing(one, "", RefState.CLOSED, "", "", None)
            for one in map(ref, self.closed)
            if one in refs
        }

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> Mapping[IssueRef, int]:
        return {}

    async def right(self, repository: str, user: str) -> Right | None:
        assert user, "of somebody nothing is known"
        assert (HERE.repository, "alice") != (repository, user)
        if repository == "not/administered":
            raise UserError("I cannot look up what you may do there")
        return self.rights.get(repository)

    async def exists(self, issue: IssueRef) -> bool:
        return issue.seen_from(HERE) not in self.missing

    async def put_back(self, issue: IssueRef) -> int:
        number, self.failed = self.failed, 0
        return number

    async def queue(self, repository: str) -> Sequence[Standing]:
        assert HERE.repository == repository
        return [Standing(ref(one), "", RefState.OPEN, "ready", "", None) for one in self.waiting]

    async def blockers(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Sequence[IssueRef]]:
        return {}

    async def all_in(self, repository: str) -> Sequence[IssueRef]:
        assert HERE.repository == repository
        return [ref(one) for one in self.waiting]

    async def pause(self, repository: str, *, by: str, reason: str = "") -> None:
        self.is_paused = True
        self.told.append(f"{repository} paused by {by}" + (f": {reason}" if reason else ""))

    async def resume(self, repository: str) -> bool:
        was, self.is_paused = self.is_paused, False
        self.told.append(f"{repository} resumed")
        return was

    async def paused(self, repository: str) -> Pause | None:
        return Pause(repository, "bob", NOW) if self.is_paused else None


async def do(line: str, desk: object, *, is_pull: bool = False, doubt: str = "") -> Outcome:
    """Do a command that alice, who may write, gave; with a `doubt`, somebody who may."""
    verb, _, rest = line.removeprefix("/").partition(" ")
    command = COMMANDS.get(verb)
    assert command is not None
    who = "" if doubt else "alice"
    call = Call(HERE, verb, rest.strip(), who, is_pull, Right.WRITE, doubt=doubt)
    return await command.do(call, desk)


async def refused(line: str, desk: Desk, *, is_pull: bool = False, doubt: str = "") -> str:
    """Why a command is refused; nothing was changed."""
    try:
        await do(line, desk, is_pull=is_pull, doubt=doubt)
    except UserError as error:
        assert [] == desk.told
        return str(error)
    raise AssertionError(f"{line} was done: {desk.told}")


def note(outcome: Outcome) -> str:
    """What stands in the line of a command that was done."""
    assert outcome.look, "without it, this would be an answer of its own"
    if not outcome.template:
        return ""
    values = {"issue": HERE, **outcome.values}
    text = Renderer().reply(outcome.template, **values).strip()
    assert "\n" not in text
    assert not text.startswith(("/", "@"))
    return text


def looks(outcome: Outcome) -> list[str]:
    """The issues that are looked at because of it."""
    return [one.seen_from(HERE) for one in outcome.look]
