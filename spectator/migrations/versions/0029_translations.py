"""Add the story that a story translates, and the version of it with which it was compared."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = [
        sa.Column(name, sa.Integer()) for name in ("translation_of_id", "original_version")
    ]
    if op.get_bind().dialect.name == "sqlite":
        # Before the body, so that listings need not read past a long body.
        with op.batch_alter_table("article", recreate="always") as batch_op:
            for column in columns:
                batch_op.add_column(column, insert_before="body")
    else:
        for column in columns:
            op.add_column("article", column)
    op.create_index(
        "ix_article_translation_of_id",
        "article",
        ["translation_of_id"],
        sqlite_where=sa.text("translation_of_id IS NOT NULL"),
        postgresql_where=sa.text("translation_of_id IS NOT NULL"),
    )
