"""Add the kind of a story: news, analysis, opinion, interview, explainer or obituary."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(length=20), server_default="news", nullable=False)
    if op.get_bind().dialect.name == "sqlite":
        # Before the body, so that listings need not read past a long body.
        with op.batch_alter_table("article", recreate="always") as batch_op:
            batch_op.add_column(kind, insert_before="kicker")
    else:
        op.add_column("article", kind)
