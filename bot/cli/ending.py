"""How the command line ends: with a status, and for a person's mistake with a line that says it."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from bot.cli.printing import BAD_USE, FAILED, tell
from bot.errors import ConfigError, CoordinatorError

INTERRUPTED = 130  # as shells have it
_PLAIN = str.maketrans(
    {"✓": "+", "✗": "x", "—": "-", "–": "-", "…": "...", "▸": ">", "→": "->", "·": "-"}
)


def ended(command: Callable[[], object]) -> NoReturn:
    """Run the command, and end: always with a status, never with a traceback for a mistake."""
    _print_anything()
    sys.exit(_flushed(_status(command)))


def _status(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(bool(done.code))
    except ConfigError as error:
        return tell(str(error), BAD_USE)
    except CoordinatorError as error:
        return tell(str(error), FAILED)
    except OSError as error:
        return tell(_of_the_system(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _of_the_system(error: OSError) -> str:
    """Such as a folder that may not be written, or a disk that is full."""
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _flushed(status: int) -> int:
    """Print what is left. A reader who has seen enough (`| head`) is no error to talk about."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor at the very end
        if not isinstance(error, BrokenPipeError):
            tell(f"standard output: {_of_the_system(error)}", FAILED)
        return status or FAILED
    return status


def _print_anything() -> None:
    """Where the terminal's encoding lacks a character, print one that it has."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(char if char.isascii() else "?" for char in lost), error.end
