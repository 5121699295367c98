"""Parts of the set-up that need no Gitea: places, versions, scopes, and how things are told."""

from __future__ import annotations

import json

import pytest

from bot.cli.asking import default_address, default_email, machine
from bot.cli.steps import MANY, Shown, bar
from bot.config import load
from bot.errors import CoordinatorError, Permanent, Retryable, UserError
from bot.setup.course import Course, Line, Mark, Told
from bot.setup.places import SYSTEM, Kind, place_of, places_of
from bot.setup.reach import covers, name_of, needed


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "kind", "name", "route"),
        [
            ("acme/rocket", Kind.REPOSITORY, "acme/rocket", "/repos/acme/rocket"),
            (" acme/ ", Kind.ORGANIZATION, "acme", "/orgs/acme"),
            ("a.b-c_1", Kind.ORGANIZATION, "a.b-c_1", "/orgs/a.b-c_1"),
        ],
    )
    def test_a_place_is_read(self, text, kind, name, route):
        found = place_of(text)
        assert (kind, name, route) == (found.kind, str(found), found.route)

    @pytest.mark.parametrize("text", ["", "a/b/c", "a b", "..", "a/..", "./b", "http://x/a/b", "ä"])
    def test_nothing_else_is(self, text):
        with pytest.raises(UserError, match="is no place; write owner/repo"):
            place_of(text)

    def test_each_is_there_once(self):
        assert ["acme", "x/y"] == [str(one) for one in places_of(["acme", "x/y", "ACME"])]

    def test_the_whole_is_one_too(self):
        assert ("/admin", "the whole Gitea") == (SYSTEM.route, str(SYSTEM))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.26.3", "Gitea 1.26.3"),
        ("1.27.0+dev-12-gabc", "Gitea 1.27.0+dev-12-gabc"),
        ("8.0.2+gitea-1.22.0", "Forgejo 8.0.2"),
        ("", "Gitea"),
    ],
)
def test_a_version_is_named(version, expected):
    assert expected == name_of(version)


@pytest.mark.parametrize(
    ("scopes", "wanted", "expected"),
    [
        ({"all"}, "write:admin", True),
        ({"write:user"}, "read:user", True),
        ({"read:user"}, "write:user", False),
        (set(), "read:user", False),
    ],
)
def test_a_scope_covers_another(scopes, wanted, expected):
    assert expected == covers(scopes, wanted)


def test_only_what_is_needed_is_asked_of_a_token():
    repo, org = place_of("a/b"), place_of("a")
    assert ["write:user", "write:repository", "write:issue"] == list(
        needed([repo], adding=False, makes_user=False)
    )
    assert "write:organization" in needed([org], adding=True, makes_user=False)
    assert ["write:admin", "write:user", "write:repository"] == list(
        needed([SYSTEM], adding=False, makes_user=False)
    )


class TestCourse:
    def course(self) -> tuple[Course, list[Line]]:
        lines: list[Line] = []
        return Course(lines.append), lines

    @pytest.mark.parametrize(
        ("error", "do"),
        [
            (Permanent("no", status=401), "Check the token, or the name and the password."),
            (Permanent("x required scope(s)", status=403), "Make a token with that scope"),
            (Retryable("no"), "Check the address, and that Gitea runs."),
            (Permanent("no", status=422), ""),
            (CoordinatorError("no"), ""),
        ],
    )
    def test_an_error_is_told_with_a_way_out(self, error, do):
        course, lines = self.course()
        course.say(error)
        assert (Mark.WRONG, str(error)) == (lines[0].mark, lines[0].what)
        assert lines[0].do.startswith(do)

    def test_what_was_told_already_is_not_told_again(self):
        course, lines = self.course()
        course.say(Told("nothing could be set up"))
        assert [] == lines

    async def test_what_could_not_go_in_the_end_is_told(self):
        async def fails() -> None:
            raise Permanent("ouch")

        course, lines = self.course()
        course.later("removed the old one", fails)
        await course.finish()
        assert ["ouch"] == [line.what for line in lines]

    async def test_a_file_that_cannot_be_restored_is_told(self):
        async def made() -> None:
            return None

        async def fails() -> None:
            raise OSError(28, "No space left on device")

        async def broken() -> None:
            async with course.all_or_nothing():
                await course.make("wrote it", made, ("it is as it was", fails))
                raise ZeroDivisionError

        course, lines = self.course()
        with pytest.raises(ZeroDivisionError):
            await broken()
        assert "could not be taken back: No space left on device" in lines[-1].what


class TestShown:
    def test_a_line_has_its_mark(self, capsys):
        shown = Shown(as_json=False, places=1)
        shown(Line("Right", Mark.DONE, "made \x1b[31mit", place="a/b"))
        shown(Line("Right", Mark.SAME, "a is there.", "Do this:\n    [x]"))
        assert (
            "✓ Made \ufffd[31mit.\n= a is there.\n  Do this:\n      [x]\n"
            == capsys.readouterr().out
        )

    def test_as_json_each_line_is_an_object(self, capsys):
        Shown(as_json=True, places=99)(Line("Right", Mark.DONE, "made it", place="a/b"))
        expected = {"step": "Right", "mark": "done", "what": "made it", "do": "", "place": "a/b"}
        assert expected == json.loads(capsys.readouterr().out)

    def test_of_many_places_only_what_is_wrong(self, capsys):
        shown = Shown(as_json=False, places=MANY + 1)
        for place, mark in (("a/a", Mark.DONE), ("a/b", Mark.SAME), ("a/c", Mark.WRONG)):
            shown(Line("Right", mark, "so it is", place=place))
        shown.summary(MANY + 1, dry=False)
        out = capsys.readouterr().out
        assert "✗ a/c: so it is\n6 places: 1 changed, 4 as they were, 1 failed.\n" == out

    @pytest.mark.parametrize(("total", "shown"), [(MANY, False), (MANY + 1, True)])
    def test_a_bar_is_for_many(self, capsys, total, shown):
        with bar(quiet=False) as told:
            told(total, total)
        assert shown == (f"{total} of {total}" in capsys.readouterr().err)


class TestDefaults:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("http://localhost:3000", "http://127.0.0.1:8000"),
            ("http://[::1]:3000", "http://127.0.0.1:8000"),
            ("https://git.example.org", "http://this.example.org:8000"),
        ],
    )
    def test_gitea_reaches_the_bot(self, monkeypatch, url, expected):
        monkeypatch.setattr("socket.getfqdn", lambda: "this.example.org")
        assert expected == default_address(url, load({}))

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://git.example.org/x", "bot@noreply.git.example.org"),
            ("http://127.0.0.1:3000", "bot@noreply.localhost"),
        ],
    )
    def test_nobody_reads_its_mail(self, url, expected):
        assert expected == default_email("bot", url)

    def test_the_machine_has_a_name(self, monkeypatch):
        monkeypatch.setenv("HOSTNAME", "here")
        assert "here" == machine()
