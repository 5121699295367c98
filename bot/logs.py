"""Log lines: readable on a terminal, JSON elsewhere, and never a secret in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

OWN_WAYS = ("dbos",)  # libraries that write past the root logger where they find no handler
NOISY = ("httpx", "httpcore", "httpx2", "apscheduler", "alembic", "aiohttp.access", "asyncio")


def configure(
    *,
    level: str,
    style: str = "auto",
    secrets: Collection[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process, also of libraries, to `stream`, or standard error.

    `style` is text, json, or auto: text on a terminal. `secrets` are blotted out wherever they
    would stand.
    """
    stream = stream or sys.stderr
    text = style == "text" or (style == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor] = [structlog.processors.JSONRenderer()]
    if text:
        rendered = [_on_one_line, _console(colors=stream.isatty())]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Blot(secrets),
                *rendered,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in OWN_WAYS:
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = True


def _console(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    """For people. Every text is quoted, which shows what would not print as what it is."""
    return structlog.dev.ConsoleRenderer(
        colors=colors,
        repr_native_str=True,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Make visible what would not print in the parts that are not quoted.

    A person's text may stand in any of them, and must begin no line that looks like ours.
    """
    line = {_visible(key): value for key, value in event.items()}
    line["event"] = _visible(str(line.get("event", "")))
    for trace in {"exception", "stack"} & line.keys():
        line[trace] = "\n".join(f"  {_visible(one)}" for one in str(line[trace]).split("\n"))
    return line


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class _Blot:
    """Replaces secrets in every text of a log line."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = sorted((s for s in secrets if len(s) >= 6), key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {self._blotted(key): self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:  # noqa: ANN401 - whatever was logged
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                return {self._blotted(str(key)): self._clean(one) for key, one in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(one) for one in value]
            case _:
                return self._blotted(value if isinstance(value, str) else repr(value))

    def _blotted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
