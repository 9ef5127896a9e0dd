"""Static files of the project, and of the `static` folder in the data directory.

They are read and compressed once, and sent from memory, so that a process sends the files that its
pages link to, even after the checkout is updated. A URL with the file's digest (`?v=`) can be
cached forever.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from posixpath import normpath
from urllib.parse import quote

import brotli
from flask import Flask, Response, abort, current_app, request
from werkzeug.security import safe_join

from spectator.config import PROJECT_ROOT
from spectator.pagecache.compression import accepted_encodings, gzip_bytes, is_compressible

URL_PREFIX = "/static/"
OPERATOR_FOLDER = "static"  # in the data directory
IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"
DIGEST_LENGTH = 10
MAX_FILE_BYTES = 5_000_000
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".webmanifest": "application/json",
}


@dataclass(frozen=True)
class StaticFile:
    """A file in memory: its bytes, a digest of them, and its media type."""

    content: bytes
    digest: str
    mimetype: str

    @cached_property
    def bodies(self) -> dict[str, bytes]:
        """The content by Content-Encoding ("" = uncompressed), if that makes it smaller."""
        bodies = {"": self.content}
        if is_compressible(self.mimetype, self.content):
            compressed = {
                "gzip": gzip_bytes(self.content),
                "br": brotli.compress(self.content, quality=11),
            }
            bodies |= {
                name: body for name, body in compressed.items() if len(body) < len(self.content)
            }
        return bodies

    def choose_encoding(self, accept_encoding: str) -> str:
        """Return the smallest encoding that an Accept-Encoding header accepts."""
        return next(
            (name for name in accepted_encodings(accept_encoding) if name in self.bodies), ""
        )


def read_file(path: Path) -> StaticFile:
    """Read a file and compute its digest. Raises OSError."""
    content = path.read_bytes()
    mimetype = (
        MEDIA_TYPES.get(path.suffix)
        or mimetypes.guess_type(path.name)[0]
        or "application/octet-stream"
    )
    return StaticFile(content, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH], mimetype)


@cache
def read_checkout() -> dict[str, StaticFile]:
    """Read every file of the project's `static/`, by its name there. The result is cached."""
    folder = PROJECT_ROOT / "static"
    return {path.relative_to(folder).as_posix(): read_file(path) for path in _iter_files(folder)}


def _iter_files(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
    )


@dataclass
class StaticFiles:
    """The static files by name: the project's first, then the operator's, read on first use."""

    operator_folder: Path
    operator_files: dict[str, StaticFile] = field(default_factory=dict)

    def find(self, name: str) -> StaticFile | None:
        """Return the file with this name, or None. Only existing files are cached."""
        file = read_checkout().get(name) or self.operator_files.get(name)
        return file or self._read_operator_file(name)

    def _read_operator_file(self, name: str) -> StaticFile | None:
        # Only "logo.png", not "./logo.png", or a file would be cached under many names.
        if name != normpath(name):
            return None
        path = safe_join(str(self.operator_folder), name)
        try:
            if (
                path is None
                or not Path(path).is_file()
                or Path(path).stat().st_size > MAX_FILE_BYTES
            ):
                return None
            file = self.operator_files[name] = read_file(Path(path))
        except (OSError, ValueError):  # unreadable, or not a valid file name
            return None
        return file

    def url(self, name: str) -> str:
        """Return the URL of a file, with its digest if the file exists."""
        file = self.find(name)
        return f"{URL_PREFIX}{quote(name)}" + (f"?v={file.digest}" if file else "")

    def add_digest(self, url: str) -> str:
        """Return a URL with the file's digest if it is a static file of this site."""
        return self.url(url.removeprefix(URL_PREFIX)) if url.startswith(URL_PREFIX) else url


def register(app: Flask) -> None:
    """Serve the files at `/static/`."""
    app.extensions["static_files"] = StaticFiles(app.config["DATA_DIR"] / OPERATOR_FOLDER)
    app.add_url_rule(f"{URL_PREFIX}<path:filename>", "static", send_static_file)
    read_checkout()


def current_static_files() -> StaticFiles:
    """Return the static files of the current application."""
    files: StaticFiles = current_app.extensions["static_files"]
    return files


def send_static_file(filename: str) -> Response:
    """Send a file in the smallest encoding that the client accepts.

    With the file's digest in the URL, the response can be cached forever.
    """
    file = current_static_files().find(filename)
    if file is None:
        abort(404)
    encoding = file.choose_encoding(request.headers.get("Accept-Encoding", ""))
    response = Response(file.bodies[encoding], mimetype=file.mimetype)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = (
        IMMUTABLE_CACHE_CONTROL if request.args.get("v") == file.digest else "no-cache"
    )
    response.set_etag(f"{file.digest}-{encoding}" if encoding else file.digest)
    response.make_conditional(request)
    return response
