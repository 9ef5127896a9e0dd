"""Bulk writes: the rows of many imported stories, one statement per table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Executable, Table, bindparam, insert, update
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db.functions import skip_used_ids, upsert
from spectator.models import (
    Article,
    ImportState,
    Revision,
)
from spectator.publishing.fields import Draft
from spectator.publishing.revisions import public_location, revision_content, serialize_notes
from spectator.publishing.slugs import RedirectWriter
from spectator.publishing.taxonomy import Taxonomy, write_taxonomy

Rows = list[dict[str, Any]]


class BulkWriter:
    """The rows that a batch will write, collected story by story; `now` dates all of them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.new_articles: Rows = []
        self.changed_articles: Rows = []
        self.revisions: Rows = []
        self.redirects = RedirectWriter()
        self.events: list[tuple[int, str]] = []
        self.taxonomy: list[Taxonomy] = []
        self.import_states: Rows = []

    def add_article(
        self, article_id: int, external_id: str | None, feed_id: str, values: dict[str, Any]
    ) -> None:
        """Collect the row of a new story."""
        row = {
            "id": article_id,
            "external_id": external_id,
            "feed_id": feed_id,
            "version": 1,
            "created_at": self.now,
        }
        self.new_articles.append(values | row | {"saved_at": self.now})

    def update_article(self, article_id: int, version: int, values: dict[str, Any]) -> None:
        """Collect new column values of a stored story, whose current version is `version`."""
        self.changed_articles.append(
            values | {"article_id": article_id, "version": version + 1, "saved_at": self.now}
        )

    def add_revision(
        self,
        article_id: int,
        draft: Draft,
        values: dict[str, Any],
        number: int,
        version: int,
        notes: Iterable[Any] = (),
    ) -> None:
        """Collect a revision.

        `values` are the story's columns, `number` the revision's number, `version` the story's
        version after the write, `notes` its notes to readers.
        """
        row = {
            "article_id": article_id,
            "number": number,
            "version": version,
            "made_at": self.now,
        }
        status, slug, published_at = (values[name] for name in ("status", "slug", "published_at"))
        content = revision_content(draft, slug)
        content |= public_location(status, draft.section, slug, published_at)
        if serialized := serialize_notes(notes):
            content |= {"notes": serialized}
        self.revisions.append(row | {"action": "import", "content": content})

    def set_import_state(
        self, article_id: int, version: int, source_values: dict[str, Any]
    ) -> None:
        """Collect the source values last accepted for a story.

        `version` is the story's version after the write.
        """
        row = {
            "article_id": article_id,
            "version": version,
            "taken_at": self.now,
            "given": source_values,
        }
        self.import_states.append(row)

    def write(self, session: Session) -> list[int]:
        """Write all rows inside the caller's `db.write()`; return the stories' ids, in order."""
        if not (self.taxonomy or self.import_states):
            return []
        connection = session.connection()
        article = _table(Article)
        self.redirects.write(session)
        _execute(
            connection,
            update(article).where(article.c.id == bindparam("article_id")),
            self.changed_articles,
        )
        _execute(connection, insert(article), self.new_articles)
        skip_used_ids(connection, article)
        _execute(connection, upsert(_table(ImportState)), self.import_states)
        write_taxonomy(
            session, self.taxonomy, [row["article_id"] for row in self.changed_articles]
        )
        _execute(connection, insert(_table(Revision)), self.revisions)
        outbox.append_all(session, self.events)
        return [taxonomy.article_id for taxonomy in self.taxonomy]


def _execute(connection: Connection, statement: Executable, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)


def _table(model: type[Any]) -> Table:
    return cast(Table, model.__table__)
