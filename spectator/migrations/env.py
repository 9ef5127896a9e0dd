"""Alembic's environment; it uses the connection that `spectator init` provides."""

from alembic import context

import spectator.models  # noqa: F401 - adds every model to the metadata
from spectator.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    # PostgreSQL: one transaction, so that a second host waits until the first has finished.
    transaction_per_migration=context.config.attributes["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
