"""The file `.env`: what it sets, what the environment sets instead, and what is said of mistakes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.config import given, load, settings_of
from bot.envfile import LARGEST, read_env
from bot.errors import ConfigError
from bot.origins import in_force

NAMES = ("GITEA_URL", "GITEA_TOKEN", "GITEA_TOKEN_FILE", "MOSAIC_GITEA__URL", "PORT", "BOT_CONFIG")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """In an empty folder, with nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def write(text: str) -> None:
    Path(".env").write_text(text, encoding="utf-8")


def test_without_the_file_nothing_is_set():
    assert {} == read_env({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", "1"),
        ("A='a $b ${c}'", "a $b ${c}"),
        ('A="a b"', "a b"),
        ("export A=1", "1"),
        ("B=2\nA=${B}0", "20"),
        ("A=${OUTSIDE}", "out"),
        ("\ufeffA=1\r\n", "1"),
        ("# A=2\n\nA=1 # said", "1"),
        ("A=", ""),
    ],
)
def test_a_value_is_read_as_the_shell_reads_it(text, expected):
    write(text)
    assert expected == read_env({"OUTSIDE": "out"})["A"]
    if "\r" not in text:
        shell = subprocess.run(
            ["sh", "-c", '. ./.env; printf %s "$A"'],
            env={"OUTSIDE": "out"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "\ufeff" in text or expected == shell.stdout


def test_a_name_without_a_value_sets_nothing():
    write("A\nB=1")
    assert {"B": "1"} == read_env({})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"A=1\n=2\n", ".env, line 2: write NAME=value"),
        (b"A=\xff", ".env cannot be read: it is no text"),
        (b"#" * (LARGEST + 1), ".env is too large for settings"),
    ],
    ids=["no-setting", "no-text", "too-large"],
)
def test_what_is_no_such_file_is_said_without_its_content(content, expected):
    Path(".env").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_env({})
    assert expected == str(caught.value)


def test_a_folder_of_that_name_is_said():
    Path(".env").mkdir()
    with pytest.raises(ConfigError, match=r"^\.env cannot be read: Is a directory$"):
        load()


def test_the_settings_come_from_it():
    write("GITEA_URL=http://here\nMOSAIC_SERVER__PORT=81\nOTHER=1")
    Path("bot.toml").write_text("[server]\nport = 80\n")
    assert ("http://here", 81) == (load().gitea.url, load().server.port)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GITEA_URL", "http://there", "http://there"),
        ("MOSAIC_GITEA__URL", "http://there", "http://there"),
        ("GITEA_URL", "", "http://here"),
    ],
)
def test_the_environment_beats_it_by_whatever_name(monkeypatch, name, value, expected):
    write("GITEA_URL=http://here")
    monkeypatch.setenv(name, value)
    assert expected == load().gitea.url


def test_a_secret_file_of_the_environment_beats_a_secret_in_it(monkeypatch):
    write("GITEA_TOKEN=here")
    Path("token").write_text("there")
    monkeypatch.setenv("GITEA_TOKEN_FILE", "token")
    assert "there" == load().gitea.token.get_secret_value()


def test_it_may_name_the_file_of_settings():
    write("BOT_CONFIG=other.toml")
    Path("other.toml").write_text("[server]\nport = 82\n")
    assert 82 == load().server.port


def test_it_is_not_read_where_an_environment_is_handed_in():
    write("PORT=83")
    assert 8000 == load({}).server.port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MOSAIC_SERVER__PROT=1", ".env: there is no setting MOSAIC_SERVER__PROT; did you mean MOSAIC_SERVER__PORT?"),
        ("GITEA_TOKE=1", ".env: there is no setting GITEA_TOKE; did you mean GITEA_TOKEN?"),
        ("PORT=many", ".env: server.port (PORT): "),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file(text, expected):
    write(text)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value).startswith(expected)


def test_where_a_value_comes_from_is_told():
    write("GITEA_URL=http://here")
    found = {one.name: str(one.origin) for one in in_force(given(), settings_of(given()))}
    assert ".env: GITEA_URL" == found["gitea.url"]
