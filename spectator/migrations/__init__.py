"""Database migrations (Alembic): checks whether the schema is current, and upgrades it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from spectator.db import WRITE_OPTION, db
from spectator.i18n import gettext

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)
# The newest migration, as a constant so that startup need not load Alembic; a test compares it with
# the files.
HEAD = "0033"
# The schema of the oldest code that can use a database with HEAD's schema. A migration that breaks
# older code raises this constant to its own number. Every migration stores the constant in the
# database, for older code that does not know that migration.
OLDEST_CODE = "0018"
SELECT_VERSION = "SELECT version_num FROM alembic_version"
SELECT_OLDEST_CODE = """
SELECT oldest_code FROM schema_support JOIN alembic_version ON version_num = version
"""
REPLACE_OLDEST_CODE = (
    "DELETE FROM schema_support",
    "INSERT INTO schema_support (version, oldest_code) VALUES (:version, :oldest_code)",
)
FIRST_WITH_OLDEST_CODE = "0019"
COUNT_BROKEN_REFERENCES = """
SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY "table", parent
"""
# From the file names, and read once: an upgrade adds files while older code is still running.
_VERSIONS = frozenset(
    path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")
)


class UpgradeError(Exception):
    """A migration would break a reference, so the upgrade was rolled back; says where."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database, its schema version, and the oldest code that may use it."""

    tables: frozenset[str]
    version: str | None
    oldest_code: str | None  # None if there is no such table yet, or no migration has filled it

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


def store_oldest_code(connection: Connection, version: str) -> None:
    """Store which code can use the schema that a migration has just made, in its transaction."""
    if version >= FIRST_WITH_OLDEST_CODE:
        for statement in REPLACE_OLDEST_CODE:
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
    """Upgrade the site's database, or another, to the newest schema, in one transaction.

    Raises UpgradeError if a reference would be broken that was not broken before.
    """
    with (engine or db.engine).connect().execution_options(**{WRITE_OPTION: True}) as connection:
        if connection.dialect.name == "sqlite":
            # Before the transaction, so that nobody who saves has to wait for it.
            broken_before = _count_broken_references(connection)
            with _foreign_keys_disabled(connection), connection.begin():
                _run_migrations(connection)
                _require_no_new_broken_references(broken_before, connection)
        else:
            with connection.begin():
                # A migration may compute for long between two statements.
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                _run_migrations(connection)


def _run_migrations(connection: Connection) -> None:
    """Run the missing migrations in the transaction of a connection, which Alembic leaves open."""
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _foreign_keys_disabled(connection: Connection) -> Iterator[None]:
    """Disable SQLite's foreign keys, and enable them at the end.

    Rebuilding a table drops the old one, which would delete rows that refer to it
    (sqlite.org/lang_altertable.html, section 7). SQLite can switch them only outside a transaction.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")


def _count_broken_references(connection: Connection) -> dict[tuple[str, str], int]:
    """Return by (table, table that it refers to) how many rows lack the row that they refer to."""
    cursor = connection.connection.cursor()  # begins no transaction
    cursor.execute(COUNT_BROKEN_REFERENCES)
    return {(table, parent): count for table, parent, count in cursor.fetchall()}


def _require_no_new_broken_references(
    broken_before: dict[tuple[str, str], int], connection: Connection
) -> None:
    """Raise UpgradeError if more references are broken than before; log those from before."""
    for (table, parent), count in _count_broken_references(connection).items():
        previous = broken_before.get((table, parent), 0)
        if count > previous:
            raise UpgradeError(
                gettext(
                    "The upgrade was undone, because it would break references from table "
                    "%(table)s to table %(parent)s (rows: %(count)s)",
                    table=table,
                    parent=parent,
                    count=count - previous,
                )
            )
        log.warning(
            "references from table %s to table %s were broken before the upgrade, which left them "
            "as they are (rows: %s)",
            table,
            parent,
            count,
        )
