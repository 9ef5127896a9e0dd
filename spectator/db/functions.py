"""SQL that the two databases write differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Connection, Integer, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from spectator.db import db


class byte_length(GenericFunction[int]):  # noqa: N801 - named like an SQL function
    """The number of bytes of a text."""

    type = Integer()
    inherit_cache = True


class text_position(GenericFunction[int]):  # noqa: N801 - named like an SQL function
    """The position of a text within another, from 1; 0 if it is not there."""

    type = Integer()
    inherit_cache = True


class json_set(GenericFunction[Any]):  # noqa: N801 - named like an SQL function
    """A JSON object with the value of one key replaced: `json_set(object, key, value)`."""

    type = JSON()
    inherit_cache = True


@compiles(json_set)
def _compile_json_set(element: Any, compiler: Any, **options: Any) -> str:
    document, key, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"jsonb_set({document}, ARRAY[{key}], CAST({value} AS jsonb))"


@compiles(json_set, "sqlite")
def _compile_json_set_for_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    document, key, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_set({document}, '$.' || {key}, json({value}))"


@compiles(byte_length)
def _compile_byte_length(element: Any, compiler: Any, **options: Any) -> str:
    return f"octet_length(CAST({compiler.process(element.clauses, **options)} AS TEXT))"


@compiles(byte_length, "sqlite")
def _compile_byte_length_for_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # octet_length() is missing before SQLite 3.43.
    return f"length(CAST({compiler.process(element.clauses, **options)} AS BLOB))"


@compiles(text_position)
def _compile_text_position(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(text_position, "sqlite")
def _compile_text_position_for_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


def insert(table: Any) -> Any:
    """Return an INSERT in the dialect of the database, with its `on_conflict_do_update`."""
    is_postgresql = db.engine.dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)


def upsert(table: Table) -> Any:
    """Return an INSERT that replaces the row with the same primary key."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    values = {name: column for name, column in statement.excluded.items() if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)


def skip_used_ids(connection: Connection, table: Table) -> None:
    """Advance the sequence of a table's ids past those that were inserted explicitly.

    SQLite does this by itself.
    """
    column = table.autoincrement_column
    if connection.dialect.name == "postgresql" and column is not None:
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
        connection.execute(select(func.setval(sequence, func.max(column))))
