"""What Gitea offers to whom opens an issue: a template and a form that the bot reads well.

Gitea takes them from `.gitea/ISSUE_TEMPLATE` on a repository's default branch
(https://docs.gitea.com/usage/issue-pull-request-templates).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.errors import UserError
from bot.render import TEMPLATES

FOLDER = Path(".gitea/ISSUE_TEMPLATE")
NAMES: Mapping[str, str] = {"issue": "coordinator.md", "form": "coordinator-form.yaml"}
"""What there is, and the name of its file; two files of one name, `.md` and `.yaml`, are one."""

_LOGIN = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def text_of(kind: str, *, assign: str = "") -> str:
    """The template or the form. An issue made from it is assigned to `assign`, a login.

    Raises UserError for what is no login.
    """
    if assign and not _LOGIN.fullmatch(assign):
        raise UserError(f"{assign!r} is no login of Gitea")
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES / "issue"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown and YAML, and a login is all that comes in
    )
    return jinja.get_template(f"{NAMES[kind]}.j2").render(assign=assign)


def write(root: Path, *, assign: str = "", force: bool = False) -> list[Path]:
    """Put both where Gitea looks for them, in a repository at `root`; returns where they are.

    Raises UserError when one is there and is another, unless `force`, and then writes neither.
    """
    if not root.is_dir():
        raise UserError(f"{root} is no folder")
    texts = {root / FOLDER / name: text_of(kind, assign=assign) for kind, name in NAMES.items()}
    others = [path for path, text in texts.items() if path.exists() and _content(path) != text]
    if others and not force:
        raise UserError(f"{others[0]} is there already; --force overwrites it")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
