"""Every question the bot asks its database, as one narrow class.

Writes that belong together are one transaction; an upsert is one statement, so replicas need no
lock of their own for it. All of it raises StoreError when the database does not answer.
"""

from __future__ import annotations

import json
from collections.abc import (
    Collection,
    Iterable,
)
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import IssueRef, RefState, Source, Status
from bot.store import journal, repositories
from bot.store import tables as t
from bot.store.access import Access, among, ref_of, sound, whole

USED_AGAIN = timedelta(days=1)  # what was used is not noted more often
CHUNK = 400  # refs asked for in one statement; SQLite takes about 32,000 parameters


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one issue."""

    ref: IssueRef
    coordinated: bool = False
    comment_id: int | None = None
    title: str = ""
    state: str = ""  # open, closed, gone; "" when never looked at
    status: str = ""
    agent: str = ""
    cycle: tuple[IssueRef, ...] = ()
    owed: tuple[IssueRef, ...] = ()  # issues that must be looked at because of this one
    stood: tuple[tuple[IssueRef, RefState], ...] = ()  # what it waited for, and how that stood
    notice: str = ""  # JSON: what is still to be told in a comment of its own
    comment_at: str = ""  # when the bot last wrote its comment, in Gitea's words
    seen_at: datetime | None = None  # Gitea's time before the last whole look
    labels: tuple[str, ...] | None = None  # the bot's on it when it last wrote; None: not known


@dataclass(frozen=True, slots=True)
class Edge:
    """`waits` waits for `on`, because `said_by` says so in the way of `source`."""

    waits: IssueRef
    on: IssueRef
    said_by: IssueRef
    source: Source


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that was given up: `job` is the work as the queue held it."""

    id: str
    job: str
    about: str
    error: str
    attempts: int
    failed_at: datetime


