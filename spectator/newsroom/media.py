"""Pictures in the form: stored as soon as they arrive, so that a refused form does not lose them."""

from __future__ import annotations

import hashlib

from flask import current_app
from itsdangerous import BadSignature, Signer
from werkzeug.datastructures import FileStorage

from spectator import publishing, queries
from spectator.db import db
from spectator.media import StoredPicture, remove_renditions, rendition_digests, store_upload
from spectator.models import Picture, User


def accept_upload(upload: FileStorage, by: User) -> int:
    """Take in an uploaded picture and return its id; raises media.PictureRefused.

    The upload of a picture that is withdrawn does not put its renditions back, which a web server reads from the disk.
    """
    directory = current_app.config["MEDIA"]
    taken = store_upload(upload.stream, directory)
    if queries.withdrawn_pictures([taken.digest]):
        remove_renditions(directory, taken.digest, taken.extension)
    return add_picture(taken, by)


def withdrawn_in(picture: Picture | None, body: str) -> frozenset[str]:
    """Return the digests of a form's pictures that nobody is shown, because they are withdrawn."""
    digests = rendition_digests(body) | ({picture.digest} if picture else set())
    return queries.withdrawn_pictures(digests) if digests else frozenset()


def add_picture(stored: StoredPicture, by: User) -> int:
    """Store a picture that was taken in and return its id."""
    with db.write() as session:
        return publishing.add_picture(session, stored, by.id)


def _picture_signer(user: User) -> Signer:
    return Signer(
        current_app.config["SECRET_KEY"], salt=f"picture of {user.id}", digest_method=hashlib.sha256
    )


def picture_token(picture: Picture | None, user: User) -> str:
    """Return how a form names the picture it holds: a number alone would let anybody claim a colleague's upload."""
    return (
        _picture_signer(user).sign(f"{picture.id}-{picture.digest[:16]}").decode()
        if picture
        else ""
    )


def picture_from_token(token: str, user: User) -> Picture | None:
    """Return the picture that a form names, None where we never gave this person that name or the picture is gone.

    The name holds the start of the picture's digest: behind a restored backup the number may be another picture's.
    """
    try:
        number, _, digest = _picture_signer(user).unsign(token).decode().partition("-")
    except BadSignature:
        return None
    picture = queries.picture(int(number))
    if picture is None:
        return None
    # names without a digest were given before; unsaved texts may still hold one
    is_the_same = picture.digest.startswith(digest) if digest else picture.created_by_id == user.id
    return picture if is_the_same else None
