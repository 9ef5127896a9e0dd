"""How many tries to log in are too many: counted in the database, by account and by address, before any hashing."""

from __future__ import annotations

import ipaddress
import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from spectator.db import db
from spectator.models import LoginAttempt

log = logging.getLogger(__name__)

# The narrow limit stops guessing; the one for a whole account is wide, so that a stranger's failures elsewhere do not
# lock its owner out at once.
WINDOW = timedelta(minutes=15)
MAX_OF_ACCOUNT_AT_ADDRESS, MAX_OF_ADDRESS, MAX_OF_ACCOUNT = 5, 20, 50


class LoginRefused(Exception):
    """No login: `message` is for the person, `retry_after_seconds` is set where too many tries were made."""

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


def count_attempt(email: str, address: str) -> None:
    """Count a try before it is made, so that many at once count too; raises LoginRefused where it is one too many."""
    address, now = _one_address(address), datetime.now(UTC)
    of_account, of_address = LoginAttempt.email == email, LoginAttempt.address == address
    limits = (
        (of_account & of_address, MAX_OF_ACCOUNT_AT_ADDRESS),
        (of_address, MAX_OF_ADDRESS),
        (of_account, MAX_OF_ACCOUNT),
    )
    with db.write() as session:
        forget_old_attempts(session, now)
        wait = max(_wait(session, condition, limit, now) for condition, limit in limits)
        if not wait:
            session.add(LoginAttempt(email=email, address=address, at=now))
    if wait:
        log.warning("login of %r from %s throttled", email, address)
        minutes = -(-wait // timedelta(minutes=1))
        raise LoginRefused(f"Too many tries; wait {minutes} min and try again.", int(wait.total_seconds()) + 1)


def _wait(session: Session, condition: ColumnElement[bool], limit: int, now: datetime) -> timedelta:
    count, oldest = session.execute(select(func.count(), func.min(LoginAttempt.at)).where(condition)).one()
    return oldest + WINDOW - now if count >= limit else timedelta(0)


def forgive(session: Session, email: str, address: str) -> None:
    """Forget the failures of an account at an address, after a success there, inside the caller's `db.write()`."""
    own = (LoginAttempt.email == email) & (LoginAttempt.address == _one_address(address))
    session.execute(delete(LoginAttempt).where(own))


def forget_old_attempts(session: Session, now: datetime) -> None:
    """Delete what no longer counts, inside the caller's `db.write()`."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at <= now - WINDOW))


def _one_address(address: str) -> str:
    """Return what is counted as one address: of IPv6 the /64 network, since one person commands all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:45]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
