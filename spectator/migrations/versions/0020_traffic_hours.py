"""Store which request appended a row of the outbox, and the traffic of each hour."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    request_id = sa.Column("request_id", sa.String(length=64), server_default="", nullable=False)
    op.add_column("outbox", request_id)
    op.create_table(
        "traffic_hour",
        sa.Column("hour", sa.DateTime(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("slow", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name="pk_traffic_hour"),
    )
