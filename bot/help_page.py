"""What commands there are, for people: the page `GET /help` and the table of the README.

Both are made from the commands' own declarations. `python -m bot.help_page` puts the table of the
README in the folder it is run in right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.commands import Command, discover_commands
from bot.render import TEMPLATES, Renderer

README = Path("README.md")
BEGIN, END = "<!-- commands -->", "<!-- /commands -->"


def help_page(commands: Iterable[Command], bot: str) -> str:
    """The page: HTML that needs nothing from elsewhere. `bot` is the bot's login."""
    return _jinja().get_template("help.html.j2").render(commands=list(commands), bot=bot)


def table(commands: Iterable[Command]) -> str:
    """Every command as a row of a Markdown table."""
    return Renderer().reply("commands", commands=list(commands))


def with_table(text: str, rows: str) -> str:
    """A text with this table between its two marks; raises ValueError when they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN} … {END}")
    return f"{before}{begin}\n{rows}{end}{after}"


def _jinja() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    found.filters["spans"] = _spans
    return found


def _spans(text: str) -> Markup:
    """A sentence of a declaration, in which backticks may set off what is typed."""
    parts = re.split(r"`([^`]*)`", text)
    marked = (
        Markup("<code>{}</code>").format(part) if nth % 2 else escape(part)
        for nth, part in enumerate(parts)
    )
    return Markup("").join(marked)


if __name__ == "__main__":
    README.write_text(
        with_table(README.read_text(encoding="utf-8"), table(discover_commands())),
        encoding="utf-8",
    )
