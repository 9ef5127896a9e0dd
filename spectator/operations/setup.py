"""Setting the site up: `spectator init`, and the question whether it has been done."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, select

from spectator import migrations, queries
from spectator.config import SECRET_FILE
from spectator.db import db
from spectator.models import Country, Section
from spectator.text.gazetteer import COUNTRIES

FIRST_SECTIONS = ("Politics", "Security", "Business", "Society", "Health", "Culture", "Opinion")


class NotReady(Exception):
    """The site cannot be served as it stands; the message says what to do."""


def initialise(app: Flask) -> bool:
    """Create or upgrade directories, secret key, schema and first rows; return whether anything changed."""
    data: Path = app.config["DATA_DIR"]
    data.mkdir(parents=True, exist_ok=True)
    app.config["MEDIA"].mkdir(parents=True, exist_ok=True)
    has_changed = False
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = _new_secret(data / SECRET_FILE)
        has_changed = True
    if not migrations.is_current():
        migrations.upgrade()
        has_changed = True
    return _first_rows() or has_changed


def _new_secret(path: Path) -> str:
    secret = secrets.token_urlsafe(48)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    return secret


def _first_rows() -> bool:
    """Add the sections of a new site, and every country that is missing; return whether any was."""
    known = set(db.session.scalars(select(Country.code)))
    missing = [
        {"code": each.code, "slug": each.slug, "name": each.name} for each in COUNTRIES if each.code not in known
    ]
    needs_sections = not queries.sections()
    if not missing and not needs_sections:
        return False
    sections = [{"slug": name.lower(), "name": name, "position": place} for place, name in enumerate(FIRST_SECTIONS, 1)]
    with db.write() as session:
        if missing:
            session.execute(insert(Country), missing)
        if needs_sections:
            session.execute(insert(Section), sections)
    return True


def require_ready(app: Flask) -> None:
    """Raise NotReady unless `spectator init` has done its work on this data directory."""
    if not app.config["SECRET_KEY"] or not migrations.is_current():
        raise NotReady("the database is missing or older than this version; run: spectator init")
