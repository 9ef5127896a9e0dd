"""Make slugs unique only among stories that are or were public; drafts reserve none."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

EVER_PUBLIC = sa.text("status IN ('published', 'withdrawn')")


def upgrade() -> None:
    # The body stays last in the row, so that listings need not read past a long body.
    with op.batch_alter_table("article", partial_reordering=[("feed_id", "body")]) as batch_op:
        batch_op.drop_constraint(op.f("uq_article_slug"), type_="unique")
    op.create_index(
        "ix_article_seen_slug",
        "article",
        ["slug"],
        unique=True,
        sqlite_where=EVER_PUBLIC,
        postgresql_where=EVER_PUBLIC,
    )
