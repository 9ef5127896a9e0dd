"""The search index as a follower of the outbox: catch up, rebuild, say how far it is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select

from spectator import outbox, queries
from spectator.db import db
from spectator.models import Article, Outbox
from spectator.search import Document, Index, IndexUnavailable, open_index
from spectator.text.gazetteer import country_by_code
from spectator.text.html import plain_text


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the index is behind: `position` is None where it is missing or damaged."""

    edition: int
    position: int | None
    seconds: float


@cache
def index_in(data_dir: Path) -> Index:
    """Return this process's handle on the index of a data directory."""
    return open_index(data_dir / "index")


def document_of(article: Article) -> Document:
    """Return what is searched of a story."""
    countries = [country_by_code(country.code) for country in article.countries]
    aliases = [name for each in countries if each for name in (each.name, *each.aliases)]
    people = [author.name for author in article.authors]
    names = [*people, article.section.name, *aliases, *(topic.name for topic in article.topics), article.source_name]
    assert article.published_at is not None
    return Document(
        id=article.id,
        version=article.version,
        headline=article.headline,
        dek=article.dek,
        body=plain_text(article.body),
        names="\n".join(names),
        section=article.section.slug,
        countries=tuple(country.slug for country in article.countries),
        topics=tuple(topic.slug for topic in article.topics),
        authors=tuple(author.slug for author in article.authors),
        language=article.language,
        published_at=article.published_at,
    )


def catch_up(index: Index) -> bool:
    """Bring the index one step nearer to the outbox, rebuilding it where it must be; return whether it moved."""
    position, edition = index.position(), outbox.edition()
    try:
        if position is None or position > edition or outbox.oldest() > position + 1:
            rebuild(index)
            return True
        if position == edition:
            return False
        ids, last = outbox.articles_after(position)
        changes: dict[int, Document | None] = dict.fromkeys(ids)
        for article in queries.articles_to_index(ids):
            changes[article.id] = document_of(article)
        index.apply(changes, last, after=position)
    except IndexUnavailable:
        return False  # another process rebuilds, or has just switched: look again at the next step
    return True


def gather(index: Index) -> None:
    """Rebuild an index that many small publications have scattered over many files; searching those gets slower."""
    try:
        if index.is_scattered():
            rebuild(index)
    except IndexUnavailable:
        return  # the next step of the worker rebuilds it anyway


def rebuild(index: Index, progress: Callable[[int], None] | None = None) -> None:
    """Build the index anew beside the one in use and switch; `progress` is told the number of stories done."""
    number = outbox.edition()  # noted first: what is published meanwhile is caught up after the switch
    index.rebuild(_all_documents(), number, progress)


def _all_documents() -> Iterator[Document]:
    after = 0
    while articles := queries.articles_to_index(after=after):
        yield from (document_of(article) for article in articles)
        after = articles[-1].id
        db.session.rollback()  # a long read would keep the write-ahead log from shrinking
        db.session.expunge_all()


def lag(data_dir: Path) -> Lag:
    """Return how far the index is behind, in outbox numbers and in seconds of the oldest unindexed act."""
    edition, position = outbox.edition(), index_in(data_dir).position()
    oldest = db.session.scalar(select(Outbox.at).where(Outbox.seq > (position or 0)).order_by(Outbox.seq).limit(1))
    seconds = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    return Lag(edition, position, round(seconds, 1))


def differences(index: Index) -> tuple[set[int], set[int]]:
    """Return the ids that the index lacks or holds in another version, and those that it holds in vain."""
    indexed, published = index.versions(), queries.published_versions()
    wrong = {each for each, version in published.items() if indexed.get(each) != version}
    return wrong, indexed.keys() - published.keys()
