"""Log lines: text or JSON, no secret in them, and nobody can forge one."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import structlog
from dbos._logger import init_logger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.logs import configure

SECRET = "hunter2-hunter2"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging is one for the whole process."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(style: str, level: str = "debug") -> io.StringIO:
    """Where the lines go; one secret is known."""
    stream = io.StringIO()
    configure(level=level, style=style, secrets=[SECRET], stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def fail(error: Exception, cause: Exception | None = None) -> None:
    raise error from cause


log = structlog.get_logger("bot.test")


class TestStyle:
    def test_json_has_one_object_a_line(self):
        """With time, level and logger."""
        stream = logged("json")
        log.info("delivery", outcome="recorded", issue=None)
        (line,) = lines(stream)
        entry = json.loads(line)
        assert STAMP.fullmatch(entry.pop("timestamp"))
        assert {
            "event": "delivery", "outcome": "recorded", "issue": None, "level": "info", "logger": "bot.test",
        } == entry  # fmt: skip

    def test_text_has_one_line_each_for_people(self):
        """Without colours, where it goes to a file."""
        stream = logged("text")
        log.warning("job.retry", wait=1.5, error="it said: no")
        (line,) = lines(stream)
        assert STAMP.match(line)
        assert re.search(
            r"\[warning *\] job\.retry +\[bot.test\] error='it said: no' wait=1.5$", line
        )

    @pytest.mark.parametrize(
        ("stream", "expected"),
        [(io.StringIO(), True), (Terminal(), False)],
        ids=["elsewhere", "terminal"],
    )
    def test_auto_is_text_on_a_terminal_and_json_elsewhere(self, stream, expected):
        """As people and programs like it."""
        configure(level="info", stream=stream)
        log.info("serving")
        assert expected == stream.getvalue().startswith("{")

    def test_standard_error_is_the_usual_stream(self, capsys):
        """The one there is now, not the one there was when the module was read."""
        configure(level="info", style="json")
        log.info("serving")
        assert "serving" == json.loads(capsys.readouterr().err)["event"]

    def test_lines_of_libraries_look_the_same(self):
        """They come by way of the standard library."""
        stream = logged("json")
        logging.getLogger("somebody").warning("%s of %d", "one", 2)
        entry = json.loads(stream.getvalue())
        assert ("one of 2", "somebody", "warning") == (
            entry["event"],
            entry["logger"],
            entry["level"],
        )

    @pytest.mark.parametrize(
        ("level", "expected"),
        [("debug", "diwe"), ("info", "iwe"), ("warning", "we"), ("error", "e")],
    )
    def test_the_level_is_kept(self, level, expected):
        """By our lines and by those of libraries."""
        stream = logged("json", level)
        for logger in (log, logging.getLogger("somebody")):
            logger.debug("d")
            logger.info("i")
            logger.warning("w")
            logger.error("e")
        assert expected * 2 == "".join(json.loads(line)["event"] for line in lines(stream))

    def test_a_library_with_a_way_of_its_own_goes_ours(self):
        """The queue's library writes past everybody, unless it finds a handler."""
        theirs = logging.getLogger("dbos")
        before = (list(theirs.handlers), theirs.propagate)
        theirs.propagate = False
        theirs.handlers[:] = [logging.StreamHandler(aside := io.StringIO())]
        try:
            stream = logged("json")
            init_logger()
            theirs.warning("token %s", SECRET)
        finally:
            theirs.handlers[:], theirs.propagate = before
        assert ("token ***", "") == (json.loads(stream.getvalue())["event"], aside.getvalue())

    def test_chatty_libraries_say_only_what_matters(self):
        """Even where our own lines are for finding mistakes."""
        stream = logged("json", "debug")
        logging.getLogger("httpx").info("HTTP Request: GET …")
        logging.getLogger("apscheduler.scheduler").info("Added job")
        logging.getLogger("httpx").warning("odd")
        assert ["odd"] == [json.loads(line)["event"] for line in lines(stream)]

    @pytest.mark.parametrize("style", ["text", "json"])
    def test_what_is_bound_stands_on_every_line(self, style):
        """Also on those of libraries: so all of a delivery's work is found by its id."""
        stream = logged(style)
        with structlog.contextvars.bound_contextvars(delivery="9e5db650"):
            log.info("one")
            logging.getLogger("somebody").warning("two")
        log.info("three")
        assert [True, True, False] == ["9e5db650" in line for line in lines(stream)]

    @pytest.mark.parametrize("style", ["text", "json"])
    def test_an_exception_comes_with_its_traceback(self, style):
        """Once."""
        stream = logged(style)
        try:
            fail(ValueError("odd"))
        except ValueError:
            log.exception("failed")
        assert 1 == stream.getvalue().count("Traceback (most recent call last)")
        assert 1 == stream.getvalue().count("ValueError: odd")


@dataclass
class Thing:
    value: str


