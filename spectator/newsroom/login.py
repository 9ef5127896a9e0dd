"""Login, logout and changing one's password."""

from __future__ import annotations

import secrets

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import accounts
from spectator.i18n import gettext
from spectator.newsroom import bp, security


@bp.route("/login", methods=["GET", "POST"])
@security.public
def login() -> Response | tuple[str, int, dict[str, str]]:
    """Show the login form, or log the visitor in and redirect to the page they wanted."""
    next_path = security.safe_next_path(request.values.get("next"))
    if request.method != "POST":
        return redirect(next_path, 303) if g.user else _login_page(next_path, 200)
    old_token = request.cookies.get(security.SESSION_COOKIE, "")
    email, password = request.form.get("email", ""), request.form.get("password", "")
    client = security.client(secrets.token_urlsafe(32))
    try:
        token = accounts.log_in(email, password, client, old_token)
    except accounts.LoginError as error:
        seconds = error.retry_after_seconds
        headers = {"Retry-After": str(seconds)} if seconds else {}
        return _login_page(next_path, 429 if seconds else 422, error.message, headers)
    return security.set_device_cookie(
        security.set_session_cookie(redirect(next_path, 303), token), client.device
    )


def _login_page(
    next_path: str, status: int, error: str = "", headers: dict[str, str] | None = None
) -> tuple[str, int, dict[str, str]]:
    email = request.form.get("email", "")[:254]
    return (
        render_template("newsroom/login.html", next_path=next_path, email=email, error=error),
        status,
        headers or {},
    )


@bp.post("/logout")
def logout() -> Response:
    """End the session and show the login form."""
    accounts.log_out(request.cookies.get(security.SESSION_COOKIE, ""))
    return security.clear_session_cookie(
        redirect(url_for("newsroom.login", done="logged-out"), 303)
    )


@bp.get("/password")
def password() -> str:
    """Show the form for changing one's password."""
    return render_template("newsroom/password.html", errors={})


@bp.post("/password")
def change_password() -> Response | tuple[str, int]:
    """Change the user's password and end their other sessions."""
    user, form = security.current_user(), request.form
    current, new = form.get("current", ""), form.get("new", "")
    if new != form.get("again", ""):
        return _password_page({"again": gettext("The two new passwords differ.")})
    try:
        token = accounts.change_own_password(user.id, current, new, security.client())
    except accounts.PasswordError as error:
        return _password_page({"new": str(error)})
    except accounts.LoginError as error:
        status = 429 if error.retry_after_seconds else 422
        return _password_page({"current": error.message}, status)
    return security.set_session_cookie(
        redirect(url_for("newsroom.stories", done="password"), 303), token
    )


def _password_page(errors: dict[str, str], status: int = 422) -> tuple[str, int]:
    return render_template("newsroom/password.html", errors=errors), status


@bp.get("/fragments/session", endpoint="session_fragment")
def session_status() -> str:
    """Confirm that the user is logged in; `logged_out` answers if nobody is."""
    return render_template("newsroom/_autosave_status.html", outcome="in")
