"""The import of stories in batches, decided in memory, written in bulk. Only for publishing.

The rules are the same as for actions on a single story. For speed, a few SELECTs load what a whole
batch needs, and no ORM objects are created.
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
from spectator.publishing.bulk import BulkWriter
from spectator.publishing.fields import COPIED_FIELDS, Draft
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
from spectator.publishing.validation import PreparedDraft, ValidationError, clean_line
from spectator.text.words.slugs import slugify

MAX_ID_LENGTH = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """A story as an importer provides it.

    `section` is a section's name or slug; datetimes are aware. Importing an `external_id` again
    updates the same story; None always adds a new one. `feed_id` is the story's id in the feeds of
    its old site. `is_picture_known`: the importer checked whether there is a picture.
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
        """Return when the story was updated, None if that was before its publication."""
        at, published = self.updated_at, self.published_at
        if at is None or published is None or self.status not in WAS_PUBLIC_STATUSES:
            return None
        return at if at >= published else None


@dataclass(slots=True)
class ImportResult:
    """The result of importing a batch: numbers of stories, and names of new sections.

    `preserved` and `refused` hold pairs of a story's index in the batch and a text: the fields
    that stayed as edited here, or the reason why the story was not stored.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    sections: list[str] = field(default_factory=list)
    preserved: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def include(self, other: ImportResult) -> None:
        """Add another result to this one."""
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

    A repeated external id, even within the batch, updates the fields of that story that nobody has
    edited here; with `overwrite` the source wins. Unchanged stories are not written. A story that
    cannot be stored is refused without affecting the others.
    """
    numbered = list(enumerate(stories))
    try:
        with session.begin_nested():
            return _import_numbered(session, numbered, overwrite)
    except OperationalError:
        raise  # the database is locked, full or unreachable, which no story causes
    except Exception:
        log.debug("importing a batch failed; retrying story by story", exc_info=True)
    result = ImportResult()
    for index, story in numbered:
        try:
            with session.begin_nested():
                result.include(_import_numbered(session, [(index, story)], overwrite))
        except OperationalError:
            raise
        except Exception as error:
            log.debug("importing a story failed", exc_info=True)
            result.refused.append((index, f"cannot be stored: {error}"))
    return result


def _import_numbered(
    session: Session, stories: Iterable[tuple[int, ImportedArticle]], overwrite: bool
) -> ImportResult:
    result, article_ids = ImportResult(), list[int]()
    for part in _split_at_repeated_ids(stories):
        batch = _ImportBatch(session, [story for _, story in part], overwrite)
        article_ids += batch.apply(part, result)
    if article_ids:
        update_listings(session, article_ids)
        update_picture_uses(session, article_ids)
    return result


def _split_at_repeated_ids(
    stories: Iterable[tuple[int, ImportedArticle]],
) -> Iterator[list[tuple[int, ImportedArticle]]]:
    """Split a batch before each repeated id, so that the later story updates the earlier one."""
    part: list[tuple[int, ImportedArticle]] = []
    seen_ids: set[str] = set()
    for index, story in stories:
        if story.external_id in seen_ids:
            yield part
            part, seen_ids = [], set()
        part.append((index, story))
        if story.external_id is not None:
            seen_ids.add(story.external_id)
    if part:
        yield part


