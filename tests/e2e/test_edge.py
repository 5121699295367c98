"""The edge of a running bot: what it takes in, and that a silent Gitea holds nothing up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from bot import app, routes
from bot.config import Settings, load
from bot.demo.faults import Fault
from bot.demo.forge import Forge
from bot.demo.forge import serve as serve_forge
from bot.demo.story import BOT, REPOSITORY, Stage, staged
from bot.errors import ConfigError
from bot.server import serve_forever, serving
from bot.store.alone import alone

pytestmark = pytest.mark.counted

SECRET = "s3cr3t-of-the-hook"
SILENT = 1.0  # seconds; far more than is waited for here


@asynccontextmanager
async def client_of(port: int) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


async def send(stage: Stage, event: str, payload: dict[str, object]) -> tuple[int, dict[str, str]]:
    """A rightly signed delivery; status and JSON of the answer."""
    body = json.dumps(payload).encode()
    (secret,) = stage.bot.settings.gitea.secrets
    digest = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Gitea-Event": event,
        "X-Gitea-Delivery": "9e5db650-aa2d-4f58-9d58-f242d16b091c",
        "X-Gitea-Signature": digest,
    }
    async with client_of(stage.port) as client:
        answer = await client.post("/webhook/gitea", content=body, headers=headers)
        return answer.status_code, answer.json()


async def deliveries(stage: Stage) -> dict[tuple[str, str], float]:
    """(event, outcome) ▸ count, as /metrics tells it."""
    async with client_of(stage.port) as client:
        text = (await client.get("/metrics")).text
    return {
        (sample.labels["event"], sample.labels["outcome"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "mosaic_deliveries_total"
    }


@pytest.mark.parametrize(
    ("event", "sender", "expected"),
    [
        ("issues", BOT, "own"),
        ("issues", BOT.upper(), "own"),
        ("issues", "alice", "recorded"),
        ("wiki", "alice", "ignored"),
        ("issues_of_the_future", "alice", "ignored"),
    ],
    ids=["own", "own in capitals", "a person's", "unhandled", "unknown"],
)
async def test_what_becomes_of_an_event_is_answered_and_counted(stage, event, sender, expected):
    """All are 200; own and unhandled ones make no work."""
    stage.alice.open("Retry")
    await stage.quiet()
    counted = event if event in ("issues", "wiki") else "other"
    before = (await deliveries(stage)).get((counted, expected), 0)
    payload = {
        "action": "edited",
        "sender": {"id": 1, "login": sender},
        "repository": {"full_name": REPOSITORY},
        "issue": {"number": 1},
    }
    status, answer = await send(stage, event, payload)
    assert (200, expected) == (status, answer["status"])
    assert "9e5db650-aa2d-4f58-9d58-f242d16b091c" == answer["delivery"]
    assert before + 1 == (await deliveries(stage))[counted, expected]


async def test_what_it_writes_itself_comes_back_and_makes_no_work(stage):
    """A comment and labels of its own are deliveries, too."""
    stage.alice.open("Retry", assignees=[BOT])
    await stage.quiet()
    counted = await deliveries(stage)
    assert counted["issue_comment", "own"] >= 1
    assert counted["issue_label", "own"] >= 1
    assert 1 == len(stage.forge.comments(REPOSITORY, 1, by=BOT))


async def test_a_silent_gitea_is_not_waited_for_by_those_who_watch(stage, monkeypatch):
    """/ready says which one it is, before whoever asks gives up."""
    monkeypatch.setattr(routes, "ANSWER_SECONDS", 2.0)
    hold(stage.forge)
    async with client_of(stage.port) as client:
        answer = await client.get("/ready")
    assert (503, "ok") == (answer.status_code, answer.json()["storage"])
    assert "no answer within 2 s" == answer.json()["gitea"]
    stage.forge.faults.clear()


def hold(forge: Forge) -> Fault:
    """Have Gitea accept requests and say nothing."""
    return forge.faults.add("", "", delay=SILENT, close=True, times=99)


def settings(url: str, directory: object, **more: str) -> Settings:
    needed = {
        "GITEA_URL": url,
        "GITEA_TOKEN": "t0ken",
        "GITEA_WEBHOOK_SECRET": SECRET,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DATABASE_URL": f"sqlite:///{directory}/x.db",
        "BOT_CONFIG": "",
    }
    return load(needed | more)


async def test_a_silent_gitea_does_not_keep_the_bot_from_serving(tmp_path, monkeypatch):
    """Gitea sends nothing twice: what comes while it is starting must find somebody there."""
    monkeypatch.setattr(app, "GREET_SECONDS", 0.05)
    forge = Forge()
    async with serve_forge(forge) as url:
        hold(forge)
        async with serving(settings(url, tmp_path)) as (bot, port), client_of(port) as client:
            assert 200 == (await client.get("/health")).status_code
            assert bot.login is None
            assert 0 == forge.requests.count("GET", "/user$")  # none has been answered


async def test_it_serves_until_it_is_told_to_stop(tmp_path):
    """Then it says so, and leaves no task behind."""
    with capture_logs() as logs:
        told = asyncio.create_task(serve_forever(settings("http://127.0.0.1:9", tmp_path)))
        while not any(line["event"] == "serving" for line in logs):
            await asyncio.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
        await told
    events = [line["event"] for line in logs if line["event"].startswith(("serving", "stop"))]
    assert ["serving", "stopping", "stopped"] == events
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_the_queue_is_tidied(stage):
    """What is finished is forgotten, after as long as the settings say; and the time is noted."""
    await stage.quiet()
    with capture_logs() as logs:
        await stage.bot.housekeeping.tidy()
        await stage.bot.housekeeping.tidy()
    [line] = [line for line in logs if line["event"] == "housekeeping"]
    assert (0, 0, 0) == (line["jobs"], line["commands"], line["issues"])


async def test_two_bots_do_not_share_a_file(tmp_path):
    """Nor does one that failed to start keep it."""
    once = settings("http://127.0.0.1:9", tmp_path)
    refused = pytest.raises(ConfigError, match="another mosaic-coordinator is at work")
    with alone(once.database_url), refused, alone(once.database_url):
        pytest.fail("it was let in")
    with alone(once.database_url):
        pass


async def test_postgres_is_shared():
    """There, work is kept apart by the name of each replica."""
    url = "postgresql://h/x"
    with alone(url), alone(url):
        pass
