"""What people say by commands: overrides, links, pauses, and the commands that were done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "overrides",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "number", "field", name="pk_overrides"),
    )
    op.create_table(
        "links",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("for_repository", sa.Text, nullable=False),
        sa.Column("for_number", sa.Integer, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("for_shown", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "repository", "number", "for_repository", "for_number", name="pk_links"
        ),
    )
    op.create_index("ix_links_for", "links", ["for_repository", "for_number"])
    op.create_table(
        "pauses",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", name="pk_pauses"),
    )
    op.create_table(
        "done_commands",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_done_commands"),
    )
    op.create_index("ix_done_commands_by", "done_commands", ["by", "at"])


def downgrade() -> None:
    """Drop them, with all they hold."""
    for table in ("done_commands", "pauses", "links", "overrides"):
        op.drop_table(table)
