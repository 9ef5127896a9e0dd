"""Alembic's environment: runs inside the connection that `spectator init` hands over."""

from alembic import context

import spectator.models  # noqa: F401 - the metadata is complete only with every model imported
from spectator.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
