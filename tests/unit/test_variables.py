"""Variables that are nearly ours, others' that are not, and passwords in addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError
from bot.variables import passwords, without_passwords


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)


def said(**environ: str) -> str:
    """What is said of an environment; nothing where it will do."""
    try:
        load(environ)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GITEA_TOKNE", "GITEA_TOKEN"),
        ("GITEA_TOKEN_FIEL", "GITEA_TOKEN_FILE"),
        ("GITEA_TOKNE_FILE", "GITEA_TOKEN_FILE"),
        ("GITEA_TOKENS", "GITEA_TOKEN"),
        ("GITAE_TOKEN", "GITEA_TOKEN"),
        ("GITEATOKEN", "GITEA_TOKEN"),
        ("gitea_token", "GITEA_TOKEN"),
        ("Gitea_Token", "GITEA_TOKEN"),
        ("GITEA_URI", "GITEA_URL"),
        ("GITEA_WEBHOOK_SECERT", "GITEA_WEBHOOK_SECRET"),
        ("GITEA_WEB_HOOK_SECRET", "GITEA_WEBHOOK_SECRET"),
        ("GITEA_WEBHOK_SECERT", "GITEA_WEBHOOK_SECRET"),
        ("ANTHROPIC_API_KYE", "ANTHROPIC_API_KEY"),
        ("ANTROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("ANTHROPIC_APIKEY", "ANTHROPIC_API_KEY"),
        ("ANTHROPIC_BASEURL", "ANTHROPIC_BASE_URL"),
        ("DATABASE_ULR", "DATABASE_URL"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("BOT_CONFG", "BOT_CONFIG"),
        ("MOSAIC_AI_MODEL", "MOSAIC_AI__MODEL"),
        ("MOSIAC_AI__MODEL", "MOSAIC_AI__MODEL"),
        ("MOSIAC_AI_MODEL", "MOSAIC_AI__MODEL"),
        ("mosaic_ai__model", "MOSAIC_AI__MODEL"),
        ("MOSAIC_RECHECK_EVRY", "MOSAIC_RECHECK_EVERY"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(name, meant):
    """And without the value, which may be a secret."""
    found = said(**{name: "hunter2"})
    assert f"environment: there is no setting {name}; did you mean {meant}?" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "name",
    [
        *("GITEA_BIN", "GITEA_STATIC_ROOT", "GITEA_WORK_DIR", "GITEA_CUSTOM", "GITEA_TEMP"),
        *("GITEA__server__ROOT_URL", "GITEA__SERVER__ROOT_URL", "GITEA____APP_NAME"),
        *("GITEA__security__INTERNAL_TOKEN__FILE", "GITEA__database__PASSWD"),
        *(
            "GITEA_ADMIN_TOKEN",
            "GITEA_ADMIN_TOKEN_FILE",
            "GITEA_ADMIN_PASSWORD",
            "GITEA_INSTANCE_URL",
            "GITEA_HOST",
        ),
        *("GITEA_RUNNER_REGISTRATION_TOKEN", "GITEA_RUNNER_NAME", "GITEA_ROOT_URL", "GITEA_USER"),
        *("GITEA_UID", "GITEA_GID", "GITEA_VERSION", "GITEA_PORT", "GITEA_APP_INI", "GITEA_DB_URL"),
        *("GITEA_SERVER_URL", "GITEA_SERVER_TOKEN", "GITEA_ACCESS_TOKEN", "GITEA_ACTIONS"),
        *("ANTHROPIC_MODEL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_SMALL_FAST_MODEL"),
        *("ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_API_URL", "ANTHROPIC_LOG", "ANTHROPIC_VERSION"),
        *("DATABASE_HOST", "DATABASE_USER", "DATABASE_NAME", "DATABASE_PORT", "DATABASE_PASSWORD"),
        *("GITLAB_TOKEN", "GITHUB_TOKEN", "GITLAB_URL", "GITHUB_URL", "CI_DATABASE_URL"),
        *("POSTGRES_PASSWORD", "BOT_TOKEN", "BOT_NAME", "LOG_LEVELS", "LOGLEVEL", "LOG_FORMAT"),
        *("HOSTNAME", "HOSTTYPE", "POST", "PORTS", "host", "port", "log_level", "PATH", "_", "PWD"),
        *("MOSAICML_USERNAME", "MOSAIC"),
    ],
)
def test_what_other_programs_need_stops_nothing(name):
    """Though it begins like ours."""
    assert "" == said(**{name: "x"})


def test_a_slip_beside_the_right_name_is_somebody_elses():
    """By its short or its long name, in a file of its own, or in `bot.toml`."""
    assert "" == said(GITEA_TOKENS="x", GITEA_TOKEN="y")
    assert "" == said(GITEA_TOKENS="x", MOSAIC_GITEA__TOKEN="y")
    Path("token").write_text("y", encoding="utf-8")
    assert "" == said(GITEA_TOKENS="x", GITEA_TOKEN_FILE="token")
    Path("bot.toml").write_text('[gitea]\nurl = "http://x"', encoding="utf-8")
    assert "" == said(GITEA_URI="x")


def test_a_file_that_names_the_default_sets_nothing():
    """The one that is shipped names every setting."""
    Path("bot.toml").write_text('[gitea]\nurl = ""', encoding="utf-8")
    assert "did you mean GITEA_URL?" in said(GITEA_URI="x")


def test_an_empty_slip_is_none():
    """Compose files hand on as empty what is not set."""
    assert "" == said(GITEA_TOKNE="")


def test_the_way_out_is_told():
    """For whom the name is another program's."""
    assert said(DATABASE_URI="x").endswith(
        "If DATABASE_URI is for another program, set DATABASE_URL as well"
    )


@pytest.mark.parametrize(
    ("address", "expected", "found"),
    [
        ("sqlite:///data/x.db", "sqlite:///data/x.db", set()),
        ("postgresql://h/x", "postgresql://h/x", set()),
        ("postgresql://u@h:5432/x", "postgresql://u@h:5432/x", set()),
        ("postgresql://u:p@h:5432/x", "postgresql://u:***@h:5432/x", {"p"}),
        ("postgresql://:p@h/x", "postgresql://:***@h/x", {"p"}),
        ("postgresql://u:a@b/c@h/x", "postgresql://u:***@h/x", {"a@b/c"}),
        ("postgresql://u:p%2Fq@h/x", "postgresql://u:***@h/x", {"p%2Fq", "p/q"}),
        ("postgresql://h/x?user=u&password=p", "postgresql://h/x?user=u&password=***", {"p"}),
        ("postgresql://h/x?sslpassword=p&a=b", "postgresql://h/x?sslpassword=***&a=b", {"p"}),
        ("postgresql://u:p@h/x?PASSWORD=q", "postgresql://u:***@h/x?PASSWORD=***", {"p", "q"}),
    ],
)
def test_passwords_in_addresses(address, expected, found):
    """They are found, and do not show."""
    assert (expected, found) == (without_passwords(address), passwords(address))
