"""Uploaded pictures, for readers."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

from flask import Response, abort, current_app, request, send_file

from spectator import queries
from spectator.media import (
    CONTENT_TYPES,
    FILE_TYPES,
    Location,
    StoreError,
    digest_from_name,
    is_rendition_name,
    open_bucket,
)
from spectator.site import bp

log = logging.getLogger(__name__)
YEAR_SECONDS = 31_536_000
RETRY_SECONDS = 10


@bp.get("/media/<path:name>")
def media(name: str) -> Response:
    """Send a rendition: a picture in one of its sizes, or a file to download or to play.

    Its name changes with its content, so it is cached for a year.

    A withdrawn picture is 410 Gone even before the worker has removed its file.
    """
    location: Location = current_app.config["MEDIA"]
    _require_visible(location, name)
    try:
        response = _send_rendition(location, name)
    except FileNotFoundError:
        abort(404)
    except StoreError as error:
        log.warning("a picture could not be sent: %s", error)
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return Response(status=503, headers=headers, mimetype="text/plain")
    response.cache_control.public = response.cache_control.immutable = True
    if Path(name).suffix[1:] in FILE_TYPES:
        # A PDF may hold links and scripts of its own, so no browser opens it as a page of the site.
        response.headers["Content-Disposition"] = "attachment"
    return response


def _require_visible(location: Location, name: str) -> None:
    """Answer 404 or 410 if a name is invalid or its picture withdrawn.

    A bucket is not asked for every name that somebody invents: a picture in one has a row.
    """
    if not is_rendition_name(name):
        abort(404)
    state = queries.picture_state(digest_from_name(name))
    if state is not None and state.is_withdrawn:
        abort(410)
    if state is None and isinstance(location, str):
        abort(404)


def _send_rendition(location: Location, name: str) -> Response:
    """Return a response with a rendition. Raises FileNotFoundError and StoreError."""
    kind, etag = CONTENT_TYPES[Path(name).suffix], Path(name).stem
    if isinstance(location, Path):
        path = location / "renditions" / name
        return send_file(path, kind, max_age=YEAR_SECONDS, conditional=True)
    has_copy = request.if_none_match.contains(etag)  # then the answer has no body
    content = BytesIO(b"" if has_copy else open_bucket(location).read(f"renditions/{name}"))
    return send_file(content, kind, max_age=YEAR_SECONDS, conditional=True, etag=etag)
