"""What keeps dependencies true: natives, watched repositories, names, what is to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    with op.batch_alter_table("issues") as issues:
        issues.add_column(sa.Column("stood", sa.Text, nullable=False, server_default="{}"))
        issues.add_column(sa.Column("notice", sa.Text, nullable=False, server_default=""))
        issues.add_column(sa.Column("comment_at", sa.Text, nullable=False, server_default=""))
        issues.add_column(sa.Column("seen_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("links") as links:
        links.add_column(sa.Column("said_repository", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "writers",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("repository", "number", "login", name="pk_writers"),
    )
    op.create_table(
        "natives",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("for_repository", sa.Text, nullable=False),
        sa.Column("for_number", sa.Integer, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("for_shown", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "repository", "number", "for_repository", "for_number", name="pk_natives"
        ),
    )
    op.create_index("ix_natives_for", "natives", ["for_repository", "for_number"])
    op.create_table(
        "watches",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("forge_id", sa.BigInteger),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True)),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("repository", name="pk_watches"),
    )
    op.create_table(
        "names",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("forge_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", "forge_id", name="pk_names"),
    )
    op.create_index("ix_names_forge_id", "names", ["forge_id"])
    op.create_table(
        "changes",
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_changes"),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notes"),
    )


def downgrade() -> None:
    """Drop them, with all they hold."""
    for table in ("notes", "changes", "names", "watches", "natives", "writers"):
        op.drop_table(table)
    with op.batch_alter_table("links") as links:
        links.drop_column("said_repository")
    with op.batch_alter_table("issues") as issues:
        for column in ("seen_at", "comment_at", "notice", "stood"):
            issues.drop_column(column)
