"""`spectator import json`: a whole site from the files of `spectator export json`.

All rows are written in one transaction: an import that is interrupted leaves no half site.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.exc import IntegrityError

from spectator import media
from spectator.accounts.hashing import hash_password
from spectator.db import db
from spectator.i18n import gettext
from spectator.importers.site_values import InvalidValue, clean_row
from spectator.media.files import SIGNATURE_BYTES, file_extension
from spectator.publishing.whole_sites import SiteImportError, SiteWriter
from spectator.queries.site_tables import (
    COLLECTIONS,
    FORMAT,
    SETTINGS,
    VERSION,
    Collection,
    exported_columns,
    is_plain_list,
    key_of,
)

__all__ = ["SETTINGS", "SiteReport", "import_site"]

LIST = "spectator-json.sha256"
MAX_FILE_BYTES = 500_000_000
MAX_LIST_BYTES = 50_000_000
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z]+(?:/[0-9a-f]+)?\.[a-z0-9]+)")
Progress = Callable[[int, int], None]  # files read, files in all


@dataclass
class SiteReport:
    """How many rows were imported, by the name of the collection, and the former settings."""

    counts: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


class SiteFiles:
    """The files of an export. Raises SiteImportError for those that were changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.digests: dict[str, str] = {}
        lines = self._read(LIST, MAX_LIST_BYTES).decode("utf-8", "replace").splitlines()
        for line in lines:
            if match := _LINE.fullmatch(line):
                self.digests[match[2]] = match[1]

    def read(self, name: str) -> bytes:
        """Return the content of a file, which has the digest of the list."""
        content = self._read(name, MAX_FILE_BYTES)
        if hashlib.sha256(content).hexdigest() != self.digests.get(name):
            raise self._damaged(name)
        return content

    def lines(self, collection: Collection) -> Iterator[tuple[str, bytes]]:
        """Yield the location and the content of each line of a collection."""
        for name in sorted(self.digests):
            if name.startswith(f"{collection.name}/"):
                for number, line in enumerate(self.read(name).splitlines(), 1):
                    yield f"{name}:{number}", line

    def _read(self, name: str, limit: int) -> bytes:
        try:
            handle = os.open(self.directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if os.fstat(handle).st_size > limit:
                    raise self._damaged(name)
                return file.read(limit)
        except OSError as error:
            raise self._damaged(name) from error

    def _damaged(self, name: str) -> SiteImportError:
        path = self.directory / name
        return SiteImportError(
            gettext("%(path)s is missing or was changed. Export the site again.", path=path)
        )


def import_site(app: Flask, directory: Path, show: Progress) -> SiteReport:
    """Import a whole site; return what was imported.

    Raises SiteImportError, PictureError, StorageError, StoreError and OSError.
    """
    files, report = SiteFiles(directory), SiteReport()
    site = _parse("site.json", files.read("site.json"))
    if (site.get("format"), site.get("version")) != (FORMAT, VERSION):
        raise _invalid("site.json", "version")
    if isinstance(settings := site.get("settings"), dict):
        report.settings = settings
    total = len(files.digests)
    pictures = _rows("site.json", "picture", site.get("pictures"))
    for number, picture in enumerate(pictures, 1):
        _store_picture(app.config["MEDIA"], files, picture)
        show(number, total)
    try:
        with db.write() as session:
            writer = SiteWriter(session)
            for collection in COLLECTIONS:
                count = 0
                for location, documents in _documents(files, site, collection):
                    _add_documents(writer, location, collection, documents)
                    count += len(documents)
                report.counts[collection.name] = count
            writer.finish()
    except IntegrityError as error:
        raise _invalid(str(directory), str(error.orig)) from error
    show(total, total)
    return report


def _documents(
    files: SiteFiles, site: Mapping[str, Any], collection: Collection
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the documents of a collection in batches, each with its location."""
    if not collection.owner:
        documents = site.get(collection.name)
        yield "site.json", documents if isinstance(documents, list) else []
        return
    for location, line in files.lines(collection):
        yield location, [_parse(location, line)]


def _add_documents(
    writer: SiteWriter, location: str, collection: Collection, documents: list[Any]
) -> None:
    rows = _rows(location, collection.table, documents)
    if collection.table == "user":
        # Nobody knows these passwords: administrators set new ones.
        rows = [row | {"password_hash": hash_password(secrets.token_urlsafe())} for row in rows]
    try:
        writer.add(collection.table, rows)
        for table, name in collection.children.items():
            for document, row in zip(documents, rows, strict=True):
                children = _child_documents(table, collection.owner, document.get(name))
                writer.add(table, _rows(location, table, children, collection.owner, row["id"]))
    except KeyError as error:
        raise _invalid(location, str(error.args[0])) from error


def _child_documents(table: str, owner: str, values: Any) -> Any:
    """Return the documents of children that the export has as a list of names."""
    if not isinstance(values, list) or not is_plain_list(table, owner):
        return values
    (name,) = (key_of(c) for c in exported_columns(table, owner) if c.name != "position")
    return [{name: value, "position": number} for number, value in enumerate(values)]


def _rows(
    location: str, table: str, documents: Any, owner: str = "", owner_id: Any = None
) -> list[dict[str, Any]]:
    if documents is None:
        return []
    if not isinstance(documents, list):
        raise _invalid(location, table)
    try:
        return [clean_row(table, document, owner, owner_id) for document in documents]
    except InvalidValue as error:
        raise _invalid(location, str(error)) from error


def _parse(location: str, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _invalid(location, "JSON")
    return document


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(name)


def _invalid(location: str, name: str) -> SiteImportError:
    return SiteImportError(
        gettext("%(location)s: “%(name)s” is not valid.", location=location, name=name)
    )


def _store_picture(location: media.Location, files: SiteFiles, row: Mapping[str, Any]) -> None:
    """Store an original that has the digest of its name, and make its renditions."""
    digest, extension = row["digest"], row["extension"]
    content = files.read(f"media/{digest}.{extension}")
    if hashlib.sha256(content).hexdigest()[: len(digest)] != digest:
        raise _invalid(f"media/{digest}.{extension}", "digest")
    file_type = file_extension(content[:SIGNATURE_BYTES])
    if (extension if extension in media.FILE_TYPES else "") != file_type:
        raise _invalid(f"media/{digest}.{extension}", "extension")
    store = media.open_picture_store(location)
    with store.workspace() as work:
        path = work / f"original.{extension}"
        path.write_bytes(content)
        store.save(media.original_name(digest, extension), path)
    media.make_renditions(location, digest, extension, row["width"])
