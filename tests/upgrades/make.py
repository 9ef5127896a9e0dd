"""Make the SQL of a database of a schema version, by the migrations and with the sample rows.

`python -m tests.upgrades.make [VERSION]` writes tests/upgrades/VERSION.sql; the default is the
newest version. The files of older versions stay as they are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, inspect, text

from spectator import create_app, migrations
from spectator.db import WRITE_OPTION, db
from tests.upgrades.samples import SAMPLES, rows_of

DIRECTORY = Path(__file__).parent
SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"


def literal(value: Any) -> str:
    """Return a value as SQLite and PostgreSQL write it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    words = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
    return "'" + words.replace("'", "''") + "'"


def insert(table: str, row: dict[str, Any]) -> str:
    """Return the statement that inserts a row."""
    names = ", ".join(f'"{name}"' for name in row)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(map(literal, row.values()))})'


def statements(connection: Connection, version: str) -> list[str]:
    """Return the statements that make a database of this version, which the connection upgrades."""
    config = migrations.alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)
    tables = set(inspect(connection).get_table_names())
    # The migrations have filled some tables.
    rows = {
        table: [
            dict(row) for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
        ]
        for table in sorted(tables)
    }
    filled = {table for table in tables if rows[table]}
    if missing := tables - filled - set(SAMPLES):
        sys.exit(f"tests/upgrades/samples.py has no rows of {', '.join(sorted(missing))}")
    for table in [table for table in SAMPLES if table in tables - filled]:
        columns = {column["name"] for column in inspect(connection).get_columns(table)}
        rows[table] = rows_of(version, table, columns)
        for row in rows[table]:
            connection.exec_driver_sql(insert(table, row))
    order = [*sorted(filled), *(table for table in SAMPLES if table in tables - filled)]
    schema = [sql for (sql,) in connection.execute(text(SCHEMA))]
    return schema + [insert(table, row) for table in order for row in rows[table]]


def make(version: str) -> Path:
    """Write the file of a version and return its path."""
    with tempfile.TemporaryDirectory() as directory:
        app = create_app({"SPECTATOR_DATA_DIR": directory})
        with app.app_context():
            engine = db.engine
            with engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
                lines = statements(connection, version)
            engine.dispose()
    path = DIRECTORY / f"{version}.sql"
    path.write_text(";\n".join(lines) + ";\n", "utf-8")
    return path


if __name__ == "__main__":
    print(make(sys.argv[1] if len(sys.argv) > 1 else migrations.HEAD))
