"""Which labels a report asks for: their names, colours and descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.config import Settings
from bot.models import ContextSize, Difficulty, Report, Status


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """A label as it is made: `color` as `#rrggbb`; exclusive within its scope."""

    name: str
    color: str
    description: str


@dataclass(frozen=True, slots=True)
class Scopes:
    """The part of a label's name before the slash, for each thing the bot labels."""

    status: str = "status"
    context: str = "context"
    difficulty: str = "difficulty"
    priority: str = "priority"
    agent: str = "agent"

    @classmethod
    def of(cls, settings: Settings) -> Scopes:
        """As these settings call them."""
        return cls(**settings.labels.model_dump(exclude={"enabled"}))


_STATUS = {
    Status.READY: ("#2da44e", "Nothing holds it back: an agent can take it"),
    Status.BLOCKED: ("#cf222e", "Waits for another issue"),
    Status.TOO_BIG: ("#bc4c00", "Needs more context than any agent may be given"),
    Status.HOLD: ("#6e7781", "Out of the queue until somebody says otherwise"),
    Status.IN_PROGRESS: ("#0969da", "Somebody has begun"),
}
_CONTEXT = {
    ContextSize.SMALL: ("#c2e0c6", "Little context to hold"),
    ContextSize.MEDIUM: ("#bfd4f2", "A fair amount of context to hold"),
    ContextSize.LARGE: ("#fef2c0", "Much context to hold"),
    ContextSize.HUGE: ("#f9d0c4", "More context than most agents can hold"),
}
_DIFFICULTY = {
    Difficulty.EASY: ("#0e8a16", "Straightforward"),
    Difficulty.MEDIUM: ("#fbca04", "Needs some thought"),
    Difficulty.HARD: ("#b60205", "Needs care and experience"),
}
_PRIORITY = {
    "p0": ("#b60205", "Before everything else"),
    "p1": ("#d93f0b", "Soon"),
    "p2": ("#fbca04", "In its turn"),
    "p3": ("#c5def5", "When there is time"),
}
_AGENT = ("#8250df", "The agent that should take it")


class LabelBook:
    """Every label the bot may set, under the names this installation gives them."""

    def __init__(self, scopes: Scopes, agents: Sequence[str]) -> None:
        self._scopes = scopes
        named: dict[str, tuple[str, str]] = {
            **{f"{scopes.status}/{key}": look for key, look in _STATUS.items()},
            **{f"{scopes.context}/{key}": look for key, look in _CONTEXT.items()},
            **{f"{scopes.difficulty}/{key}": look for key, look in _DIFFICULTY.items()},
            **{f"{scopes.agent}/{name}": _AGENT for name in agents},
            **{f"{scopes.priority}/{key}": look for key, look in _PRIORITY.items()},
        }
        self.specs: Mapping[str, LabelSpec] = {
            name.casefold(): LabelSpec(name, *look) for name, look in named.items()
        }
        self.priorities = frozenset(f"{scopes.priority}/{key}".casefold() for key in _PRIORITY)
        self.owned = frozenset(self.specs) - self.priorities
        """Names, in lower case, of labels that are always the bot's to set and to take away.

        `priorities` are not: people set them by hand as well, and only where a command said one
        are they the bot's.
        """

    def status(self, status: Status) -> str:
        """The label that shows a status."""
        return f"{self._scopes.status}/{status}"

    @property
    def in_progress(self) -> str:
        """The label by which people and agents say that they have begun."""
        return self.status(Status.IN_PROGRESS)

    def wanted(self, report: Report) -> tuple[LabelSpec, ...]:
        """The labels an issue with this report carries."""
        names = [
            f"{self._scopes.context}/{report.size}",
            f"{self._scopes.difficulty}/{report.difficulty}",
        ]
        if report.status is not Status.CLOSED:
            names.append(self.status(report.status))
        if report.assignment.agent:
            names.append(f"{self._scopes.agent}/{report.assignment.agent.name}")
        if report.priority:
            names.append(f"{self._scopes.priority}/{report.priority}")
        return tuple(self.specs[name.casefold()] for name in names)


def label_book(settings: Settings) -> LabelBook:
    """The labels there are, as these settings call them."""
    return LabelBook(Scopes.of(settings), [agent.name for agent in settings.roster])
