"""What `--help` says of each command: plain words, no types of Python, and examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

PROGRAM = "mosaic-coordinator"
_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {}

Function = TypeVar("Function", bound=Callable[..., None])


def examples(*shown: tuple[str, str]) -> Callable[[Function], Function]:
    """Declare how a command is called: the words after the program's name, and what that does."""

    def declare(function: Function) -> Function:
        _EXAMPLES[_key(function)] = shown
        return function

    return declare


def examples_of(function: Callable[..., None]) -> tuple[tuple[str, str], ...]:
    """The examples of a command, none where it declares none."""
    return _EXAMPLES.get(_key(function), ())


def epilog(function: Callable[..., None]) -> str:
    """The examples, as they stand at the end of the help."""
    lines = [
        f"[dim]  # {escape(does)}[/dim]\n[dim]  $[/dim] {escape(f'{PROGRAM} {words}'.strip())}"
        for words, does in examples_of(function)
    ]
    return "\n".join(["[bold]Examples[/bold]", *lines]) if lines else ""


def _key(function: Callable[..., None]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _flowing(text: str | None) -> str:
    """A docstring whose paragraphs are a line each, so that they fill the width there is."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def value_name(param: Any) -> str:  # noqa: ANN401 - typer's
    """What stands for the value of an option, such as `PORT`; empty for a flag and an argument."""
    if getattr(param, "is_flag", False) or param.param_type_name == "argument":
        return ""
    return str(param.metavar or max(param.opts, key=len).lstrip("-").upper())


def _plain(params: list[Any]) -> list[Any]:
    """Say what a value is for, not its type: `<bool>` and `<str>` help nobody."""
    for param in params:
        param.display_type_rich = partial(_shown, value_name(param))
    return params


def _shown(name: str, ctx: Any) -> str | None:  # noqa: ANN401, ARG001 - typer's
    return name or None


class Command(TyperCommand):
    """A command with such a help."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - typer's
        super().__init__(*arguments, **options)
        self.help = _flowing(self.help)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's own context
        """As inherited; without types."""
        return _plain(super().get_params(ctx))


class Group(TyperGroup):
    """Commands below one name, with such a help."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - typer's
        super().__init__(*arguments, **options)
        self.help = _flowing(self.help)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's own context
        """As inherited; without types."""
        return _plain(super().get_params(ctx))
