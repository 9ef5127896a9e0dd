"""The index of which stories show which pictures, updated inside publishing's transactions.

Every action on a story updates it. A picture that was public but is no longer in a published story
is hidden from readers; `queries.pictures` returns those pictures.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import case, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db.functions import text_position
from spectator.media import rendition_digests
from spectator.models import Article, Picture, PictureUse
from spectator.models.article import EVER_PUBLIC

Use = tuple[int, int]  # article id, picture id


def update_picture_uses(session: Session, article_ids: Iterable[int]) -> None:
    """Store which pictures the stories show, as their lead, in their text or when shared.

    Also mark the pictures of stories that are or were public.
    """
    session.flush()
    ids = sorted(set(article_ids))
    stored = select(PictureUse.article_id, PictureUse.picture_id).where(
        PictureUse.article_id.in_(ids)
    )
    old_uses: set[Use] = {(row.article_id, row.picture_id) for row in session.execute(stored)}
    new_uses = _current_uses(session, ids)
    if removed := old_uses - new_uses:
        pairs = tuple_(PictureUse.article_id, PictureUse.picture_id)
        session.execute(delete(PictureUse).where(pairs.in_(sorted(removed))))
    if added := new_uses - old_uses:
        rows = [
            {"article_id": article_id, "picture_id": picture_id}
            for article_id, picture_id in sorted(added)
        ]
        session.execute(insert(PictureUse), rows)
    if not new_uses:
        return
    public = select(PictureUse.picture_id).join(Article).where(Article.id.in_(ids), EVER_PUBLIC)
    unmarked = Picture.id.in_(public) & ~Picture.was_public
    session.execute(update(Picture).where(unmarked).values(was_public=True))


def set_has_avif(session: Session, digest: str, has_avif: bool, renews_pages: bool) -> None:
    """Store whether all AVIF renditions of a picture are stored, for the pages that show it.

    `renews_pages`: cached pages are rendered again, so that they name them, or no longer do.
    """
    session.execute(update(Picture).where(Picture.digest == digest).values(has_avif=has_avif))
    if renews_pages:
        outbox.append(session, None, "avif")


def _current_uses(session: Session, ids: list[int]) -> set[Use]:
    """Return the pictures that the stories show, without loading bodies that have none."""
    body = case((text_position(Article.body, "/media/") > 0, Article.body), else_="")
    text = body + Article.share_picture
    rows = session.execute(
        select(Article.id, Article.picture_id, text).where(Article.id.in_(ids))
    ).all()
    uses = {(article_id, lead) for article_id, lead, _ in rows if lead is not None}
    embedded = {
        (article_id, digest) for article_id, _, text in rows for digest in rendition_digests(text)
    }
    if embedded:
        query = select(Picture.digest, Picture.id).where(
            Picture.digest.in_({digest for _, digest in embedded})
        )
        ids_by_digest = dict(session.execute(query).all())
        uses |= {
            (article_id, ids_by_digest[digest])
            for article_id, digest in embedded
            if digest in ids_by_digest
        }
    return uses
