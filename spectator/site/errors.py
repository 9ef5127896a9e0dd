"""Error pages for readers."""

from __future__ import annotations

import logging

from flask import Flask, current_app, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError
from werkzeug.wrappers import Response

from spectator import missing_pages
from spectator.db import StorageError, find_storage_error
from spectator.i18n import lazy_gettext
from spectator.queries import InvalidCursor
from spectator.site import url_corrections

log = logging.getLogger(__name__)
RETRY_SECONDS = 10  # when clients may ask again while the database does not answer
Page = tuple[str, int]
StoragePage = tuple[str, int, dict[str, str]]
MESSAGES = {
    400: (
        lazy_gettext("This address does not work"),
        lazy_gettext("Part of it is not valid. Check it, or search all stories."),
    ),
    403: (
        lazy_gettext("You don't have access to this page"),
        lazy_gettext("Go back, or search all stories."),
    ),
    404: (
        lazy_gettext("Page not found"),
        lazy_gettext("Check the address for typing mistakes, or search all stories."),
    ),
    405: (
        lazy_gettext("This page is read-only"),
        lazy_gettext("You cannot send anything to this address."),
    ),
    413: (
        lazy_gettext("That is too large"),
        lazy_gettext("What you sent is larger than this page accepts."),
    ),
}


def register(app: Flask) -> None:
    """Add a page for every HTTP error and every exception."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(SQLAlchemyError, show_storage_error)
    app.register_error_handler(StorageError, show_storage_error)
    app.register_error_handler(InvalidCursor, show_invalid_cursor)
    app.before_request(url_corrections.replace_slash_redirect)


def show_error(error: HTTPException) -> Response | Page | StoragePage:
    """Show an HTTP error in plain words, or redirect a URL that is nearly right."""
    try:
        return _render_error(error)
    except (SQLAlchemyError, StorageError) as cause:  # its page has the menus in it
        return show_storage_error(cause)


def _render_error(error: HTTPException) -> Response | Page:
    if error.code == 404 and (response := url_corrections.corrected_response()) is not None:
        return response
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, InternalServerError) or error.code >= 500:
        return render_template("errors/500.html", code=error.code), error.code
    if error.code == 404:
        if request.method == "GET":
            missing_pages.log_missing(current_app.config["DATA_DIR"], request.path)
        return render_template("errors/404.html"), 404
    title, message = MESSAGES.get(error.code, MESSAGES[400])
    return render_template(
        "errors/error.html", code=error.code, title=title, message=message
    ), error.code


def show_storage_error(error: SQLAlchemyError | StorageError) -> StoragePage:
    """Show that the page cannot be read now; re-raise an error that is not the database's."""
    if find_storage_error(error) is None and not isinstance(error, StorageError):
        raise error
    log.error("%s %s cannot be answered: %s", request.method, request.url_rule, error)
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    return render_template("errors/500.html", code=503), 503, headers


def show_invalid_cursor(_error: InvalidCursor) -> Response | Page | StoragePage:
    """Show that the URL has an invalid cursor."""
    return show_error(BadRequest())
