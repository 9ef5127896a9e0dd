"""Stores imported stories a batch at a time: decided in memory, written by a few statements. Only for publishing.

The rules are those of the acts on one story. What differs is the road: a few SELECTs tell all that a batch has to know,
and nothing is loaded as an object.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from spectator.media import StoredPicture
from spectator.models import Article, ImportState, Revision
from spectator.models.article import WAS_PUBLIC_STATUSES, new_feed_id
from spectator.publishing.articles import COPIED_FIELDS, PICTURE_FIELDS
from spectator.publishing.bulk import BulkWriter
from spectator.publishing.drafts import Draft, PreparedDraft, ValidationError, clean_line
from spectator.publishing.import_merge import (
    Comparison,
    MergeDecision,
    SourceValues,
    is_unchanged,
    publication_value,
    values_of_draft,
)
from spectator.publishing.listings import update_listings
from spectator.publishing.lookups import SectionKey, SectionLookup, SlugLookup
from spectator.publishing.pictures import update_picture_uses
from spectator.publishing.taxonomy import add_picture
from spectator.text.words.slugs import slugify

MAX_ID_LENGTH = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """A story as an importer has it: `section` is the name that goes with the draft's slug, moments are aware.

    The same `external_id` again is the same story; None is a new one each time. `feed_id` is the id under which feeds
    know it already. `is_picture_known`: the picture, or that there is none, was looked at.
    """

    prepared: PreparedDraft
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: StoredPicture | None = None
    is_picture_known: bool = True
    feed_id: str = ""

    @property
    def visible_updated_at(self) -> datetime | None:
        """Return when the story was updated, None where that was before readers could see it."""
        at, published = self.updated_at, self.published_at
        is_public = self.status in WAS_PUBLIC_STATUSES and published is not None
        return (
            at
            if at is not None and published is not None and is_public and at >= published
            else None
        )


@dataclass(slots=True)
class ImportResult:
    """What became of a batch: stories added, updated, unchanged; names of sections made; by position in the batch what
    stayed as people changed it here, and the reason of each refused story."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    sections: list[str] = field(default_factory=list)
    preserved: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def include(self, other: ImportResult) -> None:
        """Add what became of other stories."""
        self.added += other.added
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.sections += other.sections
        self.preserved += other.preserved
        self.refused += other.refused


def import_batch(
    session: Session, stories: Sequence[ImportedArticle], overwrite: bool = False
) -> ImportResult:
    """Store a batch of imported stories, in order, inside the importer's `db.write()`.

    The same external id again, in the batch too, updates that story, as far as nobody has changed it here; `overwrite`
    lets the source win. What is as it was is not written. A story that cannot be stored is refused and takes no other
    with it.
    """
    numbered = list(enumerate(stories))
    try:
        with session.begin_nested():
            return _import_numbered(session, numbered, overwrite)
    except OperationalError:
        raise  # the database is locked, full or gone: no story's fault
    except Exception:
        log.debug("a batch is stored story by story", exc_info=True)
    outcome = ImportResult()
    for place, story in numbered:
        try:
            with session.begin_nested():
                outcome.include(_import_numbered(session, [(place, story)], overwrite))
        except OperationalError:
            raise
        except Exception as error:
            log.debug("a story is refused", exc_info=True)
            outcome.refused.append((place, f"cannot be stored: {error}"))
    return outcome


def _import_numbered(
    session: Session, stories: Iterable[tuple[int, ImportedArticle]], overwrite: bool
) -> ImportResult:
    outcome, article_ids = ImportResult(), list[int]()
    for part in _split_at_repeated_ids(stories):
        article_ids += _ImportBatch(session, [story for _, story in part], overwrite).apply(
            part, outcome
        )
    if article_ids:
        update_listings(session, article_ids)
        update_picture_uses(session, article_ids)
    return outcome


def _split_at_repeated_ids(
    stories: Iterable[tuple[int, ImportedArticle]],
) -> Iterator[list[tuple[int, ImportedArticle]]]:
    """Cut a batch where an id comes again: the later story has to find the earlier one stored."""
    part: list[tuple[int, ImportedArticle]] = []
    seen: set[str] = set()
    for place, story in stories:
        if story.external_id in seen:
            yield part
            part, seen = [], set()
        part.append((place, story))
        if story.external_id is not None:
            seen.add(story.external_id)
    if part:
        yield part


