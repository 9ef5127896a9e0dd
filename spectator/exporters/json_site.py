"""`spectator export json`: everything of a site but secrets, as JSON that other programs can read.

`site.json` has the settings, people, sections, topics, authors, lists, pictures and menus;
`stories/` and `pages/` have a line for each story and page, with its history, a hundred in a file;
`media/` has the original pictures. `importers.json_site` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from spectator import media, queries
from spectator.db import db
from spectator.exporters.directories import ExportDirectory
from spectator.queries.site_tables import (
    COLLECTIONS,
    FORMAT,
    IDS_BY_KIND,
    NATURAL_KEYS,
    SETTINGS,
    VERSION,
    Collection,
    exported_columns,
    is_plain_list,
    key_of,
    natural_keys,
    rows_of,
    table_of,
    target_of,
)

IDS_PER_FILE = 100
Progress = Callable[[int, int], None]  # files written, files in all


class JsonExport:
    """An export that is being written; `missing` are the pictures without an original."""

    def __init__(self, app: Flask, directory: ExportDirectory, show: Progress) -> None:
        self.app, self.directory, self.show = app, directory, show
        self.keys = {name: natural_keys(name) for name in NATURAL_KEYS}
        self.missing: list[str] = []

    def write(self) -> None:
        """Write all files."""
        pictures = queries.picture_states()
        files = [(c, start) for c in COLLECTIONS if c.owner for start in self._starts(c)]
        total = 1 + len(files) + len(pictures)
        site: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "settings": self._settings(),
        }
        for collection in COLLECTIONS:
            if not collection.owner:
                site[collection.name] = self._documents(collection)
        text = json.dumps(site, ensure_ascii=False, indent=1, default=encode)
        self.directory.write("site.json", f"{text}\n".encode())
        for number, (collection, start) in enumerate(files, 1):
            self._write_lines(collection, range(start, start + IDS_PER_FILE))
            self.show(number, total)
        for number, picture in enumerate(pictures, 1 + len(files)):
            self._write_picture(f"{picture.digest}.{picture.extension}")
            self.show(number, total)
        self.show(total, total)

    def _settings(self) -> dict[str, Any]:
        return {name: self.app.config[name] for name in SETTINGS}

    def _starts(self, collection: Collection) -> range:
        table = table_of(collection.table)
        last = db.session.scalar(select(func.max(table.c.id))) or -1
        return range(0, last + 1, IDS_PER_FILE)

    def _write_lines(self, collection: Collection, ids: range) -> None:
        lines = [
            json.dumps(document, ensure_ascii=False, default=encode) + "\n"
            for document in self._documents(collection, ids)
        ]
        if lines:
            name = f"{collection.name}/{ids.start:08}.jsonl"
            self.directory.write(name, "".join(lines).encode())

    def _documents(
        self, collection: Collection, ids: range | None = None
    ) -> list[dict[str, Any]]:
        """Return the documents of a collection by primary key, with their children."""
        rows = list(rows_of(collection.table, ids=ids))
        documents = [self._document(collection.table, row._mapping) for row in rows]
        by_id: dict[Any, dict[str, Any]] = {
            row._mapping.get("id"): entry for row, entry in zip(rows, documents, strict=True)
        }
        for child, name in collection.children.items():
            for owner in documents:
                owner[name] = []
            for row in rows_of(child, collection.owner, ids):
                document = by_id.get(row._mapping[collection.owner])
                if document is None:  # of a story that somebody has just added
                    continue
                value = self._document(child, row._mapping, collection.owner)
                is_plain = is_plain_list(child, collection.owner)
                document[name].append(
                    value[_only_key(child, collection.owner)] if is_plain else value
                )
        return documents

    def _document(self, table: str, row: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
        document: dict[str, Any] = {}
        for column in exported_columns(table, owner):
            value, target = row[column.name], target_of(column)
            document[key_of(column)] = self.keys[target].get(value) if target else value
        if (key := IDS_BY_KIND.get(table)) and document["kind"] == "country":
            document[key] = self.keys["country"][document[key]]
        return document

    def _write_picture(self, name: str) -> None:
        store = media.open_picture_store(self.app.config["MEDIA"])
        try:
            self.directory.write(f"media/{name}", store.content(f"originals/{name}"))
        except FileNotFoundError:
            self.missing.append(f"media/{name}")


def _only_key(table: str, owner: str) -> str:
    return next(
        key_of(column) for column in exported_columns(table, owner) if column.name != "position"
    )


def encode(value: object) -> str:
    """Return a time as JSON has it, in UTC."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def export_json(app: Flask, directory: ExportDirectory, show: Progress) -> JsonExport:
    """Write the whole site to a directory. Raises ExportError, StoreError and OSError."""
    export = JsonExport(app, directory, show)
    export.write()
    return export
