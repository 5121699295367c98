"""How the command line ends: with a status, and for a person's mistake with a line that says it."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from bot.cli.printing import BAD_USE, FAILED, one_line, tell
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
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        why = _why(error)
        if not why:
            raise
        return tell(why, BAD_USE if isinstance(error, ConfigError) else FAILED)
    return 0


def _why(error: Exception) -> str:
    """What a person is told of it; empty where it is a mistake of the program."""
    if isinstance(error, CoordinatorError):
        return str(error)
    return _of_the_system(error) if isinstance(error, OSError) else _of_the_database(error)


def _of_the_system(error: OSError) -> str:
    """Such as a folder that may not be written, or a disk that is full."""
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _of_the_database(error: Exception) -> str:
    """Such as one that is locked, or no database; empty where it is something else."""
    library = sys.modules.get("sqlalchemy.exc")  # not imported: then it is nothing of its
    if library is None or not isinstance(error, library.DBAPIError):
        return ""
    return f"the database cannot be used: {one_line(str(error.orig))}"


def _flushed(status: int) -> int:
    """Print what is left. A reader who has seen enough (`| head`) is no error to talk about."""
    if sys.stdout is None:  # closed by whoever called: nothing was to be printed
        return status
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
