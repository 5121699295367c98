"""The reference of all settings, written from the code: `bot.toml`, and two pages of `docs/`.

`python -m bot.reference` writes them anew, into the folder it is run in, and with them the pages of
all commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.command_pages import command_line_page, commands_page
from bot.commands import discover_commands
from bot.config import SECRETS, SHORT_NAMES, AgentSettings, Section, Settings
from bot.models import Difficulty
from bot.policy_page import policy_page
from bot.variables import PREFIX

FILE, PAGE = Path("bot.toml"), Path("docs/settings.md")
POLICY_PAGE = Path("docs/repository-settings.md")
COMMANDS, COMMAND_LINE = Path("docs/commands.md"), Path("docs/command-line.md")

_HEAD = """\
# Every setting of Mosaic Coordinator with its default. What is not here keeps its default, so this
# file may be as short as you like, or absent. An environment variable beats what stands here; its
# name is in docs/settings.md. Secrets come from the environment only. Written from bot/config.py
# by `python -m bot.reference`.
"""
_AGENTS = """\
# The AI coding agents there are, [agents.NAME] each. Naming one here replaces all of the defaults,
# which are these. Prices are per million tokens, in any one currency.
"""
_PAGE = """\
# Settings

Four places, the later one wins: the defaults, `bot.toml` (or the file that `BOT_CONFIG` names), the
variables in the file `.env` of the current folder, the environment. An unknown key is an error that
names the nearest one; so is a variable that is a slip away from one of these, while the right one
is not set. `mosaic-coordinator settings` shows what is in force, and where each value comes from.

Durations are written `"90s"`, `"5m"`, `"1h"`, `"7d"`; sizes `"512KiB"`, `"8MiB"`. In a variable,
lists and tables are JSON: `MOSAIC_GITEA__ALIASES='["http://localhost:3000"]'`. An empty variable
is one that is not set. Where a setting has a short name, `MOSAIC_…` works too, and the short name
wins.

Secrets come from the environment or `.env` only, or from a file, as Docker hands them in:
`GITEA_TOKEN_FILE=/run/secrets/token`, and likewise `GITEA_WEBHOOK_SECRET_FILE`,
`ANTHROPIC_API_KEY_FILE` and `DATABASE_URL_FILE` (for the password in it). To set a variable and its
`…_FILE` both, or a file that is empty, is an error.

This page is written by `python -m bot.reference`.
"""
_AGENTS_PAGE = """\
`[agents.NAME]`: one AI coding agent. Naming one replaces all of the defaults. As a variable, all
of them at once are `MOSAIC_AGENTS='{"NAME": {…}}'`, one is `MOSAIC_AGENTS__NAME='{…}'`, and one
value of one that stands in the file is `MOSAIC_AGENTS__NAME__AT_ONCE=5`.
"""


def settings_file() -> str:
    """`bot.toml`: every setting, set to its default, with a line on it."""
    return "\n".join([_HEAD, *_file_parts()])


def _file_parts() -> Iterator[str]:
    for path, kind in _sections():
        head = f"# {_on(kind)}\n[{path}]\n" if path else ""
        fields = kind.model_fields.items()
        plain = [_entry((path, name) if path else (name,), f) for name, f in fields if _plain(f)]
        yield head + "".join(plain)
    yield _AGENTS
    for name, agent in Settings().agents.items():
        lines = [f"{key} = {_toml(value)}\n" for key, value in agent]
        yield f"[agents.{name}]\n{''.join(lines)}"


def _entry(path: tuple[str, ...], field: FieldInfo) -> str:
    *_, name = path
    if path in SECRETS:
        return f"# {field.description}\n# {name}: set {_variable(path)}\n"
    value = _toml(field.default) if field.default is not None else '""'
    absent = "# " if field.default is None else ""
    return f"# {field.description}\n{absent}{name} = {value}\n"


def settings_page() -> str:
    """`docs/settings.md`: every setting, its default, its environment variable, what it does."""
    return "\n".join([_PAGE, *_page_parts()])


def _page_parts() -> Iterator[str]:
    for path, kind in _sections():
        rows = [
            _row((path, name) if path else (name,), field)
            for name, field in kind.model_fields.items()
            if _plain(field)
        ]
        yield _table(path or "Top of the file", rows)
    agent = [
        f"| `{name}` | {_cell(field)} | | {field.description} |"
        for name, field in AgentSettings.model_fields.items()
    ]
    yield _table("agents", agent, _AGENTS_PAGE)
    yield _defaults()


def _row(path: tuple[str, ...], field: FieldInfo) -> str:
    return f"| `{'.'.join(path)}` | {_cell(field)} | `{_variable(path)}` | {field.description} |"


def _table(title: str, rows: list[str], text: str = "") -> str:
    head = "| Setting | Default | Variable | What it does |\n|---|---|---|---|"
    above = f"## {title}\n\n{text}\n" if text else f"## {title}\n\n"
    return above + "\n".join([head, *rows]) + "\n"


def _defaults() -> str:
    names = list(AgentSettings.model_fields)
    rows = [
        f"| `{name}` | {' | '.join(_toml(value).strip('[]') for _, value in agent)} |"
        for name, agent in Settings().agents.items()
    ]
    head = f"| Agent | {' | '.join(names)} |\n|---|{'---|' * len(names)}"
    return "The defaults:\n\n" + "\n".join([head, *rows]).replace('"', "") + "\n"


def _cell(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, SecretStr):
        return "not set"
    return f"`{_toml(field.default)}`"


def _variable(path: tuple[str, ...]) -> str:
    short = {setting: name for name, setting in SHORT_NAMES.items()}
    return short.get(path) or PREFIX + "__".join(path).upper()


def _sections() -> Iterator[tuple[str, type[Section] | type[Settings]]]:
    yield "", Settings
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


def _plain(field: FieldInfo) -> bool:
    """A value, not a table."""
    return not isinstance(field.default, Section) and field.default_factory is None


def _on(kind: type[Section] | type[Settings]) -> str:
    text = (kind.__doc__ or "").partition(": ")[2].strip()
    return text[:1].upper() + text[1:]


def _toml(value: object) -> str:
    if isinstance(value, frozenset | tuple):
        order = list(Difficulty)
        items = sorted(value, key=order.index) if isinstance(value, frozenset) else value
        return f"[{', '.join(_toml(item) for item in items)}]"
    if isinstance(value, int) and value >= 10_000:
        return f"{value:_}"
    return json.dumps(value)


def main() -> None:
    """Write all of them anew."""
    FILE.write_text(settings_file(), encoding="utf-8")
    PAGE.write_text(settings_page(), encoding="utf-8")
    POLICY_PAGE.write_text(policy_page(), encoding="utf-8")
    COMMANDS.write_text(commands_page(discover_commands()), encoding="utf-8")
    COMMAND_LINE.write_text(command_line_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
