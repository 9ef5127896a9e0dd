"""Mark the revisions that store a text again, and index them: they are counted for each person."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "revision", sa.Column("is_copy", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_revision_copies",
        "revision",
        ["made_by_id", "made_at"],
        sqlite_where=sa.text("is_copy"),
        postgresql_where=sa.text("is_copy"),
    )