class _ImportBatch:
    """Stories of different ids, with what the database says about them."""

    def __init__(self, session: Session, stories: list[ImportedArticle], overwrite: bool) -> None:
        self.session = session
        self.overwrite = overwrite
        self.existing = _load_existing(
            session, [each.external_id for each in stories if each.external_id is not None]
        )
        drafts = [each.prepared.draft for each in stories]
        stored = {row.slug for row in self.existing.values()}
        self.slugs = SlugLookup(
            session, stored | {each.slug or slugify(each.headline) for each in drafts}
        )
        self.sections = SectionLookup(session)
        self.next_id = (session.scalar(select(func.max(Article.id))) or 0) + 1
        feed_ids = {each.feed_id for each in stories if each.feed_id}
        self.feed_ids = set(
            session.scalars(select(Article.feed_id).where(Article.feed_id.in_(feed_ids)))
        )
        self.writer = BulkWriter(datetime.now(UTC))
        self.comparison = Comparison(session, self._candidates(stories))

    def _candidates(self, stories: list[ImportedArticle]) -> list[tuple[Row[Any], SourceValues]]:
        """Return the stored stories that may change, with what the source gives: it says something else than last time,
        or somebody has saved them since."""
        found = []
        for story in stories:
            old = self.existing.get(story.external_id) if story.external_id is not None else None
            if old is not None:
                given = self._source_values(story)
                if (
                    self.overwrite
                    or old.version != old.taken_version
                    or not is_unchanged(old.source_values, given)
                ):
                    found.append((old, given))
        return found

    def _source_values(self, story: ImportedArticle) -> SourceValues:
        """Return what the source gives, field by field."""
        section = self.sections.slug_for(story.section)
        digest = (story.picture.digest if story.picture else "") if story.is_picture_known else None
        publication = publication_value(story.status, story.published_at)
        prepared = story.prepared
        return values_of_draft(
            prepared.draft,
            section,
            prepared.country_codes,
            digest,
            publication,
            story.visible_updated_at,
        )

    def apply(self, stories: list[tuple[int, ImportedArticle]], result: ImportResult) -> list[int]:
        """Decide on every story, then write; returns the ids of those that were stored."""
        for place, story in stories:
            old = self.existing.get(story.external_id) if story.external_id is not None else None
            try:
                if old is None:
                    self._add_article(story, result)
                else:
                    self._update_article(place, story, old, result)
            except ValidationError as error:
                result.refused.append((place, str(error)))
        return self.writer.write(self.session)

    def _add_article(self, story: ImportedArticle, result: ImportResult) -> None:
        """Note all rows of a new story; raises Invalid, and has then changed nothing."""
        draft, article_id = story.prepared.draft, self.next_id
        if len(story.external_id or "") > MAX_ID_LENGTH:
            raise ValidationError({"id": f"At most {MAX_ID_LENGTH} characters are possible."})
        slug = self.slugs.unique_slug(draft, article_id)
        section = self.sections.get_or_create(story.section, result.sections)
        draft = replace(draft, section=section.slug, picture_id=self._picture_id(story))
        self.next_id += 1
        if story.status in WAS_PUBLIC_STATUSES:
            self.slugs.owners[slug] = article_id
        values = self._column_values(draft, story, slug, section.id)
        self.writer.add_article(article_id, story.external_id, self._feed_id(story), values)
        self.writer.add_revision(article_id, draft, values, 1, 1)
        self.writer.set_taxonomy(article_id, draft, story.prepared.country_codes)
        if story.external_id is not None:
            self.writer.set_import_state(article_id, 1, self._source_values(story) | {"slug": slug})
        if story.status == "published":
            self.writer.add_event(article_id, "publish")
        result.added += 1

    def _column_values(
        self, draft: Draft, story: ImportedArticle, slug: str, section_id: int
    ) -> dict[str, Any]:
        """Return the columns of a story as its source has it."""
        values: dict[str, Any] = {
            name: getattr(draft, name) for name in COPIED_FIELDS + PICTURE_FIELDS
        }
        values |= {"slug": slug, "section_id": section_id, "status": story.status}
        values |= {"excerpt": story.prepared.excerpt, "word_count": story.prepared.word_count}
        return values | {"published_at": story.published_at, "updated_at": story.visible_updated_at}

    def _picture_id(self, story: ImportedArticle) -> int | None:
        return add_picture(self.session, story.picture, None) if story.picture is not None else None

    def _feed_id(self, story: ImportedArticle) -> str:
        """Return the id that feeds know the story by, another one where a story has that already."""
        wanted = clean_line(story.feed_id)[:500]
        if not wanted or wanted in self.feed_ids:
            return new_feed_id()
        self.feed_ids.add(wanted)
        return wanted

    def _update_article(
        self, index: int, story: ImportedArticle, old: Row[Any], result: ImportResult
    ) -> None:
        """Note what the source may change of a story; raises Invalid, and has then changed nothing."""
        decision = self.comparison.decide(old, self.overwrite)
        if decision is not None and decision.preserved:
            result.preserved.append((index, ", ".join(decision.preserved)))
        if decision is None or not decision.accepted:
            if (
                decision is not None
                and old.source_values is not None
                and decision.source_values != old.source_values
            ):
                self.writer.set_import_state(
                    old.id, old.version, decision.source_values
                )  # people and source agree on something
            result.unchanged += 1
            return
        self._write_changes(story, old, decision, result)
        result.updated += 1

    def _write_changes(
        self, story: ImportedArticle, old: Row[Any], decision: MergeDecision, result: ImportResult
    ) -> None:
        """Note all rows of a story that its source changes."""
        taken, held, source = (
            decision.accepted,
            self.comparison.stored[old.id],
            story.prepared.draft,
        )
        status = story.status if "publication" in taken else old.status
        slug = self._choose_slug(old, source, status, taken)
        section = SectionKey(held.row.section_id, held.row.section)
        if "section" in taken:
            section = self.sections.get_or_create(story.section, result.sections)
        if "picture" in taken:
            source = replace(source, picture_id=self._picture_id(story))
        self._update_redirects(old, slug, status)
        draft = held.draft_with(replace(source, slug=slug, section=section.slug), taken)
        values = held.values_with(self._column_values(source, story, slug, section.id), taken) | {
            "slug": slug
        }
        self.writer.update_article(old.id, old.version, values)
        self.writer.add_revision(
            old.id, draft, values, (old.number or 0) + 1, old.version + 1, held.notes
        )
        codes = (
            story.prepared.country_codes
            if "countries" in taken
            else tuple(code for code, _ in held.countries)
        )
        self.writer.set_taxonomy(old.id, draft, codes)
        self.writer.set_import_state(old.id, old.version + 1, decision.source_values)
        if "published" in {values["status"], old.status}:
            self.writer.add_event(
                old.id, "publish" if values["status"] == "published" else "withdraw"
            )

    def _choose_slug(
        self, old: Row[Any], source: Draft, status: str, accepted: frozenset[str]
    ) -> str:
        """Return the slug of a stored story that its source changes; raises Invalid for another story's."""
        if "slug" in accepted:
            return self.slugs.unique_slug(source, old.id)
        if status in WAS_PUBLIC_STATUSES and old.status not in WAS_PUBLIC_STATUSES:
            return self.slugs.unique_stored_slug(old, source.headline)
        return str(old.slug)

    def _update_redirects(self, old: Row[Any], slug: str, status: str) -> None:
        """Leave a redirect behind where a story that was public gets another slug, or is not public any more."""
        was_seen, is_seen = old.status in WAS_PUBLIC_STATUSES, status in WAS_PUBLIC_STATUSES
        if slug != old.slug:
            self.writer.move_slug(old.id, old.slug if was_seen else "", slug)
        if was_seen and not is_seen:
            self.writer.redirects.append({"slug": slug, "article_id": old.id})
        if was_seen or is_seen:
            self.slugs.owners[slug] = old.id


def _load_existing(session: Session, external_ids: list[str]) -> dict[str, Row[Any]]:
    """Return what is stored under these ids, the number of the newest revision, and what the source last gave."""
    newest = (
        select(func.max(Revision.number)).where(Revision.article_id == Article.id).scalar_subquery()
    )
    columns = (Article.id, Article.external_id, Article.slug, Article.status, Article.version)
    state = (
        ImportState.version.label("taken_version"),
        ImportState.imported_at,
        ImportState.source_values,
    )
    query = select(*columns, newest.label("number"), *state).outerjoin(ImportState)
    rows = session.execute(query.where(Article.external_id.in_(external_ids)))
    return {row.external_id: row for row in rows if row.external_id is not None}
