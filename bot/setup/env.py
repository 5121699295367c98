"""Writing `.env`: the lines that are set up change, every other one stays as it is."""

from __future__ import annotations

import io
import os
import re
import secrets
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.envfile import env_text
from bot.errors import ConfigError

HEAD = "# Written by mosaic-coordinator setup; it holds secrets.\n"
_PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
_PRIVATE = stat.S_IRUSR | stat.S_IWUSR


def with_values(text: str, values: Mapping[str, str]) -> str:
    """The file's text, with these variables set: in their place, the others at the end."""
    left = dict(values)
    parts = []
    for line in parse_stream(io.StringIO(text)):
        name = line.key or ""
        if name in values and not line.error:
            parts.append(_line(line, values[name]))
            left.pop(name, None)
        else:
            parts.append(line.original.string)
    whole = "".join(parts) or HEAD
    if left and not whole.endswith("\n"):
        whole += "\n"
    return whole + "".join(f"{name}={_quoted(name, value)}\n" for name, value in left.items())


def without(text: str, names: Collection[str]) -> str:
    """The file's text without these variables; empty where nothing else was in it."""
    kept = [one.original.string for one in parse_stream(io.StringIO(text)) if one.key not in names]
    whole = "".join(kept)
    return "" if whole.strip() in ("", HEAD.strip()) else whole


def _line(line: Binding, value: str) -> str:
    old = line.original.string
    before = re.match(r"\s*(export\s+)?", old)
    end = "\r\n" if old.endswith("\r\n") else "\n"
    return f"{before[0] if before else ''}{line.key}={_quoted(line.key or '', value)}{end}"


def _quoted(name: str, value: str) -> str:
    """As the shell, compose and the bot read it alike."""
    if _PLAIN.fullmatch(value) or not value:
        return value
    if "'" in value or not value.isprintable():
        raise ConfigError(f"{name} holds characters that cannot stand in .env")
    return f"'{value}'"


def check_writable(path: Path) -> None:
    """Raise ConfigError where it could not be written; nothing is changed."""
    real = _real(path)
    folder = real.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder} cannot be written, and {path.name} is to be there")
    env_text(real)
    if real.exists() and not real.stat().st_mode & stat.S_IWUSR:
        raise ConfigError(f"{path} is read-only; make it writable: chmod u+w {path}")


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may read it; so too where there is none."""
    return not path.exists() or not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def write_env(path: Path, text: str) -> None:
    """Put the text there as a whole, readable by its owner only; no text: no file.

    Raises ConfigError.
    """
    real = _real(path)
    try:
        if text:
            _replace(real, text)
        else:
            real.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".env-{secrets.token_hex(8)}")
    owner = path.stat() if path.exists() else None
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(file, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if owner and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(beside, owner.st_uid, owner.st_gid)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _real(path: Path) -> Path:
    """Where it really is; a link may not lead out of the folder."""
    real = path.resolve()
    if path.is_symlink() and real.parent != path.parent.resolve():
        raise ConfigError(f"{path} is a link to {real}; write there yourself, or remove the link")
    return real
