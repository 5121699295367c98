"""Which agent should take the work: the cheapest that fits, handles it and has room.

The 50 % rule: work fits an agent when its estimate is at most `share` (half, unless set
otherwise) of the agent's context limit; the rest is for what the agent says, tries and re-reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.models import Agent, Assignment, Difficulty, Misfit, Source, Verdict

# An agent writes far less than it holds. A change is about a tenth of the context it needs
# (median over the cases of docs/decisions/0003-estimate.md), and that is priced as output.
WRITTEN = 0.1
NEAR_ENOUGH = 60  # of 100; below it a name is no likely slip of another


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be given to an agent, and what the agents are doing already.

    `tokens` is the estimate; `busy` the number of *other* issues each agent has in progress, by
    name; `share` the part of a context limit one task may take.
    """

    tokens: int
    difficulty: Difficulty
    busy: Mapping[str, int]
    share: float


def choose(
    agents: Sequence[Agent],
    estimate_tokens: int,
    difficulty: Difficulty,
    *,
    busy: Mapping[str, int],
    share: float,
    declared: str | None,
    override: str | None = None,
) -> Assignment:
    """Choose an agent for the work, and say of every other one why it was not chosen.

    A person's `override` is obeyed even when that agent does not fit. An agent `declared` in the
    text is taken even when it is dearer, busy or not meant for this difficulty, but not when the
    work is too big for it. Names are understood as `match` does; one that names no agent counts
    as not given. `busy` does not count the issue at hand. Equal agents: the first one listed.
    """
    work = Work(estimate_tokens, difficulty, busy, share)
    chosen, source = _named(agents, work, declared, override)
    if chosen is None:
        fitting = [a for a in agents if not misfits(a, work)]
        chosen = min(fitting, key=lambda a: _order(a, work), default=None)
    verdicts = tuple(_verdict(agent, work, chosen, source) for agent in agents)
    return Assignment(chosen, source, verdicts)


def _named(
    agents: Sequence[Agent], work: Work, declared: str | None, override: str | None
) -> tuple[Agent | None, Source]:
    told = match(override, agents)
    if told is not None:
        return told, Source.COMMAND
    said = match(declared, agents)
    if said is not None and Misfit.TOO_SMALL not in misfits(said, work):
        return said, Source.DECLARED
    return None, Source.TEXT


def room(agent: Agent, share: float) -> int:
    """How many tokens of work an agent may be given."""
    return int(agent.context_limit * share)


def cost(agent: Agent, tokens: int) -> float:
    """What work of so many tokens costs: read once, and a tenth of it written."""
    return tokens * (agent.price_in + WRITTEN * agent.price_out) / 1_000_000


def misfits(agent: Agent, work: Work) -> tuple[Misfit, ...]:
    """Why an agent could not take the work; empty when it could."""
    found = {
        Misfit.TOO_SMALL: work.tokens > room(agent, work.share),
        Misfit.DIFFICULTY: work.difficulty not in agent.difficulties,
        Misfit.BUSY: work.busy.get(agent.name, 0) >= agent.at_once,
    }
    return tuple(misfit for misfit, so in found.items() if so)


def _order(agent: Agent, work: Work) -> tuple[float, int]:
    return cost(agent, work.tokens), agent.context_limit


def _verdict(agent: Agent, work: Work, chosen: Agent | None, source: Source) -> Verdict:
    against: tuple[Misfit, ...] = ()
    if agent is not chosen:
        against = misfits(agent, work)
        if chosen is not None and not against:
            against = (Misfit.DEARER if source is Source.TEXT else Misfit.NOT_NAMED,)
    return Verdict(
        agent=agent,
        room=room(agent, work.share),
        cost=cost(agent, work.tokens),
        busy=work.busy.get(agent.name, 0),
        misfits=against,
    )


def match(name: str | None, agents: Sequence[Agent]) -> Agent | None:
    """The agent a person means: `Sonnet`, `@sonnet`, `Sonnet 4.5` and `claude-sonnet-4-5` are one.

    Letters' case and punctuation do not count. Otherwise all words of the agent's name must stand
    in `name` side by side (the longest such agent, then the one named first), or, when that finds
    nobody, those of `name` in the name of one agent only.
    """
    words = _words(name or "")
    if not any(word.isalpha() for word in words):
        return None
    inside = [
        (-len(w), at, n)
        for n, a in enumerate(agents)
        if (at := _find(w := _words(a.name), words)) is not None
    ]
    if inside:
        return agents[min(inside)[2]]
    around = [agent for agent in agents if _find(words, _words(agent.name)) is not None]
    return around[0] if len(around) == 1 else None


def nearest(name: str, agents: Sequence[Agent]) -> str:
    """The agent's name that comes nearest to an unknown one, or empty when none is near."""
    names = [agent.name for agent in agents]
    found = process.extractOne(
        name, names, scorer=fuzz.WRatio, processor=str.casefold, score_cutoff=NEAR_ENOUGH
    )
    return found[0] if found else ""


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W\d_]+|\d+", name[:200].casefold()))


def _find(part: tuple[str, ...], whole: tuple[str, ...]) -> int | None:
    """Where the words of `part` stand in `whole`, side by side."""
    if not part:
        return None
    return next((i for i in range(len(whole)) if whole[i : i + len(part)] == part), None)
