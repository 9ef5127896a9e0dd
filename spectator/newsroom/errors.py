"""Error pages of the newsroom. They show the submitted text, so that nothing is lost."""

from __future__ import annotations

import errno
import logging

from flask import g, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from spectator import publishing
from spectator.db import StorageError
from spectator.media import MAX_BYTES
from spectator.newsroom import bp

log = logging.getLogger(__name__)
MESSAGES = {
    403: (
        "Request refused",
        "It did not come from a newsroom page. Go back, reload the page and try again.",
    ),
    404: ("Story not found", "Check the address, or find the story in the list."),
    413: (
        "That is too large",
        f"A story's text can be up to 1 MB, its picture up to {MAX_BYTES // 1024**2} MB. "
        "Go back: most browsers still have your text.",
    ),
    415: ("This page has expired", "Reload it and try again."),
}
SERVER_ERROR = (
    "Something went wrong",
    "Nothing was saved, and the error is in the log. "
    "Copy your text somewhere safe, then go back and try again.",
)
STORAGE_FAILURE = (
    "Not saved",
    "{reason}, so nothing can be saved right now. "
    "Copy your text, tell your site administrator and try again later.",
)
STORAGE_REASONS = {
    "busy": "The server is busy saving something else",
    "full": "The server's disk is full",
    "read-only": "The server's disk is read-only",
    "damaged": "The server's database is damaged",
    "not a database": "The server's database is damaged",
    "no memory": "The server is out of memory",
}
DISK_ERRORS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EIO: "disk error",
    errno.ENOMEM: "no memory",
}
MAX_DRAINED_BYTES = 128 * 1024 * 1024


def render_error(code: int, title: str, message: str, unsaved_text: str = "") -> tuple[str, int]:
    """Return an error page, with the text that was sent, and its status."""
    return render_template(
        "newsroom/error.html", title=title, message=message, unsaved_text=unsaved_text
    ), code


def render_refusal(message: str, seq: str = "") -> str:
    """Return the fragment that says why something was not stored."""
    return render_template(
        "newsroom/_autosave_status.html", outcome="refused", seq=seq, message=message
    )


@bp.errorhandler(publishing.ForbiddenError)
def show_forbidden(error: publishing.ForbiddenError) -> tuple[str, int]:
    """Show who may do this, and the text that was sent."""
    is_publisher = g.get("user") is not None and publishing.is_publisher(g.user)
    title = "This story has changed" if is_publisher else "You don't have permission to do this"
    return render_error(403, title, str(error), request.form.get("body", ""))


@bp.errorhandler(publishing.NotFoundError)
def show_not_found(_error: publishing.NotFoundError) -> tuple[str, int]:
    """Show that there is no such story, and the text that was sent."""
    return render_error(404, *MESSAGES[404], unsaved_text=request.form.get("body", ""))


@bp.errorhandler(StorageError)
def show_storage_error(error: StorageError) -> tuple[str, int]:
    """Show why nothing can be saved, and the text that was sent."""
    log.error("%s %s was not saved: %s", request.method, request.path, error)
    title, message = STORAGE_FAILURE
    reason = STORAGE_REASONS.get(error.cause, "The server's disk does not respond")
    return render_error(503, title, message.format(reason=reason), _submitted_text())


@bp.errorhandler(OSError)
def show_disk_error(error: OSError) -> tuple[str, int]:
    """Show why a picture could not be stored; re-raise an OSError with any other cause."""
    if error.errno not in DISK_ERRORS:
        raise error
    return show_storage_error(StorageError(DISK_ERRORS[error.errno], error))


def _submitted_text() -> str:
    """Return the submitted body, or "" if parsing the form has failed or not yet happened."""
    text: str = vars(request).get("form", {}).get("body", "")
    return text


@bp.errorhandler(RequestEntityTooLarge)
def show_too_large(_error: RequestEntityTooLarge) -> tuple[str, int]:
    """Show the size limits.

    Read the rest of the body first: a browser shows no answer before it has sent everything.
    """
    stream, remaining = request.environ["wsgi.input"], MAX_DRAINED_BYTES
    while remaining > 0 and (chunk := stream.read(65536)):
        remaining -= len(chunk)
    return render_error(413, *MESSAGES[413])


@bp.errorhandler(HTTPException)
def show_error(error: HTTPException) -> Response | tuple[str, int]:
    """Show an HTTP error in plain words."""
    if error.code is None or error.code < 400:
        return error.get_response()
    title, message = (
        SERVER_ERROR
        if error.code >= 500
        else MESSAGES.get(error.code, (error.name, error.description or ""))
    )
    return render_error(error.code, title, message, _submitted_text())
