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

from spectator.media import TakenPicture
from spectator.models import Article, ImportState, Revision
from spectator.models.article import SEEN_STATUSES, new_feed_id
from spectator.publishing.drafts import Draft, Invalid, Prepared, one_line
from spectator.publishing.filing import add_picture
from spectator.publishing.lookups import SectionKey, Sections, Slugs
from spectator.publishing.pictures import record_uses
from spectator.publishing.shelving import refresh
from spectator.publishing.sources import Comparison, Decision, Given, given_of, publication_of, says_the_same
from spectator.publishing.storing import COPIED, PICTURE
from spectator.publishing.writing import Writing
from spectator.text.slugs import slugify

LONGEST_ID = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """A story as an importer has it: `section` is the name that goes with the draft's slug, moments are aware.

    The same `external_id` again is the same story; None is a new one each time. `feed_id` is the id under which feeds
    know it already. `is_picture_known`: the picture, or that there is none, was looked at.
    """

    prepared: Prepared
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: TakenPicture | None = None
    is_picture_known: bool = True
    feed_id: str = ""

    @property
    def shown_update(self) -> datetime | None:
        """Return when the story was updated, None where that was before readers could see it."""
        at, published = self.updated_at, self.published_at
        is_public = self.status in SEEN_STATUSES and published is not None
        return at if at is not None and published is not None and is_public and at >= published else None


