"""Faults on demand and the log of requests: what tests of the bot lean on."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bot.demo.forge import Forge, serve
from tests.forges import Api, client_of


@pytest.fixture
def forge() -> Forge:
    forge = Forge()
    forge.add_user("alice")
    forge.add_repository("acme/rocket", files={"pump.py": 12_000})
    forge.grant("acme/rocket", "alice", "admin")
    return forge


@pytest.fixture
async def alice(forge: Forge):
    async with serve(forge) as url, client_of(url) as client:
        yield Api(client, forge.add_token("alice"))


ISSUES = "/repos/acme/rocket/issues"


async def test_the_next_requests_that_match_fail(forge: Forge, alice: Api) -> None:
    forge.faults.add("POST", "/issues$", status=503, times=2)
    assert 200 == (await alice.get(ISSUES)).status_code, "another method"
    statuses = [(await alice.post(ISSUES, {"title": "x"})).status_code for _ in range(3)]
    assert [503, 503, 201] == statuses
    assert 1 == len(forge.repository("acme/rocket").issues)


async def test_a_failure_has_words_and_headers(forge: Forge, alice: Api) -> None:
    forge.faults.add("", "/issues", status=429, message="slow down", headers={"Retry-After": "7"})
    answer = await alice.get(ISSUES)
    assert (429, "slow down", "7") == (
        answer.status_code,
        answer.json()["message"],
        answer.headers["Retry-After"],
    )


async def test_a_request_can_be_done_and_its_answer_lost(forge: Forge, alice: Api) -> None:
    forge.faults.add("POST", "/issues$", status=502, after=True)
    assert 502 == (await alice.post(ISSUES, {"title": "x"})).status_code
    assert ["x"] == [i.title for i in forge.repository("acme/rocket").issues.values()]


@pytest.mark.parametrize("after", [False, True])
async def test_the_connection_can_be_cut(forge: Forge, alice: Api, after: bool) -> None:
    forge.faults.add("POST", "/issues$", close=True, after=after)
    with pytest.raises(httpx.TransportError):
        await alice.post(ISSUES, {"title": "x"})
    assert int(after) == len(forge.repository("acme/rocket").issues)
    assert [0] == [asked.status for asked in forge.requests.matching("POST")]


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_can_be_slow(forge: Forge, alice: Api, after: bool) -> None:
    forge.faults.add("POST", "/issues$", delay=0.05, after=after)
    assert 201 == (await alice.post(ISSUES, {"title": "x"})).status_code
    assert 1 == len(forge.repository("acme/rocket").issues)
    (asked,) = forge.requests.matching("POST")
    assert asked.seconds >= 0.05


async def test_faults_are_taken_in_order_and_can_be_called_off(forge: Forge, alice: Api) -> None:
    forge.faults.add("GET", "/issues", status=500)
    forge.faults.add("GET", "/issues", status=404)
    forge.faults.add("GET", "/issues", status=503)
    assert [500, 404] == [(await alice.get(ISSUES)).status_code for _ in range(2)]
    forge.faults.clear()
    assert 200 == (await alice.get(ISSUES)).status_code


async def test_requests_are_logged_and_counted(forge: Forge, alice: Api) -> None:
    await alice.post(ISSUES, {"title": "x"})
    await alice.get(f"{ISSUES}?state=all")
    await alice.get(f"{ISSUES}/99")
    assert [
        ("POST", ISSUES, "", 201, "alice"),
        ("GET", ISSUES, "state=all", 200, "alice"),
        ("GET", f"{ISSUES}/99", "", 404, "alice"),
    ] == [(a.method, a.path, a.query, a.status, a.user) for a in forge.requests]
    assert 2 == forge.requests.count("GET")
    assert 1 == forge.requests.count(path=r"/99$", user="alice")
    assert 0 == forge.requests.count(user="root")
    forge.requests.clear()
    assert 0 == len(forge.requests)


async def test_requests_of_nobody_are_logged_without_a_name(forge: Forge, alice: Api) -> None:
    await Api(alice._client, "").get("/version")
    await Api(alice._client, "0" * 40).get("/version")
    assert [("", 200), ("", 401)] == [(a.user, a.status) for a in forge.requests]


async def test_a_delayed_request_does_not_hold_up_others(forge: Forge, alice: Api) -> None:
    forge.faults.add("GET", "/labels", delay=60)
    slow = asyncio.create_task(alice.get("/repos/acme/rocket/labels"))
    await asyncio.sleep(0)
    assert 200 == (await alice.get(ISSUES)).status_code
    assert not slow.done()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
