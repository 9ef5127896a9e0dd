"""The schema's history (Alembic), and the two things the site asks of it: is it current, bring it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from spectator.db import WRITE_FLAG, db

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0017"  # the newest migration; a test holds it against the files, so that no boot has to load Alembic


class UpgradeError(Exception):
    """The database stays as it was, since a migration would have lost something; the message says what."""


def supported_versions() -> frozenset[str]:
    """Return every version of the schema that this code can upgrade from; file names begin with them."""
    files = (Path(__file__).parent / "versions").glob("[0-9]*.py")
    return frozenset(path.name.partition("_")[0] for path in files)


def alembic_config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini, the site's own settings say where the database is."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


def is_current() -> bool:
    """Say whether the database has every migration; False also where it is empty."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade() -> None:
    """Bring the database to the newest schema, one transaction a migration.

    Foreign keys rest meanwhile, as SQLite asks where a table is made anew (sqlite.org/lang_altertable.html, section 7):
    dropping the old one would take along what refers to it. They can only be switched outside a transaction.
    """
    from alembic import command

    made = alembic_config()
    with db.engine.connect().execution_options(**{WRITE_FLAG: True}) as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            made.attributes["connection"] = connection
            command.upgrade(made, "head")
            lost = connection.execute(text("PRAGMA foreign_key_check")).first()
            if lost is not None:
                raise UpgradeError(f"rows refer to what is not there: {lost}")
            connection.commit()
        finally:
            connection.rollback()
            driver.cursor().execute("PRAGMA foreign_keys=ON")
