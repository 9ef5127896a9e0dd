"""Stores imported stories a batch at a time: decided in memory, written by a few statements. Only for publishing.

The rules are those of the acts on one story. What differs is the road: a few SELECTs tell all that a batch has to know,
and nothing is loaded as an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from spectator.media import TakenPicture
from spectator.models import Article, Redirect, Revision, Section
from spectator.publishing.drafts import Draft, Invalid, Prepared
from spectator.publishing.filing import add_picture, add_section
from spectator.publishing.shelving import refresh
from spectator.publishing.storing import COPIED, PICTURE, first_free
from spectator.publishing.writing import Writing
from spectator.text.slugs import slugify

# What the database or its driver may say of one story that no check foresaw: an id with half a surrogate pair.
STORY_FAULTS = (IntegrityError, DataError, UnicodeError)
LEAVES_REDIRECT = frozenset({"published", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Imported:
    """A story as an importer has it: `section` is the name that goes with the draft's slug, moments are aware.

    The same `external_id` again is the same story; None is a new one each time.
    """

    prepared: Prepared
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: TakenPicture | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a batch: stories added and updated, names of sections made, (position, reason) of the refused."""

    added: int = 0
    updated: int = 0
    sections: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


def take_imports(session: Session, stories: Sequence[Imported]) -> Outcome:
    """Store a batch of imported stories, in order, inside the importer's `db.write()`.

    The same external id again, in the batch too, updates that story. A story that cannot be stored is refused and
    takes no other with it.
    """
    numbered = list(enumerate(stories))
    try:
        with session.begin_nested():
            return _taken(session, numbered)
    except STORY_FAULTS:
        outcome = Outcome()
    for place, story in numbered:
        try:
            with session.begin_nested():
                one = _taken(session, [(place, story)])
        except STORY_FAULTS as error:
            outcome.refused.append((place, f"cannot be stored: {error}"))
            continue
        outcome.added += one.added
        outcome.updated += one.updated
        outcome.sections += one.sections
        outcome.refused += one.refused
    return outcome


def _taken(session: Session, stories: Iterable[tuple[int, Imported]]) -> Outcome:
    outcome, article_ids = Outcome(), list[int]()
    for part in _parts(stories):
        article_ids += _Part(session, [story for _, story in part]).take(part, outcome)
    refresh(session, article_ids)
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

    def __init__(self, session: Session, stories: list[Imported]) -> None:
        self.session = session
        self.known = _known(session, [each.external_id for each in stories if each.external_id is not None])
        drafts = [each.prepared.draft for each in stories]
        self.slugs = _Slugs(session, {each.slug or slugify(each.headline) for each in drafts})
        sections = select(Section.slug, Section.id).where(Section.slug.in_({each.section for each in drafts}))
        self.sections = dict(session.execute(sections).all())
        self.next_id = (session.scalar(select(func.max(Article.id))) or 0) + 1
        self.now = datetime.now(UTC)
        self.writing = Writing(self.now)

    def take(self, stories: list[tuple[int, Imported]], outcome: Outcome) -> list[int]:
        """Decide on every story, then write; returns the ids of those that were stored."""
        for place, story in stories:
            old = self.known.get(story.external_id) if story.external_id is not None else None
            try:
                self._take(story, old, outcome)
            except Invalid as error:
                outcome.refused.append((place, str(error)))
                continue
            outcome.added += old is None
            outcome.updated += old is not None
        return self.writing.write(self.session)

    def _take(self, story: Imported, old: Row[Any] | None, outcome: Outcome) -> None:
        """Note all rows of a story; raises Invalid, and has then changed nothing."""
        draft, prepared = story.prepared.draft, story.prepared
        article_id = old.id if old else self.next_id
        # an address does not move with the headline
        slug = old.slug if old and not draft.slug else self.slugs.free(draft, article_id)
        section_id = self._section(draft.section, story.section, outcome)
        if story.picture is not None:
            draft = replace(draft, picture_id=add_picture(self.session, story.picture, None))
        if old:
            self._move(old, slug)
        else:
            self.next_id += 1
        self.slugs.owners[slug] = article_id
        values: dict[str, Any] = {name: getattr(draft, name) for name in COPIED + PICTURE}
        values |= {"slug": slug, "section_id": section_id, "status": story.status}
        values |= {"excerpt": prepared.excerpt, "word_count": prepared.word_count}
        values |= {"published_at": story.published_at, "updated_at": story.updated_at}
        if old:
            self.writing.change(article_id, old.version, values)
            self.writing.record(article_id, draft, slug, (old.number or 0) + 1, old.version + 1)
        else:
            self.writing.add(article_id, story.external_id, values)
            self.writing.record(article_id, draft, slug, 1, 1)
        self.writing.file(article_id, draft, prepared.country_codes)
        if story.status == "published" or (old and old.status == "published"):
            self.writing.announce(article_id, "publish" if story.status == "published" else "withdraw")

    def _section(self, slug: str, name: str, outcome: Outcome) -> int:
        if slug not in self.sections:
            section = add_section(self.session, name)
            self.sections[slug] = section.id
            outcome.sections.append(section.name)
        return self.sections[slug]

    def _move(self, old: Row[Any], slug: str) -> None:
        """Leave a redirect behind where a story that was public gets another slug; free the slug of any other."""
        if slug == old.slug:
            return
        self.writing.move(old.id, old.slug if old.status in LEAVES_REDIRECT else "", slug)
        if old.status not in LEAVES_REDIRECT:
            self.slugs.owners[old.slug] = None


def _known(session: Session, external_ids: list[str]) -> dict[str, Row[Any]]:
    """Return what is stored under these ids: id, slug, status, version and the number of the newest revision."""
    newest = select(func.max(Revision.number)).where(Revision.article_id == Article.id).scalar_subquery()
    columns = (Article.id, Article.external_id, Article.slug, Article.status, Article.version)
    rows = session.execute(select(*columns, newest.label("number")).where(Article.external_id.in_(external_ids)))
    return {row.external_id: row for row in rows if row.external_id is not None}


class _Slugs:
    """Which slugs belong, or once belonged, to which story; asks the database for those it has not heard of."""

    def __init__(self, session: Session, wanted: Iterable[str]) -> None:
        self.session = session
        self.owners: dict[str, int | None] = {}
        self._ask(wanted)

    def free(self, draft: Draft, article_id: int) -> str:
        """Return the slug that a story gets; raises Invalid where the one given is another story's."""
        return first_free(draft.slug, draft.headline, lambda slug: self._is_taken(slug, article_id))

    def _is_taken(self, slug: str, article_id: int) -> bool:
        if slug not in self.owners:
            # numbered, since the plain ones were asked for at first; where one is taken, those that follow often are
            stem, _, number = slug.rpartition("-")
            self._ask(f"{stem}-{each}" for each in range(int(number), 2 * int(number) + 30))
        return self.owners[slug] not in (None, article_id)

    def _ask(self, slugs: Iterable[str]) -> None:
        new = [slug for slug in slugs if slug not in self.owners]
        self.owners.update(dict.fromkeys(new))
        former = select(Redirect.slug, Redirect.article_id).where(Redirect.slug.in_(new))
        current = select(Article.slug, Article.id).where(Article.slug.in_(new))
        for owned in (former, current):
            self.owners.update(self.session.execute(owned).all())
