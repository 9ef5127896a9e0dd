"""Add review, autosaves, presence, preview links, versions of revisions, kinds of corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW_STATUSES = "status in ('draft', 'review', 'scheduled', 'published', 'withdrawn')"


def upgrade() -> None:
    form_key = sa.Column("form_key", sa.String(length=40), nullable=True)
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("article", recreate="always") as batch_op:
            # Alembic does not copy CHECK constraints when it recreates a table.
            batch_op.create_check_constraint(op.f("ck_article_status"), NEW_STATUSES)
            batch_op.add_column(form_key, insert_before="headline")
            batch_op.create_unique_constraint(op.f("uq_article_form_key"), ["form_key"])
    else:
        op.drop_constraint(op.f("ck_article_status"), "article", type_="check")
        op.create_check_constraint(op.f("ck_article_status"), "article", NEW_STATUSES)
        op.add_column("article", form_key)
        op.create_unique_constraint(op.f("uq_article_form_key"), "article", ["form_key"])
    op.add_column(
        "correction",
        sa.Column("kind", sa.String(length=10), nullable=False, server_default="correction"),
    )
    op.add_column("revision", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("revision", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "autosave",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=True),
        sa.Column("copy", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_autosave_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_autosave_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autosave")),
    )
    op.create_index(op.f("ix_autosave_article_id"), "autosave", ["article_id"])
    op.create_index(op.f("ix_autosave_user_id_article_id"), "autosave", ["user_id", "article_id"])
    op.create_index(
        op.f("ix_autosave_user_id_copy"), "autosave", ["user_id", "copy"], unique=True
    )
    op.create_table(
        "presence",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_presence_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_presence_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "user_id", name=op.f("pk_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "preview_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_preview_link_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_preview_link_made_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_link")),
    )
    op.create_index(op.f("ix_preview_link_article_id"), "preview_link", ["article_id"])
