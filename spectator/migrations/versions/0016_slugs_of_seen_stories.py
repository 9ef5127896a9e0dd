"""Make slugs unique only among stories that are or were public; drafts reserve none."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IS_SEEN = sa.text("status IN ('published', 'withdrawn')")


def upgrade() -> None:
    # the body stays last in the row: lists then never walk its pages to reach a column behind it
    with op.batch_alter_table("article", partial_reordering=[("feed_id", "body")]) as batch_op:
        batch_op.drop_constraint(op.f("uq_article_slug"), type_="unique")
    op.create_index(
        "ix_article_seen_slug",
        "article",
        ["slug"],
        unique=True,
        sqlite_where=IS_SEEN,
        postgresql_where=IS_SEEN,
    )
