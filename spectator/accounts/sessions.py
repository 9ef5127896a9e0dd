"""Server-side sessions, which can be ended at any time; only the SHA-256 of a token is stored."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, joinedload

from spectator import tokens
from spectator.db import StorageError, db
from spectator.db.clock import current_time
from spectator.models import User, UserSession
from spectator.tokens import token_hash

# Idle limit: longer than a working day with its breaks, but a browser that was forgotten in the
# evening is logged out by morning. Absolute limit: NIST SP 800-63B level 1 asks for the password
# again after thirty days (ASVS 7.3.1, 7.3.2).
IDLE_LIMIT, ABSOLUTE_LIMIT = timedelta(hours=12), timedelta(days=30)
TOUCH_INTERVAL = timedelta(minutes=10)
OWNER_BYTES = 4  # at the start of a token: the id of its person
MAX_SESSIONS = 30  # of a person; another login ends the oldest


def is_issued_token(token: str) -> bool:
    """Return whether this server issued the token within the absolute limit.

    Its session may have ended.
    """
    return token_owner(token) != b""


def token_owner(token: str) -> bytes:
    """Return whose token this is: the same bytes for all of a person, b"" for a forged one.

    Nothing is read from the database, so its session may have ended. Tokens of earlier releases are
    random from the start, so each has an owner of its own.
    """
    seconds = int(ABSOLUTE_LIMIT.total_seconds())
    return tokens.issued_bytes("session", token, seconds)[:OWNER_BYTES]


def user_by_token(token: str) -> User | None:
    """Return the active person whose session the token opens, None for any other token."""
    user_session = session_by_token(token)
    return user_session.user if user_session else None


def may_be_live(token: str) -> bool:
    """Return whether a token opens a session, as far as the database can tell now."""
    try:
        return session_by_token(token) is not None
    except SQLAlchemyError:
        return True  # the view will say that the database is out of reach, and return the text


def session_by_token(token: str) -> UserSession | None:
    """Return the session that the token opens, with its active person; None for any other token."""
    now = current_time()
    query = select(UserSession).options(joinedload(UserSession.user, innerjoin=True))
    row = db.session.scalar(query.where(UserSession.token_hash == token_hash(token)))
    if row is None or not row.user.is_active:
        return None
    if now - row.seen_at > IDLE_LIMIT or now - row.created_at > ABSOLUTE_LIMIT:
        return None
    if now - row.seen_at > TOUCH_INTERVAL:
        with suppress(StorageError), db.write() as session:  # reading still works on a full disk
            session.execute(
                update(UserSession).where(UserSession.id == row.id).values(seen_at=now)
            )
    return row


def is_unchanged(session: Session, row: UserSession, user: User) -> bool:
    """Return whether a session still exists, and its person is active and has the same role."""
    query = select(UserSession.id).join(User, User.id == UserSession.user_id)
    query = query.where(UserSession.id == row.id, User.is_active, User.role == user.role)
    return session.scalar(query) is not None


def log_out(token: str) -> None:
    """End the session of the token; a copy of its cookie then no longer works."""
    with db.write() as session:
        end_session(session, token)


def open_session(session: Session, user_id: int, failed_logins: int = 0) -> str:
    """Store a new session inside the caller's `db.write()` and return its token.

    `failed_logins` is the number of failed attempts by other people; the newsroom shows it.
    """
    token, now = tokens.issue("session", 32, user_id.to_bytes(OWNER_BYTES)), current_time()
    newest = (
        select(UserSession.id)
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.created_at.desc(), UserSession.id.desc())
        .limit(MAX_SESSIONS - 1)
    )
    session.execute(
        delete(UserSession).where(
            UserSession.user_id == user_id, UserSession.id.not_in(newest.scalar_subquery())
        )
    )
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
    """Delete expired sessions inside the caller's `db.write()`."""
    is_expired = or_(
        UserSession.seen_at < now - IDLE_LIMIT, UserSession.created_at < now - ABSOLUTE_LIMIT
    )
    session.execute(delete(UserSession).where(is_expired))
