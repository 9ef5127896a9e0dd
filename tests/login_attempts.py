"""Failed logins of tests: from which clients, with which password, how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from spectator import accounts
from spectator.db import db
from spectator.models import LoginAttempt

OFFICE, ELSEWHERE = accounts.Client("192.0.2.1"), accounts.Client("198.51.100.7")
EMAIL, PASSWORD = "editor@news.example", "a long password of editor"


def refused_login(
    email: str = EMAIL, password: str = "wrong password", client: accounts.Client = OFFICE
) -> accounts.LoginError:
    """Try to log in; return the error, which has `retry_after_seconds` if it was throttled."""
    with pytest.raises(accounts.LoginError) as caught:
        accounts.log_in(email, password, client)
    return caught.value


def age_attempts(age: timedelta) -> None:
    with db.write() as session:
        session.execute(update(LoginAttempt).values(at=datetime.now(UTC) - age))
