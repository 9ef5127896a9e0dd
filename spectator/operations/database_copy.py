"""Copying the database into another: from SQLite to PostgreSQL, or back.

The copy is verified by the number and a checksum of each table's rows. It may be ended at any
moment and repeated: a table in the target marks it as unfinished until then.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
)

from spectator import migrations
from spectator.db import WRITE_OPTION, Base, database_file
from spectator.db.functions import skip_used_ids
from spectator.i18n import gettext
from spectator.operations.durable_files import open_private

# Rows that are inserted together, unless their texts are long; and rows that are read at once.
BATCH_ROWS, BATCH_CHARACTERS, FETCHED_ROWS = 500, 5_000_000, 20
UNFINISHED = Table("unfinished_copy", MetaData(), Column("source", String(200)))
Progress = Callable[[str, int], None]  # table, rows done


class CopyError(Exception):
    """The database cannot be copied; the message says what to do."""


def copy_database(source: Engine, target: Engine, show: Progress) -> dict[str, int]:
    """Copy all rows and verify them; return the number of rows of each table.

    Nobody may write to either database meanwhile. Raises CopyError if the target has rows of its
    own or the copy differs.
    """
    if migrations.current_schema(source).version != migrations.HEAD:
        raise CopyError(
            gettext("A newer version of the site has upgraded the database. Update the code.")
        )
    _prepare_target(target)
    counts: dict[str, int] = {}
    with source.connect() as reading:
        for table in _tables():
            counts[table.name] = _copy_table(reading, target, table, show)
        for table in _tables():
            if _checksum(reading, table) != _checksum_of(target, table):
                raise CopyError(
                    gettext(
                        "The table %(table)s differs after the copy. Copy again.",
                        table=table.name,
                    )
                )
    with _writing(target) as connection:
        UNFINISHED.drop(connection)
    return counts


def _writing(engine: Engine) -> Any:
    """Return a context with a connection in a transaction that writes."""
    return engine.execution_options(**{WRITE_OPTION: True}).begin()


def _prepare_target(target: Engine) -> None:
    """Create the schema, and empty what an unfinished copy left."""
    if file := database_file(target.url.render_as_string(hide_password=False)):
        # SQLite itself would create it with mode 0644.
        os.close(open_private(str(file), os.O_WRONLY | os.O_CREAT))
    with target.connect() as connection:
        tables = set(inspect(connection).get_table_names())
    if tables and UNFINISHED.name not in tables:
        raise CopyError(gettext("The target is not empty. Name a new, empty database."))
    with _writing(target) as connection:
        UNFINISHED.create(connection, checkfirst=True)
    migrations.upgrade(target)
    for table in reversed(Base.metadata.sorted_tables):
        with _writing(target) as connection:
            connection.execute(table.delete())


def _tables() -> list[Table]:
    """Return the tables to copy, without those that only describe what each database derives."""
    return [table for table in Base.metadata.sorted_tables if not table.info.get("is_derived")]


def _rows(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """Yield the rows of a table in batches, ordered by the primary key."""
    query = select(table).order_by(*table.primary_key)
    batch: list[Any] = []
    size = 0
    for row in connection.execution_options(yield_per=FETCHED_ROWS).execute(query):
        batch.append(row)
        size += sum(_text_length(value) for value in row)
        if len(batch) == BATCH_ROWS or size > BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _text_length(value: Any) -> int:
    """Return the number of characters of a text, and of those in a JSON object."""
    if isinstance(value, dict):
        return sum(map(_text_length, value.values()))
    return len(value) if isinstance(value, str) else 0


def _copy_table(reading: Connection, target: Engine, table: Table, show: Progress) -> int:
    done = 0
    for batch in _rows(reading, table):
        with _writing(target) as connection:
            connection.execute(insert(table), [dict(row._mapping) for row in batch])
        done += len(batch)
        show(table.name, done)
    with _writing(target) as connection:
        skip_used_ids(connection, table)
    return done


def _checksum_of(engine: Engine, table: Table) -> tuple[int, int]:
    with engine.connect() as connection:
        return _checksum(connection, table)


def _checksum(connection: Connection, table: Table) -> tuple[int, int]:
    """Return the number of rows and the sum of their digests, which no order changes."""
    total, number = 0, 0
    for batch in _rows(connection, table):
        number += len(batch)
        for row in batch:
            # PostgreSQL sorts the keys of JSON objects, and has no U+0000 in texts.
            values = [json.dumps(v, sort_keys=True) if isinstance(v, dict) else v for v in row]
            stored = repr(values).replace(r"\x00", "").replace(r"\\u0000", "")
            digest = hashlib.sha256(stored.encode("utf-8", "surrogatepass"))
            total += int.from_bytes(digest.digest())
    return number, total
