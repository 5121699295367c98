"""References follow the repository, whatever it is called by now.

Gitea redirects an old name to the new one until another repository takes it. Then what a text has
named before still means the old one, and what it names anew the other. All that is kept of a
repository moves with its name, as soon as anything tells of it: a look, a reference, a webhook.
Nothing is believed of a name but what Gitea says now, for a webhook may come late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bot.errors import GiteaError, NotFound, Retryable
from bot.gitea.models import Issue, IssueRepository, Repository
from bot.models import IssueRef
from bot.repositories import Repositories
from bot.sight import REPOSITORIES, Sight
from bot.store.naming import Name
from bot.store.queries import Edge

log = structlog.get_logger(__name__)

NOWHERE = "-"  # the owner under which is kept what has no name for a moment; Gitea reserves it


class Gitea(Protocol):
    """What this needs of Gitea."""

    async def repository_by_id(self, forge_id: int) -> Repository:
        """The repository of an id, whatever it is called."""


class Names(Protocol):
    """The names that repositories had."""

    async def names(self, names: Collection[str], ids: Collection[int] = ()) -> list[Name]:
        """All that is known of these names, and of these repositories."""

    async def call(self, forge_id: int, name: str) -> None:
        """A repository is called so from now on, and no other one is."""

    async def recall(self, forge_id: int, name: str) -> None:
        """A repository was called so before."""


class Memory(Protocol):
    """What is kept of issues, by the names of their repositories."""

    async def said_by(self, ref: IssueRef) -> set[Edge]:
        """The edges that an issue says."""

    async def rename_repository(self, old: str, new: str) -> None:
        """All that is kept of a repository goes to its new name."""

    async def bury_repository(self, repository: str) -> None:
        """It was deleted: all its issues are gone."""

    async def drop_repository(self, repository: str) -> None:
        """Forget all that is its own."""

    async def across(self, repository: str) -> list[IssueRef]:
        """The coordinated issues elsewhere that wait for its issues, or are waited for there."""


@dataclass(frozen=True, slots=True)
class Now:
    """Where references are by now, as typed ▸ as called; `concerned` are issues to look at."""

    refs: Mapping[IssueRef, IssueRef] = field(default_factory=dict)
    concerned: frozenset[IssueRef] = frozenset()

    @property
    def typed(self) -> dict[IssueRef, IssueRef]:
        """How what is called otherwise now was typed."""
        return {now: typed for typed, now in self.refs.items() if now != typed}


class Naming:
    """Knows repositories by their ids."""

    def __init__(
        self, gitea: Gitea, repositories: Repositories, names: Names, memory: Memory
    ) -> None:
        self._gitea = gitea
        self._repositories = repositories
        self._sight = Sight(repositories)
        self._names = names
        self._memory = memory

    # -- what tells of a name ---------------------------------------------------------------

    async def met(
        self, repositories: Iterable[IssueRepository | Repository]
    ) -> set[IssueRef] | None:
        """Take note of what Gitea just said that repositories are called.

        Where that moves what is kept: the issues elsewhere that it concerns; else None. Raises
        Retryable.
        """
        called = {one.id: one.full_name for one in repositories}
        known = await self._names.names(called.values(), called)
        moved = [
            await self._called(forge_id, name, frozenset())
            for forge_id, name in called.items()
            if not _agrees(known, forge_id, name)
        ]
        return _together(moved)

    async def found(
        self, asked: IssueRef, issue: Issue, others: Iterable[Issue] = ()
    ) -> set[IssueRef] | None:
        """An issue was found, maybe in a repository of another name than it was asked for.

        `others` were told of beside it. Gives the same as `met`.
        """
        moved = await self.met(one.repository for one in (issue, *others) if one.repository)
        if asked.key[0] == issue.ref.key[0]:
            return moved
        holders = await self._names.names([asked.repository])
        if any(one.current for one in holders):
            return moved or set()
        return _together([moved, await self._move(asked.repository, issue.ref.repository)])

    async def heard(self, forge_id: int, name: str) -> set[IssueRef]:
        """A webhook says that a repository is called so; the issues elsewhere that concerns.

        Gitea is asked whether it is so, if it is news of what is known.
        """
        known = await self._names.names([name], [forge_id])
        if not known or _agrees(known, forge_id, name):
            return set()
        try:
            return await self.met([await self._gitea.repository_by_id(forge_id)]) or set()
        except NotFound:
            return set()

    async def deleted(self, forge_id: int, name: str) -> set[IssueRef]:
        """A webhook says that a repository was deleted; the issues elsewhere that concerns."""
        known = await self._names.names([name], [forge_id])
        kept = next((one.name for one in known if one.forge_id == forge_id and one.current), None)
        if kept is None and any(one.name == name.lower() and one.current for one in known):
            return set()  # another one has that name by now
        gone = kept or name
        self._repositories.forget(gone)
        await self._memory.bury_repository(gone)
        return set(await self._memory.across(gone))

    # -- a repository is called otherwise ---------------------------------------------------

    async def _called(
        self, forge_id: int, name: str, under_way: frozenset[int]
    ) -> set[IssueRef] | None:
        """Let a repository be called so; `under_way` are those that wait for this."""
        known = await self._names.names([name], [forge_id])
        holder = next((n.forge_id for n in known if n.current and n.forge_id != forge_id), None)
        moved: list[set[IssueRef] | None] = []
        if holder is not None:
            moved.append(await self._make_way(holder, name, under_way | {forge_id}))
        known = await self._names.names([], [forge_id])
        before = next((one.name for one in known if one.current), name.lower())
        if before != name.lower():
            moved.append(await self._move(before, name))
        await self._names.call(forge_id, name)
        return _together(moved)

    async def _make_way(
        self, holder: int, name: str, under_way: frozenset[int]
    ) -> set[IssueRef] | None:
        """Another repository has the name of one, which goes to what it is called itself."""
        if holder in under_way:  # two have changed names
            await self._memory.rename_repository(name, f"{NOWHERE}/{holder}")
            await self._names.call(holder, f"{NOWHERE}/{holder}")
            return set()
        try:
            now = await self._gitea.repository_by_id(holder)
        except NotFound:
            log.info("repository.dropped", repository=name)
            await self._memory.drop_repository(name)
            return set()
        return await self._called(holder, now.full_name, under_way)

    async def _move(self, old: str, new: str) -> set[IssueRef]:
        log.info("repository.renamed", was=old, now=new)
        await self._memory.rename_repository(old, new)
        return set(await self._memory.across(new))

    # -- what a reference means -------------------------------------------------------------

    async def current(
        self,
        refs: Collection[IssueRef],
        *,
        me: IssueRef,
        authors: Collection[str] = (),
        linked: Collection[IssueRef] = (),
    ) -> Now:
        """Where the issues that `me` names are by now.

        `authors` wrote its text: what they may not read is left as they typed it, since its new
        name would tell that it is there. Those of `linked` were named by commands, whose sender
        was asked about. Asks Gitea nothing of the repository of `me`, and of each other one what
        it is asked anyway.
        """
        names = sorted({ref.key[0] for ref in refs} - {me.key[0]})[:REPOSITORIES]
        if not names:
            return Now({ref: ref for ref in refs})
        found, concerned = await self._asked(names)
        known = await self._names.names(names, [one.id for one in found.values() if one])
        others = await self._names.names([], {one.forge_id for one in known})
        edges = await self._memory.said_by(me)
        reading = _Reading(
            found,
            [*known, *others],
            frozenset(ref for edge in edges for ref in (edge.waits, edge.on)),
            frozenset(linked),
            {name for name in names if await self._may_follow(found[name], me, authors)},
        )
        now = {ref: reading.now(ref) for ref in refs}
        elsewhere = {ref.key[0] for ref in now.values()} - {me.key[0], *found}
        later, again = await self._asked(sorted(elsewhere))
        return Now(
            {ref: _in(later.get(one.key[0]), one) for ref, one in now.items()},
            frozenset(concerned | again),
        )

    async def _asked(
        self, names: Collection[str]
    ) -> tuple[dict[str, Repository | None], set[IssueRef]]:
        """What there is under names, and the issues that a change of names concerns."""
        if not names:
            return {}, set()
        found = dict(zip(names, await asyncio.gather(*map(self._about, names)), strict=True))
        return found, await self._settle(found)

    async def _about(self, name: str) -> Repository | None:
        try:
            return await self._repositories.about(name)
        except GiteaError:
            return None

    async def _settle(self, found: dict[str, Repository | None]) -> set[IssueRef]:
        """Take note of what repositories are called; what contradicts that is asked once more.

        For what is known of them may be older than what is noted.
        """
        there = [one for one in found.values() if one]
        known = await self._names.names(
            [*found, *(one.full_name for one in there)], [one.id for one in there]
        )
        for typed, one in found.items():
            if one and _contradicts(known, one.id, one.full_name):
                self._repositories.forget(typed)
                self._repositories.forget(one.full_name)
                found[typed] = await self._about(typed)
        concerned = await self.met(one for one in found.values() if one) or set()
        for typed, one in found.items():
            if one and typed != one.full_name.lower():
                await self._names.recall(one.id, typed)
        return concerned

    async def _may_follow(
        self, there: Repository | None, me: IssueRef, authors: Collection[str]
    ) -> bool:
        if there is None or not there.hidden or there.full_name.lower() == me.key[0]:
            return True
        try:
            return await self._sight.may_read(there.full_name, authors)
        except Retryable:
            return False


@dataclass(frozen=True, slots=True)
class _Reading:
    """What references mean: `found` is what there is under the names that were typed.

    `known` are those names, and all names of all repositories that had one of them. `held` are the
    issues that were referred to before. Of `open` names it may be shown what they lead to.
    """

    found: Mapping[str, Repository | None]
    known: Collection[Name]
    held: frozenset[IssueRef]
    linked: frozenset[IssueRef]
    open: Collection[str]

    def now(self, ref: IssueRef) -> IssueRef:
        """Where it is by now."""
        name = ref.key[0]
        if name not in self.found:
            return ref
        before = self._before(ref)
        if before is not None:
            return before
        follows = name in self.open or ref in self.linked
        return _in(self.found[name] if follows else None, ref)

    def _before(self, ref: IssueRef) -> IssueRef | None:
        """The issue that it meant when its repository still had that name."""
        if ref in self.held:
            return None
        name = ref.key[0]
        there = self.found[name]
        had = {one.forge_id for one in self.known if one.name == name}
        lost = had - ({there.id} if there else set())
        moved = (
            _at(one.name, ref.number)
            for one in self.known
            if one.current and one.forge_id in lost and one.name != name
        )
        return next((one for one in moved if one in self.held), None)


def _together(moved: Iterable[set[IssueRef] | None]) -> set[IssueRef] | None:
    """All that is concerned; None where nothing was moved."""
    found = [one for one in moved if one is not None]
    return set().union(*found) if found else None


def _at(full_name: str, number: int) -> IssueRef:
    owner, _, repo = full_name.partition("/")
    return IssueRef(owner, repo, number)


def _in(there: Repository | None, ref: IssueRef) -> IssueRef:
    """The issue of that number there."""
    return _at(there.full_name, ref.number) if there else ref


def _agrees(known: Iterable[Name], forge_id: int, name: str) -> bool:
    return Name(name.lower(), forge_id, current=True) in known


def _contradicts(known: Iterable[Name], forge_id: int, name: str) -> bool:
    """Whether another repository is called so as far as is known, or it is called otherwise."""
    return any(
        one.current and (one.forge_id == forge_id) is not (one.name == name.lower())
        for one in known
    )
