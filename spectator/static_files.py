"""Static files of the project, and of the `static` folder in the data directory.

They are read and compressed once, and sent from memory, so that a process sends the files that its
pages link to, even after the checkout is updated. URLs of the project's files contain one common
version in the path, so that relative imports of a module have the same version; URLs of the
operator's files contain the file's digest (`?v=`). Both can be cached forever.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from posixpath import normpath
from urllib.parse import quote

import brotli
from flask import Flask, Response, abort, request
from werkzeug.security import safe_join

from spectator.config import PROJECT_ROOT
from spectator.pagecache.compression import accepted_encodings, gzip_bytes, is_compressible

URL_PREFIX = "/static/"
OPERATOR_FOLDER = "static"  # in the data directory
IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"
DIGEST_LENGTH = 10
MAX_FILE_BYTES = 5_000_000
VERSION_PREFIX = re.compile(rf"[0-9a-f]{{{DIGEST_LENGTH}}}/")
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
        """The content by Content-Encoding, "" = uncompressed; without encodings that enlarge it."""
        bodies = {"": self.content}
        if is_compressible(self.mimetype, self.content):
            bodies["gzip"] = gzip_bytes(self.content)
            bodies["br"] = brotli.compress(self.content, quality=11)
        return {
            name: body for name, body in bodies.items() if not name or len(body) < len(bodies[""])
        }

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
    return file_of(content, mimetype)


def file_of(content: bytes, mimetype: str) -> StaticFile:
    """Return a static file with this content."""
    return StaticFile(content, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH], mimetype)


@cache
def read_project_files() -> dict[str, StaticFile]:
    """Read every file of the project's `static/`, by its name there. The result is cached."""
    folder = PROJECT_ROOT / "static"
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): read_file(path) for path in paths}


@cache
def project_files_version() -> str:
    """Return a digest of the names and contents of all the project's files."""
    digests = repr(sorted((name, file.digest) for name, file in read_project_files().items()))
    return hashlib.sha256(digests.encode()).hexdigest()[:DIGEST_LENGTH]


@dataclass
class StaticFiles:
    """The static files by name: the project's first, then the operator's, read on first use."""

    operator_folder: Path
    operator_files: dict[str, StaticFile] = field(default_factory=dict)

    def find(self, name: str) -> StaticFile | None:
        """Return the file with this name, or None. Only existing files are cached.

        The project's files are found under any version: pages of an older release link to old ones.
        """
        file = read_project_files().get(VERSION_PREFIX.sub("", name, count=1))
        return file or self.operator_files.get(name) or self._read_operator_file(name)

    def _read_operator_file(self, name: str) -> StaticFile | None:
        path = safe_join(str(self.operator_folder), name)
        try:
            # Refuse "./logo.png" for "logo.png": a file would be cached under many names.
            if (
                path is None
                or name != normpath(name)
                or not Path(path).is_file()
                or Path(path).stat().st_size > MAX_FILE_BYTES
            ):
                return None
            return self.operator_files.setdefault(name, read_file(Path(path)))
        except (OSError, ValueError):  # unreadable, or not a valid file name
            return None

    def url(self, name: str) -> str:
        """Return the URL of a file, with a version or its digest if the file exists."""
        if name in read_project_files():
            return f"{URL_PREFIX}{project_files_version()}/{quote(name)}"
        file = self.find(name)
        return f"{URL_PREFIX}{quote(name)}" + (f"?v={file.digest}" if file else "")

    def add_digest(self, url: str) -> str:
        """Return a URL with a version or digest if it is a static file of this site."""
        return self.url(url.removeprefix(URL_PREFIX)) if url.startswith(URL_PREFIX) else url

    def send(self, filename: str) -> Response:
        """Send a file in the smallest encoding that the client accepts.

        With the current version or the file's digest in the URL, it can be cached forever.
        """
        file = self.find(filename)
        if file is None:
            abort(404)
        encoding = file.choose_encoding(request.headers.get("Accept-Encoding", ""))
        headers = {"Vary": "Accept-Encoding"} | (
            {"Content-Encoding": encoding} if encoding else {}
        )
        response = Response(file.bodies[encoding], mimetype=file.mimetype, headers=headers)
        response.headers["Cache-Control"] = (
            IMMUTABLE_CACHE_CONTROL
            if filename.startswith(project_files_version())
            or request.args.get("v") == file.digest
            else "no-cache"
        )
        response.set_etag(f"{file.digest}-{encoding}" if encoding else file.digest)
        response.make_conditional(request)
        return response


def register(app: Flask) -> None:
    """Serve the files at `/static/`."""
    files = StaticFiles(app.config["DATA_DIR"] / OPERATOR_FOLDER)
    app.extensions["static_files"] = files
    app.add_url_rule(f"{URL_PREFIX}<path:filename>", "static", files.send)
    read_project_files()
