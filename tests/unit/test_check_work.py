"""Whether a bot is at work, how it gets on; and that no part of a check takes another away."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.assigned import NOTE, Progress
from bot.check import machine, work
from bot.check.finding import Finding, Grade
from bot.check.machine import Machine, part
from bot.config import Settings
from bot.errors import ConfigError
from bot.store.database import opened
from bot.store.queries import Failure, Store
from bot.store.watching import Watching
from bot.watermark import Watermark

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EVERY = timedelta(minutes=5)


class Notes:
    """One note."""

    def __init__(self, ago: timedelta | None) -> None:
        self.ago = ago

    async def note(self, name: str) -> str:
        assert name == NOTE
        return "" if self.ago is None else progress(self.ago).dump()

    async def keep_note(self, name: str, value: str) -> None:
        raise AssertionError(name, value)


class Failures:
    """What was given up."""

    def __init__(self, *errors: str) -> None:
        self.errors = errors

    async def failures(self) -> list[Failure]:
        return [failure(number, error) for number, error in enumerate(self.errors, 1)]


def progress(ago: timedelta) -> Progress:
    return Progress(Watermark(NOW - ago, NOW - ago), NOW - ago)


def failure(number: int, error: str) -> Failure:
    return Failure(
        id=f"look:{number}",
        job="{}",
        about=f"acme/rocket#{number}",
        error=error,
        attempts=12,
        failed_at=NOW,
    )


def settings(**values: object) -> Settings:
    return Settings(file=values, environ={}, short={})  # type: ignore[call-arg]


def ids(there: list[Finding]) -> list[tuple[Grade, str]]:
    assert all(one.why and one.do for one in there if one.grade is not Grade.GOOD)
    return [(one.grade, one.id) for one in there]


@asynccontextmanager
async def answering(behave: Callable[[], web.Response]) -> AsyncIterator[Settings]:
    async def health(_request: web.Request) -> web.Response:
        return behave()

    app = web.Application()
    app.router.add_get("/health", health)
    async with TestServer(app) as server:
        yield settings(server={"host": "0.0.0.0", "port": server.port})


class TestRunning:
    @pytest.mark.parametrize(
        ("expected", "answer"),
        [
            ((True, "work.running"), lambda: web.json_response({"status": "ok"})),
            ((False, "work.port-taken"), lambda: web.Response(text="hello")),
            ((False, "work.port-taken"), lambda: web.Response(status=404)),
        ],
        ids=["bot", "stranger", "not-found"],
    )
    async def test_what_answers_tells_whether_it_is_a_bot(
        self, expected: tuple[bool, str], answer: Callable[[], web.Response]
    ) -> None:
        async with answering(answer) as there:
            running, found = await work.whether_running(there)
        assert expected == (running, found[0].id)

    async def test_where_nobody_listens_no_bot_is_at_work(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        there = settings(server={"host": "127.0.0.1", "port": port})
        running, found = await work.whether_running(there)
        assert (False, [(Grade.NOTE, "work.stopped")]) == (running, ids(found))

    async def test_one_that_hangs_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(work, "PATIENCE", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            there = settings(server={"host": "127.0.0.1", "port": silent.getsockname()[1]})
            running, found = await work.whether_running(there)
        assert (False, [(Grade.WRONG, "work.silent")]) == (running, ids(found))

    async def test_where_any_port_will_do_it_cannot_be_known(self) -> None:
        assert (False, []) == await work.whether_running(settings(server={"port": 0}))


class TestRecheck:
    @pytest.mark.parametrize(
        ("expected", "ago", "running"),
        [
            ([], None, True),
            ([(Grade.GOOD, "work.recheck")], timedelta(minutes=15), True),
            ([(Grade.WRONG, "work.recheck-late")], timedelta(minutes=16), True),
            ([(Grade.WRONG, "work.recheck-late")], timedelta(days=3), True),
            ([(Grade.GOOD, "work.recheck")], timedelta(days=3), False),
        ],
    )
    async def test_one_that_is_late_while_a_bot_runs_is_told(
        self, expected: list[tuple[Grade, str]], ago: timedelta | None, *, running: bool
    ) -> None:
        found = await work.recheck(Notes(ago), EVERY, NOW, running=running)
        assert expected == ids(found)

    async def test_it_may_be_as_late_as_it_is_seldom(self) -> None:
        ago = timedelta(hours=3)
        found = await work.recheck(Notes(ago), timedelta(hours=1), NOW, running=True)
        assert [(Grade.GOOD, "work.recheck")] == ids(found)

    @pytest.mark.parametrize(
        ("expected", "ago"),
        [("for 90 min;", timedelta(minutes=90)), ("for 72 h;", timedelta(days=3))],
    )
    async def test_it_is_said_how_late(self, expected: str, ago: timedelta) -> None:
        found = await work.recheck(Notes(ago), EVERY, NOW, running=True)
        assert expected in found[0].what


class TestGivenUp:
    async def test_nothing_is_good(self) -> None:
        assert [(Grade.GOOD, "work.none-given-up")] == ids(await work.given_up(Failures()))

    async def test_the_first_reasons_are_told(self) -> None:
        found = await work.given_up(Failures("403 no\nright", "b", "c", "d", "e"))
        assert (
            "5 pieces of work were given up: acme/rocket#1: 403 no right; acme/rocket#2: b; "
            "acme/rocket#3: c; and 2 more."
        ) == found[0].what
        assert Grade.WRONG is found[0].grade

    async def test_a_long_reason_is_cut(self) -> None:
        found = await work.given_up(Failures("x" * 300))
        assert f"1 piece of work was given up: acme/rocket#1: {'x' * 199}…." == found[0].what


class TestMachine:
    async def test_everything_is_looked_at(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/bot.db"
        async with opened(url) as engine:
            notes = Watching(engine, now=lambda: NOW)
            await notes.keep_note(NOTE, progress(timedelta(hours=1)).dump())
            await Store(engine, now=lambda: NOW).set_aside(failure(1, "no"))
        here = Machine(settings(database_url=url), (), now=lambda: NOW, serving=True)
        parts = {one.name: [found.id for found in one.findings] for one in await here.parts()}
        assert ["Settings", "Storage", "Claude", "Work"] == [*parts]
        assert "storage.writable" in parts["Storage"]
        assert ["work.recheck-late", "work.given-up"] == parts["Work"]

    async def test_where_the_database_is_not_usable_the_rest_is_looked_at(
        self, tmp_path: Path
    ) -> None:
        there = settings(database_url=f"sqlite:///{tmp_path}/x/bot.db", server={"port": 0})
        parts = await Machine(there, (), now=lambda: NOW).parts()
        assert [] == [*parts[3].findings]
        assert "storage.new" == parts[1].findings[0].id

    @pytest.mark.parametrize(
        ("expected", "error"),
        [
            ("Storage could not be looked at: no such host", ConfigError("no such host")),
            ("Storage could not be looked at: internal error (ValueError)", ValueError("secret")),
        ],
    )
    async def test_a_part_that_fails_says_so(self, expected: str, error: Exception) -> None:
        async def look() -> list[Finding]:
            raise error

        found = await part("Storage", look)
        assert [("storage.unknown", expected)] == [(one.id, one.what) for one in found.findings]

    async def test_one_that_fails_takes_nothing_from_the_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_url: str) -> None:
            raise RuntimeError

        monkeypatch.setattr(machine.storage, "look", fail)
        there = settings(database_url=f"sqlite:///{tmp_path}/bot.db")
        parts = await Machine(there, (), now=lambda: NOW, serving=True).parts()
        assert ["storage.unknown", "claude.none", "work.unknown"] == [
            one.findings[0].id for one in parts[1:]
        ]
