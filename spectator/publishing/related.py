"""Editors' decisions about related stories: pin one, or block it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.i18n import gettext, ngettext
from spectator.models import Article, RelatedOverride, User
from spectator.publishing.validation import ValidationError

KINDS = ("pin", "forbid")
MAX_PINS = 4  # more are not shown


def set_override(
    session: Session, article: Article, by: User, related_id: int, kind: str
) -> None:
    """Pin a related story ("pin"), block it ("forbid"), or remove the decision ("").

    A pin applies to this story alone, a block to both stories. The outbox rows make the worker
    recompute the related stories; then readers see the change. Raises ValidationError.
    """
    pair = (RelatedOverride.article_id == article.id) & (RelatedOverride.related_id == related_id)
    if not kind:
        reverse_pair = (RelatedOverride.article_id == related_id) & (
            RelatedOverride.related_id == article.id
        )
        session.execute(
            delete(RelatedOverride).where(
                pair | (reverse_pair & (RelatedOverride.kind == "forbid"))
            )
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
    for article_id in (article.id, related_id):
        outbox.append(session, article_id, "relate")


def _check(session: Session, article: Article, related_id: int, kind: str) -> None:
    if kind not in KINDS:
        raise ValidationError({"related": gettext("Choose Pin or Block.")})
    if related_id == article.id:
        raise ValidationError(
            {"related": gettext("A story cannot be related to itself. Choose another.")}
        )
    if session.scalar(select(Article.id).where(Article.id == related_id)) is None:
        raise ValidationError({"related": gettext("This story does not exist. Check its URL.")})
    pins = select(RelatedOverride.related_id).where(
        RelatedOverride.article_id == article.id, RelatedOverride.kind == "pin"
    )
    if kind == "pin" and len(set(session.scalars(pins)) - {related_id}) >= MAX_PINS:
        raise ValidationError(
            {
                "related": ngettext(
                    "%(limit)s story is already pinned. Unpin it first.",
                    "%(limit)s stories are already pinned. Unpin one first.",
                    MAX_PINS,
                    limit=MAX_PINS,
                )
            }
        )
