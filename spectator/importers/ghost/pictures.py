"""Pictures of an old site of Ghost in a copy of its directory `content`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from spectator.importers.pictures import open_picture
from spectator.importers.records import RecordError

# Where pictures are in a copy of `content`, of its directory `images`, or of the site.
_ROOTS = ("content/images", "images", "")
_PATH = re.compile(r"/content/images/(?:size/[\w-]+/)?(?:format/\w+/)?(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class PictureDirectory:
    """The directory of pictures; None if there is none."""

    directory: Path | None

    def find(self, url: str) -> str:
        """Return the path of a picture below the directory, "" if it is not there.

        The URL of a smaller copy leads to the original.
        """
        try:
            match = _PATH.search(unquote(urlsplit(url).path))
        except ValueError:
            return ""
        if self.directory is None or match is None:
            return ""
        paths = (f"{root}/{match['name']}".lstrip("/") for root in _ROOTS)
        return next(filter(self._has, paths), "")

    def _has(self, path: str) -> bool:
        try:
            open_picture(path, self.directory).close()
        except RecordError:
            return False
        return True
