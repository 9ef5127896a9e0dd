"""Export files of Ghost (JSON), of all its versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from spectator.i18n import gettext
from spectator.importers.ghost.addresses import register_names
from spectator.importers.ghost.joins import read_joins
from spectator.importers.ghost.pages import PageImport
from spectator.importers.ghost.records import (
    GhostOptions,
    build_record,
    is_page,
    location_of,
)
from spectator.importers.ghost.tables import MAX_ROW, GhostError, read_rows
from spectator.importers.records import Record, RecordError, describe_unexpected_error

__all__ = ["GhostError", "GhostOptions", "PageImport", "read", "register_names"]


def read(
    file: IO[bytes], options: GhostOptions, pages: PageImport
) -> Iterator[Record | tuple[str, RecordError]]:
    """Yield a Record for every post, and (location, error) for those that cannot be read.

    The file is read twice, from its beginning. `pages` stores the pages. Raises
    GhostError before the first post if the file is damaged, and OSError if it cannot be read.
    """
    joins = pages.joins = read_joins(read_rows(file))
    file.seek(0)
    number = 0
    for row in read_rows(file):
        if row.table != "posts":
            continue
        number += 1
        post = row.columns
        if post is None:
            limit = MAX_ROW // 1_000_000
            text = gettext("no JSON object, or longer than %(limit)s MB", limit=limit)
            yield location_of({}, number), RecordError(text)
        else:
            try:
                if is_page(post):
                    pages.add(post, row.size, number, joins)
                else:
                    yield build_record(post, row.size, number, joins, options)
            except Exception as error:
                yield location_of(post, number), RecordError(describe_unexpected_error(error))
    pages.store()
