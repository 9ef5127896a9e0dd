"""Sites to export, and what an export of one holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from posixpath import dirname, normpath
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from flask import Flask

from spectator import create_app
from spectator.db import db
from spectator.exporters.directories import ExportDirectory
from spectator.exporters.static_site import StaticSite, export_site
from spectator.exporters.warc import WarcWriter
from spectator.importers import jsonl, runner
from tests.conftest import NEWEST, settings
from tests.page_checks import Page
from tests.picture_samples import encoded, photograph

SECRET = "Zqxjkw"  # a word of stories that readers must not see
LOADED = ("src", "srcset", "poster")


@contextmanager
def open_site(data: Path, **changes: str) -> Iterator[Flask]:
    """Yield the site of a data directory inside its application context."""
    app = create_app(settings(data, **changes))
    app.extensions["page_cache"].poll_seconds = 0.0
    app.testing = True
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def import_stories(app: Flask, stories: Iterable[dict[str, Any]], directory: Path) -> None:
    """Import stories; `boat.jpg` may be their lead picture."""
    (directory / "boat.jpg").write_bytes(encoded(photograph(400, 300)))
    lines = BytesIO("\n".join(map(json.dumps, stories)).encode())
    entries = jsonl.read(lines, app.config["LANGUAGE"], ZoneInfo("UTC"))
    report = runner.import_records(entries, app.config["MEDIA"], pictures_dir=directory)
    assert not report.refused, report.refused


def sample_story(number: int, **changes: Any) -> dict[str, Any]:
    """Return a published story; a higher number is an older one."""
    values = {
        "id": f"s{number}",
        "slug": f"story-{number}",
        "headline": f"Rivers number {number}",
        "body": "A dam and its reservoir.",
        "section": "politics",
        "countries": ["Mali"],
        "topics": ["Water"],
        "authors": ["Ama Mensah"],
        "published_at": (NEWEST - timedelta(hours=30 * number)).isoformat(),
    }
    return values | changes


def sample_stories() -> Iterator[dict[str, Any]]:
    """Yield enough stories for lists of two pages, in two languages, and private ones."""
    body = (
        '<p>See <a href="https://spectator.example/politics/story-2?ref=x#top">this</a>, '
        '<a href="/Politics/Story-5/">that</a>, <a href="/newsroom/">us</a>, '
        '<a href="/politics/secret-1">no page</a>, '
        '<a href="/search?q=water&amp;sort=newest">a search</a> and '
        '<a href="https://other.example/a?b=c&amp;d=e">others</a>.</p>'
        '<p><img src="https://other.example/pixel.png" alt="A map"></p>'
        f"<p>A dam. <editor-note>{SECRET}</editor-note></p>"
    )
    for number in range(26):
        changes: dict[str, Any] = {"body": body} if number == 3 else {}
        if number == 1:
            changes = {"lead_image": "boat.jpg", "lead_image_alt": "A boat"}
        elif number in {7, 8}:
            changes = {"language": "fr", "headline": f"Le fleuve numéro {number}"}
        yield sample_story(number, **changes)
    for number, status in enumerate(("draft", "withdrawn")):
        private = {"id": status, "slug": f"secret-{number}", "status": status}
        yield sample_story(2, headline=f"{SECRET} {status}", topics=[SECRET], **private)


def export(app: Flask, path: Path, warc: WarcWriter | None = None) -> StaticSite:
    """Export a site to a directory."""
    with ExportDirectory(path, "site") as directory:
        exported = export_site(app, directory, warc, lambda *_: None)
        directory.finish()
    return exported


def files_in(path: Path) -> dict[str, Path]:
    """Return the files of an export by name, without its list."""
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
    return {
        name: file
        for name, file in files.items()
        if file.is_file() and not name.startswith("spectator-")
    }


def pages_in(path: Path) -> dict[str, Page]:
    """Return the parsed pages of an export by name."""
    return {
        name: Page(file.read_text("utf-8"))
        for name, file in files_in(path).items()
        if name.endswith(".html")
    }


def target_of(name: str, link: str) -> str:
    """Return the file to which a relative link of a file leads."""
    assert not re.match(r"/|[a-z]+:", link), f"{name}: {link} is not relative"
    path = unquote(re.split("[?#]", link)[0])
    return normpath(f"{dirname(name)}/{path}".lstrip("/")) if path else name


def links_of(page: Page) -> Iterator[str]:
    """Yield the links of a page within the site, and the files that it loads."""
    for tag, attributes in page.elements:
        for key in ("href", "action"):
            value = attributes.get(key) or ""
            if value and not value.startswith(("https://", "mailto:")):
                yield value
            elif value:
                assert tag == "a" or attributes.get("rel") in {"canonical", "alternate"}
        for key in LOADED:
            for candidate in filter(None, (attributes.get(key) or "").split(", ")):
                yield candidate.split()[0]
