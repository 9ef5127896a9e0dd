"""Server-side sessions: rows that can be ended at any moment. Only the SHA-256 of a token is stored."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from flask import current_app
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from spectator.db import StorageError, db
from spectator.models import User, UserSession

# Idle: longer than a working day with its pauses, shorter than a night, so a forgotten browser is shut by morning.
# Absolute: the thirty days after which NIST SP 800-63B wants the password again at its first level (ASVS 7.3.1, 7.3.2).
IDLE_LIMIT, ABSOLUTE_LIMIT = timedelta(hours=12), timedelta(days=30)
TOUCH_INTERVAL = timedelta(minutes=10)


def token_hash(token: str) -> str:
    """Return what is stored of a token: a leaked database opens no session."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _signer() -> TimestampSigner:
    return TimestampSigner(
        current_app.config["SECRET_KEY"], salt="session", digest_method=hashlib.sha256
    )


def is_issued_token(token: str) -> bool:
    """Say whether this server issued the token within the absolute limit, even if its session is over."""
    try:
        _signer().unsign(token, max_age=int(ABSOLUTE_LIMIT.total_seconds()))
    except BadSignature:
        return False
    return True


def user_by_token(token: str) -> User | None:
    """Return the active person whose session this token opens, None for any other token."""
    found = session_by_token(token)
    return found.user if found else None


def session_by_token(token: str) -> UserSession | None:
    """Return the session that this token opens, with its active person; None for any other token."""
    now = datetime.now(UTC)
    query = select(UserSession).options(joinedload(UserSession.user, innerjoin=True))
    found = db.session.scalar(query.where(UserSession.token_hash == token_hash(token)))
    if found is None or not found.user.is_active:
        return None
    if now - found.seen_at > IDLE_LIMIT or now - found.created_at > ABSOLUTE_LIMIT:
        return None
    if now - found.seen_at > TOUCH_INTERVAL:
        with suppress(StorageError), db.write() as session:  # on a full disk one can still read
            session.execute(
                update(UserSession).where(UserSession.id == found.id).values(seen_at=now)
            )
    return found


def log_out(token: str) -> None:
    """End the session of this token; a copied cookie is worth nothing afterwards."""
    with db.write() as session:
        end_session(session, token)


def open_session(session: Session, user_id: int, failed_logins: int = 0) -> str:
    """Return the token of a new session, stored inside the caller's `db.write()`.

    `failed_logins` is what the person is told: how many attempts by others there were before this login.
    """
    token, now = _signer().sign(secrets.token_urlsafe(32)).decode(), datetime.now(UTC)
    row = UserSession(token_hash=token_hash(token), user_id=user_id, created_at=now, seen_at=now)
    row.failed_logins = failed_logins
    session.add(row)
    return token


def end_session(session: Session, token: str) -> None:
    """End the session of one token inside the caller's `db.write()`."""
    session.execute(delete(UserSession).where(UserSession.token_hash == token_hash(token)))


def end_sessions(session: Session, user_id: int) -> None:
    """End every session of a person inside the caller's `db.write()`."""
    session.execute(delete(UserSession).where(UserSession.user_id == user_id))


def delete_expired_sessions(session: Session, now: datetime) -> None:
    """Delete sessions that open nothing any more, inside the caller's `db.write()`."""
    is_over = or_(
        UserSession.seen_at < now - IDLE_LIMIT, UserSession.created_at < now - ABSOLUTE_LIMIT
    )
    session.execute(delete(UserSession).where(is_over))
