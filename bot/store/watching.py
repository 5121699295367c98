"""Which repositories the bot watches, how far everything in them was seen, and single notes.

A repository is watched while it matters: while an issue of it is coordinated, is waited for, or
waits. Watching begins with the first look at such an issue, so that nothing falls in between.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from bot.models import IssueRef, RefState
from bot.store import tables as t
from bot.store.access import Access, ref_of, whole
from bot.watermark import Watermark

TICK = "tick"  # the note of the latest one, and of how often the clock was set back
KEPT = timedelta(hours=1)  # a row that does not matter: a look may just be about to need it
OVER = ("closed", "gone", "unseen")  # states of what nobody waits for, or cannot be asked for


@dataclass(frozen=True, slots=True)
class Watch:
    """A watched repository, as Gitea spells it.

    `forge_id` is Gitea's id of it, which a new name does not change; `swept_at` (this machine's
    time) is when it was last looked for what is gone.
    """

    repository: str
    mark: Watermark
    forge_id: int | None = None
    swept_at: datetime | None = None
    archived: bool = False

    @property
    def key(self) -> str:
        """What makes it the same repository, as far as names go."""
        return self.repository.lower()


class Watching(Access):
    """The watched repositories, and notes."""

    @cached_property
    def _there(self) -> set[str]:
        """Repositories that are watched, as far as this process has seen to it."""
        return set()

    # -- watched repositories ---------------------------------------------------------------

    async def watch(self, repositories: Collection[str], since: datetime) -> None:
        """Watch these from `since` (Gitea's time) on; nothing happens to those that are."""
        new = {name.lower(): name for name in repositories if name.lower() not in self._there}
        if new:
            mark = Watermark(since, self._now())
            await self._insert_all([Watch(name, mark) for name in new.values()])
            self._there |= new.keys()

    @whole
    async def _insert_all(self, watches: Collection[Watch]) -> None:
        async with self._writing() as connection:
            for one in watches:
                row = self._insert(t.watches).values(_row(one))
                await connection.execute(row.on_conflict_do_nothing())

    async def watches(self) -> list[Watch]:
        """Every watched repository, by name."""
        return [
            _watch(row)
            for row in await self._read(sa.select(t.watches).order_by(t.watches.c.repository))
        ]

    async def mattering(self) -> dict[str, str]:
        """The repositories that matter, in lower case ▸ as they are spelled."""
        issues, edges = t.issues.c, t.edges.c
        found = await self._read(
            sa.select(issues.shown)
            .where(issues.coordinated)
            .union(sa.select(edges.shown), sa.select(edges.for_shown))
        )
        return {row[0].lower(): row[0] for row in sorted(found, key=lambda row: str(row[0]))}

    @whole
    async def keep(self, watch: Watch) -> None:
        """Note how far a repository was seen, and what else is known of it."""
        async with self._writing() as connection:
            await self._upsert(connection, t.watches, _row(watch))

    @whole
    async def drop(self, watches: Collection[Watch]) -> None:
        """Watch no longer what has not mattered for an hour."""
        old = [one.key for one in watches if self._now() - one.mark.asked_at > KEPT]
        if not old:
            return
        self._there -= set(old)
        async with self._writing() as connection:
            await connection.execute(sa.delete(t.watches).where(t.watches.c.repository.in_(old)))

    async def rename(self, watch: Watch, name: str) -> Watch:
        """Watch a repository under its new name, from the same watermark on, as it is then."""
        there = {one.key: one for one in await self.watches()}
        other = there.get(name.lower())
        mark = min(watch.mark, other.mark, key=lambda m: m.since) if other else watch.mark
        renamed = replace(watch, repository=name, mark=mark)
        await self.keep(renamed)
        if renamed.key != watch.key:
            await self._forget(watch)
        return renamed

    @whole
    async def _forget(self, watch: Watch) -> None:
        self._there.discard(watch.key)
        async with self._writing() as connection:
            await connection.execute(
                sa.delete(t.watches).where(t.watches.c.repository == watch.key)
            )

    # -- what is remembered of a repository -------------------------------------------------

    @whole
    async def distrust(self, repository: str) -> None:
        """Forget when its issues were seen: the clock that told it was set back."""
        ours = t.issues.c.repository == repository.lower()
        async with self._writing() as connection:
            await connection.execute(sa.update(t.issues).where(ours).values(seen_at=None))

    async def known(self, repositories: Collection[str] | None) -> list[IssueRef]:
        """Every issue that is remembered; of some repositories, or of all."""
        issues = t.issues.c
        every = sa.select(issues.shown, issues.number).order_by(issues.repository, issues.number)
        if repositories is not None:
            names = [name.lower() for name in repositories]
            every = every.where(issues.repository.in_(names))
        return [ref_of(*row) for row in await self._read(every)]

    async def concerned(self, repository: str) -> set[IssueRef]:
        """Everything the bot has to do with there, and what waits for it elsewhere."""
        name, issues, edges = repository.lower(), t.issues.c, t.edges.c
        found = await self._read(
            sa.select(issues.shown, issues.number)
            .where(issues.repository == name, issues.coordinated)
            .union(
                sa.select(edges.shown, edges.number).where(
                    sa.or_(edges.repository == name, edges.for_repository == name)
                ),
                sa.select(edges.for_shown, edges.for_number).where(edges.for_repository == name),
            )
        )
        return {ref_of(*row) for row in found}

    async def thought_open(self, repository: str) -> set[IssueRef]:
        """The issues there that are coordinated or waited for, and open as far as is known."""
        name, issues, edges = repository.lower(), t.issues.c, t.edges.c
        rows = await self._read(
            sa.select(issues.shown, issues.number, issues.state, issues.coordinated).where(
                issues.repository == name
            )
        )
        states = {ref_of(row.shown, row.number): row.state for row in rows}
        mine = {ref_of(row.shown, row.number) for row in rows if row.coordinated}
        waited = await self._read(
            sa.select(edges.for_shown, edges.for_number, issues.stood)
            .outerjoin(
                t.issues,
                sa.and_(issues.repository == edges.repository, issues.number == edges.number),
            )
            .where(edges.for_repository == name)
        )
        for shown, number, stood in waited:
            ref = ref_of(shown, number)
            states.setdefault(ref, _stood(stood, ref))
            mine.add(ref)
        return {ref for ref in mine if states[ref] not in OVER}

    # -- notes ------------------------------------------------------------------------------

    async def note(self, name: str) -> str:
        """What was noted under that name; empty where nothing was."""
        return (await self.notes(name)).get(name, "")

    async def notes(self, prefix: str) -> dict[str, str]:
        """What was noted under the names that begin so."""
        rows = await self._read(
            sa.select(t.notes.c.name, t.notes.c.value).where(
                t.notes.c.name.startswith(prefix, autoescape=True)
            )
        )
        return {row.name: row.value for row in rows}

    @whole
    async def keep_note(self, name: str, value: str) -> None:
        """Note something; empty: forget it."""
        async with self._writing() as connection:
            if value:
                await self._upsert(connection, t.notes, {"name": name, "value": value})
            else:
                await connection.execute(sa.delete(t.notes).where(t.notes.c.name == name))

    @whole
    async def named(self, tick: str, every: timedelta) -> str:
        """The name of a tick (ISO 8601) for all replicas, and for no other one, whatever clocks do.

        Where the clock was set back, the same moments come again: then they are numbered.
        """
        async with self._writing() as connection:
            await connection.execute(
                self._insert(t.notes).values(name=TICK, value=f"{tick}+0").on_conflict_do_nothing()
            )
            noted = sa.select(t.notes.c.value).where(t.notes.c.name == TICK).with_for_update()
            latest, _, times = str((await connection.execute(noted)).scalar_one()).rpartition("+")
            before = datetime.fromisoformat(latest) - every
            again = int(times) + (datetime.fromisoformat(tick) < before)
            if again > int(times) or tick > latest:
                await self._upsert(connection, t.notes, {"name": TICK, "value": f"{tick}+{again}"})
        return f"{tick}+{again}" if again else tick


def _stood(stood: str | None, ref: IssueRef) -> str:
    """How an issue stood for what waits for it; empty where that is not known."""
    for name, state in json.loads(stood or "{}").items():
        if IssueRef.parse(name) == ref:
            return "closed" if state == RefState.MERGED.value else str(state)
    return ""


def _watch(row: sa.Row[Any]) -> Watch:
    mark = Watermark(row.since, row.asked_at)
    return Watch(row.shown, mark, row.forge_id, row.swept_at, row.archived)


def _row(watch: Watch) -> dict[str, Any]:
    return {
        "repository": watch.key,
        "shown": watch.repository,
        "forge_id": watch.forge_id,
        "since": watch.mark.since.astimezone(UTC),
        "asked_at": watch.mark.asked_at.astimezone(UTC),
        "swept_at": watch.swept_at,
        "archived": watch.archived,
    }
