"""Add standing pages with their revisions, redirects, pictures and imports, and the menus."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def _page_id(is_key: bool = True) -> "sa.Column[int]":
    reference = sa.ForeignKey("page.id", ondelete="CASCADE")
    return sa.Column("page_id", sa.Integer(), reference, primary_key=is_key, nullable=False)


def upgrade() -> None:
    _add_pages()
    op.create_table(
        "page_redirect",
        sa.Column("path", sa.String(250), primary_key=True),
        _page_id(is_key=False),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_page_redirect_page_id"), "page_redirect", ["page_id"])
    picture = sa.ForeignKey("picture.id", ondelete="CASCADE")
    op.create_table(
        "page_picture",
        _page_id(),
        sa.Column("picture_id", sa.Integer(), picture, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_page_picture_picture_id"), "page_picture", ["picture_id"])
    op.create_table(
        "page_import",
        _page_id(),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.Column("source_values", sa.JSON(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "menu_entry",
        sa.Column("menu", sa.String(6), primary_key=True),
        _page_id(),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.CheckConstraint("menu in ('header', 'footer')", name=op.f("ck_menu_entry_menu")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_menu_entry_page_id"), "menu_entry", ["page_id"])
    op.add_column("outbox", sa.Column("page_id", sa.Integer()))


def _add_pages() -> None:
    statuses = "status in ('draft', 'published', 'withdrawn')"
    op.create_table(
        "page",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("external_id", sa.String(200), unique=True),
        sa.Column("form_id", sa.String(40), unique=True),
        sa.Column("parent_id", sa.Integer()),
        sa.Column("path", sa.String(250), unique=True, nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.Column("published_at", sa.DateTime()),
        sa.Column("updated_at", sa.DateTime()),
        sa.Column("withdrawn_at", sa.DateTime()),
        sa.Column("withdrawn_reason", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint(statuses, name=op.f("ck_page_status")),
    )
    op.create_index(op.f("ix_page_parent_id"), "page", ["parent_id"])
    op.create_table(
        "page_revision",
        sa.Column("id", sa.Integer(), primary_key=True),
        _page_id(is_key=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(JSONB, "postgresql"), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), sa.ForeignKey("user.id")),
    )
    op.create_index(
        op.f("ix_page_revision_page_id_number"),
        "page_revision",
        ["page_id", "number"],
        unique=True,
    )
