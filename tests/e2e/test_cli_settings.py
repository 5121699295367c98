"""The command `settings`, as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.counted, pytest.mark.usefixtures("elsewhere")]


def test_a_line_for_each_setting_where_no_person_looks(run):
    """In columns; and what is needed to serve."""
    done = run("settings", GITEA_TOKEN="hunter2", GITEA_WEBHOOK_SECRET="hunter2")
    assert (0, "") == (done.status, done.err)
    lines = done.out.splitlines()
    assert ["recheck_every", "5m", "default"] == lines[0].split()
    assert any(line.split() == ["gitea.token", "set", "environment:", "GITEA_TOKEN"] for line in lines)  # fmt: skip
    assert "Needed to serve, and not set: GITEA_URL." == lines[-1]
    assert "hunter2" not in done.out


def test_a_table_where_a_person_does(run, monkeypatch):
    """With what was changed standing out."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    done = run("settings", PORT="1")
    assert "Setting" in done.out.splitlines()[0]
    assert "\x1b[2mlog_level" in done.out
    assert any(line.startswith("server.port") for line in done.out.splitlines())
    assert all(len(line) < 200 for line in done.out.splitlines())


def test_only_what_was_changed(run):
    Path("bot.toml").write_text("[queue]\nworkers = 9\npoll = '50ms'\n", encoding="utf-8")
    done = run("settings", "--changed")
    assert "queue.workers  9  bot.toml" == done.out.splitlines()[0]
    assert "queue.poll" not in done.out


def test_nothing_was_changed(run):
    assert "Everything is as by default.\n" in run("settings", "--changed").out


def test_what_stands_beside_the_bot_is_told_as_that(run):
    """In `.env`, which the environment beats."""
    Path(".env").write_text("GITEA_TOKEN=hunter2\nPORT=1\nHOST=h\n", encoding="utf-8")
    done = run("settings", "--changed", PORT="2")
    found = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if ":" in line}
    assert ["set", ".env:", "GITEA_TOKEN"] == found["gitea.token"]
    assert ["2", "environment:", "PORT"] == found["server.port"]
    assert ["h", ".env:", "HOST"] == found["server.host"]
    assert "hunter2" not in done.out


def test_an_object_for_each_setting(run):
    """For programs."""
    done = run("settings", "--json", PORT="1")
    rows = {row["setting"]: row for row in map(json.loads, done.out.splitlines())}
    assert (1, 8000, "environment", "PORT") == tuple(
        rows["server.port"][key] for key in ("value", "default", "from", "variable")
    )
    assert rows["agents.glm.difficulties"]["value"] == ["easy"]


def test_wrong_settings_are_told_as_everywhere(run):
    done = run("settings", PORT="many")
    assert (2, "") == (done.status, done.out)
    assert "server.port (PORT)" in done.err
