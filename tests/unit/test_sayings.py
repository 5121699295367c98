"""What people said, as it is kept: on SQLite, and on PostgreSQL where one is at hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import StoreError
from bot.models import Difficulty, IssueRef
from bot.sayings import NO_PRIORITY, Field, Heard, Link, LinkKind, Override, Overrides, Pause
from bot.store.database import as_it_is, async_url, opened
from bot.store.sayings import CHUNK, MAX_TEXT, SayingsStore
from bot.store.tables import metadata

NOW = datetime(2026, 11, 22, 15, 4, 5, 678901, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDED, IGNORED = LinkKind.ADDED, LinkKind.IGNORED


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(migrated_url: str, clock: Clock) -> AsyncIterator[SayingsStore]:
    async with as_it_is(migrated_url) as engine:
        yield SayingsStore(engine, now=clock)


def ref(text: str) -> IssueRef:
    return IssueRef.parse(text)


ONE, TWO, THREE, FAR = map(ref, ("acme/rocket#1", "acme/rocket#2", "acme/rocket#3", "Far/Away#1"))


def link(waits: IssueRef, on: IssueRef, kind: LinkKind = ADDED, by: str = "alice") -> Link:
    return Link(waits, on, kind, by, NOW)


# ---- overrides ----


async def test_what_was_set_is_kept_with_who_when_and_why(store: SayingsStore) -> None:
    assert Overrides() == await store.overrides(ONE)
    await store.override(ONE, Field.HOLD, "yes", by="Alice", reason="the ✓ 'review'")
    await store.override(ONE, Field.ESTIMATE, "46000", by="bob")
    await store.override(TWO, Field.AGENT, "sonnet", by="bob")
    hold = Override(Field.HOLD, "yes", "Alice", NOW, "the ✓ 'review'")
    estimate = Override(Field.ESTIMATE, "46000", "bob", NOW)
    assert Overrides((estimate, hold)) == await store.overrides(ref("ACME/Rocket#1"))


async def test_every_field_can_be_set_and_read_as_what_it_is(store: SayingsStore) -> None:
    values = ("46000", "hard", "sonnet", "p1", "yes", "f1")
    for field, value in zip(Field, values, strict=True):
        await store.override(ONE, field, value, by="alice")
    found = await store.overrides(ONE)
    assert (46_000, Difficulty.HARD, "sonnet", "p1") == (
        found.estimate,
        found.difficulty,
        found.agent,
        found.priority,
    )
    assert set(Field) == {one.field for one in found.all}


async def test_a_priority_taken_away_is_none_but_it_is_kept_that_there_was_one(
    store: SayingsStore,
) -> None:
    await store.override(ONE, Field.PRIORITY, "p1", by="alice")
    await store.override(ONE, Field.PRIORITY, NO_PRIORITY, by="alice")
    found = await store.overrides(ONE)
    assert (None, [Field.PRIORITY]) == (found.priority, [one.field for one in found.all])


async def test_setting_again_replaces_all_of_it(store: SayingsStore, clock: Clock) -> None:
    await store.override(ONE, Field.HOLD, "yes", by="alice", reason="because")
    clock.now += HOUR
    await store.override(ref("Acme/ROCKET#1"), Field.HOLD, "yes", by="bob")
    expected = Override(Field.HOLD, "yes", "bob", NOW + HOUR)
    assert Overrides((expected,)) == await store.overrides(ONE)


async def test_what_was_set_is_given_back_and_nothing_else(store: SayingsStore) -> None:
    await store.override(ONE, Field.HOLD, "yes", by="alice")
    await store.override(ONE, Field.PRIORITY, "p1", by="alice")
    await store.override(TWO, Field.HOLD, "yes", by="alice")
    assert [True, False] == [await store.give_back(ONE, Field.HOLD) for _ in range(2)]
    assert [Field.PRIORITY] == [one.field for one in (await store.overrides(ONE)).all]
    assert [Field.HOLD] == [one.field for one in (await store.overrides(TWO)).all]


async def test_any_reason_can_be_kept(store: SayingsStore) -> None:
    """Text that no database holds must not keep a command from being done."""
    await store.override(ONE, Field.HOLD, "yes", by="alice", reason="NUL \0, half a \ud83d" * 500)
    await store.pause("acme/rocket", by="alice", reason="\0")
    [found] = (await store.overrides(ONE)).all
    assert MAX_TEXT == len(found.reason)
    assert found.reason.startswith("NUL \ufffd, half a \ufffdNUL")
    assert Pause("acme/rocket", "alice", NOW, "\ufffd") == await store.paused("acme/rocket")


# ---- links ----


async def test_links_are_found_from_either_end_in_order(store: SayingsStore) -> None:
    await store.link(THREE, ONE, by="alice")
    await store.link(ONE, TWO, by="alice")
    await store.ignore(ONE, FAR, by="alice")
    await store.link(TWO, THREE, by="alice")
    expected = [link(ONE, TWO), link(ONE, FAR, IGNORED), link(THREE, ONE)]
    assert expected == await store.links(ref("ACME/rocket#1"))
    [far] = await store.links(FAR)
    assert ("acme/rocket#1", "Far/Away#1") == (str(far.waits), str(far.on))
    everything = await store.links_of([ONE, TWO, THREE, FAR])
    assert [link(ONE, TWO), link(ONE, FAR, IGNORED), link(TWO, THREE), link(THREE, ONE)] == (
        everything
    )
    assert [] == await store.links_of([])


async def test_where_an_edge_was_added_is_known(store: SayingsStore) -> None:
    """What a command in a private repository names is not named elsewhere by that."""
    await store.link(ONE, TWO, by="alice", at=ONE)
    await store.link(ONE, FAR, by="alice", at=FAR)
    await store.link(ONE, THREE, by="alice")
    await store.ignore(THREE, TWO, by="alice")
    heard = await store.heard(ONE)
    assert {ONE, TWO} == heard.linked_in("Acme/Rocket")
    assert {ONE, FAR} == heard.linked_in("far/away")
    assert {ONE, TWO, THREE, FAR} == heard.linked


def test_links_follow_their_issues() -> None:
    now = {TWO: FAR}
    heard = Heard(links=(link(ONE, TWO), link(TWO, THREE, IGNORED)))
    assert (link(ONE, FAR), link(FAR, THREE, IGNORED)) == heard.called(now).links


async def test_an_edge_is_either_added_or_ignored(store: SayingsStore) -> None:
    await store.link(ONE, TWO, by="alice")
    await store.ignore(ONE, TWO, by="bob")
    assert [link(ONE, TWO, IGNORED, "bob")] == await store.links(ONE)
    await store.link(ref("Acme/Rocket#1"), TWO, by="carol")
    [again] = await store.links(TWO)
    assert (link(ONE, TWO, ADDED, "carol"), "Acme/Rocket#1") == (again, str(again.waits))


async def test_only_an_added_edge_is_taken_away_and_only_that_way_round(
    store: SayingsStore,
) -> None:
    await store.link(ONE, TWO, by="alice")
    await store.link(TWO, ONE, by="alice")
    await store.ignore(ONE, THREE, by="alice")
    assert [True, False] == [await store.unlink(ONE, TWO) for _ in range(2)]
    assert not await store.unlink(ONE, THREE)
    assert [link(ONE, THREE, IGNORED), link(TWO, ONE)] == await store.links(ONE)


async def test_links_of_many_issues_are_found_each_once(store: SayingsStore) -> None:
    refs = [ONE.sibling(number) for number in range(1, 2 * CHUNK + 2)]
    await store.link(refs[-1], refs[0], by="alice")
    await store.link(refs[CHUNK], refs[CHUNK + 1], by="alice")
    expected = [link(refs[CHUNK], refs[CHUNK + 1]), link(refs[-1], refs[0])]
    assert expected == await store.links_of(refs)


# ---- pauses ----


async def test_a_repository_is_paused_until_it_is_resumed(
    store: SayingsStore, clock: Clock
) -> None:
    assert await store.paused("acme/rocket") is None
    await store.pause("Acme/Rocket", by="alice", reason="labels move")
    assert Pause("acme/rocket", "alice", NOW, "labels move") == await store.paused("acme/rocket")
    assert await store.paused("acme/rocket2") is None
    clock.now += HOUR
    await store.pause("acme/rocket", by="bob")
    assert Pause("ACME/rocket", "bob", NOW + HOUR) == await store.paused("ACME/rocket")
    assert [True, False] == [await store.resume("acme/ROCKET") for _ in range(2)]
    assert await store.paused("acme/rocket") is None


# ---- all of an issue ----


async def test_all_that_bears_on_an_issue_is_heard_at_once(store: SayingsStore) -> None:
    assert Heard() == await store.heard(ONE)
    await store.override(ONE, Field.PRIORITY, "p0", by="alice")
    await store.link(ONE, TWO, by="alice")
    await store.pause("acme/rocket", by="alice")
    expected = Heard(
        Overrides((Override(Field.PRIORITY, "p0", "alice", NOW),)),
        (link(ONE, TWO),),
        Pause("acme/rocket", "alice", NOW),
    )
    assert expected == await store.heard(ONE)


# ---- commands that were done ----


async def test_a_command_is_begun_once_and_its_result_is_known_when_it_is_finished(
    store: SayingsStore,
) -> None:
    assert [True, False] == [await store.begin_command("comment:1:0", "alice") for _ in range(2)]
    assert await store.begin_command("comment:1:1", "alice")
    assert [None, None] == [await store.result_of(key) for key in ("comment:1:0", "never")]
    await store.finish_command("comment:1:0", '{"good": true}')
    await store.finish_command("never", "{}")
    assert not await store.begin_command("comment:1:0", "alice")
    assert ['{"good": true}', None, None] == [
        await store.result_of(key) for key in ("comment:1:0", "comment:1:1", "never")
    ]


async def test_finished_commands_are_found_by_how_their_key_begins(store: SayingsStore) -> None:
    """Compared to the letter, whatever the database's language, or a sign that stands for others."""
    keys = ("comment:1:0:a", "comment:1:1:b", "comment:12:0:a", "comment_1:0", "Comment:1:0:a")
    for key in (*keys, "comment:1:2:c", "comment:1", "comment:1;0"):
        await store.begin_command(key, "alice")
    for number, key in enumerate(keys):
        await store.finish_command(key, f"{number}")
    expected = {"comment:1:0:a": "0", "comment:1:1:b": "1"}
    assert expected == await store.finished("comment:1:")
    assert {} == await store.finished("comment:2:")


