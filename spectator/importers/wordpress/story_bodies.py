"""Bodies of posts and pages with the pictures of this site."""

from __future__ import annotations

import re
from typing import NamedTuple

from spectator import media
from spectator.importers.body_media import MediaFile, replace_media
from spectator.importers.wordpress.attachments import AttachedFile
from spectator.importers.wordpress.bodies import convert_body
from spectator.importers.wordpress.body_context import Attachment, BodyContext
from spectator.importers.wordpress.elements import Item
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.survey import Survey

# Addresses of films, which are not stored and stay as they are.
_FILM = re.compile(
    r"[^?#]+\.(?:mp4|m4v|webm|ogv|mov|avi|wmv|mpe?g|3gp)(?:[?#].*)?", re.IGNORECASE | re.DOTALL
)


class StoryBody(NamedTuple):
    """A body, the pictures that it shows, and sentences for the receipt."""

    html: str
    pictures: tuple[media.StoredPicture, ...] = ()
    changes: tuple[str, ...] = ()


def story_body(item: Item, survey: Survey, library: MediaLibrary) -> StoryBody:
    """Return the body of a post; a picture that is missing is a note to editors in it."""
    index = survey.attachments
    context = BodyContext(
        base_url=survey.url,
        attachment=lambda number: _attachment(index.get(number)),
        is_file=index.has_url,
        attached=[Attachment(*file[1:]) for file in index.of_post(item.post_id)],
        footnotes=item.meta_value("footnotes"),
        pattern=survey.patterns.get,
    )
    body = convert_body(item.fields.get("content", ""), context)
    files: dict[str, MediaFile | None] = {}
    pictures: dict[str, media.StoredPicture] = {}
    for url in body.media_urls:
        if _FILM.fullmatch(url):
            library.add_missing(url)
            continue
        picture = library.picture(url)
        files[url] = None
        if picture is not None:
            pictures[picture.digest] = picture
            files[url] = MediaFile(picture_path(picture), picture.width, picture.height)
    html = replace_media(body.html, files)
    return StoryBody(html, tuple(pictures.values()), body.changes)


def _attachment(file: AttachedFile | None) -> Attachment | None:
    return None if file is None else Attachment(*file[1:])


def picture_path(picture: media.StoredPicture) -> str:
    """Return the path of a picture on this site."""
    return f"/media/{picture_name(picture)}"


def picture_name(picture: media.StoredPicture) -> str:
    """Return the name of the widest rendition of a picture, which links lead to."""
    *_, (name, _) = media.rendition_names(picture.digest, picture.extension, picture.width)
    return name
