"""Mistakes in the settings are all told at once, and do not hide what else there is to say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.check import settings as look
from bot.check.finding import Grade
from bot.check.salvage import salvaged
from bot.config import Settings

GOOD = {
    "GITEA_URL": "https://git.example.org",
    "GITEA_TOKEN": "t0ken",
    "GITEA_WEBHOOK_SECRET": "0123456789abcdef",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path("bot.toml").write_text(text, encoding="utf-8")


def settings(text: str = "", **environ: str) -> Settings:
    write(text)
    found, _, wrong = salvaged({**GOOD, **environ})
    assert [] == [*wrong]
    return found


def not_good(found: Settings) -> list[tuple[Grade, str]]:
    there = [one for one in look.findings(found, ()) if one.grade is not Grade.GOOD]
    assert all(one.why and one.do for one in there)
    return [(one.grade, one.id) for one in there]


class TestSalvage:
    def test_what_is_right_counts_all_the_same(self) -> None:
        """And every mistake is told, each once."""
        write(
            'recheck_evry = "1m"\ncatch_up = "3d"\n[ai]\nmodel = "m"\ntimeout = "soon"\n'
            "[limits]\nsmall = 60000\n[gitea]\ntoken = 'geheim'\nconnections = 7\n"
            "[agents.x]\ncontext_limit = 5\nprice_in = 1\nprice_out = 1\n"
            "[agents.y]\ncontext_limit = 5000\nprice_in = 1\nprice_out = 1\n"
        )
        found, _, wrong = salvaged({**GOOD, "PORT": "many", "MOSAIC_AI__MODLE": "n"})
        assert [
            "bot.toml: there is no setting recheck_evry; did you mean recheck_every?",
            "bot.toml: gitea.token is a secret: set it in the environment instead",
            "environment: there is no setting MOSAIC_AI__MODLE; did you mean MOSAIC_AI__MODEL?",
            (
                "server.port (PORT): Input should be a valid integer, unable to parse string as an "
                "integer"
            ),
            'ai.timeout: a duration is written like "90s", "5m" or "1h"',
            "limits: small, medium and large must ascend",
            "agents.x.context_limit: Input should be greater than or equal to 1000",
        ] == [*wrong]
        assert ("m", 3, 7, ["y"], 25_000) == (
            found.ai.model,
            found.catch_up.days,
            found.gitea.connections,
            [*found.agents],
            found.limits.small,
        )

    @pytest.mark.parametrize(
        ("expected", "environ"),
        [
            ("environment: MOSAIC_AGENTS is not JSON", {"MOSAIC_AGENTS": "{"}),
            ("limits.small: Input should be", {"MOSAIC_LIMITS__SMALL": "0"}),
            ("GITEA_TOKEN and GITEA_TOKEN_FILE are both set", {"GITEA_TOKEN_FILE": "x"}),
            ("nowhere.toml: there is no such file", {"BOT_CONFIG": "nowhere.toml"}),
            ("agents: Dictionary should have at least 1 item", {"MOSAIC_AGENTS": "{}"}),
        ],
    )
    def test_a_mistake_in_a_variable_leaves_the_rest(
        self, expected: str, environ: dict[str, str]
    ) -> None:
        found, _, wrong = salvaged({**GOOD, **environ})
        assert [True] == [one.startswith(expected) for one in wrong]
        assert "https://git.example.org" == found.gitea.url

    def test_files_that_cannot_be_read_leave_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both are told."""
        for name in [*os.environ]:
            if name.startswith(("MOSAIC_", "GITEA_")):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PORT", "8123")
        write("[ai\n")
        Path(".env").write_text("two words\n", encoding="utf-8")
        found, _, wrong = salvaged()
        assert [True, True] == [
            wrong[0].startswith(".env, line 1: "),
            wrong[1].startswith("bot.toml: "),
        ]
        assert 8123 == found.server.port

    def test_without_mistakes_it_is_what_the_bot_runs_with(self) -> None:
        found = settings('[ai]\nmodel = "m"\n', MOSAIC_AI__TIMEOUT="9s")
        assert ("m", 9) == (found.ai.model, found.ai.timeout.seconds)


class TestFindings:
    def test_good_settings_are_said_to_be_so(self) -> None:
        assert ["settings.known"] == [one.id for one in look.findings(settings(), ())]

    def test_a_mistake_is_told_once(self) -> None:
        """What it is about is not said to be missing."""
        found, _, _ = salvaged({**GOOD, "GITEA_URL": ""})
        there = [*look.findings(found, ["gitea.url (GITEA_URL): must begin with"])]
        assert ["settings.mistake"] == [one.id for one in there]

    @pytest.mark.parametrize(
        ("expected", "left"),
        [
            (["None of GITEA_URL, GITEA_TOKEN, GITEA_WEBHOOK_SECRET is set."], []),
            (["GITEA_WEBHOOK_SECRET is not set."], ["GITEA_URL", "GITEA_TOKEN"]),
        ],
    )
    def test_what_is_missing_is_told(self, expected: list[str], left: list[str]) -> None:
        found, _, _ = salvaged({name: GOOD[name] for name in left})
        there = [one for one in look.findings(found, ()) if one.grade is Grade.WRONG]
        assert expected == [one.what for one in there]

    @pytest.mark.parametrize(
        ("expected", "text", "environ"),
        [
            (["settings.secret-short"], "", {"GITEA_WEBHOOK_SECRET": "0123456789abcdef,short"}),
            (["settings.catch-up"], 'catch_up = "1m"', {}),
            (["settings.recheck-long"], 'recheck_every = "2h"', {}),
            ([], 'recheck_every = "1h"', {}),
            (["settings.ai-no-key"], '[ai]\nmodel = "m"', {}),
            ([], '[ai]\nmodel = "m"', {"ANTHROPIC_API_KEY": "k"}),
            ([], '[ai]\nmodel = "m"\nenabled = false', {}),
            (["settings.url"], '[server]\nurl = "bot.example.org"', {}),
            (["settings.url"], '[server]\nurl = "http://bot:x"', {}),
            (["settings.url-port"], '[server]\nurl = "http://127.0.0.1:9000"', {}),
            (["settings.url-port"], '[server]\nurl = "http://localhost"', {}),
            ([], '[server]\nurl = "http://127.0.0.1:8000"', {}),
            ([], '[server]\nurl = "https://bot.example.org"', {}),
            (
                ["settings.agents-difficulty", "settings.agents-difficulty"],
                ('[agents.x]\ncontext_limit = 200000\nprice_in = 1\nprice_out = 1\n'
                'difficulties = ["easy"]'),
                {},
            ),
            (
                ["settings.agents-room"] * 3,
                "[agents.x]\ncontext_limit = 10000\nprice_in = 1\nprice_out = 1\n",
                {},
            ),
        ],
    )  # fmt: skip
    def test_what_is_unwise_is_a_note(
        self, expected: list[str], text: str, environ: dict[str, str]
    ) -> None:
        there = not_good(settings(text, **environ))
        assert [(Grade.NOTE, one) for one in expected] == there

    @pytest.mark.parametrize(
        ("expected", "mode"), [(["settings.env-readable"], 0o644), ([], 0o600)]
    )
    def test_secrets_that_others_may_read_are_told(self, expected: list[str], mode: int) -> None:
        found = settings()
        Path(".env").touch()
        Path(".env").chmod(mode)
        assert expected == [one for _, one in not_good(found)]
