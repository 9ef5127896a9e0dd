"""People of the newsroom: accounts, passwords, throttled logins, and sessions that the server can end.

Nothing here knows about requests or cookies. Passwords are always hashed before `db.write()` is entered.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from spectator.accounts.passwords import (
    MAX_PASSWORD_LENGTH,
    AccountError,
    PasswordError,
    normalize,
    require_good_password,
)
from spectator.accounts.sessions import (
    delete_expired_sessions,
    end_session,
    end_sessions,
    is_issued_token,
    log_out,
    open_session,
    session_by_token,
    token_hash,
    user_by_token,
)
from spectator.accounts.throttling import (
    NO_ACCOUNT,
    Client,
    LoginError,
    count_attempt,
    delete_old_attempts,
    record_successful_login,
)
from spectator.db import db
from spectator.models import ROLES, PreviewLink, User

__all__ = [
    "AccountError",
    "Client",
    "LoginError",
    "PasswordError",
    "add_user",
    "change_own_password",
    "check_password",
    "delete_expired",
    "disable_user",
    "enable_user",
    "hash_password",
    "is_issued_token",
    "log_in",
    "log_out",
    "rename_user",
    "require_good_password",
    "reset_password",
    "session_by_token",
    "set_role",
    "token_hash",
    "user_by_token",
]

log = logging.getLogger(__name__)

# The least that OWASP's Password Storage Cheat Sheet recommends for argon2id: 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

WRONG_CREDENTIALS = "Wrong email or password."
READABLE_CHARACTERS = (
    "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that can be taken for another sign
)

_hash_slots = threading.BoundedSemaphore(
    2
)  # each hash takes 19 MiB and a core; more at once would starve readers


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, whole and NFC-normalised; at most two are computed at a time."""
    with _hash_slots:
        return hasher.hash(normalize(password))


