"""What a repository changes for itself: `.gitea/coordinator.toml` on its default branch, read.

Pure: a file's bytes and the bot's own settings in, a policy and the mistakes out. What is wrong
counts as if it did not stand there, and what is right counts all the same; a file that cannot be
read at all counts as if there were none, but that no text goes to Claude: it may forbid that.
Whoever may push there is a stranger to the bot's owner, so nothing in it reaches beyond its
repository, and nothing in it is believed to be short.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from rapidfuzz import fuzz, process

from bot.config import SECRETS, LabelSettings, Settings, setting_paths
from bot.labels import Scopes
from bot.models import Agent, Mistake, Mode
from bot.policy_file import Line, PolicyFile, PolicyPath, Unread, leaves, lines_of, table_of, told

MOST_BYTES = 8 * 1024
NEVER_OFF = frozenset({"help", "status", "resume"})
"""Commands that no repository can switch off: what there is, how it stands, the end of a pause."""

_SECRET_WORDS = frozenset({path[-1] for path in SECRETS}) | {"password", "secret"}
_ORDER = tuple(Mode)
_AI = ("ai",)


@dataclass(frozen=True, slots=True)
class Policy:
    """By what the issues of one repository are judged.

    `barred` are agents that the bot knows and that may not work there; `off` the verbs of commands
    that are switched off. `labels`: whether labels are set.
    """

    agents: tuple[Agent, ...] = ()
    barred: tuple[Agent, ...] = ()
    share: float = 0.5
    scopes: Scopes = field(default_factory=Scopes)
    labels: bool = True
    mode: Mode = Mode.BOTH
    ai: bool = True
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """What the bot's own settings say, for all repositories, and the verbs that there are."""

    policy: Policy
    verbs: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, verbs: Collection[str]) -> Site:
        """The settings in force, and the commands that people are told of."""
        policy = Policy(
            agents=settings.roster,
            share=settings.limits.share,
            scopes=Scopes.of(settings),
            labels=settings.labels.enabled,
            mode=Mode(settings.gitea.dependencies),
            ai=settings.ai.enabled,
        )
        return cls(policy, tuple(sorted(verbs)))


def read_policy(data: bytes, site: Site) -> tuple[Policy, tuple[Mistake, ...]]:
    """The policy of a repository whose file holds `data`, and what is wrong in it, by line."""
    if len(data) > MOST_BYTES:
        return not_read(site, f"it is larger than {MOST_BYTES // 1024} KiB")
    try:
        text, table = table_of(data)
    except Unread as error:
        return not_read(site, error.says, error.line)
    reading = _Reading(site, text)
    policy = reading.policy(table)
    return policy, tuple(sorted(reading.mistakes, key=lambda one: one.line or 0))


def not_read(site: Site, why: str, line: Line = None) -> tuple[Policy, tuple[Mistake, ...]]:
    """What follows where the file cannot be read: as if there were none, but without Claude."""
    return replace(site.policy, ai=False), (Mistake(why, line, whole=True),)


