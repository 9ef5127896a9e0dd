"""The account page: language and time zone of the newsroom for the person who opens it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import accounts
from spectator.formats import native_language_name
from spectator.i18n import newsroom_languages
from spectator.newsroom import bp, preferences, security
from spectator.times import time_zone_names


@bp.get("/account/")
def account() -> str:
    """Show the person's language and time zone, and where to change the password."""
    user = security.current_user()
    return _account_page({"language": user.language, "time_zone": user.time_zone}, {})


@bp.post("/account/")
def save_account() -> Response | tuple[str, int]:
    """Store the person's language and time zone; both apply from the next page on."""
    values = {name: request.form.get(name, "")[:60] for name in ("language", "time_zone")}
    try:
        accounts.set_preferences(security.current_user().id, **values)
    except accounts.PreferenceError as error:
        return _account_page(values, error.errors), 422
    return redirect(url_for("newsroom.account", done="preferences"), 303)


def _account_page(values: dict[str, str], errors: dict[str, str]) -> str:
    languages = [(language, native_language_name(language)) for language in newsroom_languages()]
    return render_template(
        "newsroom/account.html",
        values=values,
        errors=errors,
        languages=languages,
        zones=time_zone_names(),
        newsroom_zone=preferences.newsroom_zone().key,
    )
