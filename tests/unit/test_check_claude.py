"""Whether Claude can be asked is asked of the API, for nothing, and told by its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.ai import DEFAULT_MODEL
from bot.check import claude
from bot.check.finding import Finding, Grade
from bot.config import Settings
from tests.claude_server import (
    API_KEY,
    Behaviour,
    ClaudeServer,
    claude_server,
    drips,
    fails,
    hangs,
    hangs_up,
    redirects,
    sends,
)


@pytest.fixture
async def server() -> AsyncIterator[ClaudeServer]:
    async with claude_server() as running:
        yield running


async def found(
    server: ClaudeServer, *, key: str = API_KEY, model: str = DEFAULT_MODEL, **ai: object
) -> list[Finding]:
    about = {"api_key": key, "base_url": server.url, "model": model, **ai}
    settings = Settings(file={"ai": about}, environ={}, short={})  # type: ignore[call-arg]
    there = await claude.look(settings)
    assert all(one.why and one.do for one in there if one.grade is not Grade.GOOD)
    assert API_KEY not in repr(there)
    return there


def ids(there: list[Finding]) -> list[tuple[Grade, str]]:
    return [(one.grade, one.id) for one in there]


class TestAsking:
    async def test_a_key_and_a_model_that_are_right_are_good(self, server: ClaudeServer) -> None:
        """Nothing is read for it."""
        assert [(Grade.GOOD, "claude.model")] == ids(await found(server))
        assert [] == server.requests

    async def test_without_a_key_nothing_is_asked(self, server: ClaudeServer) -> None:
        assert [(Grade.GOOD, "claude.none")] == ids(await found(server, key=""))
        assert [(Grade.GOOD, "claude.off")] == ids(await found(server, enabled=False))
        assert [] == server.headers

    async def test_a_wrong_key_is_told(self, server: ClaudeServer) -> None:
        there = await found(server, key="sk-ant-wrong")
        assert [(Grade.WRONG, "claude.key")] == ids(there)
        assert "sk-ant-wrong" not in repr(there)

    async def test_an_unknown_model_is_told(self, server: ClaudeServer) -> None:
        there = await found(server, model="claude-sonet-5-5")
        assert [(Grade.WRONG, "claude.unknown-model")] == ids(there)
        assert "claude-sonet-5-5" in there[0].what

    async def test_a_budget_of_nothing_is_a_note(self, server: ClaudeServer) -> None:
        there = await found(server, daily_tokens=0)
        assert [(Grade.GOOD, "claude.model"), (Grade.NOTE, "claude.no-budget")] == ids(there)

    @pytest.mark.parametrize(
        ("expected", "behaviour"),
        [
            ((Grade.WRONG, "claude.billing"), fails(402)),
            ((Grade.WRONG, "claude.forbidden"), fails(403)),
            ((Grade.NOTE, "claude.busy"), fails(429)),
            ((Grade.NOTE, "claude.fault"), fails(500)),
            ((Grade.NOTE, "claude.fault"), fails(529)),
            ((Grade.WRONG, "claude.stranger"), fails(400)),
            ((Grade.WRONG, "claude.stranger"), sends(b"<html>hello", "text/html")),
            ((Grade.WRONG, "claude.stranger"), sends(b'{"type": "error"}')),
            ((Grade.WRONG, "claude.stranger"), redirects("http://127.0.0.1:9/")),
            ((Grade.WRONG, "claude.silent"), hangs_up()),
            ((Grade.NOTE, "claude.gateway"), sends(b"nothing here", "text/plain", 404)),
            ((Grade.NOTE, "claude.gateway"), sends(b"", "text/plain", 405)),
            ((Grade.NOTE, "claude.gateway"), fails(404)),
        ],
        ids=lambda value: value[1] if isinstance(value, tuple) else "",
    )
    async def test_each_answer_has_its_finding(
        self, server: ClaudeServer, expected: tuple[Grade, str], behaviour: Behaviour
    ) -> None:
        server.then(behaviour)
        assert [expected] == ids(await found(server))

    @pytest.mark.parametrize("behaviour", [hangs(), drips()], ids=["hangs", "drips"])
    async def test_one_that_does_not_answer_is_given_up(
        self, server: ClaudeServer, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(claude, "PATIENCE", 0.2)
        server.then(behaviour)
        there = await found(server)
        assert [(Grade.WRONG, "claude.silent")] == ids(there)
        assert "no answer within 0.2 s" in there[0].what


class TestTelling:
    def test_where_no_gateway_is_set_404_is_the_models(self) -> None:
        access = claude.Access(404, is_claude=True)
        assert "claude.unknown-model" == claude.told(access, "m", gateway=False).id
        assert "claude.stranger" == claude.told(claude.Access(404), "m", gateway=False).id
