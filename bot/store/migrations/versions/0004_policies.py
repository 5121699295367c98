"""What a repository changes for itself, and which labels the bot gave an issue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column."""
    with op.batch_alter_table("issues") as issues:
        issues.add_column(sa.Column("labels", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "policies",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("blob", sa.Text, nullable=False),
        sa.Column("told_at", sa.Integer),
        sa.PrimaryKeyConstraint("repository", name="pk_policies"),
    )


def downgrade() -> None:
    """Drop them, with all they hold."""
    op.drop_table("policies")
    with op.batch_alter_table("issues") as issues:
        issues.drop_column("labels")
