"""Fixtures of all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from bot.demo.forge import Forge, serve
from tests.forges import (
    Clock,
    ForgeServer,
    Receiver,
    client_of,
    embedded_server,
    gitea_server,
    running_receiver,
)
from tests.gitea_server import GiteaServer, find_gitea, run_gitea

# How long an example takes says more of the machine than of the code.
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# The short form looks at the same examples each time; `make thorough` at many, and at others.
settings.register_profile("quick", STEADY, max_examples=50, derandomize=True)
MANY = int(os.environ.get("EXAMPLES") or 1_000)
settings.register_profile("thorough", STEADY, max_examples=MANY)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage: to look through them again and again is slow."""
    gc.collect()
    gc.freeze()


UNCOUNTED = ("e2e", "faults")  # folders of what runs the whole bot; but for what is `counted`


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Count coverage only where each line is run few times: to count makes a test thrice as long.

    What the other tests run on top of that is not counted, so the figure is never too high.
    """
    for item in items:
        whole = item.path.parent.name in UNCOUNTED and not item.get_closest_marker("counted")
        if whole or is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


DELIVER_TIMEOUT = 2  # seconds; so that giving up on a receiver can be tested


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """A real Gitea; the test is skipped where there is none."""
    if find_gitea() is None:
        pytest.skip("no Gitea: set GITEA_BIN, or put `gitea` on PATH")
    with run_gitea(tmp_path_factory.mktemp("gitea"), deliver_timeout=DELIVER_TIMEOUT) as server:
        yield server


@pytest.fixture(scope="session")
def gitea_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """Another real Gitea, in which nothing waits natively for another repository's issues."""
    if find_gitea() is None:
        pytest.skip("no Gitea: set GITEA_BIN, or put `gitea` on PATH")
    with run_gitea(tmp_path_factory.mktemp("apart"), cross_repository=False) as server:
        yield server


BOTH = ["embedded", pytest.param("gitea", marks=pytest.mark.gitea)]


@pytest.fixture(params=BOTH)
async def forge_server(request: pytest.FixtureRequest) -> AsyncIterator[ForgeServer]:
    """A Gitea: the embedded one, made anew for each test, then the real one."""
    if request.param == "gitea":
        async with real_server(request, "gitea") as server:
            yield server
        return
    clock = Clock()
    async with served(Forge(clock), clock) as server:
        yield server


@pytest.fixture(params=BOTH)
async def forge_server_apart(request: pytest.FixtureRequest) -> AsyncIterator[ForgeServer]:
    """The same, where dependencies that cross repositories are forbidden."""
    if request.param == "gitea":
        async with real_server(request, "gitea_apart") as server:
            yield server
        return
    clock = Clock()
    async with served(Forge(clock, cross_repository=False), clock) as server:
        yield server


@asynccontextmanager
async def real_server(request: pytest.FixtureRequest, fixture: str) -> AsyncIterator[ForgeServer]:
    """The interface to the real Gitea of a fixture, which is started when first asked for."""
    real: GiteaServer = request.getfixturevalue(fixture)
    async with client_of(real.url) as client:
        yield gitea_server(real, client)


@asynccontextmanager
async def served(forge: Forge, clock: Clock) -> AsyncIterator[ForgeServer]:
    """The interface to an embedded forge, while it is served."""
    forge.deliveries.timeout = DELIVER_TIMEOUT
    async with serve(forge) as url, client_of(url) as client:
        yield embedded_server(forge, clock, client)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A web server that keeps what webhooks bring."""
    async with running_receiver() as running:
        yield running
