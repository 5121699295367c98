"""`setup` on the command line: what it asks, what it takes from options, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.prompt import Confirm, Prompt

from bot.cli.asking import Asker
from bot.cli.setup import Options, _setup
from bot.demo.forge import Forge, serve
from bot.errors import ConfigError
from tests.e2e.command_line import Done, command, environment
from tests.e2e.setting_up import REPO
from tests.gitea_server import free_port

pytestmark = pytest.mark.counted

WAIT = 60.0  # seconds


async def called(folder, *arguments: str, **environ: str) -> Done:
    """The command, as a program of its own in this folder."""
    program = await asyncio.create_subprocess_exec(
        *command("setup", *arguments),
        cwd=folder,
        env=environment(HOSTNAME="here", **environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(program.communicate(), WAIT)
    return Done(program.returncode or 0, out.decode(), err.decode())


async def test_from_nothing_to_everything_and_back(tmp_path):
    forge = Forge()
    forge.add_repository(REPO)
    async with serve(forge) as url:
        secret = {"GITEA_ADMIN_TOKEN": forge.admin_token, "PORT": str(free_port())}
        dry = await called(tmp_path, "--yes", "--dry-run", "--url", url, REPO, **secret)
        first = await called(tmp_path, "--yes", "--url", url, REPO, **secret)
        again = await called(tmp_path, "--yes", "--json", REPO, **secret)
        gone = await called(tmp_path, "--yes", "--remove", "--labels", "--user", **secret)
    assert [0, 0, 0, 0] == [one.status for one in (dry, first, again, gone)]
    assert dry.out.endswith("\nNothing was changed.\n")
    assert "✓ Made the user coordinator.\n" in first.out
    assert first.out.endswith(
        "serve\nThen assign an issue to coordinator.\n"
        "PORT is not the same in this shell and in .env: set it where the bot starts, too.\n"
    )
    assert {"same"} == {json.loads(line)["mark"] for line in again.out.splitlines()}
    assert "✓ Removed the user coordinator.\n" in gone.out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.usefixtures("elsewhere")
async def test_the_same_within_a_loop(monkeypatch, capsys):
    """Each way to the end; the bot's login is that of the token that is set."""
    forge = Forge()
    forge.add_repository(REPO)
    monkeypatch.setenv("GITEA_ADMIN_TOKEN", forge.admin_token)
    monkeypatch.setenv("PORT", str(free_port()))
    async with serve(forge) as url:
        for more, said in [
            ({"url": url, "bot": "robo", "dry": True}, "Nothing was changed."),
            ({"url": url, "bot": "robo"}, "Then assign an issue to robo."),
            ({}, "= The user robo is there."),
            ({"as_json": True}, '"mark": "same"'),
            ({"places": (), "remove": True}, "Removed the webhook of acme/rocket"),
            ({"places": (), "remove": True, "url": url, "bot": "robo"}, "Nothing was there."),
        ]:
            await _setup(Asker(yes=True), replace(OPTIONS, **more))
            assert said in capsys.readouterr().out
        monkeypatch.setenv("GITEA_TOKEN", "void")
        with pytest.raises(SystemExit) as ended:
            await _setup(Asker(yes=True), replace(OPTIONS, url=url, places=("acme/no",)))
        assert 1 == ended.value.code
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            await _setup(Asker(yes=True), replace(OPTIONS, url=url, places=(REPO, "acme/no")))
        assert 1 == ended.value.code


OPTIONS = Options(
    places=(REPO,), system=False, add=False, remove=False, labels=False, user=False, url="",
    login="", bot="", email="", bot_url="", dry=False, as_json=False,
)  # fmt: skip


async def test_what_fails_ends_with_one(tmp_path):
    forge = Forge()
    async with serve(forge) as url:
        done = await called(tmp_path, "-y", "--url", url, REPO, GITEA_ADMIN_TOKEN=forge.admin_token)
    assert 1 == done.status
    assert "✗ There is no repository acme/rocket" in done.out


