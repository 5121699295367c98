"""What holds of all commands: the declaration, the examples, the module's name, the templates."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import handlers.commands
from bot.commands import Command, discover_commands, find
from bot.render import TEMPLATES

COMMANDS = discover_commands()
VERBS = [one.verb for one in COMMANDS]
MODULES = sorted(module.name for module in pkgutil.iter_modules(handlers.commands.__path__))


def declared(module: str) -> list[Command]:
    found = importlib.import_module(f"handlers.commands.{module}")
    return [
        value.declaration
        for value in vars(found).values()
        if hasattr(value, "declaration") and value.__module__ == found.__name__
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_declares_the_one_command_it_is_named_after(module) -> None:
    assert [module] == [one.verb.replace("-", "_") for one in declared(module)]


def test_every_verb_is_there_once() -> None:
    assert sorted(one.verb for module in MODULES for one in declared(module)) == VERBS


@pytest.mark.parametrize("command", list(COMMANDS), ids=VERBS)
def test_a_declaration_says_what_help_needs(command) -> None:
    """Usage and examples begin with the verb; one sentence says what it does."""
    assert command.verb == command.usage.split()[0] == command.verb.lower()
    assert command.does.endswith(".")
    assert command.does[0].isupper()
    assert command.examples, "help shows one"


@pytest.mark.parametrize(
    ("verb", "example"), [(one.verb, example) for one in COMMANDS for example in one.examples]
)
def test_an_example_is_that_command(verb, example) -> None:
    [said] = find(f"I should say:\n\n{example}\n", bot="coordinator", known=VERBS)
    assert (verb, example) == (said.verb, said.text)
    [named] = find(f"@coordinator {example[1:]}", bot="coordinator", known=VERBS)
    assert (verb, said.words) == (named.verb, named.words)


def templates_in(source: str) -> Iterator[str]:
    """The template of each `Outcome.reply(…)` and `Outcome(template=…)`, where it is written out."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        named = [word.value for word in call.keywords if word.arg == "template"]
        if isinstance(call.func, ast.Attribute) and call.func.attr == "reply":
            named += call.args[:1]
        yield from (str(n.value) for n in named if isinstance(n, ast.Constant))


def test_templates_are_found_in_a_module() -> None:
    """The search itself: else the next test would hold of nothing."""
    source = 'Outcome.reply("replies/a", x=1)\nOutcome(template="replies/b")\nreply("c")'
    assert ["replies/a", "replies/b"] == list(templates_in(source))


@pytest.mark.parametrize("module", MODULES)
def test_every_reply_has_its_template(module) -> None:
    source = Path(handlers.commands.__path__[0], f"{module}.py").read_text(encoding="utf-8")
    for name in templates_in(source):
        assert name.startswith("replies/")
        assert (TEMPLATES / f"{name}.md.j2").is_file()
