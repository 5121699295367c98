"""The first schema: issues, edges, readings, spending, failures, locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "issues",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("coordinated", sa.Boolean, nullable=False),
        sa.Column("comment_id", sa.BigInteger),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("cycle", sa.Text, nullable=False),
        sa.Column("owed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("repository", "number", name="pk_issues"),
    )
    op.create_index("ix_issues_coordinated_status", "issues", ["coordinated", "status"])
    op.create_table(
        "edges",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("for_repository", sa.Text, nullable=False),
        sa.Column("for_number", sa.Integer, nullable=False),
        sa.Column("said_repository", sa.Text, nullable=False),
        sa.Column("said_number", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("for_shown", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "repository",
            "number",
            "for_repository",
            "for_number",
            "said_repository",
            "said_number",
            "source",
            name="pk_edges",
        ),
    )
    op.create_index("ix_edges_for", "edges", ["for_repository", "for_number"])
    op.create_index("ix_edges_said", "edges", ["said_repository", "said_number"])
    op.create_table(
        "readings",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("tokens_in", sa.Integer, nullable=False),
        sa.Column("tokens_out", sa.Integer, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_readings"),
    )
    op.create_table(
        "spending",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_spending"),
    )
    op.create_table(
        "failures",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failures"),
    )
    op.create_table(
        "locks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )


def downgrade() -> None:
    """Drop them, with all they hold."""
    for table in ("locks", "failures", "spending", "readings", "edges", "issues"):
        op.drop_table(table)
