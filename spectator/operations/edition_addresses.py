"""Sections and stories whose address an edition needs: such a site does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

from spectator.db import database_file, sqlite
from spectator.i18n import gettext
from spectator.operations import postgresql
from spectator.operations.faults import Cause, Fault


def examine_addresses(settings: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault for each section, or story, that has the address of an edition.

    Raises PollError or an error of SQLite if the database cannot be read.
    """
    url, codes = settings["DATABASE_URL"], settings["LANGUAGES"][1:]
    if not codes:
        return
    values = ", ".join(f"'{code}'" for code in codes)  # letters, as the setting's parser checks
    sources = ["section"]
    if settings["PERMALINK"].startswith("/<slug>/"):
        sources += ["redirect", "article WHERE status IN ('published', 'withdrawn')"]
    slugs = " UNION ".join(f"SELECT slug FROM {source}" for source in sources)  # noqa: S608
    query = f"SELECT slug FROM ({slugs}) AS slugs WHERE slug IN ({values})"  # noqa: S608
    for (slug,) in sorted(_fetch(url, query)):
        message = gettext(
            "A section or story has the address /%(slug)s/, "
            "which the edition in this language needs.",
            slug=slug,
        )
        remedy = gettext("Take %(slug)s out of SPECTATOR_LANGUAGES.", slug=slug)
        yield Fault(Cause.COLLISION, database_file(url), message, remedy)


def _fetch(url: str, query: str) -> list[Any]:
    path = database_file(url)
    if path is None:
        return postgresql.fetch(url, query)
    uri = f"file:{quote(str(path))}?mode=rw"
    with closing(sqlite.connect(uri, uri=True, timeout=1)) as connection:
        connection.execute("PRAGMA query_only=1")
        return list(connection.execute(query).fetchall())
