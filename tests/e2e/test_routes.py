"""What a running bot answers to those who watch it: /health, /ready and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NoReturn

import httpx
import pytest

from bot.demo.story import REPOSITORY, Stage, staged
from bot.errors import StoreError

pytestmark = pytest.mark.counted


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


@pytest.fixture
async def ask(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bot's own routes."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{stage.port}") as client:
        yield client


@pytest.fixture
def without_storage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's database no longer answers."""

    async def silent() -> NoReturn:
        raise StoreError("the queue does not answer: disk I/O error")

    monkeypatch.setattr(stage.bot.engine, "counts", silent)


async def test_a_bot_at_work_is_healthy_and_ready(ask: httpx.AsyncClient) -> None:
    health, ready = await ask.get("/health"), await ask.get("/ready")
    assert (200, {"status": "ok"}) == (health.status_code, health.json())
    expected = {"status": "ready", "storage": "ok", "gitea": "ok"}
    assert (200, expected) == (ready.status_code, ready.json())


@pytest.mark.usefixtures("without_storage")
async def test_without_storage_it_is_not_ready_but_healthy(ask: httpx.AsyncClient) -> None:
    ready = await ask.get("/ready")
    assert 503 == ready.status_code
    assert "disk I/O error" in ready.json()["storage"]
    assert ("unavailable", "ok") == (ready.json()["status"], ready.json()["gitea"])
    assert 200 == (await ask.get("/health")).status_code


async def test_storage_that_is_silent_is_asked_once_and_not_waited_for(
    stage: Stage, ask: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = list[str](), asyncio.Event()

    async def slow() -> dict[str, int]:
        asked.append("counts")
        await answers.wait()
        return {}

    monkeypatch.setattr(stage.bot.engine, "counts", slow)
    monkeypatch.setattr("bot.routes.ANSWER_SECONDS", 0.5)
    for _ in range(2):
        ready = await ask.get("/ready")
        assert (503, "no answer within 0.5 s") == (ready.status_code, ready.json()["storage"])
    assert ["counts"] == asked
    answers.set()


async def test_without_gitea_it_is_not_ready_and_says_so(
    stage: Stage, ask: httpx.AsyncClient
) -> None:
    await stage.quiet()  # the recheck at start asks who the bot is, too
    stage.forge.faults.add("GET", "^/user$", status=401, message="token is gone")
    ready = await ask.get("/ready")
    assert 503 == ready.status_code
    expected = {
        "status": "unavailable",
        "storage": "ok",
        "gitea": "GET /user: 401 token is gone",
    }
    assert expected == ready.json()


async def test_a_bot_that_stops_is_not_ready(stage: Stage, ask: httpx.AsyncClient) -> None:
    stage.bot.stopping = True
    ready = await ask.get("/ready")
    assert (503, "stopping") == (ready.status_code, ready.json()["process"])


async def test_metrics_tell_how_things_stand(stage: Stage, ask: httpx.AsyncClient) -> None:
    stage.alice.open("Pump", "Context estimate: 9k tokens", assignees=["coordinator"])
    await stage.quiet()
    page = (await ask.get("/metrics")).text
    assert 'mosaic_issues{status="ready"} 1.0' in page
    assert "mosaic_set_aside 0.0" in page
    assert 'mosaic_queue{state="waiting"} 0.0' in page
    assert REPOSITORY not in page


async def test_metrics_are_there_while_storage_does_not_answer_but_for_how_things_stand(
    stage: Stage, ask: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    stage.alice.open("Pump", "Context estimate: 9k tokens", assignees=["coordinator"])
    await stage.quiet()
    before = (await ask.get("/metrics")).text
    request.getfixturevalue("without_storage")
    answer = await ask.get("/metrics")
    assert 200 == answer.status_code
    assert "mosaic_gitea_requests_total{" in answer.text
    for gauge in ("mosaic_issues{", "mosaic_queue{", "\nmosaic_set_aside "):
        assert gauge in before
        assert gauge not in answer.text
