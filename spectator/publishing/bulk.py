"""Bulk writes: the rows of many stories, one statement for each table. Only for publishing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Executable, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import (
    Article,
    ArticleAuthor,
    Author,
    Country,
    ImportState,
    Redirect,
    Revision,
    Topic,
)
from spectator.models.article import article_country, article_topic
from spectator.publishing.fields import Draft
from spectator.publishing.names import get_or_create_ids
from spectator.publishing.revisions import public_location, revision_content, serialize_notes

Rows = list[dict[str, Any]]


class BulkWriter:
    """The rows that a batch will write, collected story by story; `now` dates all of them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.new_articles: Rows = []
        self.changed_articles: Rows = []
        self.revisions: Rows = []
        self.redirects: Rows = []
        self.reclaimed_slugs: list[str] = []
        self.events: list[tuple[int, str]] = []
        self.taxonomy: list[tuple[int, Draft, tuple[str, ...]]] = []
        self.import_states: Rows = []

    def add_article(
        self, article_id: int, external_id: str | None, feed_id: str, values: dict[str, Any]
    ) -> None:
        """Collect the row of a new story."""
        more = {
            "id": article_id,
            "external_id": external_id,
            "feed_id": feed_id,
            "version": 1,
            "created_at": self.now,
        }
        self.new_articles.append(values | more | {"saved_at": self.now})

    def update_article(self, article_id: int, version: int, values: dict[str, Any]) -> None:
        """Collect new column values of a stored story, whose current version is `version`."""
        self.changed_articles.append(
            values | {"article_id": article_id, "version": version + 1, "saved_at": self.now}
        )

    def move_slug(self, article_id: int, former: str, slug: str) -> None:
        """Collect a redirect from the former slug (none if "") and free the new slug of one."""
        if former:
            self.redirects.append({"slug": former, "article_id": article_id})
        self.reclaimed_slugs.append(slug)

    def set_taxonomy(self, article_id: int, draft: Draft, country_codes: tuple[str, ...]) -> None:
        """Collect a story's authors, topics and countries."""
        self.taxonomy.append((article_id, draft, country_codes))

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
        row = {"article_id": article_id, "number": number, "version": version, "made_at": self.now}
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

    def add_event(self, article_id: int, action: str) -> None:
        """Collect an outbox event about a story."""
        self.events.append((article_id, action))

    def write(self, session: Session) -> list[int]:
        """Write all rows inside the caller's `db.write()`; return the stories' ids, in order."""
        if not (self.taxonomy or self.import_states):
            return []
        connection = session.connection()
        article, redirect = _table(Article), _table(Redirect)
        connection.execute(delete(redirect).where(redirect.c.slug.in_(self.reclaimed_slugs)))
        _execute(connection, insert(redirect).prefix_with("OR REPLACE"), self.redirects)
        _execute(
            connection,
            update(article).where(article.c.id == bindparam("article_id")),
            self.changed_articles,
        )
        _execute(connection, insert(article), self.new_articles)
        _execute(
            connection, insert(_table(ImportState)).prefix_with("OR REPLACE"), self.import_states
        )
        self._write_taxonomy(session)
        _execute(connection, insert(_table(Revision)), self.revisions)
        outbox.append_all(session, self.events)
        return [article_id for article_id, _, _ in self.taxonomy]

    def _write_taxonomy(self, session: Session) -> None:
        connection = session.connection()
        changed = [row["article_id"] for row in self.changed_articles]
        author_rows: Rows = []
        topic_rows: Rows = []
        country_rows: Rows = []
        authors = get_or_create_ids(
            session, Author, [name for _, draft, _ in self.taxonomy for name in draft.authors]
        )
        topics = get_or_create_ids(
            session, Topic, [name for _, draft, _ in self.taxonomy for name in draft.topics]
        )
        countries = dict(connection.execute(select(Country.code, Country.id)).all())
        for article_id, draft, codes in self.taxonomy:
            author_rows += [
                {"article_id": article_id, "position": position, "author_id": author_id}
                for position, author_id in enumerate(
                    dict.fromkeys(authors[name] for name in draft.authors)
                )
            ]
            topic_ids = dict.fromkeys(topics[name] for name in draft.topics)
            topic_rows += [
                {"article_id": article_id, "topic_id": topic_id} for topic_id in topic_ids
            ]
            country_rows += [
                {"article_id": article_id, "country_id": countries[code]}
                for code in codes
                if code in countries
            ]
        for table, rows in (
            (_table(ArticleAuthor), author_rows),
            (article_topic, topic_rows),
            (article_country, country_rows),
        ):
            connection.execute(delete(table).where(table.c.article_id.in_(changed)))
            _execute(connection, insert(table), rows)


def _execute(connection: Connection, statement: Executable, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)


def _table(model: type[Any]) -> Table:
    return cast(Table, model.__table__)
