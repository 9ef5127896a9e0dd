"""Add the language of each story to its listings, and counts of them by language."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

LANGUAGE = {
    "sqlite": "lower(substr(language, 1, instr(language || '-', '-') - 1))",
    "postgresql": "lower(split_part(language, '-', 1))",
}
IN_A_MONTH: dict[str, Any] = {
    name: sa.text("kind = 'month'") for name in ("sqlite_where", "postgresql_where")
}


def upgrade() -> None:
    language = LANGUAGE[op.get_bind().dialect.name]
    op.add_column(
        "listed", sa.Column("language", sa.String(8), server_default="", nullable=False)
    )
    op.create_table(
        "language_count",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "language", name=op.f("pk_language_count")),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"UPDATE listed SET language = (SELECT {language} FROM article WHERE id = article_id)"  # noqa: S608
    )
    op.execute(
        'INSERT INTO language_count (kind, "key", language, number) '
        'SELECT kind, "key", language, count(*) FROM listed GROUP BY kind, "key", language'
    )
    op.create_index(
        "ix_listed_language", "listed", ["kind", "key", "language", "published_at", "article_id"]
    )
    stream = ["published_at", "article_id"]
    op.create_index("ix_latest", "listed", ["kind", *stream, "language"], **IN_A_MONTH)
    op.create_index("ix_latest_language", "listed", ["kind", "language", *stream], **IN_A_MONTH)
