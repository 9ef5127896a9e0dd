"""Collects the rows of many stories and writes them by one statement a table. Only for publishing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Executable, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, ArticleAuthor, Author, Country, ImportState, Redirect, Revision, Topic
from spectator.models.article import article_country, article_topic
from spectator.publishing.drafts import Draft
from spectator.publishing.names import ids_of
from spectator.publishing.notes import notes_kept
from spectator.publishing.storing import content_of, shown_in

Rows = list[dict[str, Any]]


class Writing:
    """What a batch is going to write, noted story by story; `now` is the moment of all of it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.added: Rows = []
        self.changed: Rows = []
        self.revisions: Rows = []
        self.redirects: Rows = []
        self.returned: list[str] = []
        self.announced: list[tuple[int, str]] = []
        self.filed: list[tuple[int, Draft, tuple[str, ...]]] = []
        self.states: Rows = []

    def add(self, article_id: int, external_id: str | None, feed_id: str, values: dict[str, Any]) -> None:
        """Note a new story."""
        more = {"id": article_id, "external_id": external_id, "feed_id": feed_id, "version": 1, "created_at": self.now}
        self.added.append(values | more | {"saved_at": self.now})

    def change(self, article_id: int, version: int, values: dict[str, Any]) -> None:
        """Note what becomes of a story that is stored in that version."""
        self.changed.append(values | {"article_id": article_id, "version": version + 1, "saved_at": self.now})

    def move(self, article_id: int, former: str, slug: str) -> None:
        """Note that a story leaves a redirect at the slug it had (none for ""), and needs none at its new one."""
        if former:
            self.redirects.append({"slug": former, "article_id": article_id})
        self.returned.append(slug)

    def file(self, article_id: int, draft: Draft, country_codes: tuple[str, ...]) -> None:
        """Note authors, topics and countries of a story."""
        self.filed.append((article_id, draft, country_codes))

    def record(
        self,
        article_id: int,
        draft: Draft,
        values: dict[str, Any],
        number: int,
        version: int,
        notes: Iterable[Any] = (),
    ) -> None:
        """Note a revision: the story's columns, its number, the story's version with it, and the notes to readers."""
        row = {"article_id": article_id, "number": number, "version": version, "made_at": self.now}
        status, slug, published_at = (values[name] for name in ("status", "slug", "published_at"))
        content = content_of(draft, slug) | shown_in(status, draft.section, slug, published_at)
        if kept := notes_kept(notes):
            content |= {"notes": kept}
        self.revisions.append(row | {"action": "import", "content": content})

    def remember(self, article_id: int, version: int, given: dict[str, Any]) -> None:
        """Note what the source of a story gave, as far as it was taken; `version` is that of the story with it."""
        row = {"article_id": article_id, "version": version, "taken_at": self.now, "given": given}
        self.states.append(row)

    def announce(self, article_id: int, action: str) -> None:
        """Note an act that readers will see."""
        self.announced.append((article_id, action))

    def write(self, session: Session) -> list[int]:
        """Write it all inside the caller's `db.write()`; returns the ids of the stories, in order."""
        if not (self.filed or self.states):
            return []
        connection = session.connection()
        article, redirect = _table(Article), _table(Redirect)
        connection.execute(delete(redirect).where(redirect.c.slug.in_(self.returned)))
        _execute(connection, insert(redirect).prefix_with("OR REPLACE"), self.redirects)
        _execute(connection, update(article).where(article.c.id == bindparam("article_id")), self.changed)
        _execute(connection, insert(article), self.added)
        _execute(connection, insert(_table(ImportState)).prefix_with("OR REPLACE"), self.states)
        self._write_filing(session)
        _execute(connection, insert(_table(Revision)), self.revisions)
        outbox.append_all(session, self.announced)
        return [article_id for article_id, _, _ in self.filed]

    def _write_filing(self, session: Session) -> None:
        connection = session.connection()
        changed = [row["article_id"] for row in self.changed]
        signed: Rows = []
        about: Rows = []
        placed: Rows = []
        authors = ids_of(session, Author, [name for _, draft, _ in self.filed for name in draft.authors])
        topics = ids_of(session, Topic, [name for _, draft, _ in self.filed for name in draft.topics])
        countries = dict(connection.execute(select(Country.code, Country.id)).all())
        for article_id, draft, codes in self.filed:
            signed += [
                {"article_id": article_id, "position": position, "author_id": author_id}
                for position, author_id in enumerate(dict.fromkeys(authors[name] for name in draft.authors))
            ]
            topic_ids = dict.fromkeys(topics[name] for name in draft.topics)
            about += [{"article_id": article_id, "topic_id": topic_id} for topic_id in topic_ids]
            placed += [{"article_id": article_id, "country_id": countries[code]} for code in codes if code in countries]
        for table, rows in ((_table(ArticleAuthor), signed), (article_topic, about), (article_country, placed)):
            connection.execute(delete(table).where(table.c.article_id.in_(changed)))
            _execute(connection, insert(table), rows)


def _execute(connection: Connection, statement: Executable, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)


def _table(model: type[Any]) -> Table:
    return cast(Table, model.__table__)
