"""What commands there are, for people: the page `GET /help`, made from their own declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.commands import Command
from bot.render import TEMPLATES


def help_page(commands: Iterable[Command], bot: str) -> str:
    """The page: HTML that needs nothing from elsewhere. `bot` is the bot's login."""
    return _jinja().get_template("help.html.j2").render(commands=_shown(commands), bot=bot)


def _shown(commands: Iterable[Command]) -> list[Command]:
    return [one for one in commands if not one.hidden]


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
