"""Index what is asked about many revisions, whose rows are as long as their texts."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_revision_actions",
        "revision",
        ["article_id", "version", "action", "number", "made_at"],
    )
