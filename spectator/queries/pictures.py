"""Uploaded pictures, and which of them readers may still see.

A picture that was public stays visible only while a published story or page shows it. A draft that
shows it does not make it visible again, nor does removing it from a withdrawn story.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, exists, func, select

from spectator.db import db
from spectator.models import Article, Page, PagePicture, Picture, PictureUse

DIGESTS_PER_QUERY = 10_000  # PostgreSQL takes 65,535 parameters, and a form of 4 MB may have more


@dataclass(frozen=True, slots=True)
class PictureState:
    """A picture's files, and whether it is withdrawn: once public, now in nothing published."""

    id: int
    digest: str
    extension: str
    width: int
    height: int
    has_avif: bool
    is_withdrawn: bool


def picture(picture_id: int) -> Picture | None:
    """Return the picture with this id, None if there is none."""
    return db.session.get(Picture, picture_id)


def newest_picture_id() -> int:
    """Return the highest picture id, 0 if there is none."""
    return db.session.scalar(select(func.max(Picture.id))) or 0


def picture_states() -> Sequence[PictureState]:
    """Return the states of all pictures."""
    return _load_states()


def pictures_without_avif() -> Sequence[PictureState]:
    """Return the states of the pictures without AVIF renditions, except withdrawn ones.

    The newest pictures come first.
    """
    states = _load_states(~Picture.has_avif)
    return [state for state in reversed(states) if not state.is_withdrawn]


def picture_states_of_articles(article_ids: Iterable[int]) -> Sequence[PictureState]:
    """Return the states of the pictures that these stories show."""
    ids = select(PictureUse.picture_id).where(PictureUse.article_id.in_(list(article_ids)))
    return _load_states(Picture.id.in_(ids))


def picture_states_of_pages(page_ids: Iterable[int]) -> Sequence[PictureState]:
    """Return the states of the pictures that these standing pages show."""
    ids = select(PagePicture.picture_id).where(PagePicture.page_id.in_(list(page_ids)))
    return _load_states(Picture.id.in_(ids))


def picture_state(digest: str) -> PictureState | None:
    """Return the state of the picture with this digest, None if there is none."""
    return next(iter(_load_states(Picture.digest == digest)), None)


def picture_state_by_id(picture_id: int) -> PictureState | None:
    """Return the state of the picture with this id, None if there is none."""
    return next(iter(_load_states(Picture.id == picture_id)), None)


def withdrawn_pictures(digests: Iterable[str]) -> frozenset[str]:
    """Return the digests of withdrawn pictures among any number of digests."""
    remaining = iter(digests)
    withdrawn: set[str] = set()
    while batch := list(islice(remaining, DIGESTS_PER_QUERY)):
        states = _load_states(Picture.digest.in_(batch))
        withdrawn.update(state.digest for state in states if state.is_withdrawn)
    return frozenset(withdrawn)


def _load_states(*conditions: ColumnElement[bool]) -> list[PictureState]:
    has_use = exists().where(
        PictureUse.picture_id == Picture.id, Article.id == PictureUse.article_id
    )
    is_on_page = exists().where(
        PagePicture.picture_id == Picture.id,
        Page.id == PagePicture.page_id,
        Page.status == "published",
    )
    is_in_story = has_use.where(Article.status == "published")
    is_withdrawn = Picture.was_public & ~is_in_story & ~is_on_page
    columns = (
        *(Picture.id, Picture.digest, Picture.extension, Picture.width, Picture.height),
        *(Picture.has_avif, is_withdrawn),
    )
    return [
        PictureState(*row)
        for row in db.session.execute(select(*columns).where(*conditions).order_by(Picture.id))
    ]
