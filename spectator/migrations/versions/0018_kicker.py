"""Add a short label above the headline of a story."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kicker = sa.Column("kicker", sa.String(length=60), server_default="", nullable=False)
    if op.get_bind().dialect.name == "sqlite":
        # Before the body, so that listings need not read past a long body.
        with op.batch_alter_table("article", recreate="always") as batch_op:
            batch_op.add_column(kicker, insert_before="headline")
    else:
        op.add_column("article", kicker)
