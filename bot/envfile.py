"""The file `.env`: variables that stand beside the bot instead of in its environment.

The shell, Docker's compose and this read it alike: `NAME=value` a line, the value in quotes where
it holds blanks; `${OTHER}` is put in, but not between single quotes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from bot.errors import ConfigError

ENV_FILE = Path(".env")
LARGEST = 1024 * 1024  # bytes


def read_env(environ: Mapping[str, str], path: Path = ENV_FILE) -> dict[str, str]:
    """What the file sets; nothing where there is none. `environ` is for `${OTHER}`.

    Raises ConfigError for one that cannot be read, and names the line that is no setting.
    """
    values: dict[str, str] = {}
    for line in parse_stream(io.StringIO(env_text(path))):
        if line.error:
            raise ConfigError(f"{path}, line {line.original.line}: write NAME=value")
        if line.key and line.value is not None:
            values[line.key] = _resolved(line, line.value, {**values, **environ})
    return values


def env_text(path: Path = ENV_FILE) -> str:
    """The whole file; empty where there is none. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST + 1)
        text = found.decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigError(f"{path} cannot be read: it is no text") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    if len(found) > LARGEST:
        raise ConfigError(f"{path} is too large for settings")
    return text


def _resolved(line: Binding, value: str, known: Mapping[str, str]) -> str:
    if line.original.string.partition("=")[2].lstrip().startswith("'"):
        return value
    return "".join(atom.resolve(known) for atom in parse_variables(value))
