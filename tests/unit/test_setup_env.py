"""Writing `.env`: what changes in it, what stays, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from bot.envfile import read_env
from bot.errors import ConfigError
from bot.setup.env import HEAD, check_writable, is_private, with_values, without, write_env


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"{HEAD}A=1\n"),
        ("A=0\n", "A=1\n"),
        ("A=0", "A=1\n"),
        ("B=2\nA='x\ny'\nC=3\n", "B=2\nA=1\nC=3\n"),
        ("export A = 0 # old\n", "export A=1\n"),
        ("A=0\r\nB=2\r\n", "A=1\r\nB=2\r\n"),
        ("A=0\nA=5\n", "A=1\nA=1\n"),
        ("# A=0\nB=2", "# A=0\nB=2\nA=1\n"),
        ("=what\nB=2\n", "=what\nB=2\nA=1\n"),
    ],
    ids=["new", "there", "no-end", "two-lines", "export", "crlf", "twice", "comment", "mistake"],
)
def test_a_value_is_set_in_its_place(text, expected):
    assert expected == with_values(text, {"A": "1"})


@pytest.mark.parametrize(
    "value", ["http://a:3000/b", "a b", "$HOME", '"', "#", "a,b", "", "a\\b", "ä"]
)
def test_the_shell_and_the_bot_read_what_was_set(tmp_path, value):
    (tmp_path / ".env").write_text(with_values("", {"A": value}))
    assert value == read_env({}, tmp_path / ".env")["A"]
    shell = subprocess.run(
        ["sh", "-c", '. ./.env; printf %s "$A"'], cwd=tmp_path, capture_output=True, check=True
    )
    assert value == shell.stdout.decode()


@pytest.mark.parametrize("value", ["a'b", "a\nb", "a\x1bb"])
def test_what_cannot_stand_there_is_refused_without_being_said(value):
    with pytest.raises(ConfigError) as caught:
        with_values("", {"A": value})
    assert "A holds characters that cannot stand in .env" == str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# mine\nA=1\nB=2\n", "# mine\nB=2\n"),
        (f"{HEAD}A=1\n", ""),
        (f"{HEAD}A=1\nB=2\n", f"{HEAD}B=2\n"),
        ("", ""),
    ],
)
def test_variables_are_taken_out(text, expected):
    assert expected == without(text, {"A"})


class TestWriting:
    def test_only_its_owner_may_read_it(self, tmp_path):
        path = tmp_path / ".env"
        path.write_text("old")
        path.chmod(0o644)
        assert not is_private(path)
        write_env(path, "A=1\n")
        assert ("A=1\n", 0o600) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))
        assert is_private(path)
        assert [".env"] == [one.name for one in tmp_path.iterdir()]

    def test_without_a_text_there_is_no_file(self, tmp_path):
        write_env(tmp_path / ".env", "A=1")
        for _ in "twice":
            write_env(tmp_path / ".env", "")
        assert not list(tmp_path.iterdir())

    def test_one_that_cannot_be_written_stays_as_it_was(self, tmp_path, monkeypatch):
        def full(_file: int) -> None:
            raise OSError(28, "No space left on device")

        path = tmp_path / ".env"
        path.write_text("old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
            write_env(path, "new")
        assert ["old"] == [one.read_text() for one in tmp_path.iterdir()]

    def test_a_link_within_the_folder_is_followed(self, tmp_path):
        (tmp_path / "real").write_text("")
        (tmp_path / ".env").symlink_to("real")
        write_env(tmp_path / ".env", "A=1")
        assert "A=1" == (tmp_path / "real").read_text()
        assert (tmp_path / ".env").is_symlink()

    def test_its_owner_stays(self, tmp_path, monkeypatch):
        given: list[tuple[int, int]] = []
        path = tmp_path / ".env"
        path.write_text("")
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
        monkeypatch.setattr(os, "chown", lambda _p, user, group: given.append((user, group)))
        write_env(path, "A=1")
        assert [(path.stat().st_uid, path.stat().st_gid)] == given


class TestBefore:
    def test_a_new_one_may_be_written(self, tmp_path):
        check_writable(tmp_path / ".env")
        assert not list(tmp_path.iterdir())

    def test_one_that_is_read_only(self, tmp_path):
        path = tmp_path / ".env"
        path.touch(0o400)
        with pytest.raises(ConfigError, match=r"is read-only; make it writable: chmod u\+w"):
            check_writable(path)

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot be written, and \.env is to be there"):
            check_writable(tmp_path / "no" / ".env")

    def test_a_link_that_leads_out_of_the_folder(self, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / ".env").symlink_to("../out")
        with pytest.raises(ConfigError, match="write there yourself, or remove the link"):
            check_writable(tmp_path / "in" / ".env")

    def test_what_is_no_text(self, tmp_path):
        Path(tmp_path / ".env").write_bytes(b"\xff")
        with pytest.raises(ConfigError, match="it is no text"):
            check_writable(tmp_path / ".env")