class _ImportBatch:
    """Stories with different external ids, and what the database already holds about them."""

    def __init__(self, session: Session, stories: list[ImportedArticle], overwrite: bool) -> None:
        self.session = session
        self.overwrite = overwrite
        self.existing = _load_existing(
            session, [story.external_id for story in stories if story.external_id is not None]
        )
        drafts = [story.prepared.draft for story in stories]
        stored_slugs = {row.slug for row in self.existing.values()}
        new_slugs = {draft.slug or slugify(draft.headline) for draft in drafts}
        self.slugs = SlugLookup(session, stored_slugs | new_slugs)
        self.sections = SectionLookup(session)
        self.next_id = (session.scalar(select(func.max(Article.id))) or 0) + 1
        feed_ids = {story.feed_id for story in stories if story.feed_id}
        self.feed_ids = set(
            session.scalars(select(Article.feed_id).where(Article.feed_id.in_(feed_ids)))
        )
        self.writer = BulkWriter(datetime.now(UTC))
        self.comparison = Comparison(session, self._candidates(stories))

    def _candidates(self, stories: list[ImportedArticle]) -> list[tuple[Row[Any], SourceValues]]:
        """Return the rows of stored stories that may change, each with its source values.

        They may change if the source changed since the last import, or somebody saved them.
        """
        candidates = []
        for story in stories:
            old = self.existing.get(story.external_id) if story.external_id is not None else None
            if old is not None:
                source_values = self._source_values(story)
                if (
                    self.overwrite
                    or old.version != old.imported_version
                    or not is_unchanged(old.source_values, source_values)
                ):
                    candidates.append((old, source_values))
        return candidates

    def _source_values(self, story: ImportedArticle) -> SourceValues:
        """Return the source's values of a story, by field."""
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
        """Decide on every story, then write them all; return the ids of stored stories."""
        for index, story in stories:
            old = self.existing.get(story.external_id) if story.external_id is not None else None
            try:
                if old is None:
                    self._add_article(story, result)
                else:
                    self._update_article(index, story, old, result)
            except ValidationError as error:
                result.refused.append((index, str(error)))
        return self.writer.write(self.session)

    def _add_article(self, story: ImportedArticle, result: ImportResult) -> None:
        """Collect the rows of a new story; collect nothing and raise ValidationError if invalid."""
        draft, article_id = story.prepared.draft, self.next_id
        if len(story.external_id or "") > MAX_ID_LENGTH:
            raise ValidationError({"id": f"Use at most {MAX_ID_LENGTH} characters."})
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
        """Return the column values of a story, taken from its source."""
        values: dict[str, Any] = {name: getattr(draft, name) for name in COPIED_FIELDS}
        values |= {"slug": slug, "section_id": section_id, "status": story.status}
        values |= {"excerpt": story.prepared.excerpt, "word_count": story.prepared.word_count}
        return values | {"published_at": story.published_at, "updated_at": story.visible_updated_at}

    def _picture_id(self, story: ImportedArticle) -> int | None:
        return add_picture(self.session, story.picture, None) if story.picture is not None else None

    def _feed_id(self, story: ImportedArticle) -> str:
        """Return the story's feed id, or a new one if it has none or another story has the same."""
        feed_id = clean_line(story.feed_id)[:500]
        if not feed_id or feed_id in self.feed_ids:
            return new_feed_id()
        self.feed_ids.add(feed_id)
        return feed_id

    def _update_article(
        self, index: int, story: ImportedArticle, old: Row[Any], result: ImportResult
    ) -> None:
        """Collect changes to a stored story; collect none and raise ValidationError if invalid."""
        decision = self.comparison.decide(old, self.overwrite)
        if decision is not None and decision.preserved:
            result.preserved.append((index, ", ".join(decision.preserved)))
        if decision is None or not decision.accepted:
            if (
                decision is not None
                and old.source_values is not None
                and decision.source_values != old.source_values
            ):
                # A person made the same edit as the source.
                self.writer.set_import_state(old.id, old.version, decision.source_values)
            result.unchanged += 1
            return
        self._write_changes(story, old, decision, result)
        result.updated += 1

    def _write_changes(
        self, story: ImportedArticle, old: Row[Any], decision: MergeDecision, result: ImportResult
    ) -> None:
        """Collect the rows of a story that its source changes."""
        accepted, stored = decision.accepted, self.comparison.stored[old.id]
        source = story.prepared.draft
        status = story.status if "publication" in accepted else old.status
        slug = self._choose_slug(old, source, status, accepted)
        section = SectionKey(stored.row.section_id, stored.row.section)
        if "section" in accepted:
            section = self.sections.get_or_create(story.section, result.sections)
        if "picture" in accepted:
            source = replace(source, picture_id=self._picture_id(story))
        self._update_redirects(old, slug, status)
        draft = stored.draft_with(replace(source, slug=slug, section=section.slug), accepted)
        source_columns = self._column_values(source, story, slug, section.id)
        values = stored.values_with(source_columns, accepted) | {"slug": slug}
        self.writer.update_article(old.id, old.version, values)
        self.writer.add_revision(
            old.id, draft, values, (old.number or 0) + 1, old.version + 1, stored.notes
        )
        codes = (
            story.prepared.country_codes
            if "countries" in accepted
            else tuple(code for code, _ in stored.countries)
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
        """Return the new slug of a stored story; raise ValidationError if another story has it."""
        if "slug" in accepted:
            return self.slugs.unique_slug(source, old.id)
        if status in WAS_PUBLIC_STATUSES and old.status not in WAS_PUBLIC_STATUSES:
            return self.slugs.unique_stored_slug(old, source.headline)
        return str(old.slug)

    def _update_redirects(self, old: Row[Any], slug: str, status: str) -> None:
        """Add a redirect if a public story gets another slug or stops being public."""
        was_public, is_public = old.status in WAS_PUBLIC_STATUSES, status in WAS_PUBLIC_STATUSES
        if slug != old.slug:
            self.writer.move_slug(old.id, old.slug if was_public else "", slug)
        if was_public and not is_public:
            self.writer.redirects.append({"slug": slug, "article_id": old.id})
        if was_public or is_public:
            self.slugs.owners[slug] = old.id


def _load_existing(session: Session, external_ids: list[str]) -> dict[str, Row[Any]]:
    """Return stored stories by external id, with revision number and previous source values."""
    newest = (
        select(func.max(Revision.number)).where(Revision.article_id == Article.id).scalar_subquery()
    )
    columns = (Article.id, Article.external_id, Article.slug, Article.status, Article.version)
    state = (
        ImportState.version.label("imported_version"),
        ImportState.imported_at,
        ImportState.source_values,
    )
    query = select(*columns, newest.label("number"), *state).outerjoin(ImportState)
    rows = session.execute(query.where(Article.external_id.in_(external_ids)))
    return {row.external_id: row for row in rows if row.external_id is not None}
