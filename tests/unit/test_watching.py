"""Which repositories are watched and how far they were seen: on SQLite, and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.models import IssueRef, RefState, Source
from bot.store.database import as_it_is
from bot.store.queries import Edge, Known, Store
from bot.store.watching import KEPT, Watch, Watching
from bot.watermark import Watermark

NOW = datetime(2026, 11, 22, 15, 4, 5, 678901, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
ONE, TWO, THREE, FAR = map(
    IssueRef.parse, ("Acme/Rocket#1", "Acme/Rocket#2", "Acme/Rocket#3", "Far/Away#1")
)


@dataclass
class Kept:
    watching: Watching
    store: Store
    now: datetime = NOW

    async def names(self) -> list[str]:
        return [one.repository for one in await self.watching.watches()]


@pytest.fixture
async def kept(migrated_url: str) -> AsyncIterator[Kept]:
    async with as_it_is(migrated_url) as engine:

        def now() -> datetime:
            return made.now

        made = Kept(Watching(engine, now=now), Store(engine, now=now))
        yield made


def edge(waits: IssueRef, on: IssueRef, by: IssueRef | None = None) -> Edge:
    return Edge(waits, on, by or waits, Source.DECLARED)


# ---- watched repositories ----


async def test_watching_begins_once_and_is_not_moved_by_later_looks(kept: Kept) -> None:
    for later in range(3):
        await kept.watching.watch(["Acme/Rocket", "Far/Away"], NOW + later * MOMENT)
    await kept.watching.watch(["acme/ROCKET"], NOW)
    mark = Watermark(NOW, NOW)
    assert [Watch("Acme/Rocket", mark), Watch("Far/Away", mark)] == await kept.watching.watches()


async def test_another_process_does_not_move_it_either(kept: Kept) -> None:
    await kept.watching.watch(["Acme/Rocket"], NOW)
    other = Watching(kept.watching._engine, now=lambda: NOW + MOMENT)
    await other.watch(["Acme/Rocket"], NOW + MOMENT)
    assert [Watch("Acme/Rocket", Watermark(NOW, NOW))] == await other.watches()


async def test_a_watch_is_kept_as_it_was_noted(kept: Kept) -> None:
    watch = Watch("Acme/Rocket", Watermark(NOW, NOW), 2**40, NOW + MOMENT, archived=True)
    await kept.watching.keep(watch)
    assert [watch] == await kept.watching.watches()
    moved = replace(watch, repository="acme/rocket", mark=Watermark(NOW + MOMENT, NOW + MOMENT))
    await kept.watching.keep(moved)
    assert [moved] == await kept.watching.watches()


async def test_what_matters_is_coordinated_waits_or_is_waited_for(kept: Kept) -> None:
    assert {} == await kept.watching.mattering()
    await kept.store.save(Known(ONE, coordinated=True, state="closed"))
    await kept.store.save(Known(IssueRef("left", "behind", 1)), [])
    await kept.store.save(Known(TWO), [edge(TWO, FAR), edge(IssueRef("wa", "its", 9), TWO, TWO)])
    assert {
        "acme/rocket": "Acme/Rocket",
        "far/away": "Far/Away",
        "wa/its": "wa/its",
    } == await kept.watching.mattering()


async def test_what_does_not_matter_is_dropped_after_an_hour(kept: Kept) -> None:
    """A look may be about to make it matter; one that comes later watches it anew."""
    await kept.watching.watch(["Acme/Rocket"], NOW)
    kept.now += KEPT
    await kept.watching.watch(["Far/Away"], NOW)
    await kept.watching.drop(await kept.watching.watches())
    assert ["Acme/Rocket", "Far/Away"] == await kept.names()
    kept.now += MOMENT
    await kept.watching.drop(await kept.watching.watches())
    assert ["Far/Away"] == await kept.names()
    await kept.watching.watch(["Acme/Rocket"], NOW)
    assert ["Acme/Rocket", "Far/Away"] == await kept.names()


@pytest.mark.parametrize(
    ("expected", "old", "new"),
    [(NOW, NOW, None), (NOW, NOW, NOW + MOMENT), (NOW - MOMENT, NOW, NOW - MOMENT)],
    ids=["not watched yet", "watched since later", "watched since earlier"],
)
async def test_a_renamed_repository_is_watched_under_its_name_since_the_earliest(
    kept: Kept, expected: datetime, old: datetime, new: datetime | None
) -> None:
    await kept.watching.watch(["Acme/Rocket"], old)
    if new:
        await kept.watching.watch(["Acme/Missile"], new)
    [watch] = [one for one in await kept.watching.watches() if one.key == "acme/rocket"]
    renamed = await kept.watching.rename(replace(watch, forge_id=7), "Acme/Missile")
    assert Watch("Acme/Missile", Watermark(expected, NOW), 7) == renamed
    assert [renamed] == await kept.watching.watches()


async def test_a_name_spelled_otherwise_stays_one(kept: Kept) -> None:
    await kept.watching.watch(["Acme/Rocket"], NOW)
    [watch] = await kept.watching.watches()
    await kept.watching.rename(watch, "acme/rocket")
    assert ["acme/rocket"] == await kept.names()


# ---- what is remembered of a repository ----


async def test_when_issues_were_seen_can_be_forgotten(kept: Kept) -> None:
    for ref in (ONE, FAR):
        await kept.store.save(Known(ref, seen_at=NOW))
    await kept.watching.distrust("ACME/rocket")
    seen = await kept.store.issues([ONE, FAR])
    assert (None, NOW) == (seen[ONE].seen_at, seen[FAR].seen_at)


async def test_every_issue_that_is_remembered_of_all_or_some_repositories(kept: Kept) -> None:
    for ref in (TWO, FAR, ONE):
        await kept.store.save(Known(ref))
    assert [ONE, TWO, FAR] == await kept.watching.known(None)
    assert [FAR] == await kept.watching.known(["FAR/away", "no/where"])
    assert [] == await kept.watching.known([])


async def test_what_is_concerned_by_a_repository(kept: Kept) -> None:
    """Its own issues the bot has to do with, and what waits for them elsewhere."""
    await kept.store.save(Known(ONE, coordinated=True))
    await kept.store.save(Known(TWO))
    await kept.store.save(Known(FAR, coordinated=True), [edge(FAR, THREE)])
    assert {ONE, THREE, FAR} == await kept.watching.concerned("acme/ROCKET")
    assert {FAR} == await kept.watching.concerned("Far/Away")


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        (True, Known(ONE, coordinated=True, state="open")),
        (True, Known(ONE, coordinated=True, state="")),
        (False, Known(ONE, coordinated=True, state="closed")),
        (False, Known(ONE, coordinated=False, state="open")),
        (False, Known(ONE, coordinated=True, state="unseen")),
    ],
    ids=["open", "not looked at yet", "closed", "left", "not seen"],
)
async def test_a_coordinated_issue_is_thought_open(
    kept: Kept, expected: bool, known: Known
) -> None:
    await kept.store.save(known)
    assert expected is (ONE in await kept.watching.thought_open("acme/rocket"))


@pytest.mark.parametrize(
    ("expected", "state", "stood"),
    [
        (True, None, None),
        (True, None, RefState.OPEN),
        (True, None, RefState.UNCHECKED),
        (False, None, RefState.CLOSED),
        (False, None, RefState.MERGED),
        (False, None, RefState.UNSEEN),
        (False, None, RefState.GONE),
        (True, "open", RefState.CLOSED),
        (False, "closed", RefState.OPEN),
        (False, "gone", None),
    ],
)
async def test_an_issue_that_is_waited_for_is_thought_open(
    kept: Kept, expected: bool, state: str | None, stood: RefState | None
) -> None:
    """As it was last looked at; else as it stood for what waits for it."""
    stands = ((TWO, RefState.CLOSED), (ONE, stood)) if stood else ()
    waits = Known(FAR, coordinated=True, stood=stands)
    await kept.store.save(waits, [edge(FAR, ONE)])
    if state is not None:
        await kept.store.save(Known(ONE, state=state))
    assert expected is (ONE in await kept.watching.thought_open("acme/rocket"))
    assert {FAR} == await kept.watching.thought_open("far/away")


# ---- notes ----


async def test_notes_are_kept_replaced_and_forgotten(kept: Kept) -> None:
    assert "" == await kept.watching.note("gone:a/b")
    await kept.watching.keep_note("gone:a/b", "1")
    await kept.watching.keep_note("gone:a/b", "2")
    await kept.watching.keep_note("gone_a", "3")
    assert "2" == await kept.watching.note("gone:a/b")
    assert {"gone:a/b": "2"} == await kept.watching.notes("gone:")
    assert {"gone_a": "3"} == await kept.watching.notes("gone_")
    await kept.watching.keep_note("gone:a/b", "")
    assert {} == await kept.watching.notes("gone:")


# ---- ticks ----

FIVE = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        (["15:00", "15:05", "15:05"], ["15:00", "15:05", "15:05"]),
        (["15:05", "15:00", "15:05"], ["15:05", "15:00", "15:05"]),
        (["15:05", "14:05", "14:05", "14:10"], ["15:05", "14:05+1", "14:05+1", "14:10+1"]),
        (["15:05", "14:05", "15:05"], ["15:05", "14:05+1", "15:05+1"]),
        (["15:05", "14:05", "13:05"], ["15:05", "14:05+1", "13:05+2"]),
        (["15:05", "17:05", "15:10"], ["15:05", "17:05", "15:10+1"]),
    ],
    ids=["on", "a replica that is late", "set back", "the same again", "twice", "forward and back"],
)
async def test_every_tick_has_a_name_of_its_own_whatever_the_clock_does(
    kept: Kept, ticks: list[str], expected: list[str]
) -> None:
    def named(tick: str) -> str:
        moment, plus, times = tick.partition("+")
        return f"2026-11-22T{moment}:00Z{plus}{times}"

    found = [await kept.watching.named(named(tick), FIVE) for tick in ticks]
    assert [named(tick) for tick in expected] == found
