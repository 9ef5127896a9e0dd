"""Add comparable forms of names, former names, states of imports, feed ids.

Authors and topics with equal names are merged, and wrong update times are cleared.
"""

import sqlalchemy as sa
from alembic import op

from spectator.text.words.folding import fold
from spectator.text.words.slugs import slugify

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Imports used to store update times of unpublished stories, and times before publication.
CLEAR_UPDATE_TIMES = """
update article set updated_at = null
where updated_at is not null
  and (status in ('draft', 'review', 'scheduled') or updated_at < published_at)
"""


def upgrade() -> None:
    for table, association in (("author", "article_author"), ("topic", "article_topic")):
        _merge_equal_names(table, association)
        op.add_column(
            table,
            sa.Column("ascii_form", sa.String(length=80), server_default="", nullable=False),
        )
        op.add_column(
            table,
            sa.Column("folded_form", sa.String(length=240), server_default="", nullable=False),
        )
        _fill_forms(table)
        op.create_index(op.f(f"ix_{table}_name"), table, ["name"], unique=True)
        op.create_index(op.f(f"ix_{table}_ascii_form"), table, ["ascii_form"])
        op.create_index(op.f(f"ix_{table}_folded_form"), table, ["folded_form"])
    op.create_table(
        "former_name",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("part", sa.String(length=4), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('author', 'topic')", name=op.f("ck_former_name_kind")),
        sa.CheckConstraint("part in ('name', 'slug')", name=op.f("ck_former_name_part")),
        sa.PrimaryKeyConstraint("kind", "part", "value", name=op.f("pk_former_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_state",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_import_state_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_import_state")),
        sqlite_with_rowid=False,
    )
    op.add_column("article", sa.Column("feed_id", sa.String(length=500), nullable=True))
    op.create_index("ix_article_feed_id", "article", ["feed_id"], unique=True)
    op.execute(CLEAR_UPDATE_TIMES)


def _merge_equal_names(table: str, association: str) -> None:
    """Merge rows with equal names; there are few, because names used to be identified by slug."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(f"select id, min(id) over (partition by name) as first_id from {table}")  # noqa: S608 - our own words
    ).all()
    for row in rows:
        if row.id != row.first_id:
            values = {"old": row.id, "first": row.first_id}
            column = f"{table}_id"
            for statement in (
                f"update or ignore {association} set {column} = :first where {column} = :old",  # noqa: S608
                f"delete from {association} where {column} = :old",  # noqa: S608
                f"delete from listed where kind = '{table}' and \"key\" = :old",  # noqa: S608
                f"delete from story_count where kind = '{table}' and \"key\" = :old",  # noqa: S608
                f"delete from {table} where id = :old",  # noqa: S608
            ):
                connection.execute(sa.text(statement), values)


def _fill_forms(table: str) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(f"select id, name from {table}")).all()  # noqa: S608 - our own words
    values = [
        {"id": row.id, "ascii_form": slugify(row.name), "folded_form": fold(row.name)}
        for row in rows
    ]
    if values:
        columns = "ascii_form = :ascii_form, folded_form = :folded_form"
        connection.execute(sa.text(f"update {table} set {columns} where id = :id"), values)  # noqa: S608
