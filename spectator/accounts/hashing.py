"""Hashes of passwords: argon2id, a few at a time."""

from __future__ import annotations

import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from spectator.accounts.passwords import normalize
from spectator.models import User

# OWASP's Password Storage Cheat Sheet, minimum for argon2id: 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

# Each hash takes 19 MiB and a core; more than two at once would slow down readers' requests.
_hash_slots = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password in NFC form; at most two are computed at a time."""
    with _hash_slots:
        return hasher.hash(normalize(password))


def check_password(user: User | None, password: str) -> bool:
    """Return whether the password is the person's.

    For an unknown account (None) the answer is False after the same time, so that nobody can
    measure which accounts exist.
    """
    with _hash_slots:
        # Computed for known accounts too: it is cached, so otherwise the first check of an unknown
        # account would take longer than all others.
        dummy = _dummy_hash(hasher)
        expected = dummy if user is None else user.password_hash
        try:
            hasher.verify(expected, normalize(password))
        except (VerificationError, InvalidHashError):
            return False
    return user is not None


@lru_cache(maxsize=1)
def _dummy_hash(password_hasher: PasswordHasher) -> str:
    """Return the hash of a password that nobody has, cached for the hasher, which tests replace."""
    return password_hasher.hash(secrets.token_urlsafe())
