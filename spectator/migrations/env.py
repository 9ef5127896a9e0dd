"""Alembic's environment; it uses the connection that `spectator init` provides."""

from alembic import context

import spectator.models  # noqa: F401 - adds every model to the metadata
from spectator.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
