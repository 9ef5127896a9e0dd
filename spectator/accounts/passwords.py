"""What a password must be: long, not common, and not made of words that belong to the person or the site.

NIST SP 800-63B and ASVS 6.2: no rules of composition; a list of common passwords and of words from the context.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 10, 128
MAX_TAIL = 4  # digits and signs added to a common word: password2026, Password!
ROLE_WORDS = ("spectator", "newsroom", "admin", "administrator", "editor", "author", "password")

TOO_COMMON = "This password is too common. Choose one that nobody would guess."


class AccountError(Exception):
    """An account cannot be created or changed this way; the message is one sentence."""


class PasswordError(AccountError):
    """A new password that is too short, too long, or easy to guess; the message is for the person."""


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords, words and names that leaks held most often, in lower case.

    From the zxcvbn package, whose lists leave out of each what another has: all of them together are what is tried.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words)


def normalize(password: str) -> str:
    """Return the password in the form that is hashed (NFC), so that every keyboard types the same one."""
    return unicodedata.normalize("NFC", password)


def require_good_password(password: str, context: Iterable[str] = ()) -> None:
    """Raise PasswordRefused for a password nobody should have.

    `context` holds what a guesser knows: the person's email and name, the name of the site.
    """
    length = len(normalize(password))
    if length < MIN_PASSWORD_LENGTH:
        raise PasswordError(
            f"Use at least {MIN_PASSWORD_LENGTH} characters. A short phrase works well."
        )
    if length > MAX_PASSWORD_LENGTH:
        raise PasswordError(f"Use at most {MAX_PASSWORD_LENGTH} characters.")
    folded = normalize(password).casefold().strip()
    if len(set(folded)) <= 2:
        raise PasswordError(
            "This password repeats the same characters. Choose a short phrase instead."
        )
    if _is_common(folded):
        raise PasswordError(TOO_COMMON)
    if _is_mostly_context(folded, (*ROLE_WORDS, *context)):
        raise PasswordError(
            "This password is made of your name, email or the site's name. Choose another."
        )


def _is_common(folded: str) -> bool:
    """Say whether it is on the list, or a word of the list with a few characters before or behind it."""
    words = common_passwords()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    rest = folded.replace(core, "", 1) if core else folded
    is_extended = core in words and (len(rest) <= MAX_TAIL or rest in words)
    half = folded[: len(folded) // 2]
    return folded in words or is_extended or (half * 2 == folded and half in words)


def _is_mostly_context(folded: str, context: Iterable[str]) -> bool:
    """Say whether fewer than four letters remain once the words of the context are taken out."""
    words = {
        word for text in context for word in re.findall(r"[^\W\d_]{3,}", normalize(text).casefold())
    }
    rest = folded
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != folded and len(re.findall(r"[^\W\d_]", rest)) < 4