class _Reading:
    """One reading of a file; collects the mistakes."""

    def __init__(self, site: Site, text: str) -> None:
        self._site = site
        self._text = text
        self.mistakes: list[Mistake] = []
        self._may_ask = site.policy.ai

    @cached_property
    def _lines(self) -> Mapping[PolicyPath, int]:
        return lines_of(self._text)

    def policy(self, table: Mapping[str, Any]) -> Policy:
        """What the file changes, over what the bot's settings say."""
        file = self._checked(table)
        site = self._site.policy
        agents = self._agents(file.agents)
        labels = self._labels(file)
        mode = self._mode(file.dependencies)
        return replace(
            site,
            agents=agents,
            barred=tuple(one for one in site.agents if one not in agents),
            share=site.share if file.limits.share is None else file.limits.share,
            scopes=labels,
            labels=site.labels if file.labels.enabled is None else file.labels.enabled,
            mode=mode,
            ai=self._may_ask and file.ai is not False,
            off=self._off(file.commands.off),
        )

    def _checked(self, table: Mapping[str, Any]) -> PolicyFile:
        """The file without what is no setting, and without what has no right value."""
        known = set(PolicyFile.paths())
        kept: dict[str, Any] = {}
        for path, value in leaves(table, known):
            if path in known:
                _put(kept, path, value)
            else:
                self._is_none(path, known)
        file, wrong = PolicyFile.read(kept)
        self._may_ask &= _AI not in dict(wrong)  # somebody meant to say something
        for path, says in wrong:
            self._wrong(path, f"{told('.'.join(path))} {says}")
        return file

    def _wrong(self, path: PolicyPath, says: str) -> None:
        self.mistakes.append(Mistake(says, self._line(path)))

    def _line(self, path: PolicyPath) -> Line:
        """Where a setting stands, or what it is in."""
        tries = (path[:length] for length in range(len(path), 0, -1))
        return next((self._lines[one] for one in tries if one in self._lines), None)

    def _is_none(self, path: PolicyPath, known: Collection[PolicyPath]) -> None:
        name = ".".join(path)
        if any(one[: len(path)] == path for one in known):
            self._wrong(path, f"{told(name)} must be a table, [{name}]")
        elif path[-1].lower() in _SECRET_WORDS:
            says = "is a secret; take it out, and make a new one, for who can read this has it"
            self._wrong(path, f"{told(name)} {says}")
        elif path in set(setting_paths()) or path[0] == "agents":
            self._wrong(path, f"{told(name)} is set for all repositories, not here")
        else:
            names = [".".join(one) for one in known]
            self._wrong(path, f"there is no setting {told(name)}{_hint(name, names)}")

    def _agents(self, names: Sequence[str] | None) -> tuple[Agent, ...]:
        there = {agent.name: agent for agent in self._site.policy.agents}
        if names is None:
            return self._site.policy.agents
        for name in names:
            if name.lower() not in there:
                hint = _hint(name.lower(), there) or f"; there are {', '.join(list(there)[:10])}"
                self._wrong(("agents",), f"there is no agent {told(name)}{hint}")
        chosen = {name.lower() for name in names}
        found = tuple(agent for name, agent in there.items() if name in chosen)
        if not names:
            self._wrong(("agents",), '"agents" names nobody; take it out, or name one')
        return found or self._site.policy.agents

    def _mode(self, wanted: str | None) -> Mode:
        most = self._site.policy.mode
        if wanted is None:
            return most
        mode = Mode(wanted)
        if _ORDER.index(mode) > _ORDER.index(most):
            says = f'"dependencies" goes no further than "{most}", as the bot\'s own settings say'
            self._wrong(("dependencies",), says)
            return most
        return mode

    def _labels(self, file: PolicyFile) -> Scopes:
        given = file.labels.model_dump(exclude={"enabled"}, exclude_none=True)
        site = self._site.policy.scopes
        good: dict[str, str] = {}
        for name, scope in given.items():
            path = ("labels", name)
            if not LabelSettings.is_scope(scope):
                says = "must be 1 to 30 characters that can be seen, without a comma"
                self._wrong(path, f'"labels.{name}" {says}')
            else:
                good[name] = scope
        while clash := _clash(asdict(site) | good, good):
            says = f'"labels.{clash}" is the name of another scope, too; every one needs its own'
            self._wrong(("labels", clash), says)
            del good[clash]
        return replace(site, **good)

    def _off(self, verbs: Sequence[str] | None) -> frozenset[str]:
        off = set()
        for said in verbs or ():
            verb = said.strip().removeprefix("/").lower()
            if verb in NEVER_OFF:
                self._wrong(("commands", "off"), f"{told(verb)} cannot be switched off")
            elif verb not in self._site.verbs:
                hint = _hint(verb, self._site.verbs)
                self._wrong(("commands", "off"), f"there is no command {told(said)}{hint}")
            else:
                off.add(verb)
        return frozenset(off)


def _put(table: dict[str, Any], path: PolicyPath, value: object) -> None:
    for key in path[:-1]:
        table = table.setdefault(key, {})
    table[path[-1]] = value


def _clash(scopes: Mapping[str, str], given: Collection[str]) -> str | None:
    """A name given here that another scope has as well; the last one, as it came after."""
    count = [scope.casefold() for scope in scopes.values()]
    return next((n for n in reversed(list(given)) if count.count(scopes[n].casefold()) > 1), None)


def _hint(name: str, known: Collection[str]) -> str:
    """The nearest one, where there is one; by its whole name or what stands after the table's."""
    full = {one.rpartition(".")[2]: one for one in sorted(known)} | {one: one for one in known}
    near = process.extractOne(name, list(full), scorer=fuzz.ratio, score_cutoff=60)
    return f"; did you mean {full[near[0]]}?" if near else ""
