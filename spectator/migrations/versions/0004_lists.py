"""Add listings of published stories and their counts, filled from existing stories."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LISTING_ROWS = """
with public as (
  select id, section_id, published_at from article
  where status = 'published' and published_at is not null
)
insert into listed (kind, "key", published_at, article_id)
select 'section', section_id, published_at, id from public
union all
select 'month', cast(strftime('%Y%m', published_at) as integer), published_at, id from public
union all
select 'topic', t.topic_id, a.published_at, a.id
from public a join article_topic t on t.article_id = a.id
union all
select 'country', c.country_id, a.published_at, a.id
from public a join article_country c on c.article_id = a.id
union all
select distinct 'author', b.author_id, a.published_at, a.id
from public a join article_author b on b.article_id = a.id
"""
COUNTS = """
insert into story_count (kind, "key", number)
select kind, "key", count(*) from listed group by kind, "key"
"""


def upgrade() -> None:
    op.create_table(
        "listed",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_listed_article_id_article"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "kind", "key", "published_at", "article_id", name=op.f("pk_listed")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_listed_article_id"), "listed", ["article_id"])
    op.create_table(
        "story_count",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_story_count")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":  # others had no stories yet
        op.execute(LISTING_ROWS)
        op.execute(COUNTS)
