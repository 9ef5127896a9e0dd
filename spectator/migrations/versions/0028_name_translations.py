"""Add translated names of sections and topics, and descriptions of sections."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "section", sa.Column("description", sa.String(300), server_default="", nullable=False)
    )
    op.create_table(
        "name_translation",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), server_default="", nullable=False),
        sa.Column("description", sa.String(300), server_default="", nullable=False),
        sa.Column("words", sa.String(240), server_default="", nullable=False),
        sa.CheckConstraint("kind in ('section', 'topic')", name=op.f("ck_name_translation_kind")),
        sa.PrimaryKeyConstraint("kind", "owner_id", "language", name=op.f("pk_name_translation")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_name_translation_words"), "name_translation", ["words"])
