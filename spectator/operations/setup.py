"""Setup of the site: `spectator init`, and checks that it has been run."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import inspect, select

from spectator import config, migrations, queries
from spectator.db import database_file, db
from spectator.db.functions import insert as db_insert
from spectator.hosts import registry
from spectator.i18n import gettext
from spectator.models import Country, Host, Section
from spectator.operations import diagnosis, file_modes
from spectator.operations.durable_files import open_private, write_durably
from spectator.operations.faults import Cause
from spectator.text.places.gazetteer import COUNTRIES

log = logging.getLogger(__name__)
FIRST_SECTIONS = ("Politics", "Security", "Business", "Society", "Health", "Culture", "Opinion")


class NotReadyError(Exception):
    """A fault that prevents setup or serving; the message says what to do."""


def require_ready(settings: dict[str, Any]) -> None:
    """Raise NotReadyError if the site cannot be served; log a newer schema that it can use."""
    for fault in diagnosis.examine(settings):
        if fault.stops_reading:
            raise NotReadyError(str(fault))
        if fault.cause is Cause.NEWER:
            log.warning("%s", fault)


def require_repairable(settings: dict[str, Any]) -> None:
    """Raise NotReadyError if there is a fault that `spectator init` cannot fix."""
    for fault in diagnosis.examine(settings):
        if fault.stops_reading and not fault.is_fixed_by_init:
            raise NotReadyError(str(fault))


def initialise(app: Flask) -> bool:
    """Create or upgrade directories, secret key, schema and first rows.

    Return whether anything changed. One process at a time runs this; the files are private to its
    user.
    """
    data: Path = app.config["DATA_DIR"]
    database = database_file(app.config["DATABASE_URL"])
    media: Path | str = app.config["MEDIA"]
    for directory in (
        data,
        database.parent if database else data,
        *([media] if isinstance(media, Path) else []),
    ):
        directory.mkdir(mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True, exist_ok=True)
    with _locked(data):
        has_changed = _ensure_key(app)
        if database and not database.exists():
            # SQLite itself would create it with mode 0644.
            os.close(open_private(str(database), os.O_WRONLY | os.O_CREAT))
        if not migrations.current_schema().is_usable:
            migrations.upgrade()
            has_changed = True
        has_changed = _add_first_rows() or has_changed
        file_modes.apply_modes(app.config)
    return has_changed


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Lock a directory, so that only one `init` runs at a time."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ensure_key(app: Flask) -> bool:
    """Set the app's secret key, creating one if there is none; return whether it is new."""
    if app.config["SECRET_KEY"]:
        return False
    secret = config.secret_key(app.config)  # another process may have created it meanwhile
    if is_new := secret is None:
        _require_no_other_host()
        secret = secrets.token_urlsafe(48)
        write_durably(app.config["DATA_DIR"] / config.SECRET_FILE, secret.encode("ascii"))
    app.config["SECRET_KEY"] = secret
    return is_new


def _require_no_other_host() -> None:
    """Raise NotReadyError if the site runs on another host, whose secret key this one needs."""
    if registry.is_single_host_site() or not inspect(db.engine).has_table(Host.__tablename__):
        return
    if hosts := registry.other_running_hosts():
        raise NotReadyError(
            gettext(
                "The site runs on %(host)s. Copy its %(file)s into the data directory of "
                "this host, or set the same SPECTATOR_SECRET_KEY on both.",
                host=hosts[0].name,
                file=config.SECRET_FILE,
            )
        )


def _add_first_rows() -> bool:
    """Add the sections of a new site and all missing countries; return whether any were."""
    existing_codes = set(db.session.scalars(select(Country.code)))
    missing = [
        {"code": country.code, "slug": country.slug, "name": country.name}
        for country in COUNTRIES
        if country.code not in existing_codes
    ]
    needs_sections = not queries.sections()
    if not missing and not needs_sections:
        return False
    sections = [
        {"slug": name.lower(), "name": name, "position": position}
        for position, name in enumerate(FIRST_SECTIONS, 1)
    ]
    with db.write() as session:  # another host may have added them meanwhile
        if missing:
            session.execute(db_insert(Country).on_conflict_do_nothing(), missing)
        if needs_sections:
            session.execute(db_insert(Section).on_conflict_do_nothing(), sections)
    return True
