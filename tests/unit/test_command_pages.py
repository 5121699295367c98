"""The pages of all commands: current, and complete."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bot.cli import app
from bot.command_pages import command_line_page, commands_page
from bot.commands import discover_commands

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_of_commands_is_current():
    """Else `python -m bot.reference` was forgotten."""
    assert commands_page(discover_commands()) == (DOCS / "commands.md").read_text(encoding="utf-8")


def test_the_page_of_the_command_line_is_current():
    """Else `python -m bot.reference` was forgotten."""
    assert command_line_page() == (DOCS / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", list(discover_commands()), ids=lambda one: one.usage.split()[0])
def test_every_command_that_people_say_is_there_with_its_examples(command):
    """What boxes stand for is not."""
    page = commands_page(discover_commands())
    assert command.hidden != (f"\n## /{command.usage.split()[0]}\n" in page)
    assert command.hidden != all(f"\n{example}\n" in page for example in command.examples)


def test_every_option_of_the_command_line_is_there():
    """Under its command."""
    sections = command_line_page().split("\n## ")
    for name, command in typer.main.get_command(app).commands.items():
        (section,) = [one for one in sections if one.startswith(f"{name}\n")]
        for param in command.params:
            assert param.help.replace("|", "\\|") in section
            assert all(f"`{opt}" in section for opt in param.opts if opt.startswith("--"))


def test_what_belongs_together_stands_together():
    """As in the help: to set up, to run, to try."""
    page = command_line_page()
    assert page.index("\n## sync\n") < page.index("\n## failures\n") < page.index("\n## demo\n")
