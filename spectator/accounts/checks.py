"""Checks of what an administrator types about an account."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from spectator.accounts.passwords import AccountError
from spectator.i18n import gettext
from spectator.models import ROLES, User
from spectator.text.words.normalization import normalize


def clean_email(email: str) -> str:
    """Return an email in lower case. Raises AccountError."""
    email = email.strip().lower()
    # ASCII only: letters of other alphabets could imitate a colleague's email.
    if len(email) > 254 or not re.fullmatch(
        r"[!-?A-~]+@[a-z0-9-]+(\.[a-z0-9-]+)+", email, re.ASCII
    ):
        raise AccountError(
            gettext(
                "%(email)s is not an email address. Use one like amina@news.example.",
                email=repr(email[:100]),
            )
        )
    return email


def clean_name(name: str) -> str:
    """Return a name with single spaces. Raises AccountError."""
    name = " ".join(normalize(name).split())
    if not name or len(name) > 120 or not name.isprintable():
        raise AccountError(gettext("Enter a name of 1 to 120 visible characters."))
    return name


def require_role(role: str) -> None:
    """Raise AccountError for an unknown role."""
    if role not in ROLES:
        raise AccountError(
            gettext(
                "%(role)s is not a role. Use one of: %(roles)s",
                role=repr(role[:40]),
                roles=", ".join(ROLES),
            )
        )


def require_active(user: User) -> None:
    """Raise AccountError for a disabled account."""
    if not user.is_active:
        raise AccountError(
            gettext(
                "%(email)s is disabled. To let them log in, run: spectator user enable %(email)s",
                email=user.email,
            )
        )


def get_user(session: Session, email: str) -> User:
    """Return the account with an email. Raises AccountError."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise AccountError(
            gettext(
                "There is no account with the email %(email)s. To see all accounts, run: "
                "spectator user list",
                email=repr(email[:100]),
            )
        )
    return user
