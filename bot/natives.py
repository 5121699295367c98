"""Gitea's own dependencies against what texts and commands say: what counts, what to set. Pure.

The bot sets there what texts and commands say, and remembers that it did; so what it finds set
without having done so is a person's word, and so is it that something it set is gone. Nobody is
fought: what a person took away there stays away until the text changes, what a person added there
after `/unlink` counts again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.dependencies import Edge
from bot.models import IssueRef, Source, Unset


class State(StrEnum):
    """What the bot did about a dependency in Gitea; written down before and after doing it."""

    SETTING = "setting"  # about to be set
    SET = "set"
    TAKING = "taking"  # about to be taken away
    OFF = "off"  # a person took it away, there or by /unlink


@dataclass(frozen=True, slots=True)
class Native:
    """What is remembered of one of Gitea's dependencies: `waits` waits for `on`.

    `texts` are digests of the texts that said so when a person took it away, by issue.
    """

    waits: IssueRef
    on: IssueRef
    state: State
    texts: tuple[tuple[IssueRef, str], ...] = ()

    @property
    def edge(self) -> Edge:
        """(waits, for)."""
        return self.waits, self.on


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at an issue (`me`) sees of its edges; all of them touch it.

    `there` are those that Gitea has. `said` are those this issue says, `elsewhere` those that texts
    of others say, `unlinked` those people took away by a command. `text` is the digest of this
    issue's text. Of `unknown` ones it cannot be told whether Gitea has them.
    """

    me: IssueRef
    there: frozenset[Edge] = frozenset()
    said: Mapping[Edge, frozenset[Source]] = field(default_factory=dict)
    elsewhere: frozenset[Edge] = frozenset()
    unlinked: frozenset[Edge] = frozenset()
    kept: Mapping[Edge, Native] = field(default_factory=dict)
    unknown: frozenset[Edge] = frozenset()
    text: str = ""


@dataclass(slots=True)
class Plan:
    """What follows from a `Sight`.

    `people` are edges that people set in Gitea: they count. `off` are kept off: they do not, though
    a text says so; `taken_back` are links people added by a command and took away there; `heeded`
    were unlinked, and count again. `put` are to be set there, `take` to be taken away; `keep` is
    what to remember before that, `forget` what to remember no longer.
    """

    people: set[Edge] = field(default_factory=set)
    off: set[Edge] = field(default_factory=set)
    taken_back: set[Edge] = field(default_factory=set)
    heeded: set[Edge] = field(default_factory=set)
    put: set[Edge] = field(default_factory=set)
    take: set[Edge] = field(default_factory=set)
    keep: list[Native] = field(default_factory=list)
    forget: set[Edge] = field(default_factory=set)


def digest(text: str) -> str:
    """What tells whether a text changed; the kind of line ends does not matter."""
    lines = "\n".join(text.splitlines())
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def surprising(sight: Sight) -> bool:
    """Whether people seem to have changed something in Gitea; then it is worth a second look.

    What was remembered may be newer than what was read of Gitea.
    """
    return any(
        (one.state is State.SET) != (edge in sight.there)
        for edge, one in sight.kept.items()
        if one.state in (State.SET, State.OFF) and edge not in sight.unknown
    )


def taken_away(sight: Sight) -> list[Edge]:
    """Those that the bot set and that are there no longer, in order."""
    lost = [edge for edge, one in sight.kept.items() if one.state is State.SET]
    return sorted(edge for edge in lost if edge not in sight.there | sight.unknown)