async def test_of_many_who_begin_a_command_at_once_one_does(store: SayingsStore) -> None:
    begun = await asyncio.gather(*(store.begin_command("key", str(n)) for n in range(10)))
    assert 1 == sum(begun)


async def test_the_commands_of_a_person_are_counted(store: SayingsStore, clock: Clock) -> None:
    await store.begin_command("1", "alice")
    clock.now += HOUR
    for key, by in (("2", "Alice"), ("3", "alice"), ("3", "alice"), ("4", "bob")):
        await store.begin_command(key, by)
    assert [3, 2, 0] == [
        await store.commands_since("ALICE", since) for since in (NOW, NOW + HOUR, NOW + 2 * HOUR)
    ]
    east = timezone(timedelta(hours=9))
    assert 2 == await store.commands_since("alice", (NOW + HOUR).astimezone(east))
    assert 0 == await store.commands_since("carol", NOW)


# ---- a database in trouble ----


async def test_a_database_that_does_not_answer_is_a_store_error(database_url: str) -> None:
    async with opened(database_url) as engine:
        store = SayingsStore(engine, now=Clock())
        async with engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
        for asking in (
            store.overrides(ONE),
            store.override(ONE, Field.HOLD, "yes", by="alice"),
            store.unlink(ONE, TWO),
            store.begin_command("key", "alice"),
        ):
            with pytest.raises(StoreError):
                await asking


async def test_waiting_too_long_for_a_connection_is_a_store_error(sqlite_url: str) -> None:
    """So the command is tried again, instead of being taken for a bug."""
    async with opened(sqlite_url):
        pass
    engine = create_async_engine(
        async_url(sqlite_url), pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    store = SayingsStore(engine, now=Clock())
    async with engine.connect():
        with pytest.raises(StoreError):
            await store.resume("acme/rocket")
    await engine.dispose()
