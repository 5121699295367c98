"""`mosaic-coordinator serve` as a process, with a clock that is as far off as a file says.

What passes is told by the machine's own steady clock, as on a machine whose clock is set; only what
the time *is* differs: for the bot, for APScheduler and for dbos. (libfaketime would do it from
outside, but makes the bot fifteen times slower.)

The processes are forked from one that has imported everything: else half of what a run takes would
go into imports, again after each kill.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import bot.cli.serve
import bot.server  # noqa: F401
from bot.cli import main

LOOK_SECONDS = 0.05
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [__name__, "tests.faults.oracle", "tests.faults.wrongs", "anthropic", "psycopg"]
)


class _Clock:
    """Seconds that the clock is off, as the file says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._off = 0.0
        self._next = 0.0

    def off(self) -> float:
        """Read anew now and then."""
        if time.monotonic() >= self._next:
            self._off = float(self._path.read_text(encoding="ascii") or self._off)
            self._next = time.monotonic() + LOOK_SECONDS
        return self._off


class _Meta(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, dt.datetime)


def disturb(path: Path) -> None:
    """From now on the time is as the file says, in all modules that ask for it."""
    clock, true_time = _Clock(path), time.time

    class Datetime(dt.datetime, metaclass=_Meta):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dt.datetime.now(tz) + dt.timedelta(seconds=clock.off())

    time.time = lambda: true_time() + clock.off()
    assert {"bot.app", "apscheduler.schedulers.base"} <= sys.modules.keys()
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in ("bot", "apscheduler")
        if ours and getattr(module, "datetime", None) is dt.datetime:
            module.datetime = Datetime  # type: ignore[attr-defined]


def serve(environ: dict[str, str], log: Path, clock: Path) -> None:
    """All that the process does; to be called in one of PROCESSES."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environ)
    disturb(clock)
    sys.argv = ["mosaic-coordinator", "serve"]
    main()
