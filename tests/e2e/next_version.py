"""The bot as it might be after this one: another version, words and tables.

    python -m tests.e2e.next_version DIRECTORY serve

What is its own lies in DIRECTORY. A line of each report is worded otherwise, so it can be seen who
wrote it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import bot

VERSION = "99.0.0"
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{last}", None, None


def upgrade() -> None:
    op.create_table("later", sa.Column("name", sa.Text, primary_key=True))
    op.add_column("issues", sa.Column("later", sa.Text))
"""
BEFORE, AFTER = "Where it comes from", "Where all of it comes from"


def become(directory: Path) -> None:
    """Be that version, in this process."""
    bot.__version__ = VERSION
    from bot import render  # noqa: PLC0415 - they have to see the version
    from bot.store import database  # noqa: PLC0415

    last = database.revisions()[0]
    migrations, templates = directory / "migrations", directory / "templates"
    shutil.copytree(database.MIGRATIONS, migrations, dirs_exist_ok=True)
    (migrations / "versions" / "9999_later.py").write_text(MIGRATION.format(last=last), "utf-8")
    shutil.copytree(render.TEMPLATES, templates, dirs_exist_ok=True)
    report = templates / "report.md.j2"
    text = report.read_text("utf-8")
    assert BEFORE in text
    report.write_text(text.replace(BEFORE, AFTER), "utf-8")
    database.MIGRATIONS, render.TEMPLATES = migrations, templates


if __name__ == "__main__":
    become(Path(sys.argv.pop(1)))
    from bot.cli import main

    main()
