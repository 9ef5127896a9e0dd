"""Alembic's environment; it uses the connection that `spectator init` provides."""

from typing import Any

from alembic import context

import spectator.models  # noqa: F401 - adds every model to the metadata
from spectator import migrations
from spectator.db import Base


def store_support(ctx: Any, step: Any, heads: object, run_args: object) -> None:
    """Store which code can use the new schema."""
    migrations.store_support(ctx.connection, step.up_revision_id)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    on_version_apply=store_support,
    # PostgreSQL: one transaction, so that a second host waits until the first has finished.
    transaction_per_migration=context.config.attributes["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