NESTED = {
    "text": SECRET,
    "within": f"https://bot:{SECRET}@git.example.org",
    "dict": {"a": {"b": SECRET}},
    "key": {SECRET: 1},
    "list": [SECRET, (SECRET, 1)],
    "set": {SECRET},
    "frozenset": frozenset({SECRET}),
    "bytes": SECRET.encode(),
    "exception": ValueError(SECRET),
    "object": Thing(SECRET),
    "namespace": {"deep": [SimpleNamespace(value=SECRET)]},
}


@pytest.mark.parametrize("style", ["text", "json"])
class TestSecrets:
    @pytest.mark.parametrize("value", NESTED.values(), ids=NESTED.keys())
    def test_a_secret_is_blotted_out_of_a_value(self, style, value):
        """However deep it is in there."""
        stream = logged(style)
        log.info("connected", value=value)
        assert SECRET not in stream.getvalue()
        assert "***" in stream.getvalue()

    def test_a_secret_is_blotted_out_of_the_event(self, style):
        """Where a library writes it there, too."""
        stream = logged(style)
        log.info("token %s", SECRET)
        logging.getLogger("somebody").warning("token %s", SECRET)
        assert SECRET not in stream.getvalue()
        assert 2 == stream.getvalue().count("token ***")

    def test_a_secret_is_blotted_out_of_a_traceback(self, style):
        """Of the message and of those it was raised from."""
        stream = logged(style)
        try:
            try:
                fail(KeyError(SECRET))
            except KeyError as error:
                fail(RuntimeError(f"with {SECRET}"), error)
        except RuntimeError:
            log.exception("failed")
            logging.getLogger("somebody").exception("failed too")
        assert SECRET not in stream.getvalue()
        assert 2 == stream.getvalue().count("RuntimeError: with ***")

    def test_a_secret_is_blotted_out_of_what_is_bound(self, style):
        """For that stands on every line."""
        stream = logged(style)
        with structlog.contextvars.bound_contextvars(token=SECRET):
            log.info("connected")
        assert SECRET not in stream.getvalue()

    def test_the_longer_secret_goes_first(self, style):
        """Where one begins with the other, nothing of the rest stays."""
        stream = io.StringIO()
        configure(level="info", style=style, secrets=["abcdef", "abcdefghij"], stream=stream)
        log.info("connected", value="abcdefghij")
        assert "ghij" not in stream.getvalue()

    def test_what_is_too_short_to_be_a_secret_stays(self, style):
        """An empty key must not blot out everything."""
        stream = io.StringIO()
        configure(level="info", style=style, secrets=["", "a"], stream=stream)
        log.info("a banana")
        assert "a banana" in stream.getvalue()

    def test_plain_values_stay_what_they_are(self, style):
        """Numbers are numbers for whoever reads the lines by program."""
        stream = logged(style)
        log.info("x", count=2, share=0.5, good=True, none=None)
        if style == "json":
            entry = json.loads(stream.getvalue())
            assert (2, 0.5, True, None) == tuple(
                entry[k] for k in ("count", "share", "good", "none")
            )
        else:
            assert "count=2 good=True none=None share=0.5" in stream.getvalue()


FORGED = "2026-11-22T15:00:00.000000Z [error    ] everything.is.lost [bot.app] by=mallory"
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("style", ["text", "json"])
class TestForging:
    @pytest.mark.parametrize("end", BREAKS, ids=ascii)
    @pytest.mark.parametrize("where", ["value", "nested", "event", "library"])
    def test_a_line_break_in_a_text_begins_no_line(self, style, end, where):
        """Titles and messages are written by anybody."""
        stream = logged(style)
        text = f"title{end}{FORGED}"
        match where:
            case "value":
                log.info("issue", title=text)
            case "nested":
                log.info("issue", titles=[{"title": text}])
            case "event":
                log.info(text)
            case "library":
                logging.getLogger("somebody").warning("title %s", text)
        assert 1 == len(lines(stream))

    @pytest.mark.parametrize("where", ["value", "key", "event"])
    def test_no_escape_reaches_the_terminal(self, style, where):
        """Not the seven-bit one, nor the eight-bit one, nor backspace or what turns text round."""
        stream = logged(style)
        text = "\x1b[2J\x9b31m\b\x07\u202e"
        match where:
            case "value":
                log.info("issue", title=text)
            case "key":
                log.info("issue", **{text: 1})
            case "event":
                log.info(text)
        assert stream.getvalue().rstrip("\n").isprintable()

    def test_a_traceback_holds_no_line_that_looks_like_one_of_ours(self, style):
        """An exception's message may be a person's text."""
        stream = logged(style)
        try:
            fail(ValueError(f"odd\n{FORGED}\x1b[2J"))
        except ValueError:
            log.exception("failed")
        assert 1 == sum(bool(STAMP.match(line)) or line.startswith("{") for line in lines(stream))
        assert "\x1b" not in stream.getvalue()


@given(st.text(), st.text(min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("style", ["text", "json"])
def test_whatever_is_logged_is_one_printable_line(style, value, event):
    """In either style, whatever anybody writes."""
    stream = logged(style)
    log.info(event, value=value)
    text = stream.getvalue()
    assert text.endswith("\n")
    # JSON leaves one as it is: delete, which moves nothing and ends no line.
    assert text[:-1].replace("\x7f", "").isprintable()
