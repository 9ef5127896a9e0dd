"""Responses to requests without a session: a redirect to the login, or the submitted story.

A body is read only if it can be shown again: on the routes that accept a story, from a browser
whose session token the server issued within the last thirty days. Every other body is refused
unread.
"""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from spectator import publishing
from spectator.accounts import is_issued_token
from spectator.i18n import lazy_gettext
from spectator.newsroom import URL_PREFIX, bp, errors, forms, security, spellings
from spectator.publishing.page_drafts import PAGE_FIELDS

ADMINS_ONLY = (
    lazy_gettext("You don't have permission to do this"),
    lazy_gettext("Only administrators can open this page."),
)
EDITORS_ONLY = (
    ADMINS_ONLY[0],
    lazy_gettext("Only editors can open this page."),
)
CONTROLS = (
    *("version", "seq", "picture_id", "remove_picture", "do", "then", "answer"),
    *("loss", "loss_asked", "plan", "language_other", "language_kept"),
    *(f"spelling-{number}" for number in range(1, spellings.MAX_ANSWERS + 1)),
)
CHOICES = tuple(
    f"{kind}.{name}" for kind in ("choice", "mine", "together") for name in forms.COMPARED_FIELDS
)
RETURNED_FIELDS = frozenset({*forms.FIELDS, *PAGE_FIELDS, *CONTROLS, *CHOICES})


@bp.before_request
def check_request() -> ResponseReturnValue | None:
    """Return the response to a request that must not reach its view. The body is read last."""
    response = security.check_request() or require_login() or require_role()
    if response is None:
        security.check_form_body()
    return response


def require_login() -> Response | tuple[str, int] | None:
    """Return None if the user is logged in or the page is public, else a response with a login."""
    if g.user is not None or security.requested_view() in security.PUBLIC_VIEWS:
        return None
    is_write = request.method not in security.SAFE_METHODS
    if request.path.startswith(f"{URL_PREFIX}/fragments/"):
        return render_template(
            "newsroom/_autosave_status.html", outcome="logged out", seq=""
        ), 200
    if is_write:
        return render_template(
            "newsroom/logged_out.html", submitted_values=submitted_values()
        ), 401
    path = request.full_path if request.query_string else request.path
    return redirect(url_for("newsroom.login", next=security.safe_next_path(path)), 303)


@bp.errorhandler(security.SessionEnded)
def show_logged_out(_error: security.SessionEnded) -> ResponseReturnValue:
    """Show the login with the text that was sent: the session ended while the request ran."""
    g.user = None
    response = require_login()
    assert response is not None  # pages without a login write nothing for a person
    return response


def require_role() -> tuple[str, int] | None:
    """Return None unless the page is for administrators or editors and the user is none."""
    view = security.requested_view()
    if view in security.ADMIN_VIEWS and g.user.role != "admin":
        return errors.render_error(403, *ADMINS_ONLY)
    if view in security.EDITOR_VIEWS and not publishing.is_publisher(g.user):
        return errors.render_error(403, *EDITORS_ONLY)
    return None


def submitted_values() -> list[tuple[str, str]]:
    """Return the submitted fields, the first value of each; none if the body must not be read."""
    token = request.cookies.get(security.SESSION_COOKIE, "")
    is_returned = security.requested_view() in security.RETURNED_FORM_VIEWS
    if not is_returned or not is_issued_token(token):
        return []
    if request.mimetype not in security.FORM_TYPES:
        return []
    security.allow_large_form()
    try:
        return [(name, text) for name, text in request.form.items() if name in RETURNED_FIELDS]
    except RequestEntityTooLarge:
        return []
