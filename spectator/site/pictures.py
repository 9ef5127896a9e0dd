"""Uploaded pictures, for readers."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, send_file

from spectator.media import rendition_path

YEAR_SECONDS = 31_536_000


def register(site: Blueprint) -> None:
    """Add the address of renditions."""
    site.add_url_rule("/media/<path:name>", "media", media)


def media(name: str) -> Response:
    """Give a rendition of a picture; its name changes with its content, so it may be kept for a year."""
    path = rendition_path(current_app.config["MEDIA"], name)
    if path is None or not path.is_file():
        abort(404)
    response = send_file(path, max_age=YEAR_SECONDS, conditional=True)
    response.cache_control.public = response.cache_control.immutable = True
    return response
