"""Uploaded pictures, for readers."""

from __future__ import annotations

from flask import Response, abort, current_app, send_file

from spectator import queries
from spectator.media import digest_from_name, rendition_path
from spectator.site import bp

YEAR_SECONDS = 31_536_000


@bp.get("/media/<path:name>")
def media(name: str) -> Response:
    """Send a rendition, a picture in one of its sizes.

    Its name changes with its content, so it is cached for a year.

    A withdrawn picture is 410 Gone even before the worker has removed its file.
    """
    path = rendition_path(current_app.config["MEDIA"], name)
    if path is None:
        abort(404)
    state = queries.picture_state(digest_from_name(name))
    if state is not None and state.is_withdrawn:
        abort(410)
    if not path.is_file():
        abort(404)
    response = send_file(path, max_age=YEAR_SECONDS, conditional=True)
    response.cache_control.public = response.cache_control.immutable = True
    return response
