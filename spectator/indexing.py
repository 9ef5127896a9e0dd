"""The two search indexes as consumers: catch up, rebuild, repair, and report the lag.

The public index holds published stories and consumes the outbox. The newsroom's index holds all
other stories, in a directory of its own, and consumes the revisions: every save, import and
publication adds one in its transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

from spectator import outbox, queries, request_ids
from spectator.db import db
from spectator.db.postgresql_engine import DerivedDatabase
from spectator.i18n import gettext, lazy_pgettext
from spectator.models import Article
from spectator.search import (
    Document,
    Index,
    IndexUnavailableError,
    open_index,
    open_shared_index,
)
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import country_by_code

log = logging.getLogger(__name__)
REPAIR_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Lag:
    """How far an index is behind its source.

    `newest_number` is the number of the source's newest change; `offset` that of the last change in
    the index, None if it is missing or damaged; `seconds` the age of the first one it lacks.
    """

    newest_number: int
    offset: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Source:
    """The source of an index: the numbered changes that it consumes, the articles that it holds.

    The index is in `directory` or, in PostgreSQL, in tables whose names have `table_suffix`.
    """

    name: str
    directory: str
    table_suffix: str
    newest: Callable[[], int]
    oldest: Callable[[], int]
    changed_after: Callable[[int], tuple[set[int], int]]
    request_ids_between: Callable[[int, int], Sequence[str]]
    first_change_time_after: Callable[[int], datetime | None]
    articles: Callable[..., Sequence[Article]]
    versions: Callable[[], dict[int, int]]


# What an index holds. Translators: part of “12 published stories indexed”.
KIND_LABELS = {
    "published": lazy_pgettext("stories", "published"),
    "unpublished": lazy_pgettext("stories", "unpublished"),
}
PUBLIC = Source(
    "published",
    "index",
    "public",
    outbox.newest_number,
    outbox.oldest_number,
    outbox.articles_changed_after,
    outbox.request_ids_between,
    outbox.first_event_time_after,
    queries.articles_to_index,
    queries.published_versions,
)
NEWSROOM = Source(
    "unpublished",
    "index-newsroom",
    "newsroom",
    queries.newest_revision_id,
    lambda: 0,  # revisions are kept for good
    queries.articles_revised_after,
    lambda _after, _through: (),  # revisions hold no request ids
    queries.first_revision_time_after,
    queries.unpublished_to_index,
    queries.unpublished_versions,
)


@cache
def _open_directory(directory: Path, zone: str) -> Index:
    return open_index(directory, ZoneInfo(zone))


def _open(data_dir: Path, source: Source) -> Index:
    """Return the index of a source in the engine of the current application, if there is one."""
    if has_app_context() and current_app.config["SEARCH"] == "postgres":
        indexes: dict[str, Index] = current_app.extensions.setdefault("search_indexes", {})
        if source.table_suffix not in indexes:
            indexes[source.table_suffix] = open_shared_index(
                DerivedDatabase(db.engine), source.table_suffix, ZoneInfo(_time_zone())
            )
        return indexes[source.table_suffix]
    return _open_directory(data_dir / source.directory, _time_zone())


def _time_zone() -> str:
    """Return the name of the newsroom's time zone, or UTC outside an app."""
    return str(current_app.config["TIMEZONE"]) if has_app_context() else "UTC"


def open_newsroom_index(data_dir: Path) -> Index:
    """Return this process's handle on the newsroom's index, which readers never search."""
    return _open(data_dir, NEWSROOM)


def open_public_index(data_dir: Path) -> Index:
    """Return this process's handle on the index of published stories."""
    return _open(data_dir, PUBLIC)


def open_indexes(data_dir: Path) -> tuple[tuple[Index, Source], ...]:
    """Return both indexes of a data directory with their sources, the public one first."""
    return (open_public_index(data_dir), PUBLIC), (open_newsroom_index(data_dir), NEWSROOM)


def index_directories(data_dir: Path) -> list[Path]:
    """Return the directories of both indexes, the public one first."""
    return [data_dir / source.directory for source in (PUBLIC, NEWSROOM)]


def index_sizes(data_dir: Path) -> dict[str, int]:
    """Return the bytes of both indexes, by the names of their directories."""
    return {source.directory: index.size() for index, source in open_indexes(data_dir)}


def build_document(article: Article) -> Document:
    """Return the search document of an article, dated by its last save if it has no date."""
    countries = [country_by_code(country.code) for country in article.countries]
    aliases = [
        name for country in countries if country for name in (country.name, *country.aliases)
    ]
    people = [author.name for author in article.authors]
    # Only the slugs of public names are final.
    slug_of = attrgetter("slug" if article.is_public else "ascii_form")
    names = [
        *people,
        article.section.name,
        *aliases,
        *(topic.name for topic in article.topics),
        article.source_name,
        article.kicker,
    ]
    return Document(
        id=article.id,
        version=article.version,
        headline=article.headline,
        dek=article.dek,
        body=plain_text(article.body),
        names="\n".join(names),
        section=article.section.slug,
        countries=tuple(country.slug for country in article.countries),
        topics=tuple(map(slug_of, article.topics)),
        authors=tuple(map(slug_of, article.authors)),
        language=article.language,
        published_at=article.published_at or article.saved_at,
        is_own=not article.is_public and article.created_by_id is not None,
    )


