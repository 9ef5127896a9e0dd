"""Add related stories and editors' decisions about them, search counts, offsets of consumers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "related",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("related_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.REAL().with_variant(sa.Double(), "postgresql"), nullable=False),
        *_pair("related"),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_related")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_related_related_id"), "related", ["related_id"])
    op.create_table(
        "related_choice",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("related_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind in ('pin', 'forbid')", name=op.f("ck_related_choice_kind")),
        *_pair("related_choice"),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_related_choice_made_by_id_user")
        ),
        sa.PrimaryKeyConstraint("article_id", "related_id", name=op.f("pk_related_choice")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_related_choice_related_id"), "related_choice", ["related_id"])
    op.create_table(
        "search_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "text", name=op.f("pk_search_count")),
        sqlite_with_rowid=False,
    )


def _pair(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column],
            ["article.id"],
            name=op.f(f"fk_{table}_{column}_article"),
            ondelete="CASCADE",
        )
        for column in ("article_id", "related_id")
    ]
