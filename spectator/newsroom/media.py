"""Pictures in the story form, stored as soon as they arrive so that no error loses them."""

from __future__ import annotations

from flask import current_app
from werkzeug.datastructures import FileStorage

from spectator import publishing, queries, tokens
from spectator.db import db
from spectator.media import StoredPicture, remove_renditions, rendition_digests, store_upload
from spectator.models import Picture, User


def accept_upload(upload: FileStorage, by: User) -> int:
    """Store an uploaded picture and return its id; raises media.PictureError.

    A withdrawn picture that is uploaded again stays withdrawn: its renditions, which a web server
    may serve from the disk, are removed.
    """
    directory = current_app.config["MEDIA"]
    picture = store_upload(upload.stream, directory)
    if queries.withdrawn_pictures([picture.digest]):
        remove_renditions(directory, picture.digest, picture.extension)
    return add_picture(picture, by)


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
    """Return the picture of a token; None if the token was not issued to the user or it is gone.

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
    # Old tokens have no digest; unsaved text may still contain one.
    is_the_same = picture.digest.startswith(digest) if digest else picture.created_by_id == user.id
    return picture if is_the_same else None
