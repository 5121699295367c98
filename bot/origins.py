"""The settings in force, each with where its value comes from; no secret is in what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from pydantic import SecretStr

from bot.config import (
    FROM_FILES,
    SECRETS,
    SHORT_NAMES,
    AgentSettings,
    Given,
    Settings,
    as_duration,
    as_size,
    setting_paths,
)
from bot.envfile import ENV_FILE
from bot.models import Difficulty
from bot.variables import PREFIX, without_passwords

Path: TypeAlias = tuple[str, ...]

NEEDED = ("GITEA_URL", "GITEA_TOKEN", "GITEA_WEBHOOK_SECRET")
SIZES = frozenset({("server", "max_body")})
_SHORT = {path: name for name, path in SHORT_NAMES.items()}


class Place(StrEnum):
    """Where a value may stand."""

    DEFAULT = "default"
    FILE = "file"  # bot.toml, or what BOT_CONFIG names
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105 - a place, not a secret


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands: in which place, in which variable, in which file.

    Of the environment, the file is `.env` where the variable stands there.
    """

    place: Place
    variable: str = ""
    file: str = ""

    def __str__(self) -> str:
        match self.place:
            case Place.ENVIRONMENT:
                return f"{self.file or self.place}: {self.variable}"
            case Place.SECRET_FILE:
                return f"{self.variable}: {self.file}"
            case _:
                return self.file or self.place


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting as it is in force.

    `value` and `default` are as one writes them in JSON. Of a secret both are None: `is_set` is
    all that is told.
    """

    path: Path
    value: object
    default: object
    origin: Origin
    is_set: bool

    @property
    def name(self) -> str:
        """As it is called in `bot.toml`."""
        return ".".join(self.path)

    @property
    def changed(self) -> bool:
        """Whether it is not what it is by default."""
        return self.is_set if self.path in SECRETS else self.value != self.default

    @property
    def shown(self) -> str:
        """The value, for people."""
        if not self.is_set:
            return "not set"
        if self.path in SECRETS:
            return "set"
        if isinstance(self.value, list):
            return ", ".join(map(str, self.value)) or "none"
        return self.value if isinstance(self.value, str) else _json(self.value)

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(
            {
                "setting": self.name,
                "value": self.value,
                "default": self.default,
                "changed": self.changed,
                "secret": self.path in SECRETS,
                "set": self.is_set,
                "from": self.origin.place,
                "variable": self.origin.variable or None,
                "file": self.origin.file or None,
            }
        )


def in_force(given: Given, settings: Settings) -> Iterator[InForce]:
    """Every setting, in the order of `bot.toml`; `settings` are those of these places."""
    usual = Settings()
    for path in setting_paths():
        if path != ("agents",):
            yield _one(given, path, _at(settings, path), _at(usual, path))
    for name, agent in settings.agents.items():
        before = usual.agents.get(name)
        for field in AgentSettings.model_fields:
            path = ("agents", name, field)
            yield _one(given, path, getattr(agent, field), getattr(before, field, None))


def missing(settings: Settings) -> tuple[str, ...]:
    """The variables without which the bot cannot serve, and that are not set."""
    return tuple(name for name in NEEDED if not _set(_at(settings, SHORT_NAMES[name])))


def _one(given: Given, path: Path, value: object, default: object) -> InForce:
    return InForce(
        path, _written(path, value), _written(path, default), _origin(given, path), _set(value)
    )


def _at(settings: Settings, path: Path) -> object:
    found: object = settings
    for name in path:
        found = getattr(found, name)
    return found


def _set(value: object) -> bool:
    held = value.get_secret_value() if isinstance(value, SecretStr) else value
    return held not in (None, "")


def _written(path: Path, value: object) -> object:
    """A value as one writes it; nothing of a secret."""
    if isinstance(value, SecretStr):
        return None
    if isinstance(value, timedelta):
        return as_duration(value)
    if isinstance(value, frozenset):
        return [one.value for one in Difficulty if one in value]
    if isinstance(value, int) and path in SIZES:
        return as_size(value)
    return _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_passwords(str(value))


def _origin(given: Given, path: Path) -> Origin:
    short = _SHORT.get(path, "")
    if path in FROM_FILES and given.environ.get(f"{short}_FILE"):
        variable = f"{short}_FILE"
        return Origin(Place.SECRET_FILE, variable, given.environ[variable])
    for name, rest in _variables(path, short):
        value = given.environ.get(name, "")
        if value and (not rest or _within(json.loads(value), rest)):
            file = str(ENV_FILE) if name in given.from_env_file else ""
            return Origin(Place.ENVIRONMENT, name, file)
    if _within(given.table, path):
        return Origin(Place.FILE, file=str(given.file))
    return Origin(Place.DEFAULT)


def _variables(path: Path, short: str) -> Iterator[tuple[str, Path]]:
    """The variables that may set it, first the one that wins; with the path in the JSON of it.

    An agent, or all of them, may be one variable.
    """
    if short:
        yield short, ()
    least = 1 if path[0] == "agents" else len(path)
    for length in range(len(path), least - 1, -1):
        yield PREFIX + "__".join(path[:length]).upper(), path[length:]


def _within(table: Mapping[str, Any], path: Path) -> bool:
    found: Any = table
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
