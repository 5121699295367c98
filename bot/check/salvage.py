"""The settings in spite of mistakes in them: what is wrong is told, and left out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config import (
    SECRETS,
    SHORT_NAMES,
    Given,
    Settings,
    agent_paths,
    beside_of,
    explain,
    file_of,
    leaves_of,
    mistaken_variables,
    mistakes_in_file,
    setting_paths,
    short_of,
    variables_of,
)
from bot.errors import ConfigError
from bot.variables import PREFIX

ROUNDS = 20  # what is left out may lay bare the next mistake; each round finds all there are then


def salvaged(environ: Mapping[str, str] | None = None) -> tuple[Settings, Given, Sequence[str]]:
    """The settings that hold where mistakes are left out, their places, and the mistakes.

    Where an environment is handed in, `.env` is not read.
    """
    found, unread = _given(environ)
    short, no_secrets = short_of(found.environ)
    wrong = [*unread, *mistakes_in_file(found.file, found.table), *mistaken_variables(found)]
    settings, bad = _settings(found, short)
    return settings, found, [*wrong, *no_secrets, *bad]


def _given(environ: Mapping[str, str] | None) -> tuple[Given, list[str]]:
    """What can be read of the places."""
    wrong: list[str] = []
    ours = dict(os.environ if environ is None else environ)
    beside: dict[str, str] = {}
    file, table = Path("bot.toml"), dict[str, Any]()
    try:
        beside = beside_of(ours) if environ is None else {}
    except ConfigError as error:
        wrong.append(str(error))
    try:
        file, table = file_of({**ours, **beside}, None)
    except ConfigError as error:
        wrong.append(str(error))
    return Given({**ours, **beside}, file, table, frozenset(beside)), wrong


def _settings(given: Given, short: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    wrong: list[str] = []
    known = _without_unknown(given)
    for _ in range(ROUNDS):
        try:
            settings = Settings(file=known.table, environ=known.environ, short=short)  # type: ignore[call-arg]
        except ValidationError as error:
            wrong += explain(error, given).splitlines()
            for one in error.errors(include_input=False, include_url=False):
                path = tuple(str(part) for part in one["loc"])
                path = path[:2] if path[0] == "agents" else path  # half an agent is none
                known, short = _dropped(known, path), _without(short, path)
        except ConfigError as error:  # a variable that holds no JSON
            wrong.append(str(error))
            known = replace(known, environ=_no_prefix(known.environ))
        else:
            return settings, wrong
    return Settings(file={}, environ={}, short={}), wrong  # type: ignore[call-arg]


def _without_unknown(given: Given) -> Given:
    agents = given.table.get("agents")
    known = {*setting_paths(), *agent_paths(agents if isinstance(agents, dict) else ())} - SECRETS
    table: Mapping[str, Any] = given.table
    for path in [*leaves_of(table, known)]:
        if path not in known:
            table = _without(table, path)
    ours = variables_of(given.environ)
    environ = {n: v for n, v in given.environ.items() if not n.startswith(PREFIX) or n in ours}
    return replace(given, table=table, environ=environ)


def _dropped(given: Given, path: tuple[str, ...]) -> Given:
    """Without what sets this, or something in it."""
    names = variables_of(given.environ)
    environ = {
        name: value
        for name, value in given.environ.items()
        if name in SHORT_NAMES or not _touches(names.get(name), path)
    }
    return replace(given, table=_without(given.table, path), environ=environ)


def _touches(setting: tuple[str, ...] | None, path: tuple[str, ...]) -> bool:
    if setting is None:
        return False
    least = min(len(setting), len(path))
    return setting[:least] == path[:least]


def _without(table: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """A table without what stands there, and without a table that holds nothing then."""
    key, *rest = path
    inner = table.get(key)
    if rest and isinstance(inner, Mapping):
        left = _without(inner, tuple(rest))
        return {**table, key: left} if left else _without(table, (key,))
    return {name: value for name, value in table.items() if name != key}


def _no_prefix(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
