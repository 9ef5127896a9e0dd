"""Index the revisions that store a story again, which are counted for each person."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

IS_COPY = sa.text(
    "action IN ('edit_note', 'publish', 'reinstate', 'remove_note', 'restore', 'send_back', "
    "'submit', 'unschedule', 'withdraw')"
)


def upgrade() -> None:
    op.create_index(
        "ix_revision_copies",
        "revision",
        ["made_by_id", "made_at"],
        sqlite_where=IS_COPY,
        postgresql_where=IS_COPY,
    )
