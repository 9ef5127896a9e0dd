"""Stories as importers provide them, and the results of importing them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from spectator.media import StoredPicture
from spectator.models.article import EVER_PUBLIC_STATUSES
from spectator.publishing.validation import PreparedDraft
from spectator.text.words.slugs import numbered_slug

MAX_LISTED = 1_000  # refused and preserved stories of an import; further ones are only counted
MAX_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """A story as an importer provides it.

    `section` is a section's name or slug; datetimes are aware. Importing an `external_id` again
    updates the same story; None always adds a new one. `feed_id` is the story's id in the feeds of
    its old site. `pictures` are the others that the story shows. `is_picture_known`: the importer
    checked whether there is a picture. `is_publication_known`: the source has a status and dates;
    otherwise those of a stored story stay. `may_number_slug`: the slug gets a number if another
    story has it; otherwise the story is refused.
    """

    prepared: PreparedDraft
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: StoredPicture | None = None
    pictures: tuple[StoredPicture, ...] = ()
    is_picture_known: bool = True
    is_publication_known: bool = True
    feed_id: str = ""
    location: str = ""  # in the source, for the report
    may_number_slug: bool = False

    @property
    def visible_updated_at(self) -> datetime | None:
        """Return the time of the last update that readers could see, None if there was none."""
        at, published = self.updated_at, self.published_at
        # EVER_PUBLIC_STATUSES are those of stories that are or were public.
        if at is None or published is None or self.status not in EVER_PUBLIC_STATUSES:
            return None
        return at if at >= published else None

    def with_stored_slug(self, slug: str) -> ImportedArticle:
        """Return the story with its stored slug if that is the one it wants with a number."""
        draft, number = self.prepared.draft, slug.rpartition("-")[2]
        is_numbered = draft.slug and number.isdecimal() and len(number) < 10
        if (
            not self.may_number_slug
            or not is_numbered
            or slug != numbered_slug(draft.slug, int(number))
        ):
            return self
        draft = replace(draft, slug=slug)
        return replace(self, prepared=replace(self.prepared, draft=draft))


@dataclass(slots=True)
class ImportResult:
    """The result of importing a batch: numbers of stories, and names of new sections.

    `preserved` and `refused` hold pairs of a story's location in its source and a text: the fields
    that stayed as edited here, or the reason why the story was not stored. Of a whole
    import they are the first `MAX_LISTED`; `preserved_count` and `refused_count` count all.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    sections: list[str] = field(default_factory=list)
    preserved: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    preserved_count: int = 0
    refused_count: int = 0

    def add(self, other: ImportResult) -> None:
        """Add a batch's result to this one; lists are truncated."""
        for result_field in fields(other):
            name = result_field.name
            value = getattr(self, name) + getattr(other, name)
            setattr(self, name, value[:MAX_LISTED] if isinstance(value, list) else value)

    def preserve(self, location: str, names: str) -> None:
        """Add a story with fields that stayed as edited here."""
        self.preserved_count += 1
        self.preserved.append((location, names))

    def refuse(self, location: str, reason: str) -> None:
        """Add a story that was not stored."""
        self.refused_count += 1
        self.refused.append((location, reason[:MAX_REASON_LENGTH]))