def check_password(user: User | None, password: str) -> bool:
    """Say whether this is the person's password; for nobody (None) it takes as long and is never right."""
    expected = _dummy_hash(hasher)
    if user is not None:
        expected = user.password_hash
    with _hash_slots:
        try:
            hasher.verify(expected, normalize(password[: MAX_PASSWORD_LENGTH + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return user is not None


@lru_cache(maxsize=2)
def _dummy_hash(password_hasher: PasswordHasher) -> str:
    return password_hasher.hash(secrets.token_urlsafe())


def _password_context(email: str, name: str) -> tuple[str, ...]:
    """Return what a guesser knows about somebody's password."""
    return email, name, current_app.config["SITE_NAME"]


def add_user(email: str, name: str, role: str, password: str | None = None) -> tuple[int, str]:
    """Add somebody who can log in; return the id and the password, a random readable one where none was given.

    Raises AccountError for a bad or known e-mail, a bad name or role; PasswordRefused.
    """
    email, name = _clean_email(email), _clean_name(name)
    _require_role(role)
    if password is None:
        password = _random_password()
    require_good_password(password, _password_context(email, name))
    password_hash = hash_password(password)
    with db.write() as session:
        if (known := session.scalar(select(User).where(User.email == email))) is not None:
            _require_active(known)
            raise AccountError(
                f"{email} already has an account. For a new password, run: spectator user reset {email}"
            )
        user = User(
            email=email,
            name=name,
            role=role,
            password_hash=password_hash,
            created_at=datetime.now(UTC),
        )
        session.add(user)
        session.flush()
        return user.id, password


def set_role(email: str, role: str) -> None:
    """Give somebody another role, from their next request on; raises AccountError for an unknown person or role."""
    _require_role(role)
    with db.write() as session:
        user = _get_user(session, email)
        user.role = role
        log.warning("account %r now has the role %s", user.email, role)


def rename_user(email: str, name: str) -> str:
    """Change the name that colleagues see and return it; raises AccountError for an unknown person or a bad name."""
    name = _clean_name(name)
    with db.write() as session:
        _get_user(session, email).name = name
    return name


def enable_user(email: str) -> None:
    """Let a disabled person log in again, with the password they had; raises AccountError for an unknown person."""
    with db.write() as session:
        user = _get_user(session, email)
        user.is_active = True
        log.warning("account %r enabled", user.email)


def disable_user(email: str) -> None:
    """Let somebody log in no more, end all their sessions and preview links; raises AccountError if unknown."""
    with db.write() as session:
        user = _get_user(session, email)
        user.is_active = False
        _end_access(session, user.id)
    log.warning("account %r disabled, its sessions ended", email)


def reset_password(email: str) -> str:
    """Give somebody a new random password and return it; their sessions and preview links end.

    Raises AccountError for an unknown person, and for a disabled one, who could not log in with it.
    """
    password = _random_password()
    password_hash = hash_password(password)
    with db.write() as session:
        user = _get_user(session, email)
        _require_active(user)
        user.password_hash = password_hash
        _end_access(session, user.id)
    log.warning("password of %r reset, its sessions ended", email)
    return password


def _end_access(session: Session, user_id: int) -> None:
    """End a person's sessions and preview links: whoever had the account may have made some.

    The known devices stay known: that opens nothing, and an attack must not shut the owner out with the new password.
    """
    end_sessions(session, user_id)
    own_links = (PreviewLink.made_by_id == user_id) & PreviewLink.revoked_at.is_(None)
    session.execute(update(PreviewLink).where(own_links).values(revoked_at=datetime.now(UTC)))


def change_own_password(user_id: int, current: str, new: str, client: Client) -> str:
    """Change one's own password, end every session of that person and return the token of a new one.

    Raises PasswordRefused for the new password; LoginRefused for the current one, throttled like a login, since a
    stolen session must not serve to guess it.
    """
    user = db.session.get_one(User, user_id)
    require_good_password(new, _password_context(user.email, user.name))
    count_attempt(user.email, client)
    if not check_password(user, current):
        raise LoginError("This is not your current password.")
    password_hash = hash_password(new)
    with db.write() as session:
        person = _reload_unchanged_user(session, user)
        person.password_hash = password_hash
        end_sessions(session, person.id)
        record_successful_login(session, person, client)
        log.warning("password of %r changed, its other sessions ended", person.email)
        return open_session(session, person.id)


def log_in(email: str, password: str, client: Client, old_token: str = "") -> str:
    """Return the token of a new session; the session of `old_token` ends.

    Raises LoginRefused: in the same words and after the same time for an unknown email, a wrong password and a
    disabled account; with a time to wait where too many attempts were made, before anything is hashed.
    """
    email = email.strip().lower()[:254]
    count_attempt(email, client)
    user = db.session.scalar(select(User).where(User.email == email))
    if not check_password(user, password) or user is None or not user.is_active:
        log.warning(
            "login refused: %s, from %s", repr(user.email) if user else NO_ACCOUNT, client.network
        )
        raise LoginError(WRONG_CREDENTIALS)
    with db.write() as session:
        failed = record_successful_login(session, _reload_unchanged_user(session, user), client)
        if old_token:
            end_session(session, old_token)
        log.info("login: %r, from %s", user.email, client.network)
        return open_session(session, user.id, failed)


def delete_expired() -> None:
    """Delete sessions that are over and login attempts that no longer count; doing it twice does no harm."""
    now = datetime.now(UTC)
    with db.write() as session:
        delete_expired_sessions(session, now)
        delete_old_attempts(session, now)


def _reload_unchanged_user(session: Session, user: User) -> User:
    """Return the person again, refusing one who was disabled or got another password while we were hashing."""
    person = session.get(User, user.id)
    if person is None or not person.is_active or person.password_hash != user.password_hash:
        raise LoginError(WRONG_CREDENTIALS)
    return person


def _random_password() -> str:
    groups = ("".join(secrets.choice(READABLE_CHARACTERS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def _clean_email(email: str) -> str:
    email = email.strip().lower()
    # ASCII alone: letters of two alphabets can look like one colleague
    if len(email) > 254 or not re.fullmatch(
        r"[!-?A-~]+@[a-z0-9-]+(\.[a-z0-9-]+)+", email, re.ASCII
    ):
        raise AccountError(f"{email[:100]!r} is not an e-mail address like amina@news.example")
    return email


def _clean_name(name: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > 120 or not name.isprintable():
        raise AccountError("A name of 1 to 120 visible characters is needed.")
    return name


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError(f"{role[:40]!r} is not a role; there are: {', '.join(ROLES)}")


def _require_active(user: User) -> None:
    if not user.is_active:
        raise AccountError(
            f"{user.email} is disabled. To let them log in, run: spectator user enable {user.email}"
        )


def _get_user(session: Session, email: str) -> User:
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise AccountError(
            f"Nobody has an account with the email {email[:100]!r}. To see who has, run: spectator user list"
        )
    return user
