"""What an editor decides on a pair of stories: shown together, or never."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, RelatedOverride, User
from spectator.publishing.drafts import ValidationError

KINDS = ("pin", "forbid")
MAX_PINS = 4  # more are not shown


def set_override(session: Session, article: Article, by: User, related_id: int, kind: str) -> None:
    """Pin another story to this one, forbid the pair, or with no kind forget what was decided. Raises Invalid.

    The choice counts from this story's side; that a pair is forbidden counts for both. Readers see it once the
    worker has worked out the related stories anew, which the rows in the outbox ask for.
    """
    pair = (RelatedOverride.article_id == article.id) & (RelatedOverride.related_id == related_id)
    if not kind:
        back = (RelatedOverride.article_id == related_id) & (
            RelatedOverride.related_id == article.id
        )
        session.execute(
            delete(RelatedOverride).where(pair | (back & (RelatedOverride.kind == "forbid")))
        )
    else:
        _check(session, article, related_id, kind)
        session.merge(
            RelatedOverride(
                article_id=article.id,
                related_id=related_id,
                kind=kind,
                made_at=datetime.now(UTC),
                made_by_id=by.id,
            )
        )
    for each in (article.id, related_id):
        outbox.append(session, each, "relate")


def _check(session: Session, article: Article, related_id: int, kind: str) -> None:
    if kind not in KINDS:
        raise ValidationError({"related": "Pin a story, or forbid it."})
    if related_id == article.id:
        raise ValidationError({"related": "This is the story itself; name another."})
    if session.scalar(select(Article.id).where(Article.id == related_id)) is None:
        raise ValidationError({"related": "There is no such story on the site."})
    pins = select(RelatedOverride.related_id).where(
        RelatedOverride.article_id == article.id, RelatedOverride.kind == "pin"
    )
    if kind == "pin" and len(set(session.scalars(pins)) - {related_id}) >= MAX_PINS:
        raise ValidationError(
            {"related": f"{MAX_PINS} stories are pinned already; undo one first."}
        )
