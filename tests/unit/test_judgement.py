"""What lets every open issue be looked at anew at the next start, and what does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot import judgement as module
from bot.config import load
from bot.judgement import judgement
from bot.render import TEMPLATES

NOWHERE = {"GITEA_URL": "https://git.example.org"}


def of(**environ: str) -> str:
    return judgement(load({**NOWHERE, **environ}, None))


@pytest.mark.parametrize(
    ("expected", "name", "value"),
    [
        (True, "MOSAIC_AGENTS__OPUS__CONTEXT_LIMIT", "300000"),
        (True, "MOSAIC_LIMITS__SHARE", "0.4"),
        (True, "MOSAIC_LIMITS__SMALL", "1000"),
        (True, "MOSAIC_LABELS__STATUS", "state"),
        (True, "MOSAIC_LABELS__ENABLED", "false"),
        (True, "MOSAIC_AI__DEPENDENCIES", "accept"),
        (True, "MOSAIC_GITEA__DEPENDENCIES", "off"),
        (True, "MOSAIC_GITEA__ALIASES", '["https://git.other.test"]'),
        (True, "GITEA_URL", "https://git.other.test"),
        (True, "ANTHROPIC_API_KEY", "key"),
        (False, "MOSAIC_AI__DAILY_TOKENS", "5"),
        (False, "MOSAIC_RECHECK_EVERY", "1m"),
        (False, "GITEA_TOKEN", "another"),
        (False, "DATABASE_URL", "sqlite:///elsewhere.db"),
    ],
)
def test_settings_that_bear_on_a_report(expected: bool, name: str, value: str) -> None:
    assert expected is (of() != of(**{name: value}))


def test_no_secret_bears_on_it() -> None:
    """Only whether there is a key for Claude."""
    assert of(ANTHROPIC_API_KEY="one") == of(ANTHROPIC_API_KEY="other")


def test_another_version_judges_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of()
    monkeypatch.setattr(module, "__version__", "99.0")
    assert before != of()


def test_other_words_make_another_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = of()
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    monkeypatch.setattr(module, "TEMPLATES", templates)
    assert before == of(), "wherever it is installed"
    report = templates / "report.md.j2"
    report.write_text(report.read_text(encoding="utf-8") + "!", encoding="utf-8")
    assert before != of()


def test_it_is_the_same_in_every_process() -> None:
    """Sets come in another order in each; a restart is no reason to look at every issue."""
    program = (
        "from bot.config import load; from bot.judgement import judgement;"
        "print(judgement(load({}, None)))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert 1 == len(told)
