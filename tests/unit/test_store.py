"""What the bot remembers: on SQLite, and on PostgreSQL where one is at hand."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import ConfigError, StoreError
from bot.models import IssueRef, Source
from bot.store.access import among
from bot.store.database import (
    GIVES_UP,
    MIGRATIONS,
    async_url,
    connect_args,
    opened,
    sqlite_path,
)
from bot.store.queries import CHUNK, Edge, Failure, Known, Store, kept_title
from bot.store.tables import metadata

NOW = datetime(2026, 11, 22, 15, 4, 5, 678901, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    async with opened(database_url) as engine:
        yield Store(engine, now=clock)


def ref(text: str) -> IssueRef:
    return IssueRef.parse(text)


ONE, TWO, THREE, FAR = map(ref, ("acme/rocket#1", "acme/rocket#2", "acme/rocket#3", "Far/Away#1"))


def edge(waits: IssueRef, on: IssueRef, by: IssueRef, source: Source = Source.DECLARED) -> Edge:
    return Edge(waits, on, by, source)


# ---- issues ----


async def test_an_issue_is_remembered_as_it_was_saved(store: Store) -> None:
    known = Known(
        ref("Acme/Rocket#7"),
        coordinated=True,
        comment_id=2**40,
        title="Ünïcode ✓ 'quoted'",
        state="open",
        status="blocked",
        agent="sonnet",
        cycle=(ONE, FAR, ONE),
        owed=(TWO,),
    )
    assert await store.issue(known.ref) is None
    await store.save(known)
    assert known == await store.issue(known.ref)
    later = replace(known, comment_id=None, title="", state="gone", cycle=(), owed=())
    await store.save(later)
    assert later == await store.issue(known.ref)


async def test_repositories_are_found_in_any_case_and_shown_as_last_seen(store: Store) -> None:
    await store.save(Known(ref("acme/rocket#7")))
    await store.save(Known(ref("Acme/Rocket#7")))
    found = await store.issue(ref("ACME/ROCKET#7"))
    assert found is not None
    assert "Acme/Rocket#7" == str(found.ref)
    assert [ref("acme/rocket#7")] == list(await store.issues([ONE, ref("aCME/rocket#7")]))


@pytest.mark.parametrize(
    ("expected", "title"),
    [("short", "short"), ("x" * 500, "x" * 501), ("ab", "a\0b")],
    ids=["short", "long", "NUL"],
)
async def test_a_title_is_kept_in_one_form(store: Store, expected: str, title: str) -> None:
    """The same one that is compared with later; else it would seem changed for ever."""
    await store.save(Known(ONE, title=title))
    found = await store.issue(ONE)
    assert found is not None
    assert expected == found.title == kept_title(title)


async def test_thousands_of_issues_are_found_at_once(store: Store) -> None:
    refs = [ONE.sibling(number) for number in range(1, 2 * CHUNK + 2)]
    for one in (refs[0], refs[CHUNK], refs[-1]):
        await store.save(Known(one))
    assert {refs[0], refs[CHUNK], refs[-1]} == set(await store.issues(refs))
    assert {} == await store.issues([])


async def test_issues_of_many_repositories_are_found_at_once(store: Store) -> None:
    refs = [ref(f"acme/rocket{number}#{number % 7}") for number in range(2 * CHUNK)]
    for one in (refs[0], refs[CHUNK], refs[-1]):
        await store.save(Known(one), [edge(one, TWO, one)])
    assert {refs[0], refs[CHUNK], refs[-1]} == set(await store.issues(refs))
    assert {refs[0], refs[CHUNK], refs[-1]} == {one.waits for one in await store.blockers(refs)}


@pytest.mark.parametrize("table", ["issues", "edges"])
async def test_rows_are_found_by_an_index(sqlite_url: str, table: str) -> None:
    """Not by reading all of them, as SQLite does where two columns are compared together."""
    columns = metadata.tables[table].c.repository, metadata.tables[table].c.number
    asked = sa.select(*columns).where(among(*columns, [("a/b", 1), ("a/b", 2), ("c/d", 1)]))
    async with opened(sqlite_url) as engine, engine.connect() as connection:
        text = str(asked.compile(engine.sync_engine, compile_kwargs={"literal_binds": True}))
        plan = (await connection.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))).all()
    assert [] == [row.detail for row in plan if row.detail.startswith("SCAN")]


async def test_what_is_coordinated_blocked_and_busy_is_told(store: Store) -> None:
    for number, coordinated, status, agent in (
        (1, True, "blocked", "opus"),
        (2, True, "in-progress", "sonnet"),
        (3, True, "in-progress", "sonnet"),
        (4, True, "in-progress", ""),
        (5, True, "ready", "sonnet"),
        (6, False, "in-progress", "sonnet"),
        (7, False, "blocked", ""),
    ):
        known = Known(ONE.sibling(number), coordinated=coordinated, status=status, agent=agent)
        await store.save(known)
    assert [1, 2, 3, 4, 5] == sorted(one.number for one in await store.coordinated())
    assert [ONE] == await store.blocked()
    assert {"sonnet": 2} == await store.busy(besides=FAR)
    assert {"sonnet": 1} == await store.busy(besides=ref("ACME/rocket#2"))
    assert {"blocked": 1, "in-progress": 3, "ready": 1} == await store.statuses()


# ---- edges ----


async def test_edges_are_found_from_either_end_and_by_who_says_them(store: Store) -> None:
    own = edge(ONE, TWO, ONE)
    native = edge(ONE, TWO, ONE, Source.GITEA)
    other = edge(THREE, ONE, ONE)
    far = edge(FAR, TWO, FAR)
    await store.save(Known(ONE), [own, native, other, own])
    await store.save(Known(FAR), [far])
    assert {own, native, other} == await store.said_by(ref("ACME/ROCKET#1"))
    assert {own, native, far} == set(await store.waiting([TWO]))
    assert {own, native, other} == set(await store.blockers([ONE, THREE, TWO]))
    assert [] == await store.blockers([])
    assert ["Far/Away#1"] == [str(one.waits) for one in await store.blockers([FAR])]


async def test_saving_edges_replaces_what_the_issue_said_and_nothing_else(store: Store) -> None:
    await store.save(Known(ONE), [edge(ONE, TWO, ONE)])
    await store.save(Known(TWO), [edge(ONE, TWO, TWO)])
    await store.save(Known(ONE, title="new"))
    assert {edge(ONE, TWO, ONE)} == await store.said_by(ONE)
    await store.save(Known(ONE), [edge(ONE, THREE, ONE)])
    assert {edge(ONE, THREE, ONE)} == await store.said_by(ONE)
    await store.save(Known(ONE), [])
    assert [edge(ONE, TWO, TWO)] == await store.blockers([ONE])


async def test_the_bot_is_concerned_with_what_it_knows_and_what_somebody_waits_for(
    store: Store,
) -> None:
    await store.save(Known(ONE), [edge(ONE, TWO, ONE)])
    assert [True, True, False, False] == [
        await store.concerns(one) for one in (ONE, TWO, THREE, FAR)
    ]


# ---- work set aside ----


async def test_work_set_aside_is_listed_oldest_first_until_it_is_forgotten(store: Store) -> None:
    late = Failure("b", "{}", "acme/rocket#1", "404 gone", 3, NOW)
    early = Failure("a", "{}", "acme/rocket#2", "500", 12, NOW - timedelta(days=1))
    await store.set_aside(late)
    await store.set_aside(early)
    await store.set_aside(replace(late, attempts=4))
    assert [early, replace(late, attempts=4)] == await store.failures()
    assert 2 == await store.failures_count()
    await store.forget_failure("a")
    await store.forget_failure("nothing")
    assert ["b"] == [one.id for one in await store.failures()]


async def test_any_error_can_be_set_aside(store: Store) -> None:
    """Text that no database holds must not keep a failure from being kept."""
    await store.set_aside(Failure("a", "{}", "x", "NUL \0 and half a \ud83d " * 500, 1, NOW))
    [found] = await store.failures()
    assert 2000 == len(found.error)
    assert "NUL \ufffd and half a \ufffd " == found.error[:19]
    assert UTC == found.failed_at.tzinfo


# ---- what Claude answered ----


async def test_an_answer_is_kept_and_the_day_s_tokens_are_added_up(store: Store) -> None:
    assert await store.get("k") is None
    await store.put("k", '{"a":1}', 10, 5)
    await store.put("k", '{"a":2}', 11, 6)
    assert '{"a":2}' == await store.get("k")
    day = date(2026, 11, 22)
    assert 0 == await store.tokens_used(day)
    await asyncio.gather(*(store.spend(day, 100) for _ in range(5)))
    await store.spend(day, -50)
    await store.spend(date(2026, 11, 23), 7)
    assert 450 == await store.tokens_used(day)


# ---- locks ----


async def test_a_lock_is_held_by_one_until_it_is_given_back_or_ends(
    store: Store, clock: Clock
) -> None:
    minute = timedelta(minutes=1)
    assert await store.lock("labels", "a", minute)
    assert await store.lock("labels", "a", minute)
    assert not await store.lock("labels", "b", minute)
    assert await store.lock("others", "b", minute)
    await store.unlock("labels", "b")
    assert not await store.lock("labels", "b", minute)
    clock.now += minute + timedelta(seconds=1)
    assert await store.lock("labels", "b", minute)
    await store.unlock("labels", "a")
    assert not await store.lock("labels", "a", minute)
    await store.unlock("labels", "b")
    assert await store.lock("labels", "a", minute)


async def test_a_lock_ends_too_where_the_clock_was_set_back(store: Store, clock: Clock) -> None:
    minute = timedelta(minutes=1)
    assert await store.lock("labels", "a", minute)
    clock.now -= timedelta(minutes=5)
    assert not await store.lock("labels", "b", minute)
    clock.now -= timedelta(hours=1)
    assert await store.lock("labels", "b", minute)


async def test_of_many_who_want_a_lock_at_once_one_gets_it(store: Store) -> None:
    got = await asyncio.gather(
        *(store.lock("labels", str(n), timedelta(minutes=1)) for n in range(10))
    )
    assert 1 == sum(got)


# ---- a database in trouble ----


async def test_a_database_that_does_not_answer_is_a_store_error(database_url: str) -> None:
    async with opened(database_url) as engine:
        store = Store(engine, now=Clock())
        await store.ping()
        async with engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
        for asking in (store.ping(), store.coordinated(), store.save(Known(ONE))):
            with pytest.raises(StoreError):
                await asking


async def test_a_database_that_can_be_read_but_not_written_is_not_ready(sqlite_url: str) -> None:
    """As on a full disk, where a statement that changes nothing still succeeds."""
    async with opened(sqlite_url) as engine:
        store = Store(engine, now=Clock())
        await store.ping()
        async with engine.begin() as connection:
            full = "SELECT RAISE(FAIL, 'database or disk is full')"
            await connection.execute(
                sa.text(f"CREATE TRIGGER full BEFORE INSERT ON locks BEGIN {full}; END")
            )
        with pytest.raises(StoreError, match="full"):
            await store.ping()


async def test_waiting_too_long_for_a_connection_is_a_store_error(sqlite_url: str) -> None:
    """So the work is tried again, instead of being taken for a bug."""
    async with opened(sqlite_url):
        pass
    engine = create_async_engine(
        async_url(sqlite_url), pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    store = Store(engine, now=Clock())
    async with engine.connect():
        with pytest.raises(StoreError):
            await store.wrote(ONE, "alice")
        with pytest.raises(StoreError):
            await store.ping()
    await engine.dispose()


async def test_reading_waits_for_no_connection(sqlite_url: str) -> None:
    """A file is read beside whoever writes to it, also after all connections were closed."""
    async with opened(sqlite_url) as engine:
        store = Store(engine, now=Clock())
        async with engine.begin() as connection:
            await connection.execute(sa.text("DELETE FROM issues"))
            assert [] == await store.coordinated()
            await store.forget_failure("there is none of that name")
        await engine.dispose()
        assert [] == await store.coordinated()


async def test_a_database_in_memory_is_read_where_it_is_written() -> None:
    engine = create_async_engine("sqlite+aiosqlite:///:memory:")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    store = Store(engine, now=Clock())
    await store.save(Known(ONE, coordinated=True, state="open"))
    assert [ONE] == await store.coordinated()
    await engine.dispose()


async def test_a_save_that_fails_half_way_leaves_all_as_it_was(store: Store) -> None:
    await store.save(Known(ONE, title="before"), [edge(ONE, TWO, ONE)])
    broken = Edge(ONE, THREE, ONE, None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        await store.save(Known(ONE, title="after"), [broken])
    found = await store.issue(ONE)
    assert found is not None
    assert "before" == found.title
    assert {edge(ONE, TWO, ONE)} == await store.said_by(ONE)


async def test_who_leaves_in_the_middle_of_a_write_leaves_no_lock(store: Store) -> None:
    """As one of several tasks side by side does when another one fails."""
    for rounds in range(60):
        tasks = [
            asyncio.create_task(store.lock("labels", str(rounds), timedelta(seconds=1))),
            asyncio.create_task(store.save(Known(ONE, title=str(rounds)), [edge(ONE, TWO, ONE)])),
            asyncio.create_task(store.coordinated()),
        ]
        for _ in range(rounds):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(10):
            await store.ping()


# ---- opening it ----


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        (("sqlite+aiosqlite", Path("data/bot.db")), "sqlite:///data/bot.db"),
        (("sqlite+aiosqlite", Path("/data/bot.db")), "sqlite:////data/bot.db"),
        (("postgresql+psycopg", None), "postgresql://me:secret@db/bot"),
        (("postgresql+psycopg", None), "postgresql+psycopg2://me@db/bot"),
    ],
)
def test_a_database_s_url_gets_its_driver(expected: tuple[str, Path | None], url: str) -> None:
    assert expected == (async_url(url).drivername, sqlite_path(url))


async def test_a_file_is_made_with_its_directory_and_survives_a_power_cut(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/deeper/bot.db"
    async with opened(url) as engine, engine.connect() as connection:
        found = {
            name: (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000, "foreign_keys": 1} == (
        found
    )


async def test_a_directory_that_cannot_be_made_is_the_settings_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be made"):
        async with opened(f"sqlite:///{tmp_path}/file/bot.db"):
            pass


async def test_a_directory_in_place_of_the_file_is_the_settings_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        async with opened(f"sqlite:///{tmp_path}"):
            pass


@pytest.mark.parametrize(
    "url",
    ["sqlite:///{tmp}/noise.db", "postgresql://x@127.0.0.1:1/none"],
    ids=["no database", "no server"],
)
async def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path, url: str) -> None:
    (tmp_path / "noise.db").write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        async with opened(url.format(tmp=tmp_path)):
            pass


# ---- migrations ----


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


async def test_migrations_make_just_the_tables_that_are_used(database_url: str) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        options = {"version_table": "mosaic_version", "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with opened(database_url) as engine, engine.connect() as connection:
        assert [] == await connection.run_sync(differences)


async def test_migrating_twice_keeps_what_is_there(database_url: str) -> None:
    async with opened(database_url) as engine:
        await Store(engine, now=Clock()).save(Known(ONE))
    async with opened(database_url) as engine:
        assert await Store(engine, now=Clock()).issue(ONE) is not None


async def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    async def use(number: int) -> None:
        async with opened(database_url) as engine:
            await Store(engine, now=Clock()).save(Known(ONE.sibling(number), coordinated=True))

    await asyncio.gather(*(use(number) for number in range(1, 5)))
    async with opened(database_url) as engine:
        assert 4 == len(await Store(engine, now=Clock()).coordinated())


async def test_migrations_can_be_undone(database_url: str) -> None:
    def undo(connection: sa.Connection) -> list[str]:
        command.downgrade(_config(connection), "base")
        return sa.inspect(connection).get_table_names()

    async with opened(database_url) as engine, engine.begin() as connection:
        assert ["mosaic_version"] == await connection.run_sync(undo)


async def test_a_database_of_a_later_bot_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with opened(url):
        pass
    connection = sqlite3.connect(tmp_path / "bot.db")
    with connection:
        connection.execute("UPDATE mosaic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="later version"):
        async with opened(url):
            pass


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ({}, "sqlite:///bot.db"),
        (GIVES_UP, "postgresql://bot@db/bot"),
        ({**GIVES_UP, "connect_timeout": None}, "postgresql://bot@db/bot?connect_timeout=60"),
    ],
    ids=["a file", "as it is", "said otherwise"],
)
def test_a_database_that_is_gone_is_noticed_soon(expected: dict[str, int], url: str) -> None:
    assert {k: v for k, v in expected.items() if v} == connect_args(url)
