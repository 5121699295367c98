"""The pages of all commands, of comments and of the shell, written from their declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.cli import app
from bot.cli.usage import PROGRAM, examples_of, value_name
from bot.commands import Command
from bot.render import TEMPLATES


def commands_page(commands: Iterable[Command]) -> str:
    """`docs/commands.md`: every slash command, who may say it, and examples."""
    shown = [one for one in commands if not one.hidden]
    return _page("commands.md.j2", commands=shown)


def command_line_page() -> str:
    """`docs/command-line.md`: every command of the command line, with its options and examples."""
    tree = typer.main.get_command(app)
    return _page("command-line.md.j2", program=PROGRAM, commands=list(_described(tree)))


def _page(name: str, **values: object) -> str:
    jinja = Environment(
        loader=FileSystemLoader([TEMPLATES / "pages", TEMPLATES]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown, of the bot's own words
    )
    text = jinja.get_template(name).render(values).strip() + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def _described(group: Any, above: Sequence[str] = ()) -> Iterator[Mapping[str, object]]:  # noqa: ANN401
    """A command and those below it, in the order of the help."""
    panels = list(dict.fromkeys(one.rich_help_panel for one in group.commands.values()))
    for name, command in sorted(
        group.commands.items(), key=lambda one: panels.index(one[1].rich_help_panel)
    ):
        words = (*above, name)
        context = command.context_class(command, info_name=" ".join((PROGRAM, *words)))
        yield {
            "words": " ".join(words),
            "does": command.help.split("\n\n"),
            "usage": command.get_usage(context).removeprefix("Usage: "),
            "arguments": [_param(one) for one in command.params if _is_argument(one)],
            "options": [_param(one) for one in command.params if not _is_argument(one)],
            "examples": [{"words": w, "does": d} for w, d in examples_of(_function(command))],
        }
        if hasattr(command, "commands"):
            yield from _described(command, words)


def _param(param: Any) -> Mapping[str, str]:  # noqa: ANN401 - typer's
    name = param.display_name_raw if _is_argument(param) else ", ".join(param.opts)
    return {"name": f"{name} {value_name(param)}".strip(), "does": param.help}


def _is_argument(param: Any) -> bool:  # noqa: ANN401
    return bool(param.param_type_name == "argument")


def _function(command: Any) -> Callable[..., None]:  # noqa: ANN401
    """What typer wrapped."""
    found: Callable[..., None] = command.callback.__wrapped__
    return found
