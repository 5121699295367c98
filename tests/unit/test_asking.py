"""What `setup` is told, and what cannot be so."""

from __future__ import annotations

import sys

import pytest

from bot.cli.asking import Asker, address_of, answers, email_of, login_of
from bot.errors import UserError


@pytest.mark.parametrize(
    ("right", "said", "wanted"),
    [
        (address_of, "https://git.example.org/", "https://git.example.org"),
        (address_of, "http://127.0.0.1:3000/git", "http://127.0.0.1:3000/git"),
        (login_of, "mosaic-bot.2", "mosaic-bot.2"),
        (email_of, "bot@example.org", "bot@example.org"),
    ],
)
def test_what_can_be_is_taken(right, said, wanted) -> None:
    assert wanted == right(said)


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (address_of, "foo"),
        (address_of, "127.0.0.1:3000"),
        (address_of, "ftp://foo"),
        (address_of, "http://"),
        (login_of, "a b"),
        (login_of, "-a"),
        (login_of, "a--b"),
        (login_of, "a" * 41),
        (email_of, "foo"),
        (email_of, "a b@c"),
    ],
)
def test_what_cannot_be_is_refused_with_the_word_itself(right, said) -> None:
    with pytest.raises(UserError, match=f"^{said} "):
        right(said)


def test_it_is_asked_again_until_it_can_be(monkeypatch, capsys) -> None:
    """With what was wrong; an empty answer is none."""
    said = iter(["", "ftp://foo", "http://gitea:3000/"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("rich.prompt.Prompt.ask", lambda *_args, **_more: next(said))
    found = Asker(yes=False).text("Address", "", lacking="", right=address_of)
    assert "http://gitea:3000" == found
    assert "ftp://foo is no address; write one such as https://git.example.org\n" == (
        capsys.readouterr().err
    )


def test_a_line_break_after_a_token_is_not_part_of_it() -> None:
    found = answers(
        Asker(yes=True), {"GITEA_ADMIN_TOKEN": "t0ken\n"}, url="http://gitea:3000/", login=""
    )
    assert ("http://gitea:3000", "t0ken") == (found.url, found.secret.get_secret_value())
