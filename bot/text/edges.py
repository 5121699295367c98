"""The edges found so far, and which of them stand when all is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.models import IssueRef
from bot.text.references import MAX_REFERENCES
from bot.text.relations import Way

MAX_UNREADABLE = 100


@dataclass(frozen=True, slots=True)
class Edges:
    """What a text states, in order, without repeats; as the fields of `bot.models.Metadata`."""

    waits: tuple[IssueRef, ...] = ()
    holds: tuple[IssueRef, ...] = ()
    resolved: tuple[IssueRef, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(slots=True)
class Section:
    """One dependency section: its bare references stand together or not at all.

    `others` are references of which the section says that another issue waits for them: where
    one of these is in its list as well, the section is a plan of other issues.
    """

    staged: bool = False
    bare: set[IssueRef] = field(default_factory=set)
    others: set[IssueRef] = field(default_factory=set)

    @property
    def is_plan(self) -> bool:
        """Whether it says how other issues wait for each other."""
        return self.staged or bool(self.others & self.bare)


@dataclass(frozen=True, slots=True)
class _Entry:
    way: Way | None  # None: resolved
    refs: tuple[IssueRef, ...]
    section: Section | None


class Ledger:
    """Takes edges as they are read; `children` are the parts of a collecting issue."""

    def __init__(self) -> None:
        self.children: set[IssueRef] = set()
        self._entries: list[_Entry] = []
        self._unreadable: dict[str, None] = {}
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether more would not be kept anyway."""
        return self._count >= 2 * MAX_REFERENCES

    def add(
        self, way: Way | None, refs: Iterable[IssueRef], section: Section | None = None
    ) -> None:
        """Takes references; `section` for bare ones, `way` None for what is checked off."""
        entry = _Entry(way, tuple(refs), section)
        if entry.refs:
            self._count += len(entry.refs)
            self._entries.append(entry)

    def add_unreadable(self, texts: Iterable[str]) -> None:
        """Takes declared dependencies that name no issue of this Gitea, as typed."""
        self._unreadable.update(dict.fromkeys(text[:300] for text in texts))

    def edges(self) -> Edges:
        """What stands."""
        sides: dict[Way | None, dict[IssueRef, None]] = {Way.WAITS: {}, Way.HOLDS: {}, None: {}}
        for entry in self._entries:
            if entry.section is None:
                sides[entry.way].update(dict.fromkeys(entry.refs))
            elif not entry.section.is_plan:
                kept = (ref for ref in entry.refs if ref not in self.children)
                sides[entry.way].update(dict.fromkeys(kept))
        live = sides[Way.WAITS].keys() | sides[Way.HOLDS].keys()
        return Edges(
            tuple(sides[Way.WAITS])[:MAX_REFERENCES],
            tuple(sides[Way.HOLDS])[:MAX_REFERENCES],
            tuple(ref for ref in sides[None] if ref not in live)[:MAX_REFERENCES],
            tuple(self._unreadable)[:MAX_UNREADABLE],
        )
