"""The rows of a whole exported site, written to an installation that has no stories yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import Session, undefer

from spectator import outbox
from spectator.db.functions import skip_used_ids
from spectator.i18n import gettext
from spectator.models import Article, Author, Page, Picture, Section, Topic
from spectator.publishing.listings import update_listings
from spectator.publishing.page_revisions import update_page_pictures
from spectator.publishing.pictures import update_picture_uses
from spectator.queries.site_tables import (
    COLLECTIONS,
    IDS_BY_KIND,
    NATURAL_KEYS,
    natural_keys,
    table_of,
    target_of,
)

BATCH = 200  # stories whose listings are written together
Row = Mapping[str, Any]


class SiteImportError(Exception):
    """A site cannot be imported; the message is one line that says why."""


class SiteWriter:
    """Writes rows inside the caller's `db.write()`, tables in the order of `COLLECTIONS`.

    Foreign keys of the rows are natural keys; `ids` has the ids of rows by these. Raises
    SiteImportError if the installation has stories, pages, pictures, topics or authors.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        if any(session.scalar(select(exists().select_from(m))) for m in _MUST_BE_EMPTY):
            raise SiteImportError(
                gettext("This site has content already. Import into a new installation.")
            )
        session.execute(delete(Section))  # those of `spectator init`
        self.ids: dict[str, dict[Any, int]] = {name: {} for name in NATURAL_KEYS}
        self.ids["country"] = _ids("country")

    def add(self, table_name: str, rows: Sequence[Row]) -> None:
        """Insert rows, whose values are valid. Raises KeyError for an unknown reference."""
        table = table_of(table_name)
        targets = {c.name: target for c in table.c if (target := target_of(c))}
        resolved = [
            {
                name: self.ids[targets[name]][value]
                if name in targets and value is not None
                else value
                for name, value in row.items()
            }
            for row in rows
        ]
        if name := IDS_BY_KIND.get(table_name):
            resolved = [self._with_country(row, name) for row in resolved]
        if table_name == "user":
            existing = _ids("user")
            resolved = [row for row in resolved if row["email"] not in existing]
        if resolved:
            self.session.execute(insert(table), resolved)
        if key := NATURAL_KEYS.get(table_name):
            self.ids[table_name] = (
                _ids("user") if table_name == "user" else {row[key]: row["id"] for row in rows}
            )

    def _with_country(self, row: dict[str, Any], name: str) -> dict[str, Any]:
        """Return a row with the id of a country here instead of its code."""
        is_country = row["kind"] == "country"
        return row | {name: self.ids["country"][row[name]]} if is_country else row

    def finish(self) -> None:
        """Write what follows from the rows: lists, uses of pictures, the change log."""
        for collection in COLLECTIONS:
            skip_used_ids(self.session.connection(), table_of(collection.table))
        ids = list(self.session.scalars(select(Article.id).order_by(Article.id)))
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            update_listings(self.session, batch)
            update_picture_uses(self.session, batch)
        published = select(Article.id).where(Article.status == "published").order_by(Article.id)
        outbox.append_all(
            self.session, [(number, "publish") for number in self.session.scalars(published)]
        )
        for page in self.session.scalars(select(Page).options(undefer(Page.body))):
            update_page_pictures(self.session, page)
            if page.status == "published":
                outbox.append(self.session, None, "publish", page.id)
        outbox.append(self.session, None, "import")


_MUST_BE_EMPTY = (Article, Page, Picture, Topic, Author)


def _ids(table_name: str) -> dict[Any, int]:
    return {key: number for number, key in natural_keys(table_name).items()}
