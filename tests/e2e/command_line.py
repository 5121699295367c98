"""How tests call the command line as a program of its own."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


def command(*arguments: object) -> list[str]:
    """The command with these arguments."""
    return [sys.executable, "-m", "bot", *map(str, arguments)]


def environment(**environ: str) -> dict[str, str]:
    """An environment without any setting but these."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environ}
