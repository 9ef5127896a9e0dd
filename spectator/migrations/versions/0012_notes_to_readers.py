"""Allow three kinds of reader notes; each old note gets the kind of the action that created it.

The text of old notes is also copied to the story's history.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KIND_CONDITION = "kind in ('update', 'clarification', 'correction')"
# An action and the note that it created have the same time.
SET_KINDS = """
update correction set kind = (
  select case r.action when 'correct' then 'correction' else 'update' end from revision r
  where r.article_id = correction.article_id and r.made_at = correction.made_at
    and r.action in ('update', 'correct')
)
where exists (
  select 1 from revision r
  where r.article_id = correction.article_id and r.made_at = correction.made_at
    and r.action in ('update', 'correct')
)
"""
COPY_NOTES_TO_REVISIONS = """
update revision set note = (
  select c.text from correction c
  where c.article_id = revision.article_id and c.made_at = revision.made_at limit 1
)
where note = '' and action in ('update', 'correct') and exists (
  select 1 from correction c
  where c.article_id = revision.article_id and c.made_at = revision.made_at
)
"""


def upgrade() -> None:
    op.execute(SET_KINDS)
    op.execute(COPY_NOTES_TO_REVISIONS)
    with op.batch_alter_table("correction") as batch_op:
        batch_op.alter_column("kind", type_=sa.String(length=20), existing_nullable=False)
        batch_op.create_check_constraint(op.f("ck_correction_kind"), KIND_CONDITION)
