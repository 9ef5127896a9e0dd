"""The language and the time zone of the newsroom for each person."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, length in (("language", 35), ("time_zone", 60)):
        column = sa.Column(name, sa.String(length), server_default="", nullable=False)
        op.add_column("user", column)
