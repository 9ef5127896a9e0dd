"""Alembic's environment; it uses the connection that `spectator init` provides."""

from typing import Any

from alembic import context

import spectator.models  # noqa: F401 - adds every model to the metadata
from spectator import migrations
from spectator.db import Base


def store_oldest_code(ctx: Any, step: Any, heads: object, run_args: object) -> None:
    """Store the schema of the oldest code that can use the new schema."""
    migrations.store_oldest_code(ctx.connection, step.up_revision_id)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    on_version_apply=store_oldest_code,
)
with context.begin_transaction():
    context.run_migrations()
