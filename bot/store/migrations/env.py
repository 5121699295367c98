"""Run the migrations over a connection that `bot.store.database` hands in."""

from __future__ import annotations

from alembic import context

from bot.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="mosaic_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
