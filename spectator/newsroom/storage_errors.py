"""Error pages for faults of the database or the disk: nothing that somebody typed is lost."""

from __future__ import annotations

import errno
import logging

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from spectator.db import StorageError, find_storage_error
from spectator.i18n import gettext, lazy_gettext
from spectator.newsroom import bp, errors, logged_out, security

log = logging.getLogger(__name__)
RETRY_SECONDS = 10  # when clients may ask again
# By cause: what a reader of a page is told, and who wants to save something.
STORAGE_REASONS = {
    "busy": (
        lazy_gettext("The server is busy saving something else."),
        lazy_gettext(
            "The server is busy saving something else, so nothing can be saved right now."
        ),
    ),
    "full": (
        lazy_gettext("The server's disk is full."),
        lazy_gettext("The server's disk is full, so nothing can be saved right now."),
    ),
    "read-only": (
        lazy_gettext("The server's disk is read-only."),
        lazy_gettext("The server's disk is read-only, so nothing can be saved right now."),
    ),
    "damaged": (
        lazy_gettext("The server's database is damaged."),
        lazy_gettext("The server's database is damaged, so nothing can be saved right now."),
    ),
    "no memory": (
        lazy_gettext("The server is out of memory."),
        lazy_gettext("The server is out of memory, so nothing can be saved right now."),
    ),
    "does not answer": (
        lazy_gettext("The server's database does not answer."),
        lazy_gettext("The server's database does not answer, so nothing can be saved right now."),
    ),
    "disk error": (
        lazy_gettext("The server's disk does not respond."),
        lazy_gettext("The server's disk does not respond, so nothing can be saved right now."),
    ),
}
DISK_ERRORS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EIO: "disk error",
    errno.ENOMEM: "no memory",
}

ErrorPage = tuple[str, int, dict[str, str]]


@bp.errorhandler(StorageError)
def show_storage_error(error: StorageError) -> ErrorPage:
    """Show why nothing can be saved, the text that was sent, and a button to send it again."""
    log.error("%s %s was not answered: %s", request.method, request.url_rule, error)
    is_write = request.method not in security.SAFE_METHODS
    cause = "damaged" if error.cause == "not a database" else error.cause
    read_reason, save_reason = STORAGE_REASONS.get(cause, STORAGE_REASONS["disk error"])
    if is_write:
        title, reason = gettext("Not saved"), save_reason
        advice = gettext("Copy your text, tell your site administrator and try again later.")
    else:
        title, reason = gettext("The newsroom does not work right now"), read_reason
        advice = gettext("Try again in a minute.")
    values = logged_out.submitted_values() if is_write else []
    text = dict(values).get("body") or errors.submitted_text()
    page, status = errors.render_error(503, title, f"{reason} {advice}", text, values)
    return page, status, {"Retry-After": str(RETRY_SECONDS)}


@bp.errorhandler(SQLAlchemyError)
def show_database_error(error: SQLAlchemyError) -> ErrorPage:
    """Show that the database does not answer; re-raise an error with another cause."""
    storage_error = find_storage_error(error)
    if storage_error is None:
        raise error
    return show_storage_error(storage_error)


@bp.errorhandler(OSError)
def show_disk_error(error: OSError) -> ErrorPage:
    """Show why a picture could not be stored; re-raise an OSError with any other cause."""
    if error.errno not in DISK_ERRORS:
        raise error
    return show_storage_error(StorageError(DISK_ERRORS[error.errno], error))