def _build_documents(articles: Sequence[Article]) -> Iterator[Document]:
    """Yield the documents of articles; one that cannot be built is logged and left out."""
    for article in articles:
        try:
            yield build_document(article)
        except Exception:
            log.exception("story %s cannot be indexed", article.id)


def catch_up(index: Index, source: Source = PUBLIC) -> bool:
    """Apply the next changes to an index, or rebuild it if needed; return whether it changed."""
    offset = index.offset()
    if offset is None:
        offset = index.offset()  # One read that failed does not mean that it must be rebuilt.
    db.session.rollback()  # Later reads must be newer than the offset.
    newest = source.newest()
    try:
        if (
            offset is None
            or index.is_outdated()
            or offset > newest
            or source.oldest() > offset + 1
        ):
            rebuild(index, source=source)
            return True
        if offset == newest:
            return False
        ids, last = source.changed_after(offset)
        with request_ids.caused_by(source.request_ids_between(offset, last)):
            index.apply(_build_changes(ids, source), last, expected_offset=offset)
            log.info("indexed %s changed %s stories", len(ids), source.name)
    except IndexUnavailableError:
        return False  # Another process is rebuilding or has just replaced it: try again later.
    return True


def _build_changes(ids: set[int], source: Source) -> dict[int, Document | None]:
    changes: dict[int, Document | None] = dict.fromkeys(ids)
    changes |= {document.id: document for document in _build_documents(source.articles(ids))}
    return changes


def compact(index: Index, source: Source = PUBLIC) -> None:
    """Rebuild an index that many updates have spread over many files, which slows searches."""
    index.delete_unused()
    try:
        if index.is_fragmented():
            rebuild(index, source=source)
    except IndexUnavailableError:
        return  # The worker rebuilds it in its next round.


def rebuild(
    index: Index, progress: Callable[[int], None] | None = None, source: Source = PUBLIC
) -> None:
    """Build a new index beside the one in use, then switch to it.

    `progress` is called with the number of stories indexed so far.
    """
    offset = source.newest()  # Read first, so that later changes are applied after the switch.
    index.rebuild(_all_documents(source), offset, progress)


def _all_documents(source: Source) -> Iterator[Document]:
    after = 0
    while articles := source.articles(after=after):
        yield from _build_documents(articles)
        after = articles[-1].id
        db.session.rollback()  # A long read keeps the write-ahead log from shrinking.
        db.session.expunge_all()


def lag(data_dir: Path, source: Source = PUBLIC) -> Lag:
    """Return how far the index of a source is behind."""
    index = open_newsroom_index(data_dir) if source is NEWSROOM else open_public_index(data_dir)
    offset = index.offset()
    newest, oldest = source.newest(), source.first_change_time_after(offset or 0)
    seconds = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    return Lag(newest, offset, round(seconds, 1))


def find_differences(index: Index, source: Source = PUBLIC) -> tuple[set[int], set[int]]:
    """Return the ids that are missing or stale in an index, and the ids that are orphaned in it."""
    indexed, stored = index.versions(), source.versions()
    stale = {key for key, version in stored.items() if indexed.get(key) != version}
    return stale, indexed.keys() - stored.keys()


def catch_up_to_now(index: Index, source: Source = PUBLIC) -> None:
    """Apply all changes made until now; those that arrive meanwhile are left to `catch_up`."""
    newest = source.newest()
    while (index.offset() or 0) < newest and catch_up(index, source):
        pass


def _pending_ids(source: Source, offset: int) -> set[int]:
    """Return the articles of all changes that are not in an index yet."""
    pending: set[int] = set()
    newest = source.newest()
    while offset < newest:
        ids, offset = source.changed_after(offset)
        pending |= ids
    return pending


def repair(index: Index, source: Source = PUBLIC) -> tuple[set[int], set[int]]:
    """Repair an index: add missing, refresh stale and drop orphaned documents.

    Return the ids that were missing or stale and those that were orphaned. Changes that
    arrive meanwhile are left to `catch_up`. Raises IndexUnavailableError if the index cannot be
    changed, or if it is not correct after five attempts.
    """
    all_stale: set[int] = set()
    all_orphaned: set[int] = set()
    for _ in range(REPAIR_ATTEMPTS):
        catch_up(index, source)  # rebuilds an index that needs it
        offset = index.offset()
        if offset is None:
            break
        db.session.rollback()  # As in catch_up: later reads must be newer than the offset.
        pending = _pending_ids(source, offset)
        stale, orphaned = (ids - pending for ids in find_differences(index, source))
        if not (stale or orphaned):
            return all_stale, all_orphaned
        with suppress(IndexUnavailableError):  # Another process changed the index: compare again.
            for batch in queries.split_into_batches(stale | orphaned):
                index.apply(_build_changes(batch, source), offset, expected_offset=offset)
            all_stale |= stale
            all_orphaned |= orphaned
    raise IndexUnavailableError(
        gettext(
            "The index of %(kind)s stories is unavailable or kept changing during the repair",
            kind=KIND_LABELS[source.name],
        )
    )
