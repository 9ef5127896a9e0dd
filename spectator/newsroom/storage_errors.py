"""Error pages for faults of the database or the disk: nothing that somebody typed is lost."""

from __future__ import annotations

import errno
import logging

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from spectator.db import StorageError, find_storage_error
from spectator.newsroom import bp, errors, logged_out, security

log = logging.getLogger(__name__)
STORAGE_FAILURE = (
    "Not saved",
    "{reason}, so nothing can be saved right now. "
    "Copy your text, tell your site administrator and try again later.",
)
READ_FAILURE = ("The newsroom does not work right now", "{reason}. Try again in a minute.")
RETRY_SECONDS = 10  # when clients may ask again
STORAGE_REASONS = {
    "busy": "The server is busy saving something else",
    "full": "The server's disk is full",
    "read-only": "The server's disk is read-only",
    "damaged": "The server's database is damaged",
    "not a database": "The server's database is damaged",
    "no memory": "The server is out of memory",
    "does not answer": "The server's database does not answer",
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
    title, message = STORAGE_FAILURE if is_write else READ_FAILURE
    reason = STORAGE_REASONS.get(error.cause, "The server's disk does not respond")
    values = logged_out.submitted_values() if is_write else []
    text = dict(values).get("body") or errors.submitted_text()
    page, status = errors.render_error(503, title, message.format(reason=reason), text, values)
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
