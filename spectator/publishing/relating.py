"""What an editor decides on a pair of stories: shown together, or never."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, RelatedChoice, User
from spectator.publishing.drafts import Invalid

KINDS = ("pin", "forbid")
MOST_PINS = 4  # more are not shown


def decide(session: Session, article: Article, by: User, related_id: int, kind: str) -> None:
    """Pin another story to this one, forbid the pair, or with no kind forget what was decided. Raises Invalid.

    The choice counts from this story's side; that a pair is forbidden counts for both. Readers see it once the
    worker has worked out the related stories anew, which the rows in the outbox ask for.
    """
    pair = (RelatedChoice.article_id == article.id) & (RelatedChoice.related_id == related_id)
    if not kind:
        back = (RelatedChoice.article_id == related_id) & (RelatedChoice.related_id == article.id)
        session.execute(delete(RelatedChoice).where(pair | (back & (RelatedChoice.kind == "forbid"))))
    else:
        _check(session, article, related_id, kind)
        session.merge(
            RelatedChoice(
                article_id=article.id, related_id=related_id, kind=kind, made_at=datetime.now(UTC), made_by_id=by.id
            )
        )
    for each in (article.id, related_id):
        outbox.append(session, each, "relate")


def _check(session: Session, article: Article, related_id: int, kind: str) -> None:
    if kind not in KINDS:
        raise Invalid({"related": "Pin a story, or forbid it."})
    if related_id == article.id:
        raise Invalid({"related": "This is the story itself; name another."})
    if session.scalar(select(Article.id).where(Article.id == related_id)) is None:
        raise Invalid({"related": "There is no such story on the site."})
    pins = select(RelatedChoice.related_id).where(RelatedChoice.article_id == article.id, RelatedChoice.kind == "pin")
    if kind == "pin" and len(set(session.scalars(pins)) - {related_id}) >= MOST_PINS:
        raise Invalid({"related": f"{MOST_PINS} stories are pinned already; undo one first."})
