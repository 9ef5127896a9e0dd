"""Files of `static/`, and of the operator's own folder of that name in the data directory.

They are read once, compressed once, and sent from memory: a page that this process made names the very file that this
process sends, even when the checkout has moved on. An address with the digest of the file (`?v=`) may be kept for good.
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
    """A file as it was read: its bytes, what tells it from an earlier one of the same name, its media type."""

    content: bytes
    digest: str
    mimetype: str

    @cached_property
    def bodies(self) -> dict[str, bytes]:
        """Return the content by Content-Encoding ("" = as it is), only where an encoding makes it smaller."""
        bodies = {"": self.content}
        if is_compressible(self.mimetype, self.content):
            packed = {
                "gzip": gzip_bytes(self.content),
                "br": brotli.compress(self.content, quality=11),
            }
            bodies |= {name: body for name, body in packed.items() if len(body) < len(self.content)}
        return bodies

    def choose_encoding(self, accept_encoding: str) -> str:
        """Return the smallest encoding that an Accept-Encoding allows."""
        return next(
            (name for name in accepted_encodings(accept_encoding) if name in self.bodies), ""
        )


def read_file(path: Path) -> StaticFile:
    """Return a file with its digest; raises OSError."""
    content = path.read_bytes()
    mimetype = (
        MEDIA_TYPES.get(path.suffix)
        or mimetypes.guess_type(path.name)[0]
        or "application/octet-stream"
    )
    return StaticFile(content, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH], mimetype)


@cache
def read_checkout() -> dict[str, StaticFile]:
    """Return every file of the checkout's `static/` by its name there, as they were when this was first asked for."""
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
    """The files of a site by name: the checkout's first, then the operator's, which are read when first asked for."""

    operator_folder: Path
    operator_files: dict[str, StaticFile] = field(default_factory=dict)

    def find(self, name: str) -> StaticFile | None:
        """Return the file of a name, None where there is none; only files that exist are remembered."""
        file = read_checkout().get(name) or self.operator_files.get(name)
        return file or self._read_operator_file(name)

    def _read_operator_file(self, name: str) -> StaticFile | None:
        if name != normpath(
            name
        ):  # "./logo.png": a file has one name, or it would be kept under each of them
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
        except (OSError, ValueError):  # not ours to read, or no file name at all
            return None
        return file

    def url(self, name: str) -> str:
        """Return the address of a file with its digest; without one where the file is missing."""
        file = self.find(name)
        return f"{URL_PREFIX}{quote(name)}" + (f"?v={file.digest}" if file else "")

    def add_digest(self, address: str) -> str:
        """Return an address with the digest of the file that it names, where that is a file of this site."""
        return (
            self.url(address.removeprefix(URL_PREFIX))
            if address.startswith(URL_PREFIX)
            else address
        )


def register(app: Flask) -> None:
    """Serve the files at `/static/`."""
    app.extensions["static_files"] = StaticFiles(app.config["DATA_DIR"] / OPERATOR_FOLDER)
    app.add_url_rule(f"{URL_PREFIX}<path:filename>", "static", send_static_file)
    read_checkout()


def current_static_files() -> StaticFiles:
    """Return the files of the site that answers now."""
    files: StaticFiles = current_app.extensions["static_files"]
    return files


def send_static_file(filename: str) -> Response:
    """Send a file in the smallest encoding that the browser takes; for good where its address has the file's digest."""
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
