"""A batch of imported stories: what to add, change or refuse, decided in memory, written in bulk.

For speed, a few SELECTs load what the whole batch needs, and no ORM objects are created.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from spectator.i18n import ngettext
from spectator.models import Article
from spectator.models.article import EVER_PUBLIC_STATUSES, new_feed_id
from spectator.publishing.articles import draft_columns
from spectator.publishing.bulk import BulkWriter
from spectator.publishing.fields import Draft
from spectator.publishing.import_merge import (
    UNKNOWN,
    Comparison,
    MergeDecision,
    SourceValues,
    is_unchanged,
    load_existing,
    publication_value,
    values_of_draft,
)
from spectator.publishing.import_originals import OriginalLookup
from spectator.publishing.imported_articles import ImportedArticle, ImportResult
from spectator.publishing.slugs import SlugLookup
from spectator.publishing.taxonomy import SectionKey, SectionLookup, Taxonomy, add_picture
from spectator.publishing.translations import (
    append_groups,
    end_chains,
    move_translations,
    unlink_same_language,
)
from spectator.publishing.validation import ValidationError, clean_line
from spectator.text.words.slugs import slugify

MAX_ID_LENGTH = 200

# The outbox event of a story that an import changes, by whether it was published before and whether
# it is published now.
EVENTS = {(False, True): "publish", (True, True): "update", (True, False): "withdraw"}


class ImportBatch:
    """Stories with different external ids, and what the database already holds about them."""

    def __init__(
        self,
        session: Session,
        stories: Sequence[ImportedArticle],
        overwrite: bool,
        is_dry: bool = False,
    ) -> None:
        self.session, self.overwrite = session, overwrite
        prepared = [story.prepared for story in stories]
        self.originals = OriginalLookup(session, prepared, is_dry=is_dry)
        self.stories = [
            replace(story, prepared=self.originals.with_number(story.prepared))
            for story in stories
        ]
        self.groups: set[int] = set()  # ids of the originals of stored stories
        self.relinked: list[int] = []  # ids of those with another original or language
        self.existing = load_existing(
            session, [story.external_id for story in stories if story.external_id is not None]
        )
        self.stories = [
            story.with_stored_slug(old.slug)
            if (old := self.existing.get(story.external_id))
            else story
            for story in self.stories
        ]
        drafts = [story.prepared.draft for story in stories]
        stored_slugs = {row.slug for row in self.existing.values()}
        new_slugs = {draft.slug or slugify(draft.headline) for draft in drafts}
        self.slugs = SlugLookup(session, stored_slugs | new_slugs)
        self.sections = SectionLookup(session)
        self.next_id = (session.scalar(select(func.max(Article.id))) or 0) + 1
        feed_ids = {feed_id for story in stories if (feed_id := _clean_feed_id(story))}
        self.feed_ids = set(
            session.scalars(select(Article.feed_id).where(Article.feed_id.in_(feed_ids)))
        )
        self.writer = BulkWriter(datetime.now(UTC))
        self.comparison = Comparison(session, self._candidates())
        stored_rows = [stored.row for stored in self.comparison.stored.values()]
        self.originals.load_stored(row.translation_of_id for row in stored_rows)

    def _candidates(self) -> list[tuple[Row[Any], SourceValues]]:
        """Return the rows of stored stories that may change, each with its source values.

        With `overwrite` these are all; without, those that the source has changed since the last
        import and those that somebody has saved here.
        """
        candidates = []
        for story in self.stories:
            if old := self.existing.get(story.external_id):
                source_values = self._source_values(story)
                if not story.is_publication_known:
                    source_values |= {"publication": UNKNOWN, "updated_at": UNKNOWN}
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
        digest = story.picture.digest if story.picture else ""
        publication = publication_value(story.status, story.published_at)
        prepared = story.prepared
        return values_of_draft(
            prepared.draft,
            section,
            prepared.country_codes,
            digest if story.is_picture_known else None,
            publication,
            story.visible_updated_at,
        )

    def apply(self, result: ImportResult) -> list[int]:
        """Decide on every story, then write them all; return the ids of stored stories."""
        for story in self.stories:
            try:
                old = self.existing.get(story.external_id)
                self.originals.check_reference(story.prepared.draft)
                if old:
                    self._update_article(story, old, result)
                else:
                    self._add_article(story, result)
            except ValidationError as error:
                result.refuse(story.location, str(error))
        article_ids = self.writer.write(self.session)
        end_chains(self.session, article_ids)
        if self.relinked:
            unlink_same_language(self.session, self.relinked)
        append_groups(self.session, self.groups, {number for number, _ in self.writer.events})
        return article_ids

    def _add_article(self, story: ImportedArticle, result: ImportResult) -> None:
        """Collect the rows of a new story; collect nothing and raise ValidationError if invalid."""
        draft, article_id = story.prepared.draft, self.next_id
        if len(story.external_id or "") > MAX_ID_LENGTH:
            raise ValidationError(
                {
                    "id": ngettext(
                        "Use at most %(limit)s character.",
                        "Use at most %(limit)s characters.",
                        MAX_ID_LENGTH,
                        limit=MAX_ID_LENGTH,
                    )
                }
            )
        self.originals.check(draft)
        wanted = draft.slug if story.may_number_slug else ""
        slug = self.slugs.unique_slug(draft.slug, draft.headline, article_id, wanted)
        section = self.sections.get_or_create(story.section, result.sections)
        draft = replace(draft, section=section.slug, picture_id=self._picture_id(story))
        self.next_id += 1
        if story.status in EVER_PUBLIC_STATUSES:
            self.slugs.owners[slug] = article_id  # for the next stories of this batch
        values = self._column_values(draft, story, slug, section.id)
        self.writer.add_article(article_id, story.external_id, self._feed_id(story), values)
        self.writer.add_revision(article_id, draft, values, number=1, version=1)
        self.writer.taxonomy.append(Taxonomy(article_id, draft, story.prepared.country_codes))
        if story.external_id is not None:
            self.writer.set_import_state(
                article_id, 1, self._source_values(story) | {"slug": slug}
            )
        if story.status == "published":
            self.writer.events.append((article_id, "publish"))
            self.groups.add(values["translation_of_id"] or article_id)
        result.added += 1

    def _column_values(
        self, draft: Draft, story: ImportedArticle, slug: str, section_id: int
    ) -> dict[str, Any]:
        """Return the column values of a story, taken from its source."""
        values = draft_columns(replace(story.prepared, draft=draft))
        values |= self.originals.column_values(draft.translation_of)
        values |= {"slug": slug, "section_id": section_id, "status": story.status}
        return values | {
            "published_at": story.published_at,
            "updated_at": story.visible_updated_at,
        }

    def _picture_id(self, story: ImportedArticle) -> int | None:
        for picture in story.pictures:
            add_picture(self.session, picture, None)
        return (
            add_picture(self.session, story.picture, None) if story.picture is not None else None
        )

    def _feed_id(self, story: ImportedArticle) -> str:
        """Return the story's feed id, or a new one if it has none or another story has the same."""
        feed_id = _clean_feed_id(story)
        if not feed_id or feed_id in self.feed_ids:
            return new_feed_id()
        self.feed_ids.add(feed_id)
        return feed_id

    def _update_article(
        self, story: ImportedArticle, old: Row[Any], result: ImportResult
    ) -> None:
        """Collect changes to a stored story; collect none and raise ValidationError if invalid."""
        decision = self.comparison.decide(old, self.overwrite)
        if decision is not None:
            if decision.preserved:
                result.preserve(story.location, ", ".join(decision.preserved))
            if decision.accepted:
                self._write_changes(story, old, decision, result)
                result.updated += 1
                return
            if old.source_values is not None and decision.source_values != old.source_values:
                # A person made the same edit as the source: only the source's values are new.
                self.writer.set_import_state(old.id, old.version, decision.source_values)
        result.unchanged += 1

    def _write_changes(
        self, story: ImportedArticle, old: Row[Any], decision: MergeDecision, result: ImportResult
    ) -> None:
        """Collect the rows of a stored story with the fields that the decision accepts."""
        accepted, stored = decision.accepted, self.comparison.stored[old.id]
        source = story.prepared.draft
        merged = stored.draft_with(source, accepted)
        former_link = str(stored.row.translation_of_id or ""), stored.row.language
        is_link_changed = (merged.translation_of, merged.language) != former_link
        if is_link_changed:
            self.originals.check(merged, old.id)
        status = story.status if "publication" in accepted else old.status
        slug = self._choose_slug(story, old, source, status, accepted)
        section = SectionKey(stored.row.section_id, stored.row.section)
        if "section" in accepted:
            section = self.sections.get_or_create(story.section, result.sections)
        picture_id = self._picture_id(story)
        if "picture" in accepted:
            source = replace(source, picture_id=picture_id)
        self.writer.redirects.add_change(old.id, (old.slug, old.status), (slug, status))
        if {old.status, status} & set(EVER_PUBLIC_STATUSES):
            self.slugs.owners[slug] = old.id
        draft = stored.draft_with(replace(source, slug=slug, section=section.slug), accepted)
        source_columns = self._column_values(source, story, slug, section.id)
        values = stored.values_with(source_columns, accepted) | {"slug": slug}
        self.writer.update_article(old.id, old.version, values)
        if is_link_changed:
            original = self.originals.by_number.get(draft.translation_of)
            move_translations(self.session, old.id, original, draft.language)
            self.relinked.append(old.id)
        self.writer.add_revision(
            old.id,
            draft,
            values,
            number=(old.number or 0) + 1,
            version=old.version + 1,
            notes=stored.notes,
        )
        codes = (
            story.prepared.country_codes
            if "countries" in accepted
            else tuple(code for code, _ in stored.countries)
        )
        self.writer.taxonomy.append(Taxonomy(old.id, draft, codes))
        self.writer.set_import_state(old.id, old.version + 1, decision.source_values)
        if event := EVENTS.get((old.status == "published", values["status"] == "published")):
            self.writer.events.append((old.id, event))
            former_id = stored.row.translation_of_id or old.id
            self.groups |= {former_id, values["translation_of_id"] or old.id}

    def _choose_slug(
        self,
        story: ImportedArticle,
        old: Row[Any],
        source: Draft,
        status: str,
        accepted: frozenset[str],
    ) -> str:
        """Return the slug of a stored story after the import.

        Raises ValidationError if the source gives it the slug of another story.
        """
        if "slug" in accepted:
            wanted = source.slug if story.may_number_slug else ""
            return self.slugs.unique_slug(source.slug, source.headline, old.id, wanted)
        if status in EVER_PUBLIC_STATUSES and old.status not in EVER_PUBLIC_STATUSES:
            # While this story was not public, another story may have taken its slug.
            return self.slugs.unique_slug(old.slug, source.headline, old.id, current=old.slug)
        return str(old.slug)


def _clean_feed_id(story: ImportedArticle) -> str:
    """Return the feed id of the source as it is stored, "" if there is none."""
    return clean_line(story.feed_id)[:500]