READY = ["--yes", "--url", "http://127.0.0.1:9", "a/b"]


@pytest.mark.usefixtures("elsewhere")
class TestBadUse:
    def test_two_at_once_in_a_folder_would_take_away_each_others_token(self, run):
        """So the second one ends at once, and has changed nothing."""
        folder = os.open(".", os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        done = run("setup", *READY)
        os.close(folder)
        assert (1, "") == (done.status, done.out)
        assert "another setup is at work in this folder; wait until it has ended" in done.err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--yes"], "Which Gitea? Give --url, or set GITEA_URL."),
            (["--yes"], "Who sets it up? Set GITEA_ADMIN_TOKEN, or GITEA_ADMIN_TOKEN_FILE"),
            (["--yes"], "Where? Name owner/repo or an organisation, or give --system."),
            (
                ["--yes", "--login", "root"],
                "Set GITEA_ADMIN_PASSWORD, or GITEA_ADMIN_PASSWORD_FILE.",
            ),
            (["a/b/c", "--yes", "--url", "http://x"], "a/b/c is no place"),
            (["--add", "--remove"], "--add and --remove do not go together"),
            (["--labels"], "--labels and --user are for --remove"),
            (["--yes", "--url", "ftp://x", "a/b"], "ftp://x is no address"),
            ([*READY, "--bot-url", "foo"], "foo is no address"),
            ([*READY, "--bot", "a b"], "a b can be no user's name"),
            ([*READY, "--email", "foo"], "foo is no e-mail address"),
        ],
    )
    def test_what_is_missing_or_wrong_is_said(self, run, monkeypatch, arguments, said):
        if arguments[:4] == READY:
            monkeypatch.setenv("GITEA_ADMIN_TOKEN", "t0ken")
        done = run("setup", *arguments)
        assert 2 == done.status
        assert said in done.err


@pytest.fixture
def terminal(monkeypatch) -> Iterator[list[str]]:
    """Somebody at a terminal, who says these things."""
    said: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(Prompt, "ask", lambda *_a, **_k: said.pop(0))
    yield said
    assert not said


class TestAsking:
    def test_until_there_is_an_answer(self, terminal):
        terminal += ["", " ", " acme ", "", "t0ken"]
        asker = Asker(yes=False)
        assert "acme" == asker.text("Where?", "", lacking="")
        assert "t0ken" == asker.secret("Token", lacking="").get_secret_value()

    async def test_for_a_token_of_somebody(self, terminal):
        terminal += ["t0ken"]
        found = await Asker(yes=False).other_token("coordinator")
        assert found
        assert "t0ken" == found.get_secret_value()
        assert await Asker(yes=True).other_token("coordinator") is None

    async def test_a_question(self, terminal, monkeypatch):
        monkeypatch.setattr(Confirm, "ask", lambda *_a, **_k: True)
        assert await Asker(yes=False).confirm("Really?")
        assert await Asker(yes=True).confirm("Really?")

    async def test_nobody_is_there_to_agree(self, monkeypatch):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
        assert not await Asker(yes=False).confirm("Really?")

    def test_the_end_of_the_input_is_an_interruption(self, terminal, monkeypatch):
        def ended(*_: object, **__: object) -> str:
            raise EOFError

        before = signal.getsignal(signal.SIGINT)
        monkeypatch.setattr(Prompt, "ask", ended)
        with pytest.raises(KeyboardInterrupt):
            Asker(yes=False).text("Where?", "", lacking="")
        assert before is signal.getsignal(signal.SIGINT)

    def test_everything_that_is_missing_is_said_at_once(self):
        asker = Asker(yes=True)
        asker.text("One?", "", lacking="one")
        asker.secret("Two?", lacking="two")
        with pytest.raises(ConfigError, match=r"^one\ntwo$"):
            asker.demand()
