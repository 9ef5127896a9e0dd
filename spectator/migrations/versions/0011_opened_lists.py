"""Add public listings, filled from published and withdrawn stories."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PUBLIC_LISTINGS = """
insert into opened_list (kind, "key")
select kind, "key" from listed
union
select 'section', section_id from article where status = 'withdrawn'
union
select 'month', newsroom_month(published_at)
from article where status = 'withdrawn' and published_at is not null
union
select 'topic', t.topic_id from article a join article_topic t on t.article_id = a.id
where a.status = 'withdrawn'
union
select 'country', c.country_id from article a join article_country c on c.article_id = a.id
where a.status = 'withdrawn'
union
select 'author', b.author_id from article a join article_author b on b.article_id = a.id
where a.status = 'withdrawn'
"""


def upgrade() -> None:
    op.create_table(
        "opened_list",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_opened_list")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":  # others had no stories yet
        op.execute(PUBLIC_LISTINGS)
