"""Database migrations (Alembic): checks whether the schema is current, and upgrades it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from spectator.db import WRITE_FLAG, db

if TYPE_CHECKING:
    from alembic.config import Config

# The newest migration, as a constant so that startup need not load Alembic; a test compares it with
# the files.
HEAD = "0018"


class UpgradeError(Exception):
    """A migration would lose data, so the upgrade was rolled back; the message says what."""


def supported_versions() -> frozenset[str]:
    """Return every schema version that this code can upgrade from, taken from the file names."""
    files = (Path(__file__).parent / "versions").glob("[0-9]*.py")
    return frozenset(path.name.partition("_")[0] for path in files)


def alembic_config() -> Config:
    """Return Alembic's configuration, which replaces an alembic.ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def is_current() -> bool:
    """Return whether the database has every migration; False for an empty database."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade(engine: Engine | None = None) -> None:
    """Upgrade the site's database, or another, to the newest schema.

    SQLite has one transaction for each migration.

    Raises UpgradeError if references are broken afterwards.
    """
    from alembic import command

    config = alembic_config()
    engine = engine or db.engine
    with engine.connect().execution_options(**{WRITE_FLAG: True}) as connection:
        config.attributes["connection"] = connection
        if connection.dialect.name == "sqlite":
            with _foreign_keys_disabled(connection):
                command.upgrade(config, "head")
        else:
            command.upgrade(config, "head")
        connection.commit()


@contextmanager
def _foreign_keys_disabled(connection: Connection) -> Iterator[None]:
    """Disable SQLite's foreign keys, check them at the end, and enable them.

    Rebuilding a table drops the old one, which would delete rows that refer to it
    (sqlite.org/lang_altertable.html, section 7). SQLite can switch them only outside a transaction.
    """
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.cursor().execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise UpgradeError(f"the upgrade would leave a broken reference: {broken}")
        connection.commit()
    finally:
        connection.rollback()
        driver.cursor().execute("PRAGMA foreign_keys=ON")