def plan(sight: Sight) -> Plan:
    """What follows from what one look sees."""
    found = Plan()
    edges = {*sight.there, *sight.said, *sight.unlinked, *sight.kept} - sight.unknown
    for edge in sorted(edges, key=lambda one: (one[0].key, one[1].key)):
        if edge in sight.unlinked:
            _unlinked(edge, sight, found)
        elif edge in sight.there:
            _present(edge, sight, found)
        else:
            _absent(edge, sight, found)
    for edge in sight.unknown:
        kept = sight.kept.get(edge)
        if kept and kept.state is State.OFF and _wanted(edge, sight):
            found.off.add(edge)
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A dependency was set or taken away in Gitea, as its timeline tells."""

    other: IssueRef
    added: bool
    by_bot: bool


def recalled(sight: Sight, entries: Sequence[Entry]) -> dict[Edge, Native]:
    """What the bot did before, by the timeline, the oldest first: where no memory is left of it.

    Only of what the issue says itself: what others say may not be known again yet. The timeline
    does not tell which of two issues waits; they never wait for one another both ways.
    """
    last = {entry.other: entry for entry in entries}
    set_once = {entry.other for entry in entries if entry.added and entry.by_bot}
    found: dict[Edge, Native] = {}
    for edge in sight.said.keys() - sight.unknown - sight.kept.keys():
        entry = last.get(other_end(edge, sight.me))
        if entry is None or entry.added is not (edge in sight.there):
            continue
        if entry.added and entry.by_bot:
            found[edge] = Native(*edge, State.SET)
        elif not entry.added and not entry.by_bot and entry.other in set_once:
            found[edge] = Native(*edge, State.OFF, _texts(edge, sight))
    return found


def _wanted(edge: Edge, sight: Sight) -> bool:
    return edge in sight.said or edge in sight.elsewhere


def _unlinked(edge: Edge, sight: Sight, found: Plan) -> None:
    kept = sight.kept.get(edge)
    off = kept is not None and kept.state is State.OFF
    if edge in sight.there and off:  # added there after it was taken away
        found.heeded.add(edge)
        found.people.add(edge)
        found.forget.add(edge)
    elif edge in sight.there:
        found.take.add(edge)
    elif not off:
        found.keep.append(Native(*edge, State.OFF))


def _present(edge: Edge, sight: Sight, found: Plan) -> None:
    kept = sight.kept.get(edge)
    if kept is None or kept.state is State.OFF:
        found.people.add(edge)
        if kept:
            found.forget.add(edge)
    elif not _wanted(edge, sight):
        found.take.add(edge)
    elif kept.state is not State.SET:
        found.keep.append(replace(kept, state=State.SET))


def _absent(edge: Edge, sight: Sight, found: Plan) -> None:
    kept = sight.kept.get(edge)
    if kept and kept.state is State.SET and _wanted(edge, sight):
        _taken_away(edge, sight, found)
    elif kept and kept.state is State.OFF and _wanted(edge, sight):
        _still_off(edge, kept, sight, found)
    elif edge in sight.said:
        found.put.add(edge)
    elif kept and not _wanted(edge, sight):
        found.forget.add(edge)


def _taken_away(edge: Edge, sight: Sight, found: Plan) -> None:
    """By a person, in Gitea: a command said before holds no longer, a text until it changes."""
    sources = sight.said.get(edge, frozenset())
    if Source.COMMAND in sources:
        found.taken_back.add(edge)
    if sources - {Source.COMMAND} or edge in sight.elsewhere:
        found.off.add(edge)
        found.keep.append(Native(*edge, State.OFF, _texts(edge, sight)))
    else:
        found.forget.add(edge)


def _texts(edge: Edge, sight: Sight) -> tuple[tuple[IssueRef, str], ...]:
    return ((sight.me, sight.text),) if edge in sight.said else ()


def _still_off(edge: Edge, kept: Native, sight: Sight, found: Plan) -> None:
    """Until a text that says so, or a command, is newer than its being taken away."""
    texts = dict(kept.texts)
    sources = sight.said.get(edge, frozenset())
    changed = sources and texts.get(sight.me, sight.text) != sight.text
    if changed or Source.COMMAND in sources:
        found.put.add(edge)
        return
    found.off.add(edge)
    if sources and sight.me not in texts:
        found.keep.append(replace(kept, texts=(*kept.texts, (sight.me, sight.text))))


def grouped(
    unset: Iterable[tuple[Unset, IssueRef]],
) -> tuple[tuple[Unset, tuple[IssueRef, ...]], ...]:
    """The issues by the reason, in order."""
    found: dict[Unset, set[IssueRef]] = {}
    for why, ref in unset:
        found.setdefault(why, set()).add(ref)
    return tuple((why, tuple(sorted(found[why]))) for why in Unset if why in found)


def other_end(edge: Edge, me: IssueRef) -> IssueRef:
    """The issue at the other end."""
    waits, on = edge
    return on if waits == me else waits


def touching(me: IssueRef, refs: Collection[IssueRef], *, waits: bool) -> frozenset[Edge]:
    """The edges between an issue and others: it waits for them, or they for it."""
    return frozenset((me, ref) if waits else (ref, me) for ref in refs)
