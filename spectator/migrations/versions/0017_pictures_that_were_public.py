"""Mark pictures that were public, so that only a published story makes them visible again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MARK_PUBLIC = """
UPDATE picture SET was_public = true WHERE id IN (
  SELECT picture_use.picture_id FROM picture_use JOIN article ON article.id = picture_use.article_id
  WHERE article.status IN ('published', 'withdrawn'))
"""


def upgrade() -> None:
    op.add_column(
        "picture",
        sa.Column("was_public", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.get_bind().execute(sa.text(MARK_PUBLIC))
