"""What the tests of asking commands share: a desk that knows what it is told, and how to ask it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.commands import Call, Command, Commands, Outcome, discover_commands, find
from bot.desk import Standing
from bot.models import (
    Agent,
    Assignment,
    ContextSize,
    Difficulty,
    Estimate,
    IssueRef,
    Misfit,
    RefState,
    Report,
    Source,
    Status,
    Verdict,
)
from bot.policy import Policy
from bot.render import Renderer

COMMANDS = discover_commands()
EASY, MEDIUM, HARD = Difficulty
RENDERER = Renderer()


def ref(number: int, repo: str = "rocket") -> IssueRef:
    return IssueRef("acme", repo, number)


def agent(name: str, *difficulties: Difficulty) -> Agent:
    return Agent(
        name=name,
        context_limit=200_000,
        price_in=3,
        price_out=15,
        difficulties=frozenset(difficulties),
        at_once=2,
    )


HAIKU, SONNET, OPUS = (
    agent("haiku", EASY),
    agent("sonnet", EASY, MEDIUM),
    agent("opus", *Difficulty),
)
VERDICTS = (
    Verdict(HAIKU, 100_000, 0.057, misfits=(Misfit.DIFFICULTY,)),
    Verdict(SONNET, 100_000, 0.171, busy=1),
    Verdict(OPUS, 100_000, 0.285, busy=1, misfits=(Misfit.DEARER,)),
)
READY = Report(
    issue=ref(2),
    status=Status.READY,
    estimate=Estimate(18_400, Source.TEXT, 11_000, 31_000),
    size=ContextSize.SMALL,
    difficulty=MEDIUM,
    difficulty_source=Source.AI,
    assignment=Assignment(SONNET, Source.TEXT, VERDICTS),
    share=0.5,
)


def standing(number: int, status: str = "ready", *, repo: str = "rocket", **other: Any) -> Standing:
    """An open issue as it is remembered, called "Issue N" unless it is said otherwise."""
    given = {"title": f"Issue {number}", "state": RefState.OPEN, "agent": "", "priority": None}
    return Standing(issue=ref(number, repo), status=status, **{**given, **other})


@dataclass
class Desk:
    """Knows what it was given."""

    known: Report | None = None
    graph: Sequence[tuple[IssueRef, IssueRef]] = ()
    standings: Sequence[Standing] = ()
    kept_back: Mapping[IssueRef, int] = field(default_factory=dict)
    agents: Sequence[Agent] = (HAIKU, SONNET, OPUS)
    commands: Commands = COMMANDS
    bot: str = "coordinator"
    holds: Policy = field(default_factory=Policy)
    asked: list[str] = field(default_factory=list)

    async def report(self, issue: IssueRef) -> Report | None:
        return self.known

    async def policy(self, repository: str) -> Policy:
        assert ref(2).repository == repository
        return self.holds

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        return self.graph

    async def standing(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Standing]:
        return {one.issue: one for one in self.standings if one.issue in refs}

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> Mapping[IssueRef, int]:
        assert ref(2) == at
        return {one: count for one, count in self.kept_back.items() if one in refs}

    async def queue(self, repository: str) -> Sequence[Standing]:
        self.asked.append(repository)
        return self.standings

    async def blockers(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Sequence[IssueRef]]:
        return {one: [on for waits, on in self.graph if waits == one] for one in refs}


def command(verb: str) -> Command:
    found = COMMANDS.get(verb)
    assert found is not None
    return found


async def do(text: str, desk: object, *, is_pull: bool = False) -> Outcome:
    """What comes of a command as typed, said at acme/rocket#2."""
    verb, _, rest = text.removeprefix("/").partition(" ")
    return await command(verb).do(Call(ref(2), verb, rest, "alice", is_pull), desk)


async def ask(text: str, desk: object, *, is_pull: bool = False) -> str:
    """The reply to a command, as it is posted; checked to change nothing, and to be no command."""
    outcome = await do(text, desk, is_pull=is_pull)
    assert () == outcome.look, "a question changes nothing"
    verb = text.removeprefix("/").partition(" ")[0]
    call = Call(ref(2), verb, text.partition(" ")[2], "alice", is_pull)
    reply = RENDERER.reply(outcome.template, issue=ref(2), call=call, **outcome.values)
    assert [] == find(reply, bot="coordinator", known=[one.verb for one in COMMANDS])
    assert not [line for line in reply.splitlines() if line.lstrip().startswith(("/", "@"))]
    return reply
