"""What every newsroom page shows beside its content: the notice of the last action, counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g, request
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from spectator import publishing, queries
from spectator.db import StorageError
from spectator.i18n import lazy_gettext
from spectator.models import Article
from spectator.newsroom import bp, security
from spectator.newsroom.preferences import current_zone, newsroom_time
from spectator.publishing import ACTIONS

LOGIN_WARNING_TIME = timedelta(minutes=15)  # after a login: how long failed attempts are shown

STATUS_LABELS = {
    "draft": lazy_gettext("Draft"),
    "review": lazy_gettext("In review"),
    "scheduled": lazy_gettext("Scheduled"),
    "published": lazy_gettext("Published"),
    "withdrawn": lazy_gettext("Withdrawn"),
}
NOTICES = {name: rule.notice for name, rule in ACTIONS.items()} | {
    "kept": lazy_gettext("Changes saved, not published. Press Update to publish them."),
    "saved": lazy_gettext("Already saved: the form was sent twice."),
    "taken_back": lazy_gettext("Back to draft."),
    "discarded": lazy_gettext("Unsaved changes discarded. You can bring them back for 30 days."),
    "brought-back": lazy_gettext("Unsaved changes brought back."),
    "linked": lazy_gettext(
        "Link created. Anyone with the link can see the story until it expires or you revoke it."
    ),
    "names": lazy_gettext("Names saved. Readers see them now."),
    "page-public": lazy_gettext("Saved. Readers see the page now."),
    "page-withdrawn": lazy_gettext("Page withdrawn. Readers now see the reason."),
    "menu": lazy_gettext("Menu saved. Readers see it now."),
    "redirect": lazy_gettext("Redirect saved."),
    "redirect-removed": lazy_gettext("Redirect removed."),
    "revoked": lazy_gettext("Link revoked."),
    "checked": lazy_gettext("Marked as checked."),
    "preferences": lazy_gettext("Language and time zone saved."),
    "password": lazy_gettext("Password changed. You are logged out on other devices."),
    "logged-out": lazy_gettext("You are logged out."),
}
# A notice is shown only while its story has this status.
NOTICE_STATUSES = {name: rule.status for name, rule in ACTIONS.items() if rule.status} | {
    "taken_back": "draft"
}


@bp.app_template_filter()
def isolated(text: str) -> Markup:
    """Return a name or a headline as HTML whose direction does not disturb the sentence around."""
    return Markup("<bdi>{}</bdi>").format(text)


@bp.context_processor
def template_context() -> dict[str, Any]:
    """Return the context of every newsroom template."""
    return {
        "current_user": g.get("user"),
        "csrf_token": security.csrf_token,
        "current_notice": current_notice,
        "failed_logins": failed_logins(),
        "review_count": review_count,
        "status_labels": STATUS_LABELS,
        "zone_name": current_zone().key,
    }


def current_notice(article: Article | None = None) -> str:
    """Return the notice of the last action, "" if the story's status has changed since."""
    done = request.args.get("done", "")
    if article is None or done not in NOTICE_STATUSES:
        return str(NOTICES.get(done, "")) if done != "schedule" else ""
    if article.status != NOTICE_STATUSES[done]:
        return ""
    time = newsroom_time(article.published_at) if article.published_at else ""
    return str(NOTICES[done]) % {"time": time}


def review_count() -> int:
    """Return how many stories in review the user may see; 0 if the database fails."""
    user = security.current_user()
    try:
        return queries.review_count(None if publishing.is_publisher(user) else user.id)
    except (SQLAlchemyError, StorageError):
        return 0


def failed_logins() -> int:
    """Return the number of failed attempts to show right after a login; 0 later."""
    session = g.get("session")
    if session is None or datetime.now(UTC) - session.created_at > LOGIN_WARNING_TIME:
        return 0
    return int(session.failed_logins)
