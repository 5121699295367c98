"""The command line, called within the process of the tests."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator

import pytest
import structlog

from bot import cli
from tests.e2e.command_line import Done


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Iterator[None]:
    """In an empty folder, with no setting in the environment; signals and logs as they were."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("MOSAIC_", "GITEA_", "ANTHROPIC_")) or name in {
            "BOT_CONFIG", "DATABASE_URL", "HOST", "PORT", "LOG_LEVEL",
        }:  # fmt: skip
            monkeypatch.delenv(name)
    before = signal.getsignal(signal.SIGTERM)
    loggers = [logging.getLogger(), logging.getLogger("dbos")]
    kept = [(list(logger.handlers), logger.level) for logger in loggers]
    yield
    signal.signal(signal.SIGTERM, before)
    for logger, (handlers, level) in zip(loggers, kept, strict=True):
        logger.handlers[:], logger.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command in this process, as the installed one does."""

    def run(*arguments: object, **environ: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mosaic-coordinator", *map(str, arguments)])
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run
