"""Accounts: people of the newsroom, passwords, throttled logins, sessions that the server can end.

This package knows nothing about requests and cookies. Passwords are always hashed before
`db.write()` is entered.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from spectator.accounts.checks import (
    clean_email,
    clean_name,
    get_user,
    require_active,
    require_role,
)
from spectator.accounts.hashing import check_password, hash_password
from spectator.accounts.passwords import AccountError, PasswordError, require_good_password
from spectator.accounts.preferences import PreferenceError, set_preferences
from spectator.accounts.sessions import (
    delete_expired_sessions,
    end_session,
    end_sessions,
    is_issued_token,
    is_unchanged,
    log_out,
    may_be_live,
    open_session,
    session_by_token,
    token_owner,
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
from spectator.db.clock import current_time
from spectator.i18n import gettext, lazy_gettext
from spectator.models import ROLES, PreviewLink, User
from spectator.text.words.normalization import normalize

__all__ = [
    "ROLES",
    "AccountError",
    "Client",
    "LoginError",
    "PasswordError",
    "PreferenceError",
    "add_user",
    "change_own_password",
    "check_password",
    "delete_expired",
    "disable_user",
    "enable_user",
    "hash_password",
    "is_issued_token",
    "is_unchanged",
    "log_in",
    "log_out",
    "may_be_live",
    "normalize",
    "rename_user",
    "require_good_password",
    "reset_password",
    "session_by_token",
    "set_preferences",
    "set_role",
    "token_owner",
    "user_by_token",
]

log = logging.getLogger(__name__)

WRONG_CREDENTIALS = lazy_gettext("Wrong email or password.")
READABLE_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike


def _password_context(email: str, name: str) -> tuple[str, ...]:
    """Return the words that an attacker would try in a person's password."""
    return email, name, current_app.config["SITE_NAME"]


def add_user(email: str, name: str, role: str, password: str | None = None) -> tuple[int, str]:
    """Add an account; return its id and its password, a random readable one by default.

    Raises AccountError for an invalid or existing email and an invalid name or role, PasswordError
    for a bad password.
    """
    email, name = clean_email(email), clean_name(name)
    require_role(role)
    if password is None:
        password = _random_password()
    require_good_password(password, _password_context(email, name))
    password_hash = hash_password(password)
    with db.write() as session:
        existing = session.scalar(select(User).where(User.email == email))
        if existing is not None:
            require_active(existing)
            raise AccountError(
                gettext(
                    "%(email)s already has an account. To set a new password, run: spectator "
                    "user reset %(email)s",
                    email=email,
                )
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
    """Change a person's role, from their next request on.

    Raises AccountError for an unknown person or role.
    """
    require_role(role)
    with db.write() as session:
        user = get_user(session, email)
        user.role = role
        log.warning("account %r now has the role %s", user.email, role)


def rename_user(email: str, name: str) -> str:
    """Change the name that colleagues see and return it in its stored form.

    Raises AccountError for an unknown person or an invalid name.
    """
    name = clean_name(name)
    with db.write() as session:
        get_user(session, email).name = name
    return name


def enable_user(email: str) -> None:
    """Enable a disabled account; its password stays. Raises AccountError for an unknown person."""
    with db.write() as session:
        user = get_user(session, email)
        user.is_active = True
        log.warning("account %r enabled", user.email)


def disable_user(email: str) -> None:
    """Disable an account, end its sessions and revoke its preview links.

    Raises AccountError for an unknown person.
    """
    with db.write() as session:
        user = get_user(session, email)
        user.is_active = False
        _end_access(session, user.id)
    log.warning("account %r disabled and its sessions ended", email)


def reset_password(email: str) -> str:
    """Set a new random password and return it; end the person's sessions and preview links.

    Raises AccountError for an unknown person and for a disabled account.
    """
    password = _random_password()
    password_hash = hash_password(password)
    with db.write() as session:
        user = get_user(session, email)
        require_active(user)
        user.password_hash = password_hash
        _end_access(session, user.id)
    log.warning("password of %r reset and their sessions ended", email)
    return password


def _end_access(session: Session, user_id: int) -> None:
    """End a person's sessions and revoke their preview links: an intruder may have created some.

    Known devices stay known. They give no access, and they let the owner log in while an attack
    throttles everybody else.
    """
    end_sessions(session, user_id)
    is_active_link = (PreviewLink.made_by_id == user_id) & PreviewLink.revoked_at.is_(None)
    session.execute(
        update(PreviewLink).where(is_active_link).values(revoked_at=datetime.now(UTC))
    )


def change_own_password(user_id: int, current: str, new: str, client: Client) -> str:
    """Change a person's own password, end all their sessions and return the token of a new one.

    Raises LoginError for the current password, PasswordError for the new one. Attempts are
    throttled like logins, so that a stolen session cannot be used to guess the password. The new
    password is not looked at before the current one was right, which deletes failed attempts.
    """
    user = db.session.get_one(User, user_id)
    count_attempt(user.email, client)
    if not check_password(user, current):
        raise LoginError(gettext("This is not your current password."))
    with db.write() as session:
        record_successful_login(session, _reload_unchanged_user(session, user), client)
    require_good_password(new, _password_context(user.email, user.name))
    password_hash = hash_password(new)
    with db.write() as session:
        person = _reload_unchanged_user(session, user)
        person.password_hash = password_hash
        end_sessions(session, person.id)
        log.warning("password of %r changed and their other sessions ended", person.email)
        return open_session(session, person.id)


def log_in(email: str, password: str, client: Client, old_token: str = "") -> str:
    """Log a person in: end the session of `old_token` and return the token of a new session.

    Raises LoginError, with the same message and after the same time for an unknown email, a wrong
    password and a disabled account. After too many attempts it raises LoginError with a waiting
    time, before hashing anything.
    """
    email = email.replace("\0", "").strip().lower()[:254]
    count_attempt(email, client)
    user = db.session.scalar(select(User).where(User.email == email))
    if not check_password(user, password) or user is None or not user.is_active:
        log.warning(
            "login refused: %s, from %s", repr(user.email) if user else NO_ACCOUNT, client.network
        )
        raise LoginError(str(WRONG_CREDENTIALS))
    with db.write() as session:
        failed = record_successful_login(session, _reload_unchanged_user(session, user), client)
        if old_token:
            end_session(session, old_token)
        log.info("login: %r, from %s", user.email, client.network)
        return open_session(session, user.id, failed)


def delete_expired() -> None:
    """Delete expired sessions and old login attempts; doing it twice does no harm."""
    now = current_time()
    with db.write() as session:
        delete_expired_sessions(session, now)
        delete_old_attempts(session, now)


def _reload_unchanged_user(session: Session, user: User) -> User:
    """Return the person's current row.

    Raises LoginError if they were disabled or got another password during the hashing.
    """
    person = session.get(User, user.id)
    if person is None or not person.is_active or person.password_hash != user.password_hash:
        raise LoginError(str(WRONG_CREDENTIALS))
    return person


def _random_password() -> str:
    groups = ("".join(secrets.choice(READABLE_CHARACTERS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)
