"""Files of the old site: from a directory or from the site itself, each stored once.

What was stored is remembered beside the data, so that an import that is repeated or was killed
decodes no picture twice. These notes can be deleted.
"""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import astuple
from functools import partial
from os import fstat
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from spectator import media
from spectator.i18n import gettext
from spectator.importers.downloads import DownloadError
from spectator.importers.pictures import open_picture
from spectator.importers.records import RecordError
from spectator.importers.wordpress.attachments import AttachmentIndex, original_paths, upload_path

# Directories of a copy of the site in which its uploads may be.
ROOTS = ("", "uploads", "wp-content/uploads")
MAX_FAILURES = 20  # of a host in a row, after which it is not asked again
MAX_REASON = 200
_SCHEMA = """
CREATE TABLE IF NOT EXISTS stored (
    source TEXT PRIMARY KEY, stamp TEXT, digest TEXT, extension TEXT, width INTEGER,
    height INTEGER, byte_size INTEGER, has_avif INTEGER
)
"""

Fetch = Callable[[str], bytes]  # raises DownloadError


class MediaLibrary:
    """The pictures of an old site by their addresses there.

    `directory` holds a copy of its uploads. `fetch` gets a file from the site or from one of
    `hosts`. `missing` collects the addresses of pictures that could not be stored, with the reason.
    A dry run stores nothing and knows only what was stored before.
    """

    def __init__(
        self,
        location: media.Location,
        index: AttachmentIndex,
        site_url: str,
        notes: Path | None = None,
        *,
        directory: Path | None = None,
        fetch: Fetch | None = None,
        hosts: Collection[str] = (),
        is_dry: bool = False,
    ) -> None:
        self.location, self.index, self.site_url = location, index, site_url
        self.directory, self.fetch, self.is_dry = directory, fetch, is_dry
        self.hosts = {host.lower().removeprefix("www.") for host in hosts if host}
        self.missing: dict[str, str] = {}
        self.unstored: set[str] = set()  # that a dry run would store
        self.failures: Counter[str] = Counter()
        self.database = sqlite3.connect(str(notes) if notes else "", isolation_level=None)
        self.database.execute(_SCHEMA)

    def absolute(self, url: str) -> str:
        """Return an address with the site's for one that is relative, "" if it is none."""
        try:
            absolute = urljoin(f"{self.site_url}/", url.strip())
            is_web = urlsplit(absolute).scheme in {"http", "https"}
        except ValueError:
            return ""
        return absolute if is_web else ""

    def add_missing(self, url: str) -> None:
        """Note a file that is no picture, which the importer does not store."""
        self.missing.setdefault(url, gettext("not stored: a film"))

    def is_own(self, url: str) -> bool:
        """Return whether an address is on one of the hosts of the old site."""
        with suppress(ValueError):
            return self.is_own_host(urlsplit(url).hostname or "")
        return False

    def is_own_host(self, host: str) -> bool:
        """Return whether a host is one of the old site, with www or without."""
        return host.lower().removeprefix("www.") in self.hosts

    def picture(self, url: str) -> media.StoredPicture | None:
        """Return the picture at an address, stored; None if it is missing.

        The address of a smaller copy leads to the original.
        """
        absolute = self.absolute(url)
        if not absolute or url in self.missing:
            self.missing.setdefault(url, gettext("on another host"))
            return None
        reason = gettext("not in the directory of the media")
        if self.is_own(absolute):
            for source in self._sources(absolute):
                try:
                    return source()
                except RecordError:
                    continue  # there is no such file in the directory
                except (DownloadError, media.PictureError, OSError) as error:
                    reason = str(error)
        else:
            reason = gettext("on another host")
        self.missing[url] = " ".join(reason.split())[:MAX_REASON]
        return None

    def _sources(self, url: str) -> Iterator[Callable[[], media.StoredPicture | None]]:
        """Yield functions that store the picture from the places where it may be."""
        attached = self.index.original(url)
        own_path = upload_path(attached.url) if attached else ""
        paths = list(dict.fromkeys(filter(None, (own_path, *original_paths(upload_path(url))))))
        if self.directory is not None:
            for path in paths:
                for root in ROOTS:
                    yield partial(self._store_file, f"{root}/{path}".lstrip("/"))
        if self.fetch is not None:
            base, _, name = url.partition("?")[0].rpartition("/")
            names = original_paths(name)
            addresses = [attached.url] if attached else []
            addresses += [f"{base}/{name}" for name in names]
            for address in dict.fromkeys(addresses):
                yield partial(self._store_address, address)

    def _store_file(self, path: str) -> media.StoredPicture | None:
        with open_picture(path, self.directory) as file:
            status = fstat(file.fileno())
            stamp = f"{status.st_size} {status.st_mtime_ns}"
            return self._store(f"file:{self.directory}/{path}", stamp, lambda: file)

    def _store_address(self, url: str) -> media.StoredPicture | None:
        host = (urlsplit(url).hostname or "").lower()
        if not self.is_own_host(host) or self.fetch is None:
            raise DownloadError(gettext("on another host"))
        fetch = self.fetch

        def open_download() -> IO[bytes]:
            if self.failures[host] >= MAX_FAILURES:
                raise DownloadError(gettext("%(host)s does not answer", host=host))
            try:
                content = fetch(url)
            except DownloadError as error:
                self.failures[host] = 0 if error.has_answered else self.failures[host] + 1
                raise
            self.failures[host] = 0
            return io.BytesIO(content)

        return self._store(url, "", open_download)

    def _store(
        self, source: str, stamp: str, opened: Callable[[], IO[bytes]]
    ) -> media.StoredPicture | None:
        """Store a picture, unless it was stored before; None in a dry run."""
        query = "SELECT * FROM stored WHERE source = ? AND stamp = ?"
        for row in self.database.execute(query, (source, stamp)):
            digest, extension, width, height, byte_size, has_avif = row[2:]
            if self._has_original(digest, extension):
                return media.StoredPicture(
                    digest, extension, width, height, byte_size, bool(has_avif)
                )
        if self.is_dry:
            self.unstored.add(source)
            return None
        picture = media.store_media(opened(), self.location)
        values = (source, stamp, *astuple(picture))
        self.database.execute("REPLACE INTO stored VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return picture

    def _has_original(self, digest: str, extension: str) -> bool:
        """Return whether the original is still there; of a bucket that is taken for granted."""
        if not isinstance(self.location, Path):
            return True
        return (self.location / media.original_name(digest, extension)).exists()
