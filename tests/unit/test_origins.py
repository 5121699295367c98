"""The settings in force: what each is, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config import as_duration, as_size, given, setting_paths, settings_of
from bot.origins import InForce, in_force, missing

ONE = "[agents.local]\ncontext_limit = 50000\nprice_in = 1\nprice_out = 2\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)


def found(text: str = "", **environ: str) -> Mapping[str, InForce]:
    """What is in force with this file and this environment, by its name."""
    if text:
        Path("bot.toml").write_text(text, encoding="utf-8")
    places = given(environ)
    return {one.name: one for one in in_force(places, settings_of(places))}


def said(name: str, text: str = "", **environ: str) -> tuple[str, str]:
    """A setting's value and where it comes from, as people see it."""
    one = found(text, **environ)[name]
    return one.shown, str(one.origin)


def test_every_setting_is_there_and_by_default_as_by_default():
    """In the order of the file; agents by each of their values."""
    names = [name for name in found() if not name.startswith("agents.")]
    assert [".".join(path) for path in setting_paths() if path != ("agents",)] == names
    assert "agents.haiku.at_once" in found()
    assert not any(one.changed for one in found().values())
    assert {"default"} == {str(one.origin) for one in found().values()}


@pytest.mark.parametrize(
    ("name", "text", "environ", "expected"),
    [
        ("server.port", "", {}, ("8000", "default")),
        ("server.port", "[server]\nport = 8000", {}, ("8000", "bot.toml")),
        ("server.port", "[server]\nport = 1", {"PORT": "2"}, ("2", "environment: PORT")),
        ("server.port", "", {"MOSAIC_SERVER__PORT": "2"}, ("2", "environment: MOSAIC_SERVER__PORT")),
        ("server.port", "", {"MOSAIC_SERVER__PORT": "2", "PORT": "3"}, ("3", "environment: PORT")),
        ("server.port", "", {"PORT": ""}, ("8000", "default")),
        ("gitea.url", "", {}, ("not set", "default")),
        ("gitea.ca_file", "[gitea]\nca_file = '/x'", {}, ("/x", "bot.toml")),
        ("gitea.aliases", "", {}, ("none", "default")),
        ("gitea.aliases", "[gitea]\naliases = ['http://a', 'http://b']", {}, ("http://a, http://b", "bot.toml")),
        ("recheck_every", 'recheck_every = "90s"', {}, ("90s", "bot.toml")),
        ("server.max_body", "", {}, ("8MiB", "default")),
        ("ai.enabled", "[ai]\nenabled = false", {}, ("false", "bot.toml")),
        ("gitea.token", "", {}, ("not set", "default")),
        ("gitea.token", "", {"GITEA_TOKEN": "hunter2"}, ("set", "environment: GITEA_TOKEN")),
        ("gitea.token", "", {"MOSAIC_GITEA__TOKEN": "hunter2"}, ("set", "environment: MOSAIC_GITEA__TOKEN")),
        ("database_url", "", {"DATABASE_URL": "postgresql://u:hunter2@h/x"}, ("postgresql://u:***@h/x", "environment: DATABASE_URL")),
        ("ai.base_url", "", {"ANTHROPIC_BASE_URL": "http://u:hunter2@h"}, ("http://u:***@h", "environment: ANTHROPIC_BASE_URL")),
        ("agents.glm.difficulties", "", {}, ("easy", "default")),
        ("agents.local.at_once", ONE, {}, ("3", "default")),
        ("agents.local.price_in", ONE, {}, ("1.0", "bot.toml")),
        ("agents.local.at_once", ONE, {"MOSAIC_AGENTS__LOCAL__AT_ONCE": "7"}, ("7", "environment: MOSAIC_AGENTS__LOCAL__AT_ONCE")),
        ("agents.local.at_once", ONE, {"MOSAIC_AGENTS__LOCAL": '{"at_once": 7}'}, ("7", "environment: MOSAIC_AGENTS__LOCAL")),
        ("agents.local.price_in", ONE, {"MOSAIC_AGENTS__LOCAL": '{"at_once": 7}'}, ("1.0", "bot.toml")),
        ("agents.local.at_once", ONE, {"MOSAIC_AGENTS": '{"local": {"at_once": 7}}'}, ("7", "environment: MOSAIC_AGENTS")),
    ],
)  # fmt: skip
def test_where_a_value_comes_from(name, text, environ, expected):
    """The place that wins is the place that is told."""
    assert expected == said(name, text, **environ)


def test_a_secret_in_a_file_is_told_by_variable_and_file():
    """And what stands in it is not."""
    Path("token").write_text("hunter2", encoding="utf-8")
    assert ("set", "GITEA_TOKEN_FILE: token") == said("gitea.token", GITEA_TOKEN_FILE="token")


def test_another_file_is_told_by_its_name():
    Path("other.toml").write_text("[server]\nport = 1", encoding="utf-8")
    assert ("1", "other.toml") == said("server.port", BOT_CONFIG="other.toml")


def test_changed_is_what_is_not_as_by_default():
    """Wherever it stands; a secret that is set is."""
    changed = found(
        f"[server]\nport = 8000\n[queue]\nworkers = 9\n{ONE}", GITEA_TOKEN="x", LOG_LEVEL="info"
    )
    names = [name for name, one in changed.items() if one.changed]
    assert ["gitea.token", "queue.workers"] == names[:2]
    assert {"agents.local"} == {name.rpartition(".")[0] for name in names[2:]}


def test_nothing_of_a_secret_is_in_the_json():
    """Not even how long it is."""
    one = found(GITEA_TOKEN="hunter2", DATABASE_URL="postgresql://u:hunter2@h/x")
    assert "hunter2" not in "".join(setting.as_json() for setting in one.values())
    assert {
        "setting": "gitea.token", "value": None, "default": None, "changed": True, "secret": True,
        "set": True, "from": "environment", "variable": "GITEA_TOKEN", "file": None,
    } == json.loads(one["gitea.token"].as_json())  # fmt: skip


def test_values_in_json_are_as_one_writes_them():
    """So that a program can put them into a file."""
    values = {name: json.loads(one.as_json())["value"] for name, one in found().items()}
    assert ("5m", "8MiB", 0.5, [], None, True) == tuple(
        values[name]
        for name in (
            "recheck_every", "server.max_body", "limits.share", "gitea.aliases", "gitea.ca_file",
            "labels.enabled",
        )
    )  # fmt: skip


def test_what_is_missing_to_serve():
    """By its variable."""
    places = given({"GITEA_URL": "http://x"})
    assert ("GITEA_TOKEN", "GITEA_WEBHOOK_SECRET") == missing(settings_of(places))


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(50, "50ms"), (1500, "1500ms"), (90_000, "90s"), (60_000, "1m"), (5_400_000, "90m"), (86_400_000, "1d")],
)  # fmt: skip
def test_durations_are_written_as_they_are_read(ms, expected):
    assert expected == as_duration(timedelta(milliseconds=ms))


@pytest.mark.parametrize(
    ("count", "expected"), [(1025, "1025B"), (2048, "2KiB"), (8 * 2**20, "8MiB"), (2**30, "1GiB")]
)
def test_sizes_are_written_as_they_are_read(count, expected):
    assert expected == as_size(count)
