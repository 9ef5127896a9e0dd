"""Add known clients of logins, and counts of failed attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_client",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind in ('address', 'device')", name=op.f("ck_known_client_kind")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_known_client_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "value", name=op.f("pk_known_client")),
        sqlite_with_rowid=False,
    )
    device = sa.Column("device_hash", sa.String(length=64), nullable=False, server_default="")
    op.add_column("login_attempt", device)
    for table in ("user", "user_session"):
        count = sa.Column("failed_logins", sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, count)
