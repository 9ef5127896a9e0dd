"""Add addresses of older sites, and counts of missing pages."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "old_address",
        sa.Column("address", sa.String(500), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("target_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("target", sa.String(500), server_default="", nullable=False),
        sa.Column("is_manual", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_old_address")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "missing_page",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "path", name=op.f("pk_missing_page")),
        sqlite_with_rowid=False,
    )
