"""Add the index of which stories show which pictures, to hide those of withdrawn stories."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

RENDITION_URL = re.compile(r"/media/([0-9a-f]{2})/(\1[0-9a-f]{30})-[0-9]", re.ASCII)
INSERT_LEADS = """
insert into picture_use (article_id, picture_id)
select id, picture_id from article where picture_id is not null
"""
INSERT_USE = (
    "insert or ignore into picture_use (article_id, picture_id) values (:article_id, :picture_id)"
)


def upgrade() -> None:
    op.create_table(
        "picture_use",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_picture_use_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["picture.id"],
            name=op.f("fk_picture_use_picture_id_picture"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "picture_id", name=op.f("pk_picture_use")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_picture_use_picture_id"), "picture_use", ["picture_id"])
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":  # others had no stories yet
        return
    op.execute(INSERT_LEADS)
    ids: dict[str, int] = dict(
        connection.execute(sa.text("select digest, id from picture")).all()
    )
    bodies = connection.execute(
        sa.text("select id, body from article where instr(body, '/media/')")
    ).all()
    for article_id, body in bodies:
        for _, digest in RENDITION_URL.findall(body):
            if digest in ids:
                connection.execute(
                    sa.text(INSERT_USE), {"article_id": article_id, "picture_id": ids[digest]}
                )
