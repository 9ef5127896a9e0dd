"""Signed and derived tokens, bound to the site's secret key and to a purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TypeVar

from flask import current_app
from itsdangerous import BadSignature, Signer, TimestampSigner

AnySigner = TypeVar("AnySigner", bound=Signer)


def token_hash(token: str) -> str:
    """Return the hash of a token that is stored, so that a leaked database gives no access."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _signer(kind: type[AnySigner], purpose: str) -> AnySigner:
    return kind(current_app.config["SECRET_KEY"], salt=purpose, digest_method=hashlib.sha256)


def sign(purpose: str, value: str) -> str:
    """Return a value with its signature; it never expires."""
    return _signer(Signer, purpose).sign(value).decode()


def unsign(purpose: str, token: str) -> str | None:
    """Return the value of a token from `sign`, None for any other token."""
    try:
        return _signer(Signer, purpose).unsign(token).decode()
    except BadSignature:
        return None


def issue(purpose: str, byte_count: int, start: bytes = b"") -> str:
    """Return a token with its time of issue, signed: `start` and random bytes."""
    content = start + secrets.token_bytes(byte_count - len(start))
    value = base64.urlsafe_b64encode(content).rstrip(b"=")
    return _signer(TimestampSigner, purpose).sign(value).decode()


def issued_bytes(purpose: str, token: str, max_age_seconds: int) -> bytes:
    """Return the bytes of a token from `issue`, b"" if it is forged or too old.

    One from the future is good: the clock was wrong when it was issued, or it is wrong now.
    """
    signer = _signer(TimestampSigner, purpose)
    try:
        value, issued_at = signer.unsign(token, return_timestamp=True)
    except BadSignature:
        return b""
    if signer.get_timestamp() - issued_at.timestamp() > max_age_seconds:
        return b""
    return base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4))


def is_issued(purpose: str, token: str, max_age_seconds: int) -> bool:
    """Return whether a token comes from `issue` and is recent enough."""
    return issued_bytes(purpose, token, max_age_seconds) != b""


def derive(purpose: str, nonce: str) -> str:
    """Return the token of a nonce: 256 bits that only this site can compute again."""
    key = current_app.config["SECRET_KEY"].encode()
    digest = hmac.digest(key, f"{purpose} {nonce}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
