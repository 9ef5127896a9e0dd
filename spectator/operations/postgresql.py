"""The faults of a PostgreSQL database: its server, its settings and its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import make_url

from spectator import migrations
from spectator.db.poller import PollError, PollingConnection
from spectator.i18n import gettext
from spectator.migrations import Schema
from spectator.operations.faults import Cause, Fault

MIN_VERSION = 15
MAX_CLOCK_DIFFERENCE_SECONDS = 2
CONNECT_SECONDS = 3
_SERVER = """
SELECT current_setting('server_version_num'), current_setting('server_encoding'),
  (SELECT datlocprovider::text || ':' || datctype FROM pg_database
   WHERE datname = current_database()),
  pg_is_in_recovery(), clock_timestamp()
"""
# About a megabyte in a temporary file, since only writing detects a full disk.
_WRITE_TEMPORARY_FILE = """
SET LOCAL work_mem = '64kB'; SET LOCAL temp_tablespaces = '';
SELECT count(*) FROM generate_series(1, 80000)
"""
_DISK_FULL = "53100"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"


def database_name(url: str) -> str:
    """Return how messages call the database of a URL, without its password."""
    parts = make_url(url)
    if not parts.host:
        return gettext("%(database)s on this machine", database=parts.database)
    return gettext("%(database)s on %(host)s", database=parts.database, host=parts.host)


def version(url: str) -> str:
    """Return the server's version, or that it does not answer."""
    try:
        with closing(PollingConnection(url, CONNECT_SECONDS)) as connection:
            return str(connection.fetch("SELECT current_setting('server_version')")[0][0])
    except PollError:
        return "does not answer"


def read_schema(url: str) -> Schema:
    """Return the schema of the database at a URL. Raises PollError."""
    with closing(PollingConnection(url, CONNECT_SECONDS)) as connection:
        tables = {name for (name,) in connection.fetch(_TABLES)}
        return migrations.read_schema(connection.fetch, tables)


def fetch(url: str, query: str) -> list[Any]:
    """Return the rows of a query. Raises PollError."""
    with closing(PollingConnection(url, CONNECT_SECONDS)) as connection:
        return list(connection.fetch(query))


def no_answer_fault(url: str, error: PollError) -> Fault:
    """Return the fault of a server that refuses connections or has no such database."""
    detail = " ".join(str(error).split())
    message = gettext(
        "The database %(database)s does not answer (%(detail)s).",
        database=database_name(url),
        detail=detail,
    )
    remedy = gettext("Check that PostgreSQL runs, and SPECTATOR_DATABASE_URL.")
    return Fault(Cause.NO_ACCESS, None, message, remedy)


def examine_server(url: str) -> Iterator[Fault]:
    """Yield the faults of the server and of the database's settings."""
    with closing(PollingConnection(url, CONNECT_SECONDS)) as connection:
        ((number, encoding, ctype, is_standby, time),) = connection.fetch(_SERVER)
        yield from _examine_space(url, connection)
    yield from _examine_settings(database_name(url), int(number), encoding, ctype)
    if is_standby:
        message = gettext(
            "The database %(database)s is a standby and cannot be written.",
            database=database_name(url),
        )
        yield Fault(
            Cause.READ_ONLY,
            None,
            message,
            gettext("Set SPECTATOR_DATABASE_URL to the primary server."),
            stops_reading=False,
        )
    difference = abs((datetime.now(UTC) - time).total_seconds())
    if difference > MAX_CLOCK_DIFFERENCE_SECONDS:
        yield Fault(
            Cause.CLOCK,
            None,
            gettext(
                "The clocks of this machine and of the database differ by %(difference)s s.",
                difference=round(difference),
            ),
            gettext("Run a time service (NTP) on both."),
            stops_reading=False,
        )


def _examine_space(url: str, connection: PollingConnection) -> Iterator[Fault]:
    try:
        connection.fetch_texts(_WRITE_TEMPORARY_FILE)
    except PollError as error:
        if getattr(error.__cause__, "sqlstate", None) != _DISK_FULL:
            return
        message = gettext(
            "The disk of %(path)s is full; nothing can be saved.", path=database_name(url)
        )
        remedy = gettext("Free some space; the site then recovers by itself.")
        yield Fault(Cause.FULL, None, message, remedy, stops_reading=False)


def _examine_settings(name: str, number: int, encoding: str, ctype: str) -> Iterator[Fault]:
    if number < MIN_VERSION * 10_000:
        message = gettext(
            "The database %(name)s is PostgreSQL %(version)s.", name=name, version=number // 10000
        )
        remedy = gettext("Use PostgreSQL %(version)s or newer.", version=MIN_VERSION)
        yield Fault(Cause.OLDER, None, message, remedy)
    remedy = gettext(
        "Create it again: createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8 NAME"
    )
    if encoding != "UTF8":
        message = gettext(
            "The database %(name)s has the encoding %(encoding)s instead of UTF8.",
            name=name,
            encoding=encoding,
        )
        yield Fault(Cause.WRONG_KIND, None, message, remedy)
    elif ctype in {"c:C", "c:POSIX"}:
        message = gettext(
            "The database %(name)s has the locale C, in which letters such as É have no case.",
            name=name,
        )
        yield Fault(Cause.WRONG_KIND, None, message, remedy)