@dataclass(slots=True)
class Outcome:
    """What became of a batch: stories added, updated, unchanged; names of sections made; by position in the batch what
    stayed as people changed it here, and the reason of each refused story."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    sections: list[str] = field(default_factory=list)
    kept: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def include(self, other: Outcome) -> None:
        """Add what became of other stories."""
        self.added += other.added
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.sections += other.sections
        self.kept += other.kept
        self.refused += other.refused


def take_imports(session: Session, stories: Sequence[Imported], overwrite: bool = False) -> Outcome:
    """Store a batch of imported stories, in order, inside the importer's `db.write()`.

    The same external id again, in the batch too, updates that story, as far as nobody has changed it here; `overwrite`
    lets the source win. What is as it was is not written. A story that cannot be stored is refused and takes no other
    with it.
    """
    numbered = list(enumerate(stories))
    try:
        with session.begin_nested():
            return _taken(session, numbered, overwrite)
    except OperationalError:
        raise  # the database is locked, full or gone: no story's fault
    except Exception:
        log.debug("a batch is stored story by story", exc_info=True)
    outcome = Outcome()
    for place, story in numbered:
        try:
            with session.begin_nested():
                outcome.include(_taken(session, [(place, story)], overwrite))
        except OperationalError:
            raise
        except Exception as error:
            log.debug("a story is refused", exc_info=True)
            outcome.refused.append((place, f"cannot be stored: {error}"))
    return outcome


def _taken(session: Session, stories: Iterable[tuple[int, Imported]], overwrite: bool) -> Outcome:
    outcome, article_ids = Outcome(), list[int]()
    for part in _parts(stories):
        article_ids += _Part(session, [story for _, story in part], overwrite).take(part, outcome)
    if article_ids:
        refresh(session, article_ids)
        record_uses(session, article_ids)
    return outcome


def _parts(stories: Iterable[tuple[int, Imported]]) -> Iterator[list[tuple[int, Imported]]]:
    """Cut a batch where an id comes again: the later story has to find the earlier one stored."""
    part: list[tuple[int, Imported]] = []
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


class _Part:
    """Stories of different ids, with what the database says about them."""

    def __init__(self, session: Session, stories: list[Imported], overwrite: bool) -> None:
        self.session = session
        self.overwrite = overwrite
        self.known = _known(session, [each.external_id for each in stories if each.external_id is not None])
        drafts = [each.prepared.draft for each in stories]
        stored = {row.slug for row in self.known.values()}
        self.slugs = Slugs(session, stored | {each.slug or slugify(each.headline) for each in drafts})
        self.sections = Sections(session)
        self.next_id = (session.scalar(select(func.max(Article.id))) or 0) + 1
        feed_ids = {each.feed_id for each in stories if each.feed_id}
        self.feed_ids = set(session.scalars(select(Article.feed_id).where(Article.feed_id.in_(feed_ids))))
        self.writing = Writing(datetime.now(UTC))
        self.comparison = Comparison(session, self._candidates(stories))

    def _candidates(self, stories: list[Imported]) -> list[tuple[Row[Any], Given]]:
        """Return the stored stories that may change, with what the source gives: it says something else than last time,
        or somebody has saved them since."""
        found = []
        for story in stories:
            old = self.known.get(story.external_id) if story.external_id is not None else None
            if old is not None:
                given = self._given(story)
                if self.overwrite or old.version != old.taken_version or not says_the_same(old.given, given):
                    found.append((old, given))
        return found

    def _given(self, story: Imported) -> Given:
        """Return what the source gives, field by field."""
        section = self.sections.slug_of(story.section)
        digest = (story.picture.digest if story.picture else "") if story.is_picture_known else None
        publication = publication_of(story.status, story.published_at)
        prepared = story.prepared
        return given_of(prepared.draft, section, prepared.country_codes, digest, publication, story.shown_update)

    def take(self, stories: list[tuple[int, Imported]], outcome: Outcome) -> list[int]:
        """Decide on every story, then write; returns the ids of those that were stored."""
        for place, story in stories:
            old = self.known.get(story.external_id) if story.external_id is not None else None
            try:
                if old is None:
                    self._add(story, outcome)
                else:
                    self._update(place, story, old, outcome)
            except Invalid as error:
                outcome.refused.append((place, str(error)))
        return self.writing.write(self.session)

    def _add(self, story: Imported, outcome: Outcome) -> None:
        """Note all rows of a new story; raises Invalid, and has then changed nothing."""
        draft, article_id = story.prepared.draft, self.next_id
        if len(story.external_id or "") > LONGEST_ID:
            raise Invalid({"id": f"At most {LONGEST_ID} characters are possible."})
        slug = self.slugs.free(draft, article_id)
        section = self.sections.find_or_add(story.section, outcome.sections)
        draft = replace(draft, section=section.slug, picture_id=self._picture_id(story))
        self.next_id += 1
        if story.status in SEEN_STATUSES:
            self.slugs.owners[slug] = article_id
        values = self._values(draft, story, slug, section.id)
        self.writing.add(article_id, story.external_id, self._feed_id(story), values)
        self.writing.record(article_id, draft, values, 1, 1)
        self.writing.file(article_id, draft, story.prepared.country_codes)
        if story.external_id is not None:
            self.writing.remember(article_id, 1, self._given(story) | {"slug": slug})
        if story.status == "published":
            self.writing.announce(article_id, "publish")
        outcome.added += 1

    def _values(self, draft: Draft, story: Imported, slug: str, section_id: int) -> dict[str, Any]:
        """Return the columns of a story as its source has it."""
        values: dict[str, Any] = {name: getattr(draft, name) for name in COPIED + PICTURE}
        values |= {"slug": slug, "section_id": section_id, "status": story.status}
        values |= {"excerpt": story.prepared.excerpt, "word_count": story.prepared.word_count}
        return values | {"published_at": story.published_at, "updated_at": story.shown_update}

    def _picture_id(self, story: Imported) -> int | None:
        return add_picture(self.session, story.picture, None) if story.picture is not None else None

    def _feed_id(self, story: Imported) -> str:
        """Return the id that feeds know the story by, another one where a story has that already."""
        wanted = one_line(story.feed_id)[:500]
        if not wanted or wanted in self.feed_ids:
            return new_feed_id()
        self.feed_ids.add(wanted)
        return wanted

    def _update(self, place: int, story: Imported, old: Row[Any], outcome: Outcome) -> None:
        """Note what the source may change of a story; raises Invalid, and has then changed nothing."""
        decision = self.comparison.decide(old, self.overwrite)
        if decision is not None and decision.kept:
            outcome.kept.append((place, ", ".join(decision.kept)))
        if decision is None or not decision.taken:
            if decision is not None and old.given is not None and decision.given != old.given:
                self.writing.remember(old.id, old.version, decision.given)  # people and source agree on something
            outcome.unchanged += 1
            return
        self._change(story, old, decision, outcome)
        outcome.updated += 1

    def _change(self, story: Imported, old: Row[Any], decision: Decision, outcome: Outcome) -> None:
        """Note all rows of a story that its source changes."""
        taken, held, source = decision.taken, self.comparison.held[old.id], story.prepared.draft
        status = story.status if "publication" in taken else old.status
        slug = self._slug(old, source, status, taken)
        section = SectionKey(held.row.section_id, held.row.section)
        if "section" in taken:
            section = self.sections.find_or_add(story.section, outcome.sections)
        if "picture" in taken:
            source = replace(source, picture_id=self._picture_id(story))
        self._move(old, slug, status)
        draft = held.draft_with(replace(source, slug=slug, section=section.slug), taken)
        values = held.values_with(self._values(source, story, slug, section.id), taken) | {"slug": slug}
        self.writing.change(old.id, old.version, values)
        self.writing.record(old.id, draft, values, (old.number or 0) + 1, old.version + 1, held.notes)
        codes = story.prepared.country_codes if "countries" in taken else tuple(code for code, _ in held.countries)
        self.writing.file(old.id, draft, codes)
        self.writing.remember(old.id, old.version + 1, decision.given)
        if "published" in {values["status"], old.status}:
            self.writing.announce(old.id, "publish" if values["status"] == "published" else "withdraw")

    def _slug(self, old: Row[Any], source: Draft, status: str, taken: frozenset[str]) -> str:
        """Return the slug of a stored story that its source changes; raises Invalid for another story's."""
        if "slug" in taken:
            return self.slugs.free(source, old.id)
        if status in SEEN_STATUSES and old.status not in SEEN_STATUSES:
            return self.slugs.settle(old, source.headline)
        return str(old.slug)

    def _move(self, old: Row[Any], slug: str, status: str) -> None:
        """Leave a redirect behind where a story that was public gets another slug, or is not public any more."""
        was_seen, is_seen = old.status in SEEN_STATUSES, status in SEEN_STATUSES
        if slug != old.slug:
            self.writing.move(old.id, old.slug if was_seen else "", slug)
        if was_seen and not is_seen:
            self.writing.redirects.append({"slug": slug, "article_id": old.id})
        if was_seen or is_seen:
            self.slugs.owners[slug] = old.id


def _known(session: Session, external_ids: list[str]) -> dict[str, Row[Any]]:
    """Return what is stored under these ids, the number of the newest revision, and what the source last gave."""
    newest = select(func.max(Revision.number)).where(Revision.article_id == Article.id).scalar_subquery()
    columns = (Article.id, Article.external_id, Article.slug, Article.status, Article.version)
    state = (ImportState.version.label("taken_version"), ImportState.taken_at, ImportState.given)
    query = select(*columns, newest.label("number"), *state).outerjoin(ImportState)
    rows = session.execute(query.where(Article.external_id.in_(external_ids)))
    return {row.external_id: row for row in rows if row.external_id is not None}
