"""A copy of the database in a file, made while the site runs, and the way back."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from spectator.db import database_file, sqlite
from spectator.db.postgresql_engine import KEEPALIVES
from spectator.i18n import gettext
from spectator.operations.durable_files import sync_directory

# Access that was removed after a backup must not come back with it.
LEFT_OUT = ("user_session", "preview_link")
# The search index in PostgreSQL, which the worker rebuilds. Its tables would fill half the backup.
DERIVED, DERIVED_TABLES = ("search_index",), ("search_documents_*", "search_words_*")
COUNT_STORIES = "SELECT count(*) FROM article"


class DumpError(Exception):
    """The database cannot be copied into a file or back; the message says why."""


def dump(url: str, path: Path) -> int:
    """Copy the database, without sessions and preview links, into a new file; count its stories."""
    source = database_file(url)
    return _dump_sqlite(source, path) if source else _dump_postgresql(url, path)


def restore(url: str, path: Path) -> None:
    """Fill the empty or missing database at a URL from a file made by `dump`, which is moved."""
    target = database_file(url)
    if target is None:
        _run(
            "pg_restore", url, "--no-owner", "--single-transaction", "--exit-on-error", str(path)
        )
        return
    for suffix in (
        "-wal",
        "-shm",
        "-journal",
    ):  # of an older database: they would damage this one
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    os.replace(path, target)
    sync_directory(target.parent)


def _dump_sqlite(source: Path, path: Path) -> int:
    try:
        with (
            closing(sqlite.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as database,
            closing(sqlite.connect(str(path))) as copy,
        ):
            database.backup(copy)  # in one step, so that no save makes it begin again
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("PRAGMA secure_delete=ON")
            tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
            for table in tables.intersection(LEFT_OUT + DERIVED):  # older schemas lack some
                copy.execute(f"DELETE FROM {table}")  # noqa: S608 - our own words
            copy.commit()
            ((result,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
            if result != "ok":
                raise DumpError(
                    gettext(
                        "The database %(source)s is damaged (%(result)s).",
                        source=source,
                        result=result,
                    )
                )
            ((stories,),) = copy.execute(COUNT_STORIES).fetchall()
    except sqlite.Error as error:
        raise DumpError(
            gettext(
                "The database %(source)s cannot be copied: %(error)s.", source=source, error=error
            )
        ) from error
    return int(stories)


def _dump_postgresql(url: str, path: Path) -> int:
    left_out = [f"--exclude-table-data={table}" for table in (*LEFT_OUT, *DERIVED)]
    left_out += [f"--exclude-table={pattern}" for pattern in DERIVED_TABLES]
    options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={path}", *left_out)
    _run("pg_dump", url, *options)
    return int(
        _run(
            "psql", url, "--no-psqlrc", "--tuples-only", "--no-align", "--command", COUNT_STORIES
        )
    )


def _run(program: str, url: str, *words: str) -> str:
    """Run a program of PostgreSQL; the password is in its environment, not in its arguments."""
    if shutil.which(program) is None:
        raise DumpError(
            gettext(
                "%(program)s is missing. Install it: apt-get install postgresql-client",
                program=program,
            )
        )
    parts = make_url(url).set(drivername="postgresql")
    environ = os.environ | {"PGPASSWORD": str(parts.password or "")}
    timeouts = {name: str(value) for name, value in KEEPALIVES.items()}
    target = parts._replace(password=None).update_query_dict(timeouts).render_as_string()
    result = subprocess.run(  # noqa: S603 - our own words and the operator's URL
        [program, f"--dbname={target}", *words],
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode:
        raise DumpError(f"{program} failed: {' '.join(result.stderr.split())[:500]}")
    return result.stdout
