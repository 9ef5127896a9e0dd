"""Both search indexes as followers: catch up, rebuild, mend, say how far they are behind.

The public one holds what is published and follows the outbox. The newsroom's holds everything else, in a directory of
its own, and follows the revisions: every save by a person, an import or a publication leaves one in its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

from spectator import outbox, queries
from spectator.db import db
from spectator.models import Article
from spectator.search import Document, Index, IndexUnavailableError, open_index
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import country_by_code

REPAIR_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Lag:
    """How far an index is behind what it follows: `position` is None where it is missing or damaged."""

    edition: int
    offset: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Source:
    """What an index follows: newest and oldest number, what the numbers after one touched, when the first of them was;
    and what it holds."""

    name: str
    directory: str
    newest: Callable[[], int]
    oldest: Callable[[], int]
    changed_after: Callable[[int], tuple[set[int], int]]
    first_change_time_after: Callable[[int], datetime | None]
    articles: Callable[..., Sequence[Article]]
    versions: Callable[[], dict[int, int]]


PUBLIC = Source(
    "published",
    "index",
    outbox.edition,
    outbox.oldest_seq,
    outbox.articles_changed_after,
    outbox.first_event_time_after,
    queries.articles_to_index,
    queries.published_versions,
)
NEWSROOM = Source(
    "unpublished",
    "index-newsroom",
    queries.newest_revision_id,
    lambda: 0,  # revisions are kept for good
    queries.articles_revised_after,
    queries.first_revision_time_after,
    queries.unpublished_to_index,
    queries.unpublished_versions,
)


@cache
def _open(directory: Path, zone: str) -> Index:
    return open_index(directory, ZoneInfo(zone))


def _time_zone() -> str:
    """Return the newsroom's time zone; tools that have no site read days in UTC."""
    return str(current_app.config["TIMEZONE"]) if has_app_context() else "UTC"


def open_newsroom_index(data_dir: Path) -> Index:
    """Return this process's handle on the index of what is not public, for people who are logged in alone."""
    return _open(data_dir / NEWSROOM.directory, _time_zone())


def open_public_index(data_dir: Path) -> Index:
    """Return this process's handle on the index of a data directory."""
    return _open(data_dir / PUBLIC.directory, _time_zone())


def open_indexes(data_dir: Path) -> tuple[tuple[Index, Source], ...]:
    """Return both indexes of a data directory with what they follow, the readers' first."""
    return (open_public_index(data_dir), PUBLIC), (open_newsroom_index(data_dir), NEWSROOM)


def index_directories(data_dir: Path) -> list[Path]:
    """Return the directories of both indexes, the readers' first."""
    return [data_dir / source.directory for source in (PUBLIC, NEWSROOM)]


def build_document(article: Article) -> Document:
    """Return what is searched of a story; one without a date stands under that of its last save."""
    countries = [country_by_code(country.code) for country in article.countries]
    aliases = [name for each in countries if each for name in (each.name, *each.aliases)]
    people = [author.name for author in article.authors]
    filed = attrgetter(
        "slug" if article.is_public else "ascii_form"
    )  # only public names are sure to keep their slug
    names = [
        *people,
        article.section.name,
        *aliases,
        *(topic.name for topic in article.topics),
        article.source_name,
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
        topics=tuple(map(filed, article.topics)),
        authors=tuple(map(filed, article.authors)),
        language=article.language,
        published_at=article.published_at or article.saved_at,
    )


def catch_up(index: Index, source: Source = PUBLIC) -> bool:
    """Bring an index one step nearer to what it follows, rebuilding it where it must be; return whether it moved."""
    position = index.offset()
    db.session.rollback()  # what is read from here on is newer than the position, also if another process moved it
    newest = source.newest()
    try:
        if (
            position is None
            or index.is_outdated()
            or position > newest
            or source.oldest() > position + 1
        ):
            rebuild(index, source=source)
            return True
        if position == newest:
            return False
        ids, last = source.changed_after(position)
        index.apply(_build_changes(ids, source), last, expected_offset=position)
    except IndexUnavailableError:
        return False  # another process rebuilds, or has just switched: look again at the next step
    return True


def _build_changes(ids: set[int], source: Source) -> dict[int, Document | None]:
    changes: dict[int, Document | None] = dict.fromkeys(ids)
    for article in source.articles(ids):
        changes[article.id] = build_document(article)
    return changes


def compact(index: Index, source: Source = PUBLIC) -> None:
    """Rebuild an index that many small publications have scattered over many files; searching those gets slower."""
    try:
        if index.is_fragmented():
            rebuild(index, source=source)
    except IndexUnavailableError:
        return  # the next step of the worker rebuilds it anyway


def rebuild(
    index: Index, progress: Callable[[int], None] | None = None, source: Source = PUBLIC
) -> None:
    """Build an index anew beside the one in use and switch; `progress` is told the number of stories done."""
    number = source.newest()  # noted first: what happens meanwhile is caught up after the switch
    index.rebuild(_all_documents(source), number, progress)


def _all_documents(source: Source) -> Iterator[Document]:
    after = 0
    while articles := source.articles(after=after):
        yield from (build_document(article) for article in articles)
        after = articles[-1].id
        db.session.rollback()  # a long read would keep the write-ahead log from shrinking
        db.session.expunge_all()


def lag(data_dir: Path, source: Source = PUBLIC) -> Lag:
    """Return how far an index is behind, in numbers and in seconds of the oldest act that it has not seen."""
    index = open_newsroom_index(data_dir) if source is NEWSROOM else open_public_index(data_dir)
    position = index.offset()
    edition, oldest = source.newest(), source.first_change_time_after(position or 0)
    seconds = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    return Lag(edition, position, round(seconds, 1))


def find_differences(index: Index, source: Source = PUBLIC) -> tuple[set[int], set[int]]:
    """Return the ids that an index lacks or holds in another version, and those that it holds in vain."""
    indexed, stored = index.versions(), source.versions()
    wrong = {each for each, version in stored.items() if indexed.get(each) != version}
    return wrong, indexed.keys() - stored.keys()


def repair(index: Index, source: Source = PUBLIC) -> tuple[set[int], set[int]]:
    """Put right what an index lacks or holds wrongly or in vain; return what that was, once it is so no longer.

    What has changed since the index last moved is no fault: its follower sees to that. Raises IndexUnavailable where
    the index cannot be changed, or moves on or stays wrong each of five times.
    """
    all_wrong: set[int] = set()
    all_needless: set[int] = set()
    for _ in range(REPAIR_ATTEMPTS):
        while catch_up(index, source):
            pass
        position = index.offset()
        if position is None:
            break
        db.session.rollback()  # as in catch_up: older rows would overwrite what the index has already seen
        waiting, _ = source.changed_after(position)
        wrong, needless = (ids - waiting for ids in find_differences(index, source))
        if not (wrong or needless):
            return all_wrong, all_needless
        with suppress(IndexUnavailableError):  # it moved: what was wrong may be right now
            index.apply(
                _build_changes(wrong | needless, source), position, expected_offset=position
            )
            all_wrong |= wrong
            all_needless |= needless
    raise IndexUnavailableError(
        f"the index of {source.name} stories is away, or moves on while it is mended"
    )
