"""Error pages of the newsroom. They show the submitted text, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

from flask import g, render_template, request, url_for
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from spectator import publishing
from spectator.i18n import gettext, lazy_gettext
from spectator.media import MAX_BYTES
from spectator.newsroom import bp

ErrorText = tuple[str, str]  # a title, and a sentence about what to do
MESSAGES: dict[int, ErrorText] = {
    403: (
        lazy_gettext("Request refused"),
        lazy_gettext(
            "It did not come from a newsroom page. Go back, reload the page and try again."
        ),
    ),
    404: (
        lazy_gettext("Story not found"),
        lazy_gettext("Check the address, or find the story in the list."),
    ),
    413: (
        lazy_gettext("That is too large"),
        lazy_gettext(
            "A story's text can be up to 1 MB, its picture up to %(limit)s MB. "
            "Go back: most browsers still have your text.",
            limit=MAX_BYTES // 1024**2,
        ),
    ),
    415: (
        lazy_gettext("This page has expired"),
        lazy_gettext("Reload it and try again."),
    ),
}
PAGE_NOT_FOUND: ErrorText = (
    lazy_gettext("Page not found"),
    lazy_gettext("Check the address, or find the page in the list."),
)
SERVER_ERROR: ErrorText = (
    lazy_gettext("Something went wrong"),
    lazy_gettext(
        "Nothing was saved, and the error is in the log. "
        "Copy your text somewhere safe, then go back and try again."
    ),
)
MAX_DRAINED_BYTES = 128 * 1024 * 1024


def render_error(
    code: int,
    title: str,
    message: str,
    unsaved_text: str = "",
    submitted_values: Sequence[tuple[str, str]] = (),
) -> tuple[str, int]:
    """Return an error page and its status.

    The page shows the text that was sent, and a button that sends the submitted values again.
    """
    return render_template(
        "newsroom/error.html",
        title=title,
        message=message,
        unsaved_text=unsaved_text,
        submitted_values=submitted_values,
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
    title = gettext("You don't have permission to do this")
    if is_publisher:
        title = gettext("This story has changed")
    return render_error(403, title, str(error), request.form.get("body", ""))


@bp.errorhandler(publishing.CopyLimitReached)
def show_copy_limit(_error: publishing.CopyLimitReached) -> tuple[str, int]:
    """Show that somebody has changed the status of long stories too often."""
    message = gettext(
        "You have changed the status of long stories many times. Try again in an hour."
    )
    return render_error(429, gettext("Too many changes"), message)


@bp.errorhandler(publishing.NotFoundError)
def show_not_found(_error: publishing.NotFoundError) -> tuple[str, int]:
    """Show that there is no such story, and the text that was sent."""
    return render_error(404, *not_found_text(), unsaved_text=request.form.get("body", ""))


def not_found_text() -> ErrorText:
    """Return the text about a story that does not exist, or about a page below its address."""
    if request.path.startswith(url_for("newsroom.pages")):
        return PAGE_NOT_FOUND
    return MESSAGES[404]


def submitted_text() -> str:
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
        SERVER_ERROR if error.code >= 500 else MESSAGES.get(error.code, MESSAGES[403])
    )
    return render_error(error.code, title, message, submitted_text())
