"""Login throttling: attempts are counted by account, address and device, before any hashing."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from spectator.db import db
from spectator.db.clock import current_time
from spectator.i18n import ngettext
from spectator.models import LoginAttempt, LoginClient, User
from spectator.tokens import token_hash

log = logging.getLogger(__name__)
# An unknown email is never logged itself: people enter passwords in that field by mistake.
NO_ACCOUNT = "an email without an account"

# The first two limits stop guessing. The other two apply only to unknown clients (no earlier login
# to the account from their address or device), so that nobody can lock the owner out: after
# MAX_OF_ACCOUNT attempts on it they must wait between attempts, except for the first tries of a
# network; after MAX_OF_UNKNOWN_CLIENTS without that exception. docs/security.md has the
# calculation.
WINDOW = timedelta(minutes=15)
MAX_OF_ACCOUNT_AT_ADDRESS, MAX_OF_ADDRESS = 5, 20
MAX_OF_ACCOUNT, MAX_OF_UNKNOWN_CLIENTS = 50, 200
ACCOUNT_PAUSE = timedelta(seconds=30)
# IPv4 and IPv6 prefix lengths of a network, and the number of its first tries.
FIRST_TRIES = ((24, 48, 2), (16, 32, 8))
KNOWN_CLIENT_LIFETIME, MAX_KNOWN_CLIENTS = timedelta(days=180), 20  # for each person


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a login: the IP address, and the device cookie's token ("" without one)."""

    address: str
    device: str = ""

    @property
    def network(self) -> str:
        """Return the address to count by: for IPv6 its /64 network, which one person controls."""
        try:
            ip = ipaddress.ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address[:45]
        if isinstance(ip, ipaddress.IPv6Address):
            mapped = ip.ipv4_mapped
            return str(mapped or ipaddress.ip_network((ip, 64), strict=False).network_address)
        return str(ip)

    @property
    def device_hash(self) -> str:
        """Return the stored hash of the device's token, "" without one."""
        return token_hash(self.device) if self.device else ""


class LoginError(Exception):
    """A login is refused: `message` is for the person.

    `retry_after_seconds` is set after too many attempts.
    """

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


def count_attempt(email: str, client: Client) -> None:
    """Count an attempt before the password is checked, so that simultaneous attempts count too.

    Raises LoginError with the waiting time if there were too many attempts.
    """
    now = current_time()
    with db.write() as session:
        delete_old_attempts(session, now)
        kinds = _matching_client_kinds(session, email, client)
        wait = _required_wait(session, email, client, kinds, now)
        if not wait:
            attempt = LoginAttempt(
                email=email, address=client.network, device_hash=client.device_hash, at=now
            )
            session.add(attempt)
        increment = (
            update(User).where(User.email == email).values(failed_logins=User.failed_logins + 1)
        )
        is_account = bool(cast("CursorResult[Any]", session.execute(increment)).rowcount)
    if wait:
        log.warning(
            "login throttled: %s, from %s",
            repr(email) if is_account else NO_ACCOUNT,
            client.network,
        )
        raise LoginError(_describe_wait(wait), int(wait.total_seconds()) + 1)


def _matching_client_kinds(session: Session, email: str, client: Client) -> frozenset[str]:
    """Return which of the client's "address" and "device" the account has logged in from."""
    pairs = [("address", client.network), ("device", client.device_hash)]
    is_same_client = tuple_(LoginClient.kind, LoginClient.value).in_(pairs)
    query = select(LoginClient.kind).join(User, User.id == LoginClient.user_id)
    return frozenset(session.scalars(query.where(User.email == email, is_same_client)))


def _required_wait(
    session: Session, email: str, client: Client, kinds: frozenset[str], now: datetime
) -> timedelta:
    """Return how long the client must wait before its next attempt, zero if it may try now."""
    of_account, of_address = LoginAttempt.email == email, LoginAttempt.address == client.network
    if "device" in kinds:  # a known device has a limit of its own, apart from its network's
        of_device = LoginAttempt.device_hash == client.device_hash
        return _wait(session, of_account & of_device, MAX_OF_ACCOUNT_AT_ADDRESS, now)
    wait = _wait(session, of_account & of_address, MAX_OF_ACCOUNT_AT_ADDRESS, now)
    wait = max(wait, _wait(session, of_address, MAX_OF_ADDRESS, now))
    return wait if kinds else max(wait, _account_pause(session, of_account, client, now))


