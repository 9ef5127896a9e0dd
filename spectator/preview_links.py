"""Links that show an unpublished story to people without an account."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from spectator.db import db
from spectator.db.clock import current_time
from spectator.models import PreviewLink, User
from spectator.tokens import derive, token_hash

MAX_LINKS = 50  # active links to one story
LIFETIME_DAYS = (1, 7, 30)  # choices
DEFAULT_LIFETIME_DAYS = 7
RETENTION = timedelta(days=90)


class LinkLimitReached(Exception):
    """The story has too many preview links."""


def link_token(nonce: str) -> str:
    """Return the token at the end of a link's URL."""
    return derive("preview link", nonce)


def create(article_id: int, by_id: int, days: int) -> None:
    """Create a preview link that expires after `days` days.

    Only the token's hash is stored, and the nonce from which the secret key lets the token be
    derived again.
    Raises LinkLimitReached if the story has too many active links.
    """
    now, nonce = current_time(), secrets.token_urlsafe(16)
    with db.write() as session:
        active_count = select(func.count(PreviewLink.id)).where(
            PreviewLink.article_id == article_id, *_active_conditions()
        )
        if (session.scalar(active_count) or 0) >= MAX_LINKS:
            raise LinkLimitReached
        session.add(
            PreviewLink(
                article_id=article_id,
                token_hash=token_hash(link_token(nonce)),
                nonce=nonce,
                made_by_id=by_id,
                made_at=now,
                expires_at=now + timedelta(days=days),
            )
        )


def list_active(article_id: int) -> list[tuple[PreviewLink, str]]:
    """Return a story's active links with their tokens.

    The token of a link is "" if it was created under another secret key.
    """
    query = select(PreviewLink).where(PreviewLink.article_id == article_id, *_active_conditions())
    query = query.options(joinedload(PreviewLink.made_by)).order_by(PreviewLink.id)
    rows = [(link, link_token(link.nonce)) for link in db.session.scalars(query)]
    return [(link, token if token_hash(token) == link.token_hash else "") for link, token in rows]


def article_id_by_token(token: str) -> int | None:
    """Return the id of the story that a preview link shows, None if the link is not valid.

    A link is valid until it expires or is revoked, or its creator's account is disabled.
    """
    creator = select(User.id).where(User.id == PreviewLink.made_by_id, User.is_active)
    return db.session.scalar(
        select(PreviewLink.article_id).where(
            PreviewLink.token_hash == token_hash(token), creator.exists(), *_active_conditions()
        )
    )


def creator_by_token(token: str) -> User | None:
    """Return the person who created a preview link."""
    return db.session.scalar(
        select(User).join(PreviewLink).where(PreviewLink.token_hash == token_hash(token))
    )


def revoke(article_id: int, link_id: int) -> None:
    """Revoke a story's preview link; doing it twice does no harm."""
    with db.write() as session:
        link = session.get(PreviewLink, link_id)
        if link is not None and link.article_id == article_id and link.revoked_at is None:
            link.revoked_at = current_time()


def _active_conditions() -> tuple[Any, ...]:
    return PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > current_time()


def prune() -> None:
    """Delete links that expired long ago."""
    with db.write() as session:
        session.execute(
            delete(PreviewLink).where(PreviewLink.expires_at < current_time() - RETENTION)
        )
