"""Pictures and other files of an old site of Ghost, from a copy of its directory `content`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from spectator import media
from spectator.importers.body_media import MediaFile
from spectator.importers.pictures import open_picture
from spectator.importers.records import RecordError

BODY_PICTURE_WIDTH = 960  # of the rendition in a text, as for pictures that editors upload
MAX_REMEMBERED = 20_000
_PATH = re.compile(
    r"/content/(?P<kind>images|media|files)/(?:size/[\w-]+/)?(?:format/\w+/)?(?P<name>.+)"
)


class FileLibrary:
    """Stores the files that posts show, at `location`; `directory` is None if there are none."""

    def __init__(self, location: media.Location, directory: Path | None) -> None:
        self.location, self.directory = location, directory
        self.stored: dict[str, media.StoredPicture | None] = {}

    def get(self, url: str) -> media.StoredPicture | None:
        """Return the file with a URL of the old site, stored; None if it is missing or damaged.

        The URL of a smaller copy of a picture leads to the original.
        """
        try:
            match = _PATH.search(unquote(urlsplit(url).path))
        except ValueError:
            return None
        if self.directory is None or match is None:
            return None
        path = f"{match['kind']}/{match['name']}"
        if path not in self.stored:
            if len(self.stored) >= MAX_REMEMBERED:
                self.stored.clear()
            self.stored[path] = self._store(path, match["name"])
        return self.stored[path]

    def _store(self, path: str, name: str) -> media.StoredPicture | None:
        """Store a file of a copy of the site, of `content`, or of one directory in it."""
        for candidate in (f"content/{path}", path, name):
            try:
                with open_picture(candidate, self.directory) as file:
                    return media.store_media(file, self.location)
            except RecordError:
                continue
            except (OSError, media.PictureError):
                return None
        return None


class PostFiles:
    """The files of one post: `used` are those that its body shows."""

    def __init__(self, library: FileLibrary) -> None:
        self.library = library
        self.used: dict[str, media.StoredPicture] = {}

    def find(self, url: str) -> MediaFile | None:
        """Return the file with a URL of the old site, for the body; None if it is missing."""
        stored = self.library.get(url)
        if stored is None:
            return None
        self.used[stored.digest] = stored
        names = media.rendition_names(stored.digest, stored.extension, stored.width)
        wide = [rendition for rendition in names if rendition[1] >= BODY_PICTURE_WIDTH]
        name, width = wide[0] if wide else names[-1]
        height = round(stored.height * width / stored.width) if stored.width else 0
        return MediaFile(f"/media/{name}", width, height)


@contextmanager
def open_library(
    location: media.Location, directory: Path | None, is_dry: bool
) -> Iterator[FileLibrary]:
    """Yield the library of an import; a dry run stores files for as long as it takes."""
    if not is_dry:
        yield FileLibrary(location, directory)
        return
    with TemporaryDirectory() as temporary:
        yield FileLibrary(Path(temporary), directory)
