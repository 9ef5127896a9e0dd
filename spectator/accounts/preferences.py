"""The language and the time zone that people choose for the newsroom's pages."""

from __future__ import annotations

from spectator.db import db
from spectator.i18n import gettext, newsroom_languages
from spectator.models import User
from spectator.times import time_zone_names


class PreferenceError(Exception):
    """Values that cannot be stored; `errors` has a message by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


def set_preferences(user_id: int, language: str, time_zone: str) -> None:
    """Store a person's language and IANA time zone; "" is the site's.

    Raises PreferenceError for a language without a complete catalogue and for an unknown zone.
    """
    errors = {}
    if language and language not in newsroom_languages():
        errors["language"] = gettext("Choose a language from the list.")
    if time_zone and time_zone not in time_zone_names():
        errors["time_zone"] = gettext("Choose a time zone from the list.")
    if errors:
        raise PreferenceError(errors)
    with db.write() as session:
        user = session.get_one(User, user_id)
        user.language, user.time_zone = language, time_zone
