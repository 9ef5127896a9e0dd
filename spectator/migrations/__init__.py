"""Database migrations (Alembic): checks whether the schema is current, and upgrades it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from spectator.db import WRITE_FLAG, db
from spectator.i18n import gettext

if TYPE_CHECKING:
    from alembic.config import Config

# The newest migration, as a constant so that startup need not load Alembic; a test compares it with
# the files.
HEAD = "0027"
# The schema of the oldest code that can use a database with HEAD's schema. A migration that is not
# additive raises it to its own number. Every migration stores it, for code that does not know HEAD.
OLDEST_CODE = "0018"
SELECT_VERSION = "SELECT version_num FROM alembic_version"
SELECT_OLDEST_CODE = """
SELECT oldest_code FROM schema_support JOIN alembic_version ON version_num = version
"""
REPLACE_SUPPORT = (
    "DELETE FROM schema_support",
    "INSERT INTO schema_support (version, oldest_code) VALUES (:version, :oldest_code)",
)
FIRST_WITH_SUPPORT = "0019"
# From the file names, and read once: an upgrade adds files while older code is still running.
_VERSIONS = frozenset(
    path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")
)


class UpgradeError(Exception):
    """A migration would lose data, so the upgrade was rolled back; the message says what."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database, its schema version, and the oldest code that may use it."""

    tables: frozenset[str]
    version: str | None
    oldest_code: str | None  # None: an older schema, or not written by a migration

    @property
    def is_newer(self) -> bool:
        """Return whether newer code has upgraded the database."""
        return self.version is not None and self.version not in supported_versions()

    @property
    def is_usable(self) -> bool:
        """Return whether this code may use the database, which newer code may have upgraded."""
        may_be_used = self.oldest_code is not None and self.oldest_code <= HEAD
        return self.version == HEAD or (self.is_newer and may_be_used)


def read_schema(fetch: Callable[[str], Sequence[Any]], tables: Iterable[str]) -> Schema:
    """Return the schema of a database with these tables; `fetch` returns the rows of a query."""
    names = frozenset(tables)

    def read(table: str, query: str) -> str | None:
        rows = fetch(query) if table in names else ()
        return str(rows[0][0]) if rows else None

    return Schema(
        names,
        read("alembic_version", SELECT_VERSION),
        read("schema_support", SELECT_OLDEST_CODE),
    )


def store_support(connection: Connection, version: str) -> None:
    """Store which code can use the schema that a migration has just made, in its transaction."""
    if version >= FIRST_WITH_SUPPORT:
        for statement in REPLACE_SUPPORT:
            values = {"version": version, "oldest_code": OLDEST_CODE}
            connection.execute(text(statement), values if ":" in statement else {})


def supported_versions() -> frozenset[str]:
    """Return every schema version that this code can upgrade from."""
    return _VERSIONS


def alembic_config() -> Config:
    """Return Alembic's configuration, which replaces an alembic.ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def current_schema(engine: Engine | None = None) -> Schema:
    """Return the schema of the site's database, or of another."""
    with (engine or db.engine).connect() as connection:

        def fetch(query: str) -> Sequence[Any]:
            return connection.execute(text(query)).all()

        return read_schema(fetch, inspect(connection).get_table_names())


def is_current() -> bool:
    """Return whether the database has exactly this code's schema."""
    return current_schema().version == HEAD


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
            # A migration may compute for long between two statements.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
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
            raise UpgradeError(
                gettext("the upgrade would leave a broken reference: %(broken)s", broken=broken)
            )
        connection.commit()
    finally:
        connection.rollback()
        driver.cursor().execute("PRAGMA foreign_keys=ON")
