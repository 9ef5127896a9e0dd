"""Setting the site up: `spectator init`, and the question whether it has been done."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from spectator import config, migrations, queries
from spectator.db import database_file, db
from spectator.models import Country, Section
from spectator.operations import diagnosis, file_modes
from spectator.text.places.gazetteer import COUNTRIES

FIRST_SECTIONS = ("Politics", "Security", "Business", "Society", "Health", "Culture", "Opinion")


class NotReadyError(Exception):
    """The site cannot be set up or served as it stands; the message says what to do."""


def require_ready(settings: dict[str, Any]) -> None:
    """Raise NotReady for what keeps the site from being served."""
    for fault in diagnosis.examine(settings):
        if fault.stops_reading:
            raise NotReadyError(str(fault))


def require_repairable(settings: dict[str, Any]) -> None:
    """Raise NotReady for what `spectator init` cannot mend."""
    for fault in diagnosis.examine(settings):
        if fault.stops_reading and not fault.is_fixed_by_init:
            raise NotReadyError(str(fault))


def initialise(app: Flask) -> bool:
    """Create or upgrade directories, secret key, schema and first rows; return whether anything changed.

    One process at a time does so; what it leaves is private to the account that it runs as.
    """
    data: Path = app.config["DATA_DIR"]
    database = Path(database_file(app.config["DATABASE_URL"]))
    for directory in (data, database.parent, app.config["MEDIA"]):
        directory.mkdir(mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True, exist_ok=True)
    with _locked(data):
        has_changed = _ensure_key(app)
        if not database.exists():
            os.close(
                os.open(database, os.O_WRONLY | os.O_CREAT, file_modes.PRIVATE_FILE)
            )  # SQLite would make it 0644
        if not migrations.is_current():
            migrations.upgrade()
            has_changed = True
        has_changed = _add_first_rows() or has_changed
        file_modes.apply_modes(app.config)
    return has_changed


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold a directory for one `init`; others wait until it is done and then find nothing to do."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ensure_key(app: Flask) -> bool:
    """Give the app its secret key, a new one where there is none; return whether it was made."""
    if app.config["SECRET_KEY"]:
        return False
    secret = config.secret_key(app.config)  # another process may have made it while we waited
    if is_new := secret is None:
        secret = secrets.token_urlsafe(48)
        write_durably(app.config["DATA_DIR"] / config.SECRET_FILE, secret.encode("ascii"))
    app.config["SECRET_KEY"] = secret
    return is_new


def write_durably(path: Path, content: bytes) -> None:
    """Write a private file (0600) so that it is there whole or not at all, also after a power cut."""
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _add_first_rows() -> bool:
    """Add the sections of a new site, and every country that is missing; return whether any was."""
    known = set(db.session.scalars(select(Country.code)))
    missing = [
        {"code": country.code, "slug": country.slug, "name": country.name}
        for country in COUNTRIES
        if country.code not in known
    ]
    needs_sections = not queries.sections()
    if not missing and not needs_sections:
        return False
    sections = [
        {"slug": name.lower(), "name": name, "position": position}
        for position, name in enumerate(FIRST_SECTIONS, 1)
    ]
    with db.write() as session:
        if missing:
            session.execute(insert(Country), missing)
        if needs_sections:
            session.execute(insert(Section), sections)
    return True
