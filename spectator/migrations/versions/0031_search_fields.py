"""Add what search engines and social networks show of a story instead of its headline."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

LENGTHS = {"search_title": 120, "search_description": 320, "share_picture": 200}


def upgrade() -> None:
    columns = [
        sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        for name, length in LENGTHS.items()
    ]
    if op.get_bind().dialect.name == "sqlite":
        # Before the body, so that listings need not read past a long body.
        with op.batch_alter_table("article", recreate="always") as batch_op:
            for column in columns:
                batch_op.add_column(column, insert_before="translation_of_id")
    else:
        for column in columns:
            op.add_column("article", column)
