"""Pictures in the story form, stored as soon as they arrive so that no error loses them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from flask import current_app, render_template, request
from werkzeug.datastructures import FileStorage

from spectator import publishing, queries, tokens
from spectator.db import db
from spectator.i18n import gettext
from spectator.media import (
    BUSY,
    Location,
    PictureError,
    PictureResourceError,
    StoredPicture,
    StoreError,
    remove_renditions,
    rendition_digests,
    rendition_names,
    store_upload,
)
from spectator.models import Picture, User
from spectator.newsroom import bp
from spectator.newsroom.errors import render_refusal
from spectator.newsroom.security import current_user, large_form
from spectator.publishing.validation import clean_line

log = logging.getLogger(__name__)
BODY_PICTURE_WIDTH = 960
_uploaders: set[int] = set()  # the people whose pictures this process is storing
_uploaders_lock = Lock()


def accept_upload(upload: FileStorage, by: User) -> int:
    """Store an uploaded picture and return its id; raises PictureError.

    Of each person a process stores one picture at a time, so that somebody's slow pictures do not
    take the place in which a colleague's would wait.

    A picture is withdrawn if it was public and only withdrawn stories use it now. If it is uploaded
    again, it stays withdrawn: its renditions, which a web server may serve from the disk, are
    removed.
    """
    location = current_app.config["MEDIA"]
    with _only_picture_of(by.id):
        picture = store_upload(upload.stream, location, with_avif=True)
    if queries.withdrawn_pictures([picture.digest]):
        _remove_renditions(location, picture.digest)
    return add_picture(picture, by)


@contextmanager
def _only_picture_of(user_id: int) -> Iterator[None]:
    """Raise PictureResourceError if this process is storing another picture of the user."""
    with _uploaders_lock:
        if user_id in _uploaders:
            raise PictureResourceError(gettext(BUSY))
        _uploaders.add(user_id)
    try:
        yield
    finally:
        _uploaders.discard(user_id)


def _remove_renditions(location: Location, digest: str) -> None:
    """Remove the renditions of a withdrawn picture, or leave that to the worker."""
    try:
        remove_renditions(location, digest)
    except StoreError as error:
        log.warning("the worker will remove the renditions of %s: %s", digest, error)


def withdrawn_in(picture: Picture | None, body: str) -> frozenset[str]:
    """Return the digests of the withdrawn pictures in a form."""
    digests = rendition_digests(body) | ({picture.digest} if picture else set())
    return queries.withdrawn_pictures(digests) if digests else frozenset()


def add_picture(stored: StoredPicture, by: User) -> int:
    """Add the row of a stored picture and return its id."""
    with db.write() as session:
        return publishing.add_picture(session, stored, by.id)


def picture_token(picture: Picture | None, user: User) -> str:
    """Return the signed token of a form's picture: a bare id would let users claim any upload."""
    if picture is None:
        return ""
    return tokens.sign(f"picture of {user.id}", f"{picture.id}-{picture.digest[:16]}")


def picture_from_token(token: str, user: User) -> Picture | None:
    """Return the picture of a token, None if the token is not the user's or the picture is gone.

    The token contains the start of the digest: after a backup is restored, the id may belong to
    another picture.
    """
    value = tokens.unsign(f"picture of {user.id}", token)
    if value is None:
        return None
    number, _, digest = value.partition("-")
    picture = queries.picture(int(number))
    if picture is None:
        return None
    # Autosaves may still have tokens that were made before tokens contained a digest.
    is_same_picture = (
        picture.digest.startswith(digest) if digest else picture.created_by_id == user.id
    )
    return picture if is_same_picture else None


@bp.post("/fragments/pictures", endpoint="body_picture")
@large_form
def upload_body_picture() -> str:
    """Store a picture for the story's body and return its figure, or what is wrong with it."""
    upload, texts = request.files.get("picture"), _picture_texts()
    if upload is None or not upload.filename:
        return render_refusal(gettext("Choose a picture."))
    if not texts["alt"]:
        return render_refusal(
            gettext("Say what the picture shows, for readers who cannot see it.")
        )
    try:
        picture = queries.picture(accept_upload(upload, current_user()))
    except PictureError as error:
        return render_refusal(str(error))
    assert picture is not None
    return render_template("newsroom/_figure.html", **texts, **_body_rendition(picture))


def _picture_texts() -> dict[str, str]:
    names = ("alt", "caption", "credit")
    return {name: clean_line(request.form.get(name, "")[:1000]) for name in names}


def _body_rendition(picture: Picture) -> dict[str, object]:
    """Return name and size of the narrowest rendition that fills the column of a story's body."""
    renditions = rendition_names(
        picture.digest, picture.extension, picture.width
    )  # narrowest first
    wide = [rendition for rendition in renditions if rendition[1] >= BODY_PICTURE_WIDTH]
    name, width = wide[0] if wide else renditions[-1]
    height = max(1, round(picture.height * width / picture.width))
    return {"name": name, "width": width, "height": height}
