"""Bodies of posts with the pictures of this site."""

from __future__ import annotations

from typing import NamedTuple

from spectator import media
from spectator.importers.bodies import convert_body
from spectator.importers.wordpress.elements import Item
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.survey import Survey


class StoryBody(NamedTuple):
    """A body, the pictures that it shows, and sentences for the receipt."""

    html: str
    pictures: tuple[media.StoredPicture, ...] = ()
    changes: tuple[str, ...] = ()


def story_body(item: Item, survey: Survey, library: MediaLibrary) -> StoryBody:
    """Return the body of a post."""
    return StoryBody(convert_body(item.fields.get("content", "")).strip())
