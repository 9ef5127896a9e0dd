"""Which stories show which pictures, kept with every act. Only for publishing, inside its transactions.

A picture that readers have seen and no published story shows any more is gone for them: `queries.pictures` says which.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import case, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from spectator.media import rendition_digests
from spectator.models import Article, Picture, PictureUse
from spectator.models.article import WAS_PUBLIC

Use = tuple[int, int]


def update_picture_uses(session: Session, article_ids: Iterable[int]) -> None:
    """Note which pictures these stories show now, as their lead or in their text, and which of them readers see."""
    session.flush()
    ids = sorted(set(article_ids))
    stored = select(PictureUse.article_id, PictureUse.picture_id).where(
        PictureUse.article_id.in_(ids)
    )
    before: set[Use] = {(row.article_id, row.picture_id) for row in session.execute(stored)}
    now = _current_uses(session, ids)
    if gone := before - now:
        pairs = tuple_(PictureUse.article_id, PictureUse.picture_id)
        session.execute(delete(PictureUse).where(pairs.in_(sorted(gone))))
    if new := now - before:
        rows = [
            {"article_id": article_id, "picture_id": picture_id}
            for article_id, picture_id in sorted(new)
        ]
        session.execute(insert(PictureUse), rows)
    seen = select(PictureUse.picture_id).join(Article).where(Article.id.in_(ids), WAS_PUBLIC)
    unmarked = Picture.id.in_(seen) & ~Picture.was_public
    session.execute(update(Picture).where(unmarked).values(was_public=True))


def _current_uses(session: Session, ids: list[int]) -> set[Use]:
    """Return what the stories show; texts without a picture are not even read."""
    text = case((func.instr(Article.body, "/media/") > 0, Article.body), else_="")
    rows = session.execute(
        select(Article.id, Article.picture_id, text).where(Article.id.in_(ids))
    ).all()
    uses = {(article_id, lead) for article_id, lead, _ in rows if lead is not None}
    shown = {
        (article_id, digest) for article_id, _, body in rows for digest in rendition_digests(body)
    }
    if shown:
        known = select(Picture.digest, Picture.id).where(
            Picture.digest.in_({digest for _, digest in shown})
        )
        by_digest = dict(session.execute(known).all())
        uses |= {
            (article_id, by_digest[digest]) for article_id, digest in shown if digest in by_digest
        }
    return uses