class Store(Access):
    """The bot's memory."""

    # -- issues -----------------------------------------------------------------------------

    async def issue(self, ref: IssueRef) -> Known | None:
        """What is known of one issue, or None."""
        return (await self.issues([ref])).get(ref)

    async def issues(self, refs: Collection[IssueRef]) -> dict[IssueRef, Known]:
        """What is known of each; unknown ones are absent."""
        rows = await self._by_ref(
            sa.select(t.issues), t.issues.c.repository, t.issues.c.number, refs
        )
        return {known.ref: known for known in map(_known, rows)}

    @whole
    async def save(self, known: Known, edges: Iterable[Edge] | None = None) -> None:
        """Remember an issue and, where given, replace all edges that it says.

        Each of them leads from the issue or to it.
        """
        async with self._writing() as connection:
            before = await self._state(connection, known.ref)
            await self._upsert(connection, t.issues, _issue_row(known))
            changed = journal.is_over(before) is not journal.is_over(known.state)
            if edges is not None:
                changed |= await self._say(connection, known.ref, edges)
            if changed:
                await journal.record(connection, [known.ref])

    async def _state(self, connection: AsyncConnection, ref: IssueRef) -> str:
        """The state of an issue, which nobody else changes until the transaction ends."""
        held = (
            sa.update(t.issues)
            .where(sa.tuple_(t.issues.c.repository, t.issues.c.number) == ref.key)
            .values(state=t.issues.c.state)
            .returning(t.issues.c.state)
        )
        return (await connection.execute(held)).scalar() or ""

    async def _say(self, connection: AsyncConnection, ref: IssueRef, edges: Iterable[Edge]) -> bool:
        """Let an issue say just these edges; whether it said others before."""
        said = sa.tuple_(t.edges.c.said_repository, t.edges.c.said_number) == ref.key
        before = (await connection.execute(sa.select(t.edges).where(said))).all()
        rows = [_edge_row(edge) for edge in set(edges)]
        after = {tuple(row[column.name] for column in t.edges.c) for row in rows}
        if after == {tuple(row) for row in before}:
            return False
        await connection.execute(sa.delete(t.edges).where(said))
        if rows:
            await connection.execute(sa.insert(t.edges), rows)
        return True

    @whole
    async def wrote(self, ref: IssueRef, login: str) -> None:
        """Remember that somebody edited an issue's text."""
        repository, number = ref.key
        row = {"repository": repository, "number": number, "login": login.lower()}
        async with self._writing() as connection:
            await connection.execute(self._insert(t.writers).values(row).on_conflict_do_nothing())

    async def writers(self, ref: IssueRef) -> list[str]:
        """Who edited an issue's text, as far as webhooks told; in lower case."""
        c = t.writers.c
        rows = await self._by_ref(sa.select(t.writers), c.repository, c.number, [ref])
        return sorted(row.login for row in rows)

    # -- whole repositories -----------------------------------------------------------------

    @whole
    async def rename_repository(self, old: str, new: str) -> None:
        """All that is kept of a repository, people's words too, goes to its new name.

        What is there under the new name already stays.
        """
        if old == new:
            return
        async with self._writing() as connection:
            before = await repositories.touched(connection, old)
            await repositories.rename(connection, self._insert, old, new)
            after = await repositories.touched(connection, new)
            await journal.record(connection, sorted(before | after))

    @whole
    async def bury_repository(self, repository: str) -> None:
        """It was deleted: all its issues are gone, and nobody says anything there any more."""
        async with self._writing() as connection:
            before = await repositories.touched(connection, repository)
            await repositories.bury(connection, self._insert, repository)
            await journal.record(connection, sorted(before))

    @whole
    async def drop_repository(self, repository: str) -> None:
        """Forget all of it: its name is another one's now, and it cannot be found."""
        async with self._writing() as connection:
            before = await repositories.touched(connection, repository)
            await repositories.drop(connection, repository)
            await journal.record(connection, sorted(before))

    async def across(self, repository: str) -> list[IssueRef]:
        """The coordinated issues elsewhere that wait for its issues, or are waited for there."""
        rows = await self._read(repositories.across(repository))
        return [_known(row).ref for row in rows]

    # -- lists of issues --------------------------------------------------------------------

    async def coordinated(self) -> list[IssueRef]:
        """Every issue that is coordinated, as far as is known; not those that are closed."""
        open_ones = t.issues.c.coordinated, t.issues.c.state != "closed"
        rows = await self._read(sa.select(t.issues).where(*open_ones))
        return [_known(row).ref for row in rows]

    async def coordinated_in(self, repository: str) -> list[Known]:
        """Every coordinated issue of a repository."""
        rows = await self._read(
            sa.select(t.issues).where(
                t.issues.c.coordinated, t.issues.c.repository == repository.lower()
            )
        )
        return [_known(row) for row in rows]

    async def blocked(self) -> list[IssueRef]:
        """Every coordinated issue that waited for something when it was last looked at."""
        rows = await self._read(
            sa.select(t.issues).where(
                t.issues.c.coordinated, t.issues.c.status == Status.BLOCKED.value
            )
        )
        return [_known(row).ref for row in rows]

    async def busy(self, *, besides: IssueRef) -> dict[str, int]:
        """How many issues each agent has in progress, the one asked for not counted."""
        repository, number = besides.key
        rows = await self._read(
            sa.select(t.issues.c.agent, sa.func.count())
            .where(
                t.issues.c.coordinated,
                t.issues.c.status == Status.IN_PROGRESS.value,
                t.issues.c.agent != "",
                sa.not_(sa.and_(t.issues.c.repository == repository, t.issues.c.number == number)),
            )
            .group_by(t.issues.c.agent)
        )
        return {row[0]: row[1] for row in rows}

    async def statuses(self) -> dict[str, int]:
        """How many coordinated issues have each status."""
        rows = await self._read(
            sa.select(t.issues.c.status, sa.func.count())
            .where(t.issues.c.coordinated)
            .group_by(t.issues.c.status)
        )
        return {row[0]: row[1] for row in rows}

    # -- edges ------------------------------------------------------------------------------

    async def said_by(self, ref: IssueRef) -> set[Edge]:
        """The edges that this issue's text or sidebar says."""
        columns = t.edges.c.said_repository, t.edges.c.said_number
        return {_edge(row) for row in await self._by_ref(sa.select(t.edges), *columns, [ref])}

    async def blockers(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead from these issues to what they wait for."""
        columns = t.edges.c.repository, t.edges.c.number
        return [_edge(row) for row in await self._by_ref(sa.select(t.edges), *columns, refs)]

    async def waiting(self, refs: Collection[IssueRef]) -> list[Edge]:
        """The edges that lead to these issues from what waits for them."""
        columns = t.edges.c.for_repository, t.edges.c.for_number
        return [_edge(row) for row in await self._by_ref(sa.select(t.edges), *columns, refs)]

    async def concerns(self, ref: IssueRef) -> bool:
        """Whether the bot has anything to do with this issue: knows it, or an edge leads to it."""
        return bool(await self.issue(ref) or await self.waiting([ref]))

    # -- work set aside ---------------------------------------------------------------------

    @whole
    async def set_aside(self, failure: Failure) -> None:
        """Keep work that was given up, for a person to look at."""
        row = {
            "id": failure.id,
            "job": failure.job,
            "about": failure.about,
            "error": sound(failure.error)[:2000],
            "attempts": failure.attempts,
            "failed_at": failure.failed_at,
        }
        async with self._writing() as connection:
            await self._upsert(connection, t.failures, row)

    async def failures(self) -> list[Failure]:
        """All work set aside, oldest first."""
        rows = await self._read(sa.select(t.failures).order_by(t.failures.c.failed_at))
        return [Failure(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    async def failures_count(self) -> int:
        """How much work is set aside."""
        rows = await self._read(sa.select(sa.func.count()).select_from(t.failures))
        return int(rows[0][0])

    async def forget_failure(self, failure_id: str) -> None:
        """Drop one piece of work set aside; nothing is written when it is not there."""
        this = t.failures.c.id == failure_id
        if await self._read(sa.select(t.failures.c.id).where(this)):
            await self._delete_failure(this)

    @whole
    async def _delete_failure(self, this: sa.ColumnElement[bool]) -> None:
        async with self._writing() as connection:
            await connection.execute(sa.delete(t.failures).where(this))

    # -- what Claude answered ---------------------------------------------------------------

    async def get(self, key: str) -> str | None:
        """A remembered answer, as JSON. That it was used is noted, once a day."""
        reading = t.readings.c
        rows = await self._read(
            sa.select(reading.answer, reading.read_at).where(reading.key == key)
        )
        if not rows:
            return None
        if self._now() - rows[0].read_at > USED_AGAIN:
            await self._use(key)
        answer: str = rows[0].answer
        return answer

    @whole
    async def _use(self, key: str) -> None:
        used = sa.update(t.readings).where(t.readings.c.key == key).values(read_at=self._now())
        async with self._writing() as connection:
            await connection.execute(used)

    @whole
    async def put(self, key: str, answer: str, tokens_in: int, tokens_out: int) -> None:
        """Remember an answer, so that the same text is never read twice."""
        row = {
            "key": key,
            "answer": answer,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "read_at": self._now(),
        }
        async with self._writing() as connection:
            await self._upsert(connection, t.readings, row)

    async def tokens_used(self, day: date) -> int:
        """Tokens spent on that day (UTC)."""
        rows = await self._read(sa.select(t.spending.c.tokens).where(t.spending.c.day == day))
        return rows[0][0] if rows else 0

    @whole
    async def spend(self, day: date, tokens: int) -> None:
        """Add to what was spent on that day; a negative number gives some back."""
        statement = self._insert(t.spending).values(day=day, tokens=tokens)
        async with self._writing() as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["day"],
                    set_={"tokens": t.spending.c.tokens + statement.excluded.tokens},
                )
            )

    # -- one at a time, over all processes --------------------------------------------------

    @whole
    async def lock(self, name: str, holder: str, keep: timedelta) -> bool:
        """Take a lock that ends by itself after `keep`; False while another one holds it."""
        now = self._now()
        statement = self._insert(t.locks).values(name=name, holder=holder, until=now + keep)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": now + keep},
            where=sa.or_(
                t.locks.c.until < now,
                t.locks.c.until > now + 10 * keep,  # the clock was set back since
                t.locks.c.holder == holder,
            ),
        ).returning(t.locks.c.name)
        async with self._writing(anyhow=True) as connection:
            return (await connection.execute(statement)).first() is not None

    @whole
    async def unlock(self, name: str, holder: str) -> None:
        """Give a lock back, if it is still held."""
        async with self._writing(anyhow=True) as connection:
            await connection.execute(
                sa.delete(t.locks).where(t.locks.c.name == name, t.locks.c.holder == holder)
            )

    async def ping(self) -> None:
        """Raise StoreError unless the database can be written: something is, and goes again."""
        await self.lock("ping", "ping", timedelta(minutes=1))
        await self.unlock("ping", "ping")

    # -- how it is done ---------------------------------------------------------------------

    async def _by_ref(
        self,
        statement: sa.Select[Any],
        repository: sa.Column[Any],
        number: sa.Column[Any],
        refs: Collection[IssueRef],
    ) -> list[sa.Row[Any]]:
        keys = sorted({ref.key for ref in refs})
        rows: list[sa.Row[Any]] = []
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            rows += await self._read(statement.where(among(repository, number, chunk)))
        return rows


def kept_title(title: str) -> str:
    """A title as it is remembered, and so to be compared."""
    return title.replace("\0", "")[:500]


def _refs(text: str) -> tuple[IssueRef, ...]:
    return tuple(IssueRef.parse(item) for item in json.loads(text))


def _json(refs: Iterable[IssueRef]) -> str:
    return json.dumps([str(ref) for ref in refs])


def _known(row: sa.Row[Any]) -> Known:
    return Known(
        ref=ref_of(row.shown, row.number),
        coordinated=row.coordinated,
        comment_id=row.comment_id,
        title=row.title,
        state=row.state,
        status=row.status,
        agent=row.agent,
        cycle=_refs(row.cycle),
        owed=_refs(row.owed),
        stood=tuple(
            (IssueRef.parse(ref), RefState(state)) for ref, state in json.loads(row.stood).items()
        ),
        notice=row.notice,
        comment_at=row.comment_at,
        seen_at=row.seen_at,
        labels=tuple(json.loads(row.labels)) if row.labels else None,
    )


def _issue_row(known: Known) -> dict[str, Any]:
    repository, number = known.ref.key
    return {
        "repository": repository,
        "number": number,
        "shown": known.ref.repository,
        "coordinated": known.coordinated,
        "comment_id": known.comment_id,
        "title": kept_title(known.title),
        "state": known.state,
        "status": known.status,
        "agent": known.agent,
        "cycle": _json(known.cycle),
        "owed": _json(known.owed),
        "stood": json.dumps({str(ref): state.value for ref, state in known.stood}),
        "notice": known.notice,
        "comment_at": known.comment_at,
        "seen_at": known.seen_at,
        "labels": "" if known.labels is None else json.dumps(known.labels),
    }


def _edge(row: sa.Row[Any]) -> Edge:
    waits = ref_of(row.shown, row.number)
    on = ref_of(row.for_shown, row.for_number)
    said = waits if waits.key == (row.said_repository, row.said_number) else on
    return Edge(waits, on, said, Source(row.source))


def _edge_row(edge: Edge) -> dict[str, Any]:
    repository, number = edge.waits.key
    for_repository, for_number = edge.on.key
    said_repository, said_number = edge.said_by.key
    return {
        "repository": repository,
        "number": number,
        "for_repository": for_repository,
        "for_number": for_number,
        "said_repository": said_repository,
        "said_number": said_number,
        "source": edge.source.value,
        "shown": edge.waits.repository,
        "for_shown": edge.on.repository,
    }
