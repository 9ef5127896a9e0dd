"""The query of stories for cards, which leaves unread what no card shows."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import defer, joinedload

from spectator.models import Article, Picture

# Front pages have fifty cards, and each value takes time.
_NOT_ON_CARDS = (
    Article.external_id,
    Article.form_id,
    Article.source_name,
    Article.source_url,
    Article.created_at,
    Article.withdrawn_at,
    Article.withdrawn_reason,
    Article.version,
    Article.created_by_id,
    Article.original_version,
)
_PICTURE_OF_CARD = (
    Picture.digest,
    Picture.extension,
    Picture.width,
    Picture.height,
    Picture.has_avif,
)


def select_cards() -> Select[Article]:
    """Return the query of stories of any status as cards show them."""
    return select(Article).options(
        *(defer(column, raiseload=True) for column in _NOT_ON_CARDS),
        joinedload(Article.section, innerjoin=True),
        joinedload(Article.picture).load_only(*_PICTURE_OF_CARD, raiseload=True),
    )
