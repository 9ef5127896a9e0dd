"""The rules for passwords: long, not common, not made from words about the person or the site.

They follow NIST SP 800-63B and ASVS 6.2: no composition rules, but a list of common passwords and
of words from the context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from spectator.i18n import gettext, lazy_gettext, ngettext
from spectator.text.words import normalization

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 10, 128
# Before normalization: decomposed, a character has at most four code points.
MAX_TYPED_LENGTH = 4 * MAX_PASSWORD_LENGTH
# Digits and punctuation before and after a common word, as in password2026 and Password!
MAX_EXTRA_CHARACTERS = 4
ROLE_WORDS = ("spectator", "newsroom", "admin", "administrator", "editor", "author", "password")

TOO_COMMON = lazy_gettext("This password is too common. Choose one that nobody would guess.")


class AccountError(Exception):
    """An account cannot be created or changed; the message says why."""


class PasswordError(AccountError):
    """A new password is too short, too long or easy to guess; the message is for the person."""


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords, words and names most common in leaks, in lower case.

    They come from the zxcvbn package: from all its lists, because each word is in only one.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words)


def normalize(password: str) -> str:
    """Return the password in NFC, which does not depend on the keyboard, truncated if overlong."""
    return normalization.normalize(password[: MAX_TYPED_LENGTH + 1])


def require_good_password(password: str, context: Iterable[str] = ()) -> None:
    """Raise PasswordError for a password that breaks the rules.

    `context` holds words that an attacker would try: the person's email and name, the site's name.
    """
    normal = normalize(password)
    if len(normal) < MIN_PASSWORD_LENGTH:
        raise PasswordError(
            ngettext(
                "Use at least %(limit)s character. A short phrase works well.",
                "Use at least %(limit)s characters. A short phrase works well.",
                MIN_PASSWORD_LENGTH,
                limit=MIN_PASSWORD_LENGTH,
            )
        )
    if len(normal) > MAX_PASSWORD_LENGTH or len(password) > MAX_TYPED_LENGTH:
        raise PasswordError(
            ngettext(
                "Use at most %(limit)s character.",
                "Use at most %(limit)s characters.",
                MAX_PASSWORD_LENGTH,
                limit=MAX_PASSWORD_LENGTH,
            )
        )
    folded = normal.casefold().strip()
    if len(set(folded)) <= 2:
        raise PasswordError(
            gettext("This password repeats the same characters. Choose a short phrase instead.")
        )
    if _is_common(folded):
        raise PasswordError(str(TOO_COMMON))
    if _is_mostly_context(folded, (*ROLE_WORDS, *context)):
        raise PasswordError(
            gettext(
                "This password is mostly your name, email, role or the site's name. "
                "Choose another."
            )
        )


def _is_common(folded: str) -> bool:
    """Return whether a password is in the list, or a doubled or slightly extended entry."""
    words = common_passwords()
    inner_word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    rest = folded.replace(inner_word, "", 1) if inner_word else folded
    # The rest may be common itself, as in password123456.
    is_extended = inner_word in words and (len(rest) <= MAX_EXTRA_CHARACTERS or rest in words)
    half = folded[: len(folded) // 2]
    return folded in words or is_extended or (half * 2 == folded and half in words)


def _is_mostly_context(folded: str, context: Iterable[str]) -> bool:
    """Return whether a password has words of the context and fewer than four other letters."""
    words = {
        word
        for text in context
        for word in re.findall(r"[^\W\d_]{3,}", normalize(text).casefold())
    }
    rest = folded
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != folded and len(re.findall(r"[^\W\d_]", rest)) < 4
