"""The language and the time zone in which the newsroom's pages are for the logged-in person."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app, g

from spectator.i18n import newsroom_languages, set_language
from spectator.models import User
from spectator.newsroom import bp
from spectator.times import format_moment


def follow_person(user: User) -> None:
    """Write the rest of the response in the language that the person chose, if they chose one."""
    if user.language in newsroom_languages():
        set_language(user.language)


@cache
def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone with a name, None if this machine has no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def newsroom_zone() -> ZoneInfo:
    """Return the newsroom's time zone, in which readers see dates."""
    return ZoneInfo(current_app.config["TIMEZONE"])


def current_zone() -> ZoneInfo:
    """Return the time zone of the logged-in person, by default the newsroom's."""
    user = g.get("user")
    zone = find_zone(user.time_zone) if user is not None and user.time_zone else None
    return zone or newsroom_zone()


@bp.app_template_filter()
def newsroom_time(moment: datetime) -> str:
    """Return a time with UTC for editors: 22 Nov 2026, 15:05 Africa/Lagos (14:05 UTC)."""
    return format_moment(moment, current_zone())
