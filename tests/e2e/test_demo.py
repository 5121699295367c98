"""The demo: its story, and the stage it is played on."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import signal
import socket
from collections.abc import Iterator

import pytest
import structlog
from rich.console import Console

from bot.demo import story
from bot.demo.forge import Forge
from bot.demo.story import BOT, REPOSITORY, SCENES, play, staged
from bot.errors import ConfigError, CoordinatorError
from bot.render import MARKER

pytestmark = pytest.mark.counted


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """As it was: the story has its own."""
    loggers = [logging.getLogger(), logging.getLogger("dbos")]
    kept = [(list(logger.handlers), logger.level) for logger in loggers]
    yield
    for logger, (handlers, level) in zip(loggers, kept, strict=True):
        logger.handlers[:], logger.level = handlers, level
    structlog.reset_defaults()


async def test_the_story_ends_as_it_is_told():
    """One comment on each issue that was assigned, and the labels that go with it."""
    async with staged() as stage:
        for scene in SCENES:
            scene.act(stage.alice)
            await stage.quiet()
        story._check(stage)
        for number in (2, 3, 4, 5):
            said = [one.body for one in stage.forge.comments(REPOSITORY, number, by=BOT)]
            assert 1 == sum(body.startswith(MARKER) for body in said)
        assert [] == stage.forge.comments(REPOSITORY, 1)
        assert {5} == {n for n, *_ in stage.news() if n == 5}


async def test_news_is_told_once():
    """A report is shown again only when it has changed."""
    async with staged() as stage:
        SCENES[0].act(stage.alice)
        await stage.quiet()
        ((number, title, body, labels),) = stage.news()
        assert (2, "Retry in the pump driver") == (number, title)
        assert "Blocked" in body
        assert "status/blocked" in labels
        assert [] == stage.news()
        SCENES[1].act(stage.alice)
        await stage.quiet()
        report, notice = [(number, body) for number, _, body, _ in stage.news()]
        assert (2, 2) == (report[0], notice[0])
        assert "**Ready**" in report[1]
        assert "is closed: nothing holds this back now" in notice[1]


async def test_a_stage_leaves_nothing_behind(tmp_path, monkeypatch):
    """No file, no task, no port."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with staged() as stage:
        assert [f"{tmp_path}/mosaic-demo-"] == [
            re.sub(r"(?<=-demo-).*", "", str(path)) for path in tmp_path.iterdir()
        ]
        port = stage.port
    assert [] == list(tmp_path.iterdir())
    assert {asyncio.current_task()} == asyncio.all_tasks()
    with pytest.raises(OSError, match=r"(?i)connect"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_nothing_around_it_changes_it(tmp_path, monkeypatch):
    """Neither the environment nor a bot.toml that stands where it is played."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot.toml").write_text("nonsense = 1", encoding="utf-8")
    monkeypatch.setenv("MOSAIC_LABELS__STATUS", "state")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k3y")
    async with staged() as stage:
        assert "status" == stage.bot.settings.labels.status
        assert stage.bot.reader is None


async def test_an_end_that_is_not_as_told_is_an_error(monkeypatch):
    """It says which issue, what it should carry and what it does."""
    monkeypatch.setattr(story, "SCENES", SCENES[:1])
    expected = r"#2 should carry status/ready, but has \['agent/sonnet', .*'status/blocked'\]"
    with pytest.raises(CoordinatorError, match=expected):
        await play(once=True, port=0)


async def test_a_bot_that_does_not_get_done_is_an_error(monkeypatch):
    """Not a wait without end, nor a traceback."""
    monkeypatch.setattr(story, "QUIET_LIMIT", 0.0)
    with pytest.raises(CoordinatorError, match="not done within 0 s"):
        await play(once=True, port=0)


async def test_it_stays_up_for_a_visitor_until_told_to_stop(monkeypatch):
    """And shows what the bot says to them."""
    shown = io.StringIO()
    monkeypatch.setattr(story, "Console", lambda: Console(file=shown, width=100))
    monkeypatch.setattr(story, "SCENES", ())
    stages: list[story.Stage] = []
    monkeypatch.setattr(story, "_check", stages.append)
    playing = asyncio.create_task(play(once=False, port=0))
    while "Ctrl-C" not in shown.getvalue():
        await asyncio.sleep(0.01)
    (stage,) = stages
    stage.alice.open("A visitor's", assignees=[BOT])
    while "#1 A visitor's" not in shown.getvalue():
        await asyncio.sleep(0.01)
    signal.raise_signal(signal.SIGINT)
    await playing


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


async def test_a_port_that_was_asked_for_and_is_taken_is_told(taken):
    """With the option that names it."""
    with pytest.raises(ConfigError, match=f"port {taken} cannot be used: .*; say --port"):
        await play(once=True, port=taken)


async def test_where_the_usual_port_is_taken_another_one_serves(taken, monkeypatch):
    """`demo` alone always works."""
    monkeypatch.setattr(story, "USUAL_PORT", taken)
    forge = Forge()
    async with story._forge_on(forge, None):
        assert forge.url.startswith("http://127.0.0.1:")
        assert not forge.url.endswith(f":{taken}")


def test_a_report_is_drawn_without_what_a_terminal_cannot_show():
    """No marker, no diagram, no fold-outs; a title is a text, whatever stands in it."""
    console = Console(file=io.StringIO(), width=80)
    body = (
        "<!-- mosaic-coordinator:report -->\n\n**Blocked**\n\n> [!WARNING]\n> mind\n\n"
        "```mermaid\nflowchart\n```\n\n<sub>An arrow</sub>\n\n<details><summary>x</summary>\n"
        "deep\n</details>\n\n<sub>kept</sub>"
    )
    story._show(console, 2, "Close [/the] valve [red]", body, ["a/[b]"])
    shown = console.file.getvalue()
    for expected in ("#2 Close [/the] valve [red]", "Blocked", "WARNING", "mind", "kept", "a/[b]"):
        assert expected in shown
    for hidden in ("<!--", "flowchart", "An arrow", "deep", "<sub>"):
        assert hidden not in shown