def _account_pause(
    session: Session, of_account: ColumnElement[bool], client: Client, now: datetime
) -> timedelta:
    """Return how long an unknown client must wait: under attack, one attempt in 30 seconds."""
    query = (
        select(LoginAttempt.address, LoginAttempt.at)
        .where(of_account)
        .order_by(LoginAttempt.at.desc())
    )
    attempts = session.execute(query.limit(MAX_OF_UNKNOWN_CLIENTS)).all()
    if len(attempts) < MAX_OF_ACCOUNT:
        return timedelta(0)
    if len(attempts) < MAX_OF_UNKNOWN_CLIENTS and _has_first_tries(
        client, [attempt.address for attempt in attempts]
    ):
        return timedelta(0)
    newest: datetime = attempts[0].at
    return max(newest + ACCOUNT_PAUSE - now, timedelta(0))


def _has_first_tries(client: Client, addresses: Sequence[str]) -> bool:
    """Return whether fewer attempts came from the client's networks than FIRST_TRIES allows.

    The networks are wide, because an attacker may control an IPv6 /48.
    """
    for *prefix_lengths, limit in FIRST_TRIES:
        network = _prefix(client.network, *prefix_lengths)
        if sum(_prefix(address, *prefix_lengths) == network for address in addresses) >= limit:
            return False
    return True


def _prefix(address: str, ipv4_bits: int, ipv6_bits: int) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(
        ipaddress.ip_network((ip, ipv4_bits if ip.version == 4 else ipv6_bits), strict=False)
    )


def _wait(
    session: Session, condition: ColumnElement[bool], limit: int, now: datetime
) -> timedelta:
    count, oldest = session.execute(
        select(func.count(), func.min(LoginAttempt.at)).where(condition)
    ).one()
    return oldest + WINDOW - now if count >= limit else timedelta(0)


def _describe_wait(wait: timedelta) -> str:
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 60:
        return ngettext(
            "Too many attempts. Try again in %(count)s second.",
            "Too many attempts. Try again in %(count)s seconds.",
            seconds,
        )
    return ngettext(
        "Too many attempts. Try again in %(count)s minute.",
        "Too many attempts. Try again in %(count)s minutes.",
        -(-seconds // 60),
    )


def record_successful_login(session: Session, user: User, client: Client) -> int:
    """Delete the client's failed attempts and remember the client, inside `db.write()`.

    Returns the number of other people's attempts on the account since its last login.
    """
    of_account = LoginAttempt.email == user.email
    is_own = LoginAttempt.address == client.network
    if client.device_hash:
        is_own |= LoginAttempt.device_hash == client.device_hash
    deleted = session.execute(delete(LoginAttempt).where(of_account & is_own))
    own = cast("CursorResult[Any]", deleted).rowcount
    failed = max(0, user.failed_logins - own)
    user.failed_logins = 0
    _remember_client(session, user.id, client)
    return failed


def _remember_client(session: Session, user_id: int, client: Client) -> None:
    now = current_time()
    pairs = [("address", client.network), ("device", client.device_hash)]
    for kind, value in pairs:
        if value:
            session.merge(LoginClient(user_id=user_id, kind=kind, value=value, seen_at=now))
    session.flush()
    of_user = LoginClient.user_id == user_id
    newest = select(LoginClient.seen_at).where(of_user).order_by(LoginClient.seen_at.desc())
    oldest_kept = session.scalar(newest.offset(MAX_KNOWN_CLIENTS - 1).limit(1))
    if oldest_kept is not None:
        session.execute(delete(LoginClient).where(of_user, LoginClient.seen_at < oldest_kept))


def delete_old_attempts(session: Session, now: datetime) -> None:
    """Delete old attempts, and clients not seen for half a year, inside `db.write()`.

    Also delete attempts from the future, when the clock was wrong: nobody could log in until then.
    """
    is_recent = LoginAttempt.at.between(now - WINDOW, now + WINDOW)
    session.execute(delete(LoginAttempt).where(~is_recent))
    session.execute(delete(LoginClient).where(LoginClient.seen_at <= now - KNOWN_CLIENT_LIFETIME))
